//! Complex balls: a midpoint and a radius that bounds the distance of every enclosed number from it.
//!
//! Midpoints are rounded to nearest; the radius takes up the rounding error with an a priori bound, so no rounding mode
//! is switched and every operation runs in lanes. With `u` the unit roundoff and `|z|_1 = |re| + |im| >= |z|`:
//! a sum is off by at most `u |c|_1`, a product (fused or not) by at most `3u |a|_1 |b|_1` plus underflow.

use std::ops::{Add, Mul, Neg, Sub};

use num_traits::Zero;

use super::complex::{C64, Complex};
use super::ring::{Real, Ring};

/// The set `{ z : |z - mid| <= radius }` in each lane.
#[derive(Debug, Clone, Copy)]
pub struct Ball<R> {
    /// Midpoint.
    pub mid: Complex<R>,
    /// Radius; infinite or NaN means nothing is known.
    pub radius: R,
}

/// Absorbs the rounding of the radius itself: at most eight operations, each relative error at most `u`.
const RADIUS_SLACK: f64 = 1.0 + 16.0 * f64::EPSILON;
/// More than the sum of all underflow errors of one operation.
const UNDERFLOW: f64 = 1e-300;

#[inline(always)]
fn sum_error<R: Real>() -> R {
    R::splat(2.0 * R::ROUNDOFF)
}

#[inline(always)]
fn product_error<R: Real>() -> R {
    R::splat(4.0 * R::ROUNDOFF)
}

impl<R: Real> Ball<R> {
    /// A ball around `mid`.
    #[inline(always)]
    pub fn new(mid: Complex<R>, radius: R) -> Self {
        Self { mid, radius }
    }

    /// The number itself.
    #[inline(always)]
    pub fn point(value: C64) -> Self {
        Self { mid: Complex::splat(value), radius: R::zero() }
    }

    /// Upper bound of the modulus of every enclosed number.
    #[inline(always)]
    pub fn magnitude(self) -> R {
        (self.mid.norm_one() + self.radius) * R::splat(RADIUS_SLACK) + R::splat(UNDERFLOW)
    }

    #[inline(always)]
    fn enclosing(mid: Complex<R>, radius: R) -> Self {
        Self { mid, radius: radius.add_product(radius, R::splat(16.0 * f64::EPSILON)) + R::splat(UNDERFLOW) }
    }
}

impl<R: Real> Add for Ball<R> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        let mid = self.mid + other.mid;
        Self::enclosing(mid, (self.radius + other.radius).add_product(mid.norm_one(), sum_error()))
    }
}

impl<R: Real> Sub for Ball<R> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl<R: Real> Neg for Ball<R> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self { mid: -self.mid, radius: self.radius }
    }
}

impl<R: Real> Mul for Ball<R> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let (a, b) = (self.mid.norm_one(), other.mid.norm_one());
        let from_other = other.radius.add_product(b, product_error());
        let from_self = self.radius * (b + other.radius);
        Self::enclosing(self.mid * other.mid, from_self.add_product(a, from_other))
    }
}

impl<R: Real> Zero for Ball<R> {
    #[inline(always)]
    fn zero() -> Self {
        Self { mid: Complex::zero(), radius: R::zero() }
    }

    fn is_zero(&self) -> bool {
        self.mid.is_zero() && self.radius.is_zero()
    }
}

impl<R: Real> Ring for Ball<R> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::exact::{Rational, rational_from_f64};
    use crate::random::Stream;

    fn exact(z: C64) -> (Rational, Rational) {
        (rational_from_f64(z.re).unwrap(), rational_from_f64(z.im).unwrap())
    }

    /// `|z - mid| <= radius`, decided over the rationals.
    fn encloses(ball: Ball<f64>, z: (Rational, Rational)) -> bool {
        let (re, im) = exact(ball.mid);
        let (dx, dy) = (z.0 - re, z.1 - im);
        let radius = rational_from_f64(ball.radius).unwrap();
        &dx * &dx + &dy * &dy <= &radius * &radius
    }

    #[test]
    fn chains_of_operations_enclose_the_exact_result() {
        for trial in 0..200 {
            let mut stream = Stream::new(11, trial);
            let mut draw = || C64::new(stream.normal() * 10f64.powf(6.0 * stream.normal()), stream.normal());
            let first = draw();
            let mut ball = Ball::<f64>::point(first);
            let mut value = exact(first);
            for step in 0..6 {
                let next = draw();
                let (re, im) = exact(next);
                if step % 2 == 0 {
                    ball = ball * Ball::point(next);
                    value = (&value.0 * &re - &value.1 * &im, &value.0 * &im + &value.1 * &re);
                } else {
                    ball = ball - Ball::point(next);
                    value = (value.0 - re, value.1 - im);
                }
                assert!(encloses(ball, value.clone()), "trial {trial}, step {step}");
            }
            assert!(ball.radius < 1e-12 * ball.mid.norm_one().max(1.0) * 1e30);
        }
    }
}
