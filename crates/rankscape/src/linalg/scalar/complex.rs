//! Complex numbers over any of the real types.

use std::ops::{Add, Mul, Neg, Sub};

use num_traits::Zero;

use super::ring::{Field, Real, Ring};

/// `re + i im`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Complex<R> {
    /// Real part.
    pub re: R,
    /// Imaginary part.
    pub im: R,
}

/// A plain complex double: what solutions and start sets are stored in.
pub type C64 = Complex<f64>;

impl<R> Complex<R> {
    /// `re + i im`.
    #[inline(always)]
    pub fn new(re: R, im: R) -> Self {
        Self { re, im }
    }
}

impl<R: Ring> Add for Complex<R> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self { re: self.re + other.re, im: self.im + other.im }
    }
}

impl<R: Ring> Sub for Complex<R> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self { re: self.re - other.re, im: self.im - other.im }
    }
}

impl<R: Ring + Copy> Mul for Complex<R> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self {
            re: (self.re * other.re).add_product(-self.im, other.im),
            im: (self.re * other.im).add_product(self.im, other.re),
        }
    }
}

impl<R: Ring> Neg for Complex<R> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self { re: -self.re, im: -self.im }
    }
}

impl<R: Ring + Copy> Zero for Complex<R> {
    #[inline(always)]
    fn zero() -> Self {
        Self { re: R::zero(), im: R::zero() }
    }

    fn is_zero(&self) -> bool {
        self.re.is_zero() && self.im.is_zero()
    }
}

impl<R: Ring + Copy> Ring for Complex<R> {
    #[inline(always)]
    fn add_product(self, a: Self, b: Self) -> Self {
        Self {
            re: self.re.add_product(a.re, b.re).add_product(-a.im, b.im),
            im: self.im.add_product(a.re, b.im).add_product(a.im, b.re),
        }
    }
}

impl<R: Ring + Copy> Complex<R> {
    /// `self + factor * b` for a real factor.
    #[inline(always)]
    pub fn add_scaled(self, factor: R, b: Self) -> Self {
        Self { re: self.re.add_product(factor, b.re), im: self.im.add_product(factor, b.im) }
    }

    /// Complex conjugate.
    #[inline(always)]
    pub fn conjugate(self) -> Self {
        Self { re: self.re, im: -self.im }
    }
}

impl<R: Real> Complex<R> {
    /// The same number in every lane.
    #[inline(always)]
    pub fn splat(value: C64) -> Self {
        Self { re: R::splat(value.re), im: R::splat(value.im) }
    }

    /// The number in `lane`, rounded to double.
    #[inline(always)]
    pub fn get(&self, lane: usize) -> C64 {
        C64 { re: self.re.get(lane), im: self.im.get(lane) }
    }

    /// Replaces the number in `lane`.
    #[inline(always)]
    pub fn set(&mut self, lane: usize, value: C64) {
        self.re.set(lane, value.re);
        self.im.set(lane, value.im);
    }

    /// Copies `lane` of `from`, in full precision.
    #[inline(always)]
    pub fn copy_lane(&mut self, lane: usize, from: &Self) {
        self.re.copy_lane(lane, &from.re);
        self.im.copy_lane(lane, &from.im);
    }

    /// `|re| + |im|`: within a factor `sqrt 2` of the modulus, and free of square roots.
    #[inline(always)]
    pub fn norm_one(self) -> R {
        self.re.abs() + self.im.abs()
    }

    /// `1 / self`.
    #[inline(always)]
    pub fn reciprocal(self) -> Self {
        let square = (self.re * self.re).add_product(self.im, self.im);
        let inverse = R::splat(1.0) / square;
        Self { re: self.re * inverse, im: -self.im * inverse }
    }
}

impl Ring for f64 {}

impl Field for f64 {}

impl Real for f64 {
    const LANES: usize = 1;
    const ROUNDOFF: f64 = f64::EPSILON / 2.0;

    fn splat(value: f64) -> Self {
        value
    }

    fn get(&self, _: usize) -> f64 {
        *self
    }

    fn set(&mut self, _: usize, value: f64) {
        *self = value;
    }

    fn copy_lane(&mut self, _: usize, from: &Self) {
        *self = *from;
    }

    fn abs(self) -> Self {
        f64::abs(self)
    }

    fn max(self, other: Self) -> Self {
        if self > other { self } else { other }
    }
}
