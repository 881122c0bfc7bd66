//! Observations out of what a file has for Y: numbers with gaps, labels, probabilities.

use super::spec::LossSpec;
use crate::labels::classes;
use crate::rows::check_limit;
use rankscape::error::{ErrorKind, InputError, Result};
use rankscape::linalg::Matrix;
use rankscape::loss::Observations;

/// Observations, with what was decided.
pub(super) struct Observed {
    pub(super) observations: Observations,
    pub(super) notes: Vec<String>,
}

impl Observed {
    /// `outputs` has a sample a column, and NaN where nothing was observed; `weights` one number for each column.
    pub(super) fn new(spec: &LossSpec, outputs: Matrix, weights: Option<&[f64]>) -> Result<Self> {
        let missing = outputs.entries().filter(|target| target.is_nan()).count();
        if missing > 0 {
            check_gaps(spec, &outputs, missing)?;
        }
        let entry_weights = (missing > 0 || weights.is_some()).then(|| {
            let of_column = |j: usize| weights.map_or(1.0, |weights| weights[j]);
            let weight = |i: usize, j: usize| if outputs[(i, j)].is_nan() { 0.0 } else { of_column(j) };
            Matrix::from_fn(outputs.nrows(), outputs.ncols(), weight)
        });
        let notes = match missing {
            0 => Vec::new(),
            1 => vec!["1 entry of Y was not observed: it has weight 0".to_owned()],
            _ => vec![format!("{missing} entries of Y were not observed: they have weight 0")],
        };
        Ok(Self { observations: Observations { targets: outputs, weights: entry_weights }, notes })
    }
}

/// Entries may be missing only in a sum over entries, and not all of them.
fn check_gaps(spec: &LossSpec, outputs: &Matrix, missing: usize) -> Result<()> {
    if missing == outputs.nrows() * outputs.ncols() {
        return Err(InputError::new("no entry was observed")
            .array("Y")
            .value(format!("{missing} entries are missing")));
    }
    if spec.is_entrywise() {
        return Ok(());
    }
    let place = |j: usize| (0..outputs.nrows()).find(|&i| outputs[(i, j)].is_nan()).map(|i| (i, j));
    let (i, j) = (0..outputs.ncols()).find_map(place).unwrap_or_default();
    Err(InputError::new(format!("an entry is missing, and the loss {} needs all", spec.name()))
        .kind(ErrorKind::Missing)
        .array("Y")
        .value(format!("row {i}, column {j}, counted from 0"))
        .hint("quadratic and the other sums over entries leave out what is missing"))
}

/// Labels as columns of probabilities; `outputs` says how many classes there are, where that is known.
pub(super) fn from_labels(labels: &[f64], name: &str, outputs: Option<usize>) -> Result<Matrix> {
    let count = classes(labels, name, outputs)?;
    check_limit(count.saturating_mul(labels.len()))?;
    if let Some(&first) = labels.first().filter(|first| labels.iter().all(|label| label == *first)) {
        return Err(InputError::new(
            "all labels are the same: with one class every model with a growing output is right",
        )
        .array(name)
        .value(format!("{first} in all {} rows", labels.len()))
        .hint("give samples of two classes at least"));
    }
    Ok(Matrix::from_fn(count, labels.len(), |i, j| f64::from(u8::from(labels[j] == i as f64))))
}
