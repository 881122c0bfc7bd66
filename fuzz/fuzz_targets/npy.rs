//! An NPY file: a matrix, X, or X and Y.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rankscape_fuzz::{put, read_as_samples};
use rankscape_io::{SampleOptions, read_matrix, read_samples};

fuzz_target!(|bytes: &[u8]| {
    let path = put("a.npy", bytes);
    let _ = read_matrix(&path, "W1");
    read_as_samples(&path);
    let pair = format!("{0},{0}", path.display());
    for one_hot in [false, true] {
        let _ = read_samples(&pair, &SampleOptions { one_hot, ..SampleOptions::default() });
    }
});
