//! Losses on matrix space, which know nothing of networks.
//!
//! Everything above is generic over [`Loss`]: `l(F)` of the outputs `F`, value, gradient and Hessian as an operator. The
//! square loss, whose Hessian is the identity, is a fast path of the same code.

mod square;

use crate::linalg::Matrix;

pub use square::SquareLoss;

/// A twice differentiable function `l` of the outputs `F` of a network, a sample a column.
pub trait Loss {
    /// `l(F)`.
    fn value(&self, outputs: &Matrix) -> f64;

    /// `grad l(F)`, of the shape of `F`.
    fn gradient(&self, outputs: &Matrix) -> Matrix;

    /// `l(F)` where `grad l(F)` is known already.
    fn value_beside(&self, outputs: &Matrix, _gradient: &Matrix) -> f64 {
        self.value(outputs)
    }

    /// The Hessian of `l` at `F`, times a direction.
    fn hessian_times(&self, outputs: &Matrix, direction: &Matrix) -> Matrix;

    /// Size of the terms that are added up in `grad l(F)`: its rounding errors are relative to it. At least the norm of the
    /// gradient.
    fn gradient_size(&self, outputs: &Matrix) -> f64;

    /// The Hessian is the identity everywhere, so it need not be applied.
    fn hessian_is_identity(&self) -> bool {
        false
    }

    /// What is known of the shape.
    fn convexity(&self) -> Convexity;

    /// What is known of the smallest value over all `F`.
    fn infimum(&self) -> Infimum;
}

/// How convex a loss is on matrix space.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Convexity {
    /// `l - m/2 ||F||^2` is convex for this `m > 0`.
    Strong(f64),
    /// Convex.
    Convex,
    /// Not convex, or not known to be.
    Unknown,
}

/// The smallest value of a loss on matrix space.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Infimum {
    /// This value, at a point.
    Attained(f64),
    /// No value is below this one.
    AtLeast(f64),
    /// Nothing is known.
    Unknown,
}
