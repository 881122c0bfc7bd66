//! Quadratic forms of all entries.

use super::{Convexity, Infimum, Loss, QuadraticForm};
use crate::linalg::{Matrix, inverse, spectral_norm, symmetric_eigenvalues};

/// `l(F) = 1/2 v' K v` with `v` the entries of `F - Y`, row by row, and `K` symmetric positive semidefinite.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricLoss {
    metric: Matrix,
    target: Matrix,
    /// `||K||_2`.
    norm: f64,
    /// Smallest eigenvalue of `K`, not below 0; 0 where it is no more than rounding errors.
    least: f64,
    inverse: Option<Matrix>,
}

impl MetricLoss {
    /// The form of a metric of size `mn` about a target of size `m x n`.
    pub fn new(metric: Matrix, target: Matrix) -> Self {
        let norm = spectral_norm(&metric);
        let least = symmetric_eigenvalues(&metric).and_then(|values| values.first().copied()).unwrap_or(0.0);
        let least = if least > metric.nrows() as f64 * f64::EPSILON * norm { least } else { 0.0 };
        let inverse = if least > 0.0 { inverse(&metric) } else { None };
        Self { metric, target, norm, least, inverse }
    }

    /// `K`.
    pub fn metric(&self) -> &Matrix {
        &self.metric
    }

    /// `Y`.
    pub fn target(&self) -> &Matrix {
        &self.target
    }

    fn times(&self, matrix: &Matrix, direction: &Matrix) -> Matrix {
        let (rows, columns) = direction.shape();
        let entries: Vec<f64> = direction.transpose().entries().collect();
        let image = matrix * &Matrix::from_column_major(rows * columns, 1, &entries);
        Matrix::from_fn(rows, columns, |i, j| image[(i * columns + j, 0)])
    }
}

impl Loss for MetricLoss {
    fn value(&self, outputs: &Matrix) -> f64 {
        self.value_beside(outputs, &self.gradient(outputs))
    }

    fn value_beside(&self, outputs: &Matrix, gradient: &Matrix) -> f64 {
        // Rounding errors aside it is not negative.
        (0.5 * gradient.dot(&(outputs - &self.target))).max(0.0)
    }

    fn gradient(&self, outputs: &Matrix) -> Matrix {
        self.times(&self.metric, &(outputs - &self.target))
    }

    fn hessian_times(&self, _outputs: &Matrix, direction: &Matrix) -> Matrix {
        self.times(&self.metric, direction)
    }

    /// Nothing of the outputs: the form is the same everywhere.
    fn curvature(&self, _outputs: &Matrix) -> Matrix {
        Matrix::zeros(0, 0)
    }

    fn curved(&self, _curvature: &Matrix, direction: &Matrix) -> Matrix {
        self.times(&self.metric, direction)
    }

    fn diagonal(&self, outputs: &Matrix) -> Option<Matrix> {
        let (rows, columns) = outputs.shape();
        let entry = |i: usize, j: usize| self.metric[(i * columns + j, i * columns + j)];
        Some(Matrix::from_fn(rows, columns, entry))
    }

    fn is_coercive(&self) -> bool {
        self.least > 0.0
    }

    fn best_outputs(&self) -> Option<Matrix> {
        Some(self.target.clone())
    }

    fn smoothness(&self, _outputs: &Matrix) -> f64 {
        self.norm
    }

    fn hessian_lipschitz(&self, _outputs: &Matrix, _radius: f64) -> Option<f64> {
        Some(0.0)
    }

    fn output_size(&self) -> f64 {
        let norm = self.target.frobenius_norm();
        if norm == 0.0 { 1.0 } else { norm }
    }

    fn convexity(&self) -> Convexity {
        if self.least > 0.0 { Convexity::Strong(self.least) } else { Convexity::Convex }
    }

    fn infimum(&self) -> Infimum {
        Infimum::Attained(0.0)
    }

    fn infimum_beside(&self, slopes: &Matrix) -> Option<f64> {
        let image = self.times(self.inverse.as_ref()?, slopes);
        Some(-0.5 * slopes.dot(&image) - slopes.dot(&self.target))
    }

    fn quadratic_form(&self) -> Option<QuadraticForm<'_>> {
        Some(QuadraticForm::Full { target: &self.target, metric: &self.metric })
    }
}
