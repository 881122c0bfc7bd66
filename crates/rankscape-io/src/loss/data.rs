//! The loss beside its observations.

use std::path::Path;
use std::sync::Arc;

use super::kept::{Kept, KeptSamples};
use super::spec::LossSpec;
use super::targets::{Observed, from_labels};
use crate::intake::read_weights_of_samples;
use crate::problem::DataFiles;
use crate::sample_options::{Outputs, SampleOptions};
use crate::samples::pass_by;
use crate::sink::Passed;
use crate::target::read_target_with_gaps;
use rankscape::error::{InputError, Result};
use rankscape::linalg::Matrix;
use rankscape::problem::LossData;

/// Samples with a loss, as they were read.
#[derive(Debug, Clone)]
pub struct ReadLossData {
    /// The data.
    pub data: Arc<LossData>,
    /// SHA-256 over shapes and values, and the loss.
    pub digest: String,
    /// What the reader decided and the user should know.
    pub notes: Vec<String>,
}

/// What the files hold: X and Y with a sample a column.
struct Read {
    inputs: Option<Matrix>,
    outputs: Matrix,
    weights: Option<Vec<f64>>,
    digest: String,
    notes: Vec<String>,
}

impl DataFiles {
    /// Reads samples, all of them, or a target, with the loss; samples must fit the widths, where any are given.
    ///
    /// # Errors
    /// If nothing is named, a file cannot be read, the data do not fit, or the loss has no meaning for them.
    pub fn read_loss(&self, spec: &LossSpec, widths: &[usize]) -> Result<ReadLossData> {
        if let Some(path) = &self.output_metric {
            return Err(InputError::new("an output metric belongs to the square loss")
                .file(path.display())
                .hint("leave out --output-metric, or --loss; weights of entries are those of the loss quadratic"));
        }
        let read = match (&self.target, &self.samples) {
            (Some(path), _) => of_target(spec, path)?,
            (None, Some(samples)) => self.of_samples(spec, samples, widths)?,
            (None, None) => {
                return Err(InputError::new("no data were given")
                    .hint("give --data FILE with X and Y, or --target FILE with a matrix"));
            }
        };
        let of_data = |error: InputError| match self.name() {
            Some(name) => error.file(name),
            None => error,
        };
        let of_loss = |error: InputError| match error.array.as_deref() {
            Some("X" | "Y") => of_data(error),
            _ => spec.name_file(error),
        };
        let observed = Observed::new(spec, read.outputs, read.weights.as_deref()).map_err(of_data)?;
        let kind = spec.kind(observed.observations.targets.shape(), read.inputs.is_none()).map_err(of_loss)?;
        // A metric of the entries of W is one of those of W X where X is the identity.
        let inputs = read.inputs.filter(|inputs| spec.is_entrywise() || spec.is_softmax() || !is_identity(inputs));
        let data = LossData::new(kind, inputs, observed.observations).map_err(of_loss)?;
        let notes = read.notes.into_iter().chain(observed.notes).collect();
        Ok(ReadLossData { data: Arc::new(data), digest: spec.digest(&read.digest), notes })
    }

    fn of_samples(&self, spec: &LossSpec, samples: &str, widths: &[usize]) -> Result<Read> {
        let labels = spec.find("labels");
        if labels.is_some() && self.options.autoencoder {
            return Err(spec.name_file(
                InputError::new("the loss has labels, but --task autoencoder takes Y = X")
                    .array("labels")
                    .hint("leave out one of them"),
            ));
        }
        let options = SampleOptions {
            expected: widths.first().copied().zip(widths.last().copied()),
            autoencoder: self.options.autoencoder || labels.is_some(),
            outputs: match labels {
                Some(_) => Outputs::Elsewhere,
                None if spec.is_softmax() => Outputs::Labels,
                None if spec.is_entrywise() => Outputs::WithGaps,
                None => Outputs::Numbers,
            },
            ..self.options.clone()
        };
        let kept = |x: usize, y: usize| Ok(Kept::new([x, y], read_weights_of_samples(&options)?, &options));
        let Passed { sink, mut notes, .. } = pass_by(samples, &options, kept)?;
        let (KeptSamples { inputs, outputs, weights }, digest) =
            sink.finish(labels).map_err(|error| error.file(samples))?;
        let classes = options.expected.map(|(_, outputs)| outputs);
        let outputs = match (outputs, labels) {
            (None, Some(labels)) => {
                if labels.values.len() != inputs.ncols() {
                    return Err(spec.name_file(
                        InputError::new("there must be one label for each sample").array("labels").value(format!(
                            "{} labels, {} samples",
                            labels.values.len(),
                            inputs.ncols()
                        )),
                    ));
                }
                from_labels(&labels.values, "labels", classes).map_err(|error| spec.name_file(error))?
            }
            (Some(outputs), _) if spec.is_softmax() && outputs.nrows() == 1 => {
                let labels: Vec<f64> = outputs.entries().collect();
                let outputs = from_labels(&labels, "Y", classes).map_err(|error| error.file(samples))?;
                notes.push(format!("Y has labels of {} classes", outputs.nrows()));
                outputs
            }
            (outputs, _) => outputs.unwrap_or_else(|| Matrix::zeros(0, inputs.ncols())),
        };
        Ok(Read { inputs: Some(inputs), outputs, weights, digest, notes })
    }
}

fn of_target(spec: &LossSpec, path: &Path) -> Result<Read> {
    if spec.find("labels").is_some() {
        return Err(spec.name_file(
            InputError::new("labels belong to samples, but the data are a target matrix")
                .array("labels")
                .hint("give --data FILE with X in place of --target"),
        ));
    }
    let target = read_target_with_gaps(path)?;
    Ok(Read { inputs: None, outputs: target.matrix, weights: None, digest: target.digest, notes: Vec::new() })
}

fn is_identity(matrix: &Matrix) -> bool {
    matrix.nrows() == matrix.ncols() && *matrix == Matrix::identity(matrix.nrows())
}
