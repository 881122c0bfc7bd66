//! Writing weights back: same names, same types, same orientation.

use std::io::{Cursor, Write};
use std::path::Path;

use half::{bf16, f16};
use safetensors::Dtype;
use safetensors::tensor::{TensorView, serialize};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::array::{Array, ElementType};
use super::atomic::{is_device, write_atomically};
use super::file::{Format, format_of};
use super::npy::header_bytes;
use super::weights::{Weights, transposed};
use crate::error::{InputError, Result};

/// Writes weights as `.safetensors`, `.npz` or `.json`, by the extension, with the names and types they were read with.
///
/// Numbers are rounded to the stored type. A type that the format does not have becomes the next wider one that it has;
/// integers become double precision in `.safetensors`, and in `.npz` where a value is not an integer. The file appears
/// whole or not at all.
///
/// # Errors
/// If the extension is another one, a number is beyond the range of its type, or the file cannot be written.
pub fn write_weights(path: impl AsRef<Path>, weights: &Weights) -> Result<()> {
    let path = path.as_ref();
    let mut arrays = Vec::new();
    for k in 0..weights.depth() {
        let (matrix, bias) = weights.arrays(k);
        let layout = &weights.layouts[k];
        arrays.push(if layout.in_first { transposed(&matrix) } else { matrix });
        arrays.extend(bias.map(|bias| Array { shape: layout.bias.clone().unwrap_or(bias.shape.clone()), ..bias }));
    }
    // A device has no extension.
    let format = if path.extension().is_none() && is_device(path) { Format::Json } else { format_of(path)? };
    let bytes = match format {
        Format::Safetensors => safetensors_bytes(&arrays),
        Format::Npz => npz_bytes(&arrays),
        Format::Json => Ok(json_text(&arrays).into_bytes()),
        _ => Err(InputError::new("weights are not written in this format").hint("use .safetensors, .npz or .json")),
    };
    write_atomically(path, &bytes.map_err(|error: InputError| error.file(path.display()))?)
}

fn safetensors_bytes(arrays: &[Array]) -> Result<Vec<u8>> {
    let encoded = arrays
        .iter()
        .map(|array| {
            let (element, dtype) = match array.element {
                ElementType::F32 => (ElementType::F32, Dtype::F32),
                ElementType::F16 => (ElementType::F16, Dtype::F16),
                ElementType::Bf16 => (ElementType::Bf16, Dtype::BF16),
                _ => (ElementType::F64, Dtype::F64),
            };
            Ok((array, dtype, encode(array, element)?))
        })
        .collect::<Result<Vec<_>>>()?;
    let failed = |error| InputError::new(format!("the tensors cannot be written: {error}"));
    let views = encoded
        .iter()
        .map(|(array, dtype, bytes)| {
            Ok((&array.name, TensorView::new(*dtype, array.shape.clone(), bytes).map_err(failed)?))
        })
        .collect::<Result<Vec<_>>>()?;
    serialize(views, None).map_err(failed)
}

fn npz_bytes(arrays: &[Array]) -> Result<Vec<u8>> {
    let failed = |error: &dyn std::fmt::Display| InputError::new(format!("the archive cannot be written: {error}"));
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for array in arrays {
        let integers = || array.values.iter().all(|value| value.fract() == 0.0 && value.abs() < 9.0e15);
        let (element, descr) = match array.element {
            ElementType::F32 | ElementType::Bf16 => (ElementType::F32, "<f4"),
            ElementType::F16 => (ElementType::F16, "<f2"),
            ElementType::Integer if integers() => (ElementType::Integer, "<i8"),
            _ => (ElementType::F64, "<f8"),
        };
        let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored).large_file(true);
        archive.start_file(format!("{}.npy", array.name), options).map_err(|error| failed(&error))?;
        archive.write_all(&header_bytes(descr, &array.shape)).map_err(|error| failed(&error))?;
        archive.write_all(&encode(array, element)?).map_err(|error| failed(&error))?;
    }
    Ok(archive.finish().map_err(|error| failed(&error))?.into_inner())
}

/// The bytes of an array in this type.
pub(super) fn encode(array: &Array, element: ElementType) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for &value in &array.values {
        if !element.rounded(value).is_finite() {
            return Err(InputError::new("a number is too large for the type of the array")
                .array(&array.name)
                .value(format!("{value:e} as {element:?}")));
        }
        match element {
            ElementType::F32 => bytes.extend((value as f32).to_le_bytes()),
            ElementType::F16 => bytes.extend(f16::from_f64(value).to_le_bytes()),
            ElementType::Bf16 => bytes.extend(bf16::from_f64(value).to_le_bytes()),
            ElementType::Integer => bytes.extend((value as i64).to_le_bytes()),
            ElementType::F64 | ElementType::Text => bytes.extend(value.to_le_bytes()),
        }
    }
    Ok(bytes)
}

fn json_text(arrays: &[Array]) -> String {
    let members: Vec<String> = arrays
        .iter()
        .map(|array| {
            let name = serde_json::Value::from(array.name.as_str());
            let rows: Vec<String> = match array.shape[..] {
                [_, cols] => (0..array.shape[0]).map(|i| row_text(array, i * cols, cols)).collect(),
                _ => return format!("  {name}: {}", row_text(array, 0, array.values.len())),
            };
            format!("  {name}: [\n    {}\n  ]", rows.join(",\n    "))
        })
        .collect();
    format!("{{\n{}\n}}\n", members.join(",\n"))
}

/// One row; integers and fractions stay exact, other numbers are the shortest text that reads back to them.
fn row_text(array: &Array, from: usize, count: usize) -> String {
    let number = |at: usize| match &array.exact {
        Some(exact) if exact[at].is_integer() => exact[at].numer().to_string(),
        Some(exact) => format!("\"{}\"", exact[at]),
        None => format!("{:?}", array.values[at]),
    };
    let numbers: Vec<String> = (from..from + count).map(number).collect();
    format!("[{}]", numbers.join(", "))
}
