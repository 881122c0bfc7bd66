//! What documents say of losses other than the square in the same words: bounds, separability, local minima.

use serde::Serialize;

use super::numbers::{Rows, finite};
use crate::words::Word;
use rankscape::evidence::Grade;
use rankscape::riemannian::{AtInfinity, ConvexBound, LocalMinimum, Separability, SeparabilityKind};

/// A value and how strong it is.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GradedValueDocument {
    /// The value.
    pub value: f64,
    /// Certified: a theorem whose hypotheses were checked. Numerical: right to rounding errors.
    pub grade: Word<Grade>,
}

impl GradedValueDocument {
    /// The value multiplied by `factor`; `None` where it is not finite.
    pub(super) fn new((value, grade): (f64, Grade), factor: f64) -> Option<Self> {
        finite(factor * value).map(|value| Self { value, grade: Word(grade) })
    }
}

/// How far samples can be separated.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SeparabilityDocument {
    /// Strict: some matrix answers all samples right, so the infimum is not attained. Partial: some matrix answers some right
    /// and leaves the others undecided, so the infimum is not attained and larger. None: it is attained.
    pub kind: Word<SeparabilityKind>,
    /// A matrix that does it; null where there is none.
    pub witness: Option<Rows>,
    /// The constant outputs beside the matrix; null where there are none.
    pub offset: Option<Vec<f64>>,
    /// The smallest positive margin of the witness, relative to the largest one.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub margin: Option<f64>,
}

impl From<&Separability> for SeparabilityDocument {
    fn from(found: &Separability) -> Self {
        let (matrix, offset) =
            found.witness.as_ref().map_or((None, None), |(matrix, offset)| (Some(matrix), offset.as_ref()));
        Self {
            kind: Word(found.kind),
            witness: matrix.map(Rows::from),
            offset: offset.map(|offset| offset.entries().collect()),
            margin: found.margin,
        }
    }
}

/// A local minimum on matrices of bounded rank.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LocalMinimumDocument {
    /// The loss.
    pub value: f64,
    /// Relative gradient on the factors at the end of the descent.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub gradient: f64,
    /// Smallest eigenvalue of the Hessian on matrices of this rank, in the metric of W; null where it was not computed.
    pub lambda_min: Option<f64>,
    /// Exactly one local minimum is proved to lie here, with bounds of all rounding errors, or by the certified list of `solve`.
    pub certified: bool,
    /// The smallest eigenvalue is clear of zero: an isolated local minimum.
    pub isolated: bool,
    /// Rank of W.
    pub rank: usize,
    /// The matrix; what the loss cannot see of it is zero.
    #[serde(rename = "W")]
    pub matrix: Rows,
    /// The constant outputs; null without --offset.
    pub offset: Option<Vec<f64>>,
    /// How many starts ended here; 0 for one that only the list of `solve` has.
    pub hits: usize,
}

impl LocalMinimumDocument {
    /// In a loss of `factor` times the sum.
    pub(super) fn new(found: &LocalMinimum, factor: f64) -> Self {
        Self {
            value: factor * found.value,
            gradient: found.gradient,
            lambda_min: found.lambda_min.map(|value| factor * value),
            certified: found.certified,
            isolated: found.isolated,
            rank: found.rank,
            matrix: Rows::from(&found.product),
            offset: found.offset.clone(),
            hits: found.hits,
        }
    }
}

/// Starts that left for infinity.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AtInfinityDocument {
    /// The value that they approach, about.
    pub value: f64,
    /// How many.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub hits: usize,
}

impl AtInfinityDocument {
    pub(super) fn new(found: &AtInfinity, factor: f64) -> Self {
        Self { value: factor * found.value, hits: found.hits }
    }
}

/// The lower bound over all matrices, in a loss of `factor` times the sum.
pub(super) fn lower_bound(bound: &ConvexBound, factor: f64) -> Option<GradedValueDocument> {
    bound.lower_bound.and_then(|bound| GradedValueDocument::new(bound, factor))
}
