//! Real intervals with outward rounding, and the certified inertia of a symmetric interval matrix.
//!
//! Complex enclosures are the balls of [`super::scalar::Ball`]; this module has what needs signs.

use std::ops::{Add, Mul, Neg, Sub};

use num_traits::Zero;

use super::exact::{Rational, rational_to_f64};
use super::inertia::{Inertia, symmetric_eigen};
use super::matrix::Matrix;
use super::scalar::Ring;

/// The set `[low, high]`. Every operation rounds outwards by one unit in the last place at each end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// The number itself.
    pub fn point(value: f64) -> Self {
        Self { low: value, high: value }
    }

    /// All numbers within `radius` of `mid`.
    pub fn around(mid: f64, radius: f64) -> Self {
        Self { low: (mid - radius).next_down(), high: (mid + radius).next_up() }
    }

    /// All numbers within `relative |mid|` of `mid`, where `relative` is far above rounding errors.
    pub fn relatively_around(mid: f64, relative: f64) -> Self {
        let (a, b) = (mid * (1.0 - relative), mid * (1.0 + relative));
        Self { low: a.min(b), high: a.max(b) }
    }

    /// The narrowest enclosure of a rational whose ends are next to the nearest number in double precision; zero is a point.
    pub fn of_rational(value: &Rational) -> Self {
        let near = rational_to_f64(value);
        if value.is_zero() { Self::point(0.0) } else { Self { low: near.next_down(), high: near.next_up() } }
    }

    /// Half of every number.
    pub fn halved(self) -> Self {
        self * Self::point(0.5)
    }

    /// Largest absolute value.
    pub fn magnitude(self) -> f64 {
        // An undefined end must not be lost in the maximum.
        if self.low.is_nan() || self.high.is_nan() { f64::NAN } else { self.low.abs().max(self.high.abs()) }
    }

    /// `high - low`, rounded to nearest.
    pub fn width(self) -> f64 {
        self.high - self.low
    }

    /// Contains `value`.
    pub fn contains(self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// The smallest interval that contains both.
    #[must_use]
    pub fn hull(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high) }
    }

    /// What is below zero becomes zero, an upper end that is undefined infinite.
    #[must_use]
    pub fn non_negative(self) -> Self {
        let low = if self.low > 0.0 { self.low } else { 0.0 };
        Self { low, high: if self.high.is_nan() { f64::INFINITY } else { self.high.max(0.0) } }
    }

    /// `sqrt`; what is below zero counts as zero.
    #[must_use]
    pub fn root(self) -> Self {
        let low = if self.low > 0.0 { self.low.sqrt().next_down() } else { 0.0 };
        let high = if self.high <= 0.0 { 0.0 } else { self.high.sqrt().next_up() };
        Self { low, high }
    }

    /// `x^2` for `x >= 0`.
    #[must_use]
    pub fn squared(self) -> Self {
        let low = (self.low * self.low).next_down();
        let low = if low > 0.0 { low } else { 0.0 };
        Self { low, high: if self.high == 0.0 { 0.0 } else { (self.high * self.high).next_up() } }
    }

    /// `self / divisor` for `self >= 0` and `divisor >= 0`, where `0 / 0 = 0`.
    #[must_use]
    pub fn ratio(self, divisor: Self) -> Self {
        if self.high == 0.0 {
            return Self::point(0.0);
        }
        let low = (self.low / divisor.high).next_down();
        let high = if divisor.low > 0.0 { (self.high / divisor.low).next_up() } else { f64::INFINITY };
        Self { low: if low > 0.0 { low } else { 0.0 }, high }
    }

    /// The larger of two numbers that are not negative.
    #[must_use]
    pub fn larger(self, other: Self) -> Self {
        // An undefined end must not be lost in the maximum.
        let undefined = self.high.is_nan() || other.high.is_nan();
        let high = if undefined { f64::INFINITY } else { self.high.max(other.high) };
        Self { low: self.low.max(other.low), high }
    }

    /// The smaller of two numbers.
    #[must_use]
    pub fn smaller(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.min(other.high) }
    }
}

impl Zero for Interval {
    fn zero() -> Self {
        Self::point(0.0)
    }

    fn is_zero(&self) -> bool {
        self.low == 0.0 && self.high == 0.0
    }
}

impl Neg for Interval {
    type Output = Self;
    fn neg(self) -> Self {
        Self { low: -self.high, high: -self.low }
    }
}

impl Ring for Interval {}

impl Add for Interval {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { low: (self.low + other.low).next_down(), high: (self.high + other.high).next_up() }
    }
}

impl Sub for Interval {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self { low: (self.low - other.high).next_down(), high: (self.high - other.low).next_up() }
    }
}

impl Mul for Interval {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let ends = [self.low * other.low, self.low * other.high, self.high * other.low, self.high * other.high];
        if ends.iter().any(|end| end.is_nan()) {
            return Self { low: f64::NEG_INFINITY, high: f64::INFINITY };
        }
        Self {
            low: ends.iter().copied().fold(f64::INFINITY, f64::min).next_down(),
            high: ends.iter().copied().fold(f64::NEG_INFINITY, f64::max).next_up(),
        }
    }
}

/// Inertia shared by all symmetric matrices within `radius` of `mid` (both row by row), or `None` if that is not proved.
///
/// With `S` the computed eigenvectors scaled by `|lambda|^{-1/2}`, the entries of `S' H S` are enclosed and every
/// Gershgorin disc must exclude zero. Then `S' H S` is nonsingular, so `S` is, and by Sylvester's law the signs of the
/// discs are the inertia. Nothing about the accuracy of the eigenvectors is assumed.
pub fn certified_inertia(mid: &[f64], radius: &[f64], size: usize) -> Option<Inertia> {
    let eigen = symmetric_eigen(&Matrix::from_fn(size, size, |i, j| mid[i * size + j]))?;
    let scale: Vec<f64> = eigen.values.iter().map(|value| value.abs().sqrt().recip()).collect();
    let vector = |i: usize, col: usize| Interval::point(eigen.vectors.column(col)[i] * scale[col]);
    let sum = |terms: &mut dyn Iterator<Item = Interval>| terms.fold(Interval::point(0.0), |acc, term| acc + term);
    let mut half = vec![Interval::point(0.0); size * size];
    for i in 0..size {
        for col in 0..size {
            let mut terms = (0..size).map(|k| {
                let entry = Interval::around(mid[i * size + k], radius[i * size + k]);
                entry * vector(k, col)
            });
            half[i * size + col] = sum(&mut terms);
        }
    }
    let mut inertia = Inertia { negative: 0, zero: 0, positive: 0 };
    for row in 0..size {
        let mut disc = Interval::point(0.0);
        let mut off = 0.0f64;
        for col in 0..size {
            let entry = sum(&mut (0..size).map(|i| vector(i, row) * half[i * size + col]));
            if row == col {
                disc = entry;
            } else {
                off = (off + entry.magnitude()).next_up();
            }
        }
        if disc.low > off {
            inertia.positive += 1;
        } else if disc.high < -off {
            inertia.negative += 1;
        } else {
            return None;
        }
    }
    Some(inertia)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_enclose_exact_values() {
        let third = Interval { low: (1.0f64 / 3.0).next_down(), high: (1.0f64 / 3.0).next_up() };
        let one = third * Interval::point(3.0);
        assert!(one.contains(1.0) && one.high - one.low < 1e-14);
        assert!((third - third).contains(0.0));
    }

    #[test]
    fn roots_squares_and_ratios_enclose_exact_values() {
        let two = Interval::point(2.0).root();
        assert!((two * two).contains(2.0) && two.squared().contains(2.0) && two.width() < 1e-15);
        let third = Interval::point(1.0).ratio(Interval::point(3.0));
        assert!((third * Interval::point(3.0)).contains(1.0) && third.width() < 1e-15);
        assert_eq!(Interval::point(0.0).squared(), Interval::point(0.0));
        assert_eq!(Interval::point(-1.0).root(), Interval::point(0.0));
        assert_eq!(-Interval { low: 1.0, high: 2.0 }, Interval { low: -2.0, high: -1.0 });
        let exact = Rational::new(1.into(), 3.into());
        let found = Interval::of_rational(&exact);
        let ends = [found.low, found.high].map(|end| crate::linalg::exact::rational_from_f64(end).unwrap());
        assert!(ends[0] < exact && exact < ends[1]);
        assert!(Interval::relatively_around(-2.0, 1e-9).contains(-2.0));
    }

    #[test]
    fn division_by_zero_and_undefined_ends_prove_nothing() {
        let (zero, one) = (Interval::point(0.0), Interval::point(1.0));
        assert_eq!(one.ratio(zero).high, f64::INFINITY);
        assert_eq!(zero.ratio(zero), zero);
        let undefined = Interval { low: 0.0, high: f64::NAN };
        assert_eq!((one.larger(undefined).high, undefined.non_negative().high), (f64::INFINITY, f64::INFINITY));
    }

    #[test]
    fn inertia_is_certified_up_to_the_radius_that_can_change_it() {
        let mid = [2.0, 1.0, 1.0, -3.0];
        let found = certified_inertia(&mid, &[0.1; 4], 2).unwrap();
        assert_eq!((found.negative, found.positive), (1, 1));
        assert!(certified_inertia(&mid, &[4.0; 4], 2).is_none());
        assert!(certified_inertia(&mid, &[f64::NAN; 4], 2).is_none());
    }
}
