//! The straight path between two quadratic losses, as a family of polynomial systems.

use super::kernel::{Kernel, Shape, add_product, add_times_transpose, add_transpose_times, dot, transpose_times};
use crate::homotopy::{Place, System};
use crate::linalg::scalar::{C64, Complex, Real, Ring};

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
#[derive(Debug)]
pub(super) struct Family {
    shape: Shape,
    start: ComplexLoss,
    end: ComplexLoss,
    form_change: Vec<C64>,
    linear_change: Vec<C64>,
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
            start: start.clone(),
            end: end.clone(),
            // Slopes are relative to an orthonormal frame; Y has whatever unit the target has.
            groups: [(shape.slopes(), 1.0), (shape.dimension(), f64::MIN_POSITIVE)],
        }
    }
}

/// Evaluation at one `t`, and the power series of `X`, `Y`, `X Y` and `G`.
#[derive(Debug)]
pub(super) struct FamilyWork<R> {
    kernel: Kernel<Complex<R>>,
    x: Vec<Vec<Complex<R>>>,
    y: Vec<Vec<Complex<R>>>,
    w: Vec<Vec<Complex<R>>>,
    g: Vec<Vec<Complex<R>>>,
    gy: Vec<Complex<R>>,
    product: Vec<Complex<R>>,
}

impl System for Family {
    type Work<R: Real> = FamilyWork<R>;

    fn size(&self) -> usize {
        self.shape.dimension()
    }

    fn chart_len(&self) -> usize {
        self.shape.m * self.shape.m
    }

    fn groups(&self) -> &[(usize, f64)] {
        &self.groups
    }

    fn workspace<R: Real>(&self) -> FamilyWork<R> {
        let Shape { m, n, r } = self.shape;
        let space = |len: usize| vec![vec![Complex::zero(); len]; crate::homotopy::MOST_TERMS + 1];
        FamilyWork {
            kernel: Kernel::new(self.shape),
            x: space(m * r),
            y: space(r * n),
            w: space(m * n),
            g: space(m * n),
            gy: vec![Complex::zero(); m * r],
            product: vec![Complex::zero(); m * n],
        }
    }

    #[inline(always)]
    fn jacobian<R: Real>(
        &self,
        work: &mut FamilyWork<R>,
        at: Place<'_, R>,
        value: &mut [Complex<R>],
        jac: &mut [Complex<R>],
    ) {
        let kernel = &mut work.kernel;
        let left = R::splat(1.0) - at.t;
        // Exact at both ends, where a badly scaled metric leaves no room for the rounding error of a difference.
        let mix = |start: C64, end: C64| {
            Complex::zero().add_scaled(left, Complex::splat(start)).add_scaled(at.t, Complex::splat(end))
        };
        for ((out, &start), &end) in kernel.form.iter_mut().zip(&self.start.form).zip(&self.end.form) {
            *out = mix(start, end);
        }
        for ((out, &start), &end) in kernel.linear.iter_mut().zip(&self.start.linear).zip(&self.end.linear) {
            *out = mix(start, end);
        }
        kernel.hessian(at.chart, at.x, value, jac);
    }

    #[inline(always)]
    fn value<R: Real>(
        &self,
        work: &mut FamilyWork<R>,
        chart: &[Complex<R>],
        x: &[Complex<R>],
        value: &mut [Complex<R>],
    ) {
        let Shape { m, n, r } = self.shape;
        work.kernel.place(chart, x);
        work.product.fill(Complex::zero());
        add_product(&work.kernel.x, &work.kernel.y, &mut work.product, (m, r, n));
        work.kernel.gradient_matrix(&work.product);
        work.kernel.gradient(chart, value);
    }

    #[inline(always)]
    fn series_start<R: Real>(&self, work: &mut FamilyWork<R>, chart: &[Complex<R>], start: &[Complex<R>]) {
        let Shape { m, n, r } = self.shape;
        work.kernel.place(chart, start);
        work.product.fill(Complex::zero());
        add_product(&work.kernel.x, &work.kernel.y, &mut work.product, (m, r, n));
        work.kernel.gradient_matrix(&work.product);
        work.x[0].copy_from_slice(&work.kernel.x);
        work.y[0].copy_from_slice(&work.kernel.y);
        work.w[0].copy_from_slice(&work.product);
        work.g[0].copy_from_slice(&work.kernel.g);
    }

    #[inline(always)]
    fn series_residual<R: Real>(
        &self,
        work: &mut FamilyWork<R>,
        chart: &[Complex<R>],
        order: usize,
        residual: &mut [Complex<R>],
    ) {
        let Shape { m, n, r } = self.shape;
        let entries = m * n;
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

    #[inline(always)]
    fn series_extend<R: Real>(
        &self,
        work: &mut FamilyWork<R>,
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

    fn chart_distance(&self, x: &[C64]) -> f64 {
        x[..self.shape.slopes()].iter().fold(0.0, |acc: f64, z| acc.max(z.re.abs().max(z.im.abs())))
    }

    fn recentre(&self, chart: &mut [C64], x: &mut [C64]) {
        super::chart::recentre(self.shape, chart, x);
    }
}
