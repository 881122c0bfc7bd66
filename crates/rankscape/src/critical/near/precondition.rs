//! An approximate inverse of `J J'` on the block of one word: `A (x) I + I (x) C + floor`, by the eigenvectors of `A` and `C`.
//!
//! A layer changes a word from the left or from the right of what stands before or after it. The two outermost layers give
//! `A (x) I` and `I (x) C` exactly; the ones between count with their mean on the other side.

use crate::linalg::{Matrix, symmetric_eigen};

/// Larger symmetric matrices count with their mean eigenvalue.
const LARGEST: usize = 300;
/// Eigenvalues below this part of the largest are not told apart.
const FLOOR: f64 = 1e-8;

/// Eigenvectors and eigenvalues, or only the mean eigenvalue.
enum Side {
    Full(Matrix, Vec<f64>),
    Mean(f64),
}

/// A sum of symmetric matrices, `None` for zero, and a multiple of the identity.
#[derive(Default)]
pub(super) struct Sum(pub(super) Option<Matrix>, pub(super) f64);

impl Sum {
    pub(super) fn add(&mut self, share: f64, matrix: &Matrix) {
        match &mut self.0 {
            Some(sum) => sum.add_scaled(share, matrix),
            None => self.0 = Some(matrix.scaled(share)),
        }
    }

    pub(super) fn add_identity(&mut self, share: f64) {
        self.1 += share;
    }
}

pub(super) struct Preconditioner {
    identity: f64,
    left: Side,
    right: Side,
}

impl Preconditioner {
    /// From the sums `A` and `C`.
    pub(super) fn new(left: Sum, right: Sum) -> Self {
        Self { identity: left.1 + right.1, left: side(left.0), right: side(right.0) }
    }

    fn largest(&self) -> f64 {
        [&self.left, &self.right]
            .into_iter()
            .map(|side| match side {
                Side::Full(_, values) => values.iter().copied().fold(0.0, f64::max),
                Side::Mean(mean) => *mean,
            })
            .sum::<f64>()
            + self.identity
    }

    pub(super) fn apply(&self, matrix: &Matrix, damping: f64) -> Matrix {
        let floor = (FLOOR * self.largest()).max(damping * damping).max(f64::MIN_POSITIVE);
        let turned = match &self.left {
            Side::Full(vectors, _) => vectors.transpose_times(matrix),
            Side::Mean(_) => matrix.clone(),
        };
        let turned = match &self.right {
            Side::Full(vectors, _) => &turned * vectors,
            Side::Mean(_) => turned,
        };
        let value = |side: &Side, k: usize| match side {
            Side::Full(_, values) => values[k].max(0.0),
            Side::Mean(mean) => *mean,
        };
        let scaled = Matrix::from_fn(turned.nrows(), turned.ncols(), |i, j| {
            turned[(i, j)] / (value(&self.left, i) + value(&self.right, j) + self.identity + floor)
        });
        let back = match &self.left {
            Side::Full(vectors, _) => vectors * &scaled,
            Side::Mean(_) => scaled,
        };
        match &self.right {
            Side::Full(vectors, _) => back.times_transpose(vectors),
            Side::Mean(_) => back,
        }
    }
}

fn side(sum: Option<Matrix>) -> Side {
    let Some(sum) = sum else { return Side::Mean(0.0) };
    let mean = (0..sum.nrows()).map(|k| sum[(k, k)]).sum::<f64>() / sum.nrows().max(1) as f64;
    match symmetric_eigen(&sum).filter(|_| sum.nrows() <= LARGEST) {
        Some(eigen) => Side::Full(eigen.vectors, eigen.values),
        None => Side::Mean(mean),
    }
}
