//! The rank of the Jacobian of predictions as a document.

use serde::Serialize;

use super::RunDocument;
use super::digests::Digest;
use super::point::{EvidenceDocument, TolerancesDocument};
use crate::words::{Word, words};
use rankscape::answers::{PredictorAnswer, Regime};
use rankscape::critical::Origin;
use rankscape::evidence::Grade;
use rankscape::tolerance::Tolerances;

words! {
    /// Which map.
    pub enum MapName {
        /// The plain product.
        Linear = "linear",
        /// All factors but the last divided by their norms.
        Normalized = "normalized",
        /// An activation after every layer.
        Pyramidal = "pyramidal",
        /// Filters with strides.
        Convolutional = "convolutional",
        /// Filters modulo x^n - 1.
        Circulant = "circulant",
        /// Layers beside the identity.
        SkipResidual = "skip_residual",
        /// A product beside the identity.
        SkipIdentityPlusProduct = "skip_identity_plus_product",
        /// A product beside a matrix.
        SkipProductPlusMatrix = "skip_product_plus_matrix",
    }
}

/// The rank of the Jacobian of the predictions at the weights on the data, beside the rank at generic parameters. Undecided and undefined
/// values are null.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PredictorDocument {
    /// Name and version of this format.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "rankscape.predictor/1")))]
    pub schema: &'static str,
    /// Seed of everything random.
    pub seed: u64,
    /// SHA-256 over shapes and values, the same whatever the format of the files.
    pub digest: PredictorDigest,
    /// Which map.
    pub map: Word<MapName>,
    /// Number of predictions: outputs times samples.
    pub predictions: u64,
    /// Number of parameters.
    pub parameters: usize,
    /// The map is defined at these weights: a normalized network is not where a factor before the last is zero.
    pub defined: bool,
    /// Rank at the weights; null where it is not clear, and where the map is not differentiable.
    pub rank: Option<usize>,
    /// Rank at almost all parameters.
    pub generic_rank: Option<usize>,
    /// How the generic rank was found: sampled means the largest rank at a few random parameters.
    pub generic_grade: Word<Grade>,
    /// Overparametrised: the generic rank is the number of predictions.
    pub regime: Option<Word<Regime>>,
    /// The gradient of the square loss counts as zero; null without targets and where undecided.
    pub critical: Option<bool>,
    /// Pure: the predictions are critical among those that the map can make, spurious: the parameters make it so; null off critical points.
    pub origin: Option<Word<Origin>>,
    /// Grade and decisions of the rank at the weights.
    pub evidence: EvidenceDocument,
    /// Every tolerance used; docs/accuracy.md explains them.
    pub tolerances: TolerancesDocument,
    /// What the readers of files decided and the user should know.
    pub notes: Vec<String>,
    /// What differs between two runs with the same answer: everything outside this block is the same, byte for byte.
    pub run: RunDocument,
}

/// Digests of weights and, where there are any, of data.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PredictorDigest {
    /// Of X and Y, or of the target, where they were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Digest>,
    /// Of the matrices.
    pub weights: Digest,
}

/// What the document says beside the answer.
#[derive(Debug, Clone)]
pub struct PredictorInputs {
    /// Which map.
    pub map: MapName,
    /// Digest of the weights.
    pub weights_digest: String,
    /// Digest of the data.
    pub data_digest: Option<String>,
    /// Seed.
    pub seed: u64,
    /// Tolerances.
    pub tolerances: Tolerances,
    /// What the readers decided.
    pub notes: Vec<String>,
}

impl PredictorDocument {
    /// The document of an answer.
    pub fn new(found: &PredictorAnswer, inputs: &PredictorInputs) -> Self {
        Self {
            schema: "rankscape.predictor/1",
            seed: inputs.seed,
            digest: PredictorDigest {
                data: inputs.data_digest.clone().map(Digest::from),
                weights: inputs.weights_digest.clone().into(),
            },
            map: Word(inputs.map),
            predictions: found.predictions,
            parameters: found.parameters,
            defined: found.defined,
            rank: found.rank,
            generic_rank: found.generic_rank,
            generic_grade: Word(found.generic_grade),
            regime: found.regime.map(Word),
            critical: found.critical.and_then(rankscape::evidence::Truth::known),
            origin: found.origin.map(Word),
            evidence: EvidenceDocument::from(&found.evidence),
            tolerances: (&inputs.tolerances).into(),
            notes: inputs.notes.clone(),
            run: RunDocument::default(),
        }
    }
}
