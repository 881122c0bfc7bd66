//! Samples that are kept whole: what a loss needs that does not live in a triangular factor.

use crate::array::Array;
use crate::digest::{ArrayDigest, array_digest};
use crate::intake::digest_of;
use crate::rows::ARRAY_LIMIT;
use crate::sample_options::{Outputs, SampleOptions};
use crate::sink::Sink;
use rankscape::error::{ErrorKind, InputError, Result};
use rankscape::linalg::Matrix;

/// All numbers of X and Y, row by row.
pub(super) struct Kept {
    numbers: [Vec<f64>; 2],
    cols: [usize; 2],
    weights: Option<(String, Array)>,
    outputs: Outputs,
}

/// Samples with their digest.
pub(super) struct KeptSamples {
    /// `X`, `d_0 x n`.
    pub(super) inputs: Matrix,
    /// `Y` with a sample a column; `X` for an autoencoder; `None` where Y is not in the file.
    pub(super) outputs: Option<Matrix>,
    /// One weight for each sample.
    pub(super) weights: Option<Vec<f64>>,
}

impl Kept {
    /// For samples with so many numbers in X and Y; no columns in Y mean Y = X.
    pub(super) fn new(cols: [usize; 2], weights: Option<(String, Array)>, options: &SampleOptions) -> Self {
        Self { numbers: [Vec::new(), Vec::new()], cols, weights, outputs: options.outputs }
    }

    fn rows(&self) -> usize {
        self.numbers[0].len() / self.cols[0].max(1)
    }

    fn check_finite(&self, at: usize, values: &[f64]) -> Result<()> {
        let allowed = at == 1 && self.outputs == Outputs::WithGaps;
        let bad = |value: &f64| !(value.is_finite() || (allowed && value.is_nan()));
        let Some(place) = values.iter().position(bad) else { return Ok(()) };
        let cols = self.cols[at].max(1);
        let (row, column) = (self.rows() + place / cols, place % cols);
        Err(InputError::new("an entry is not a finite number")
            .kind(ErrorKind::NotFinite)
            .array(["X", "Y"][at])
            .value(format!("{} in row {row}, column {column}, counted from 0", values[place]))
            .hint("remove or replace the sample"))
    }

    /// All samples; `labels` stand for outputs that are not in the file.
    pub(super) fn finish(self, labels: Option<&Array>) -> Result<(KeptSamples, String)> {
        let rows = self.rows();
        if let Some((file, array)) = self.weights.as_ref().filter(|(_, array)| array.values.len() != rows) {
            return Err(InputError::new("there must be one weight for each sample")
                .file(file)
                .value(format!("{} weights, {rows} samples", array.values.len())));
        }
        let digest = |at: usize| {
            let mut digest = ArrayDigest::new();
            digest.numbers(&self.numbers[at]);
            digest.finish(&[rows as u64, self.cols[at] as u64])
        };
        let mirrored = self.cols[1] == 0;
        let y = match labels {
            Some(labels) => Some(array_digest(&Array { shape: vec![labels.values.len(), 1], ..labels.clone() }, false)),
            None => (!mirrored).then(|| digest(1)),
        };
        let digest = digest_of(digest(0), y, self.weights.as_ref().map(|(_, array)| array));
        let [x, y] = &self.numbers;
        let [x_cols, y_cols] = self.cols;
        let inputs = Matrix::from_fn(x_cols, rows, |i, j| x[j * x_cols + i]);
        let outputs = match self.outputs {
            Outputs::Elsewhere => None,
            _ if mirrored => Some(inputs.clone()),
            _ => Some(Matrix::from_fn(y_cols, rows, |i, j| y[j * y_cols + i])),
        };
        let weights = self.weights.map(|(_, array)| array.values);
        Ok((KeptSamples { inputs, outputs, weights }, digest))
    }
}

impl Sink for Kept {
    const KEEPS_EXACT: bool = false;

    fn push(&mut self, x: &[f64], y: &[f64]) -> Result<()> {
        [x, y].into_iter().enumerate().try_for_each(|(at, values)| self.check_finite(at, values))?;
        let held = self.numbers.iter().map(Vec::len).sum::<usize>() + x.len() + y.len();
        if held as u64 > ARRAY_LIMIT / 8 {
            return Err(InputError::new("the samples have more numbers than are held in memory")
                .value(format!("at most {}", ARRAY_LIMIT / 8))
                .hint("losses other than the square need all samples at once: take a part of them"));
        }
        for (numbers, values) in self.numbers.iter_mut().zip([x, y]) {
            // One NaN for all.
            numbers.extend(values.iter().map(|&value| if value.is_nan() { f64::NAN } else { value }));
        }
        Ok(())
    }
}
