//! What a run reads: where weights and data come from, and how they are read.

use std::path::Path;

use rankscape::answers::{Diagnosis, leave};
use rankscape::architecture::Architecture;
use rankscape::escape::{Destination, Leave};
use rankscape::multiplication::{ExactFactors, Factors, MapPoint};
use rankscape::problem::{Data, GivenParameters, Landscape, Problem};
use rankscape::{InputError, Matrix, Tolerances};
use rankscape_io::documents::{CertificateDigest, DiagnoseInputs, Normalization};
use rankscape_io::{
    Convention, SampleOptions, WeightOptions, Weights, check_integers, read_matrix, read_samples, read_target,
    read_weights, rewrite_weights,
};

use crate::arguments::{
    ConventionName, CriticalOptions, DataOptions, DestinationName, NormalizationName, PointOptions, ReadingOptions,
    Task, WeightFileOptions,
};
use crate::run::Run;

/// Shipped examples: name, weights, data, whether it is an autoencoder.
const EXAMPLES: [(&str, &str, bool); 7] = [
    ("digits", "plateau", true),
    ("digits-early", "early", true),
    ("digits-converged", "converged", true),
    ("digits-classifier", "classifier-plateau", false),
    ("digits-classifier-passing", "classifier-passing", false),
    ("digits-classifier-early", "classifier-early", false),
    ("digits-classifier-converged", "classifier-converged", false),
];

/// Where weights and data come from.
pub(crate) struct Source {
    pub(crate) weights: Option<String>,
    data: Option<String>,
    autoencoder: bool,
}

impl Source {
    /// The files of an example, or those named.
    pub(crate) fn new(example: Option<&str>, weights: Option<&str>, data: &DataOptions) -> Result<Self, InputError> {
        let Some(name) = example else {
            return Ok(Self {
                weights: weights.map(str::to_owned),
                data: data.data.clone(),
                autoencoder: data.task == Task::Autoencoder,
            });
        };
        let Some((_, file, autoencoder)) = EXAMPLES.iter().find(|(known, ..)| *known == name) else {
            let names: Vec<&str> = EXAMPLES.iter().map(|example| example.0).collect();
            return Err(InputError::new("there is no example of this name")
                .value(name)
                .hint(format!("the examples are {}", names.join(", "))));
        };
        Ok(Self {
            weights: Some(format!("example:digits/{file}.safetensors")),
            data: Some("example:digits/digits.npz".to_owned()),
            autoencoder: *autoencoder,
        })
    }

    /// Data, digest and notes; samples must fit the widths.
    pub(crate) fn read_data(
        &self,
        options: &DataOptions,
        widths: &[usize],
        run: &Run<'_>,
    ) -> Result<(Data, String, Vec<String>), InputError> {
        if let Some(path) = &options.target {
            let target = read_target(path)?;
            let digest = target.digest.clone();
            return Ok((target.into_data(), digest, Vec::new()));
        }
        let Some(data) = &self.data else {
            return Err(InputError::new("no data were given")
                .hint("give --data FILE with X and Y, --target FILE with a matrix, or --example digits"));
        };
        let samples = read_samples(
            data,
            &SampleOptions {
                expected: widths.first().copied().zip(widths.last().copied()),
                autoencoder: self.autoencoder,
                inputs: options.inputs,
                sample_weights: options.sample_weights.clone(),
                threads: run.threads(),
                x: options.x.clone(),
                y: options.y.clone(),
                one_hot: options.one_hot,
            },
        )?;
        let (digest, notes) = (samples.digest.clone(), samples.notes.clone());
        Ok((samples.into_data()?, digest, notes))
    }

    /// Names the file that holds the array of an error about a whole problem.
    pub(crate) fn name_file(&self, error: InputError, options: &DataOptions) -> InputError {
        let path = match error.array.as_deref() {
            Some("output metric") => options.output_metric.as_ref().map(|path| path.display().to_string()),
            Some("data") => options.target.as_ref().map(|path| path.display().to_string()).or(self.data.clone()),
            _ => None,
        };
        match path.or(self.weights.clone()) {
            Some(path) => error.file(path),
            None => error,
        }
    }
}

impl DataOptions {
    /// The matrix of `--output-metric`.
    pub(crate) fn output_metric(&self) -> Result<Option<Matrix>, InputError> {
        let metric = self.output_metric.as_ref().map(|path| read_matrix(path, "M")).transpose()?;
        Ok(metric.map(|metric| metric.matrix))
    }
}

/// A point as it was read, with what the documents say of it.
pub(crate) struct ReadPoint {
    pub(crate) weights: Weights,
    pub(crate) problem: Problem,
    pub(crate) inputs: DiagnoseInputs,
    /// The data are a target matrix.
    pub(crate) target: bool,
    source: Source,
}

impl ReadPoint {
    /// Reads weights and data.
    pub(crate) fn new(options: &PointOptions, run: &Run<'_>) -> Result<Self, InputError> {
        let tolerances = tolerances(&options.tolerances)?;
        let source = Source::new(options.example.as_deref(), options.weights.as_deref(), &options.data)?;
        let file = source.weights.clone().unwrap_or_default();
        let weights = read_weights(&file, &options.reading.weight_options())?;
        let (data, data_digest, mut notes) = source.read_data(&options.data, &weights.widths(), run)?;
        notes.splice(0..0, weights.notes.iter().cloned());
        notes.extend(note_on_biases(&weights.biases));
        check_exactness(&weights, &data, &source, options.data.target.as_deref())?;
        let parameters = weights.parameters().with_output_metric(options.data.output_metric()?);
        let problem = Problem::with_tolerances(parameters, data, &tolerances)
            .map_err(|error| source.name_file(error, &options.data))?;
        let inputs = DiagnoseInputs {
            weights_digest: weights.digest.clone(),
            data_digest,
            samples: problem.samples(),
            from_target: options.data.target.is_some(),
            data_rank: problem.whitening().rank.rank,
            notes,
            normalization: normalization(options.normalization),
            seed: run.seed(),
            tolerances,
            learning_rate: None,
        };
        Ok(Self { weights, problem, inputs, target: options.data.target.is_some(), source })
    }

    pub(crate) fn digest(&self) -> CertificateDigest {
        CertificateDigest { weights: self.weights.digest.clone(), data: self.inputs.data_digest.clone() }
    }

    /// Names the file that holds the array of an error about the whole problem.
    pub(crate) fn name_file(&self, error: InputError, options: &PointOptions) -> InputError {
        self.source.name_file(error, &options.data)
    }

    /// Writes weights that have left the point, if anything is lower; with what is to be said of the file.
    pub(crate) fn leave(
        &self,
        path: &Path,
        found: &Diagnosis,
        to: DestinationName,
        run: &Run<'_>,
    ) -> Result<Option<(Leave, Vec<String>)>, InputError> {
        let to = match to {
            DestinationName::Next => Destination::Next,
            DestinationName::Minimum => Destination::Minimum,
        };
        let stored = |parameters| {
            let stored = self.as_stored(path, parameters)?;
            Ok((stored.matrices, stored.biases))
        };
        let left = leave(&self.problem, found, to, run.settings(), &stored)?;
        let written = |left: Leave| {
            let notes = self.write_parameters(path, (left.matrices.clone(), left.biases.clone()))?;
            Ok((left, notes))
        };
        left.map(written).transpose()
    }

    /// Writes other factors of the analysed problem with the names and types of the weights; the notes say what else the file
    /// holds.
    pub(crate) fn write(&self, path: &Path, factors: &Factors) -> Result<Vec<String>, InputError> {
        self.write_parameters(path, self.problem.parameters_at(factors))
    }

    /// Writes the nearest critical point, likewise.
    pub(crate) fn write_near(&self, path: &Path, factors: &Factors) -> Result<Vec<String>, InputError> {
        self.write_parameters(path, self.problem.parameters_near(factors))
    }

    fn write_parameters(&self, path: &Path, parameters: GivenParameters) -> Result<Vec<String>, InputError> {
        let weights = self.as_stored(path, parameters)?;
        rewrite_weights(path, &weights, self.source.weights.as_deref().unwrap_or_default())
    }

    /// Parameters as the types of the weights hold them, to be written to this file.
    fn as_stored(&self, path: &Path, (matrices, biases): GivenParameters) -> Result<Weights, InputError> {
        self.weights.with_parameters(matrices, biases).map_err(|error| {
            error.file(path.display()).hint(
                "the weights to be written leave the range of the type of those that were read; store those in a wider one",
            )
        })
    }
}

/// Data with the widths that were given, those of the weights, or those of the example, as they were read.
pub(crate) struct ReadLandscape {
    pub(crate) landscape: Landscape,
    pub(crate) has_biases: bool,
    pub(crate) weights_digest: Option<String>,
    pub(crate) data_digest: String,
    pub(crate) notes: Vec<String>,
    source: Source,
}

impl ReadLandscape {
    pub(crate) fn new(options: &CriticalOptions, run: &Run<'_>) -> Result<Self, InputError> {
        let tolerances = tolerances(&options.tolerances)?;
        let source = Source::new(options.example.as_deref(), options.weights.as_deref(), &options.data)?;
        let weights = match (&options.widths, &source.weights) {
            (Some(_), _) => None,
            (None, Some(file)) => Some(read_weights(file, &options.reading.weight_options())?),
            (None, None) => {
                return Err(InputError::new("no widths were given")
                    .hint("give --widths d0,d1,...,dh, --weights FILE whose widths are used, or --example digits"));
            }
        };
        let widths = options.widths.clone().or_else(|| weights.as_ref().map(Weights::widths)).unwrap_or_default();
        let architecture = Architecture::new(widths)?;
        let (data, data_digest, mut notes) = source.read_data(&options.data, architecture.widths(), run)?;
        let named = |error: InputError| source.name_file(error, &options.data);
        let output_metric = options.data.output_metric()?;
        let landscape = match &weights {
            Some(weights) => {
                notes.splice(0..0, weights.notes.iter().cloned());
                notes.extend(note_on_biases(&weights.biases));
                let parameters = weights.parameters().with_output_metric(output_metric);
                Landscape::from(&Problem::with_tolerances(parameters, data, &tolerances).map_err(named)?)
            }
            None => Landscape::new(architecture, &data, output_metric.as_ref(), &tolerances).map_err(named)?,
        };
        Ok(Self {
            landscape,
            has_biases: weights.as_ref().is_some_and(|weights| weights.biases.iter().any(Option::is_some)),
            weights_digest: weights.map(|weights| weights.digest),
            data_digest,
            notes,
            source,
        })
    }

    /// Names the file of an error about the whole problem.
    pub(crate) fn name_file(&self, error: InputError, options: &CriticalOptions) -> InputError {
        self.source.name_file(error, &options.data)
    }
}

/// The point of the product map of a weight file.
pub(crate) fn read_map_point(
    path: &Path,
    options: &WeightFileOptions,
    tolerances: &Tolerances,
) -> Result<(Weights, MapPoint), InputError> {
    let weights = read_weights(path, &options.reading.weight_options())?;
    let point = match &weights.exact {
        Some(exact) => ExactFactors::new(exact.clone()).and_then(MapPoint::exact),
        None => Factors::new(weights.matrices.clone())
            .map(|factors| MapPoint::stored(factors, weights.unit_roundoff, tolerances)),
    };
    let point = point.map_err(|error| error.file(path.display()))?;
    Ok((weights, point))
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

/// Exact weights beside data in floating point are used in floating point, and the other way round: no whole number may be
/// rounded by that.
fn check_exactness(weights: &Weights, data: &Data, source: &Source, target: Option<&Path>) -> Result<(), InputError> {
    let name = target.map(|path| path.display().to_string()).or(source.data.clone());
    match (&weights.exact, data.exact_matrices()) {
        (Some(matrices), None) => {
            let file = source.weights.clone().unwrap_or_default();
            let mut named = weights.names.iter().zip(matrices);
            named.try_for_each(|(name, matrix)| check_integers(name, matrix)).map_err(|error| error.file(file))
        }
        (None, Some(matrices)) => {
            let mut named = matrices.into_iter();
            let file = name.unwrap_or_default();
            named.try_for_each(|(name, matrix)| check_integers(name, matrix)).map_err(|error| error.file(file))
        }
        _ => Ok(()),
    }
}

/// What becomes of biases.
pub(crate) fn note_on_biases(biases: &[Option<Vec<f64>>]) -> Option<String> {
    let last = biases.iter().rposition(Option::is_some)?;
    let note = if last + 1 == biases.len() {
        "with the output bias, X and Y are centred; biases of other layers are flat directions at critical points"
    } else {
        "the bias of the first layer is the weight of a constant feature, which counts as one more input"
    };
    Some(note.to_owned())
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

pub(crate) fn normalization(name: NormalizationName) -> Normalization {
    match name {
        NormalizationName::Sum => Normalization::Sum,
        NormalizationName::Mean => Normalization::Mean,
        NormalizationName::Mse => Normalization::Mse,
    }
}
