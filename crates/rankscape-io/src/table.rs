//! Samples from a table with named columns, a row each: comma-separated numbers, or Parquet.

use std::path::Path;

use super::columns::Columns;
use super::csv::Table;
use super::format::Format;
use super::labels::{LabelRows, classes};
use super::open_array::OpenArray;
#[cfg(feature = "parquet")]
use super::parquet::ParquetTable;
use super::rows::{RowSource, TableRows};
use super::sample_options::{Outputs, SampleOptions, with_plan};
use super::sample_shapes::check;
use super::sink::{Passed, Sink};
use rankscape::error::{InputError, Result};

/// Streams the rows of a table, whose number is known only at its end.
pub(super) fn read_table<S: Sink>(
    path: &Path,
    format: Format,
    options: &SampleOptions,
    make: impl FnOnce(usize, usize) -> Result<S>,
) -> Result<Passed<S>> {
    let mut table = open(path, format)?;
    let columns = Columns::choose(table.names(), table.has_header(), options)?;
    if options.outputs == Outputs::WithGaps && !options.autoencoder {
        table.allow_gaps(&columns.outputs);
    }
    let names = table.names().to_vec();
    let outputs = if options.autoencoder { &[] } else { columns.outputs.as_slice() };
    let labels = options.one_hot.then(|| classes_of(path, format, &columns, options)).transpose()?;
    let x = OpenArray::of_table("X", columns.inputs.len());
    let y = (!options.autoencoder).then(|| OpenArray::of_table("Y", labels.unwrap_or(outputs.len())));
    check(&x, y.as_ref(), options)?;
    let y_cols = y.as_ref().map_or(0, |y| y.cols);
    let mut sink = make(x.cols, y_cols)?;
    let (mut row, mut inputs, mut targets) = (Vec::new(), Vec::new(), Vec::new());
    let mut rows = 0;
    while next_row(table.as_mut(), &columns, options.outputs, &mut row)? {
        inputs.clear();
        inputs.extend(columns.inputs.iter().map(|&at| row[at]));
        targets.clear();
        match labels {
            Some(classes) => LabelRows { labels: &[row[outputs[0]]], classes }.next_rows(1, &mut targets)?,
            None => targets.extend(outputs.iter().map(|&at| row[at])),
        }
        sink.push(&inputs, &targets)?;
        rows += 1;
    }
    if rows == 0 {
        return Err(InputError::new("there are no samples").hint("the table has a header and no rows"));
    }
    let mut notes = vec![columns.note(&names, options)];
    notes.extend(table.notes());
    notes.extend(labels.map(|classes| format!("Y has labels: one column for each of {classes} classes")));
    Ok(Passed { sink, types: [table.element(); 2], exact: None, notes })
}

fn open(path: &Path, format: Format) -> Result<Box<dyn TableRows>> {
    Ok(match format {
        #[cfg(feature = "parquet")]
        Format::Parquet => Box::new(ParquetTable::open(path)?),
        _ => Box::new(Table::open(path)?),
    })
}

/// The next row; an error about a column of outputs says what to do where a value is missing.
fn next_row(table: &mut dyn TableRows, columns: &Columns, outputs: Outputs, row: &mut Vec<f64>) -> Result<bool> {
    table.next_row(row).map_err(|error| {
        let at = table.names().iter().position(|name| error.array.as_ref() == Some(name));
        with_plan(error, at.is_some_and(|at| columns.outputs.contains(&at)), outputs)
    })
}

/// The number of classes, from a first look at all labels.
fn classes_of(path: &Path, format: Format, columns: &Columns, options: &SampleOptions) -> Result<usize> {
    let mut table = open(path, format)?;
    let [label] = columns.outputs[..] else {
        return Err(InputError::new("--one-hot needs labels: one whole number a sample")
            .value(format!("{} columns of outputs", columns.outputs.len())));
    };
    let (mut labels, mut row) = (Vec::new(), Vec::new());
    while next_row(table.as_mut(), columns, options.outputs, &mut row)? {
        labels.push(row[label]);
    }
    classes(&labels, &table.names()[label], options.expected.map(|(_, outputs)| outputs))
}
