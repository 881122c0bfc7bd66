//! The square loss `l(W) = 1/2 ||W X - Y||_F^2`, from whitened data.

use crate::data::Whitening;
use crate::linalg::Matrix;

/// The square loss on `d_h x d_0` matrices; its cost does not depend on the number of samples.
#[derive(Debug, Clone)]
pub struct SquareLoss {
    whitening: Whitening,
    inputs: Matrix,
}

impl SquareLoss {
    /// The square loss of whitened data.
    pub fn new(whitening: Whitening) -> Self {
        Self { inputs: whitening.inputs(), whitening }
    }

    /// The whitened data.
    pub fn whitening(&self) -> &Whitening {
        &self.whitening
    }

    /// `W (U S) - Z`, the residual in whitened coordinates.
    pub fn residual(&self, w: &Matrix) -> Matrix {
        &(w * &self.inputs) - &self.whitening.target
    }

    /// `l(W)`.
    pub fn value(&self, w: &Matrix) -> f64 {
        self.whitening.floor + 0.5 * self.residual(w).frobenius_norm().powi(2)
    }

    /// `grad l(W) = (W X - Y) X'`.
    pub fn gradient(&self, w: &Matrix) -> Matrix {
        self.residual(w).times_transpose(&self.inputs)
    }

    /// The Hessian times a direction: `dW X X'`.
    pub fn hessian_times(&self, direction: &Matrix) -> Matrix {
        (direction * &self.inputs).times_transpose(&self.inputs)
    }
}
