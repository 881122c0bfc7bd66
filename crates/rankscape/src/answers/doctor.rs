//! Is this build sound on this machine?

use crate::diagnosis::{Settings, diagnose};
use crate::error::Result;
use crate::linalg::{Matrix, singular_values, symmetric_eigenvalues};
use crate::problem::{Data, Problem};
use crate::random::Stream;

/// One check of the self-test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelfCheck {
    /// What holds.
    pub name: String,
    /// Whether it held.
    pub ok: bool,
    /// The number that was compared.
    pub detail: String,
}

/// Known answers, computed again.
///
/// # Errors
/// None on sound machines.
pub fn doctor() -> Result<Vec<SelfCheck>> {
    Ok(vec![decomposition(), eigenvalues(), saddle()?])
}

fn check(name: &str, error: f64, limit: f64) -> SelfCheck {
    SelfCheck { name: name.to_owned(), ok: error <= limit, detail: format!("error {error:.1e}, limit {limit:.0e}") }
}

/// Singular values of a matrix scaled to the ends of the range.
fn decomposition() -> SelfCheck {
    let a = Stream::new(1, 0).normal_matrix(60, 40);
    let plain = singular_values(&a);
    let error = [1e-290, 1e290]
        .iter()
        .flat_map(|&scale| {
            singular_values(&a.scaled(scale)).into_iter().zip(&plain).map(move |(s, p)| (s / scale - p).abs())
        })
        .fold(0.0, f64::max);
    check("singular values at scales 1e-290 and 1e290", error / plain[0], 1e-13)
}

fn eigenvalues() -> SelfCheck {
    let q = Stream::new(2, 0).normal_matrix(50, 50);
    let symmetric = &q + &q.transpose();
    let values = symmetric_eigenvalues(&symmetric).unwrap_or_default();
    let trace: f64 = (0..50).map(|i| symmetric[(i, i)]).sum();
    check("eigenvalues of a symmetric matrix add up to its trace", (values.iter().sum::<f64>() - trace).abs(), 1e-11)
}

/// The origin of a 2-2-2 network with target diag(2, 1): a strict saddle of index 4.
fn saddle() -> Result<SelfCheck> {
    let zero = Matrix::zeros(2, 2);
    let problem = Problem::new([zero.clone(), zero], Data::target(Matrix::from_diagonal(2, 2, &[2.0, 1.0])))?;
    let found = diagnose(&problem, Settings::default())?;
    let index = found.inertia.map(|inertia| inertia.negative);
    Ok(SelfCheck {
        name: "the origin of a 2-2-2 network is a strict saddle of index 4".to_owned(),
        ok: index == Some(4) && (found.extremes.smallest.value + 2.0).abs() < 1e-12,
        detail: format!(
            "class {}, index {}, lambda_min {:.3}",
            found.class,
            index.map_or("unknown".to_owned(), |index| index.to_string()),
            found.extremes.smallest.value
        ),
    })
}
