//! The square loss `l(F) = 1/2 ||F - Z||_F^2`.

use std::sync::Arc;

use super::{Convexity, Infimum, Loss, QuadraticForm, SharedLoss};
use crate::linalg::Matrix;

/// Half the squared distance from a target.
///
/// ```
/// use rankscape::Matrix;
/// use rankscape::loss::{Loss, SquareLoss};
///
/// let loss = SquareLoss::new(Matrix::from_diagonal(2, 2, &[3.0, 4.0]));
/// assert_eq!(loss.value(&Matrix::zeros(2, 2)), 12.5);
/// assert_eq!(loss.gradient(loss.target()), Matrix::zeros(2, 2));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SquareLoss {
    target: Matrix,
}

impl SquareLoss {
    /// The distance from `target`.
    pub fn new(target: Matrix) -> Self {
        Self { target }
    }

    /// `Z`.
    pub fn target(&self) -> &Matrix {
        &self.target
    }
}

impl Loss for SquareLoss {
    fn value(&self, outputs: &Matrix) -> f64 {
        self.value_beside(outputs, &self.gradient(outputs))
    }

    fn value_beside(&self, _outputs: &Matrix, residual: &Matrix) -> f64 {
        0.5 * residual.frobenius_norm().powi(2)
    }

    fn gradient(&self, outputs: &Matrix) -> Matrix {
        outputs - &self.target
    }

    fn hessian_times(&self, _outputs: &Matrix, direction: &Matrix) -> Matrix {
        direction.clone()
    }

    fn diagonal(&self, outputs: &Matrix) -> Option<Matrix> {
        Some(Matrix::from_fn(outputs.nrows(), outputs.ncols(), |_, _| 1.0))
    }

    fn is_coercive(&self) -> bool {
        true
    }

    fn best_outputs(&self) -> Option<Matrix> {
        Some(self.target.clone())
    }

    fn smoothness(&self, _outputs: &Matrix) -> f64 {
        1.0
    }

    fn hessian_lipschitz(&self, _outputs: &Matrix, _radius: f64) -> Option<f64> {
        Some(0.0)
    }

    fn gradient_size(&self, outputs: &Matrix) -> f64 {
        outputs.frobenius_norm() + self.target.frobenius_norm()
    }

    fn output_size(&self) -> f64 {
        let norm = self.target.frobenius_norm();
        if norm == 0.0 { 1.0 } else { norm }
    }

    fn hessian_is_identity(&self) -> bool {
        true
    }

    fn convexity(&self) -> Convexity {
        Convexity::Strong(1.0)
    }

    fn infimum(&self) -> Infimum {
        Infimum::Attained(0.0)
    }

    fn infimum_beside(&self, slopes: &Matrix) -> Option<f64> {
        Some(-0.5 * slopes.frobenius_norm().powi(2) - slopes.dot(&self.target))
    }

    fn restricted(&self, rows: &[usize], columns: &[usize]) -> Option<SharedLoss> {
        Some(Arc::new(Self::new(self.target.selected(rows, columns))))
    }

    fn quadratic_form(&self) -> Option<QuadraticForm<'_>> {
        Some(QuadraticForm::Entries { target: &self.target, weights: None })
    }
}
