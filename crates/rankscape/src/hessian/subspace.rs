//! Subspaces that a block of the Hessian reads or writes, as orthonormal bases.

use crate::linalg::{Matrix, orthonormal_complement, svd, triangular_factor_of};
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

/// An orthonormal basis of a subspace, and one of its complement or of the part of it that matters.
#[derive(Debug, Clone)]
pub(super) struct Split {
    /// `None` is the identity: the whole space.
    pub(super) inside: Option<Matrix>,
    pub(super) outside: Matrix,
}

impl Split {
    pub(super) fn whole(size: usize) -> Self {
        Self { inside: None, outside: Matrix::zeros(size, 0) }
    }

    pub(super) fn new(inside: Matrix) -> Self {
        let outside = match inside.shape() {
            (rows, cols) if rows == cols => Matrix::zeros(rows, 0),
            _ => orthonormal_complement(&inside),
        };
        Self { inside: Some(inside), outside }
    }

    /// The range of a matrix. Where it is the whole space the basis is the identity.
    pub(super) fn range(a: &Matrix, tolerances: &Tolerances) -> Self {
        let basis = range(a, a.frobenius_norm(), tolerances);
        if basis.ncols() == a.nrows() { Self::whole(a.nrows()) } else { Self::new(basis) }
    }

    /// Number of dimensions inside a space of `size`.
    pub(super) fn size(&self, size: usize) -> usize {
        self.inside.as_ref().map_or(size, Matrix::ncols)
    }

    /// `[inside, outside]' a`.
    pub(super) fn coordinates(&self, a: &Matrix) -> Matrix {
        let Some(inside) = &self.inside else { return a.clone() };
        let mut out = Matrix::zeros(a.nrows(), a.ncols());
        out.set_block(0, 0, &inside.transpose_times(a));
        out.set_block(inside.ncols(), 0, &self.outside.transpose_times(a));
        out
    }

    /// `[inside, outside]`.
    pub(super) fn basis(&self) -> Matrix {
        self.inside.as_ref().map_or_else(
            || Matrix::identity(self.outside.nrows()),
            |inside| {
                let mut out = Matrix::zeros(inside.nrows(), inside.nrows());
                out.set_block(0, 0, inside);
                out.set_block(0, inside.ncols(), &self.outside);
                out
            },
        )
    }
}

/// Orthonormal basis of the range of a matrix whose entries come from products of this size.
pub(super) fn range(a: &Matrix, size: f64, tolerances: &Tolerances) -> Matrix {
    if a.nrows() == 0 || a.ncols() == 0 {
        return Matrix::zeros(a.nrows(), 0);
    }
    let core = if a.ncols() > a.nrows() { triangular_factor_of(a).transpose() } else { a.clone() };
    let found = svd(&core);
    let zero = tolerances.relative_rounding(UNIT_ROUNDOFF, a.larger_dimension()) * size;
    let rank = found.s.iter().take_while(|&&value| value > zero).count();
    found.u.columns(0, rank)
}
