//! What the theorem asks for, which of it the proof needs, and by how much it holds or fails.

use super::network::Pyramid;
use crate::evidence::{Movement, RankDecision, Truth};
use crate::linalg::exact::RationalMatrix;
use crate::linalg::{Matrix, singular_values};
use crate::problem::Layers;
use crate::tolerance::{Storage, Tolerances, UNIT_ROUNDOFF};

/// A demand of the theorem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// `sigma_k` is strictly monotone.
    Monotone(usize),
    /// `d_0 >= n`.
    InputsOutnumberSamples,
    /// `X` has full column rank.
    InputsOfFullRank,
    /// `d_k <= d_{k-1}`.
    Width(usize),
    /// `W_k` has full row rank.
    LayerOfFullRank(usize),
    /// The loss is convex in the predictions.
    ConvexLoss,
}

impl Demand {
    /// The proof needs it: full column rank of `X` implies `d_0 >= n`, and nothing is asked of the first layer.
    pub fn is_needed(self) -> bool {
        match self {
            Self::InputsOutnumberSamples => false,
            Self::Width(k) | Self::LayerOfFullRank(k) => k >= 2,
            _ => true,
        }
    }

    /// Its name in documents.
    pub fn name(self) -> String {
        match self {
            Self::Monotone(k) => format!("activation_{k}_strictly_monotone"),
            Self::InputsOutnumberSamples => "d0_at_least_n".to_owned(),
            Self::InputsOfFullRank => "X_full_column_rank".to_owned(),
            Self::Width(k) => format!("width_{k}_not_larger_than_{}", k - 1),
            Self::LayerOfFullRank(k) => format!("W_{k}_full_row_rank"),
            Self::ConvexLoss => "loss_convex".to_owned(),
        }
    }
}

/// A demand and how it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Hypothesis {
    /// What is asked for.
    pub demand: Demand,
    /// Whether it holds.
    pub holds: Truth,
    /// The smallest singular value, 0 where the shape forbids full rank; a difference of sizes; `None` where nothing is measured.
    pub margin: Option<f64>,
}

/// All demands at these weights, on these inputs.
pub fn hypotheses(given: &Pyramid<'_>, inputs: &Matrix) -> Vec<Hypothesis> {
    let layers = given.layers.matrices();
    let (inputs_count, samples) = inputs.shape();
    let difference = |demand: Demand, larger: usize, smaller: usize| Hypothesis {
        demand,
        holds: (larger >= smaller).into(),
        margin: Some(larger as f64 - smaller as f64),
    };
    let mut out: Vec<Hypothesis> = (1..)
        .zip(given.activations)
        .map(|(k, activation)| Hypothesis {
            demand: Demand::Monotone(k),
            holds: activation.is_strictly_monotone().into(),
            margin: None,
        })
        .collect();
    out.push(difference(Demand::InputsOutnumberSamples, inputs_count, samples));
    out.push(of_full_rank(Demand::InputsOfFullRank, &inputs.transpose(), None, UNIT_ROUNDOFF, given.tolerances));
    out.extend((1..).zip(&layers).map(|(k, layer)| difference(Demand::Width(k), layer.ncols(), layer.nrows())));
    let exact = |k: usize| match given.layers {
        Layers::Exact(matrices) => matrices.get(k - 1),
        Layers::Stored { .. } => None,
    };
    let roundoff = given.layers.unit_roundoff();
    out.extend(
        (1..)
            .zip(&layers)
            .map(|(k, layer)| of_full_rank(Demand::LayerOfFullRank(k), layer, exact(k), roundoff, given.tolerances)),
    );
    let convex = given.data.loss().convexity().is_convex();
    out.push(Hypothesis { demand: Demand::ConvexLoss, holds: convex.into(), margin: None });
    out
}

/// Whether the rows are independent: over the rationals where the entries are known so, else by the smallest singular value.
fn of_full_rank(
    demand: Demand,
    matrix: &Matrix,
    exact: Option<&RationalMatrix>,
    unit_roundoff: f64,
    tolerances: &Tolerances,
) -> Hypothesis {
    let (rows, columns) = matrix.shape();
    if rows > columns {
        return Hypothesis { demand, holds: Truth::No, margin: Some(0.0) };
    }
    let values = singular_values(matrix);
    let margin = values.get(rows - 1).copied();
    if let Some(exact) = exact {
        return Hypothesis { demand, holds: (exact.rank() == rows).into(), margin };
    }
    let scale = values.first().copied().unwrap_or(0.0);
    let computed = tolerances.relative_rounding(UNIT_ROUNDOFF, columns) * scale;
    let storage = Storage::of_roundoff(unit_roundoff.max(UNIT_ROUNDOFF));
    let moved = Movement::from(storage.movement(matrix.frobenius_norm(), (rows * columns) as f64));
    let decision = RankDecision::of_stored(&values, computed, moved, scale, tolerances);
    let holds = match (decision.rank == rows, decision.clear) {
        (full, true) => full.into(),
        (true, false) => Truth::Undecided,
        // What was dropped is below the tolerance, whatever is in doubt above it.
        (false, false) => Truth::No,
    };
    Hypothesis { demand, holds, margin }
}
