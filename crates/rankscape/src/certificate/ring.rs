//! The numbers in which a certificate is checked: rationals, dyadic numbers, intervals, and power series over them.

use num_bigint::BigInt;
use num_traits::Zero;

use crate::linalg::exact::{Rational, rational_from_f64};
use crate::linalg::interval::Interval;

/// What evaluation needs: sums, differences and products. `None` entries of a table stand for an exact zero.
pub(super) trait Ring: Clone {
    fn plus(&self, other: &Self) -> Self;
    fn minus(&self, other: &Self) -> Self;
    fn times(&self, other: &Self) -> Self;
}

impl Ring for Rational {
    fn plus(&self, other: &Self) -> Self {
        self + other
    }
    fn minus(&self, other: &Self) -> Self {
        self - other
    }
    fn times(&self, other: &Self) -> Self {
        self * other
    }
}

impl Ring for Interval {
    fn plus(&self, other: &Self) -> Self {
        *self + *other
    }
    fn minus(&self, other: &Self) -> Self {
        *self - *other
    }
    fn times(&self, other: &Self) -> Self {
        *self * *other
    }
}

/// `mantissa * 2^exponent`: every number in double precision, its sums and products, without common factors to clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dyadic {
    mantissa: BigInt,
    exponent: i64,
}

impl Dyadic {
    /// The exact value of a finite number.
    pub(super) fn new(value: f64) -> Option<Self> {
        let value = rational_from_f64(value)?;
        let down = value.denom().bits() as i64 - 1;
        let up = value.numer().trailing_zeros().unwrap_or(0);
        Some(Self { mantissa: value.numer() >> up, exponent: up as i64 - down })
    }

    pub(super) fn to_rational(&self) -> Rational {
        let shift = BigInt::from(1) << self.exponent.unsigned_abs();
        if self.exponent < 0 {
            Rational::new(self.mantissa.clone(), shift)
        } else {
            Rational::from_integer(&self.mantissa * shift)
        }
    }

    fn combined(&self, other: &Self, combine: impl Fn(BigInt, BigInt) -> BigInt) -> Self {
        let exponent = self.exponent.min(other.exponent);
        let aligned = |x: &Self| &x.mantissa << (x.exponent - exponent) as u64;
        Self { mantissa: combine(aligned(self), aligned(other)), exponent }
    }
}

impl Ring for Dyadic {
    fn plus(&self, other: &Self) -> Self {
        self.combined(other, |a, b| a + b)
    }
    fn minus(&self, other: &Self) -> Self {
        self.combined(other, |a, b| a - b)
    }
    fn times(&self, other: &Self) -> Self {
        let mantissa = &self.mantissa * &other.mantissa;
        let exponent = if mantissa.is_zero() { 0 } else { self.exponent + other.exponent };
        Self { mantissa, exponent }
    }
}

/// A polynomial in `t`, constant first; `None` stands for a coefficient that is zero.
#[derive(Debug, Clone)]
pub(super) struct Series<T>(pub Vec<Option<T>>);

impl<T: Ring> Series<T> {
    fn merged(&self, other: &Self, one: impl Fn(&T) -> T, both: impl Fn(&T, &T) -> T) -> Self {
        let size = self.0.len().max(other.0.len());
        let at = |series: &Self, k: usize| series.0.get(k).cloned().flatten();
        let term = |k: usize| match (at(self, k), at(other, k)) {
            (Some(a), Some(b)) => Some(both(&a, &b)),
            (a, None) => a,
            (None, Some(b)) => Some(one(&b)),
        };
        Self((0..size).map(term).collect())
    }
}

impl<T: Ring> Ring for Series<T> {
    fn plus(&self, other: &Self) -> Self {
        self.merged(other, T::clone, T::plus)
    }
    fn minus(&self, other: &Self) -> Self {
        // 0 - b is (b - b) - b: there is no zero of the ring at hand.
        self.merged(other, |b| b.minus(b).minus(b), T::minus)
    }
    fn times(&self, other: &Self) -> Self {
        let mut out: Vec<Option<T>> = vec![None; (self.0.len() + other.0.len()).saturating_sub(1)];
        for (i, a) in self.0.iter().enumerate() {
            for (j, b) in other.0.iter().enumerate() {
                if let (Some(a), Some(b)) = (a, b) {
                    let term = a.times(b);
                    out[i + j] = Some(out[i + j].as_ref().map_or_else(|| term.clone(), |sum| sum.plus(&term)));
                }
            }
        }
        Self(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dyadic_numbers_are_the_rationals_that_they_stand_for() {
        let values = [0.0, 1.0, -0.75, 3.5e300, -2.0e-300, 0.1, 1024.0];
        for a in values {
            let x = Dyadic::new(a).unwrap();
            let exact = |value: f64| rational_from_f64(value).unwrap();
            assert_eq!(x.to_rational(), exact(a));
            for b in values {
                let y = Dyadic::new(b).unwrap();
                assert_eq!(x.plus(&y).to_rational(), exact(a) + exact(b));
                assert_eq!(x.minus(&y).to_rational(), exact(a) - exact(b));
                assert_eq!(x.times(&y).to_rational(), exact(a) * exact(b));
            }
        }
        assert!(Dyadic::new(f64::NAN).is_none());
    }

    #[test]
    fn series_multiply_as_polynomials() {
        let number = |x: i64| Some(Rational::from_integer(x.into()));
        let (a, b) = (Series(vec![number(1), None, number(2)]), Series(vec![None, number(3)]));
        assert_eq!(a.times(&b).0, [None, number(3), None, number(6)]);
        assert_eq!(b.minus(&a).0, [number(-1), number(3), number(-2)]);
    }
}
