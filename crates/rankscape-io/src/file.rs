//! Files: formats by extension and first bytes, readable errors.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use super::format::{Format, format_by_content, open_problem, read_error};
use super::pipe::{is_stream, kept, read_stream};
use rankscape::error::{InputError, Result};

/// The format by the extension of the name; pickles and unknown extensions are refused.
pub(super) fn format_of(path: &Path) -> Result<Format> {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default();
    if let Some(bytes) = kept(path).filter(|_| extension.is_empty()) {
        return format_by_content(&bytes).ok_or_else(|| pickle(path));
    }
    match extension.as_str() {
        "safetensors" => Ok(Format::Safetensors),
        "npz" => Ok(Format::Npz),
        "npy" => Ok(Format::Npy),
        "json" => Ok(Format::Json),
        "csv" | "tsv" => Ok(Format::Csv),
        "parquet" if cfg!(feature = "parquet") => Ok(Format::Parquet),
        "parquet" => Err(InputError::new("this build does not read Parquet")
            .hint("build it with --features parquet --profile parquet, or write the table as .csv")
            .file(path.display())),
        "pt" | "pth" | "ckpt" | "bin" | "pkl" | "pickle" => Err(pickle(path)),
        _ => Err(InputError::new("the format of the file is not known from its extension")
            .value(if extension.is_empty() { "no extension".to_owned() } else { format!(".{extension}") })
            .hint("known are .safetensors, .npz, .npy, .json, .csv and .tsv")
            .file(path.display())),
    }
}

/// An open file, a shipped example in memory, or what came through a pipe.
pub(super) enum OpenFile {
    File(File),
    Memory(io::Cursor<&'static [u8]>),
    Kept(io::Cursor<Arc<[u8]>>),
}

impl Read for OpenFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Memory(bytes) => bytes.read(buffer),
            Self::Kept(bytes) => bytes.read(buffer),
        }
    }
}

impl Seek for OpenFile {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        match self {
            Self::File(file) => file.seek(position),
            Self::Memory(bytes) => bytes.seek(position),
            Self::Kept(bytes) => bytes.seek(position),
        }
    }
}

/// The name is that of a shipped example.
pub(super) fn is_example(path: &Path) -> bool {
    path.to_str().is_some_and(|name| name.starts_with("example:"))
}

/// Opens a file to read and looks at its first bytes: a pickle under another name is refused. A name that begins with
/// `example:` is that of a shipped example.
pub(super) fn open(path: &Path) -> Result<(OpenFile, u64)> {
    if let Some(name) = path.to_str().and_then(|name| name.strip_prefix("example:")) {
        let bytes = super::examples::find(name)?;
        return Ok((OpenFile::Memory(io::Cursor::new(bytes)), bytes.len() as u64));
    }
    let named = |error: &io::Error| InputError::new(open_problem(error)).file(path.display());
    if is_stream(path) {
        let bytes = kept(path).map_or_else(|| read_stream(path), Ok)?;
        let length = bytes.len() as u64;
        return Ok((OpenFile::Kept(io::Cursor::new(bytes)), length));
    }
    let mut file = File::open(path).map_err(|error| named(&error))?;
    let metadata = file.metadata().map_err(|error| named(&error))?;
    if metadata.is_dir() {
        return Err(InputError::new("this is a directory, not a file").file(path.display()));
    }
    let mut first = [0; 2];
    let count = file.read(&mut first).map_err(|error| named(&error))?;
    if count == 2 && first[0] == 0x80 && (2..=5).contains(&first[1]) && !is_safetensors(path) {
        return Err(pickle(path));
    }
    file.rewind().map_err(|error| named(&error))?;
    Ok((OpenFile::File(file), metadata.len()))
}

fn is_safetensors(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("safetensors"))
}

/// The refusal of a pickle, with the line that converts it.
pub(super) fn pickle(path: &Path) -> InputError {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    InputError::new("this is a Python pickle; reading one would run the code inside it").file(path.display()).hint(
        format!(
            "convert it: python -c \"import torch, safetensors.torch as s; \
             s.save_file(torch.load('{name}', weights_only=True), '{stem}.safetensors')\""
        ),
    )
}

/// Reads a whole text file of at most `limit` bytes.
pub(super) fn read_limited(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let (file, length) = open(path)?;
    if length > limit {
        return Err(InputError::new("the file is too large for this format")
            .file(path.display())
            .value(format!("{length} bytes, at most {limit} are read"))
            .hint("store large arrays as .npz or .safetensors"));
    }
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes).map_err(|error| read_error(&error).file(path.display()))?;
    Ok(bytes)
}
