//! Paths that leave a point: `theta(t) = theta + t A`, with the exact polynomial of the loss along them.

mod criticality;
mod directions;
mod line;

pub use criticality::{CriticalityOrder, WitnessCurve, criticality_order};
pub use directions::leave;
pub use line::LossOnLine;

use crate::multiplication::Factors;

/// A path along which the loss falls, and by how much.
#[derive(Debug, Clone)]
pub struct Escape {
    /// Lowest `k` with a non-zero coefficient of `t^k`: 1 at non-critical points, 2 at strict saddles.
    pub order: usize,
    /// That coefficient; negative.
    pub coefficient: f64,
    /// Where on the path the decrease is measured.
    pub t: f64,
    /// `L(theta) - L(theta(t)) > 0`.
    pub decrease: f64,
    /// `A`, in the parameters as given.
    pub direction: Factors,
    /// Coefficients of `L(theta + t A)`, of degree `2 h`, constant first.
    pub loss: LossOnLine,
    /// What the direction is.
    pub kind: EscapeKind,
}

/// What a direction of escape is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EscapeKind {
    /// Minus the gradient.
    Gradient,
    /// An eigenvector of the most negative curvature.
    NegativeCurvature,
    /// Rank one in every layer: feeds the largest omitted singular direction through units that carry little.
    OmittedDirection,
    /// The output bias moves to its best value.
    OutputBias,
}

impl EscapeKind {
    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gradient => "gradient",
            Self::NegativeCurvature => "negative_curvature",
            Self::OmittedDirection => "omitted_direction",
            Self::OutputBias => "output_bias",
        }
    }
}
