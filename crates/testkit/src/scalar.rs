//! The two kinds of numbers of the references: `f64` and exact rationals.

use std::fmt::Debug;
use std::ops::Neg;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Num, Signed, ToPrimitive, Zero};

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
    /// An integer.
    fn integer(value: i64) -> Self {
        Self::ratio(value, 1)
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
}
