//! Tuples of factors `(W_1, ..., W_h)`, in double precision or exact.

use crate::architecture::Architecture;
use crate::error::{InputError, Result};
use crate::linalg::exact::RationalMatrix;
use crate::linalg::{Algebra, Matrix};

/// Factors `W_1, ..., W_h` whose shapes chain: `W_k` is `d_k x d_{k-1}`.
#[derive(Debug, Clone, PartialEq)]
pub struct Factors {
    architecture: Architecture,
    matrices: Vec<Matrix>,
}

impl Factors {
    /// Checks the shapes.
    ///
    /// # Errors
    /// If there is no factor, one is empty or has an entry that is not finite, or two neighbours do not chain.
    pub fn new(matrices: Vec<Matrix>) -> Result<Self> {
        let shapes: Vec<_> = matrices.iter().map(Matrix::shape).collect();
        let architecture = chain(&shapes)?;
        for (k, matrix) in matrices.iter().enumerate() {
            if !matrix.is_finite() {
                return Err(InputError::new("an entry is not finite").array(format!("W{}", k + 1)));
            }
        }
        Ok(Self { architecture, matrices })
    }

    /// The widths.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// Number of factors.
    pub fn depth(&self) -> usize {
        self.matrices.len()
    }

    /// The matrices, `W_1` first.
    pub fn matrices(&self) -> &[Matrix] {
        &self.matrices
    }

    /// `W_k`, for `k` from 1 to the depth.
    pub fn layer(&self, k: usize) -> &Matrix {
        &self.matrices[k - 1]
    }

    /// `W_k` for writing, for `k` from 1 to the depth; the shape must stay.
    pub(crate) fn layer_mut(&mut self, k: usize) -> &mut Matrix {
        &mut self.matrices[k - 1]
    }

    /// The partial product `P(j, i) = W_j ... W_{i+1}`, of shape `d_j x d_i`.
    pub fn partial(&self, j: usize, i: usize) -> Matrix {
        if i == j {
            return Matrix::identity(self.architecture.widths()[i]);
        }
        partial_product(&self.matrices, j, i)
    }

    /// The product `W_h ... W_1`.
    pub fn product(&self) -> Matrix {
        self.partial(self.depth(), 0)
    }

    /// All entries, `W_1` first, each matrix row by row.
    pub fn to_vector(&self) -> Vec<f64> {
        self.matrices
            .iter()
            .flat_map(|m| (0..m.nrows()).flat_map(move |i| (0..m.ncols()).map(move |j| m[(i, j)])))
            .collect()
    }

    /// The tuple with the same shapes and the given entries (inverse of [`Factors::to_vector`]).
    #[must_use]
    pub fn with_vector(&self, entries: &[f64]) -> Self {
        let mut offset = 0;
        let matrices = self
            .matrices
            .iter()
            .map(|m| {
                let (rows, cols) = m.shape();
                let part = &entries[offset..offset + rows * cols];
                offset += rows * cols;
                Matrix::from_fn(rows, cols, |i, j| part[i * cols + j])
            })
            .collect();
        Self { architecture: self.architecture.clone(), matrices }
    }

    /// The tuple of the same widths with other matrices, `W_1` first; the shapes must be those of this one.
    pub(crate) fn with_matrices(&self, matrices: Vec<Matrix>) -> Self {
        Self { architecture: self.architecture.clone(), matrices }
    }

    /// `self + t * direction`, entry by entry.
    #[must_use]
    pub fn moved(&self, t: f64, direction: &Self) -> Self {
        let mut out = self.clone();
        for (matrix, step) in out.matrices.iter_mut().zip(&direction.matrices) {
            matrix.add_scaled(t, step);
        }
        out
    }

    /// Euclidean norm of all entries.
    pub fn norm(&self) -> f64 {
        self.matrices.iter().map(Matrix::frobenius_norm).fold(0.0, f64::hypot)
    }
}

/// Factors `W_1, ..., W_h` with rational entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExactFactors {
    architecture: Architecture,
    matrices: Vec<RationalMatrix>,
}

impl ExactFactors {
    /// Checks the shapes.
    ///
    /// # Errors
    /// If there is no factor, one is empty, or two neighbours do not chain.
    pub fn new(matrices: Vec<RationalMatrix>) -> Result<Self> {
        let shapes: Vec<_> = matrices.iter().map(RationalMatrix::shape).collect();
        Ok(Self { architecture: chain(&shapes)?, matrices })
    }

    /// The widths.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// Number of factors.
    pub fn depth(&self) -> usize {
        self.matrices.len()
    }

    /// The matrices, `W_1` first.
    pub fn matrices(&self) -> &[RationalMatrix] {
        &self.matrices
    }

    /// The partial product `P(j, i) = W_j ... W_{i+1}`, of shape `d_j x d_i`.
    pub fn partial(&self, j: usize, i: usize) -> RationalMatrix {
        if i == j {
            return RationalMatrix::identity(self.architecture.widths()[i]);
        }
        partial_product(&self.matrices, j, i)
    }
}

/// Factors over either arithmetic.
pub trait FactorChain {
    /// A factor.
    type Matrix: Algebra;
    /// The widths.
    fn architecture(&self) -> &Architecture;
    /// The matrices, `W_1` first.
    fn matrices(&self) -> &[Self::Matrix];
}

impl FactorChain for Factors {
    type Matrix = Matrix;

    fn architecture(&self) -> &Architecture {
        &self.architecture
    }
    fn matrices(&self) -> &[Matrix] {
        &self.matrices
    }
}

impl FactorChain for ExactFactors {
    type Matrix = RationalMatrix;

    fn architecture(&self) -> &Architecture {
        &self.architecture
    }
    fn matrices(&self) -> &[RationalMatrix] {
        &self.matrices
    }
}

/// `W_j ... W_{i+1}` for `i < j`.
pub(crate) fn partial_product<M: Algebra>(matrices: &[M], j: usize, i: usize) -> M {
    matrices[i + 1..j].iter().fold(matrices[i].clone(), |product, matrix| matrix.times(&product))
}

fn chain(shapes: &[(usize, usize)]) -> Result<Architecture> {
    let Some(&(_, inputs)) = shapes.first() else {
        return Err(InputError::new("there are no factors").hint("give at least one matrix"));
    };
    for (k, pair) in shapes.windows(2).enumerate() {
        let ((rows, _), (_, cols)) = (pair[0], pair[1]);
        if rows != cols {
            return Err(InputError::new(format!("the shapes of W{} and W{} do not chain", k + 1, k + 2))
                .array(format!("W{}", k + 2))
                .value(format!("W{} is {} x {}, W{} is {} x {}", k + 1, rows, pair[0].1, k + 2, pair[1].0, cols))
                .hint("the columns of a factor must be as many as the rows of the factor before it"));
        }
    }
    Architecture::new(std::iter::once(inputs).chain(shapes.iter().map(|shape| shape.0)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn vector_of_entries_round_trips() {
        let mut stream = Stream::new(1, 0);
        let factors = Factors::new(vec![stream.normal_matrix(2, 3), stream.normal_matrix(4, 2)]).unwrap();
        assert_eq!(factors.with_vector(&factors.to_vector()), factors);
        assert_eq!(factors.to_vector()[1], factors.layer(1)[(0, 1)]);
    }

    #[test]
    fn shapes_that_do_not_chain_name_both_layers() {
        let error = Factors::new(vec![Matrix::zeros(2, 3), Matrix::zeros(4, 3)]).unwrap_err();
        assert!(error.to_string().contains("W1 is 2 x 3, W2 is 4 x 3"), "{error}");
        assert!(Factors::new(vec![]).is_err());
    }
}
