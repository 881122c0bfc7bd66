//! Inertia of the Hessian and of its parts from ranks and by elimination, for the point of a problem.

use super::Part;
use crate::evidence::{Evidence, Grade, Quantity, RankDecision};
use crate::linalg::Inertia;
use crate::multiplication::{Differential, Factors, RankProfile};
use crate::network::ExactSquareNetwork;
use crate::problem::Problem;

/// Up to this many parameters the signs of the Hessian of exact input are counted over the rationals where no theorem gives
/// them.
pub const LARGEST_RATIONAL: usize = 60;

/// Inertia over the rationals, for exact input of at most [`LARGEST_RATIONAL`] parameters.
pub(super) fn inertia_by_elimination(
    problem: &Problem,
    part: Part,
    parameters: usize,
) -> Option<(Option<Inertia>, Evidence)> {
    let exact = problem.exact().filter(|_| parameters <= LARGEST_RATIONAL)?;
    let inertia = exact.hessian(part).inertia();
    let mut evidence = Evidence::new(Grade::Exact);
    evidence.rest_on(Quantity::Matrix, RankDecision::exact(inertia.negative + inertia.positive));
    Some((Some(inertia), evidence))
}

/// Inertia of the Gauss-Newton part: `J' J` has no negative eigenvalue, and as many positive ones as `J` has rank, at every
/// point.
pub(super) fn inertia_of_gauss_newton(problem: &Problem, parameters: usize) -> (Option<Inertia>, Evidence) {
    let exact = problem.exact();
    let mut evidence = Evidence::new(if exact.is_some() { Grade::Exact } else { Grade::Numerical });
    let rank = if let Some(rank) = exact.map(ExactSquareNetwork::rank_of_predictions) {
        evidence.rest_on(Quantity::Predictions, RankDecision::exact(rank));
        rank
    } else {
        evidence.rest_on(Quantity::Inputs, problem.whitening().rank);
        match Factors::new(problem.network().whitened().layers().to_vec()) {
            Ok(factors) => {
                let profile = RankProfile::new(&factors, problem.unit_roundoff(), problem.tolerances());
                for ((i, j), decision) in profile.decisions() {
                    evidence.rest_on(Quantity::Seen { i, j }, *decision);
                }
                Differential::new(&profile).rank
            }
            // No input direction is left.
            Err(_) => 0,
        }
    };
    let rank = rank + problem.output_bias().map_or(0, |bias| bias.outputs());
    let inertia = Inertia { negative: 0, zero: parameters.saturating_sub(rank), positive: rank };
    (evidence.is_clear().then_some(inertia), evidence)
}
