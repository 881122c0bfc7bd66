//! Samples in, any number of rows at a time.

use super::factor::{BLOCK_ROWS, SampleFactor};
use super::tree::{Block, Tree};
use crate::error::{ErrorKind, InputError, Result};

/// Takes samples in any portions and gives their triangular factor.
///
/// Samples are cut in blocks of [`BLOCK_ROWS`] by their number in the data, and the factors of the blocks are merged in
/// a fixed binary tree: the bits of the result depend neither on the portions nor on the number of threads. Memory: two
/// more blocks than there are threads, and one factor for each level of the tree.
///
/// ```
/// use rankscape::data::SampleAccumulator;
/// let mut samples = SampleAccumulator::new(2, 1);
/// samples.push_rows(&[1.0, 0.0, 3.0, 0.0, 2.0, 4.0], None).unwrap();
/// let factor = samples.finish().unwrap().plain();
/// assert_eq!(factor.samples, 2);
/// assert!((factor.xy()[(1, 0)] - 4.0).abs() < 1e-14);
/// ```
pub struct SampleAccumulator {
    inputs: usize,
    outputs: usize,
    rows: Vec<f64>,
    largest: Vec<f64>,
    samples: u64,
    blocks: u64,
    tree: Tree,
}

impl SampleAccumulator {
    /// For samples with so many inputs and outputs, on the calling thread.
    pub fn new(inputs: usize, outputs: usize) -> Self {
        let largest = vec![0.0; 1 + inputs + outputs];
        Self { inputs, outputs, rows: Vec::new(), largest, samples: 0, blocks: 0, tree: Tree::new(1) }
    }

    /// Lets so many threads work on the blocks. To be called before the first rows.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.tree = Tree::new(threads);
        self
    }

    /// Number of samples so far.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// Adds samples, each a row `[x', y']`; row `i` counts `weights[i]` times (once without weights).
    ///
    /// # Errors
    /// If an entry is not finite, a weight is negative or not finite, or the lengths do not fit. The accumulator is of
    /// no use afterwards.
    pub fn push_rows(&mut self, rows: &[f64], weights: Option<&[f64]>) -> Result<()> {
        let width = self.inputs + self.outputs;
        let count = whole_rows(rows.len(), width, "[X Y]")?;
        self.check_weights(weights, count)?;
        for (at, row) in rows.chunks_exact(width.max(1)).enumerate() {
            let (x, y) = row.split_at(self.inputs);
            self.push_sample(x, y, weights.map_or(1.0, |weights| weights[at]))?;
        }
        Ok(())
    }

    /// Adds samples whose inputs and outputs lie apart, row by row.
    ///
    /// # Errors
    /// As [`Self::push_rows`].
    pub fn push(&mut self, inputs: &[f64], outputs: &[f64], weights: Option<&[f64]>) -> Result<()> {
        let count = whole_rows(inputs.len(), self.inputs, "X")?;
        if count * self.outputs != outputs.len() {
            return Err(InputError::new("X and Y have different numbers of samples")
                .array("Y")
                .value(format!("{count} rows of inputs, {} outputs", outputs.len())));
        }
        self.check_weights(weights, count)?;
        for (at, x) in inputs.chunks_exact(self.inputs).enumerate() {
            let y = &outputs[at * self.outputs..(at + 1) * self.outputs];
            self.push_sample(x, y, weights.map_or(1.0, |weights| weights[at]))?;
        }
        Ok(())
    }

    fn check_weights(&self, weights: Option<&[f64]>, count: usize) -> Result<()> {
        let Some(weights) = weights else { return Ok(()) };
        if weights.len() != count {
            return Err(InputError::new("there must be one weight for each sample")
                .array("sample weights")
                .value(format!("{} weights, {count} samples", weights.len())));
        }
        match weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
            None => Ok(()),
            Some(at) => Err(InputError::new("a sample weight must be a finite number that is not negative")
                .array("sample weights")
                .value(format!("{} for sample {}, counted from 0", weights[at], self.samples + at as u64))),
        }
    }

    fn push_sample(&mut self, x: &[f64], y: &[f64], weight: f64) -> Result<()> {
        let root = weight.sqrt();
        self.largest[0] = self.largest[0].max(root);
        self.rows.push(root);
        let mut finite = true;
        let (largest_x, largest_y) = self.largest[1..].split_at_mut(self.inputs);
        for (values, largest) in [(x, largest_x), (y, largest_y)] {
            self.rows.extend(values.iter().zip(largest).map(|(&value, largest)| {
                let value = value * root;
                let size = value.abs();
                finite &= size <= f64::MAX;
                *largest = if size > *largest { size } else { *largest };
                value
            }));
        }
        if !finite {
            return Err(self.not_finite(x, y, weight));
        }
        self.samples += 1;
        if self.rows.len() == BLOCK_ROWS * self.largest.len() {
            self.close_block();
        }
        Ok(())
    }

    fn not_finite(&self, x: &[f64], y: &[f64], weight: f64) -> InputError {
        let row = self.samples;
        for (name, values) in [("X", x), ("Y", y)] {
            if let Some(at) = values.iter().position(|value| !value.is_finite()) {
                return InputError::new("an entry is not a finite number")
                    .kind(ErrorKind::NotFinite)
                    .array(name)
                    .value(format!("{} in row {row}, column {at}, counted from 0", values[at]))
                    .hint("remove or replace the sample");
            }
        }
        InputError::new("a sample times the root of its weight is too large for double precision")
            .array("sample weights")
            .value(format!("{weight} for sample {row}, counted from 0"))
            .hint("scale the weights")
    }

    fn close_block(&mut self) {
        let largest = std::mem::replace(&mut self.largest, vec![0.0; 1 + self.inputs + self.outputs]);
        let rows = std::mem::take(&mut self.rows);
        self.tree.add(self.blocks, Block { inputs: self.inputs, outputs: self.outputs, rows, largest });
        self.blocks += 1;
        self.rows = self.tree.buffer();
    }

    /// The factor of all samples.
    ///
    /// # Errors
    /// If there are no samples, or the norm of a column is not in the range of double precision.
    pub fn finish(mut self) -> Result<SampleFactor> {
        if !self.rows.is_empty() {
            self.close_block();
        }
        let Some(factor) = self.tree.finish() else {
            return Err(InputError::new("there are no samples").hint("give at least one row of data"));
        };
        if !factor.is_in_range() {
            return Err(InputError::new("the data are too large: the norm of a column is beyond double precision")
                .hint("scale the data, for example by 1e-100"));
        }
        Ok(factor)
    }
}

/// Number of rows of so many entries.
fn whole_rows(entries: usize, width: usize, array: &str) -> Result<usize> {
    if width == 0 {
        return Err(InputError::new("samples must have at least one input").array(array));
    }
    if !entries.is_multiple_of(width) {
        return Err(InputError::new("the entries do not fill whole rows")
            .array(array)
            .value(format!("{entries} entries for rows of {width}")));
    }
    Ok(entries / width)
}
