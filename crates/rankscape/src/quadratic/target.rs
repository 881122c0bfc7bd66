//! The fixed real loss whose critical points are certified: coefficients as enclosures, charts of zeros and ones.

use super::chart::factors;
use super::family::{Family, FamilyWork};
use super::kernel::{Kernel, Shape, add_product};
use super::loss::Loss;
use crate::homotopy::{Enclosed, Place, Point, System};
use crate::linalg::interval::Interval;
use crate::linalg::scalar::{Ball, C64, Complex, Real, Ring};

/// A loss and the constant family that it makes.
#[derive(Debug)]
pub(super) struct Target<'a> {
    loss: &'a Loss,
    family: Family,
}

impl<'a> Target<'a> {
    pub(super) fn new(loss: &'a Loss) -> Self {
        let complex = loss.as_complex();
        Self { loss, family: Family::new(&complex, &complex) }
    }
}

impl System for Target<'_> {
    type Work<R: Real> = FamilyWork<R>;

    fn size(&self) -> usize {
        self.family.size()
    }

    fn chart_len(&self) -> usize {
        self.family.chart_len()
    }

    fn groups(&self) -> &[(usize, f64)] {
        self.family.groups()
    }

    fn workspace<R: Real>(&self) -> FamilyWork<R> {
        self.family.workspace()
    }

    #[inline(always)]
    fn jacobian<R: Real>(
        &self,
        work: &mut FamilyWork<R>,
        at: Place<'_, R>,
        value: &mut [Complex<R>],
        jac: &mut [Complex<R>],
    ) {
        self.family.jacobian(work, at, value, jac);
    }

    #[inline(always)]
    fn value<R: Real>(
        &self,
        work: &mut FamilyWork<R>,
        chart: &[Complex<R>],
        x: &[Complex<R>],
        value: &mut [Complex<R>],
    ) {
        self.family.value(work, chart, x, value);
    }

    #[inline(always)]
    fn series_start<R: Real>(&self, work: &mut FamilyWork<R>, chart: &[Complex<R>], start: &[Complex<R>]) {
        self.family.series_start(work, chart, start);
    }

    #[inline(always)]
    fn series_residual<R: Real>(
        &self,
        work: &mut FamilyWork<R>,
        chart: &[Complex<R>],
        order: usize,
        out: &mut [Complex<R>],
    ) {
        self.family.series_residual(work, chart, order, out);
    }

    #[inline(always)]
    fn series_extend<R: Real>(&self, work: &mut FamilyWork<R>, chart: &[Complex<R>], order: usize, x: &[Complex<R>]) {
        self.family.series_extend(work, chart, order, x);
    }

    fn chart_distance(&self, x: &[C64]) -> f64 {
        self.family.chart_distance(x)
    }

    fn recentre(&self, chart: &mut [C64], x: &mut [C64]) {
        self.family.recentre(chart, x);
    }
}

/// A kernel over balls and space for the product `X Y`.
#[derive(Debug)]
pub(super) struct TargetBalls<R> {
    kernel: Kernel<Ball<R>>,
    product: Vec<Ball<R>>,
    value: Vec<Ball<R>>,
}

fn ball<R: Real>(x: &Interval) -> Ball<R> {
    let mid = 0.5 * x.low + 0.5 * x.high;
    let radius = if x.low == x.high { 0.0 } else { (x.high - mid).max(mid - x.low).next_up() };
    Ball::new(Complex::splat(C64::new(mid, 0.0)), R::splat(radius))
}

impl Enclosed for Target<'_> {
    type Balls<R: Real> = TargetBalls<R>;

    fn balls<R: Real>(&self) -> TargetBalls<R> {
        let mut kernel = Kernel::new(self.loss.shape);
        kernel.form = self.loss.form.iter().map(ball).collect();
        kernel.linear = self.loss.linear.iter().map(ball).collect();
        TargetBalls {
            kernel,
            product: vec![Ball::zero(); self.loss.shape.entries()],
            value: vec![Ball::zero(); self.loss.shape.dimension()],
        }
    }

    #[inline(always)]
    fn value_on<R: Real>(&self, work: &mut TargetBalls<R>, chart: &[Ball<R>], x: &[Ball<R>], value: &mut [Ball<R>]) {
        let Shape { m, n, r } = self.loss.shape;
        work.kernel.place(chart, x);
        work.product.fill(Ball::zero());
        add_product(&work.kernel.x, &work.kernel.y, &mut work.product, (m, r, n));
        work.kernel.gradient_matrix(&work.product);
        work.kernel.gradient(chart, value);
    }

    #[inline(always)]
    fn jacobian_on<R: Real>(&self, work: &mut TargetBalls<R>, chart: &[Ball<R>], x: &[Ball<R>], jac: &mut [Ball<R>]) {
        let mut value = std::mem::take(&mut work.value);
        work.kernel.hessian(chart, x, &mut value, jac);
        work.value = value;
    }
}

/// The point in a chart of zeros and ones: `X` is the identity on `r` pivot rows, chosen by complete pivoting, so that the
/// other rows are of moderate size.
pub(super) fn in_pivot_chart(shape: Shape, point: &Point) -> Point {
    let Shape { m, n, r } = shape;
    let (mut x, y) = factors(shape, &point.chart, &point.x);
    let original = x.clone();
    let mut pivots = vec![usize::MAX; r];
    for _ in 0..r {
        let free = |i: usize, a: usize, pivots: &[usize]| !pivots.contains(&i) && pivots[a] == usize::MAX;
        let best = (0..m * r)
            .filter(|&e| free(e / r, e % r, &pivots))
            .max_by(|&e, &f| x[e].norm_one().total_cmp(&x[f].norm_one()))
            .unwrap_or(0);
        let (row, col) = (best / r, best % r);
        pivots[col] = row;
        let inverse = x[best].reciprocal();
        (0..m).for_each(|i| x[i * r + col] = x[i * r + col] * inverse);
        for other in (0..r).filter(|&a| a != col) {
            let factor = -x[row * r + other];
            (0..m).for_each(|i| x[i * r + other] = x[i * r + other].add_product(factor, x[i * r + col]));
        }
    }
    let one = C64::new(1.0, 0.0);
    let mut chart = vec![C64::zero(); m * m];
    pivots.iter().enumerate().for_each(|(a, &row)| chart[row * r + a] = one);
    let rest: Vec<usize> = (0..m).filter(|i| !pivots.contains(i)).collect();
    rest.iter().enumerate().for_each(|(c, &row)| chart[m * r + row * (m - r) + c] = one);
    let mut at = Vec::with_capacity(shape.dimension());
    rest.iter().for_each(|&row| at.extend_from_slice(&x[row * r..][..r]));
    let mut new_y = vec![C64::zero(); r * n];
    let top: Vec<C64> = pivots.iter().flat_map(|&row| original[row * r..][..r].to_vec()).collect();
    add_product(&top, &y, &mut new_y, (r, r, n));
    at.extend(new_y);
    Point { chart, x: at }
}
