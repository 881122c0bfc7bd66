//! What is asked of the readers of samples, and what they give.

use std::path::PathBuf;

use rankscape::data::SampleFactor;
use rankscape::error::{ErrorKind, InputError, Result};
use rankscape::linalg::exact::RationalMatrix;
use rankscape::problem::{Data, ExactSamples};

/// Exact values of the data are kept up to this many entries of X and Y together; beyond, results are certified or
/// numerical.
pub const EXACT_ENTRIES_LIMIT: usize = 1 << 16;

/// How samples are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleOptions {
    /// Inputs and outputs of the network, to check the data against.
    pub expected: Option<(usize, usize)>,
    /// Take Y = X; outputs in the file are ignored.
    pub autoencoder: bool,
    /// The first so many columns of a table are inputs, the others outputs.
    pub inputs: Option<usize>,
    /// A file with one weight for each sample.
    pub sample_weights: Option<PathBuf>,
    /// Threads that factor the blocks.
    pub threads: usize,
    /// Name of the array with the inputs, or of the columns, separated by commas; by default by their names.
    pub x: Option<String>,
    /// Likewise for the outputs.
    pub y: Option<String>,
    /// Y has labels 0, 1, ...: one column for each class in its place.
    pub one_hot: bool,
}

impl Default for SampleOptions {
    fn default() -> Self {
        Self {
            expected: None,
            autoencoder: false,
            inputs: None,
            sample_weights: None,
            threads: 1,
            x: None,
            y: None,
            one_hot: false,
        }
    }
}

/// Data as the rest of the library uses them.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// The triangular factor of `[1, x', y']`.
    pub factor: SampleFactor,
    /// X and Y with samples as rows, where every number is an integer or a fraction in JSON, there are no sample
    /// weights, and the entries are at most [`EXACT_ENTRIES_LIMIT`].
    pub exact: Option<(RationalMatrix, RationalMatrix)>,
    /// What the reader decided and the user should know.
    pub notes: Vec<String>,
    /// Unit roundoff of the shortest type among the arrays.
    pub unit_roundoff: f64,
    /// SHA-256 over shapes and values, the same whatever the format of the file.
    pub digest: String,
}

impl Samples {
    /// The data, for a [`Problem`](rankscape::problem::Problem).
    ///
    /// # Errors
    /// As [`ExactSamples::new`]: none for samples that were read.
    pub fn into_data(self) -> Result<Data> {
        match self.exact {
            Some((x, _)) if self.factor.is_mirrored() => {
                Ok(Data::ExactSamples(Box::new(ExactSamples::autoencoder(x)?)))
            }
            Some((x, y)) => Ok(Data::ExactSamples(Box::new(ExactSamples::new(x, y)?))),
            None => Ok(Data::from(self.factor)),
        }
    }
}

/// What to do about an entry of Y that was not observed.
const PLAN: &str = "an entry that was not observed has weight 0 in a weighted loss, once those are read: \
                    until then leave its sample out";

/// The error about samples, with what to do where a number of Y is missing.
pub(super) fn with_plan(error: InputError, in_outputs: bool) -> InputError {
    let is_missing = matches!(error.kind, ErrorKind::NotFinite | ErrorKind::Missing);
    if in_outputs && is_missing { InputError { hint: Some(PLAN.into()), ..error } } else { error }
}
