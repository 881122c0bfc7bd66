//! What a construction needs of a matrix, so that it is written once for double precision and for the rationals.

use std::ops::Neg;

use num_traits::{Num, One, Zero};

use super::exact::{Rational, RationalMatrix, rational_from_f64, rational_to_f64, sum_of_products};
use super::matrix::Matrix;

/// A dense matrix over a field.
pub(crate) trait Algebra: Clone {
    /// An entry.
    type Number: Num + Neg<Output = Self::Number> + Clone + PartialOrd;

    fn from_fn(rows: usize, cols: usize, entry: impl FnMut(usize, usize) -> Self::Number) -> Self;
    fn entry(&self, row: usize, col: usize) -> Self::Number;
    fn shape(&self) -> (usize, usize);
    fn times(&self, other: &Self) -> Self;
    fn plus(&self, other: &Self) -> Self;
    fn transposed(&self) -> Self;
    fn scaled_by(&self, factor: &Self::Number) -> Self;
    /// `tr(self' other)`.
    fn inner(&self, other: &Self) -> Self::Number;
    /// `sum tr(x' y)`.
    fn sum_of_inner<'a>(pairs: impl Iterator<Item = (&'a Self, &'a Self)>) -> Self::Number
    where
        Self: 'a;
    fn number(value: f64) -> Self::Number;
    fn to_f64(value: &Self::Number) -> f64;

    fn identity_of(size: usize) -> Self {
        Self::from_fn(size, size, |i, j| if i == j { Self::Number::one() } else { Self::Number::zero() })
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
    fn shape(&self) -> (usize, usize) {
        self.shape()
    }
    fn times(&self, other: &Self) -> Self {
        self * other
    }
    fn plus(&self, other: &Self) -> Self {
        self + other
    }
    fn transposed(&self) -> Self {
        self.transpose()
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
    fn number(value: f64) -> f64 {
        value
    }
    fn to_f64(value: &f64) -> f64 {
        *value
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
    fn shape(&self) -> (usize, usize) {
        self.shape()
    }
    fn times(&self, other: &Self) -> Self {
        self * other
    }
    fn plus(&self, other: &Self) -> Self {
        self + other
    }
    fn transposed(&self) -> Self {
        self.transpose()
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
    fn number(value: f64) -> Rational {
        rational_from_f64(value).unwrap_or_else(Rational::zero)
    }
    fn to_f64(value: &Rational) -> f64 {
        rational_to_f64(value)
    }
}
