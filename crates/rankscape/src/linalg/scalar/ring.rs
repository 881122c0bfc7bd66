//! What generic code asks of its numbers.

use std::ops::{Div, Mul, Neg, Sub};

use num_traits::{One, Zero};

/// Sums, differences and products: all that the evaluation of a polynomial needs.
pub trait Ring: Clone + Zero + Sub<Output = Self> + Mul<Output = Self> + Neg<Output = Self> {
    /// `self + a * b`.
    #[inline(always)]
    fn add_product(self, a: Self, b: Self) -> Self {
        self + a * b
    }
}

/// An ordered field: a ring with quotients and signs.
pub trait Field: Ring + One + Div<Output = Self> + PartialOrd {}

/// One or several real numbers at a time: every operation acts on each lane alone, so a lane's result depends on
/// nothing but that lane.
pub trait Real: Ring + Div<Output = Self> + Copy + Send + Sync + std::fmt::Debug {
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
