//! Random matrices for a construction in double precision or over the rationals.

use crate::linalg::exact::{Rational, RationalMatrix};
use crate::linalg::{Algebra, Matrix, svd};
use crate::random::Stream;

/// A matrix type that has random elements.
pub(super) trait RandomMatrix: Algebra {
    /// A random entry.
    fn noise(stream: &mut Stream) -> Self::Number;
    /// A random well-conditioned matrix and its inverse.
    fn invertible(stream: &mut Stream, size: usize) -> (Self, Self);
}

impl RandomMatrix for Matrix {
    fn noise(stream: &mut Stream) -> f64 {
        stream.normal()
    }

    /// `Q_1 diag(2^t) Q_2` with `|t| <= 1/2`: condition number at most 2.
    fn invertible(stream: &mut Stream, size: usize) -> (Self, Self) {
        let (left, right) = (orthogonal(stream, size), orthogonal(stream, size));
        let stretch: Vec<f64> = (0..size).map(|_| (stream.uniform() - 0.5).exp2()).collect();
        let shrink: Vec<f64> = stretch.iter().map(|s| 1.0 / s).collect();
        (left.scale_columns(&stretch).times_transpose(&right), right.scale_columns(&shrink).times_transpose(&left))
    }
}

/// A random orthogonal matrix.
pub(super) fn orthogonal(stream: &mut Stream, size: usize) -> Matrix {
    let found = svd(&stream.normal_matrix(size, size));
    found.u.times_transpose(&found.v)
}

impl RandomMatrix for RationalMatrix {
    fn noise(stream: &mut Stream) -> Rational {
        Rational::from_integer(stream.integer(-2, 2).into())
    }

    /// A product of `size` elementary matrices that add a row to another or take it away: integers, determinant 1.
    fn invertible(stream: &mut Stream, size: usize) -> (Self, Self) {
        let (mut matrix, mut inverse) = (Self::identity(size), Self::identity(size));
        for _ in 0..if size > 1 { size } else { 0 } {
            let target = stream.integer(0, size as i64 - 1) as usize;
            let source = (target + stream.integer(1, size as i64 - 1) as usize) % size;
            let sign = if stream.integer(0, 1) == 0 { -1 } else { 1 };
            let elementary = |factor: i64| {
                let mut elementary = Self::identity(size);
                elementary[(target, source)] = Rational::from_integer(factor.into());
                elementary
            };
            matrix = &elementary(sign) * &matrix;
            inverse = &inverse * &elementary(-sign);
        }
        (matrix, inverse)
    }
}
