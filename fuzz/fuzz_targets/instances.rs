//! Instances of quadratic losses as JSON Lines.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rankscape_fuzz::put;
use rankscape_io::instances::{instances_digest, read_instance_file};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(instances) = read_instance_file(&put("a.jsonl", bytes)) {
        let _ = instances_digest(&instances);
    }
});
