//! Losses on matrix space, which know nothing of networks.
//!
//! Everything above is generic over [`Loss`]: `l(F)` of the outputs `F`, value, gradient and Hessian as an operator. The
//! square loss, whose Hessian is the identity, is a fast path of the same code.
//!
//! [`EntrywiseLoss`] is a weighted sum over entries (`entry` has the functions of one number), [`SoftmaxLoss`] the cross-entropy of
//! every column, [`MetricLoss`] a quadratic form of all entries. [`LossKind`] names them and makes them from targets.

mod check;
mod entry;
mod entrywise;
mod kind;
mod metric;
mod softmax;
mod square;

use std::fmt::Debug;
use std::sync::Arc;

use crate::linalg::Matrix;

pub use check::check_loss;
pub use entry::Entry;
pub use entrywise::EntrywiseLoss;
pub use kind::{LossKind, Observations};
pub use metric::MetricLoss;
pub use softmax::SoftmaxLoss;
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

    /// What [`Loss::curved`] takes of `F`, computed once for many directions; `F` itself where nothing better is known.
    fn curvature(&self, outputs: &Matrix) -> Matrix {
        outputs.clone()
    }

    /// [`Loss::hessian_times`] at the outputs of this [`Loss::curvature`].
    fn curved(&self, curvature: &Matrix, direction: &Matrix) -> Matrix {
        self.hessian_times(curvature, direction)
    }

    /// The diagonal of the Hessian of `l` at `F`, of the shape of `F`; `None` where it is not at hand.
    fn diagonal(&self, _outputs: &Matrix) -> Option<Matrix> {
        None
    }

    /// `l` goes to infinity with the outputs, so that it has a minimum on every closed set of them.
    fn is_coercive(&self) -> bool {
        false
    }

    /// Outputs at which the infimum is attained; `None` where there are none or they are not known.
    fn best_outputs(&self) -> Option<Matrix> {
        None
    }

    /// A bound of the largest eigenvalue of the Hessian of `l`: everywhere where there is one (square 1, softmax 1/2 a sample,
    /// logistic 1/4), else at `F`.
    fn smoothness(&self, outputs: &Matrix) -> f64;

    /// A Lipschitz constant of the Hessian of `l` on all outputs within `radius` of `F` in the Frobenius norm; `None` where none is
    /// known.
    fn hessian_lipschitz(&self, _outputs: &Matrix, _radius: f64) -> Option<f64> {
        None
    }

    /// Size of the terms that are added up in `grad l(F)`: its rounding errors are relative to it. By default
    /// `beta ||F||_F + ||grad l(0)||_F` with `beta` the [`Loss::smoothness`].
    fn gradient_size(&self, outputs: &Matrix) -> f64 {
        let at_zero = self.gradient(&Matrix::zeros(outputs.nrows(), outputs.ncols()));
        self.smoothness(outputs) * outputs.frobenius_norm() + at_zero.frobenius_norm()
    }

    /// The size of outputs in which the loss is measured: that of the targets for a loss of residuals, 1 where outputs have no unit.
    fn output_size(&self) -> f64 {
        1.0
    }

    /// The Hessian is the identity everywhere, so it need not be applied.
    fn hessian_is_identity(&self) -> bool {
        false
    }

    /// Second derivatives tell the truth at `F`: no entry lies where they jump (the kink of Huber's loss), up to this part of the
    /// entry's size.
    fn is_twice_differentiable(&self, _outputs: &Matrix, _margin: f64) -> bool {
        true
    }

    /// What is known of the shape.
    fn convexity(&self) -> Convexity;

    /// What is known of the smallest value over all `F`.
    fn infimum(&self) -> Infimum;

    /// `inf_F l(F) - <V, F>`, minus the conjugate of `l` at `V`: minus infinity outside the domain of the conjugate, `None` where no
    /// formula is known. By weak duality it is a lower bound of `l` over all `F` that are orthogonal to `V`.
    fn infimum_beside(&self, _slopes: &Matrix) -> Option<f64> {
        None
    }

    /// Outputs that differ by the same number in all entries of a column have the same loss.
    fn ignores_shifts(&self) -> bool {
        false
    }

    /// The entries of `F` that the loss depends on: `true` where it does; `None` for all.
    fn observed(&self) -> Option<Vec<Vec<bool>>> {
        None
    }

    /// The loss of these rows and columns of the outputs alone, all others being unobserved; `None` where it is not made.
    fn restricted(&self, _rows: &[usize], _columns: &[usize]) -> Option<SharedLoss> {
        None
    }

    /// Target and metric, where the loss is quadratic.
    fn quadratic_form(&self) -> Option<QuadraticForm<'_>> {
        None
    }

    /// For a loss of margins, linear functions of `F` each of which the loss falls along without end: `l` goes to its infimum where
    /// all margins do to infinity, and never rises where none falls.
    fn margins(&self, _outputs: &Matrix) -> Option<Margins> {
        None
    }

    /// The limit of the loss where the margins marked go to infinity and the others stay.
    fn without(&self, _settled: &[bool]) -> Option<SharedLoss> {
        None
    }
}

/// A quadratic loss.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum QuadraticForm<'a> {
    /// `1/2 sum M_ij (F_ij - Y_ij)^2`.
    Entries {
        /// `Y`.
        target: &'a Matrix,
        /// `M`; all 1 where there are none.
        weights: Option<&'a Matrix>,
    },
    /// `1/2 v' K v`, `v` the entries of `F - Y` row by row.
    Full {
        /// `Y`.
        target: &'a Matrix,
        /// `K`.
        metric: &'a Matrix,
    },
}

/// Margins of outputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Margins {
    /// The margins.
    pub values: Vec<f64>,
    /// All of them can be positive at once; not where two are opposite, as for targets that are shared between classes.
    pub strict: bool,
}

/// A loss behind a pointer.
pub type SharedLoss = Arc<dyn AnyLoss>;

/// Losses that are shared between threads.
pub trait AnyLoss: Loss + Debug + Send + Sync {}

impl<L: Loss + Debug + Send + Sync> AnyLoss for L {}

impl Loss for SharedLoss {
    fn value(&self, outputs: &Matrix) -> f64 {
        (**self).value(outputs)
    }

    fn gradient(&self, outputs: &Matrix) -> Matrix {
        (**self).gradient(outputs)
    }

    fn value_beside(&self, outputs: &Matrix, gradient: &Matrix) -> f64 {
        (**self).value_beside(outputs, gradient)
    }

    fn hessian_times(&self, outputs: &Matrix, direction: &Matrix) -> Matrix {
        (**self).hessian_times(outputs, direction)
    }

    fn curvature(&self, outputs: &Matrix) -> Matrix {
        (**self).curvature(outputs)
    }

    fn curved(&self, curvature: &Matrix, direction: &Matrix) -> Matrix {
        (**self).curved(curvature, direction)
    }

    fn diagonal(&self, outputs: &Matrix) -> Option<Matrix> {
        (**self).diagonal(outputs)
    }

    fn is_coercive(&self) -> bool {
        (**self).is_coercive()
    }

    fn best_outputs(&self) -> Option<Matrix> {
        (**self).best_outputs()
    }

    fn smoothness(&self, outputs: &Matrix) -> f64 {
        (**self).smoothness(outputs)
    }

    fn hessian_lipschitz(&self, outputs: &Matrix, radius: f64) -> Option<f64> {
        (**self).hessian_lipschitz(outputs, radius)
    }

    fn gradient_size(&self, outputs: &Matrix) -> f64 {
        (**self).gradient_size(outputs)
    }

    fn output_size(&self) -> f64 {
        (**self).output_size()
    }

    fn hessian_is_identity(&self) -> bool {
        (**self).hessian_is_identity()
    }

    fn is_twice_differentiable(&self, outputs: &Matrix, margin: f64) -> bool {
        (**self).is_twice_differentiable(outputs, margin)
    }

    fn convexity(&self) -> Convexity {
        (**self).convexity()
    }

    fn infimum(&self) -> Infimum {
        (**self).infimum()
    }

    fn infimum_beside(&self, slopes: &Matrix) -> Option<f64> {
        (**self).infimum_beside(slopes)
    }

    fn ignores_shifts(&self) -> bool {
        (**self).ignores_shifts()
    }

    fn observed(&self) -> Option<Vec<Vec<bool>>> {
        (**self).observed()
    }

    fn restricted(&self, rows: &[usize], columns: &[usize]) -> Option<SharedLoss> {
        (**self).restricted(rows, columns)
    }

    fn quadratic_form(&self) -> Option<QuadraticForm<'_>> {
        (**self).quadratic_form()
    }

    fn margins(&self, outputs: &Matrix) -> Option<Margins> {
        (**self).margins(outputs)
    }

    fn without(&self, settled: &[bool]) -> Option<SharedLoss> {
        (**self).without(settled)
    }
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

impl Convexity {
    /// Convex, whether strongly or not.
    pub fn is_convex(self) -> bool {
        matches!(self, Self::Strong(_) | Self::Convex)
    }
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
