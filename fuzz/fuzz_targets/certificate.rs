//! A certificate, and what its file says beside the statement.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rankscape_fuzz::put;
use rankscape_io::read_certificate;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(file) = read_certificate(put("a.json", bytes)) {
        let _ = file.checks();
    }
});
