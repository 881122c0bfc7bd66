//! Numbers that generic numerical code runs over: lanes of doubles, double-doubles, complex numbers over either, and
//! complex balls.
//!
//! One evaluator of a polynomial system, written over [`Ring`], serves three purposes: eight paths at a time in double
//! precision, one path in double-double, and rigorous enclosures for a certificate.

mod ball;
mod complex;
mod double_double;
mod lanes;

pub use ball::Ball;
pub use complex::{C64, Complex};
pub use double_double::DoubleDouble;
pub(crate) use double_double::{two_product, two_sum};
pub use lanes::{Lanes, Vectorized, WIDTH, vectorized};

use std::ops::{Add, Mul, Neg, Sub};

/// What an evaluator of polynomials needs.
pub trait Ring:
    Copy + Send + Sync + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Neg<Output = Self>
{
    /// Zero.
    fn zero() -> Self;
    /// `self + a * b`.
    fn add_product(self, a: Self, b: Self) -> Self;
}

/// What polynomial systems are evaluated over: complex numbers, or complex balls where something is to be proved.
pub trait Scalar: Ring {
    /// A coefficient within `radius` of `mid`: a ball holds all of them, a complex number is `mid`.
    fn coefficient(mid: C64, radius: f64) -> Self;
}

/// One or several real numbers at a time: every operation acts on each lane alone, so a lane's result depends on
/// nothing but that lane.
pub trait Real: Ring + std::ops::Div<Output = Self> + std::fmt::Debug {
    /// Numbers held side by side.
    const LANES: usize;
    /// Unit roundoff.
    const ROUNDOFF: f64;
    /// The same number in every lane.
    fn splat(value: f64) -> Self;
    /// The number in `lane`, rounded to double.
    fn get(&self, lane: usize) -> f64;
    /// What rounding to double takes away from the number in `lane`.
    fn rest(&self, _lane: usize) -> f64 {
        0.0
    }
    /// Replaces the number in `lane`.
    fn set(&mut self, lane: usize, value: f64);
    /// Copies `lane` of `from`, in full precision.
    fn copy_lane(&mut self, lane: usize, from: &Self);
    /// Absolute value.
    fn abs(self) -> Self;
    /// Larger of two.
    fn max(self, other: Self) -> Self;
}
