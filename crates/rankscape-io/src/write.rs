//! Writing weights back: same names, same types, same orientation.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::path::Path;

use half::{bf16, f16};
use safetensors::Dtype;
use safetensors::tensor::{TensorView, serialize};
use serde_json::Value;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::array::{Array, ElementType};
use super::atomic::{is_device, write_atomically};
use super::container::list;
use super::file::format_of;
use super::format::Format;
use super::npy::header_bytes;
use super::weights::{Weights, transposed};
use rankscape::error::{InputError, Result};

/// Arrays in the form of one format, by name.
#[derive(Debug, Default)]
pub(super) struct Others {
    pub(super) tensors: Vec<Tensor>,
    /// Free text in the header of a `.safetensors` file.
    pub(super) metadata: BTreeMap<String, String>,
    /// Whole NPY files.
    pub(super) npy: Vec<(String, Vec<u8>)>,
    pub(super) members: Vec<(String, Value)>,
}

/// A tensor of a `.safetensors` file.
#[derive(Debug)]
pub(super) struct Tensor {
    pub(super) name: String,
    pub(super) dtype: Dtype,
    pub(super) shape: Vec<usize>,
    pub(super) bytes: Vec<u8>,
}

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
    write(path, format_for(path)?, weights, &Others::default())
}

/// The format of a file that is to be written, by its extension.
pub(super) fn format_for(path: &Path) -> Result<Format> {
    // A device has no extension.
    let format = if path.extension().is_none() && is_device(path) { Format::Json } else { format_of(path)? };
    match format {
        Format::Safetensors | Format::Npz | Format::Json => Ok(format),
        _ => Err(InputError::new("weights are not written in this format")
            .file(path.display())
            .hint("use .safetensors, .npz or .json")),
    }
}

/// Writes weights, and beside them what is there in the form of this format.
pub(super) fn write(path: &Path, format: Format, weights: &Weights, others: &Others) -> Result<()> {
    let mut arrays = Vec::new();
    for k in 0..weights.depth() {
        let (matrix, bias) = weights.arrays(k);
        let layout = &weights.layouts[k];
        arrays.push(if layout.in_first { transposed(&matrix) } else { matrix });
        arrays.extend(bias.map(|bias| Array { shape: layout.bias.clone().unwrap_or(bias.shape.clone()), ..bias }));
    }
    let bytes = match format {
        Format::Safetensors => safetensors_bytes(&arrays, others),
        Format::Npz => npz_bytes(&arrays, others),
        _ => Ok(json_text(&arrays, others).into_bytes()),
    };
    write_atomically(path, &bytes.map_err(|error: InputError| error.file(path.display()))?)
}

/// The type in which an array is written.
fn written_type(array: &Array, format: Format) -> ElementType {
    let integers = || array.values.iter().all(|value| value.fract() == 0.0 && value.abs() < 9.0e15);
    match (format, array.element) {
        (Format::Safetensors, ElementType::F32 | ElementType::F16 | ElementType::Bf16) => array.element,
        (Format::Npz, ElementType::F32 | ElementType::Bf16) => ElementType::F32,
        (Format::Npz, ElementType::F16) => ElementType::F16,
        (Format::Npz, ElementType::Integer) if integers() => ElementType::Integer,
        _ => ElementType::F64,
    }
}

/// What is to be said of arrays whose type the format or the new numbers do not allow.
pub(super) fn changed_types(weights: &Weights, format: Format) -> Option<String> {
    let arrays = (0..weights.depth()).flat_map(|k| {
        let (matrix, bias) = weights.arrays(k);
        std::iter::once(matrix).chain(bias)
    });
    let mut changed: Vec<String> = Vec::new();
    for array in arrays.filter(|array| array.element != ElementType::Text) {
        let written = written_type(&array, format);
        if format == Format::Json && array.element != ElementType::F64 {
            changed.push(format!("{} ({}, as text)", array.name, type_name(array.element)));
        } else if format != Format::Json && written != array.element {
            changed.push(format!("{} ({}, now {})", array.name, type_name(array.element), type_name(written)));
        }
    }
    (!changed.is_empty()).then(|| format!("the type of the numbers is another one: {}", list(&changed)))
}

fn type_name(element: ElementType) -> &'static str {
    match element {
        ElementType::F64 => "float64",
        ElementType::F32 => "float32",
        ElementType::F16 => "float16",
        ElementType::Bf16 => "bfloat16",
        ElementType::Integer => "whole numbers",
        ElementType::Text => "text",
    }
}

fn safetensors_bytes(arrays: &[Array], others: &Others) -> Result<Vec<u8>> {
    let encoded = arrays
        .iter()
        .map(|array| {
            let element = written_type(array, Format::Safetensors);
            let dtype = match element {
                ElementType::F32 => Dtype::F32,
                ElementType::F16 => Dtype::F16,
                ElementType::Bf16 => Dtype::BF16,
                _ => Dtype::F64,
            };
            Ok((array, dtype, encode(array, element)?))
        })
        .collect::<Result<Vec<_>>>()?;
    let failed = |error| InputError::new(format!("the tensors cannot be written: {error}"));
    let layers = encoded.iter().map(|(array, dtype, bytes)| (&array.name, *dtype, &array.shape, bytes));
    let rest = others.tensors.iter().map(|tensor| (&tensor.name, tensor.dtype, &tensor.shape, &tensor.bytes));
    let views = layers
        .chain(rest)
        .map(|(name, dtype, shape, bytes)| Ok((name, TensorView::new(dtype, shape.clone(), bytes).map_err(failed)?)))
        .collect::<Result<Vec<_>>>()?;
    tensors_with_metadata(views, &others.metadata)
}

/// The bytes of a `.safetensors` file. The library orders metadata by their hashes, so another way in every process; here they
/// stand in the order of their names, so that the same answer is the same file.
pub(super) fn tensors_with_metadata<'a>(
    tensors: Vec<(&'a String, TensorView<'a>)>,
    metadata: &BTreeMap<String, String>,
) -> Result<Vec<u8>> {
    let failed = |error: &dyn std::fmt::Display| InputError::new(format!("the tensors cannot be written: {error}"));
    let plain = serialize(tensors, None).map_err(|error| failed(&error))?;
    if metadata.is_empty() {
        return Ok(plain);
    }
    let (length, rest) = plain.split_at(LENGTH_BYTES);
    let length = length.try_into().map(u64::from_le_bytes).map_or(0, |length| length as usize);
    let (header, data) = rest.split_at(length);
    let entries = header.strip_prefix(b"{").unwrap_or(header).trim_ascii_end();
    let comma = if entries.starts_with(b"}") { "" } else { "," };
    let metadata = serde_json::to_string(metadata).map_err(|error| failed(&error))?;
    let mut header = format!("{{\"__metadata__\":{metadata}{comma}").into_bytes();
    header.extend(entries);
    header.resize(header.len().next_multiple_of(ALIGNMENT), b' ');
    Ok([&(header.len() as u64).to_le_bytes(), header.as_slice(), data].concat())
}

/// A `.safetensors` file begins with the length of its header, which is padded to a multiple of so many bytes.
const LENGTH_BYTES: usize = 8;
const ALIGNMENT: usize = 8;

fn npz_bytes(arrays: &[Array], others: &Others) -> Result<Vec<u8>> {
    let mut files = Vec::with_capacity(arrays.len() + others.npy.len());
    for array in arrays {
        let element = written_type(array, Format::Npz);
        let descr = match element {
            ElementType::F32 => "<f4",
            ElementType::F16 => "<f2",
            ElementType::Integer => "<i8",
            _ => "<f8",
        };
        files.push((array.name.clone(), [header_bytes(descr, &array.shape), encode(array, element)?].concat()));
    }
    files.extend(others.npy.iter().cloned());
    npz_archive(files)
}

/// The bytes of an NPZ file with these NPY files, by name.
pub(super) fn npz_archive(files: Vec<(String, Vec<u8>)>) -> Result<Vec<u8>> {
    let failed = |error: &dyn std::fmt::Display| InputError::new(format!("the archive cannot be written: {error}"));
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored).large_file(true);
        archive.start_file(format!("{name}.npy"), options).map_err(|error| failed(&error))?;
        archive.write_all(&bytes).map_err(|error| failed(&error))?;
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

fn json_text(arrays: &[Array], others: &Others) -> String {
    let layers = arrays.iter().map(|array| {
        let name = Value::from(array.name.as_str());
        let rows: Vec<String> = match array.shape[..] {
            [_, cols] => (0..array.shape[0]).map(|i| row_text(array, i * cols, cols)).collect(),
            _ => return format!("  {name}: {}", row_text(array, 0, array.values.len())),
        };
        format!("  {name}: [\n    {}\n  ]", rows.join(",\n    "))
    });
    let rest = others.members.iter().map(|(name, value)| format!("  {}: {value}", Value::from(name.as_str())));
    let members: Vec<String> = layers.chain(rest).collect();
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
