//! Numbers `m 2^e`: all of double precision, with sums and products that have no common factors to clear.

use std::ops::{Add, Mul, Neg, Sub};

use num_bigint::BigInt;
use num_traits::Zero;

use super::matrix::{Rational, rational_from_f64};
use crate::linalg::scalar::Ring;

/// `mantissa * 2^exponent`.
#[derive(Debug, Clone)]
pub(crate) struct Dyadic {
    mantissa: BigInt,
    exponent: i64,
}

impl Dyadic {
    /// The exact value of a finite number.
    pub(crate) fn new(value: f64) -> Option<Self> {
        let value = rational_from_f64(value)?;
        let down = value.denom().bits() as i64 - 1;
        let up = value.numer().trailing_zeros().unwrap_or(0);
        Some(Self { mantissa: value.numer() >> up, exponent: up as i64 - down })
    }

    pub(crate) fn to_rational(&self) -> Rational {
        let shift = BigInt::from(1) << self.exponent.unsigned_abs();
        if self.exponent < 0 {
            Rational::new(self.mantissa.clone(), shift)
        } else {
            Rational::from_integer(&self.mantissa * shift)
        }
    }

    fn combined(self, other: Self, combine: impl Fn(BigInt, BigInt) -> BigInt) -> Self {
        let exponent = self.exponent.min(other.exponent);
        let aligned = |x: Self| x.mantissa << (x.exponent - exponent) as u64;
        Self { mantissa: combine(aligned(self), aligned(other)), exponent }
    }
}

impl Zero for Dyadic {
    fn zero() -> Self {
        Self { mantissa: BigInt::zero(), exponent: 0 }
    }

    fn is_zero(&self) -> bool {
        self.mantissa.is_zero()
    }
}

impl Add for Dyadic {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.combined(other, |a, b| a + b)
    }
}

impl Sub for Dyadic {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self.combined(other, |a, b| a - b)
    }
}

impl Mul for Dyadic {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let mantissa = self.mantissa * other.mantissa;
        let exponent = if mantissa.is_zero() { 0 } else { self.exponent + other.exponent };
        Self { mantissa, exponent }
    }
}

impl Neg for Dyadic {
    type Output = Self;
    fn neg(self) -> Self {
        Self { mantissa: -self.mantissa, exponent: self.exponent }
    }
}

impl Ring for Dyadic {}

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
            assert_eq!((-x.clone()).to_rational(), -exact(a));
            for b in values {
                let y = Dyadic::new(b).unwrap();
                assert_eq!((x.clone() + y.clone()).to_rational(), exact(a) + exact(b));
                assert_eq!((x.clone() - y.clone()).to_rational(), exact(a) - exact(b));
                assert_eq!((x.clone() * y).to_rational(), exact(a) * exact(b));
            }
        }
        assert!(Dyadic::new(f64::NAN).is_none());
    }
}
