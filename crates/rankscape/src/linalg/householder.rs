//! Householder reflectors of panels of columns, in compact form `Q = I - V T V'`.
//!
//! Own code rather than the library's QR because that one skips a column whose remainder is small against the column
//! (about `2e-16 * 16 * rows`), which is far above the rounding errors that rank decisions are scaled by.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};

/// Panels of at most this many columns are factored one column at a time.
const NARROW: usize = 8;

/// The reflectors of a panel: `panel = (I - V T V') [R; 0]`.
pub(super) struct Reflectors {
    /// Unit lower trapezoidal, zeros and ones stored.
    pub(super) v: Mat<f64>,
    /// Upper triangular.
    pub(super) t: Mat<f64>,
    /// Upper triangular factor of the panel.
    pub(super) r: Mat<f64>,
}

impl Reflectors {
    /// Factors a panel with at least as many rows as columns.
    pub(super) fn of(panel: Mat<f64>) -> Self {
        let width = panel.ncols();
        let mut found = Self { v: panel, t: Mat::zeros(width, width), r: Mat::zeros(width, width) };
        factor(found.v.as_mut(), found.t.as_mut(), found.r.as_mut());
        found
    }

    /// Replaces `[top; bottom]` by `Q' [top; bottom]`; together they have as many rows as the panel.
    pub(super) fn apply_transpose(&self, top: MatMut<'_, f64>, bottom: MatMut<'_, f64>) {
        self.apply_with(self.t.transpose(), top, bottom);
    }

    /// Replaces `[top; bottom]` by `Q [top; bottom]`.
    fn apply(&self, top: MatMut<'_, f64>, bottom: MatMut<'_, f64>) {
        self.apply_with(self.t.as_ref(), top, bottom);
    }

    fn apply_with(&self, t: MatRef<'_, f64>, mut top: MatMut<'_, f64>, mut bottom: MatMut<'_, f64>) {
        if top.ncols() == 0 {
            return;
        }
        let (v_top, v_bottom) = self.v.as_ref().split_at_row(top.nrows());
        let mut w = Mat::zeros(self.v.ncols(), top.ncols());
        multiply(w.as_mut(), Accum::Replace, v_top.transpose(), top.as_ref(), 1.0);
        multiply(w.as_mut(), Accum::Add, v_bottom.transpose(), bottom.as_ref(), 1.0);
        let mut step = Mat::zeros(w.nrows(), w.ncols());
        multiply(step.as_mut(), Accum::Replace, t, w.as_ref(), -1.0);
        multiply(top.as_mut(), Accum::Add, v_top, step.as_ref(), 1.0);
        multiply(bottom.as_mut(), Accum::Add, v_bottom, step.as_ref(), 1.0);
    }
}

/// Columns that are eliminated together.
pub(super) const PANEL: usize = 64;

/// Overwrites `a` and gives the `min(rows, cols)` rows of its triangular factor; `keep` gets the reflectors of each
/// panel, first to last.
pub(super) fn factor_panels(mut a: MatMut<'_, f64>, mut keep: impl FnMut(Reflectors)) -> Mat<f64> {
    let (rows, cols) = a.shape();
    let size = rows.min(cols);
    for from in (0..size).step_by(PANEL) {
        let width = PANEL.min(size - from);
        let (to, rest) = (from + width, cols - from - width);
        let found = Reflectors::of(a.as_ref().submatrix(from, from, rows - from, width).to_owned());
        a.as_mut().submatrix_mut(from, from, width, width).copy_from(&found.r);
        let (top, bottom) = a.as_mut().submatrix_mut(from, to, rows - from, rest).split_at_row_mut(width);
        found.apply_transpose(top, bottom);
        keep(found);
    }
    Mat::from_fn(size, cols, |i, j| if i <= j { a[(i, j)] } else { 0.0 })
}

/// Replaces `b` by `Q b`, with the reflectors that [`factor_panels`] gave.
pub(super) fn apply_panels(panels: &[Reflectors], mut b: MatMut<'_, f64>) {
    for (index, panel) in panels.iter().enumerate().rev() {
        let below = b.as_mut().split_at_row_mut(index * PANEL).1;
        let (top, bottom) = below.split_at_row_mut(panel.v.ncols());
        panel.apply(top, bottom);
    }
}

fn multiply(out: MatMut<'_, f64>, accum: Accum, a: MatRef<'_, f64>, b: MatRef<'_, f64>, factor: f64) {
    matmul(out, accum, a, b, factor, Par::Seq);
}

/// Recursion over halves of the columns: the work is matrix products except in narrow panels.
fn factor(mut p: MatMut<'_, f64>, mut t: MatMut<'_, f64>, mut r: MatMut<'_, f64>) {
    let width = p.ncols();
    if width <= NARROW {
        return factor_narrow(p, t, r);
    }
    let half = (width / 2).next_multiple_of(NARROW).min(width - 1);
    let rest = width - half;
    {
        let (mut left, mut right) = p.as_mut().split_at_col_mut(half);
        factor(left.as_mut(), t.as_mut().submatrix_mut(0, 0, half, half), r.as_mut().submatrix_mut(0, 0, half, half));
        let mut w = Mat::<f64>::zeros(half, rest);
        multiply(w.as_mut(), Accum::Replace, left.as_ref().transpose(), right.as_ref(), 1.0);
        let mut step = Mat::<f64>::zeros(half, rest);
        multiply(step.as_mut(), Accum::Replace, t.as_ref().submatrix(0, 0, half, half).transpose(), w.as_ref(), -1.0);
        multiply(right.as_mut(), Accum::Add, left.as_ref(), step.as_ref(), 1.0);
        let (mut above, below) = right.split_at_row_mut(half);
        r.as_mut().submatrix_mut(0, half, half, rest).copy_from(above.as_ref());
        above.fill(0.0);
        factor(
            below,
            t.as_mut().submatrix_mut(half, half, rest, rest),
            r.as_mut().submatrix_mut(half, half, rest, rest),
        );
    }
    let (left, right) = p.as_ref().split_at_col(half);
    let rows = p.nrows() - half;
    let mut inner = Mat::<f64>::zeros(half, rest);
    let (left, right) = (left.subrows(half, rows), right.subrows(half, rows));
    multiply(inner.as_mut(), Accum::Replace, left.transpose(), right, 1.0);
    let mut first = Mat::<f64>::zeros(half, rest);
    multiply(first.as_mut(), Accum::Replace, t.as_ref().submatrix(0, 0, half, half), inner.as_ref(), -1.0);
    let (mut corner, last) = t.split_at_row_mut(half);
    let last = last.as_ref().submatrix(0, half, rest, rest);
    multiply(corner.as_mut().submatrix_mut(0, half, half, rest), Accum::Replace, first.as_ref(), last, 1.0);
}

/// One reflector after the other.
fn factor_narrow(p: MatMut<'_, f64>, mut t: MatMut<'_, f64>, mut r: MatMut<'_, f64>) {
    let mut columns: Vec<&mut [f64]> = p
        .col_iter_mut()
        .filter_map(|column| column.try_as_col_major_mut().map(|contiguous| contiguous.as_slice_mut()))
        .collect();
    for j in 0..columns.len() {
        let (done, rest) = columns.split_at_mut(j);
        let Some((column, later)) = rest.split_first_mut() else { return };
        for i in 0..j {
            r[(i, j)] = std::mem::take(&mut column[i]);
        }
        let (pivot, tau) = make_reflector(&mut column[j..]);
        r[(j, j)] = pivot;
        t[(j, j)] = tau;
        let v = &column[j..];
        for other in later {
            let other = &mut other[j..];
            add_scaled(other, -tau * dot(v, other), v);
        }
        let inner: Vec<f64> = done.iter().map(|earlier| dot(v, &earlier[j..])).collect();
        for i in 0..j {
            t[(i, j)] = -tau * (i..j).map(|k| t[(i, k)] * inner[k]).sum::<f64>();
        }
    }
}

/// Overwrites `x` by the reflector `v` (first entry 1) with `(I - tau v v') x = pivot e_1`; gives pivot and tau.
fn make_reflector(x: &mut [f64]) -> (f64, f64) {
    let Some((head, tail)) = x.split_first_mut() else { return (0.0, 0.0) };
    let first = std::mem::replace(head, 1.0);
    let rest = dot(tail, tail);
    if rest == 0.0 {
        tail.fill(0.0);
        return (first, 0.0);
    }
    let pivot = -(first * first + rest).sqrt().copysign(first);
    let scale = 1.0 / (first - pivot);
    tail.iter_mut().for_each(|entry| *entry *= scale);
    (pivot, (pivot - first) / pivot)
}

/// Sums in a fixed order, eight at a time.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a_body, a_tail) = a.as_chunks::<8>();
    let (b_body, b_tail) = b.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (x, y) in a_body.iter().zip(b_body) {
        for k in 0..8 {
            sums[k] += x[k] * y[k];
        }
    }
    let tail: f64 = a_tail.iter().zip(b_tail).map(|(x, y)| x * y).sum();
    sums.iter().sum::<f64>() + tail
}

fn add_scaled(target: &mut [f64], factor: f64, source: &[f64]) {
    target.iter_mut().zip(source).for_each(|(entry, &step)| *entry += factor * step);
}
