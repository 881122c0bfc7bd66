//! The NPZ format: a zip archive with one NPY file for each array.

use std::io::{self, BufReader, Read};
use std::path::Path;

use zip::ZipArchive;
use zip::read::ZipFile;

use super::array::{Array, entry_count, shape_text};
use super::file::{OpenFile, open, pickle};
use super::format::read_error;
use super::npy::Header;
use super::rows::{decode_all, from_fortran_order};
use rankscape::error::{InputError, Result};

/// Largest size that an entry of an archive may declare, in bytes.
pub const ENTRY_LIMIT: u64 = 1 << 40;

/// How much larger than its compressed form an entry may be; the format cannot reach more.
const RATIO_LIMIT: u64 = 1100;

/// How many times the size of an archive its arrays may take in memory, in bytes of double precision.
pub const EXPANSION_LIMIT: u64 = 256;

/// What the arrays of an archive may take in memory, in bytes of double precision, however small it is.
pub const EXPANSION_FREE: u64 = 1 << 27;

/// An array of an archive, not read yet.
#[derive(Debug, Clone)]
pub(super) struct NpzEntry {
    pub(super) name: String,
    pub(super) header: Header,
}

/// An open archive.
pub(super) struct Npz {
    file: String,
    /// Bytes of the file.
    length: u64,
    /// Bytes in double precision of the arrays that were held in memory so far.
    held: u64,
    archive: ZipArchive<BufReader<OpenFile>>,
    pub(super) entries: Vec<NpzEntry>,
}

impl Npz {
    /// Opens an archive and reads the headers of its arrays.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let (file, length) = open(path)?;
        let named = |error: InputError| error.file(path.display());
        if length == 0 {
            return Err(named(InputError::new("the file is empty")));
        }
        let archive = ZipArchive::new(BufReader::new(file)).map_err(|error| {
            named(
                InputError::new(format!("this is not a readable zip archive, which an .npz file is: {error}"))
                    .hint("it may be truncated: copy or write it again"),
            )
        })?;
        let mut npz = Self { file: path.display().to_string(), length, held: 0, archive, entries: Vec::new() };
        npz.read_headers(path).map_err(named)?;
        Ok(npz)
    }

    fn read_headers(&mut self, path: &Path) -> Result<()> {
        if self.archive.has_duplicate_names() {
            return Err(
                InputError::new("two arrays of the archive have the same name").hint("rename or remove one of the two")
            );
        }
        for index in 0..self.archive.len() {
            let found = self.read_entry(index, path)?;
            self.entries.push(found);
        }
        Ok(())
    }

    fn read_entry(&mut self, index: usize, path: &Path) -> Result<NpzEntry> {
        let mut entry = self.entry(index)?;
        let stored = entry.name().map_err(|error| damaged(&error))?.into_owned();
        if stored.ends_with("data.pkl") {
            return Err(pickle(path));
        }
        let name = stored
            .strip_suffix(".npy")
            .ok_or_else(|| InputError::new("the archive holds something that is not an NPY array").value(&stored))?;
        let header = read_header(&mut entry).map_err(|error| error.array(name))?;
        Ok(NpzEntry { name: name.to_owned(), header })
    }

    fn entry(&mut self, index: usize) -> Result<ZipFile<'_, BufReader<OpenFile>>> {
        self.archive.by_index(index).map_err(|error| damaged(&error))
    }

    /// A reader at the first number of an array, which checks the checksum when the last one is read.
    pub(super) fn numbers(&mut self, index: usize) -> Result<impl Read + '_> {
        let mut entry = self.entry(index)?;
        let left = Header::read(&mut entry)?.data_bytes()?;
        let mut whole = WholeEntry { entry, left };
        if left == 0 {
            whole.check_end().map_err(|error| read_error(&error))?;
        }
        Ok(BufReader::with_capacity(1 << 16, whole))
    }

    /// To be called before all numbers of an array are held in memory: an error if that is out of proportion to the file.
    pub(super) fn hold(&mut self, index: usize) -> Result<()> {
        let shape = &self.entries[index].header.shape;
        let bytes = (entry_count(shape)? as u64).saturating_mul(8);
        self.held = self.held.saturating_add(bytes);
        let most = self.length.saturating_mul(EXPANSION_LIMIT).max(EXPANSION_FREE);
        if self.held > most {
            return Err(InputError::new("the arrays of the archive take far more memory than the file is large")
                .value(format!(
                    "shape {}: {} bytes in double precision from a file of {} bytes, at most {most} are held",
                    shape_text(shape),
                    self.held,
                    self.length
                ))
                .hint("if they are right, store them without compression: numpy.savez instead of savez_compressed"));
        }
        Ok(())
    }

    /// The NPY file of an array, as it is.
    pub(super) fn raw(&mut self, index: usize) -> Result<Vec<u8>> {
        let (name, file) = (self.entries[index].name.clone(), self.file.clone());
        let mut bytes = Vec::new();
        let read =
            self.entry(index).and_then(|mut entry| entry.read_to_end(&mut bytes).map_err(|error| read_error(&error)));
        read.map_err(|error| error.array(name).file(file))?;
        Ok(bytes)
    }

    /// Reads a whole array.
    pub(super) fn load(&mut self, index: usize) -> Result<Array> {
        let NpzEntry { name, header } = self.entries[index].clone();
        let file = self.file.clone();
        let mut load = || {
            self.hold(index)?;
            let mut numbers = self.numbers(index)?;
            array_from(&name, &header, &mut numbers)
        };
        load().map_err(|error| error.array(&name).file(file))
    }
}

/// The numbers of an entry; the archive compares its checksum where the entry ends, so the end is always read.
struct WholeEntry<R> {
    entry: R,
    left: u64,
}

impl<R: Read> WholeEntry<R> {
    fn check_end(&mut self) -> io::Result<()> {
        match self.entry.read(&mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "the entry is longer than its header says")),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(error),
            Err(error) => Err(io::Error::new(io::ErrorKind::InvalidData, format!("its checksum is wrong ({error})"))),
        }
    }
}

impl<R: Read> Read for WholeEntry<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let count = self.entry.read(&mut buffer[..most])?;
        self.left -= count as u64;
        if self.left == 0 && count > 0 {
            self.check_end()?;
        }
        Ok(count)
    }
}

fn damaged(error: &zip::result::ZipError) -> InputError {
    InputError::new(format!("the archive is damaged: {error}"))
}

/// The header of an entry, checked against the sizes that the archive declares, before anything is allocated.
fn read_header(entry: &mut ZipFile<'_, BufReader<OpenFile>>) -> Result<Header> {
    let (declared, compressed) = (entry.size(), entry.compressed_size());
    if declared > ENTRY_LIMIT || declared / RATIO_LIMIT > compressed {
        return Err(InputError::new("the archive declares a size over the limit")
            .value(format!("{declared} bytes from {compressed}"))
            .hint("the file is damaged or made to exhaust memory; write it again with numpy.savez"));
    }
    let header = Header::read(entry)?;
    let needed = header.data_bytes()?.saturating_add(header.header_bytes);
    if needed != declared {
        return Err(InputError::new("the size of the array is not what its shape needs")
            .value(format!("shape {} needs {needed} bytes, the archive holds {declared}", shape_text(&header.shape)))
            .hint("the file is damaged: write it again"));
    }
    Ok(header)
}

/// The array whose header was read, from a reader at its first number.
pub(super) fn array_from(name: &str, header: &Header, reader: &mut dyn Read) -> Result<Array> {
    let values = decode_all(reader, header.layout, &header.shape, header.fortran_order)?;
    let values = if header.fortran_order { from_fortran_order(&values, &header.shape) } else { values };
    let element = header.layout.element();
    Ok(Array { name: name.to_owned(), shape: header.shape.clone(), values, element, exact: None })
}
