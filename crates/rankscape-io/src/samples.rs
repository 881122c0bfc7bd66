//! Sample files: inputs and outputs pass by in portions and leave a triangular factor, a digest and, where small, exact
//! values.

use std::path::Path;

use super::array::Array;
use super::digest::array_digest;
use super::file::format_of;
use super::format::Format;
use super::intake::{Intake, digest_of, read_weights_of_samples};
use super::open_array::{OpenArray, Opened, open_arrays};
use super::pipe::keep;
use super::sample_options::{EXACT_ENTRIES_LIMIT, Outputs, SampleOptions, Samples, with_plan};
use super::sample_shapes::check;
use super::sink::{Passed, Sink};
use super::table::read_table;
use rankscape::error::{InputError, Result};
use rankscape::linalg::exact::RationalMatrix;

/// Numbers that are read at a time.
const PORTION: usize = 1 << 17;

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
    let intake = |x: usize, y: usize| Ok(Intake::new(x, y, read_weights_of_samples(options)?, options));
    let finished = |Passed { sink, types, exact, notes }: Passed<Intake>| {
        let (factor, digest) = sink.finish(types)?;
        let unit_roundoff = types[0].unit_roundoff().max(types[1].unit_roundoff());
        let (exact, digest) = exact.map_or((None, digest), |(exact, digest)| (Some(exact), digest));
        Ok(Samples { factor, exact, notes, unit_roundoff, digest })
    };
    pass_by(spec, options, intake).and_then(finished).map_err(|error| error.file(spec))
}

/// Sends all samples into what is made for so many numbers in X and Y; no numbers in Y mean Y = X.
pub(super) fn pass_by<S: Sink>(
    spec: &str,
    options: &SampleOptions,
    make: impl FnOnce(usize, usize) -> Result<S>,
) -> Result<Passed<S>> {
    let pair = spec.split_once(',').filter(|_| !Path::new(spec).exists());
    let read = || {
        let paths = pair.map_or_else(|| vec![spec], |(x, y)| vec![x.trim(), y.trim()]);
        let _kept = paths.into_iter().map(|path| keep(Path::new(path))).collect::<Result<Vec<_>>>()?;
        check_options(pair, options)?;
        if pair.is_none() {
            let format = format_of(Path::new(spec))?;
            if matches!(format, Format::Csv | Format::Parquet) {
                return read_table(Path::new(spec), format, options, make);
            }
        }
        let Opened { x, y, notes } = open_arrays(spec, pair, options)?;
        check(&x, y.as_ref(), options)?;
        read_arrays(x, y, notes, options, make)
    };
    read().map_err(|error: InputError| error.file(spec))
}

/// Options that would do nothing are refused.
fn check_options(pair: Option<(&str, &str)>, options: &SampleOptions) -> Result<()> {
    let idle = |option: &str, why: &str| Err(InputError::new(format!("{option} does nothing here: {why}")));
    if pair.is_some() && (options.x.is_some() || options.y.is_some()) {
        return idle("--x or --y", "each of the two files holds one array");
    }
    if options.autoencoder && (options.y.is_some() || options.one_hot) {
        let elsewhere = options.outputs == Outputs::Elsewhere;
        let why = if elsewhere { "the file of the loss has the labels" } else { "--task autoencoder takes Y = X" };
        return idle("--y or --one-hot", why);
    }
    if options.inputs.is_some() && (options.x.is_some() || options.y.is_some()) {
        return idle("--inputs", "--x or --y names the columns");
    }
    Ok(())
}

fn read_arrays<S: Sink>(
    mut x: OpenArray,
    mut y: Option<OpenArray>,
    mut notes: Vec<String>,
    options: &SampleOptions,
    make: impl FnOnce(usize, usize) -> Result<S>,
) -> Result<Passed<S>> {
    if options.inputs.is_some() {
        return Err(InputError::new("--inputs does nothing here: the file has arrays and not columns of a table")
            .hint("say which arrays are inputs and outputs with --x NAME --y NAME"));
    }
    notes.extend([Some(&x), y.as_ref()].into_iter().flatten().filter_map(OpenArray::note));
    let names = (x.name.clone(), y.as_ref().map_or_else(String::new, |y| y.name.clone()));
    let (samples, x_cols, y_cols) = (x.rows, x.cols, y.as_ref().map_or(0, |y| y.cols));
    let mut sink = make(x_cols, y_cols)?;
    let exact = if S::KEEPS_EXACT { exact_samples(&x, y.as_ref(), options, &mut notes)? } else { None };
    if exact.is_none() {
        [Some(&x), y.as_ref()]
            .into_iter()
            .flatten()
            .filter_map(OpenArray::stored)
            .try_for_each(Array::check_integers)?;
    }
    let exact = exact.map(|exact| {
        let digest = |array: &Array| array_digest(array, true);
        let (x, y) = (x.stored(), y.as_ref().and_then(OpenArray::stored));
        (exact, digest_of(x.map(digest).unwrap_or_default(), y.map(digest), None))
    });
    let types = [x.element, y.as_ref().map_or(x.element, |y| y.element)];
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
                renamed(element.explain_range(error), &names, options.outputs)
            };
            sink.push(&x_part, &y_part).map_err(named)?;
        }
    }
    Ok(Passed { sink, types, exact, notes })
}

/// The error about X or Y under the name that the file has for it, with what to do.
fn renamed(error: InputError, (x, y): &(String, String), outputs: Outputs) -> InputError {
    let in_outputs = error.array.as_deref() == Some("Y");
    let name = match error.array.as_deref() {
        Some("X") => Some(x.clone()),
        Some("Y") => Some(y.clone()),
        other => other.map(str::to_owned),
    };
    with_plan(InputError { array: name, ..error }, in_outputs, outputs)
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
