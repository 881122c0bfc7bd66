//! What a run reads, out of its arguments.

use rankscape::{InputError, Tolerances};
use rankscape_io::documents::{DiagnoseInputs, Normalization};
use rankscape_io::loss::{AnyLandscape, AnyPoint, LossSpec};
use rankscape_io::{Convention, DataFiles, Outputs, PointFiles, ReadPoint, SampleOptions, WeightOptions};

use crate::arguments::{CriticalOptions, PointOptions};
use crate::data_arguments::{ConventionName, DataOptions, NormalizationName, ReadingOptions, Task};
use crate::run::Run;

impl DataOptions {
    /// The files of the data.
    pub(crate) fn files(&self, run: &Run<'_>) -> DataFiles {
        let options = SampleOptions {
            expected: None,
            autoencoder: self.task == Task::Autoencoder,
            inputs: self.inputs,
            sample_weights: self.sample_weights.clone(),
            threads: run.threads(),
            x: self.x.clone(),
            y: self.y.clone(),
            one_hot: self.one_hot,
            outputs: Outputs::Numbers,
        };
        DataFiles {
            samples: self.data.clone(),
            options,
            target: self.target.clone(),
            output_metric: self.output_metric.clone(),
        }
    }
}

impl ReadingOptions {
    /// How a weight file is read.
    pub(crate) fn weight_options(&self) -> WeightOptions {
        let convention = self.convention.map(|name| match name {
            ConventionName::Torch => Convention::Torch,
            ConventionName::Flax => Convention::Flax,
        });
        WeightOptions { layers: self.layers.clone(), biases: self.biases.clone(), convention }
    }
}

/// The files of an example, or those named.
fn files(
    example: Option<&String>,
    weights: Option<&String>,
    reading: &ReadingOptions,
    data: &DataOptions,
    run: &Run<'_>,
) -> Result<PointFiles, InputError> {
    let files = PointFiles { weights: weights.cloned(), reading: reading.weight_options(), data: data.files(run) };
    match example {
        Some(name) => files.of_example(name),
        None => Ok(files),
    }
}

impl PointOptions {
    /// Reads weights and data with a loss.
    pub(crate) fn read_any(&self, spec: Option<&LossSpec>, run: &Run<'_>) -> Result<AnyPoint, InputError> {
        let files = files(self.example.as_ref(), self.weights.as_ref(), &self.reading, &self.data, run)?;
        files.read_any(spec, &tolerances(&self.tolerances)?)
    }

    /// Reads weights and data.
    pub(crate) fn read(&self, run: &Run<'_>) -> Result<(ReadPoint, DiagnoseInputs), InputError> {
        let files = files(self.example.as_ref(), self.weights.as_ref(), &self.reading, &self.data, run)?;
        let read = files.read(&tolerances(&self.tolerances)?)?;
        let inputs = read.inputs(self.normalization.into(), run.seed());
        Ok((read, inputs))
    }
}

impl CriticalOptions {
    /// Reads data and a loss with the widths that were given, those of the weights, or those of the example.
    pub(crate) fn read_any(&self, spec: Option<&LossSpec>, run: &Run<'_>) -> Result<AnyLandscape, InputError> {
        let files = files(self.example.as_ref(), self.weights.as_ref(), &self.reading, &self.data, run)?;
        files.read_any_landscape(self.widths.clone(), spec, &tolerances(&self.tolerances)?)
    }
}

pub(crate) fn tolerances(settings: &[String]) -> Result<Tolerances, InputError> {
    let mut tolerances = Tolerances::default();
    for setting in settings {
        let parsed = setting.split_once('=').and_then(|(name, value)| Some((name, value.trim().parse::<f64>().ok()?)));
        let (name, value) = parsed.ok_or_else(|| {
            InputError::new("a tolerance is given as NAME=VALUE").value(setting).hint("for example --tolerance rank=16")
        })?;
        tolerances.set(name.trim(), value)?;
    }
    Ok(tolerances)
}

impl From<NormalizationName> for Normalization {
    fn from(name: NormalizationName) -> Self {
        match name {
            NormalizationName::Sum => Self::Sum,
            NormalizationName::Mean => Self::Mean,
            NormalizationName::Mse => Self::Mse,
        }
    }
}
