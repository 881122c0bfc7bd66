//! A problem out of files: weights, data or a target, an output metric; with what the documents say of them.

use std::path::{Path, PathBuf};

use super::array::check_integers;
use super::documents::{CertificateDigest, DiagnoseInputs, Normalization};
use super::examples::{EXAMPLE_NAMES, example};
use super::others::rewrite_weights;
use super::sample_options::SampleOptions;
use super::samples::read_samples;
use super::target::{read_matrix, read_target};
use super::weight_options::WeightOptions;
use super::weights::{Weights, read_weights};
use rankscape::answers::{Diagnosis, Settings, leave};
use rankscape::architecture::Architecture;
use rankscape::error::{InputError, Result};
use rankscape::escape::{Destination, Leave};
use rankscape::linalg::Matrix;
use rankscape::multiplication::{ExactFactors, Factors, MapPoint};
use rankscape::problem::{Data, GivenParameters, Landscape, Problem};
use rankscape::tolerance::Tolerances;

/// Where data come from.
#[derive(Debug, Clone, Default)]
pub struct DataFiles {
    /// Samples: a file, or `X.npy,Y.npy`.
    pub samples: Option<String>,
    /// How the samples are read; the widths to expect are those of the weights.
    pub options: SampleOptions,
    /// A matrix `Y` in place of samples.
    pub target: Option<PathBuf>,
    /// A symmetric positive definite matrix `M`.
    pub output_metric: Option<PathBuf>,
}

/// Where weights and data come from.
#[derive(Debug, Clone, Default)]
pub struct PointFiles {
    /// Weights.
    pub weights: Option<String>,
    /// How the weights are read.
    pub reading: WeightOptions,
    /// The data.
    pub data: DataFiles,
}

/// Data with their digest and what the reader decided.
#[derive(Debug, Clone)]
pub struct ReadData {
    /// The data.
    pub data: Data,
    /// SHA-256 over shapes and values.
    pub digest: String,
    /// What the reader decided and the user should know.
    pub notes: Vec<String>,
}

impl DataFiles {
    /// Reads samples or a target; samples must fit the widths, where any are given.
    ///
    /// # Errors
    /// If nothing is named, a file cannot be read, or the data do not fit.
    pub fn read(&self, widths: &[usize]) -> Result<ReadData> {
        if let Some(path) = &self.target {
            let target = read_target(path)?;
            return Ok(ReadData { digest: target.digest.clone(), data: target.into_data(), notes: Vec::new() });
        }
        let Some(samples) = &self.samples else {
            return Err(InputError::new("no data were given")
                .hint("give --data FILE with X and Y, --target FILE with a matrix, or --example digits"));
        };
        let expected = widths.first().copied().zip(widths.last().copied());
        let samples = read_samples(samples, &SampleOptions { expected, ..self.options.clone() })?;
        let (digest, notes) = (samples.digest.clone(), samples.notes.clone());
        Ok(ReadData { data: samples.into_data()?, digest, notes })
    }

    /// Reads the output metric.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn output_metric(&self) -> Result<Option<Matrix>> {
        let metric = self.output_metric.as_ref().map(|path| read_matrix(path, "M")).transpose()?;
        Ok(metric.map(|metric| metric.matrix))
    }

    /// The file that holds them.
    pub(super) fn name(&self) -> Option<String> {
        self.target.as_ref().map(|path| path.display().to_string()).or(self.samples.clone())
    }
}

impl PointFiles {
    /// The files of a shipped example in place of those named.
    ///
    /// # Errors
    /// If there is no example of this name; the names are [`EXAMPLE_NAMES`].
    pub fn of_example(self, name: &str) -> Result<Self> {
        let Some((weights, autoencoder)) = example(name) else {
            return Err(InputError::new("there is no example of this name")
                .value(name)
                .hint(format!("the examples are {}", EXAMPLE_NAMES.join(", "))));
        };
        let options = SampleOptions { autoencoder, ..self.data.options };
        let samples = Some("example:digits/digits.npz".to_owned());
        let data = DataFiles { samples, options, target: None, ..self.data };
        Ok(Self { weights: Some(weights.to_owned()), data, ..self })
    }

    /// Reads weights and data into a problem.
    ///
    /// # Errors
    /// If a file cannot be read, the widths do not fit, or a whole number would be rounded.
    pub fn read(self, tolerances: &Tolerances) -> Result<ReadPoint> {
        let (weights, data) = self.open()?;
        self.prepare(weights, data, tolerances)
    }

    /// Weights and data that fit each other.
    pub(super) fn open(&self) -> Result<(Weights, ReadData)> {
        let weights = read_weights(self.weights.clone().unwrap_or_default(), &self.reading)?;
        let read = self.data.read(&weights.widths())?;
        self.check_exactness(&weights, &read.data)?;
        Ok((weights, read))
    }

    /// Makes them a problem.
    pub(super) fn prepare(self, weights: Weights, read: ReadData, tolerances: &Tolerances) -> Result<ReadPoint> {
        let ReadData { data, digest, mut notes } = read;
        notes.splice(0..0, weights.notes.iter().cloned());
        notes.extend(note_on_biases(&weights.biases));
        let parameters = weights.parameters().with_output_metric(self.data.output_metric()?);
        let problem = Problem::with_tolerances(parameters, data, tolerances).map_err(|error| self.name_file(error))?;
        Ok(ReadPoint { weights, problem, data_digest: digest, notes, files: self })
    }

    /// Reads data, and weights for their widths and biases only, or takes the widths that are given.
    ///
    /// # Errors
    /// If there are neither widths nor weights, a file cannot be read, or the widths do not fit.
    pub fn read_landscape(self, widths: Option<Vec<usize>>, tolerances: &Tolerances) -> Result<ReadLandscape> {
        let weights = match (&widths, &self.weights) {
            (Some(_), _) => None,
            (None, Some(file)) => Some(read_weights(file, &self.reading)?),
            (None, None) => {
                return Err(InputError::new("no widths were given")
                    .hint("give --widths d0,d1,...,dh, --weights FILE whose widths are used, or --example digits"));
            }
        };
        let widths = widths.or_else(|| weights.as_ref().map(Weights::widths)).unwrap_or_default();
        let architecture = Architecture::new(widths)?;
        let ReadData { data, digest, mut notes } = self.data.read(architecture.widths())?;
        let named = |error: InputError| self.name_file(error);
        let output_metric = self.data.output_metric()?;
        let landscape = match &weights {
            Some(weights) => {
                notes.splice(0..0, weights.notes.iter().cloned());
                notes.extend(note_on_biases(&weights.biases));
                let parameters = weights.parameters().with_output_metric(output_metric);
                Landscape::from(&Problem::with_tolerances(parameters, data, tolerances).map_err(named)?)
            }
            None => Landscape::new(architecture, &data, output_metric.as_ref(), tolerances).map_err(named)?,
        };
        Ok(ReadLandscape {
            landscape,
            has_biases: weights.as_ref().is_some_and(|weights| weights.biases.iter().any(Option::is_some)),
            weights_digest: weights.map(|weights| weights.digest),
            data_digest: digest,
            notes,
            files: self,
        })
    }

    /// Names the file that holds the array of an error about a whole problem.
    pub fn name_file(&self, error: InputError) -> InputError {
        let path = match error.array.as_deref() {
            Some("output metric") => self.data.output_metric.as_ref().map(|path| path.display().to_string()),
            Some("data") => self.data.name(),
            _ => None,
        };
        match path.or(self.weights.clone()) {
            Some(path) => error.file(path),
            None => error,
        }
    }

    /// Exact weights beside data in floating point are used in floating point, and the other way round: no whole number may be
    /// rounded by that.
    pub(super) fn check_exactness(&self, weights: &Weights, data: &Data) -> Result<()> {
        match (&weights.exact, data.exact_matrices()) {
            (Some(_), None) => self.check_integers_of(weights),
            (None, Some(matrices)) => {
                let file = self.data.name().unwrap_or_default();
                let mut named = matrices.into_iter();
                named.try_for_each(|(name, matrix)| check_integers(name, matrix)).map_err(|error| error.file(file))
            }
            _ => Ok(()),
        }
    }
}

impl PointFiles {
    /// No whole number of exact weights may be rounded where the rest is in floating point.
    pub(super) fn check_integers_of(&self, weights: &Weights) -> Result<()> {
        let mut named = weights.names.iter().zip(weights.exact.iter().flatten());
        let file = self.weights.clone().unwrap_or_default();
        named.try_for_each(|(name, matrix)| check_integers(name, matrix)).map_err(|error| error.file(file))
    }
}

/// A point as it was read.
pub struct ReadPoint {
    /// The weights.
    pub weights: Weights,
    /// The problem.
    pub problem: Problem,
    /// Digest of the data or the target.
    pub data_digest: String,
    /// What the readers decided and the user should know.
    pub notes: Vec<String>,
    /// Where it came from.
    pub files: PointFiles,
}

impl ReadPoint {
    /// The digests of weights and data.
    pub fn digest(&self) -> CertificateDigest {
        CertificateDigest { weights: self.weights.digest.clone(), data: self.data_digest.clone() }
    }

    /// The data are a target matrix.
    pub fn is_target(&self) -> bool {
        self.files.data.target.is_some()
    }

    /// What documents say beside their answer.
    pub fn inputs(&self, normalization: Normalization, seed: u64) -> DiagnoseInputs {
        DiagnoseInputs {
            weights_digest: self.weights.digest.clone(),
            data_digest: self.data_digest.clone(),
            samples: self.problem.samples(),
            from_target: self.is_target(),
            data_rank: self.problem.whitening().rank.rank,
            notes: self.notes.clone(),
            normalization,
            seed,
            tolerances: *self.problem.tolerances(),
            learning_rate: None,
        }
    }

    /// Writes weights that have left the point, if anything is lower; with what is to be said of the file.
    ///
    /// # Errors
    /// If a number leaves the range of the type of the weights, or the file cannot be written.
    pub fn leave(
        &self,
        path: &Path,
        found: &Diagnosis,
        to: Destination,
        settings: Settings,
    ) -> Result<Option<(Leave, Vec<String>)>> {
        let stored = |parameters| {
            let stored = as_stored(&self.weights, path, parameters)?;
            Ok((stored.matrices, stored.biases))
        };
        let left = leave(&self.problem, found, to, settings, &stored)?;
        let written = |left: Leave| {
            let notes = self.write_parameters(path, (left.matrices.clone(), left.biases.clone()))?;
            Ok((left, notes))
        };
        left.map(written).transpose()
    }

    /// Writes other factors of the analysed problem with the names and types of the weights; the notes say what else the file
    /// holds.
    ///
    /// # Errors
    /// As [`ReadPoint::leave`].
    pub fn write(&self, path: &Path, factors: &Factors) -> Result<Vec<String>> {
        self.write_parameters(path, self.problem.parameters_at(factors))
    }

    /// Writes the nearest critical point, likewise.
    ///
    /// # Errors
    /// As [`ReadPoint::leave`].
    pub fn write_near(&self, path: &Path, factors: &Factors) -> Result<Vec<String>> {
        self.write_parameters(path, self.problem.parameters_near(factors))
    }

    fn write_parameters(&self, path: &Path, parameters: GivenParameters) -> Result<Vec<String>> {
        let weights = as_stored(&self.weights, path, parameters)?;
        rewrite_weights(path, &weights, self.files.weights.as_deref().unwrap_or_default())
    }
}

/// Parameters as the types of the weights hold them, to be written to this file.
pub(crate) fn as_stored(weights: &Weights, path: &Path, (matrices, biases): GivenParameters) -> Result<Weights> {
    weights.with_parameters(matrices, biases).map_err(|error| {
        error.file(path.display()).hint(
            "the weights to be written leave the range of the type of those that were read; store those in a wider one",
        )
    })
}

/// Data with the widths that were given, or those of the weights, as they were read.
pub struct ReadLandscape {
    /// The landscape.
    pub landscape: Landscape,
    /// The weights have biases.
    pub has_biases: bool,
    /// Digest of the weights, where there are any.
    pub weights_digest: Option<String>,
    /// Digest of the data or the target.
    pub data_digest: String,
    /// What the readers decided and the user should know.
    pub notes: Vec<String>,
    /// Where it came from.
    pub files: PointFiles,
}

/// The point of the product map of a weight file.
///
/// # Errors
/// If the file cannot be read or its matrices do not fit.
pub fn read_map_point(path: &Path, options: &WeightOptions, tolerances: &Tolerances) -> Result<(Weights, MapPoint)> {
    let weights = read_weights(path, options)?;
    let point = match &weights.exact {
        Some(exact) => ExactFactors::new(exact.clone()).and_then(MapPoint::exact),
        None => Factors::new(weights.matrices.clone())
            .map(|factors| MapPoint::stored(factors, weights.unit_roundoff, tolerances)),
    };
    let point = point.map_err(|error| error.file(path.display()))?;
    Ok((weights, point))
}

/// What becomes of biases.
fn note_on_biases(biases: &[Option<Vec<f64>>]) -> Option<String> {
    let last = biases.iter().rposition(Option::is_some)?;
    let note = if last + 1 == biases.len() {
        "with the output bias, X and Y are centred; biases of other layers are flat directions at critical points"
    } else {
        "the bias of the first layer is the weight of a constant feature, which counts as one more input"
    };
    Some(note.to_owned())
}
