//! Samples from a table with named columns, a row each: comma-separated numbers, or Parquet.

use std::path::Path;

use super::columns::Columns;
use super::csv::Table;
use super::format::Format;
use super::intake::{Intake, read_weights_of_samples};
use super::labels::{LabelRows, classes};
use super::open_array::OpenArray;
#[cfg(feature = "parquet")]
use super::parquet::ParquetTable;
use super::rows::{RowSource, TableRows};
use super::sample_options::{SampleOptions, Samples, with_plan};
use super::sample_shapes::check;
use rankscape::error::{InputError, Result};

/// Streams the rows of a table, whose number is known only at its end.
pub(super) fn read_table(path: &Path, format: Format, options: &SampleOptions) -> Result<Samples> {
    let mut table = open(path, format)?;
    let columns = Columns::choose(table.names(), table.has_header(), options)?;
    let names = table.names().to_vec();
    let outputs = if options.autoencoder { &[] } else { columns.outputs.as_slice() };
    let labels = options.one_hot.then(|| classes_of(path, format, &columns, options)).transpose()?;
    let x = OpenArray::of_table("X", columns.inputs.len());
    let y = (!options.autoencoder).then(|| OpenArray::of_table("Y", labels.unwrap_or(outputs.len())));
    check(&x, y.as_ref(), options)?;
    let y_cols = y.as_ref().map_or(0, |y| y.cols);
    let mut intake = Intake::new(x.cols, y_cols, read_weights_of_samples(options)?, options);
    let (mut row, mut inputs, mut targets) = (Vec::new(), Vec::new(), Vec::new());
    let mut rows = 0;
    while next_row(table.as_mut(), &columns, &mut row)? {
        inputs.clear();
        inputs.extend(columns.inputs.iter().map(|&at| row[at]));
        targets.clear();
        match labels {
            Some(classes) => LabelRows { labels: &[row[outputs[0]]], classes }.next_rows(1, &mut targets)?,
            None => targets.extend(outputs.iter().map(|&at| row[at])),
        }
        intake.push(&inputs, &targets)?;
        rows += 1;
    }
    if rows == 0 {
        return Err(InputError::new("there are no samples").hint("the table has a header and no rows"));
    }
    let (factor, digest) = intake.finish([table.element(); 2])?;
    let unit_roundoff = table.element().unit_roundoff();
    let mut notes = vec![columns.note(&names, options.autoencoder)];
    notes.extend(table.notes());
    notes.extend(labels.map(|classes| format!("Y has labels: one column for each of {classes} classes")));
    Ok(Samples { factor, exact: None, notes, unit_roundoff, digest })
}

fn open(path: &Path, format: Format) -> Result<Box<dyn TableRows>> {
    Ok(match format {
        #[cfg(feature = "parquet")]
        Format::Parquet => Box::new(ParquetTable::open(path)?),
        _ => Box::new(Table::open(path)?),
    })
}

/// The next row; an error about a column of outputs says what to do where a value is missing.
fn next_row(table: &mut dyn TableRows, columns: &Columns, row: &mut Vec<f64>) -> Result<bool> {
    table.next_row(row).map_err(|error| {
        let at = table.names().iter().position(|name| error.array.as_ref() == Some(name));
        with_plan(error, at.is_some_and(|at| columns.outputs.contains(&at)))
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
    while next_row(table.as_mut(), columns, &mut row)? {
        labels.push(row[label]);
    }
    classes(&labels, &table.names()[label], options.expected.map(|(_, outputs)| outputs))
}
