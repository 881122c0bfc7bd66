//! Symmetric eigenvalues and inertia.

use faer::Side;

use super::matrix::{Matrix, power_of_two_near};
use super::svd::graded_svd;

/// Numbers of negative, zero and positive eigenvalues of a symmetric form (Sylvester).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Inertia {
    /// Number of negative eigenvalues.
    pub negative: usize,
    /// Number of zero eigenvalues.
    pub zero: usize,
    /// Number of positive eigenvalues.
    pub positive: usize,
}

impl Inertia {
    /// Counts eigenvalues; one counts as zero when its absolute value is at most `tolerance`.
    pub fn from_eigenvalues(values: &[f64], tolerance: f64) -> Self {
        let negative = values.iter().filter(|&&value| value < -tolerance).count();
        let positive = values.iter().filter(|&&value| value > tolerance).count();
        Self { negative, zero: values.len() - negative - positive, positive }
    }
}

/// Eigenvalues in non-decreasing order with orthonormal eigenvectors as columns.
#[derive(Debug, Clone)]
pub struct SymmetricEigen {
    /// Eigenvalues, non-decreasing.
    pub values: Vec<f64>,
    /// Eigenvectors, one a column.
    pub vectors: Matrix,
}

/// Eigenvalues of a symmetric matrix (its lower triangle is read), non-decreasing, up to rounding errors of the largest; `None`
/// if an entry is not finite. Where the library's iteration does not converge, Jacobi rotations do.
pub fn symmetric_eigenvalues(a: &Matrix) -> Option<Vec<f64>> {
    if a.nrows() == 0 {
        return Some(Vec::new());
    }
    let (scaled, scale) = scaled(a)?;
    let values = scaled.as_ref().self_adjoint_eigenvalues(Side::Lower);
    let values = values.ok().or_else(|| jacobi_eigen(&scaled).map(|found| found.values))?;
    Some(values.into_iter().map(|value| value * scale).collect())
}

/// Eigenvalues and eigenvectors of a symmetric matrix, as [`symmetric_eigenvalues`].
pub fn symmetric_eigen(a: &Matrix) -> Option<SymmetricEigen> {
    if a.nrows() == 0 {
        return Some(SymmetricEigen { values: Vec::new(), vectors: Matrix::zeros(0, 0) });
    }
    let (scaled, scale) = scaled(a)?;
    let mut found = match scaled.as_ref().self_adjoint_eigen(Side::Lower) {
        Ok(found) => SymmetricEigen {
            values: found.S().column_vector().iter().copied().collect(),
            vectors: Matrix::from_faer(found.U().to_owned()),
        },
        Err(_) => jacobi_eigen(&scaled)?,
    };
    found.values.iter_mut().for_each(|value| *value *= scale);
    Some(found)
}

/// By the singular values of the matrix plus a multiple of the identity that makes it positive semidefinite.
fn jacobi_eigen(a: &Matrix) -> Option<SymmetricEigen> {
    let size = a.nrows();
    let shift = size as f64 * a.max_abs();
    let entry = |i: usize, j: usize| a[(i.max(j), i.min(j))] + if i == j { shift } else { 0.0 };
    let found = graded_svd(&Matrix::from_fn(size, size, entry))?;
    Some(SymmetricEigen {
        values: found.s.iter().rev().map(|value| value - shift).collect(),
        vectors: Matrix::from_fn(size, size, |i, j| found.v[(i, size - 1 - j)]),
    })
}

fn scaled(a: &Matrix) -> Option<(Matrix, f64)> {
    let largest = a.max_abs();
    if !largest.is_finite() {
        return None;
    }
    let scale = power_of_two_near(largest);
    Some((a.scaled(1.0 / scale), scale))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn rotations_find_the_eigenvalues_that_the_library_finds() {
        for n in 1..20 {
            let half = Stream::new(6, n as u64).normal_matrix(n, n);
            let form = &half + &half.transpose();
            let (found, expected) = (jacobi_eigen(&form).unwrap(), symmetric_eigenvalues(&form).unwrap());
            let size = n as f64 * form.max_abs();
            assert!(found.values.iter().zip(&expected).all(|(a, b)| (a - b).abs() <= 1e-14 * size), "{n}");
            let rest = &(&form * &found.vectors) - &found.vectors.scale_columns(&found.values);
            assert!(rest.max_abs() <= 1e-13 * size, "{n}");
        }
        assert!(symmetric_eigen(&Matrix::from_rows(&[vec![f64::NAN]])).is_none());
    }

    #[test]
    fn inertia_is_invariant_under_congruence() {
        let diagonal = Matrix::from_diagonal(5, 5, &[-2.0, -1.0, 0.0, 3.0, 4.0]);
        let c = Stream::new(5, 0).normal_matrix(5, 5);
        let form = &c.transpose_times(&diagonal) * &c;
        let values = symmetric_eigenvalues(&form).unwrap();
        let expected = Inertia { negative: 2, zero: 1, positive: 2 };
        assert_eq!(Inertia::from_eigenvalues(&values, 1e-12 * values[4]), expected);
        let found = symmetric_eigen(&form).unwrap();
        assert!((&(&form * &found.vectors) - &found.vectors.scale_columns(&found.values)).max_abs() < 1e-12);
    }
}
