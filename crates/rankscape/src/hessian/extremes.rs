//! Smallest and largest eigenvalue of the Hessian.

use super::operator::HessianOperator;
use crate::linalg::{Extreme, Inertia, SymmetricOperator, smallest_eigenpair, symmetric_eigen};
use crate::tolerance::Tolerances;

/// Up to this many parameters the Hessian is formed.
const DENSE_PARAMETERS: usize = 400;
const BUDGET: usize = 4000;

/// Both ends of the spectrum; each with a unit vector and its residual.
#[derive(Debug, Clone)]
pub struct Extremes {
    /// Smallest eigenvalue; zero, without a vector, when the inertia proves it.
    pub smallest: Extreme,
    /// Largest eigenvalue.
    pub largest: Extreme,
}

/// Extreme eigenvalues, by a dense decomposition of small Hessians and by Lanczos otherwise.
///
/// At a minimum a Krylov method finds the smallest *positive* eigenvalue and reports success, because its starting
/// vector's part in a large kernel is resolved last or never. The inertia, where it is known, is therefore used: with
/// no negative and some zero eigenvalue the smallest is zero.
pub fn extremes(
    operator: &HessianOperator<'_>,
    inertia: Option<Inertia>,
    tolerances: &Tolerances,
    seed: u64,
) -> Extremes {
    let semidefinite = inertia.is_some_and(|found| found.negative == 0 && found.zero > 0);
    let find = |sign| smallest_eigenpair(operator, sign, tolerances.krylov, BUDGET, seed);
    let (smallest, largest) = match dense(operator) {
        Some((smallest, largest)) if !semidefinite => (smallest, largest),
        Some((_, largest)) => (zero_eigenvalue(&largest), largest),
        None => {
            let largest = find(-1.0);
            (if semidefinite { zero_eigenvalue(&largest) } else { find(1.0) }, largest)
        }
    };
    Extremes { smallest, largest }
}

/// The smallest eigenvalue where the inertia proves that it is zero; no eigenvector is computed.
fn zero_eigenvalue(largest: &Extreme) -> Extreme {
    Extreme { value: 0.0, vector: Vec::new(), residual: 0.0, scale: largest.scale, converged: true, applications: 0 }
}

fn dense(operator: &HessianOperator<'_>) -> Option<(Extreme, Extreme)> {
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
