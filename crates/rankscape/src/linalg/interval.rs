//! Real intervals with outward rounding, and the certified inertia of a symmetric interval matrix.
//!
//! Complex enclosures are the balls of [`super::scalar::Ball`]; this module has what needs signs.

use std::ops::{Add, Mul, Sub};

use super::{Inertia, Matrix, symmetric_eigen};

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

    /// Largest absolute value.
    pub fn magnitude(self) -> f64 {
        // An undefined end must not be lost in the maximum.
        if self.low.is_nan() || self.high.is_nan() { f64::NAN } else { self.low.abs().max(self.high.abs()) }
    }

    /// Contains `value`.
    pub fn contains(self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

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
    fn inertia_is_certified_up_to_the_radius_that_can_change_it() {
        let mid = [2.0, 1.0, 1.0, -3.0];
        let found = certified_inertia(&mid, &[0.1; 4], 2).unwrap();
        assert_eq!((found.negative, found.positive), (1, 1));
        assert!(certified_inertia(&mid, &[4.0; 4], 2).is_none());
        assert!(certified_inertia(&mid, &[f64::NAN; 4], 2).is_none());
    }
}
