//! Sample files: inputs and outputs pass by in blocks and leave a triangular factor, a digest and, where small, exact
//! values.

use std::path::{Path, PathBuf};

use super::array::{Array, ElementType, shape_text};
use super::container::{Container, list, open_npy};
use super::csv::Table;
use super::digest::{ArrayDigest, array_digest, combined_digest};
use super::file::{Format, format_of};
use super::npz::Npz;
use super::rows::{EncodedRows, RowSource, StoredRows};
use super::target::read_array;
use crate::data::{SampleAccumulator, SampleFactor};
use crate::error::{InputError, Result};
use crate::linalg::exact::RationalMatrix;

/// Exact values of the data are kept up to this many entries of X and Y together; beyond, results are certified or
/// numerical.
pub const EXACT_ENTRIES_LIMIT: usize = 1 << 16;

/// Most columns that X and Y may have together: the factor has the square of their number of entries.
const COLUMNS_LIMIT: usize = 1 << 15;

/// Numbers that are read at a time.
const PORTION: usize = 1 << 17;

/// How samples are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleOptions {
    /// Inputs and outputs of the network, to check the data against.
    pub expected: Option<(usize, usize)>,
    /// Take Y = X; outputs in the file are ignored.
    pub autoencoder: bool,
    /// The first so many columns of a table are inputs, the others outputs.
    pub inputs: Option<usize>,
    /// A file with one weight for each sample.
    pub sample_weights: Option<PathBuf>,
    /// Threads that factor the blocks.
    pub threads: usize,
    /// Names of the arrays in the file.
    pub names: (String, String),
}

impl Default for SampleOptions {
    fn default() -> Self {
        Self {
            expected: None,
            autoencoder: false,
            inputs: None,
            sample_weights: None,
            threads: 1,
            names: ("X".to_owned(), "Y".to_owned()),
        }
    }
}

/// Data as the rest of the library uses them.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// The triangular factor of `[1, x', y']`.
    pub factor: SampleFactor,
    /// X and Y with samples as rows, where every number is an integer or a fraction in JSON, there are no sample
    /// weights, and the entries are at most [`EXACT_ENTRIES_LIMIT`].
    pub exact: Option<(RationalMatrix, RationalMatrix)>,
    /// What the reader decided and the user should know.
    pub notes: Vec<String>,
    /// Unit roundoff of the shortest type among the arrays.
    pub unit_roundoff: f64,
    /// SHA-256 over shapes and values, the same whatever the format of the file.
    pub digest: String,
}

/// Reads samples, a row each: `FILE` (`.npz`, `.safetensors` or `.json` with arrays X and Y, or `.csv`), or
/// `X.npy,Y.npy`.
///
/// C-ordered arrays and tables are streamed: memory is bounded by the blocks of the factorization, whatever the number of
/// samples. Fortran-ordered arrays, `.json` and `.safetensors` are read as a whole.
///
/// # Errors
/// With file, array, the number that is wrong and the remedy.
pub fn read_samples(spec: &str, options: &SampleOptions) -> Result<Samples> {
    let pair = spec.split_once(',').filter(|_| !Path::new(spec).exists());
    let result = match pair {
        Some((x, y)) => read_pair(Path::new(x.trim()), Path::new(y.trim()), options),
        None => match format_of(Path::new(spec))? {
            Format::Npz => read_npz(Path::new(spec), options),
            Format::Csv => read_table(Path::new(spec), options),
            Format::Npy if options.autoencoder => read_pair(Path::new(spec), Path::new(spec), options),
            Format::Npy => Err(InputError::new("an .npy file holds one array; inputs and outputs are needed")
                .hint("give both: --data X.npy,Y.npy, or say --task autoencoder")),
            Format::Json | Format::Safetensors => read_stored(Path::new(spec), options),
        },
    };
    result.map_err(|error| error.file(spec))
}

/// An array of samples before its rows are read.
#[derive(Debug, Clone)]
struct Shape {
    name: String,
    rows: usize,
    cols: usize,
    element: ElementType,
}

impl Shape {
    fn new(name: &str, shape: &[usize], element: ElementType, notes: &mut Vec<String>) -> Result<Self> {
        let (rows, cols) = match *shape {
            [rows] => {
                notes.push(format!("{name} has one dimension and is taken as a column: {rows} samples of one number"));
                (rows, 1)
            }
            [rows, cols] => (rows, cols),
            _ => {
                return Err(InputError::new("an array of samples has two dimensions, a sample a row")
                    .array(name)
                    .value(format!("shape {}", shape_text(shape)))
                    .hint("reshape it to (samples, numbers of one sample)"));
            }
        };
        Ok(Self { name: name.to_owned(), rows, cols, element })
    }

    fn text(&self) -> String {
        format!("{} is {} x {}", self.name, self.rows, self.cols)
    }
}

fn read_npz(path: &Path, options: &SampleOptions) -> Result<Samples> {
    let (mut x_file, mut y_file) = (Npz::open(path)?, Npz::open(path)?);
    let names: Vec<String> = x_file.entries.iter().map(|entry| entry.name.clone()).collect();
    let find = |name: &String| names.iter().position(|known| known == name).ok_or_else(|| missing(name, &names));
    let mut notes = Vec::new();
    let x_index = find(&options.names.0)?;
    let x_header = x_file.entries[x_index].header.clone();
    let x = Shape::new(&options.names.0, &x_header.shape, x_header.layout.element(), &mut notes)?;
    if options.autoencoder {
        check(&x, None, options)?;
        if x_header.fortran_order {
            return feed(&x, &mut StoredRows::new(x_file.load(x_index)?, x.cols), None, options, notes);
        }
        let mut numbers = x_file.numbers(x_index)?;
        return feed(&x, &mut EncodedRows::new(&mut numbers, x_header.layout, x.cols), None, options, notes);
    }
    let y_index = find(&options.names.1)?;
    let y_header = y_file.entries[y_index].header.clone();
    let y = Shape::new(&options.names.1, &y_header.shape, y_header.layout.element(), &mut notes)?;
    check(&x, Some(&y), options)?;
    if x_header.fortran_order || y_header.fortran_order {
        let mut x_rows = StoredRows::new(x_file.load(x_index)?, x.cols);
        let mut y_rows = StoredRows::new(y_file.load(y_index)?, y.cols);
        return feed(&x, &mut x_rows, Some((&y, &mut y_rows)), options, notes);
    }
    let (mut x_numbers, mut y_numbers) = (x_file.numbers(x_index)?, y_file.numbers(y_index)?);
    let mut x_rows = EncodedRows::new(&mut x_numbers, x_header.layout, x.cols);
    let mut y_rows = EncodedRows::new(&mut y_numbers, y_header.layout, y.cols);
    feed(&x, &mut x_rows, Some((&y, &mut y_rows)), options, notes)
}

fn missing(name: &str, names: &[String]) -> InputError {
    InputError::new(format!("the file has no array {name}")).array(name).hint(format!(
        "the file holds {}; samples are arrays X (a row for each sample) and Y (or --task autoencoder)",
        list(names)
    ))
}

fn read_pair(x_path: &Path, y_path: &Path, options: &SampleOptions) -> Result<Samples> {
    for path in [x_path, y_path] {
        if format_of(path)? != Format::Npy {
            return Err(InputError::new("two files of samples must both be .npy").file(path.display()));
        }
    }
    let mut notes = Vec::new();
    let (x_header, mut x_numbers) = open_npy(x_path)?;
    let x = Shape::new("X", &x_header.shape, x_header.layout.element(), &mut notes)
        .map_err(|error| error.file(x_path.display()))?;
    if options.autoencoder {
        check(&x, None, options)?;
        if x_header.fortran_order {
            return feed(&x, &mut StoredRows::new(read_array(x_path, "X")?, x.cols), None, options, notes);
        }
        return feed(&x, &mut EncodedRows::new(&mut x_numbers, x_header.layout, x.cols), None, options, notes);
    }
    let (y_header, mut y_numbers) = open_npy(y_path)?;
    let y = Shape::new("Y", &y_header.shape, y_header.layout.element(), &mut notes)
        .map_err(|error| error.file(y_path.display()))?;
    check(&x, Some(&y), options)?;
    if x_header.fortran_order || y_header.fortran_order {
        let mut x_rows = StoredRows::new(read_array(x_path, "X")?, x.cols);
        let mut y_rows = StoredRows::new(read_array(y_path, "Y")?, y.cols);
        return feed(&x, &mut x_rows, Some((&y, &mut y_rows)), options, notes);
    }
    let mut x_rows = EncodedRows::new(&mut x_numbers, x_header.layout, x.cols);
    let mut y_rows = EncodedRows::new(&mut y_numbers, y_header.layout, y.cols);
    feed(&x, &mut x_rows, Some((&y, &mut y_rows)), options, notes)
}

/// Formats that are in memory as a whole, the only ones that can be exact.
fn read_stored(path: &Path, options: &SampleOptions) -> Result<Samples> {
    let mut container = Container::open(path, &options.names.0)?;
    let names: Vec<String> = container.entries().into_iter().map(|entry| entry.name).collect();
    let mut notes = Vec::new();
    let mut load = |name: &String| {
        if !names.contains(name) {
            return Err(missing(name, &names));
        }
        let array = container.load(name, path)?;
        let shape = Shape::new(name, &array.shape, array.element, &mut notes)?;
        Ok((array, shape))
    };
    let (x_array, x) = load(&options.names.0)?;
    let y_loaded = if options.autoencoder { None } else { Some(load(&options.names.1)?) };
    check(&x, y_loaded.as_ref().map(|(_, shape)| shape), options)?;
    let exact = exact_samples(&x_array, y_loaded.as_ref().map_or(&x_array, |(array, _)| array), options, &mut notes)?;
    let digest = exact.is_some().then(|| {
        let y_digest = y_loaded.as_ref().map(|(array, _)| array_digest(array, true));
        digest_of(array_digest(&x_array, true), y_digest, None)
    });
    let mut x_rows = StoredRows::new(x_array, x.cols);
    let mut samples = match y_loaded {
        None => feed(&x, &mut x_rows, None, options, notes)?,
        Some((array, y)) => {
            let mut y_rows = StoredRows::new(array, y.cols);
            feed(&x, &mut x_rows, Some((&y, &mut y_rows)), options, notes)?
        }
    };
    samples.exact = exact;
    samples.digest = digest.unwrap_or(samples.digest);
    Ok(samples)
}

fn exact_samples(
    x: &Array,
    y: &Array,
    options: &SampleOptions,
    notes: &mut Vec<String>,
) -> Result<Option<(RationalMatrix, RationalMatrix)>> {
    let (Some(x_exact), Some(y_exact)) = (&x.exact, &y.exact) else { return Ok(None) };
    if options.sample_weights.is_some() {
        notes.push("the data are exact, but sample weights make them floating point".to_owned());
        return Ok(None);
    }
    let entries = x_exact.len() + y_exact.len();
    if entries > EXACT_ENTRIES_LIMIT {
        notes.push(format!("the data are exact, but {entries} entries are over the limit of {EXACT_ENTRIES_LIMIT}"));
        return Ok(None);
    }
    Ok(x.to_rational()?.zip(y.to_rational()?))
}

/// An error unless the arrays belong together and fit the network.
fn check(x: &Shape, y: Option<&Shape>, options: &SampleOptions) -> Result<()> {
    if x.rows == 0 || y.is_some_and(|y| y.rows == 0) {
        return Err(InputError::new("there are no samples").array(&x.name).value(x.text()));
    }
    if x.cols == 0 || y.is_some_and(|y| y.cols == 0) {
        return Err(InputError::new("the samples have no numbers").array(&x.name).value(both(x, y)));
    }
    if let Some(y) = y.filter(|y| y.rows != x.rows) {
        let error = InputError::new("X and Y have different numbers of samples").array(&y.name).value(both(x, Some(y)));
        return Err(if x.cols == y.cols {
            error.hint("a sample is a row: transpose X and Y")
        } else {
            error.hint("a sample is a row, in X and in Y")
        });
    }
    check_widths(x, y, options)?;
    let cols = x.cols + y.map_or(0, |y| y.cols);
    if cols > COLUMNS_LIMIT {
        return Err(InputError::new("the samples have too many numbers each")
            .array(&x.name)
            .value(format!("{}; at most {COLUMNS_LIMIT} columns together", both(x, y)))
            .hint("a sample is a row: are the arrays transposed?"));
    }
    Ok(())
}

fn check_widths(x: &Shape, y: Option<&Shape>, options: &SampleOptions) -> Result<()> {
    let Some((inputs, outputs)) = options.expected else { return Ok(()) };
    let fit = |shape: &Shape, wanted: usize, what: &str| {
        if shape.cols == wanted {
            return Ok(());
        }
        let error = InputError::new(format!("the data do not fit the network, which has {wanted} {what}"))
            .array(&shape.name)
            .value(shape.text());
        Err(if shape.rows == wanted {
            error.hint(format!("a sample is a row: transpose {}", shape.name))
        } else {
            error.hint("check that data and weights belong together, and the order of the layers")
        })
    };
    fit(x, inputs, "inputs")?;
    match y {
        Some(y) => fit(y, outputs, "outputs"),
        None if inputs == outputs => Ok(()),
        None => Err(InputError::new("an autoencoder has as many outputs as inputs")
            .value(format!("{inputs} inputs, {outputs} outputs"))
            .hint("leave out --task autoencoder and give Y")),
    }
}

fn both(x: &Shape, y: Option<&Shape>) -> String {
    y.map_or_else(|| x.text(), |y| format!("{}, {}", x.text(), y.text()))
}

/// Lets all rows pass into the factor and the digest.
fn feed(
    x: &Shape,
    x_rows: &mut dyn RowSource,
    mut y: Option<(&Shape, &mut dyn RowSource)>,
    options: &SampleOptions,
    notes: Vec<String>,
) -> Result<Samples> {
    let y_cols = y.as_ref().map_or(0, |(shape, _)| shape.cols);
    let weights = sample_weights(options, x.rows)?;
    let mut accumulator = SampleAccumulator::new(x.cols, y_cols).with_threads(options.threads);
    let (mut x_digest, mut y_digest) = (ArrayDigest::new(), ArrayDigest::new());
    let (mut x_part, mut y_part) = (Vec::new(), Vec::new());
    let portion = (PORTION / (x.cols + y_cols)).clamp(1, 4096);
    for from in (0..x.rows).step_by(portion) {
        let count = portion.min(x.rows - from);
        x_rows.next_rows(count, &mut x_part).map_err(|error| error.array(&x.name))?;
        if let Some((shape, rows)) = &mut y {
            rows.next_rows(count, &mut y_part).map_err(|error| error.array(&shape.name))?;
        }
        let part = weights.as_ref().map(|weights| &weights.values[from..from + count]);
        accumulator.push(&x_part, &y_part, part)?;
        x_digest.numbers(&x_part);
        y_digest.numbers(&y_part);
    }
    let factor = accumulator.finish()?;
    let shape = |cols: usize| [x.rows as u64, cols as u64];
    let element = y.as_ref().map_or(x.element, |(shape, _)| shape.element);
    Ok(Samples {
        factor: if y.is_some() { factor } else { factor.with_outputs_equal_to_inputs() },
        exact: None,
        notes,
        unit_roundoff: x.element.unit_roundoff().max(element.unit_roundoff()),
        digest: digest_of(
            x_digest.finish(&shape(x.cols)),
            y.is_some().then(|| y_digest.finish(&shape(y_cols))),
            weights.as_ref(),
        ),
    })
}

/// Y = X has the digest of X twice.
fn digest_of(x: [u8; 32], y: Option<[u8; 32]>, weights: Option<&Array>) -> String {
    let mut parts = vec![x, y.unwrap_or(x)];
    parts.extend(weights.map(|weights| array_digest(weights, false)));
    combined_digest("samples", &parts)
}

fn sample_weights(options: &SampleOptions, samples: usize) -> Result<Option<Array>> {
    let Some(path) = &options.sample_weights else { return Ok(None) };
    let mut array = read_array(path, "weights")?;
    let count = array.values.len();
    if count != samples || array.shape.iter().filter(|&&size| size != 1).count() > 1 {
        return Err(InputError::new("there must be one weight for each sample")
            .file(path.display())
            .array(&array.name)
            .value(format!("shape {}, {samples} samples", shape_text(&array.shape))));
    }
    if let Some(at) = array.values.iter().position(|&weight| weight < 0.0) {
        return Err(InputError::new("a sample weight must not be negative")
            .file(path.display())
            .array(&array.name)
            .value(format!("{} for sample {at}, counted from 0", array.values[at])));
    }
    array.shape = vec![count];
    Ok(Some(array))
}

/// A table has no size that is known before its end.
fn read_table(path: &Path, options: &SampleOptions) -> Result<Samples> {
    let mut table = Table::open(path)?;
    let columns = table.columns(options.inputs, options.autoencoder)?;
    let outputs = if options.autoencoder { &[] } else { columns.outputs.as_slice() };
    if outputs.is_empty() && !options.autoencoder {
        return Err(InputError::new("the table has no output columns")
            .hint("name them y1, y2, ..., or say --inputs N with N less than the number of columns"));
    }
    let weights = options.sample_weights.as_ref().map(|path| read_array(path, "weights")).transpose()?;
    let shape = |name: &str, cols: usize| Shape { name: name.to_owned(), rows: 1, cols, element: ElementType::Text };
    let (x, y) = (shape("X", columns.inputs.len()), shape("Y", outputs.len()));
    check(&x, (!options.autoencoder).then_some(&y), options)?;
    let mut accumulator = SampleAccumulator::new(x.cols, y.cols).with_threads(options.threads);
    let (mut x_digest, mut y_digest) = (ArrayDigest::new(), ArrayDigest::new());
    let (mut row, mut rows) = (Vec::new(), 0_usize);
    while table.next_row(&mut row)? {
        let pick = |columns: &[usize]| columns.iter().map(|&at| row[at]).collect::<Vec<f64>>();
        let (inputs, outputs) = (pick(&columns.inputs), pick(outputs));
        let weight =
            weights.as_ref().map(|weights| weights.values.get(rows).copied().into_iter().collect::<Vec<f64>>());
        accumulator.push(&inputs, &outputs, weight.as_deref())?;
        x_digest.numbers(&inputs);
        y_digest.numbers(&outputs);
        rows += 1;
    }
    if rows == 0 {
        return Err(InputError::new("there are no samples").hint("the table has a header and no rows"));
    }
    let weights = sample_weights(options, rows)?;
    let factor = accumulator.finish()?;
    let shape = |cols: usize| [rows as u64, cols as u64];
    Ok(Samples {
        factor: if options.autoencoder { factor.with_outputs_equal_to_inputs() } else { factor },
        exact: None,
        notes: Vec::new(),
        unit_roundoff: ElementType::Text.unit_roundoff(),
        digest: digest_of(
            x_digest.finish(&shape(x.cols)),
            (!options.autoencoder).then(|| y_digest.finish(&shape(y.cols))),
            weights.as_ref(),
        ),
    })
}
