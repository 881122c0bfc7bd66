//! Parameters of a map with data out of files: samples may come without outputs, or not at all.

use std::path::Path;
use std::sync::Arc;

use super::array_names::is_output;
use super::container::Container;
use super::loss::LossSpec;
use super::problem::{DataFiles, PointFiles, ReadData};
use super::sample_options::SampleOptions;
use super::weights::{Weights, read_blocks, read_weights};
use rankscape::answers::PredictorData;
use rankscape::error::{InputError, Result};
use rankscape::linalg::Matrix;
use rankscape::loss::QuadraticForm;
use rankscape::problem::LossData;
use rankscape::tolerance::Tolerances;

/// What the shapes of the parameters must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shapes {
    /// Every matrix takes what the one before gives.
    Chained,
    /// Any.
    Blocks,
}

/// Where parameters and data come from.
#[derive(Debug, Clone)]
pub struct MapFiles {
    /// The files.
    pub files: PointFiles,
    /// What the shapes must be.
    pub shapes: Shapes,
    /// All samples are kept, for maps that are not linear in them.
    pub keep_samples: bool,
}

/// Parameters with data, as they were read.
pub struct ReadMap {
    /// The parameters.
    pub weights: Weights,
    /// The data.
    pub data: PredictorData,
    /// Digest of the data, where there are any.
    pub data_digest: Option<String>,
    /// What the readers decided and the user should know.
    pub notes: Vec<String>,
}

impl MapFiles {
    /// Reads them.
    ///
    /// # Errors
    /// If a file cannot be read, there are biases, or the data do not fit.
    pub fn read(&self, square: &LossSpec) -> Result<ReadMap> {
        let file = self.files.weights.clone().unwrap_or_default();
        let weights = match self.shapes {
            Shapes::Chained => read_weights(&file, &self.files.reading)?,
            Shapes::Blocks => read_blocks(&file, &self.files.reading)?,
        };
        check_biases(&weights).map_err(|error| error.file(&file))?;
        let data = &self.files.data;
        let (data, digest, mut notes) = match (&data.samples, &data.target) {
            (None, None) => (PredictorData::Units, None, Vec::new()),
            _ if self.keep_samples => self.samples(square, &weights)?,
            _ => self.factor(&weights)?,
        };
        notes.splice(0..0, weights.notes.iter().cloned());
        Ok(ReadMap { weights, data, data_digest: digest, notes })
    }

    /// Widths that samples must fit, where the shapes say it.
    fn widths(&self, weights: &Weights) -> Vec<usize> {
        if self.shapes == Shapes::Chained { weights.widths() } else { Vec::new() }
    }

    fn factor(&self, weights: &Weights) -> Result<(PredictorData, Option<String>, Vec<String>)> {
        let has_target = self.files.data.has_outputs()?;
        let widths = if has_target { self.widths(weights) } else { Vec::new() };
        let ReadData { data, digest, notes } = self.files.data.with_outputs(has_target).read(&widths)?;
        self.files.check_exactness(weights, &data)?;
        Ok((PredictorData::Factor(data, has_target), Some(digest), noted(notes, has_target)))
    }

    fn samples(&self, square: &LossSpec, weights: &Weights) -> Result<(PredictorData, Option<String>, Vec<String>)> {
        let has_target = self.files.data.has_outputs()?;
        let widths = if has_target { self.widths(weights) } else { Vec::new() };
        let read = self.files.data.with_outputs(has_target).read_loss(square, &widths)?;
        self.files.check_integers_of(weights)?;
        let Some(QuadraticForm::Entries { target, weights: None }) = read.data.loss().quadratic_form() else {
            let file = self.files.data.name().unwrap_or_default();
            return Err(InputError::new(
                "this map is evaluated on all samples, each with weight 1 and all its outputs",
            )
            .file(file)
            .hint("leave out --sample-weights, and samples with outputs that were not observed"));
        };
        let inputs = read.data.inputs().cloned();
        let inputs = inputs.unwrap_or_else(|| Matrix::identity(read.data.input_count()));
        let target = has_target.then(|| target.clone());
        Ok((PredictorData::Samples(inputs, target), Some(read.digest), noted(read.notes, has_target)))
    }
}

fn noted(mut notes: Vec<String>, has_target: bool) -> Vec<String> {
    if !has_target {
        notes.push("the data have no outputs Y: nothing is said of gradients".to_owned());
    }
    notes
}

/// Biases are columns of no block here.
pub(super) fn check_biases(weights: &Weights) -> Result<()> {
    let Some(name) = weights.bias_names.iter().flatten().next() else { return Ok(()) };
    Err(InputError::new("maps with biases are not answered here")
        .array(name)
        .hint("leave the bias out; that of the first layer is a column of W1 beside a constant feature in X"))
}

impl DataFiles {
    /// The file has outputs, or another one has, or the task says what they are.
    pub(super) fn has_outputs(&self) -> Result<bool> {
        let Some(samples) = self.samples.as_deref().filter(|_| self.target.is_none()) else { return Ok(true) };
        let SampleOptions { autoencoder, inputs, .. } = self.options;
        let named = [".npz", ".json", ".safetensors", ".npy"].iter().any(|ending| samples.ends_with(ending));
        if autoencoder || inputs.is_some() || self.options.y.is_some() || !named || !Path::new(samples).exists() {
            return Ok(true);
        }
        let entries =
            Container::open_with(Path::new(samples), "X", true).map_err(|error| error.file(samples))?.entries();
        Ok(entries.len() > 1 && entries.iter().any(|entry| is_output(&entry.name, &self.options)))
    }

    /// The same, read as inputs alone where there are no outputs.
    pub(super) fn with_outputs(&self, has_outputs: bool) -> Self {
        let mut out = self.clone();
        out.options.autoencoder |= !has_outputs;
        out
    }
}

/// The default loss.
///
/// # Errors
/// None: the name is known.
pub fn square_loss() -> Result<LossSpec> {
    LossSpec::read(&super::loss::LossOptions { loss: "square".to_owned(), ..super::loss::LossOptions::default() })
}

impl ReadMap {
    /// The tolerances fit the type in which the parameters were stored.
    ///
    /// # Errors
    /// If every point would count as critical.
    pub fn check(&self, tolerances: &Tolerances) -> Result<()> {
        tolerances.check_criticality(self.weights.unit_roundoff)
    }
}

/// A network with samples and a loss, as it was read.
pub struct ReadNetwork {
    /// The weights.
    pub weights: Weights,
    /// The samples with the loss.
    pub data: Arc<LossData>,
    /// The file has outputs.
    pub has_target: bool,
    /// Digest of the data and the loss.
    pub data_digest: String,
    /// What the readers decided and the user should know.
    pub notes: Vec<String>,
}

impl PointFiles {
    /// Reads weights without biases, and samples with a loss; outputs of the square loss may be left out.
    ///
    /// # Errors
    /// If a file cannot be read, there are biases, or the data do not fit.
    pub fn read_network(&self, spec: &LossSpec) -> Result<ReadNetwork> {
        let file = self.weights.clone().unwrap_or_default();
        let weights = read_weights(&file, &self.reading)?;
        check_biases(&weights).map_err(|error| error.file(&file))?;
        let has_target = !spec.is_square() || self.data.has_outputs()?;
        let widths = if has_target { weights.widths() } else { Vec::new() };
        let read = self.data.with_outputs(has_target).read_loss(spec, &widths)?;
        self.check_integers_of(&weights)?;
        let mut notes = noted(read.notes, has_target);
        notes.splice(0..0, weights.notes.iter().cloned());
        Ok(ReadNetwork { weights, data: read.data, has_target, data_digest: read.digest, notes })
    }
}
