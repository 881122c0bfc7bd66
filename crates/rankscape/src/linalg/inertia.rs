//! Symmetric eigenvalues and inertia.

use faer::Side;

use super::matrix::{Matrix, power_of_two_near};

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

/// Eigenvalues of a symmetric matrix (its lower triangle is read), non-decreasing; `None` if the iteration fails.
pub fn symmetric_eigenvalues(a: &Matrix) -> Option<Vec<f64>> {
    if a.nrows() == 0 {
        return Some(Vec::new());
    }
    let (scaled, scale) = scaled(a)?;
    let values = scaled.as_ref().self_adjoint_eigenvalues(Side::Lower).ok()?;
    Some(values.into_iter().map(|value| value * scale).collect())
}

/// Eigenvalues and eigenvectors of a symmetric matrix (its lower triangle is read); `None` if the iteration fails.
pub fn symmetric_eigen(a: &Matrix) -> Option<SymmetricEigen> {
    if a.nrows() == 0 {
        return Some(SymmetricEigen { values: Vec::new(), vectors: Matrix::zeros(0, 0) });
    }
    let (scaled, scale) = scaled(a)?;
    let found = scaled.as_ref().self_adjoint_eigen(Side::Lower).ok()?;
    let values = found.S().column_vector().iter().map(|&value| value * scale).collect();
    Some(SymmetricEigen { values, vectors: Matrix::from_faer(found.U().to_owned()) })
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
