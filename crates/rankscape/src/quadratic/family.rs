//! The straight path between two quadratic losses, as a family of polynomial systems.

use num_traits::Zero;

use super::chart;
use super::kernel::{Kernel, Shape, add_product, add_times_transpose, add_transpose_times, dot, transpose_times};
use crate::homotopy::{System, between};
use crate::linalg::scalar::{C64, Complex, Real, Ring, Scalar};

/// A complex quadratic loss `w' A w - 2 b' w` on `m x n` matrices with `m <= n`.
#[derive(Debug, Clone, PartialEq)]
pub struct ComplexLoss {
    /// Sizes and rank.
    pub shape: Shape,
    /// `A`, symmetric, row by row.
    pub form: Vec<C64>,
    /// `b`.
    pub linear: Vec<C64>,
}

impl ComplexLoss {
    /// The loss times `exp(i angle)`: the same critical points, another path from or to it.
    pub(super) fn turned(&self, angle: f64) -> Self {
        let phase = C64::new(angle.cos(), angle.sin());
        let turn = |list: &[C64]| list.iter().map(|&z| z * phase).collect();
        Self { shape: self.shape, form: turn(&self.form), linear: turn(&self.linear) }
    }
}

/// Critical points of `(1 - t) start + t end` on the rank-`r` matrices.
///
/// It evaluates itself, by the contractions of [`Kernel`]: a straight-line program of the same formula needs no more products,
/// but takes about twice as long for a step, since each of its operations goes through memory.
#[derive(Debug)]
pub(super) struct Family {
    shape: Shape,
    start: ComplexLoss,
    end: ComplexLoss,
    form_change: Vec<C64>,
    linear_change: Vec<C64>,
    /// How far the coefficients meant may be from those of `start`.
    form_radius: Vec<f64>,
    linear_radius: Vec<f64>,
    groups: [(usize, f64); 2],
}

impl Family {
    pub(super) fn new(start: &ComplexLoss, end: &ComplexLoss) -> Self {
        let difference = |a: &[C64], b: &[C64]| a.iter().zip(b).map(|(&a, &b)| a - b).collect();
        let shape = start.shape;
        Self {
            shape,
            form_change: difference(&end.form, &start.form),
            linear_change: difference(&end.linear, &start.linear),
            form_radius: vec![0.0; start.form.len()],
            linear_radius: vec![0.0; start.linear.len()],
            start: start.clone(),
            end: end.clone(),
            // Slopes are relative to an orthonormal frame; Y has whatever unit the target has.
            groups: [(shape.slopes(), 1.0), (shape.dimension(), f64::MIN_POSITIVE)],
        }
    }

    /// All losses whose coefficients are within the radii of those of `loss`, for enclosures.
    pub(super) fn around(loss: &ComplexLoss, form_radius: Vec<f64>, linear_radius: Vec<f64>) -> Self {
        Self { form_radius, linear_radius, ..Self::new(loss, loss) }
    }

    /// `X Y`, `G` and the coordinates at the start of a power series.
    #[inline(always)]
    fn series_start<R: Real>(work: &mut FamilyWork<Complex<R>>, chart: &[Complex<R>], start: &[Complex<R>]) {
        work.kernel.gradient_matrix(chart, start);
        work.x[0].copy_from_slice(&work.kernel.x);
        work.y[0].copy_from_slice(&work.kernel.y);
        work.w[0].copy_from_slice(&work.kernel.w);
        work.g[0].copy_from_slice(&work.kernel.g);
    }

    /// Takes up the coefficient of one order, of which `X Y` and `G` know all terms but those with it.
    #[inline(always)]
    fn series_extend<R: Real>(
        &self,
        work: &mut FamilyWork<Complex<R>>,
        chart: &[Complex<R>],
        order: usize,
        coefficient: &[Complex<R>],
    ) {
        let Shape { m, n, r } = self.shape;
        let (xi, dy) = coefficient.split_at(self.shape.slopes());
        work.x[order].fill(Complex::zero());
        add_product(&chart[m * r..], xi, &mut work.x[order], (m, m - r, r));
        work.y[order].copy_from_slice(dy);
        let mut w = std::mem::take(&mut work.w[order]);
        add_product(&work.x[order], &work.y[0], &mut w, (m, r, n));
        add_product(&work.x[0], &work.y[order], &mut w, (m, r, n));
        work.w[order] = w;
        work.kernel.add_form_times_change(&work.x[order], &work.y[order], &mut work.g[order]);
    }
}

/// Evaluation at one `t`, and the power series of `X`, `Y`, `X Y` and `G`.
#[derive(Debug)]
pub(super) struct FamilyWork<C> {
    kernel: Kernel<C>,
    x: Vec<Vec<C>>,
    y: Vec<Vec<C>>,
    w: Vec<Vec<C>>,
    g: Vec<Vec<C>>,
    gy: Vec<C>,
}

impl<C: Ring> FamilyWork<C> {
    /// Space for the power series up to `order`.
    fn reserve(&mut self, order: usize) {
        let Shape { m, n, r } = self.kernel.shape;
        for (list, len) in [(&mut self.x, m * r), (&mut self.y, r * n), (&mut self.w, m * n), (&mut self.g, m * n)] {
            list.resize_with(list.len().max(order + 1), || vec![C::zero(); len]);
        }
        self.gy.resize(m * r, C::zero());
    }
}

impl System for Family {
    type Scratch<C: Scalar> = FamilyWork<C>;

    fn size(&self) -> usize {
        self.shape.dimension()
    }

    fn start<C: Scalar>(&self) -> FamilyWork<C> {
        let coefficients =
            |mid: &[C64], radius: &[f64]| mid.iter().zip(radius).map(|(&mid, &r)| C::coefficient(mid, r)).collect();
        let mut kernel = Kernel::new(self.shape);
        kernel.form = coefficients(&self.start.form, &self.form_radius);
        kernel.linear = coefficients(&self.start.linear, &self.linear_radius);
        FamilyWork { kernel, x: vec![], y: vec![], w: vec![], g: vec![], gy: vec![] }
    }

    #[inline(always)]
    fn move_to<R: Real>(&self, work: &mut FamilyWork<Complex<R>>, t: R) {
        let kernel = &mut work.kernel;
        for ((out, &start), &end) in kernel.form.iter_mut().zip(&self.start.form).zip(&self.end.form) {
            *out = between(t, start, end);
        }
        for ((out, &start), &end) in kernel.linear.iter_mut().zip(&self.start.linear).zip(&self.end.linear) {
            *out = between(t, start, end);
        }
    }

    #[inline(always)]
    fn evaluate<C: Scalar>(
        &self,
        work: &mut FamilyWork<C>,
        chart: &[C],
        x: &[C],
        value: &mut [C],
        jacobian: Option<&mut [C]>,
    ) {
        if let Some(jacobian) = jacobian {
            work.kernel.hessian(chart, x, value, jacobian);
        } else {
            work.kernel.gradient_matrix(chart, x);
            work.kernel.gradient(chart, value);
        }
    }

    #[inline(always)]
    fn series_residual<R: Real>(
        &self,
        work: &mut FamilyWork<Complex<R>>,
        chart: &[Complex<R>],
        known: &[Vec<Complex<R>>],
        residual: &mut [Complex<R>],
    ) {
        let Shape { m, n, r } = self.shape;
        let (order, entries) = (known.len(), m * n);
        work.reserve(order);
        if order == 1 {
            Self::series_start(work, chart, &known[0]);
        } else {
            self.series_extend(work, chart, order - 1, &known[order - 1]);
        }
        let mut w = std::mem::take(&mut work.w[order]);
        let mut g = std::mem::take(&mut work.g[order]);
        w.fill(Complex::zero());
        for p in 1..order {
            add_product(&work.x[p], &work.y[order - p], &mut w, (m, r, n));
        }
        for (row, out) in g.iter_mut().enumerate() {
            let change = &self.form_change[row * entries..][..entries];
            let mut sum = if order == 1 { -Complex::splat(self.linear_change[row]) } else { Complex::zero() };
            for (&a, &b) in change.iter().zip(&work.w[order - 1]) {
                sum = sum.add_product(Complex::splat(a), b);
            }
            *out = if order == 1 { sum } else { dot(sum, &work.kernel.form[row * entries..][..entries], &w) };
        }
        work.w[order] = w;
        work.g[order] = g;
        let (for_xi, for_y) = residual.split_at_mut(self.shape.slopes());
        for_y.fill(Complex::zero());
        work.gy.fill(Complex::zero());
        for p in 0..order {
            add_transpose_times(&work.x[p], &work.g[order - p], for_y, (m, r, n));
            add_times_transpose(&work.g[order - p], &work.y[p], &mut work.gy, (m, n, r));
        }
        transpose_times(&chart[m * r..], &work.gy, for_xi, (m, m - r, r));
    }

    fn groups(&self) -> &[(usize, f64)] {
        &self.groups
    }

    fn chart_len(&self) -> usize {
        self.shape.m * self.shape.m
    }

    fn chart_distance(&self, x: &[C64]) -> f64 {
        x[..self.shape.slopes()].iter().fold(0.0, |acc: f64, z| acc.max(z.re.abs().max(z.im.abs())))
    }

    fn recentre(&self, chart: &mut [C64], x: &mut [C64]) {
        chart::recentre(self.shape, chart, x);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::homotopy::{Program, Symbol};
    use crate::linalg::scalar::Ball;
    use crate::random::Stream;

    fn sum<'a>(terms: impl Iterator<Item = Symbol<'a>>) -> Symbol<'a> {
        terms.reduce(|a, b| a + b).unwrap()
    }

    /// Half of the gradient, `N' G Y'` and `X' G` with `G = A (X Y) - b`; parameters are `X_0`, `N`, `A` and `b`.
    fn half_gradient(shape: Shape) -> Program {
        let Shape { m, n, r } = shape;
        let co = m - r;
        Program::new(shape.dimension(), m * m + (m * n) * (m * n) + m * n, |unknowns, parameters| {
            let (xi, y) = unknowns.split_at(shape.slopes());
            let (base, rest) = parameters.split_at(m * r);
            let (normal, rest) = rest.split_at(m * co);
            let (form, linear) = rest.split_at(m * n * m * n);
            let x =
                |i: usize, a: usize| (0..co).fold(base[i * r + a], |sum, c| sum + normal[i * co + c] * xi[c * r + a]);
            let x: Vec<Symbol<'_>> = (0..m * r).map(|e| x(e / r, e % r)).collect();
            let w = |i: usize, j: usize| sum((0..r).map(|a| x[i * r + a] * y[a * n + j]));
            let w: Vec<Symbol<'_>> = (0..m * n).map(|e| w(e / n, e % n)).collect();
            let g = |e: usize| sum((0..m * n).map(|f| form[e * m * n + f] * w[f])) - linear[e];
            let g: Vec<Symbol<'_>> = (0..m * n).map(g).collect();
            let gy = |i: usize, a: usize| sum((0..n).map(|j| g[i * n + j] * y[a * n + j]));
            let for_xi = |e: usize| sum((0..m).map(|i| normal[i * co + e / r] * gy(i, e % r)));
            let for_y = |e: usize| sum((0..m).map(|i| x[i * r + e / n] * g[i * n + e % n]));
            (0..co * r).map(for_xi).chain((0..r * n).map(for_y)).collect()
        })
        .unwrap()
    }

    const SHAPES: [(usize, usize, usize); 4] = [(2, 2, 1), (2, 3, 1), (3, 3, 2), (2, 3, 2)];

    fn draw(stream: &mut Stream, len: usize) -> Vec<C64> {
        (0..len).map(|_| C64::new(stream.normal(), stream.normal())).collect()
    }

    fn random_loss(shape: Shape, stream: &mut Stream) -> ComplexLoss {
        let entries = shape.entries();
        let half = draw(stream, entries * entries);
        let form = (0..entries * entries).map(|e| half[e] + half[e % entries * entries + e / entries]).collect();
        ComplexLoss { shape, form, linear: draw(stream, entries) }
    }

    fn parameters(chart: &[C64], loss: &ComplexLoss) -> Vec<C64> {
        [chart, &loss.form, &loss.linear].concat()
    }

    #[test]
    fn gradient_and_hessian_are_those_of_the_program_of_their_formula() {
        for (trial, (m, n, r)) in SHAPES.into_iter().enumerate() {
            let shape = Shape { m, n, r };
            let mut stream = Stream::new(31, trial as u64);
            let loss = random_loss(shape, &mut stream);
            let (chart, at) = (draw(&mut stream, m * m), draw(&mut stream, shape.dimension()));
            let program = half_gradient(shape).at(&parameters(&chart, &loss)).unwrap();
            let family = Family::new(&loss, &loss);
            let points = |list: &[C64]| list.iter().map(|&z| Ball::<f64>::point(z)).collect::<Vec<_>>();
            let size = shape.dimension();
            let space = || (vec![Ball::zero(); size], vec![Ball::zero(); size * size]);
            let ((mut value, mut jacobian), (mut same_value, mut same_jacobian)) = (space(), space());
            let (chart, at) = (points(&chart), points(&at));
            family.evaluate(&mut family.start(), &chart, &at, &mut value, Some(&mut jacobian));
            program.evaluate(&mut program.start(), &[], &at, &mut same_value, Some(&mut same_jacobian));
            for (a, b) in value.iter().chain(&jacobian).zip(same_value.iter().chain(&same_jacobian)) {
                assert!((a.mid - b.mid).norm_one() <= 2.0 * (a.radius + b.radius), "{shape:?}: {a:?} {b:?}");
                assert!(a.radius + b.radius < 1e-10);
            }
        }
    }

    #[test]
    fn series_residuals_are_those_of_the_program() {
        for (trial, (m, n, r)) in SHAPES.into_iter().enumerate() {
            let (shape, t) = (Shape { m, n, r }, 0.375);
            let mut stream = Stream::new(32, trial as u64);
            let (start, end) = (random_loss(shape, &mut stream), random_loss(shape, &mut stream));
            let (chart, size) = (draw(&mut stream, m * m), shape.dimension());
            let program = half_gradient(shape).between(&parameters(&chart, &start), &parameters(&chart, &end)).unwrap();
            let family = Family::new(&start, &end);
            let known: Vec<Vec<C64>> = (0..4).map(|_| draw(&mut stream, size)).collect();
            let (mut work, mut same_work) = (family.start(), program.start());
            let (mut residual, mut jacobian) = (vec![C64::zero(); size], vec![C64::zero(); size * size]);
            family.move_to(&mut work, t);
            family.evaluate(&mut work, &chart, &known[0], &mut residual, Some(&mut jacobian));
            program.move_to(&mut same_work, t);
            for order in 1..=known.len() {
                let mut same = vec![C64::zero(); size];
                family.series_residual(&mut work, &chart, &known[..order], &mut residual);
                program.series_residual(&mut same_work, &[], &known[..order], &mut same);
                let largest = same.iter().fold(0.0, |acc: f64, z| acc.max(z.norm_one()));
                let apart = residual.iter().zip(&same).fold(0.0, |acc: f64, (&a, &b)| acc.max((a - b).norm_one()));
                assert!(apart <= 1e-12 * largest, "{shape:?}, order {order}: {apart} {largest}");
            }
        }
    }
}
