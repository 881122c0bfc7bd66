//! What is asked of the readers of samples, and what they give.

use std::path::PathBuf;

use rankscape::data::SampleFactor;
use rankscape::error::{ErrorKind, InputError, Result};
use rankscape::linalg::exact::RationalMatrix;
use rankscape::problem::{Data, ExactSamples};

/// Exact values of the data are kept up to this many entries of X and Y together; beyond, results are certified or
/// numerical.
pub const EXACT_ENTRIES_LIMIT: usize = 1 << 16;

/// What the outputs in a file of samples may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Outputs {
    /// Numbers, all of them there.
    #[default]
    Numbers,
    /// Numbers; an entry that was not observed is NaN, null or empty.
    WithGaps,
    /// One column of labels, or one column of numbers for each output.
    Labels,
    /// Not in the file.
    Elsewhere,
}

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
    /// What Y may be.
    pub outputs: Outputs,
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
            outputs: Outputs::default(),
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

/// The error about samples, with what to do where a number of Y is missing.
pub(super) fn with_plan(error: InputError, in_outputs: bool, outputs: Outputs) -> InputError {
    let is_missing = matches!(error.kind, ErrorKind::NotFinite | ErrorKind::Missing);
    if !(in_outputs && is_missing) {
        return error;
    }
    let plan = match outputs {
        Outputs::Numbers => {
            "an entry that was not observed has weight 0 in a weighted loss: add --loss square, or leave its sample out"
        }
        Outputs::WithGaps => {
            "for an entry that was not observed write null in JSON, nothing in a table, and NaN in an array"
        }
        Outputs::Labels | Outputs::Elsewhere => "this loss needs every label: leave the sample out",
    };
    InputError { hint: Some(plan.into()), ..error }
}
