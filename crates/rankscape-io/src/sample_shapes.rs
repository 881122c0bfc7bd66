//! X and Y belong together and fit the network.

use super::open_array::OpenArray;
use super::sample_options::{Outputs, SampleOptions};
use rankscape::error::{InputError, Result};

/// Most columns that X and Y may have together: the factor has the square of their number of entries.
const COLUMNS_LIMIT: usize = 1 << 15;

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
        Some(y) if options.outputs == Outputs::Labels && y.cols == 1 => Ok(()),
        None if options.outputs == Outputs::Elsewhere => Ok(()),
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
