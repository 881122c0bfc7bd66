//! What polynomial systems are evaluated over.

use super::ball::Ball;
use super::complex::{C64, Complex};
use super::ring::{Real, Ring};

/// What polynomial systems are evaluated over: complex numbers, or complex balls where something is to be proved.
pub trait Scalar: Ring + Copy + Send + Sync {
    /// A coefficient within `radius` of `mid`: a ball holds all of them, a complex number is `mid`.
    fn coefficient(mid: C64, radius: f64) -> Self;
}

impl<R: Real> Scalar for Complex<R> {
    #[inline(always)]
    fn coefficient(mid: C64, _: f64) -> Self {
        Self::splat(mid)
    }
}

impl<R: Real> Scalar for Ball<R> {
    #[inline(always)]
    fn coefficient(mid: C64, radius: f64) -> Self {
        Self { mid: Complex::splat(mid), radius: R::splat(radius) }
    }
}
