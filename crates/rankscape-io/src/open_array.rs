//! The arrays X and Y of sample files, opened and not read yet.

use std::io::BufReader;
use std::path::Path;

use super::array::{Array, ElementType, shape_text};
use super::array_names::{choose, is_output};
use super::container::{Container, open_npy};
use super::file::{OpenFile, format_of, is_example};
use super::format::Format;
use super::labels::{LabelRows, classes, one_hot};
use super::npy::Header;
use super::npz::{Npz, array_from};
use super::rows::{EncodedRows, RowSource, StoredRows};
use super::sample_options::{EXACT_ENTRIES_LIMIT, Outputs, SampleOptions, with_plan};
use rankscape::error::{InputError, Result};
use rankscape::linalg::exact::Rational;

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
    /// Labels that stand for one column for each class.
    Labels(Vec<f64>),
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

    /// It holds whole numbers, in one column.
    pub(super) fn looks_like_labels(&self) -> bool {
        let whole = |array: &Array| array.exact.as_ref().is_some_and(|exact| exact.iter().all(Rational::is_integer));
        self.cols == 1 && (self.element == ElementType::Integer || self.stored().is_some_and(whole))
    }

    /// One column for each class in place of labels; exact where the labels are and the entries are few.
    pub(super) fn one_hot(mut self, outputs: Option<usize>) -> Result<Self> {
        if self.cols != 1 {
            return Err(InputError::new("--one-hot needs labels: one whole number a sample")
                .array(&self.name)
                .value(self.text()));
        }
        let (mut labels, count, name) = (Vec::new(), self.rows, self.name.clone());
        let held = if let Source::Npz(npz, index) = &mut self.source { npz.hold(*index) } else { Ok(()) };
        let read = held.and_then(|()| self.rows()?.next_rows(count, &mut labels));
        read.map_err(|error| error.array(&name))?;
        let cols = classes(&labels, &self.name, outputs)?;
        let small = labels.len().saturating_mul(cols) <= EXACT_ENTRIES_LIMIT;
        let exactly = self.stored().is_some_and(|array| array.exact.is_some());
        let source =
            if small { Source::Stored(one_hot(&labels, &self.name, cols, exactly)) } else { Source::Labels(labels) };
        Ok(Self { cols, element: ElementType::Integer, one_dimensional: false, source, ..self })
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
            Source::Labels(labels) => Ok(Box::new(LabelRows { labels: labels.as_slice(), classes: cols })),
            Source::Elsewhere => Ok(Box::new(StoredRows { values: &[], cols })),
        }
    }
}

/// X, and Y unless the task needs none, with notes.
pub(super) struct Opened {
    pub(super) x: OpenArray,
    pub(super) y: Option<OpenArray>,
    pub(super) notes: Vec<String>,
}

/// Opens X and, unless the task needs none, Y.
pub(super) fn open_arrays(spec: &str, pair: Option<(&str, &str)>, options: &SampleOptions) -> Result<Opened> {
    let mut opened = match pair {
        Some((x, y)) => {
            let x = open_single("X", Path::new(x.trim()))?;
            let y = (!options.autoencoder).then(|| open_single("Y", Path::new(y.trim()))).transpose()?;
            Opened { x, y, notes: Vec::new() }
        }
        None => open_named(Path::new(spec), options)?,
    };
    if options.one_hot {
        let outputs = options.expected.map(|(_, outputs)| outputs);
        if let Some(labels) = opened.y.take() {
            let y = labels.one_hot(outputs)?;
            opened.notes.push(format!("{} has labels: one column for each of {} classes", y.name, y.cols));
            opened.y = Some(y);
        }
    }
    Ok(opened)
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
fn open_named(path: &Path, options: &SampleOptions) -> Result<Opened> {
    let format = format_of(path)?;
    match format {
        Format::Npy if options.autoencoder => {
            return Ok(Opened { x: open_single("X", path)?, y: None, notes: Vec::new() });
        }
        Format::Npy => {
            return Err(InputError::new("an .npy file holds one array; inputs and outputs are needed")
                .hint("give both: --data X.npy,Y.npy, or say --task autoencoder"));
        }
        _ => {}
    }
    let told = |error: InputError| {
        let in_outputs = error.array.as_deref().is_some_and(|name| is_output(name, options));
        with_plan(error, in_outputs, options.outputs)
    };
    let gaps = options.outputs == Outputs::WithGaps;
    let mut container = Container::open_with(path, "X", gaps).map_err(told)?;
    let weights_here = options.sample_weights.as_deref() == Some(path);
    let chosen = choose(&container.entries(), options, weights_here)?;
    let mut open = |name: &String| match format {
        Format::Npz => open_in_archive(name, path),
        _ => {
            let load = if gaps { Container::load_with_gaps } else { Container::load };
            let array = load(&mut container, name, path).map_err(told)?;
            OpenArray::new(name, &array.shape.clone(), array.element, Source::Stored(array))
        }
    };
    let x = open(&chosen.x)?;
    let y = chosen.y.as_ref().map(open).transpose()?;
    // What the shipped examples hold beside X and Y is no news.
    let notes = if is_example(path) { Vec::new() } else { chosen.notes };
    Ok(Opened { x, y, notes })
}

/// Each array has its own view of the archive, so X and Y can be read side by side.
fn open_in_archive(name: &str, path: &Path) -> Result<OpenArray> {
    let npz = Npz::open(path)?;
    let index = npz.entries.iter().position(|entry| entry.name == name);
    let index = index.ok_or_else(|| InputError::new("there is no array of this name").array(name))?;
    let header = &npz.entries[index].header;
    let (shape, element) = (header.shape.clone(), header.layout.element());
    OpenArray::new(name, &shape, element, Source::Npz(Box::new(npz), index))
}
