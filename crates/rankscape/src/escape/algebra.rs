//! What the constructions need of a matrix, so that each is written once for double precision and for the rationals.

use std::ops::Neg;

use num_traits::{Num, One, Zero};

use crate::linalg::Matrix;
use crate::linalg::exact::{Rational, RationalMatrix, rational_from_f64, rational_to_f64};

/// A dense matrix over a field.
pub(super) trait Algebra: Clone {
    /// An entry.
    type Number: Num + Neg<Output = Self::Number> + Clone + PartialOrd;

    fn from_fn(rows: usize, cols: usize, entry: impl FnMut(usize, usize) -> Self::Number) -> Self;
    fn shape(&self) -> (usize, usize);
    fn times(&self, other: &Self) -> Self;
    fn plus(&self, other: &Self) -> Self;
    fn transposed(&self) -> Self;
    fn scaled_by(&self, factor: &Self::Number) -> Self;
    /// `tr(self' other)`.
    fn inner(&self, other: &Self) -> Self::Number;
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
        self.entries().iter().zip(other.entries()).map(|(a, b)| a * b).sum()
    }
    fn number(value: f64) -> Rational {
        rational_from_f64(value).unwrap_or_else(Rational::zero)
    }
    fn to_f64(value: &Rational) -> f64 {
        rational_to_f64(value)
    }
}

/// A polynomial in `t` whose coefficients are matrices of one shape, constant first; `None` stands for zero.
pub(super) type Polynomial<M> = Vec<Option<M>>;

/// `a * b` for polynomials of matrices.
pub(super) fn polynomial_times<M: Algebra>(a: &Polynomial<M>, b: &Polynomial<M>) -> Polynomial<M> {
    let mut out: Polynomial<M> = vec![None; (a.len() + b.len()).saturating_sub(1)];
    for (i, x) in a.iter().enumerate() {
        for (j, y) in b.iter().enumerate() {
            if let (Some(x), Some(y)) = (x, y) {
                add_to(&mut out[i + j], x.times(y));
            }
        }
    }
    out
}

/// `a + b` for polynomials of matrices.
pub(super) fn polynomial_plus<M: Algebra>(mut a: Polynomial<M>, b: Polynomial<M>) -> Polynomial<M> {
    a.resize(a.len().max(b.len()), None);
    for (place, term) in a.iter_mut().zip(b) {
        if let Some(term) = term {
            add_to(place, term);
        }
    }
    a
}

pub(super) fn add_to<M: Algebra>(place: &mut Option<M>, term: M) {
    *place = Some(match place.take() {
        Some(sum) => sum.plus(&term),
        None => term,
    });
}
