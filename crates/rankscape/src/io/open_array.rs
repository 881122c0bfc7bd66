//! The arrays X and Y of sample files, opened and not read yet.

use std::io::BufReader;
use std::path::Path;

use super::array::{Array, ElementType, shape_text};
use super::container::{Container, list, open_npy};
use super::file::{Format, OpenFile, format_of};
use super::npy::Header;
use super::npz::{Npz, array_from};
use super::rows::{EncodedRows, RowSource, StoredRows};
use super::samples::SampleOptions;
use crate::error::{InputError, Result};

/// An array of samples, a sample a row.
pub(super) struct OpenArray {
    pub(super) name: String,
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) element: ElementType,
    one_dimensional: bool,
    source: Source,
}

enum Source {
    Npz(Box<Npz>, usize),
    Npy(BufReader<OpenFile>, Header),
    Stored(Array),
    /// Rows that the caller has already seen.
    Elsewhere,
}

impl OpenArray {
    fn new(name: &str, shape: &[usize], element: ElementType, source: Source) -> Result<Self> {
        let (rows, cols) = match *shape {
            [rows] => (rows, 1),
            [rows, cols] => (rows, cols),
            _ => {
                return Err(InputError::new("an array of samples has two dimensions, a sample a row")
                    .array(name)
                    .value(format!("shape {}", shape_text(shape)))
                    .hint("reshape it to (samples, numbers of one sample)"));
            }
        };
        Ok(Self { name: name.to_owned(), rows, cols, element, one_dimensional: shape.len() == 1, source })
    }

    /// The columns of a table.
    pub(super) fn of_table(name: &str, cols: usize) -> Self {
        let (element, source) = (ElementType::Text, Source::Elsewhere);
        Self { name: name.to_owned(), rows: 1, cols, element, one_dimensional: false, source }
    }

    /// What the user should know of the array.
    pub(super) fn note(&self) -> Option<String> {
        let Self { name, rows, .. } = self;
        self.one_dimensional
            .then(|| format!("{name} has one dimension and is taken as a column: {rows} samples of one number"))
    }

    /// The rows are as many as the columns should be.
    pub(super) fn looks_transposed(&self, cols: usize) -> bool {
        self.rows == cols && !matches!(self.source, Source::Elsewhere)
    }

    /// `X is 10 x 4`.
    pub(super) fn text(&self) -> String {
        if matches!(self.source, Source::Elsewhere) {
            return format!("{} has {} columns", self.name, self.cols);
        }
        format!("{} is {} x {}", self.name, self.rows, self.cols)
    }

    /// The array, if it is in memory as a whole.
    pub(super) fn stored(&self) -> Option<&Array> {
        if let Source::Stored(array) = &self.source { Some(array) } else { None }
    }

    /// The rows from the first one on.
    pub(super) fn rows(&mut self) -> Result<Box<dyn RowSource + '_>> {
        let cols = self.cols;
        let loaded = match &mut self.source {
            Source::Npz(npz, index) if npz.entries[*index].header.fortran_order => Some(npz.load(*index)?),
            Source::Npy(reader, header) if header.fortran_order => {
                Some(array_from(&self.name, header, reader).map_err(|error| error.array(&self.name))?)
            }
            _ => None,
        };
        if let Some(array) = loaded {
            self.source = Source::Stored(array);
        }
        match &mut self.source {
            Source::Npz(npz, index) => {
                let layout = npz.entries[*index].header.layout;
                Ok(Box::new(EncodedRows::new(npz.numbers(*index)?, layout, cols)))
            }
            Source::Npy(reader, header) => Ok(Box::new(EncodedRows::new(reader, header.layout, cols))),
            Source::Stored(array) => Ok(Box::new(StoredRows { values: &array.values, cols })),
            Source::Elsewhere => Ok(Box::new(StoredRows { values: &[], cols })),
        }
    }
}

/// Opens X and, unless the task needs none, Y.
pub(super) fn open_arrays(
    spec: &str,
    pair: Option<(&str, &str)>,
    options: &SampleOptions,
) -> Result<(OpenArray, Option<OpenArray>)> {
    let names = [&options.names.0, &options.names.1];
    let wanted = if options.autoencoder { &names[..1] } else { &names[..] };
    let mut opened = match pair {
        Some((x, y)) => {
            let paths = [Path::new(x.trim()), Path::new(y.trim())];
            wanted.iter().zip(paths).map(|(name, path)| open_single(name, path)).collect::<Result<Vec<_>>>()?
        }
        None => open_named(Path::new(spec), wanted)?,
    }
    .into_iter();
    match opened.next() {
        Some(x) => Ok((x, opened.next())),
        None => Err(InputError::new("there are no samples")),
    }
}

/// One of two `.npy` files.
fn open_single(name: &str, path: &Path) -> Result<OpenArray> {
    if format_of(path)? != Format::Npy {
        return Err(InputError::new("two files of samples must both be .npy").file(path.display()));
    }
    let (header, reader) = open_npy(path)?;
    let (shape, element) = (header.shape.clone(), header.layout.element());
    OpenArray::new(name, &shape, element, Source::Npy(reader, header)).map_err(|error| error.file(path.display()))
}

/// Arrays of one file.
fn open_named(path: &Path, names: &[&String]) -> Result<Vec<OpenArray>> {
    match format_of(path)? {
        Format::Npz => names.iter().map(|name| open_in_archive(name, path)).collect(),
        Format::Npy if names.len() == 1 => Ok(vec![open_single(names[0], path)?]),
        Format::Npy => Err(InputError::new("an .npy file holds one array; inputs and outputs are needed")
            .hint("give both: --data X.npy,Y.npy, or say --task autoencoder")),
        _ => {
            let mut container = Container::open(path, names[0])?;
            let known: Vec<String> = container.entries().into_iter().map(|entry| entry.name).collect();
            let open = |name: &&String| {
                if !known.contains(name) {
                    return Err(missing(name, &known));
                }
                let array = container.load(name, path)?;
                OpenArray::new(name, &array.shape.clone(), array.element, Source::Stored(array))
            };
            names.iter().map(open).collect()
        }
    }
}

/// Each array has its own view of the archive, so X and Y can be read side by side.
fn open_in_archive(name: &str, path: &Path) -> Result<OpenArray> {
    let npz = Npz::open(path)?;
    let known: Vec<String> = npz.entries.iter().map(|entry| entry.name.clone()).collect();
    let index = known.iter().position(|known| known == name).ok_or_else(|| missing(name, &known))?;
    let header = &npz.entries[index].header;
    let (shape, element) = (header.shape.clone(), header.layout.element());
    OpenArray::new(name, &shape, element, Source::Npz(Box::new(npz), index))
}

fn missing(name: &str, known: &[String]) -> InputError {
    InputError::new(format!("the file has no array {name}")).array(name).hint(format!(
        "the file holds {}; samples are arrays X and Y with a sample a row (--task autoencoder needs X only)",
        list(known)
    ))
}
