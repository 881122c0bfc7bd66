//! The tensors of an adapter without a configuration beside them, and what their header says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rankscape_fuzz::put;
use rankscape_io::adapter::open_adapter;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(adapter) = open_adapter(put("a.safetensors", bytes), None) {
        for k in 0..adapter.len() {
            let _ = adapter.load(k, None);
        }
    }
});
