//! The two kinds of numbers of the references: `f64` and exact rationals.

use std::fmt::Debug;
use std::ops::Neg;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Num, Signed, ToPrimitive, Zero};

use crate::grid::Grid;
use crate::random::Draw;

/// Exact rational number.
pub type Rational = BigRational;

/// A number of a reference computation.
pub trait Scalar: Num + Neg<Output = Self> + Clone + Debug {
    /// `numerator / denominator`.
    fn ratio(numerator: i64, denominator: i64) -> Self;
    /// The same number as a double that is given exactly.
    fn from_double(value: f64) -> Self;
    /// Approximate absolute value, positive for every number that is not zero.
    fn size(&self) -> f64;
    /// A random number of moderate size.
    fn draw(draw: &mut Draw) -> Self;
    /// A random invertible matrix whose condition number is small (`f64`: below 5) or whose entries are small integers.
    fn invertible(draw: &mut Draw, n: usize) -> Grid<Self>;

    /// An integer.
    fn integer(value: i64) -> Self {
        Self::ratio(value, 1)
    }

    /// A random orthogonal matrix: Cayley transform of a random skew matrix, with random signs.
    fn orthogonal(draw: &mut Draw, n: usize) -> Grid<Self> {
        let mut skew = Grid::<Self>::zeros(n, n);
        for i in 0..n {
            for j in 0..i {
                let entry = Self::draw(draw);
                skew[(j, i)] = -entry.clone();
                skew[(i, j)] = entry;
            }
        }
        let one = Grid::<Self>::identity(n);
        let cayley = one.sub(&skew).matmul(&one.add(&skew).inverse().expect("I + skew is invertible"));
        let signs: Vec<Self> = (0..n).map(|_| Self::integer(if draw.chance(0.5) { 1 } else { -1 })).collect();
        cayley.matmul(&Grid::diagonal(n, n, &signs))
    }
}

impl Scalar for f64 {
    fn ratio(numerator: i64, denominator: i64) -> Self {
        numerator as f64 / denominator as f64
    }

    fn from_double(value: f64) -> Self {
        value
    }

    fn size(&self) -> f64 {
        self.abs()
    }

    fn draw(draw: &mut Draw) -> Self {
        draw.normal()
    }

    fn invertible(draw: &mut Draw, n: usize) -> Grid<Self> {
        let stretch: Vec<f64> = (0..n).map(|_| 0.5 + 1.5 * draw.uniform()).collect();
        let left = Self::orthogonal(draw, n);
        left.matmul(&Grid::diagonal(n, n, &stretch)).matmul(&Self::orthogonal(draw, n))
    }
}

impl Scalar for Rational {
    fn ratio(numerator: i64, denominator: i64) -> Self {
        Self::new(BigInt::from(numerator), BigInt::from(denominator))
    }

    fn from_double(value: f64) -> Self {
        Self::from_float(value).expect("a finite number")
    }

    fn size(&self) -> f64 {
        if self.is_zero() { 0.0 } else { self.abs().to_f64().unwrap_or(1.0).max(f64::MIN_POSITIVE) }
    }

    fn draw(draw: &mut Draw) -> Self {
        Self::integer(draw.integer(-2, 2))
    }

    /// Product of a unit lower and a unit upper triangular matrix with entries -1, 0, 1: its inverse is an integer
    /// matrix too.
    fn invertible(draw: &mut Draw, n: usize) -> Grid<Self> {
        let mut lower = Grid::<Self>::identity(n);
        let mut upper = Grid::<Self>::identity(n);
        for i in 0..n {
            for j in 0..i {
                lower[(i, j)] = Self::integer(draw.integer(-1, 1));
                upper[(j, i)] = Self::integer(draw.integer(-1, 1));
            }
        }
        lower.matmul(&upper)
    }
}
