//! The configuration beside the tensors of an adapter.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rankscape_fuzz::{folder, put};
use rankscape_io::adapter::open_adapter;

/// Two pairs of rank 1, of ones.
fn tensors() -> Vec<u8> {
    let name = |module: &str, factor: &str| format!("base_model.model.layers.0.{module}.lora_{factor}.weight");
    let entry = |(k, (module, factor)): (usize, (&str, &str))| {
        let shape = if factor == "A" { "[1,2]" } else { "[2,1]" };
        let (from, to) = (8 * k, 8 * k + 8);
        format!(r#""{}":{{"dtype":"F32","shape":{shape},"data_offsets":[{from},{to}]}}"#, name(module, factor))
    };
    let pairs = [("q_proj", "A"), ("q_proj", "B"), ("mlp.experts", "A"), ("mlp.experts", "B")];
    let header = format!("{{{}}}", pairs.into_iter().enumerate().map(entry).collect::<Vec<_>>().join(","));
    let numbers = [1.0_f32; 8].into_iter().flat_map(f32::to_le_bytes);
    (header.len() as u64).to_le_bytes().into_iter().chain(header.bytes()).chain(numbers).collect()
}

fuzz_target!(|bytes: &[u8]| {
    let path = folder().join("adapter_model.safetensors");
    if !path.exists() {
        put("adapter_model.safetensors", &tensors());
    }
    put("adapter_config.json", bytes);
    if let Ok(adapter) = open_adapter(folder(), None) {
        for k in 0..adapter.len() {
            let _ = adapter.load(k, None);
        }
    }
});
