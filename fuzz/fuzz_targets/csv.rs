//! A table: samples or a matrix.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rankscape_fuzz::{put, read_as_samples};
use rankscape_io::read_matrix;

fuzz_target!(|bytes: &[u8]| {
    let path = put("a.csv", bytes);
    let _ = read_matrix(&path, "W1");
    read_as_samples(&path);
});
