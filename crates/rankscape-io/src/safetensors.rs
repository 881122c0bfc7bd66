//! The safetensors format: a JSON header, then the bytes of the tensors.
//!
//! Tensors are read one by one with plain file access, so a checkpoint is never in memory as a whole.

use std::collections::BTreeMap;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use half::{bf16, f16};
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use super::array::{Array, ElementType};
use super::file::{OpenFile, open};
use super::format::read_error;
use super::json::{check_entries, members_of, syntax_error};
use super::npy::Layout;
use super::rows::{check_limit, decode_all};
use rankscape::error::{ErrorKind, InputError, Result};
use rankscape::linalg::LargeMatrix;

/// Longest header that is read, in bytes.
pub const HEADER_LIMIT: u64 = 100_000_000;

/// Bytes of a large matrix that are read at once; a multiple of the size of every number.
const PIECE: usize = 1 << 16;

/// An open file of tensors.
pub(super) struct Safetensors {
    file: String,
    reader: BufReader<OpenFile>,
    data_start: u64,
    pub(super) entries: Vec<(String, TensorInfo)>,
    /// Free text in the header, by name.
    pub(super) metadata: BTreeMap<String, String>,
}

impl Safetensors {
    /// Opens a file and reads its header.
    pub(super) fn open(path: &Path) -> Result<Self> {
        Self::read_header(path).map_err(|error| error.file(path.display()))
    }

    fn read_header(path: &Path) -> Result<Self> {
        let (file, length) = open(path)?;
        let mut reader = BufReader::new(file);
        let mut size = [0; 8];
        reader.read_exact(&mut size).map_err(|error| read_error(&error))?;
        let size = u64::from_le_bytes(size);
        if size > HEADER_LIMIT {
            return Err(InputError::new("the safetensors header is declared larger than the limit")
                .value(format!("{size} bytes, at most {HEADER_LIMIT} are read"))
                .hint("this is not a safetensors file, or it is damaged"));
        }
        if size + 8 > length {
            return Err(truncated(size + 8, length));
        }
        let mut header = vec![0; size as usize];
        reader.read_exact(&mut header).map_err(|error| read_error(&error))?;
        let (entries, metadata) = parse_header(&header)?;
        let end = entries.last().map_or(0, |(_, info)| info.data_offsets.1 as u64);
        let needed = end.saturating_add(size + 8);
        if length < needed {
            return Err(truncated(needed, length));
        }
        if length > needed {
            return Err(InputError::new("the file is longer than its header says")
                .value(format!("{length} bytes, the header describes {needed}"))
                .hint("it is damaged: write it again"));
        }
        Ok(Self { file: path.display().to_string(), reader, data_start: size + 8, entries, metadata })
    }

    /// Reads a whole tensor of floating-point numbers.
    pub(super) fn load(&mut self, index: usize) -> Result<Array> {
        let (name, info) = self.entries[index].clone();
        self.load_floats(&name, &info).map_err(|error| error.array(&name).file(&self.file))
    }

    /// Reads a whole tensor of floating-point numbers, whole numbers or truth values.
    pub(super) fn load_numbers(&mut self, index: usize) -> Result<Array> {
        let (name, info) = self.entries[index].clone();
        let Some(layout) = whole_numbers(info.dtype) else { return self.load(index) };
        let mut load = || {
            let values = decode_all(&mut self.bytes(&info)?.as_slice(), layout, &info.shape, false)?;
            Ok(Array {
                name: name.clone(),
                shape: info.shape.clone(),
                values,
                element: ElementType::Integer,
                exact: None,
            })
        };
        load().map_err(|error: InputError| error.array(&name).file(&self.file))
    }

    fn load_floats(&mut self, name: &str, info: &TensorInfo) -> Result<Array> {
        let element = element_of(info.dtype)?;
        check_limit(info.shape.iter().product())?;
        let values = decode(element, &self.bytes(info)?);
        Ok(Array { name: name.to_owned(), shape: info.shape.clone(), values, element, exact: None })
    }

    /// Type and bytes of a tensor of any type, as they are.
    pub(super) fn raw(&mut self, index: usize) -> Result<(Dtype, Vec<u8>)> {
        let info = self.entries[index].1.clone();
        Ok((info.dtype, self.bytes(&info)?))
    }

    /// The type of the numbers of a tensor.
    pub(super) fn element(&self, index: usize) -> Result<ElementType> {
        element_of(self.entries[index].1.dtype)
    }

    /// Reads `rows x cols` numbers from number `first` on, in the type of the file.
    pub(super) fn load_large(
        &mut self,
        index: usize,
        first: usize,
        (rows, cols): (usize, usize),
    ) -> Result<LargeMatrix> {
        let info = self.entries[index].1.clone();
        let element = element_of(info.dtype)?;
        check_limit(rows.saturating_mul(cols))?;
        let width = info.dtype.bitsize() / 8;
        let from = info.data_offsets.0 + first * width;
        let (mut at, end) = (from, from + rows * cols * width);
        let mut single: Vec<f32> = Vec::new();
        let mut double: Vec<f64> = Vec::new();
        match element {
            ElementType::F32 | ElementType::F16 | ElementType::Bf16 => single.reserve_exact(rows * cols),
            _ => double.reserve_exact(rows * cols),
        }
        // Piece by piece: the bytes of a large matrix are never in memory beside its numbers.
        while at < end {
            let next = (at + PIECE).min(end);
            let bytes = self.bytes(&TensorInfo { data_offsets: (at, next), ..info.clone() })?;
            match element {
                ElementType::F32 => single.extend(bytes.as_chunks().0.iter().map(|&raw| f32::from_le_bytes(raw))),
                ElementType::F16 => {
                    single.extend(bytes.as_chunks().0.iter().map(|&raw| f16::from_le_bytes(raw).to_f32()))
                }
                ElementType::Bf16 => {
                    single.extend(bytes.as_chunks().0.iter().map(|&raw| bf16::from_le_bytes(raw).to_f32()))
                }
                _ => double.extend(decode(element, &bytes)),
            }
            at = next;
        }
        if !double.is_empty() {
            return Ok(LargeMatrix::double(rows, cols, double));
        }
        Ok(LargeMatrix::single(rows, cols, single))
    }

    fn bytes(&mut self, info: &TensorInfo) -> Result<Vec<u8>> {
        let (from, to) = info.data_offsets;
        self.reader.seek(SeekFrom::Start(self.data_start + from as u64)).map_err(|error| read_error(&error))?;
        let mut bytes = vec![0; to - from];
        self.reader.read_exact(&mut bytes).map_err(|error| read_error(&error))?;
        Ok(bytes)
    }
}

fn truncated(needed: u64, length: u64) -> InputError {
    InputError::new("the file ends too early")
        .value(format!("{length} bytes, its header needs {needed}"))
        .hint("it is truncated, or not a safetensors file: copy or write it again")
}

/// Names and places of the tensors, in the order of the file.
type Entries = Vec<(String, TensorInfo)>;

/// The tensors and the free text.
fn parse_header(header: &[u8]) -> Result<(Entries, BTreeMap<String, String>)> {
    check_entries(header).map_err(|error| InputError {
        problem: "the safetensors header has too many entries".to_owned(),
        hint: Some("this is not a safetensors file, or it is damaged".into()),
        ..error
    })?;
    let members = members_of(header).map_err(|error| {
        let mut error = syntax_error(header, &error);
        if error.kind != ErrorKind::Repeated {
            error.problem = format!("the safetensors header is not valid: {}", error.problem);
            error.hint = Some("this is not a safetensors file, or it is damaged".into());
        }
        error
    })?;
    let mut entries = Vec::new();
    let mut metadata = BTreeMap::new();
    for (name, value) in members {
        if name == "__metadata__" {
            // Text that is not as the format asks for means nothing to us: it is left out.
            metadata = serde_json::from_value(value).unwrap_or_default();
        } else {
            let info: TensorInfo = serde_json::from_value(value).map_err(|error| {
                InputError::new(format!("the description of the tensor cannot be read: {error}")).array(&name)
            })?;
            entries.push((name, info));
        }
    }
    entries.sort_by_key(|(_, info)| info.data_offsets);
    Metadata::new(None, entries.clone())
        .map_err(|error| InputError::new(format!("the safetensors header is not valid: {error}")))?;
    Ok((entries, metadata))
}

/// How whole numbers and truth values are stored: as in NPY.
fn whole_numbers(dtype: Dtype) -> Option<Layout> {
    let descr = match dtype {
        Dtype::BOOL => "|b1",
        Dtype::U8 => "|u1",
        Dtype::I8 => "|i1",
        Dtype::U16 => "<u2",
        Dtype::I16 => "<i2",
        Dtype::U32 => "<u4",
        Dtype::I32 => "<i4",
        Dtype::U64 => "<u8",
        Dtype::I64 => "<i8",
        _ => return None,
    };
    Layout::parse(descr).ok()
}

/// The type of the numbers of a tensor, if it is one that is read.
fn element_of(dtype: Dtype) -> Result<ElementType> {
    match dtype {
        Dtype::F64 => Ok(ElementType::F64),
        Dtype::F32 => Ok(ElementType::F32),
        Dtype::F16 => Ok(ElementType::F16),
        Dtype::BF16 => Ok(ElementType::Bf16),
        other => Err(InputError::new("tensors of this type are not read")
            .value(format!("dtype {other:?}"))
            .hint("convert with .to(torch.float32); F16, BF16, F32 and F64 are read")),
    }
}

fn decode(element: ElementType, bytes: &[u8]) -> Vec<f64> {
    match element {
        ElementType::F32 => bytes.as_chunks().0.iter().map(|&raw| f64::from(f32::from_le_bytes(raw))).collect(),
        ElementType::F16 => bytes.as_chunks().0.iter().map(|&raw| f16::from_le_bytes(raw).to_f64()).collect(),
        ElementType::Bf16 => bytes.as_chunks().0.iter().map(|&raw| bf16::from_le_bytes(raw).to_f64()).collect(),
        _ => bytes.as_chunks().0.iter().map(|&raw| f64::from_le_bytes(raw)).collect(),
    }
}
