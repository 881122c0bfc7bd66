//! The parts of the document on a checkpoint of adapters.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::point::{BarDocument, DifferentialDocument, LiftDocument, OpennessDocument, SupportDocument};
use crate::adapter::{Layout, Method, ModuleKind};
use crate::words::Word;

/// One update.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PairDocument {
    /// Name of the module, as in the file, with its parameter where that is not the weight.
    pub name: String,
    /// Name of the adapter, where the file or a folder keeps it.
    pub adapter: Option<String>,
    /// Which of the experts that share the tensors; null otherwise.
    pub expert: Option<ExpertDocument>,
    /// What the module is; the update of an embedding's table is the transposed product.
    pub kind: Word<ModuleKind>,
    /// Name of the method.
    pub method: Word<Method>,
    /// Who writes tensors under these names.
    pub layout: Word<Layout>,
    /// The product in words of the tensors, without the scaling.
    pub formula: &'static str,
    /// Shapes of the tensors and of the update.
    pub shapes: ShapesDocument,
    /// Factor of the product; null where nothing states it.
    pub scaling: Option<f64>,
    /// Where the factor comes from.
    pub scaling_reason: String,
    /// Unit roundoff of the shortest of the stored types.
    pub unit_roundoff: f64,
    /// Ranks with the singular values on the two sides of the cut.
    pub ranks: RanksDocument,
    /// Intervals of nodes with multiplicity; null if the ranks contradict one another; null where the factors are no
    /// free pair.
    pub barcode: Option<Vec<BarDocument>>,
    /// Of the change of the original weight, non-increasing, up to the smallest width; where the scaling is null, of
    /// the product without it; null where the files do not determine the change.
    pub singular_values: Option<Vec<f64>>,
    /// What the tensors give, where that is not the change of the original weight; null otherwise.
    pub product: Option<ProductDocument>,
    /// Squared Frobenius norm over squared spectral norm of the change; null for zero or where it is not known.
    pub stable_rank: Option<f64>,
    /// exp(- sum p ln p), p the singular values over their sum; null for zero or where it is not known.
    pub entropy_rank: Option<f64>,
    /// ||B'B - A A'||_F / (||A||_F^2 + ||B||_F^2); null where the factors are no free pair.
    pub balance_defect: Option<f64>,
    /// Differential of the product map; null where the factors are no free pair.
    pub differential: Option<DifferentialDocument>,
    /// Local openness relative to the matrices of rank at most r; null where the factors are no free pair.
    pub locally_open: Option<OpennessDocument>,
    /// What the map guarantees about losses composed with it; null where the factors are no free pair.
    pub lift: Option<LiftDocument>,
    /// Lengths of the rows or columns of the updated weight (DoRA); null without.
    pub magnitude: Option<MagnitudeDocument>,
    /// Tensor that is added to the output beside B, with no part in the product.
    pub bias: Option<String>,
    /// Why the files do not determine the change of the original weight; null where they do.
    pub undetermined: Option<String>,
    /// What a reader should know of this update.
    pub notes: Vec<String>,
    /// The update against the leading singular directions of the base weight; with --base.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlap: Option<OverlapDocument>,
    /// The balanced pair as it can be stored; with --balance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balanced: Option<BalancedDocument>,
    /// What it means, in one plain sentence.
    pub says: String,
}

/// Which of the experts that share tensors.
#[derive(Debug, Clone, Copy, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExpertDocument {
    /// Number of the expert, from 0.
    pub index: usize,
    /// How many share the tensors.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub count: usize,
}

/// Shapes of `A` and `B` as stored, of the update, and of all tensors.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ShapesDocument {
    /// Of A, as stored; null where there is no free pair.
    pub a: Option<Vec<usize>>,
    /// Of B, as stored; null where there is no free pair.
    pub b: Option<Vec<usize>>,
    /// Of the update: outputs and inputs.
    pub product: [usize; 2],
    /// Of every tensor of the update, by name.
    pub tensors: BTreeMap<String, Vec<usize>>,
}

/// Ranks with their gaps.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RanksDocument {
    /// Rank of A. Null where there is no free pair.
    pub a: Option<SupportDocument>,
    /// Rank of B. Null where there is no free pair.
    pub b: Option<SupportDocument>,
    /// Rank of what the tensors give.
    pub product: SupportDocument,
    /// Rank of the change of the original weight, where that is not what the tensors give; null otherwise, or where it
    /// is not known.
    pub update: Option<SupportDocument>,
}

/// What the tensors give, where that is not the change of the original weight.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProductDocument {
    /// Its singular values.
    pub values: Vec<f64>,
}

/// DoRA's lengths.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MagnitudeDocument {
    /// How many.
    pub entries: usize,
    /// The smallest length.
    pub smallest: f64,
    /// The largest length.
    pub largest: f64,
}

/// The update against the leading singular directions of the base weight.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OverlapDocument {
    /// k, the rank of the update.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub directions: usize,
    /// Mean squared cosine of the angles between the column spaces.
    pub left: f64,
    /// Mean squared cosine of the angles between the row spaces.
    pub right: f64,
    /// What a random space has on average: k over outputs.
    pub left_of_random: f64,
    /// What a random space has on average: k over inputs.
    pub right_of_random: f64,
    /// Standard deviation of left for a random space.
    pub left_spread: f64,
    /// Standard deviation of right for a random space.
    pub right_spread: f64,
    /// Norm of the update over that of the base weight on the update's singular directions.
    pub amplification: Option<f64>,
    /// Name of the base weight.
    pub base_tensor: String,
    /// The k leading singular values of the base weight.
    pub base_singular_values: Vec<f64>,
    /// Bound on the sine of the angle by which the computed leading directions are off, at most 1.
    pub angle_error: f64,
}

/// The balanced pair as it is written.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BalancedDocument {
    /// The orbit has a balanced pair; null if undecided.
    pub possible: Option<bool>,
    /// Why, in one sentence.
    pub reason: String,
    /// Balance defect of the balanced pair.
    pub defect_after: Option<f64>,
    /// Change of B A, Frobenius norm, rounding to the stored types included.
    pub product_error: Option<f64>,
}

/// A tensor that is no part of an update.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UnknownDocument {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// The method that it belongs to, where that is known.
    pub method: Option<&'static str>,
}

impl PairDocument {
    /// Name with that of the adapter and the number of the expert.
    pub fn title(&self) -> String {
        let expert = self.expert.map_or_else(String::new, |expert| format!("[{}]", expert.index));
        let adapter = self.adapter.as_ref().map_or_else(String::new, |adapter| format!(" [{adapter}]"));
        format!("{}{expert}{adapter}", self.name)
    }
}
