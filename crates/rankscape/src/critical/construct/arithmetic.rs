//! What a construction asks of a matrix type: so that it is written once for doubles and for rationals.

use num_traits::{One, Zero};

use crate::linalg::exact::{Rational, RationalMatrix};
use crate::linalg::{Matrix, svd};
use crate::random::Stream;

/// A matrix over a field.
pub(super) trait Arithmetic: Clone {
    /// Its entries.
    type Scalar: Clone;

    fn zero() -> Self::Scalar;
    fn one() -> Self::Scalar;
    /// A random entry.
    fn noise(stream: &mut Stream) -> Self::Scalar;
    fn generate(rows: usize, cols: usize, entry: impl FnMut(usize, usize) -> Self::Scalar) -> Self;
    fn entry(&self, row: usize, col: usize) -> Self::Scalar;
    fn shape(&self) -> (usize, usize);
    fn times(&self, other: &Self) -> Self;
    fn plus(&self, other: &Self) -> Self;
    /// A random well-conditioned matrix and its inverse.
    fn invertible(stream: &mut Stream, size: usize) -> (Self, Self);

    fn identity(size: usize) -> Self {
        Self::generate(size, size, |i, j| if i == j { Self::one() } else { Self::zero() })
    }
}

impl Arithmetic for Matrix {
    type Scalar = f64;

    fn zero() -> f64 {
        0.0
    }

    fn one() -> f64 {
        1.0
    }

    fn noise(stream: &mut Stream) -> f64 {
        stream.normal()
    }

    fn generate(rows: usize, cols: usize, entry: impl FnMut(usize, usize) -> f64) -> Self {
        Self::from_fn(rows, cols, entry)
    }

    fn entry(&self, row: usize, col: usize) -> f64 {
        self[(row, col)]
    }

    fn shape(&self) -> (usize, usize) {
        (self.nrows(), self.ncols())
    }

    fn times(&self, other: &Self) -> Self {
        self * other
    }

    fn plus(&self, other: &Self) -> Self {
        self + other
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

impl Arithmetic for RationalMatrix {
    type Scalar = Rational;

    fn zero() -> Rational {
        Rational::zero()
    }

    fn one() -> Rational {
        Rational::one()
    }

    fn noise(stream: &mut Stream) -> Rational {
        Rational::from_integer(stream.integer(-2, 2).into())
    }

    fn generate(rows: usize, cols: usize, entry: impl FnMut(usize, usize) -> Rational) -> Self {
        Self::from_fn(rows, cols, entry)
    }

    fn entry(&self, row: usize, col: usize) -> Rational {
        self[(row, col)].clone()
    }

    fn shape(&self) -> (usize, usize) {
        (self.nrows(), self.ncols())
    }

    fn times(&self, other: &Self) -> Self {
        self * other
    }

    fn plus(&self, other: &Self) -> Self {
        self + other
    }

    /// A product of `size` elementary matrices that add a row to another or take it away: integers, determinant 1.
    fn invertible(stream: &mut Stream, size: usize) -> (Self, Self) {
        let (mut matrix, mut inverse) = (Self::identity(size), Self::identity(size));
        for _ in 0..if size > 1 { size } else { 0 } {
            let target = stream.integer(0, size as i64 - 1) as usize;
            let source = (target + stream.integer(1, size as i64 - 1) as usize) % size;
            let sign = if stream.integer(0, 1) == 0 { -1 } else { 1 };
            let elementary = |factor: i64| {
                let factor = Rational::from_integer(factor.into());
                Self::from_fn(size, size, |i, j| {
                    if i == j {
                        Rational::one()
                    } else if (i, j) == (target, source) {
                        factor.clone()
                    } else {
                        Rational::zero()
                    }
                })
            };
            matrix = &elementary(sign) * &matrix;
            inverse = &inverse * &elementary(-sign);
        }
        (matrix, inverse)
    }
}
