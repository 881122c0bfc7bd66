//! What the tracker asks of a family of polynomial systems.

use crate::linalg::scalar::{C64, Complex, Real};

/// A square polynomial system `F(t, x) = 0` in local coordinates of a chart, with a real path parameter `t` in `[0, 1]`.
///
/// The solutions live on some manifold; a chart is a handful of numbers that says which local coordinates are in use,
/// and may change along a path so that no path runs to infinity of a fixed chart. A system is written once, over any
/// [`Real`]: eight paths in lanes, or one in double-double. Every method that runs over lanes must be
/// `#[inline(always)]`.
pub trait System: Sync {
    /// Intermediate results of one evaluation, reused by the next ones at the same `t`.
    type Work<R: Real>: Send;

    /// Number of equations and of unknowns.
    fn size(&self) -> usize;

    /// Numbers that describe a chart.
    fn chart_len(&self) -> usize;

    /// Groups of unknowns with a common unit: the end of each, in order, and the size below which it counts as one.
    fn groups(&self) -> &[(usize, f64)];

    /// Space for [`System::jacobian`] and the methods that follow it.
    fn workspace<R: Real>(&self) -> Self::Work<R>;

    /// `F(t, x)` and its Jacobian (row by row) in one pass.
    fn jacobian<R: Real>(
        &self,
        work: &mut Self::Work<R>,
        at: Place<'_, R>,
        value: &mut [Complex<R>],
        jac: &mut [Complex<R>],
    );

    /// `F(t, x)` at the `t` and chart of the last call of [`System::jacobian`].
    fn value<R: Real>(
        &self,
        work: &mut Self::Work<R>,
        chart: &[Complex<R>],
        x: &[Complex<R>],
        value: &mut [Complex<R>],
    );

    /// Starts a power series `x_0 + x_1 s + ...` of the path through `x_0`, at the `t` of the last Jacobian.
    fn series_start<R: Real>(&self, work: &mut Self::Work<R>, chart: &[Complex<R>], start: &[Complex<R>]);

    /// The coefficient of `s^order` of `F(t + s, x_0 + ... + x_{order-1} s^{order-1})`, so that
    /// `x_order = -J^{-1} residual`.
    fn series_residual<R: Real>(
        &self,
        work: &mut Self::Work<R>,
        chart: &[Complex<R>],
        order: usize,
        residual: &mut [Complex<R>],
    );

    /// Takes up `x_order`, before the next order is asked for.
    fn series_extend<R: Real>(
        &self,
        work: &mut Self::Work<R>,
        chart: &[Complex<R>],
        order: usize,
        coefficient: &[Complex<R>],
    );

    /// How far `x` is from the middle of its chart; above [`super::TrackOptions::chart_radius`] the chart is changed.
    fn chart_distance(&self, x: &[C64]) -> f64;

    /// Changes to the chart centred at the point, and the coordinates with it.
    fn recentre(&self, chart: &mut [C64], x: &mut [C64]);
}

/// Where to evaluate: chart, path parameter, coordinates.
#[derive(Debug)]
pub struct Place<'a, R> {
    /// The chart of each lane.
    pub chart: &'a [Complex<R>],
    /// The path parameter of each lane.
    pub t: R,
    /// The coordinates.
    pub x: &'a [Complex<R>],
}

/// A point as it is stored: its chart and its coordinates.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Numbers that describe the chart.
    pub chart: Vec<C64>,
    /// Coordinates in the chart.
    pub x: Vec<C64>,
}
