//! A point of the parameter space with the square loss, over the rationals.

use crate::data::ExactMoments;
use crate::error::{InputError, Result};
use crate::linalg::exact::{Rational, RationalMatrix};
use crate::multiplication::ExactFactors;

/// A point of the parameter space with the square loss, over the rationals.
#[derive(Debug, Clone)]
pub struct ExactSquareNetwork {
    factors: ExactFactors,
    data: ExactMoments,
    product: RationalMatrix,
    /// `g = W X X' - Y X'`.
    gradient: RationalMatrix,
}

impl ExactSquareNetwork {
    /// Forms the product and the gradient in matrix space.
    ///
    /// # Errors
    /// If the data do not fit the widths.
    pub fn new(factors: ExactFactors, data: ExactMoments) -> Result<Self> {
        let depth = factors.architecture().depth();
        let product = factors.partial(depth, 0);
        if product.shape() != data.yx.shape() {
            return Err(InputError::new("the data do not fit the widths").value(format!(
                "product {:?}, data {:?}",
                product.shape(),
                data.yx.shape()
            )));
        }
        let gradient = &(&product * &data.xx) - &data.yx;
        Ok(Self { factors, data, product, gradient })
    }

    /// The factors.
    pub fn factors(&self) -> &ExactFactors {
        &self.factors
    }

    /// The moments of the data.
    pub fn data(&self) -> &ExactMoments {
        &self.data
    }

    /// Twice the loss, `||W X - Y||_F^2`.
    pub fn squared_residual(&self) -> Rational {
        self.gradient.dot(&self.product) - self.product.dot(&self.data.yx) + &self.data.yy
    }

    /// The gradient, one block a layer: `P(h,k)' g P(k-1,0)'`.
    pub fn gradient_blocks(&self) -> Vec<RationalMatrix> {
        let depth = self.factors.architecture().depth();
        (1..=depth)
            .map(|k| {
                let left = &self.factors.partial(depth, k).transpose() * &self.gradient;
                &left * &self.factors.partial(k - 1, 0).transpose()
            })
            .collect()
    }

    /// Every gradient block is zero.
    pub fn is_critical(&self) -> bool {
        self.gradient_blocks().iter().all(RationalMatrix::is_zero)
    }

    /// `g`, the gradient of the loss in matrix space.
    pub fn gradient(&self) -> &RationalMatrix {
        &self.gradient
    }

    /// `W`.
    pub fn product(&self) -> &RationalMatrix {
        &self.product
    }

    /// Rank of `W X`.
    pub fn rank_of_output(&self) -> usize {
        (&self.product * &self.data.xx).rank()
    }
}
