//! Smallest and largest eigenvalue of the Hessian.

use super::operator::HessianOperator;
use super::reduced::ReducedHessian;
use crate::linalg::{End, Extreme, Inertia, SymmetricOperator, extreme_eigenpairs, symmetric_eigen};
use crate::loss::Loss;
use crate::random::Stream;
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

/// Up to this many parameters the Hessian is formed.
const DENSE_PARAMETERS: usize = 400;
/// Most applications of the Hessian.
const BUDGET: usize = 4000;

/// Both ends of the spectrum; each with a unit vector and its residual.
#[derive(Debug, Clone)]
pub struct Extremes {
    /// Smallest eigenvalue; zero, without a vector, when the inertia proves it.
    pub smallest: Extreme,
    /// Largest eigenvalue; zero likewise.
    pub largest: Extreme,
}

/// Extreme eigenvalues, by a dense decomposition of small Hessians and by Lanczos otherwise.
///
/// At a minimum a Krylov method finds the smallest *positive* eigenvalue and reports success, because its starting
/// vector's part in a large kernel is resolved last or never. The inertia, where it is known, is therefore used: with
/// no negative and some zero eigenvalue the smallest is zero, with no positive and some zero one the largest is, and with a negative one a smallest value that is not below
/// [`rounding_of_eigenvalues`] was lost in rounding or missed: it counts as not converged.
pub fn extremes(
    operator: &HessianOperator<'_, impl Loss>,
    inertia: Option<Inertia>,
    tolerances: &Tolerances,
    seed: u64,
) -> Extremes {
    let semidefinite = inertia.is_some_and(|found| found.negative == 0 && found.zero > 0);
    let (smallest, largest) = match dense(operator) {
        Some((smallest, largest)) => (Some(smallest), largest),
        None => iterate(operator, !semidefinite, tolerances, seed),
    };
    let mut smallest = smallest.filter(|_| !semidefinite).unwrap_or_else(|| zero_eigenvalue(&largest));
    let noise = rounding_of_eigenvalues(operator.dimension(), smallest.scale.max(largest.value.abs()), tolerances);
    smallest.converged &= smallest.value < -noise || inertia.is_none_or(|found| found.negative == 0);
    let nothing_rises = inertia.is_some_and(|found| found.positive == 0 && found.zero > 0);
    let largest = if nothing_rises { zero_eigenvalue(&largest) } else { largest };
    Extremes { smallest, largest }
}

/// Eigenvalues of a symmetric matrix of this size up to this are zero, or lost in rounding errors of the largest one:
/// `zero_curvature * u * sqrt(size) * largest`.
pub fn rounding_of_eigenvalues(size: usize, largest: f64, tolerances: &Tolerances) -> f64 {
    tolerances.zero_curvature * UNIT_ROUNDOFF * (size as f64).sqrt() * largest
}

/// Both ends by one Lanczos iteration on the subspace outside of which the Hessian is zero; values and residuals are
/// those of the whole Hessian. The smallest is `None` where it is not asked for or was found to be the zero of that kernel.
fn iterate(
    operator: &HessianOperator<'_, impl Loss>,
    both: bool,
    tolerances: &Tolerances,
    seed: u64,
) -> (Option<Extreme>, Extreme) {
    let reduced = ReducedHessian::new(operator, tolerances).filter(|reduced| reduced.dimension() > 0);
    match (&reduced, both) {
        (Some(reduced), true) => {
            let [largest, smallest] = on_subspace(operator, reduced, [End::Largest, End::Smallest], tolerances, seed);
            let kernel = reduced.dimension() < operator.dimension();
            (Some(smallest).filter(|found| !kernel || found.value < 0.0 || !found.converged), largest)
        }
        (Some(reduced), false) => {
            let [largest] = on_subspace(operator, reduced, [End::Largest], tolerances, seed);
            (None, largest)
        }
        (None, _) => {
            let [largest, smallest] = ends_of(operator, [End::Largest, End::Smallest], tolerances, seed);
            (Some(smallest), largest)
        }
    }
}

fn ends_of<const N: usize>(
    operator: &impl SymmetricOperator,
    ends: [End; N],
    tolerances: &Tolerances,
    seed: u64,
) -> [Extreme; N] {
    let start = Stream::new(seed, 0).normal_vector(operator.dimension());
    extreme_eigenpairs(operator, ends, tolerances.krylov, BUDGET, start)
}

fn on_subspace<const N: usize>(
    operator: &HessianOperator<'_, impl Loss>,
    reduced: &ReducedHessian,
    ends: [End; N],
    tolerances: &Tolerances,
    seed: u64,
) -> [Extreme; N] {
    let lifted = |pair: Extreme| Extreme { vector: reduced.lift(&pair.vector), ..pair };
    ends_of(reduced, ends, tolerances, seed).map(|pair| lifted(pair).measured(operator, tolerances.krylov))
}

/// An end of the spectrum where the inertia proves that it is zero; no eigenvector is computed.
fn zero_eigenvalue(like: &Extreme) -> Extreme {
    Extreme { value: 0.0, vector: Vec::new(), residual: 0.0, scale: like.scale, converged: true, applications: 0 }
}

fn dense(operator: &HessianOperator<'_, impl Loss>) -> Option<(Extreme, Extreme)> {
    if operator.dimension() > DENSE_PARAMETERS {
        return None;
    }
    let matrix = operator.to_dense();
    let eigen = symmetric_eigen(&matrix)?;
    let last = eigen.values.len() - 1;
    let scale = eigen.values[0].abs().max(eigen.values[last].abs());
    let pick = |k: usize| {
        let vector = eigen.vectors.column(k).to_vec();
        let value = eigen.values[k];
        let image = operator.apply(&vector);
        let residual = image.iter().zip(&vector).map(|(x, v)| x - value * v).fold(0.0, f64::hypot);
        Extreme { value, vector, residual, scale, converged: true, applications: operator.dimension() }
    };
    Some((pick(0), pick(last)))
}
