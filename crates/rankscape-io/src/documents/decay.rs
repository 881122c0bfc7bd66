//! What the documents of `critical` and `diagnose` say with weight decay.

use serde::Serialize;

use super::numbers::Rows;
use crate::words::{Word, words};
use rankscape::critical::{CriticalClass, DecayRung, RootKind, Task};

words! {
    /// Why all critical points with weight decay are known.
    pub enum ClosedForm {
        /// `X X' = c I` on the range of the inputs.
        Orthonormal = "orthonormal",
        /// An autoencoder, up to a rotation and a scale of its outputs: `Y X' = s O X X'`.
        Isometric = "isometric",
        /// `Y X' = 0`: only the origin is critical.
        Unrelated = "unrelated",
    }
}

impl ClosedForm {
    /// In a sentence.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Self::Orthonormal => "X X' is a multiple of the identity on its range",
            Self::Isometric => "Y X' is a rotation of X X' up to scale, as for an autoencoder",
            Self::Unrelated => "Y X' is zero, so only the origin is critical",
        }
    }
}

impl From<Task> for ClosedForm {
    fn from(task: Task) -> Self {
        match task {
            Task::Orthonormal { .. } => Self::Orthonormal,
            Task::Isometric { .. } => Self::Isometric,
            Task::Unrelated => Self::Unrelated,
        }
    }
}

/// The decays at which a direction changes; they are beside the sum loss, as `weight_decay` is.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ThresholdDocument {
    /// The singular value.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub sigma: f64,
    /// From this decay on no critical point captures the direction; null for one layer.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub fold: Option<f64>,
    /// Up to this decay it is better captured than not; null for one layer.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub worth: Option<f64>,
}

/// A rung with weight decay: one captured pattern with its roots.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DecayRungDocument {
    /// Loss with decay at its points.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub value: f64,
    /// How many directions are captured, the rank of every layer.
    pub rank: usize,
    /// 1-based places in `spectrum`, the lowest ones inside a block of equal values; null without closed form.
    #[cfg_attr(feature = "schema", schemars(inner(range(min = 1))))]
    pub captured: Option<Vec<usize>>,
    /// Which root each captured direction has, large before small inside a block; `large` for one or two layers.
    pub roots: Option<Vec<Word<RootKind>>>,
    /// The singular value of every layer for each captured direction; that of the product for one layer.
    #[cfg_attr(feature = "schema", schemars(inner(range(min = 0))))]
    pub layer_values: Option<Vec<f64>>,
    /// What its points are.
    pub class: Word<CriticalClass>,
    /// Number of negative eigenvalues of the Hessian at each of its points.
    pub index: usize,
    /// Number of zero eigenvalues; it is dimension.parameters unless the decay is at a threshold.
    pub nullity: usize,
    /// Dimensions of the family.
    pub dimension: DecayDimensionDocument,
}

/// Dimensions of a family with weight decay.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DecayDimensionDocument {
    /// Null: the function space has no decay.
    pub function_space: (),
    /// Of the set of critical parameters: rotations of the hidden layers, and of equal singular values.
    pub parameters: usize,
}

impl DecayRungDocument {
    pub(super) fn new(rung: &DecayRung, factor: f64) -> Self {
        Self {
            value: factor * rung.value,
            rank: rung.rank,
            captured: rung.captured.clone(),
            roots: rung.roots.as_ref().map(|roots| roots.iter().copied().map(Word).collect()),
            layer_values: rung.layer_values.clone(),
            class: Word(rung.class),
            index: rung.inertia.negative,
            nullity: rung.inertia.zero,
            dimension: DecayDimensionDocument { function_space: (), parameters: rung.dimension },
        }
    }
}

/// A local minimum that is not global.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WitnessDocument {
    /// The loss there.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub value: f64,
    /// By how much that exceeds the global minimum.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub above_minimum: f64,
    /// What it captures, 1-based; none is the origin.
    #[cfg_attr(feature = "schema", schemars(inner(range(min = 1))))]
    pub captured: Vec<usize>,
    /// The singular value of every layer for each captured direction.
    #[cfg_attr(feature = "schema", schemars(inner(range(min = 0))))]
    pub layer_values: Vec<f64>,
    /// W_1, ..., W_h; null for more than 10,000 parameters.
    pub weights: Option<Vec<Rows>>,
}
