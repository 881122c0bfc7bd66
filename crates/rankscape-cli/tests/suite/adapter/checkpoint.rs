//! Checkpoints written byte by byte, in every stored type.

use std::path::Path;

use serde_json::{Map, Value, json};
use testkit::files::{put, safetensors};
use testkit::random::Draw;

/// Name, type, shape, values row by row.
#[derive(Clone)]
pub struct Tensor {
    pub name: String,
    pub dtype: &'static str,
    pub shape: Vec<usize>,
    pub values: Vec<f64>,
}

pub fn tensor(name: &str, shape: &[usize], values: &[f64]) -> Tensor {
    Tensor { name: name.to_owned(), dtype: "F64", shape: shape.to_vec(), values: values.to_vec() }
}

/// Entries are multiples of 1/4 up to 2, exact in every type.
pub fn drawn(name: &str, shape: &[usize], draw: &mut Draw) -> Tensor {
    let values: Vec<f64> = (0..shape.iter().product()).map(|_| draw.integer(-8, 8) as f64 / 4.0).collect();
    tensor(name, shape, &values)
}

impl Tensor {
    pub fn stored_as(mut self, dtype: &'static str) -> Self {
        self.dtype = dtype;
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        let one = |&x: &f64| match self.dtype {
            "F32" => (x as f32).to_le_bytes().to_vec(),
            "BF16" => ((x as f32).to_bits() >> 16).to_le_bytes()[..2].to_vec(),
            "F16" => half_bits(x).to_le_bytes().to_vec(),
            "I64" => (x as i64).to_le_bytes().to_vec(),
            _ => x.to_le_bytes().to_vec(),
        };
        self.values.iter().flat_map(one).collect()
    }
}

/// Half precision of a number that it holds exactly.
fn half_bits(x: f64) -> u16 {
    if x == 0.0 {
        return 0;
    }
    let exponent = x.abs().log2().floor();
    let fraction = (x.abs() / exponent.exp2() - 1.0) * 1024.0;
    (u16::from(x < 0.0) << 15) | (((exponent + 15.0) as u16) << 10) | fraction as u16
}

/// Writes a checkpoint with free text in its header.
pub fn put_checkpoint(folder: &Path, name: &str, tensors: &[Tensor]) {
    let mut header = Map::new();
    header.insert("__metadata__".to_owned(), json!({"format": "pt"}));
    let mut data: Vec<u8> = Vec::new();
    for tensor in tensors {
        let bytes = tensor.bytes();
        let offsets = [data.len(), data.len() + bytes.len()];
        let entry = json!({"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": offsets});
        header.insert(tensor.name.clone(), entry);
        data.extend(bytes);
    }
    put(folder, name, &safetensors(&Value::Object(header).to_string(), &data));
}

/// Header entry and bytes of a tensor of a file.
pub fn stored(file: &Path, name: &str) -> (Value, Vec<u8>) {
    let bytes = std::fs::read(file).unwrap();
    let size = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..8 + size]).unwrap();
    if name == "__metadata__" {
        return (header[name].clone(), Vec::new());
    }
    let mut entry = header[name].clone();
    let at = |k: usize| entry["data_offsets"][k].as_u64().unwrap() as usize + 8 + size;
    let data = bytes[at(0)..at(1)].to_vec();
    entry.as_object_mut().unwrap().remove("data_offsets");
    (entry, data)
}
