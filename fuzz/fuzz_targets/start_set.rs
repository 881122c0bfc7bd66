//! A start set. The checksum at its end is put right, so that what is behind that check is reached too.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rankscape::Tolerances;
use rankscape::homotopy::{TrackOptions, Workers};
use rankscape::quadratic::Shape;
use rankscape_fuzz::put;
use rankscape_io::start_set::start_set_at;
use sha2::{Digest, Sha256};

fuzz_target!(|bytes: &[u8]| {
    let shape = Shape { m: 1, n: 1, r: 1 };
    let tracking = TrackOptions::new(&Tolerances::default());
    let whole = [bytes, Sha256::digest(bytes).as_slice()].concat();
    for bytes in [bytes, &whole] {
        let path = put("a.start", bytes);
        let _ = start_set_at(Some(&path), shape, 1, &tracking, &Workers::none());
    }
});
