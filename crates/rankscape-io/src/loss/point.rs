//! A point, or an architecture, with a loss, out of files.

use std::path::Path;

use super::data::ReadLossData;
use super::spec::LossSpec;
use crate::documents::{CertificateDigest, DiagnoseInputs, Normalization};
use crate::others::rewrite_weights;
use crate::pipe::{Kept, keep};
use crate::problem::{PointFiles, ReadLandscape, ReadPoint, as_stored};
use crate::weights::{Weights, read_weights};
use rankscape::architecture::Architecture;
use rankscape::error::{ErrorKind, InputError, Result};
use rankscape::escape::LossEscape;
use rankscape::problem::LossProblem;
use rankscape::tolerance::Tolerances;

/// A point with a loss that is not the square one, as it was read.
pub struct ReadLossPoint {
    /// The weights.
    pub weights: Weights,
    /// The problem.
    pub problem: LossProblem,
    /// Digest of the data and the loss.
    pub data_digest: String,
    /// What the readers decided and the user should know.
    pub notes: Vec<String>,
    /// Where it came from.
    pub files: PointFiles,
}

/// Widths and data with a loss that is not the square one, as they were read.
pub struct ReadLossLandscape {
    /// The widths.
    pub architecture: Architecture,
    /// The data.
    pub data: ReadLossData,
    /// Digest of the weights, where there are any.
    pub weights_digest: Option<String>,
}

/// A point with any loss.
pub enum AnyPoint {
    /// The square loss without gaps: the data are a triangular factor.
    Square(Box<ReadPoint>),
    /// Any other.
    Loss(Box<ReadLossPoint>),
}

/// Widths and data with any loss.
pub enum AnyLandscape {
    /// The square loss without gaps.
    Square(Box<ReadLandscape>),
    /// Any other.
    Loss(Box<ReadLossLandscape>),
}

/// What cannot be read because of entries that are missing may be read as a sum over the others.
fn has_gaps(error: &InputError) -> bool {
    matches!(error.kind, ErrorKind::NotFinite | ErrorKind::Missing)
}

impl PointFiles {
    /// Reads weights and data into a problem with this loss; without one, or for the square one without gaps, as
    /// [`PointFiles::read`].
    ///
    /// # Errors
    /// If a file cannot be read, shapes do not fit, or the loss has no meaning for the data.
    pub fn read_any(self, spec: Option<&LossSpec>, tolerances: &Tolerances) -> Result<AnyPoint> {
        let square = |read| AnyPoint::Square(Box::new(read));
        let Some(spec) = spec else { return self.read(tolerances).map(square) };
        let _kept = self.keep_streams(spec)?;
        if spec.is_square() {
            match self.clone().read(tolerances) {
                Err(error) if has_gaps(&error) => {}
                read => return read.map(square),
            }
        }
        self.read_loss(spec, tolerances).map(|read| AnyPoint::Loss(Box::new(read)))
    }

    /// Reads data, and weights for their widths only, or takes the widths that are given; likewise.
    ///
    /// # Errors
    /// As [`PointFiles::read_any`]; if there are neither widths nor weights.
    pub fn read_any_landscape(
        self,
        widths: Option<Vec<usize>>,
        spec: Option<&LossSpec>,
        tolerances: &Tolerances,
    ) -> Result<AnyLandscape> {
        let square = |read| AnyLandscape::Square(Box::new(read));
        let Some(spec) = spec else { return self.read_landscape(widths, tolerances).map(square) };
        let _kept = self.keep_streams(spec)?;
        if spec.is_square() {
            match self.clone().read_landscape(widths.clone(), tolerances) {
                Err(error) if has_gaps(&error) => {}
                read => return read.map(square),
            }
        }
        self.read_loss_landscape(widths, spec).map(|read| AnyLandscape::Loss(Box::new(read)))
    }

    /// What comes through a pipe is looked at twice.
    fn keep_streams(&self, spec: &LossSpec) -> Result<Vec<Kept>> {
        let named = [self.weights.as_deref(), self.data.samples.as_deref()].into_iter().flatten();
        let paths =
            named.filter(|_| spec.is_square()).flat_map(|name| name.split(',')).map(|name| Path::new(name.trim()));
        paths.chain(self.data.target.as_deref()).map(keep).collect()
    }

    /// Reads weights and data into a problem with this loss, all samples kept.
    ///
    /// # Errors
    /// As [`PointFiles::read_any`].
    pub fn read_loss(self, spec: &LossSpec, tolerances: &Tolerances) -> Result<ReadLossPoint> {
        let weights = read_weights(self.weights.clone().unwrap_or_default(), &self.reading)?;
        let ReadLossData { data, digest, mut notes } = self.data.read_loss(spec, &weights.widths())?;
        notes.splice(0..0, weights.notes.iter().cloned());
        self.check_integers_of(&weights)?;
        let problem =
            LossProblem::new(weights.parameters(), data, tolerances).map_err(|error| self.name_file(error))?;
        Ok(ReadLossPoint { weights, problem, data_digest: digest, notes, files: self })
    }

    fn read_loss_landscape(self, widths: Option<Vec<usize>>, spec: &LossSpec) -> Result<ReadLossLandscape> {
        let weights = match (&widths, &self.weights) {
            (Some(_), _) => None,
            (None, Some(file)) => Some(read_weights(file, &self.reading)?),
            (None, None) => {
                return Err(InputError::new("no widths were given")
                    .hint("give --widths d0,d1,...,dh, or --weights FILE whose widths are used"));
            }
        };
        if let Some(weights) = weights.as_ref().filter(|weights| weights.biases.iter().any(Option::is_some)) {
            let file = self.weights.unwrap_or_default();
            return Err(InputError::new("the landscape of this loss is that of networks without biases")
                .file(file)
                .array(weights.names.last().cloned().unwrap_or_default())
                .hint("give --widths d0,d1,...,dh; minima --offset has a constant output"));
        }
        let widths = widths.or_else(|| weights.as_ref().map(Weights::widths)).unwrap_or_default();
        let architecture = Architecture::new(widths)?;
        let mut data = self.data.read_loss(spec, architecture.widths())?;
        data.notes.splice(0..0, weights.iter().flat_map(|weights| weights.notes.clone()));
        Ok(ReadLossLandscape { architecture, data, weights_digest: weights.map(|weights| weights.digest) })
    }
}

impl ReadLossPoint {
    /// Digests of weights and data.
    pub fn digest(&self) -> CertificateDigest {
        CertificateDigest { weights: self.weights.digest.clone(), data: self.data_digest.clone() }
    }

    /// Writes the end of a path with the names and types of the weights; the notes say what else the file holds.
    ///
    /// # Errors
    /// If a number leaves the range of the type of the weights, or the file cannot be written.
    pub fn leave(&self, path: &Path, escape: &LossEscape) -> Result<Vec<String>> {
        let stored = as_stored(&self.weights, path, self.problem.parameters_of(&escape.end(&self.problem)))?;
        rewrite_weights(path, &stored, self.files.weights.as_deref().unwrap_or_default())
    }

    /// What documents say beside their answer.
    pub fn inputs(&self, normalization: Normalization, seed: u64) -> DiagnoseInputs {
        DiagnoseInputs {
            weights_digest: self.weights.digest.clone(),
            data_digest: self.data_digest.clone(),
            samples: self.problem.data().samples() as u64,
            from_target: self.files.data.target.is_some(),
            data_rank: 0,
            notes: self.notes.clone(),
            normalization,
            seed,
            tolerances: *self.problem.tolerances(),
            learning_rate: None,
        }
    }
}
