//! Several doubles side by side, so that paths share every instruction.

use std::ops::{Add, Div, Mul, Neg, Sub};

use num_traits::Zero;

use super::ring::{Real, Ring};

/// Doubles in one [`Lanes`]: two registers of 256 bits, which hides half the latency of a multiplication.
pub const WIDTH: usize = 8;

/// `WIDTH` doubles. With `FUSED`, products are added without intermediate rounding; only chosen where the processor has
/// the instruction.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub struct Lanes<const FUSED: bool>([f64; WIDTH]);

impl<const FUSED: bool> Lanes<FUSED> {
    #[inline(always)]
    fn zip(self, other: Self, op: impl Fn(f64, f64) -> f64) -> Self {
        let mut out = [0.0; WIDTH];
        for i in 0..WIDTH {
            out[i] = op(self.0[i], other.0[i]);
        }
        Self(out)
    }

    #[inline(always)]
    fn map(self, op: impl Fn(f64) -> f64) -> Self {
        let mut out = [0.0; WIDTH];
        for i in 0..WIDTH {
            out[i] = op(self.0[i]);
        }
        Self(out)
    }
}

macro_rules! lanewise {
    ($($operator:ident $method:ident $op:tt),+) => {$(
        impl<const FUSED: bool> $operator for Lanes<FUSED> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                self.zip(other, |a, b| a $op b)
            }
        }
    )+};
}

lanewise!(Add add +, Sub sub -, Mul mul *, Div div /);

impl<const FUSED: bool> Neg for Lanes<FUSED> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        self.map(|a| -a)
    }
}

impl<const FUSED: bool> Zero for Lanes<FUSED> {
    #[inline(always)]
    fn zero() -> Self {
        Self([0.0; WIDTH])
    }

    fn is_zero(&self) -> bool {
        self.0.iter().all(Zero::is_zero)
    }
}

impl<const FUSED: bool> Ring for Lanes<FUSED> {
    #[inline(always)]
    fn add_product(self, a: Self, b: Self) -> Self {
        let mut out = [0.0; WIDTH];
        for i in 0..WIDTH {
            out[i] = if FUSED { a.0[i].mul_add(b.0[i], self.0[i]) } else { self.0[i] + a.0[i] * b.0[i] };
        }
        Self(out)
    }
}

impl<const FUSED: bool> Real for Lanes<FUSED> {
    const LANES: usize = WIDTH;
    const ROUNDOFF: f64 = f64::EPSILON / 2.0;

    #[inline(always)]
    fn splat(value: f64) -> Self {
        Self([value; WIDTH])
    }

    #[inline(always)]
    fn get(&self, lane: usize) -> f64 {
        self.0[lane]
    }

    #[inline(always)]
    fn set(&mut self, lane: usize, value: f64) {
        self.0[lane] = value;
    }

    #[inline(always)]
    fn copy_lane(&mut self, lane: usize, from: &Self) {
        self.0[lane] = from.0[lane];
    }

    #[inline(always)]
    fn abs(self) -> Self {
        self.map(f64::abs)
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }
}

/// Work that can be compiled for wider registers.
pub trait Vectorized {
    /// What it returns.
    type Output;
    /// Does the work over `Lanes<FUSED>`. Implementations must be `#[inline(always)]`, down to the innermost loops.
    fn run<const FUSED: bool>(self) -> Self::Output;
}

/// Runs `work` with 256-bit registers and fused products where the processor has them.
#[inline]
pub fn vectorized<W: Vectorized>(work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = pulp::x86::V3::try_new() {
        return pulp::Simd::vectorize(simd, Fused(work));
    }
    work.run::<false>()
}

#[cfg(target_arch = "x86_64")]
struct Fused<W>(W);

#[cfg(target_arch = "x86_64")]
impl<W: Vectorized> pulp::WithSimd for Fused<W> {
    type Output = W::Output;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> W::Output {
        self.0.run::<true>()
    }
}
