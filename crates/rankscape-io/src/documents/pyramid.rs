//! The hypotheses of pyramidal networks as a document.

use serde::Serialize;

use super::RunDocument;
use super::digests::PointDigest;
use super::point::TolerancesDocument;
use crate::words::{Word, words};
use rankscape::answers::PyramidFindings;
use rankscape::evidence::Truth;
use rankscape::pyramidal::Hypothesis;
use rankscape::tolerance::Tolerances;

words! {
    /// Whether the map to the predictions is locally open.
    pub enum OpenHere {
        /// It is.
        Yes = "yes",
        /// Neither reason for it holds.
        Undecided = "undecided",
    }
}

/// Whether every local minimum of a convex loss is global at these weights, F_k = sigma_k(W_k F_{k-1}). Undecided and undefined values are
/// null; margins say by how much a demand holds or fails.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PyramidDocument {
    /// Name and version of this format.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "rankscape.pyramid/1")))]
    pub schema: &'static str,
    /// Seed of everything random; nothing is.
    pub seed: u64,
    /// SHA-256 over shapes and values, the same whatever the format of the files.
    pub digest: PointDigest,
    /// d_0, ..., d_h.
    #[cfg_attr(feature = "schema", schemars(length(min = 2), inner(range(min = 1))))]
    pub widths: Vec<usize>,
    /// Number of samples.
    pub samples: usize,
    /// One a layer.
    pub activations: Vec<String>,
    /// Which loss.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = crate::loss::LOSS_NAMES)))]
    pub loss_name: &'static str,
    /// All that the literature asks for.
    pub hypotheses: Vec<HypothesisDocument>,
    /// Derivative of the predictions in the weights.
    pub jacobian: JacobianDocument,
    /// Yes: the needed hypotheses but the one on the loss hold, or the Jacobian has full rank.
    pub locally_open: Word<OpenHere>,
    /// All needed hypotheses hold, so that every local minimum here is global; null where one is undecided.
    pub conclusion: Option<bool>,
    /// The map is locally open, for either reason, and the loss is convex: every local minimum here is global.
    pub local_minima_are_global: bool,
    /// The loss; null without targets.
    pub loss: Option<f64>,
    /// Norm of the gradient of every layer; null without targets and at a kink.
    pub gradient_norms: Option<Vec<f64>>,
    /// Norm of the gradient of the loss in the predictions; null without targets and at a kink.
    pub output_gradient_norm: Option<f64>,
    /// Least slope of the activations of every layer on these samples, in absolute value; null at a kink.
    pub least_slopes: Option<Vec<f64>>,
    /// norm of the first gradient / (smin(X) prod_{k >= 2} smin(W_k) prod_k min |sigma_k'|), which output_gradient_norm does not exceed; null where a needed
    /// hypothesis fails or a slope is zero.
    pub bound: Option<f64>,
    /// Every tolerance used; docs/accuracy.md explains them.
    pub tolerances: TolerancesDocument,
    /// What the readers of files decided and the user should know.
    pub notes: Vec<String>,
    /// What differs between two runs with the same answer: everything outside this block is the same, byte for byte.
    pub run: RunDocument,
}

/// A demand and how it stands.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HypothesisDocument {
    /// What is asked for.
    pub name: String,
    /// Whether it holds; null where undecided.
    pub holds: Option<bool>,
    /// Smallest singular value, 0 where the shape forbids full rank; a difference of sizes; null where nothing is measured.
    pub margin: Option<f64>,
    /// The proof needs it.
    pub needed: bool,
}

/// Rank of the Jacobian.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct JacobianDocument {
    /// Rank at the weights; null where it is not clear, at a kink, and where the Jacobian is too large to be formed.
    pub rank: Option<usize>,
    /// Number of predictions: outputs times samples.
    pub max_rank: usize,
    /// Smallest singular value that counts as non-zero.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub above: Option<f64>,
    /// Largest singular value that counts as zero.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub below: Option<f64>,
}

/// What the document says beside the answer.
#[derive(Debug, Clone)]
pub struct PyramidInputs {
    /// One a layer.
    pub activations: Vec<String>,
    /// Name of the loss.
    pub loss: &'static str,
    /// Digest of the weights.
    pub weights_digest: String,
    /// Digest of the data and the loss.
    pub data_digest: String,
    /// Seed.
    pub seed: u64,
    /// Tolerances.
    pub tolerances: Tolerances,
    /// What the readers decided.
    pub notes: Vec<String>,
}

impl From<&Hypothesis> for HypothesisDocument {
    fn from(found: &Hypothesis) -> Self {
        Self {
            name: found.demand.name(),
            holds: found.holds.known(),
            margin: found.margin,
            needed: found.demand.is_needed(),
        }
    }
}

impl PyramidDocument {
    /// The document of an answer.
    pub fn new(found: &PyramidFindings, inputs: &PyramidInputs) -> Self {
        let gradient = found.gradient.as_ref();
        let finite = |value: f64| Some(value).filter(|value| value.is_finite());
        let norms = |values: &Vec<f64>| values.iter().all(|value| value.is_finite()).then(|| values.clone());
        let decision = found.jacobian.as_ref();
        Self {
            schema: "rankscape.pyramid/1",
            seed: inputs.seed,
            digest: PointDigest {
                data: inputs.data_digest.clone().into(),
                weights: inputs.weights_digest.clone().into(),
            },
            widths: found.widths.clone(),
            samples: found.samples,
            activations: inputs.activations.clone(),
            loss_name: inputs.loss,
            hypotheses: found.hypotheses.iter().map(HypothesisDocument::from).collect(),
            jacobian: JacobianDocument {
                rank: decision.filter(|decision| decision.clear).map(|decision| decision.rank),
                max_rank: found.predictions,
                above: decision.and_then(|decision| decision.above),
                below: decision.and_then(|decision| decision.below),
            },
            locally_open: Word(if found.is_open() { OpenHere::Yes } else { OpenHere::Undecided }),
            conclusion: Truth::known(found.conclusion),
            local_minima_are_global: found.local_minima_are_global(),
            loss: gradient.and_then(|gradient| finite(gradient.loss)),
            gradient_norms: gradient.and_then(|gradient| norms(&gradient.layers)),
            output_gradient_norm: gradient.and_then(|gradient| finite(gradient.output)),
            least_slopes: gradient.map(|gradient| gradient.least_slopes.clone()),
            bound: gradient.and_then(|gradient| gradient.bound),
            tolerances: (&inputs.tolerances).into(),
            notes: inputs.notes.clone(),
            run: RunDocument::default(),
        }
    }
}
