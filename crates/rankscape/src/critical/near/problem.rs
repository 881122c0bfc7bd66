//! The critical points next to the point of a problem, and whether training stalls there.

use super::{NearCriticalPoint, NearPoint, NearSearch, near_critical_point};
use crate::critical::CriticalClass;
use crate::hessian::{Extremes, extremes};
use crate::linalg::{Extreme, vector_norm};
use crate::multiplication::Factors;
use crate::network::NormalizedNetwork;
use crate::problem::{OutputMetric, Problem, times_vector};

/// The nearest critical points and the curvature at the nearest strict saddle.
#[derive(Debug, Clone)]
pub struct Near {
    /// The points.
    pub found: NearCriticalPoint,
    /// Smallest eigenvalue of the Hessian at the nearest strict saddle, in the parameters as given; `None` where there is no
    /// such saddle or the eigenvalue did not converge.
    pub strict_lambda_min: Option<f64>,
    /// A unit eigenvector of it, where the factors are all the parameters.
    pub(crate) strict_curvature: Option<Vec<f64>>,
}

/// Whether training stalls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stall {
    /// `-lambda_min / max(lambda_max, h s^(2h-2) sigma_max(X)^2)`.
    pub rho: f64,
    /// `rho` exceeds the tolerance: the loss will fall soon.
    pub moving: bool,
    /// Smallest eigenvalue of the Hessian.
    pub lambda_min: f64,
}

/// The critical points next to a point that is not critical.
pub fn near(problem: &Problem, seed: u64) -> Option<Near> {
    let bias = problem.output_bias();
    let others = bias.map_or(0.0, |bias| length_of_biases(problem, bias.columns()));
    let root = problem.output_metric().map(OutputMetric::root);
    let others_moved = |factors: &Factors| {
        bias.map_or(0.0, |bias| {
            let moved = bias.nearest(factors, root);
            let steps = moved.iter().zip(bias.columns()).map(|(to, from)| {
                to.as_ref().zip(from.as_ref()).map(|(to, from)| to.iter().zip(from).map(|(a, b)| a - b).collect())
            });
            length_of_biases(problem, &steps.collect::<Vec<Option<Vec<f64>>>>())
        })
    };
    let found = near_critical_point(&NearSearch {
        factors: problem.factors(),
        network: problem.network(),
        whitening: problem.whitening(),
        output_factor: problem.output_metric().map(|metric| (metric.root(), metric.inverse())),
        others,
        others_moved: &others_moved,
        unit_roundoff: problem.unit_roundoff(),
        tolerances: problem.tolerances(),
    })?;
    let smallest = found.strict.as_ref().map(|saddle| smallest_at(problem, saddle, seed));
    let strict_lambda_min = smallest.as_ref().filter(|pair| pair.converged).map(|pair| pair.value);
    let strict_curvature = smallest.filter(|_| problem.is_plain()).map(|pair| pair.vector);
    Some(Near { found, strict_lambda_min, strict_curvature })
}

/// Norm of all biases, or of changes of them, as given.
fn length_of_biases(problem: &Problem, columns: &[Option<Vec<f64>>]) -> f64 {
    let last = columns.len() - 1;
    let given = |(k, column): (usize, &Vec<f64>)| match problem.output_metric() {
        Some(metric) if k == last => vector_norm(&times_vector(metric.inverse(), column)),
        _ => vector_norm(column),
    };
    columns.iter().enumerate().filter_map(|(k, column)| Some((k, column.as_ref()?))).map(given).fold(0.0, f64::hypot)
}

fn smallest_at(problem: &Problem, saddle: &NearPoint, seed: u64) -> Extreme {
    let root = problem.output_metric().map(OutputMetric::root);
    let columns = problem.output_bias().map_or_else(Vec::new, |bias| bias.nearest(&saddle.factors, root));
    let there = problem.as_given(NormalizedNetwork::new(&saddle.factors, problem.whitening()), &columns);
    extremes(&there.hessian(), saddle.analysis.inertia, problem.tolerances(), seed).smallest
}

/// Whether training stalls at a point that is not critical.
pub fn stall(problem: &Problem, ends: &Extremes, near: Option<&Near>) -> Option<Stall> {
    let whitening = problem.whitening();
    let depth = problem.factors().depth();
    let nothing = whitening.rank.rank == 0 || whitening.spectrum.s.first().is_none_or(|&s| s <= 0.0);
    let minimum = near.is_some_and(|near| near.found.nearest.class == CriticalClass::GlobalMinimum);
    if depth == 1 || nothing || minimum || !(ends.smallest.converged && ends.largest.converged) {
        return None;
    }
    let lambda_min = ends.smallest.value;
    let rho = -lambda_min / ends.largest.value.max(problem.natural_curvature());
    rho.is_finite().then_some(Stall { rho, moving: rho > problem.tolerances().stall, lambda_min })
}
