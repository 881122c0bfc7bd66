//! Double-double arithmetic: about 32 significant digits from two doubles (Dekker; Hida, Li and Bailey).

use std::ops::{Add, Div, Mul, Neg, Sub};

use num_traits::Zero;

use super::ring::{Real, Ring};

/// An unevaluated sum `high + low` with `|low|` at most half a unit in the last place of `high`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DoubleDouble {
    high: f64,
    low: f64,
}

impl DoubleDouble {
    /// The leading double and the correction to it.
    #[must_use]
    pub fn parts(self) -> (f64, f64) {
        (self.high, self.low)
    }

    fn normalized(high: f64, low: f64) -> Self {
        let sum = high + low;
        Self { high: sum, low: low - (sum - high) }
    }
}

/// Sum and its rounding error (Knuth).
pub(crate) fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let shadow = sum - a;
    (sum, (a - (sum - shadow)) + (b - shadow))
}

/// Product and its rounding error by Dekker's splitting, which needs no fused instruction.
pub(crate) fn two_product(a: f64, b: f64) -> (f64, f64) {
    let split = |x: f64| {
        let t = 134_217_729.0 * x;
        let high = t - (t - x);
        (high, x - high)
    };
    let product = a * b;
    let ((ah, al), (bh, bl)) = (split(a), split(b));
    (product, ((ah * bh - product) + ah * bl + al * bh) + al * bl)
}

impl Add for DoubleDouble {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let (high, error) = two_sum(self.high, other.high);
        let (low, tail) = two_sum(self.low, other.low);
        let first = Self::normalized(high, error + low);
        Self::normalized(first.high, first.low + tail)
    }
}

impl Sub for DoubleDouble {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for DoubleDouble {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let (high, error) = two_product(self.high, other.high);
        Self::normalized(high, error + (self.high * other.low + self.low * other.high))
    }
}

impl Div for DoubleDouble {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let first = Self::splat(self.high / other.high);
        let rest = self - first * other;
        let second = Self::splat(rest.high / other.high);
        let rest = rest - second * other;
        first + second + Self::splat(rest.high / other.high)
    }
}

impl Neg for DoubleDouble {
    type Output = Self;
    fn neg(self) -> Self {
        Self { high: -self.high, low: -self.low }
    }
}

impl Zero for DoubleDouble {
    fn zero() -> Self {
        Self { high: 0.0, low: 0.0 }
    }

    fn is_zero(&self) -> bool {
        self.high == 0.0
    }
}

impl Ring for DoubleDouble {}

impl Real for DoubleDouble {
    const LANES: usize = 1;
    /// 2^-100: sums are off by at most 3 * 2^-106 and products by 7 * 2^-106 (Joldes, Muller and Popescu, 2017).
    const ROUNDOFF: f64 = f64::EPSILON * f64::EPSILON * 16.0;

    fn splat(value: f64) -> Self {
        Self { high: value, low: 0.0 }
    }

    fn get(&self, _: usize) -> f64 {
        self.high
    }

    fn rest(&self, _: usize) -> f64 {
        self.low
    }

    fn set(&mut self, _: usize, value: f64) {
        *self = Self::splat(value);
    }

    fn copy_lane(&mut self, _: usize, from: &Self) {
        *self = *from;
    }

    fn abs(self) -> Self {
        if self.high < 0.0 { -self } else { self }
    }

    fn max(self, other: Self) -> Self {
        if self.high > other.high { self } else { other }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_keeps_thirty_digits() {
        let d = DoubleDouble::splat;
        let third = d(1.0) / d(3.0);
        let rest = third * d(3.0) - d(1.0);
        assert!(rest.high.abs() < 1e-31);
        let (product, error) = two_product(0.1, 0.3);
        assert!(error != 0.0 && (d(0.1) * d(0.3)).parts() == (product, error));
        assert_eq!((d(1.0) + d(1e-25) - d(1.0)).high, 1e-25);
    }
}
