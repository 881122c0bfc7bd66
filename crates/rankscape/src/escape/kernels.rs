//! Paths of any order through the kernels of the layers (`[@TKB]`, Proposition 9, made constructive).
//!
//! Let `W_{k+1} += t w_{k+1} w_k'` in the layers above a block `i` and `W_k += t z_k z_{k-1}'` in the layers below it, where
//! `w_k` is a left null vector of a partial product that ends at node `k` and `z_k` a null vector of one that starts there,
//! with `w_h = u` and `z_0 = v`. The null vectors are chosen such that the product does not change. The gradient `B(t)` of
//! block `i` does: it is a polynomial in `t`, and at a critical point with `rank W < r` and `G != 0` some choice makes it
//! non-zero. With `b t^q` the lowest term of `<B(t), C>`, the step `W_i -= c t^m C` then changes the loss by exactly
//! `-c t^m <B(t), C> + 1/2 c^2 t^{2m} ||P(h,i)(t) C P(i-1,0)(t) X||^2`. If the norm starts at order `s`, then
//! `m = max(1, q - 2 s)` gives a path whose first change is of order `q + m`, and negative.

use num_traits::{One, Zero};

use super::change::{Landscape, Steps};
use super::layouts::{Candidate, Layout, candidates};
use super::polynomial::{Polynomial, add_to, inner_products};
use crate::linalg::Algebra;
use crate::linalg::power_of_two_near;

/// Null spaces at a point, and what counts as zero.
pub(super) trait Spaces<M: Algebra> {
    /// Rank of `P(k, a)` (`P(k, 0) X` for `a = 0`), for `a <= k`.
    fn rank(&mut self, a: usize, k: usize) -> usize;
    /// Combinations are drawn from the beginning again, so that no layout depends on those carried out before it.
    fn draw_again(&mut self);
    /// Columns `N` with `N' P(k, a) = 0` (`P(k, 0) X` for `a = 0`); `None` if there are none.
    fn left(&mut self, k: usize, a: usize) -> Option<M>;
    /// Columns `K` with `P(b, k) K = 0`; `None` if there are none.
    fn right(&mut self, b: usize, k: usize) -> Option<M>;
    /// A generic column in the span of `basis`.
    fn combination(&mut self, basis: &M) -> M;
    /// Norm of `W_k`, which rounding errors are relative to.
    fn layer_size(&self, k: usize) -> f64;
    /// `m` is zero, or nothing but rounding errors of terms of this size.
    fn vanishes(&self, m: &M, size: f64) -> bool;
}

/// A path that leaves, found in one layout.
pub(super) struct KernelPath<M: Algebra> {
    /// The perturbation that keeps the product: one step a layer, linear in `t`.
    pub perturbation: Vec<Option<M>>,
    /// The whole path.
    pub steps: Steps<M>,
    /// Order of the first change of the loss.
    pub order: usize,
    /// Its coefficient.
    pub coefficient: M::Number,
}

/// The path of lowest order over all layouts; of several, that of the layout that comes first. `u` and `v` are columns with
/// `u' g v != 0`; no path has an order below `least`. Layouts are carried out only while they can do better.
pub(super) fn kernel_path<M: Algebra>(
    landscape: &Landscape<'_, M>,
    spaces: &mut impl Spaces<M>,
    u: &M,
    v: &M,
    least: usize,
) -> Option<KernelPath<M>> {
    let mut best: Option<(usize, KernelPath<M>)> = None;
    for Candidate { least_order, place, layout } in candidates(landscape, spaces, least) {
        if best.as_ref().is_some_and(|(at, found)| (found.order, *at) < (least_order, place)) {
            break;
        }
        spaces.draw_again();
        let Some(found) = kernel_path_in(landscape, spaces, u, v, layout) else { continue };
        if best.as_ref().is_none_or(|(at, best)| (found.order, place) < (best.order, *at)) {
            best = Some((place, found));
        }
    }
    best.map(|(_, found)| found)
}

/// The path of one layout, if its block has a gradient somewhere along the perturbation.
pub(super) fn kernel_path_in<M: Algebra>(
    landscape: &Landscape<'_, M>,
    spaces: &mut impl Spaces<M>,
    u: &M,
    v: &M,
    layout: Layout,
) -> Option<KernelPath<M>> {
    let depth = landscape.depth();
    let Layout { block, .. } = layout;
    let perturbation = perturb(landscape, spaces, u, v, layout);
    let left = Partial::new(landscape, spaces, depth, block, &perturbation);
    let right = Partial::new(landscape, spaces, block - 1, 0, &perturbation);
    let gradient = block_gradient(&left, landscape.gradient, &right, spaces);
    let q = gradient.iter().position(Option::is_some).filter(|&q| q > 0)?;
    let direction = descent_direction(landscape, spaces, gradient[q].as_ref()?, block);
    let direction = direction.scaled_by(&M::number(1.0 / power_of_two_near(norm(&direction))));
    let slopes: Vec<M::Number> =
        gradient.iter().map(|b| b.as_ref().map_or_else(M::Number::zero, |b| b.inner(&direction))).collect();
    let (s, curvatures) = curvatures(landscape, spaces, &left, &direction, &right);
    let m = s.map_or(1, |s| q.saturating_sub(2 * s).max(1));
    let balanced = s.filter(|s| q == 2 * s + m).map(|s| curvatures[2 * s].clone());
    let c = step_size::<M>(&slopes, &curvatures, m, balanced.as_ref().map(|n| (&slopes[q], n)));
    let half = M::number(0.5);
    let mut coefficient = -(c.clone() * slopes[q].clone());
    if let Some(n) = balanced {
        coefficient = coefficient + half * c.clone() * c.clone() * n;
    }
    let down = direction.scaled_by(&-c);
    let mut first = perturbation.clone();
    let mut steps: Steps<M> = Vec::new();
    if m == 1 {
        first[block - 1] = Some(down);
        steps.push((1, first));
    } else {
        let mut last = vec![None; depth];
        last[block - 1] = Some(down);
        steps.extend([(1, first), (m, last)]);
    }
    (coefficient < M::Number::zero()).then_some(KernelPath { perturbation, steps, order: q + m, coefficient })
}

/// The perturbation of a layout; a layer whose null space is empty is left alone.
fn perturb<M: Algebra>(
    landscape: &Landscape<'_, M>,
    spaces: &mut impl Spaces<M>,
    u: &M,
    v: &M,
    layout: Layout,
) -> Vec<Option<M>> {
    let depth = landscape.depth();
    let Layout { bottom, top, a, b, .. } = layout;
    let mut out: Vec<Option<M>> = vec![None; depth];
    let mut above = Some(u.clone());
    for k in (top..depth).rev() {
        let w = spaces.left(k, a).map(|basis| spaces.combination(&basis));
        if let Some(w) = &w {
            let size = landscape.layers[k].shape().0;
            let end = above.unwrap_or_else(|| spaces.combination(&M::identity_of(size)));
            out[k] = Some(end.times(&w.transposed()));
        }
        above = w;
    }
    let mut below = Some(v.clone());
    for k in 1..=bottom {
        let z = spaces.right(b, k).map(|basis| spaces.combination(&basis));
        if let Some(z) = &z {
            let size = landscape.layers[k - 1].shape().1;
            let end = below.unwrap_or_else(|| spaces.combination(&M::identity_of(size)));
            out[k - 1] = Some(z.times(&end.transposed()));
        }
        below = z;
    }
    out
}

/// `||m||_F`.
pub(super) fn norm<M: Algebra>(m: &M) -> f64 {
    M::to_f64(&m.inner(m)).sqrt()
}

/// The partial product `P(j, i)` along a perturbation, with the sizes of what was multiplied for each coefficient.
struct Partial<M> {
    terms: Polynomial<M>,
    sizes: Vec<f64>,
}

impl<M: Algebra> Partial<M> {
    fn new(landscape: &Landscape<'_, M>, spaces: &impl Spaces<M>, j: usize, i: usize, steps: &[Option<M>]) -> Self {
        let terms = landscape.partial(j, i, steps);
        let mut sizes = vec![1.0];
        for k in i..j {
            let step = steps[k].as_ref().map_or(0.0, norm);
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
    fn pair(left: &Self, right: &Self, f: impl Fn(&M, &M) -> M) -> (Polynomial<M>, Vec<f64>) {
        let mut out: Polynomial<M> = vec![None; left.terms.len() + right.terms.len() - 1];
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
fn block_gradient<M: Algebra>(left: &Partial<M>, g: &M, right: &Partial<M>, spaces: &impl Spaces<M>) -> Polynomial<M> {
    let (terms, sizes) = Partial::pair(left, right, |l, r| l.transposed().times(g).times(&r.transposed()));
    let size = norm(g);
    terms.into_iter().zip(sizes).map(|(b, s)| b.filter(|b| !spaces.vanishes(b, s * size))).collect()
}

/// `C` with `<B, C> > 0`: the part of `B` that the product does not see at first order where there is one, since it costs
/// least; else `B` itself.
fn descent_direction<M: Algebra>(landscape: &Landscape<'_, M>, spaces: &mut impl Spaces<M>, b: &M, block: usize) -> M {
    let depth = landscape.depth();
    let mut hidden: Option<M> = None;
    if let Some(k) = (block < depth).then(|| spaces.right(depth, block)).flatten() {
        add_to(&mut hidden, k.times(&k.transposed().times(b)));
    }
    if let Some(n) = (block > 1).then(|| spaces.left(block - 1, 0)).flatten() {
        add_to(&mut hidden, b.times(&n).times(&n.transposed()));
    }
    hidden.filter(|c| !spaces.vanishes(c, norm(b))).unwrap_or_else(|| b.clone())
}

/// The order at which `P(h,i)(t) C P(i-1,0)(t) X` starts, and the coefficients of its squared norm.
fn curvatures<M: Algebra>(
    landscape: &Landscape<'_, M>,
    spaces: &impl Spaces<M>,
    left: &Partial<M>,
    c: &M,
    right: &Partial<M>,
) -> (Option<usize>, Vec<M::Number>) {
    let (moved, sizes) = Partial::pair(left, right, |l, r| l.times(c).times(r));
    let size = norm(c);
    let images = landscape.times_gram(&moved);
    let start = images.iter().zip(&sizes).position(|(m, s)| m.as_ref().is_some_and(|m| !spaces.vanishes(m, s * size)));
    (start, inner_products(&images, &moved))
}

/// A power of two for `c` that makes the decrease large; in the balanced case not above `b / n`, where the first
/// coefficient `-c b + 1/2 c^2 n` is negative.
fn step_size<M: Algebra>(
    slopes: &[M::Number],
    curvatures: &[M::Number],
    m: usize,
    balanced: Option<(&M::Number, &M::Number)>,
) -> M::Number {
    let slopes: Vec<f64> = slopes.iter().map(M::to_f64).collect();
    let curvatures: Vec<f64> = curvatures.iter().map(M::to_f64).collect();
    let limit = balanced.map(|(b, n)| M::to_f64(b) / M::to_f64(n));
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
            let change = power * (0.5 * power * value(&curvatures, t) - value(&slopes, t));
            if change < best.0 {
                best = (change, c);
            }
        }
    }
    let fallback = limit.map_or(1.0, |limit| 2.0_f64.powf(limit.log2().floor()));
    let c = if best.0 < 0.0 { best.1 } else { fallback };
    if c.is_finite() && c > 0.0 { M::number(c) } else { M::Number::one() }
}
