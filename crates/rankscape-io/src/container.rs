//! A file with named arrays, whatever its format; arrays are read only when asked for.

use std::path::Path;

use super::array::Array;
use super::file::{OpenFile, format_of, open};
use super::format::Format;
use super::npy::Header;
use super::npz::{Npz, array_from};
use super::safetensors::Safetensors;
use super::{csv, json};
use rankscape::error::{InputError, Result};

/// Name and shape of an array that is not read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
}

impl Entry {
    pub(super) fn new(name: &str, shape: &[usize]) -> Self {
        Self { name: name.to_owned(), shape: shape.to_vec() }
    }
}

/// An open file with named arrays.
pub(super) enum Container {
    Npz(Npz),
    Safetensors(Safetensors),
    Memory(Vec<Array>),
}

impl Container {
    /// Opens a file; `name` is the name of an array that has none in the file.
    pub(super) fn open(path: &Path, name: &str) -> Result<Self> {
        Self::open_with(path, name, false)
    }

    /// Likewise; with `gaps`, entries that are missing are NaN.
    pub(super) fn open_with(path: &Path, name: &str, gaps: bool) -> Result<Self> {
        Ok(match format_of(path)? {
            Format::Npz => Self::Npz(Npz::open(path)?),
            Format::Safetensors => Self::Safetensors(Safetensors::open(path)?),
            Format::Json => Self::Memory(json::read_bare_or_named(path, name, gaps)?),
            Format::Npy => Self::Memory(vec![read_npy(path, name)?]),
            Format::Csv => Self::Memory(vec![csv::read_matrix(path, name, gaps)?]),
            Format::Parquet => {
                return Err(InputError::new("only samples are read from Parquet")
                    .hint("write a matrix as .npy, .csv or .json")
                    .file(path.display()));
            }
        })
    }

    /// What the file holds, in its order.
    pub(super) fn entries(&self) -> Vec<Entry> {
        match self {
            Self::Npz(npz) => npz.entries.iter().map(|entry| Entry::new(&entry.name, &entry.header.shape)).collect(),
            Self::Safetensors(file) => file.entries.iter().map(|(name, info)| Entry::new(name, &info.shape)).collect(),
            Self::Memory(arrays) => arrays.iter().map(|array| Entry::new(&array.name, &array.shape)).collect(),
        }
    }

    fn position(&self, name: &str) -> Option<usize> {
        match self {
            Self::Npz(npz) => npz.entries.iter().position(|entry| entry.name == name),
            Self::Safetensors(file) => file.entries.iter().position(|(known, _)| known == name),
            Self::Memory(arrays) => arrays.iter().position(|array| array.name == name),
        }
    }

    /// Reads the array of this name, all of it, and checks that it is finite.
    pub(super) fn load(&mut self, name: &str, path: &Path) -> Result<Array> {
        let array = self.load_with_gaps(name, path)?;
        array.check_finite().map_err(|error| error.file(path.display()))?;
        Ok(array)
    }

    /// Reads the array of this name, all of it, as it is.
    pub(super) fn load_with_gaps(&mut self, name: &str, path: &Path) -> Result<Array> {
        let index = self.position(name).ok_or_else(|| {
            let names: Vec<String> = self.entries().into_iter().map(|entry| entry.name).collect();
            InputError::new("there is no array of this name")
                .array(name)
                .hint(format!("the file holds {}", list(&names)))
                .file(path.display())
        })?;
        Ok(match self {
            Self::Npz(npz) => npz.load(index)?,
            Self::Safetensors(file) => file.load_numbers(index)?,
            Self::Memory(arrays) => arrays[index].clone(),
        })
    }
}

/// Names in a message: the first few, and how many more.
pub(super) fn list(names: &[String]) -> String {
    match names {
        [] => "no arrays".to_owned(),
        _ if names.len() <= 12 => names.join(", "),
        _ => format!("{} and {} more", names[..12].join(", "), names.len() - 12),
    }
}

/// Opens an NPY file; the reader is at the first number.
pub(super) fn open_npy(path: &Path) -> Result<(Header, std::io::BufReader<OpenFile>)> {
    let (file, length) = open(path)?;
    let mut reader = std::io::BufReader::with_capacity(1 << 16, file);
    let check = |reader: &mut std::io::BufReader<OpenFile>| {
        let header = Header::read(reader)?;
        let needed = header.data_bytes()?.saturating_add(header.header_bytes);
        if needed > length {
            return Err(InputError::new("the file ends too early")
                .value(format!("{length} bytes, its header needs {needed}"))
                .hint("it is truncated: copy or write it again"));
        }
        Ok(header)
    };
    let header = check(&mut reader).map_err(|error| error.file(path.display()))?;
    Ok((header, reader))
}

fn read_npy(path: &Path, name: &str) -> Result<Array> {
    let (header, mut reader) = open_npy(path)?;
    array_from(name, &header, &mut reader).map_err(|error| error.file(path.display()))
}
