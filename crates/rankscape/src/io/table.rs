//! Samples from a table of comma-separated numbers.

use std::path::Path;

use super::array::ElementType;
use super::csv::Table;
use super::intake::{Intake, read_weights_of_samples};
use super::open_array::OpenArray;
use super::samples::{SampleOptions, Samples, check};
use crate::error::{InputError, Result};

/// Streams the rows of a table, whose number is known only at its end.
pub(super) fn read_table(path: &Path, options: &SampleOptions) -> Result<Samples> {
    let mut table = Table::open(path)?;
    let columns = table.columns(options.inputs, options.autoencoder)?;
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
    let (factor, digest) = intake.finish()?;
    let unit_roundoff = ElementType::Text.unit_roundoff();
    Ok(Samples { factor, exact: None, notes: Vec::new(), unit_roundoff, digest })
}
