//! Paths of any order through the kernels of the layers (`[@TKB]`, Proposition 9, made constructive).
//!
//! Let `W_{k+1} += t w_{k+1} w_k'` in the layers above a block `i` and `W_k += t z_k z_{k-1}'` in the layers below it, where
//! `w_k` is a left null vector of a partial product that ends at node `k` and `z_k` a null vector of one that starts there,
//! with `w_h = u` and `z_0 = v`. The null vectors are chosen such that the product does not change. The gradient `B(t)` of
//! block `i` does: it is a polynomial in `t`, and at a critical point with `rank W < r` and `G != 0` some choice makes it
//! non-zero. With `b t^q` the lowest term of `<B(t), C>`, the step `W_i -= c t^m C` then changes the loss by exactly
//! `-c t^m <B(t), C> + 1/2 c^2 t^{2m} ||P(h,i)(t) C P(i-1,0)(t) X||^2`. If the norm starts at order `s`, then
//! `m = max(1, q - 2 s)` gives a path whose first change is of order `q + m`, and negative.

use super::change::{Landscape, Steps};
use super::polynomial::{Polynomial, add_to};
use super::spaces::NumericalSpaces;
use crate::linalg::{Matrix, power_of_two_near};

/// Where the perturbations sit: `W_1, ..., W_bottom` below block `i`, `W_{top+1}, ..., W_h` above it; left null vectors are
/// those of `P(k, a)`, right ones those of `P(b, k)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub block: usize,
    pub bottom: usize,
    pub top: usize,
    pub a: usize,
    pub b: usize,
}

impl Layout {
    /// All of them: a node `p` below block `i` that the lower perturbation ends at, and the same transposed.
    pub(super) fn all(depth: usize) -> Vec<Self> {
        let up = (0..depth)
            .flat_map(|p| (p + 1..=depth).map(move |block| Self { block, bottom: p, top: block, a: p, b: depth }));
        let down =
            (1..depth).flat_map(|p| (1..=p).map(move |block| Self { block, bottom: block - 1, top: p, a: 0, b: p }));
        up.chain(down).collect()
    }
}

/// A path that leaves, found in one layout.
pub(super) struct KernelPath {
    /// The perturbation that keeps the product: one step a layer, linear in `t`.
    pub perturbation: Vec<Option<Matrix>>,
    /// The whole path.
    pub steps: Steps<Matrix>,
    /// Order of the first change of the loss.
    pub order: usize,
    /// Its coefficient.
    pub coefficient: f64,
}

/// The path of lowest order over all layouts; of several, the one that comes first. `u` and `v` are columns with
/// `u' g v != 0`; no path has an order below `least`.
pub(super) fn kernel_path(
    landscape: &Landscape<'_, Matrix>,
    spaces: &mut NumericalSpaces<'_>,
    u: &Matrix,
    v: &Matrix,
    least: usize,
) -> Option<KernelPath> {
    let mut best: Option<KernelPath> = None;
    for layout in Layout::all(landscape.depth()) {
        let Some(found) = kernel_path_in(landscape, spaces, u, v, layout) else { continue };
        if best.as_ref().is_none_or(|best| found.order < best.order) {
            let done = found.order <= least;
            best = Some(found);
            if done {
                break;
            }
        }
    }
    best
}

/// The path of one layout, if its block has a gradient somewhere along the perturbation.
pub(super) fn kernel_path_in(
    landscape: &Landscape<'_, Matrix>,
    spaces: &mut NumericalSpaces<'_>,
    u: &Matrix,
    v: &Matrix,
    layout: Layout,
) -> Option<KernelPath> {
    let depth = landscape.depth();
    let Layout { block, .. } = layout;
    let perturbation = perturb(landscape, spaces, u, v, layout);
    let left = Partial::new(landscape, spaces, depth, block, &perturbation);
    let right = Partial::new(landscape, spaces, block - 1, 0, &perturbation);
    let gradient = block_gradient(&left, landscape.gradient, &right, spaces);
    let q = gradient.iter().position(Option::is_some).filter(|&q| q > 0)?;
    let direction = descent_direction(landscape, spaces, gradient[q].as_ref()?, block);
    let direction = direction.scaled(1.0 / power_of_two_near(direction.frobenius_norm()));
    let slopes: Vec<f64> = gradient.iter().map(|b| b.as_ref().map_or(0.0, |b| b.dot(&direction))).collect();
    let (s, curvatures) = curvatures(spaces, &left, &direction, &right);
    let m = s.map_or(1, |s| q.saturating_sub(2 * s).max(1));
    let balanced = s.filter(|s| q == 2 * s + m).map(|s| curvatures[2 * s]);
    let c = step_size(&slopes, &curvatures, m, balanced.map(|n| (slopes[q], n)));
    let mut coefficient = -c * slopes[q];
    if let Some(n) = balanced {
        coefficient += 0.5 * c * c * n;
    }
    let down = direction.scaled(-c);
    let mut first = perturbation.clone();
    let mut steps: Steps<Matrix> = Vec::new();
    if m == 1 {
        first[block - 1] = Some(down);
        steps.push((1, first));
    } else {
        let mut last = vec![None; depth];
        last[block - 1] = Some(down);
        steps.extend([(1, first), (m, last)]);
    }
    (coefficient < 0.0).then_some(KernelPath { perturbation, steps, order: q + m, coefficient })
}

/// The perturbation of a layout; a layer whose null space is empty is left alone.
fn perturb(
    landscape: &Landscape<'_, Matrix>,
    spaces: &mut NumericalSpaces<'_>,
    u: &Matrix,
    v: &Matrix,
    layout: Layout,
) -> Vec<Option<Matrix>> {
    let depth = landscape.depth();
    let Layout { bottom, top, a, b, .. } = layout;
    let mut out: Vec<Option<Matrix>> = vec![None; depth];
    let mut above = Some(u.clone());
    for k in (top..depth).rev() {
        let w = spaces.left(k, a).map(|basis| spaces.combination(&basis));
        if let Some(w) = &w {
            let size = landscape.layers[k].shape().0;
            let end = above.unwrap_or_else(|| spaces.combination(&Matrix::identity(size)));
            out[k] = Some(end.times_transpose(w));
        }
        above = w;
    }
    let mut below = Some(v.clone());
    for k in 1..=bottom {
        let z = spaces.right(b, k).map(|basis| spaces.combination(&basis));
        if let Some(z) = &z {
            let size = landscape.layers[k - 1].shape().1;
            let end = below.unwrap_or_else(|| spaces.combination(&Matrix::identity(size)));
            out[k - 1] = Some(z.times_transpose(&end));
        }
        below = z;
    }
    out
}

/// The partial product `P(j, i)` along a perturbation, with the sizes of what was multiplied for each coefficient.
struct Partial {
    terms: Polynomial<Matrix>,
    sizes: Vec<f64>,
}

impl Partial {
    fn new(
        landscape: &Landscape<'_, Matrix>,
        spaces: &NumericalSpaces<'_>,
        j: usize,
        i: usize,
        steps: &[Option<Matrix>],
    ) -> Self {
        let terms = landscape.partial(j, i, steps);
        let mut sizes = vec![1.0];
        for k in i..j {
            let step = steps[k].as_ref().map_or(0.0, Matrix::frobenius_norm);
            let (layer, old) = (spaces.layer_size(k + 1), std::mem::take(&mut sizes));
            sizes.resize(old.len() + 1, 0.0);
            for (power, size) in old.iter().enumerate() {
                sizes[power] += layer * size;
                sizes[power + 1] += step * size;
            }
        }
        Self { terms, sizes }
    }

    /// Coefficients of `f(left, right)`, where `f` is linear in both, and their sizes.
    fn pair(left: &Self, right: &Self, f: impl Fn(&Matrix, &Matrix) -> Matrix) -> (Polynomial<Matrix>, Vec<f64>) {
        let mut out: Polynomial<Matrix> = vec![None; left.terms.len() + right.terms.len() - 1];
        let mut sizes = vec![0.0; out.len()];
        for (i, l) in left.terms.iter().enumerate() {
            for (j, r) in right.terms.iter().enumerate() {
                if let (Some(l), Some(r)) = (l, r) {
                    sizes[i + j] += left.sizes[i] * right.sizes[j];
                    add_to(&mut out[i + j], f(l, r));
                }
            }
        }
        (out, sizes)
    }
}

/// `B(t) = P(h,i)(t)' g P(i-1,0)(t)'`, without the coefficients that vanish.
fn block_gradient(left: &Partial, g: &Matrix, right: &Partial, spaces: &NumericalSpaces<'_>) -> Polynomial<Matrix> {
    let (terms, sizes) = Partial::pair(left, right, |l, r| l.transpose_times(g).times_transpose(r));
    let size = g.frobenius_norm();
    terms.into_iter().zip(sizes).map(|(b, s)| b.filter(|b| !spaces.vanishes(b, s * size))).collect()
}

/// `C` with `<B, C> > 0`: the part of `B` that the product does not see at first order where there is one, since it costs
/// least; else `B` itself.
fn descent_direction(
    landscape: &Landscape<'_, Matrix>,
    spaces: &mut NumericalSpaces<'_>,
    b: &Matrix,
    block: usize,
) -> Matrix {
    let depth = landscape.depth();
    let mut hidden: Option<Matrix> = None;
    if let Some(k) = (block < depth).then(|| spaces.right(depth, block)).flatten() {
        add_to(&mut hidden, &k * &k.transpose_times(b));
    }
    if let Some(n) = (block > 1).then(|| spaces.left(block - 1, 0)).flatten() {
        add_to(&mut hidden, (b * &n).times_transpose(&n));
    }
    hidden.filter(|c| !spaces.vanishes(c, b.frobenius_norm())).unwrap_or_else(|| b.clone())
}

/// The order at which `P(h,i)(t) C P(i-1,0)(t) X` starts, and the coefficients of its squared norm.
fn curvatures(spaces: &NumericalSpaces<'_>, left: &Partial, c: &Matrix, right: &Partial) -> (Option<usize>, Vec<f64>) {
    let (moved, sizes) = Partial::pair(left, right, |l, r| &(l * c) * r);
    let size = c.frobenius_norm();
    let start = moved.iter().zip(&sizes).position(|(m, s)| m.as_ref().is_some_and(|m| !spaces.vanishes(m, s * size)));
    let mut out = vec![0.0; 2 * moved.len() - 1];
    for (i, a) in moved.iter().enumerate() {
        for (j, b) in moved.iter().enumerate() {
            if let (Some(a), Some(b)) = (a, b) {
                out[i + j] += a.dot(b);
            }
        }
    }
    (start, out)
}

/// A power of two for `c` that makes the decrease large; in the balanced case not above `b / n`, where the first
/// coefficient `-c b + 1/2 c^2 n` is negative.
fn step_size(slopes: &[f64], curvatures: &[f64], m: usize, balanced: Option<(f64, f64)>) -> f64 {
    let limit = balanced.map(|(b, n)| b / n);
    let value = |polynomial: &[f64], t: f64| polynomial.iter().rev().fold(0.0, |sum, c| sum * t + c);
    let mut best = (0.0, 1.0);
    for exponent in -40..=40 {
        let c = 2.0_f64.powi(exponent);
        if limit.is_some_and(|limit| c > limit) {
            continue;
        }
        for step in -12..=2 {
            let t = 2.0_f64.powf(0.5 * f64::from(step));
            let power = c * t.powi(m as i32);
            let change = power * (0.5 * power * value(curvatures, t) - value(slopes, t));
            if change < best.0 {
                best = (change, c);
            }
        }
    }
    let fallback = limit.map_or(1.0, |limit| 2.0_f64.powf(limit.log2().floor()));
    let c = if best.0 < 0.0 { best.1 } else { fallback };
    if c.is_finite() && c > 0.0 { c } else { 1.0 }
}
