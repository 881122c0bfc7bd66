//! Pyramidal networks `F_k = sigma_k(W_k F_{k-1})`, `F_0 = X`: when every local minimum of a convex loss is global (`[@LO]`, section 4).
//!
//! If all `sigma_k` are continuous and strictly monotone, `X` has full column rank and `W_2, ..., W_h` have full row rank, the map to the
//! predictions is locally open at `W`, so a local minimum of a convex loss there is global. `W_1` of full row rank, `d_1 <= d_0` and
//! `d_0 >= n` are asked for in the literature and not needed beside these. `docs/pyramid.md` has the proofs.

mod bound;
mod hypotheses;
mod network;

pub use bound::{GradientBound, gradient_bound};
pub use hypotheses::{Demand, Hypothesis, hypotheses};
pub use network::Pyramid;

use crate::error::{InputError, Result};
use crate::evidence::{RankDecision, Truth};
use crate::linalg::Matrix;
use crate::multiplication::Factors;
use crate::parametrization::{Parametrization, PyramidalMap, check_count, dense_rank};
use crate::tolerance::UNIT_ROUNDOFF;

/// What is known of a pyramidal network at its weights.
#[derive(Debug, Clone)]
pub struct PyramidFindings {
    /// Number of samples and `d_0, ..., d_h`.
    pub samples: usize,
    /// `d_0, ..., d_h`.
    pub widths: Vec<usize>,
    /// All demands, with margins.
    pub hypotheses: Vec<Hypothesis>,
    /// Rank of the Jacobian of the predictions; `None` at a kink, and where it is too large to be formed.
    pub jacobian: Option<RankDecision>,
    /// Number of predictions.
    pub predictions: usize,
    /// The hypotheses that openness needs hold.
    pub open_by_hypotheses: Truth,
    /// The Jacobian has full rank: the map is a submersion here.
    pub open_by_jacobian: bool,
    /// All hypotheses that the conclusion needs hold: every local minimum here is global.
    pub conclusion: Truth,
    /// Loss and gradients; `None` without targets and at a kink.
    pub gradient: Option<GradientBound>,
}

impl PyramidFindings {
    /// The map is locally open, for one reason or the other.
    pub fn is_open(&self) -> bool {
        self.open_by_jacobian || self.open_by_hypotheses == Truth::Yes
    }

    /// A local minimum here is global: the map is locally open and the loss is convex.
    pub fn local_minima_are_global(&self) -> bool {
        let convex = |demand: &Hypothesis| demand.demand == Demand::ConvexLoss && demand.holds == Truth::Yes;
        self.is_open() && self.hypotheses.iter().any(convex)
    }
}

/// The hypotheses at these weights, openness, and what the gradient bounds.
///
/// # Errors
/// If the shapes do not chain or do not fit the data, or there is not one activation for each layer.
pub fn pyramid(given: &Pyramid<'_>) -> Result<PyramidFindings> {
    let layers = given.layers.matrices();
    let architecture = Factors::new(layers.clone())?.architecture().clone();
    check_count(given.activations, layers.len())?;
    let data = given.data;
    if data.input_count() != architecture.inputs() || (given.has_target && data.outputs() != architecture.outputs()) {
        return Err(InputError::new("the data do not fit the network").array("data").value(format!(
            "{} inputs and {} outputs; the network has {} and {}",
            data.input_count(),
            data.outputs(),
            architecture.inputs(),
            architecture.outputs()
        )));
    }
    let inputs = data.inputs().cloned().unwrap_or_else(|| Matrix::identity(data.input_count()));
    let hypotheses = hypotheses(given, &inputs);
    let needed = |loss: bool| {
        let counts =
            hypotheses.iter().filter(|found| found.demand.is_needed() && (loss || found.demand != Demand::ConvexLoss));
        counts.fold(Truth::Yes, |all, found| all.and(found.holds))
    };
    let (open_by_hypotheses, conclusion) = (needed(false), needed(true));
    let map = PyramidalMap::new(architecture.widths().to_vec(), given.activations.to_vec(), inputs);
    let (rows, columns) = map.shape();
    let roundoff = given.layers.unit_roundoff().max(UNIT_ROUNDOFF);
    // A Jacobian that is too large leaves the hypotheses.
    let jacobian = dense_rank(&map, &layers, roundoff, given.tolerances).ok().flatten().map(|found| found.decision);
    let full = |decision: &RankDecision| decision.clear && decision.rank == rows * columns;
    let gradient = given.has_target.then(|| gradient_bound(&map, &layers, data, open_by_hypotheses)).flatten();
    Ok(PyramidFindings {
        samples: columns,
        widths: architecture.widths().to_vec(),
        open_by_jacobian: jacobian.as_ref().is_some_and(full),
        jacobian,
        predictions: rows * columns,
        open_by_hypotheses,
        conclusion,
        hypotheses,
        gradient,
    })
}
