//! What the tracker and the certificates ask of a family of polynomial systems.

use num_traits::Zero;

use crate::linalg::scalar::{C64, Complex, Real, Scalar};

/// A square polynomial system `F(t, x) = 0` in local coordinates of a chart, with a real path parameter `t` in `[0, 1]`.
///
/// Systems with a few equations are written down as a [`super::Program`], which implements this trait for all of them. One
/// that earns an evaluation of its own implements five methods: over any [`Scalar`], so that the same lines serve eight
/// paths in lanes, one in double-double, and enclosures in balls. Every method that runs over lanes must be
/// `#[inline(always)]`.
///
/// The solutions live on some manifold; a chart is a handful of numbers that says which local coordinates are in use,
/// and may change along a path so that no path runs to infinity of a fixed chart. Systems in affine space have none, and
/// leave the last four methods as they are.
pub trait System: Sync {
    /// The coefficients at one `t`, and intermediate results.
    type Scratch<C: Scalar>: Send;

    /// Number of equations and of unknowns.
    fn size(&self) -> usize;

    /// The coefficients at `t = 0`. In balls they enclose all systems that are meant, and then so does every evaluation.
    fn start<C: Scalar>(&self) -> Self::Scratch<C>;

    /// Changes the coefficients to those at `t`.
    fn move_to<R: Real>(&self, work: &mut Self::Scratch<Complex<R>>, t: R);

    /// `F(t, x)`, and its Jacobian (row by row) if there is room for one.
    fn evaluate<C: Scalar>(
        &self,
        work: &mut Self::Scratch<C>,
        chart: &[C],
        x: &[C],
        value: &mut [C],
        jacobian: Option<&mut [C]>,
    );

    /// The coefficient of `s^k` of `F(t + s, x_0 + ... + x_{k-1} s^{k-1})` for the `k` coefficients known, so that the next
    /// one of the path through `x_0` is `x_k = -J^{-1} residual`. Asked for `k = 1, 2, ...` in turn, after the Jacobian at
    /// `t` and near `x_0`: what was found there and for lower orders may be used again, so this is an approximation.
    fn series_residual<R: Real>(
        &self,
        work: &mut Self::Scratch<Complex<R>>,
        chart: &[Complex<R>],
        known: &[Vec<Complex<R>>],
        residual: &mut [Complex<R>],
    );

    /// Groups of unknowns with a common unit: the end of each, in order, and the size below which it counts as one. By
    /// default all unknowns are one group.
    fn groups(&self) -> &[(usize, f64)] {
        &[(usize::MAX, f64::MIN_POSITIVE)]
    }

    /// Numbers that describe a chart.
    fn chart_len(&self) -> usize {
        0
    }

    /// How far `x` is from the middle of its chart; above [`super::TrackOptions::chart_radius`] the chart is changed.
    fn chart_distance(&self, _x: &[C64]) -> f64 {
        0.0
    }

    /// Changes to the chart centred at the point, and the coordinates with it.
    fn recentre(&self, _chart: &mut [C64], _x: &mut [C64]) {}
}

/// `(1 - t) start + t end`: exact at both ends, where badly scaled coefficients leave no room for the rounding error of a
/// difference.
#[inline(always)]
pub(crate) fn between<R: Real>(t: R, start: C64, end: C64) -> Complex<R> {
    let left = R::splat(1.0) - t;
    Complex::zero().add_scaled(left, Complex::splat(start)).add_scaled(t, Complex::splat(end))
}

/// A point as it is stored: its chart and its coordinates.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Numbers that describe the chart.
    pub chart: Vec<C64>,
    /// Coordinates in the chart.
    pub x: Vec<C64>,
}
