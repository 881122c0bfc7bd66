//! An NPZ file of weights, data or matrices.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rankscape_fuzz::{put, read_arrays, read_as_samples};

fuzz_target!(|bytes: &[u8]| {
    let path = put("a.npz", bytes);
    read_arrays(&path);
    read_as_samples(&path);
});
