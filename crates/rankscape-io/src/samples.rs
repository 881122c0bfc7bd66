//! Sample files: inputs and outputs pass by in portions and leave a triangular factor, a digest and, where small, exact
//! values.

use std::path::{Path, PathBuf};

use super::array::Array;
use super::digest::array_digest;
use super::file::{Format, format_of, keep};
use super::intake::{Intake, digest_of, read_weights_of_samples};
use super::open_array::{OpenArray, Opened, open_arrays};
use super::table::read_table;
use rankscape::data::SampleFactor;
use rankscape::error::{InputError, Result};
use rankscape::linalg::exact::RationalMatrix;
use rankscape::problem::{Data, ExactSamples};

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
    /// Name of the array with the inputs, or of the columns, separated by commas; by default by their names.
    pub x: Option<String>,
    /// Likewise for the outputs.
    pub y: Option<String>,
    /// Y has labels 0, 1, ...: one column for each class in its place.
    pub one_hot: bool,
}

impl Default for SampleOptions {
    fn default() -> Self {
        Self {
            expected: None,
            autoencoder: false,
            inputs: None,
            sample_weights: None,
            threads: 1,
            x: None,
            y: None,
            one_hot: false,
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

impl Samples {
    /// The data, for a [`Problem`](rankscape::problem::Problem).
    ///
    /// # Errors
    /// As [`ExactSamples::new`]: none for samples that were read.
    pub fn into_data(self) -> Result<Data> {
        match self.exact {
            Some((x, _)) if self.factor.is_mirrored() => {
                Ok(Data::ExactSamples(Box::new(ExactSamples::autoencoder(x)?)))
            }
            Some((x, y)) => Ok(Data::ExactSamples(Box::new(ExactSamples::new(x, y)?))),
            None => Ok(Data::from(self.factor)),
        }
    }
}

/// Reads samples, a row each: `FILE` (`.npz`, `.safetensors` or `.json` with arrays X and Y, `.csv`, or `.parquet`
/// with the feature of that name), or `X.npy,Y.npy`.
///
/// C-ordered arrays of `.npz` and `.npy` files and tables are streamed: memory is bounded by the blocks of the
/// factorization, whatever the number of samples. Fortran-ordered arrays, `.json` and `.safetensors` are read as a
/// whole.
///
/// # Errors
/// With file, array, the number that is wrong and the remedy.
pub fn read_samples(spec: &str, options: &SampleOptions) -> Result<Samples> {
    let pair = spec.split_once(',').filter(|_| !Path::new(spec).exists());
    let read = || {
        let paths = pair.map_or_else(|| vec![spec], |(x, y)| vec![x.trim(), y.trim()]);
        let _kept = paths.into_iter().map(|path| keep(Path::new(path))).collect::<Result<Vec<_>>>()?;
        check_options(pair, options)?;
        if pair.is_none() {
            let format = format_of(Path::new(spec))?;
            if matches!(format, Format::Csv | Format::Parquet) {
                return read_table(Path::new(spec), format, options);
            }
        }
        let Opened { x, y, notes } = open_arrays(spec, pair, options)?;
        check(&x, y.as_ref(), options)?;
        read_arrays(x, y, notes, options)
    };
    read().map_err(|error: InputError| error.file(spec))
}

/// What to do about an entry of Y that was not observed.
const PLAN: &str = "an entry that was not observed has weight 0 in a weighted loss, once those are read: \
                    until then leave its sample out";

/// The error about samples, with what to do where a number of Y is missing.
pub(super) fn with_plan(error: InputError, in_outputs: bool) -> InputError {
    let is_missing = ["finite number", "missing", "null"]
        .iter()
        .any(|word| error.problem.contains(word) || error.value.as_ref().is_some_and(|value| value.starts_with(word)));
    if in_outputs && is_missing { InputError { hint: Some(PLAN.to_owned()), ..error } } else { error }
}

/// Options that would do nothing are refused.
fn check_options(pair: Option<(&str, &str)>, options: &SampleOptions) -> Result<()> {
    let idle = |option: &str, why: &str| Err(InputError::new(format!("{option} does nothing here: {why}")));
    if pair.is_some() && (options.x.is_some() || options.y.is_some()) {
        return idle("--x or --y", "each of the two files holds one array");
    }
    if options.autoencoder && (options.y.is_some() || options.one_hot) {
        return idle("--y or --one-hot", "--task autoencoder takes Y = X");
    }
    if options.inputs.is_some() && (options.x.is_some() || options.y.is_some()) {
        return idle("--inputs", "--x or --y names the columns");
    }
    Ok(())
}

fn read_arrays(
    mut x: OpenArray,
    mut y: Option<OpenArray>,
    mut notes: Vec<String>,
    options: &SampleOptions,
) -> Result<Samples> {
    if options.inputs.is_some() {
        return Err(InputError::new("--inputs does nothing here: the file has arrays and not columns of a table")
            .hint("say which arrays are inputs and outputs with --x NAME --y NAME"));
    }
    notes.extend([Some(&x), y.as_ref()].into_iter().flatten().filter_map(OpenArray::note));
    let names = (x.name.clone(), y.as_ref().map_or_else(String::new, |y| y.name.clone()));
    let weights = read_weights_of_samples(options)?;
    let exact = exact_samples(&x, y.as_ref(), options, &mut notes)?;
    if exact.is_none() {
        [Some(&x), y.as_ref()]
            .into_iter()
            .flatten()
            .filter_map(OpenArray::stored)
            .try_for_each(Array::check_integers)?;
    }
    let exact_digest = exact.is_some().then(|| {
        let digest = |array: &Array| array_digest(array, true);
        digest_of(x.stored().map(digest).unwrap_or_default(), y.as_ref().and_then(OpenArray::stored).map(digest), None)
    });
    let element = y.as_ref().map_or(x.element, |y| y.element);
    let types = [x.element, element];
    let unit_roundoff = x.element.unit_roundoff().max(element.unit_roundoff());
    let (samples, x_cols, y_cols) = (x.rows, x.cols, y.as_ref().map_or(0, |y| y.cols));
    let mut intake = Intake::new(x_cols, y_cols, weights, options);
    let portion = (PORTION / (x_cols + y_cols)).clamp(1, 4096);
    {
        let mut x_rows = x.rows()?;
        let mut y_rows = y.as_mut().map(OpenArray::rows).transpose()?;
        let (mut x_part, mut y_part) = (Vec::new(), Vec::new());
        for from in (0..samples).step_by(portion) {
            let count = portion.min(samples - from);
            x_rows.next_rows(count, &mut x_part).map_err(|error| error.array(&names.0))?;
            if let Some(rows) = &mut y_rows {
                rows.next_rows(count, &mut y_part).map_err(|error| error.array(&names.1))?;
            }
            let named = |error: InputError| {
                let element = types[usize::from(error.array.as_deref() == Some("Y"))];
                renamed(element.explain_range(error), &names)
            };
            intake.push(&x_part, &y_part).map_err(named)?;
        }
    }
    let (factor, digest) = intake.finish(types)?;
    Ok(Samples { factor, exact, notes, unit_roundoff, digest: exact_digest.unwrap_or(digest) })
}

/// The error about X or Y under the name that the file has for it, with what to do.
fn renamed(error: InputError, (x, y): &(String, String)) -> InputError {
    let in_outputs = error.array.as_deref() == Some("Y");
    let name = match error.array.as_deref() {
        Some("X") => Some(x.clone()),
        Some("Y") => Some(y.clone()),
        other => other.map(str::to_owned),
    };
    with_plan(InputError { array: name, ..error }, in_outputs)
}

/// The exact values, where the file states them and they are few enough.
fn exact_samples(
    x: &OpenArray,
    y: Option<&OpenArray>,
    options: &SampleOptions,
    notes: &mut Vec<String>,
) -> Result<Option<(RationalMatrix, RationalMatrix)>> {
    let Some((x, y)) = x.stored().zip(y.unwrap_or(x).stored()) else { return Ok(None) };
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
pub(super) fn check(x: &OpenArray, y: Option<&OpenArray>, options: &SampleOptions) -> Result<()> {
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

fn check_widths(x: &OpenArray, y: Option<&OpenArray>, options: &SampleOptions) -> Result<()> {
    let Some((inputs, outputs)) = options.expected else { return Ok(()) };
    if inputs != outputs && y.is_some_and(|y| (x.cols, y.cols) == (outputs, inputs)) {
        return Err(InputError::new(format!("the data do not fit the network, which has {inputs} inputs"))
            .array(&x.name)
            .value(both(x, y))
            .hint("inputs and outputs are exchanged, in the data or in the weights: check which"));
    }
    let fit = |shape: &OpenArray, wanted: usize, what: &str| {
        if shape.cols == wanted {
            return Ok(());
        }
        let error = InputError::new(format!("the data do not fit the network, which has {wanted} {what}"))
            .array(&shape.name)
            .value(shape.text());
        // Both have as many rows, so a transposed X alone would have been noticed.
        let transposed = inputs == outputs && shape.looks_transposed(wanted);
        Err(if what == "outputs" && shape.looks_like_labels() {
            error.hint(format!("if {} has labels, --one-hot makes one column of each class", shape.name))
        } else if transposed {
            error.hint("a sample is a row: if samples are columns here, transpose the data")
        } else {
            error.hint(
                "check that data and weights belong together, how the weights are stored, and the order of the layers",
            )
        })
    };
    fit(x, inputs, "inputs")?;
    match y {
        Some(y) => fit(y, outputs, "outputs"),
        None if inputs == outputs => Ok(()),
        None => Err(InputError::new("an autoencoder has as many outputs as inputs")
            .value(format!("{inputs} inputs, {outputs} outputs"))
            .hint(
                "if the weights hold only one half, as with a decoder that is the transposed encoder, save both; \
                 for another task give Y and leave out --task autoencoder",
            )),
    }
}

fn both(x: &OpenArray, y: Option<&OpenArray>) -> String {
    y.map_or_else(|| x.text(), |y| format!("{}, {}", x.text(), y.text()))
}
