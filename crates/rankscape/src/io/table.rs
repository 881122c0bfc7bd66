//! Samples from a table with named columns, a row each: comma-separated numbers, or Parquet.

use std::path::Path;

use super::array::ElementType;
use super::csv::Table;
use super::file::Format;
use super::intake::{Intake, read_weights_of_samples};
use super::open_array::OpenArray;
#[cfg(feature = "parquet")]
use super::parquet::ParquetTable;
use super::samples::{SampleOptions, Samples, check};
use crate::error::{InputError, Result};

/// An open table whose rows come in order.
pub(super) trait TableRows {
    /// Names of the columns.
    fn names(&self) -> &[String];
    /// The names stand in the file.
    fn has_header(&self) -> bool;
    /// The shortest type among the columns.
    fn element(&self) -> ElementType;
    /// Reads the next row into `target`, finite numbers only; `false` at the end.
    fn next_row(&mut self, target: &mut Vec<f64>) -> Result<bool>;
}

/// Streams the rows of a table, whose number is known only at its end.
pub(super) fn read_table(path: &Path, format: Format, options: &SampleOptions) -> Result<Samples> {
    let mut table: Box<dyn TableRows> = match format {
        #[cfg(feature = "parquet")]
        Format::Parquet => Box::new(ParquetTable::open(path)?),
        _ => Box::new(Table::open(path)?),
    };
    let columns = columns(table.as_ref(), options.inputs, options.autoencoder)?;
    let outputs = if options.autoencoder { &[] } else { columns.outputs.as_slice() };
    if outputs.is_empty() && !options.autoencoder {
        return Err(InputError::new("the table has no output columns")
            .hint("name them y1, y2, ..., or say --inputs N with N less than the number of columns"));
    }
    let x = OpenArray::of_table("X", columns.inputs.len());
    let y = (!options.autoencoder).then(|| OpenArray::of_table("Y", outputs.len()));
    check(&x, y.as_ref(), options)?;
    let mut intake = Intake::new(x.cols, outputs.len(), read_weights_of_samples(options)?, options);
    let (mut row, mut inputs, mut targets) = (Vec::new(), Vec::new(), Vec::new());
    let mut rows = 0;
    while table.next_row(&mut row)? {
        inputs.clear();
        inputs.extend(columns.inputs.iter().map(|&at| row[at]));
        targets.clear();
        targets.extend(outputs.iter().map(|&at| row[at]));
        intake.push(&inputs, &targets)?;
        rows += 1;
    }
    if rows == 0 {
        return Err(InputError::new("there are no samples").hint("the table has a header and no rows"));
    }
    let (factor, digest) = intake.finish([table.element(); 2])?;
    let unit_roundoff = table.element().unit_roundoff();
    Ok(Samples { factor, exact: None, notes: Vec::new(), unit_roundoff, digest })
}

/// Which columns are inputs and which outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Columns {
    inputs: Vec<usize>,
    outputs: Vec<usize>,
}

/// The roles of the columns: the first `inputs` are inputs, or those whose names begin with x, and y for outputs.
fn columns(table: &dyn TableRows, inputs: Option<usize>, autoencoder: bool) -> Result<Columns> {
    let names = table.names();
    let all = 0..names.len();
    if let Some(inputs) = inputs {
        if inputs == 0 || inputs > names.len() {
            return Err(InputError::new("the table does not have so many input columns")
                .value(format!("--inputs {inputs}, {} columns", names.len())));
        }
        return Ok(Columns { inputs: (0..inputs).collect(), outputs: (inputs..all.end).collect() });
    }
    if !table.has_header() && autoencoder {
        return Ok(Columns { inputs: all.collect(), outputs: Vec::new() });
    }
    let starting = |letter: char| -> Vec<usize> {
        all.clone().filter(|&at| names[at].to_lowercase().starts_with(letter)).collect()
    };
    let columns = Columns { inputs: starting('x'), outputs: starting('y') };
    let hint = "name the columns x1, x2, ..., y1, y2, ... or say --inputs N: the first N are inputs";
    if !table.has_header() {
        return Err(InputError::new("the table has no header, so inputs and outputs cannot be told apart").hint(hint));
    }
    if let Some(at) = all.clone().find(|at| !columns.inputs.contains(at) && !columns.outputs.contains(at)) {
        return Err(InputError::new("a column is neither input nor output")
            .array(&names[at])
            .value(format!("column {at}, counted from 0"))
            .hint(hint));
    }
    if columns.inputs.is_empty() {
        return Err(InputError::new("the table has no input columns").hint(hint));
    }
    Ok(columns)
}
