//! What a construction needs of a matrix, so that it is written once for double precision and for the rationals.

use num_traits::{One, Zero};

use super::exact::{Rational, RationalMatrix, rational_from_f64, rational_to_f64, sum_of_products};
use super::matrix::{Matrix, power_of_two_near};
use super::scalar::Field;
use super::square::determinant_sign;

/// Matrices that can be multiplied.
pub trait Linear: Clone {
    /// Rows and columns.
    fn shape(&self) -> (usize, usize);
    /// The product of two.
    #[must_use]
    fn times(&self, other: &Self) -> Self;
    /// The transpose.
    #[must_use]
    fn transposed(&self) -> Self;
}

/// A dense matrix over a field.
pub trait Algebra: Linear {
    /// An entry.
    type Number: Field;

    /// The matrix whose entry (i, j) is `entry(i, j)`.
    fn from_fn(rows: usize, cols: usize, entry: impl FnMut(usize, usize) -> Self::Number) -> Self;
    /// An entry.
    fn entry(&self, row: usize, col: usize) -> Self::Number;
    /// The sum of two.
    #[must_use]
    fn plus(&self, other: &Self) -> Self;
    /// The matrix times a number.
    #[must_use]
    fn scaled_by(&self, factor: &Self::Number) -> Self;
    /// `tr(self' other)`.
    fn inner(&self, other: &Self) -> Self::Number;
    /// `sum tr(x' y)`.
    fn sum_of_inner<'a>(pairs: impl Iterator<Item = (&'a Self, &'a Self)>) -> Self::Number
    where
        Self: 'a;
    /// In double precision divided by a power of two near the largest entry; as it is over the rationals, which do not overflow.
    #[must_use]
    fn power_scaled(self) -> Self;
    /// Sign of the determinant of a square matrix: -1, 0 or 1.
    fn sign_of_determinant(&self) -> i8;
    /// A finite number in double precision.
    fn number(value: f64) -> Self::Number;
    /// The number in double precision nearest to an entry.
    fn to_f64(value: &Self::Number) -> f64;

    /// The identity.
    fn identity_of(size: usize) -> Self {
        Self::from_fn(size, size, |i, j| if i == j { Self::Number::one() } else { Self::Number::zero() })
    }
}

impl Linear for Matrix {
    fn shape(&self) -> (usize, usize) {
        self.shape()
    }
    fn times(&self, other: &Self) -> Self {
        self * other
    }
    fn transposed(&self) -> Self {
        self.transpose()
    }
}

impl Algebra for Matrix {
    type Number = f64;

    fn from_fn(rows: usize, cols: usize, entry: impl FnMut(usize, usize) -> f64) -> Self {
        Self::from_fn(rows, cols, entry)
    }
    fn entry(&self, row: usize, col: usize) -> f64 {
        self[(row, col)]
    }
    fn plus(&self, other: &Self) -> Self {
        self + other
    }
    fn scaled_by(&self, factor: &f64) -> Self {
        self.scaled(*factor)
    }
    fn inner(&self, other: &Self) -> f64 {
        self.dot(other)
    }
    fn sum_of_inner<'a>(pairs: impl Iterator<Item = (&'a Self, &'a Self)>) -> f64 {
        pairs.map(|(x, y)| x.dot(y)).sum()
    }
    fn power_scaled(self) -> Self {
        self.scaled(1.0 / power_of_two_near(self.max_abs()))
    }
    fn sign_of_determinant(&self) -> i8 {
        determinant_sign(self)
    }
    fn number(value: f64) -> f64 {
        value
    }
    fn to_f64(value: &f64) -> f64 {
        *value
    }
}

impl Linear for RationalMatrix {
    fn shape(&self) -> (usize, usize) {
        self.shape()
    }
    fn times(&self, other: &Self) -> Self {
        self * other
    }
    fn transposed(&self) -> Self {
        self.transpose()
    }
}

impl Algebra for RationalMatrix {
    type Number = Rational;

    fn from_fn(rows: usize, cols: usize, entry: impl FnMut(usize, usize) -> Rational) -> Self {
        Self::from_fn(rows, cols, entry)
    }
    fn entry(&self, row: usize, col: usize) -> Rational {
        self[(row, col)].clone()
    }
    fn plus(&self, other: &Self) -> Self {
        self + other
    }
    fn scaled_by(&self, factor: &Rational) -> Self {
        Self::from_fn(self.nrows(), self.ncols(), |i, j| &self[(i, j)] * factor)
    }
    fn inner(&self, other: &Self) -> Rational {
        self.dot(other)
    }
    fn sum_of_inner<'a>(pairs: impl Iterator<Item = (&'a Self, &'a Self)>) -> Rational {
        sum_of_products(pairs.flat_map(|(x, y)| x.entries().iter().zip(y.entries())))
    }
    fn power_scaled(self) -> Self {
        self
    }
    fn sign_of_determinant(&self) -> i8 {
        self.determinant_sign()
    }
    fn number(value: f64) -> Rational {
        rational_from_f64(value).unwrap_or_else(Rational::zero)
    }
    fn to_f64(value: &Rational) -> f64 {
        rational_to_f64(value)
    }
}
