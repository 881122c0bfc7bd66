//! What all samples pass through: factor, digest, weights.

use super::array::{Array, ElementType, shape_text};
use super::array_names::sample_weights;
use super::container::Container;
use super::digest::{ArrayDigest, array_digest, combined_digest};
use super::pipe::keep;
use super::sample_options::SampleOptions;
use super::sink::Sink;
use super::target::read_array;
use rankscape::data::{SampleAccumulator, SampleFactor, StoredArray};
use rankscape::error::{InputError, Result};

/// Takes samples and gives their factor and digest.
pub(super) struct Intake {
    accumulator: SampleAccumulator,
    digests: [ArrayDigest; 2],
    cols: [usize; 2],
    weights: Option<(String, Array)>,
    rows: usize,
    /// All numbers of X, and all of Y, are whole.
    whole: [bool; 2],
}

impl Intake {
    /// For samples with so many numbers in X and Y; no columns in Y mean Y = X.
    pub(super) fn new(x_cols: usize, y_cols: usize, weights: Option<(String, Array)>, options: &SampleOptions) -> Self {
        Self {
            accumulator: SampleAccumulator::new(x_cols, y_cols).with_threads(options.threads),
            digests: [ArrayDigest::new(), ArrayDigest::new()],
            cols: [x_cols, y_cols],
            weights,
            rows: 0,
            whole: [true; 2],
        }
    }

    fn count_error(&self, samples: usize) -> InputError {
        let (file, array) = match &self.weights {
            Some((file, array)) => (file.as_str(), array.values.len()),
            None => ("", 0),
        };
        let more = if samples > array { "at least " } else { "" };
        InputError::new("there must be one weight for each sample")
            .file(file)
            .value(format!("{array} weights, {more}{samples} samples"))
    }

    /// Factor and digest of all samples, whose X and Y have numbers of these types.
    pub(super) fn finish(self, types: [ElementType; 2]) -> Result<(SampleFactor, String)> {
        if self.rows > 0 && self.weights.as_ref().is_some_and(|(_, array)| array.values.len() != self.rows) {
            return Err(self.count_error(self.rows));
        }
        let factor = self.accumulator.finish()?;
        let shape = |cols: usize| [self.rows as u64, cols as u64];
        let [x, y] = self.digests;
        let x = x.finish(&shape(self.cols[0]));
        let y = (self.cols[1] > 0).then(|| y.finish(&shape(self.cols[1])));
        let factor = if y.is_some() { factor } else { factor.with_outputs_equal_to_inputs() };
        let stored = |at: usize| StoredArray { storage: types[at].storage(), whole: self.whole[at] };
        let factor = factor.stored_with(stored(0), stored(1));
        Ok((factor, digest_of(x, y, self.weights.as_ref().map(|(_, array)| array))))
    }
}

impl Sink for Intake {
    const KEEPS_EXACT: bool = true;

    fn push(&mut self, x: &[f64], y: &[f64]) -> Result<()> {
        let to = self.rows + x.len() / self.cols[0];
        let weights = match &self.weights {
            None => None,
            Some((_, array)) => Some(array.values.get(self.rows..to).ok_or_else(|| self.count_error(to))?),
        };
        self.accumulator.push(x, y, weights)?;
        for (at, numbers) in [x, y].into_iter().enumerate() {
            self.digests[at].numbers(numbers);
            self.whole[at] = self.whole[at] && numbers.iter().all(|number| number.fract() == 0.0);
        }
        self.rows = to;
        Ok(())
    }
}

/// The digest of samples; Y = X has the digest of X twice.
pub(super) fn digest_of(x: [u8; 32], y: Option<[u8; 32]>, weights: Option<&Array>) -> String {
    let mut parts = vec![x, y.unwrap_or(x)];
    parts.extend(weights.map(|weights| array_digest(weights, false)));
    combined_digest("samples", &parts)
}

/// The file of sample weights and the vector in it.
pub(super) fn read_weights_of_samples(options: &SampleOptions) -> Result<Option<(String, Array)>> {
    let Some(path) = &options.sample_weights else { return Ok(None) };
    let _kept = keep(path)?;
    let entries = Container::open(path, "weights")?.entries();
    let name = sample_weights(&entries).map_or("weights", |entry| entry.name.as_str());
    let mut array = read_array(path, name)?;
    let wrong = |problem: &str, value: String| {
        Err(InputError::new(problem).file(path.display()).array(&array.name).value(value))
    };
    if array.shape.iter().filter(|&&size| size != 1).count() > 1 {
        return wrong("sample weights are a vector", format!("shape {}", shape_text(&array.shape)));
    }
    if let Some(at) = array.values.iter().position(|&weight| weight < 0.0) {
        return wrong(
            "a sample weight must not be negative",
            format!("{} for sample {at}, counted from 0", array.values[at]),
        );
    }
    if array.values.iter().all(|&weight| weight == 0.0) {
        return wrong("all sample weights are zero", format!("{} weights", array.values.len()));
    }
    array.shape = vec![array.values.len()];
    Ok(Some((path.display().to_string(), array)))
}
