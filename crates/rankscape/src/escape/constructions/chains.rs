//! The constructions of `[@LO]`: chains of rank-one steps through null vectors of the layers.

use super::site::Site;
use crate::escape::construction::{Draft, Prediction};
use crate::linalg::{Matrix, orthonormal_complement, orthonormal_range, pseudo_inverse, svd};

/// Null vectors of a matrix of known rank, as columns.
fn kernel(m: &Matrix, rank: usize) -> Matrix {
    orthonormal_complement(&orthonormal_range(&m.transpose(), rank))
}

/// Place and value of the largest entry.
fn largest(g: &Matrix) -> (usize, usize, f64) {
    let places = (0..g.nrows()).flat_map(|j| (0..g.ncols()).map(move |i| (j, i, g[(j, i)])));
    places.max_by(|a, b| a.2.abs().total_cmp(&b.2.abs())).unwrap_or((0, 0, 0.0))
}

fn unit(size: usize, at: usize) -> Matrix {
    Matrix::from_fn(size, 1, |i, _| if i == at { 1.0 } else { 0.0 })
}

/// Layers and gradient in matrix space, of the network or of its transpose.
struct Side<'a> {
    site: &'a Site<'a>,
    layers: Vec<Matrix>,
    gradient: Matrix,
    transposed: bool,
}

impl<'a> Side<'a> {
    fn both(site: &'a Site<'a>) -> [Self; 2] {
        let (layers, gradient) = (site.ground.white.layers(), site.ground.white.residual());
        [
            Self { site, layers: layers.to_vec(), gradient: gradient.clone(), transposed: false },
            Self {
                site,
                layers: layers.iter().rev().map(Matrix::transpose).collect(),
                gradient: gradient.transpose(),
                transposed: true,
            },
        ]
    }

    /// `W_j ... W_i`, the identity for `j < i`.
    fn product(&self, j: usize, i: usize) -> Matrix {
        let start = Matrix::identity(self.layers[i - 1].ncols());
        (i..=j).fold(start, |product, k| &self.layers[k - 1] * &product)
    }

    /// Rank of that product.
    fn rank(&self, j: usize, i: usize) -> usize {
        let h = self.layers.len();
        let (from, to) = if self.transposed { (h - j, h + 1 - i) } else { (i - 1, j) };
        self.site.ranks.rank(from, to)
    }

    /// Null vectors of that product.
    fn kernel(&self, j: usize, i: usize) -> Matrix {
        kernel(&self.product(j, i), self.rank(j, i))
    }

    /// Left null vectors of that product.
    fn left_kernel(&self, j: usize, i: usize) -> Matrix {
        kernel(&self.product(j, i).transpose(), self.rank(j, i))
    }
}

/// The steps of the second side are those of the transpose.
fn on_side(side: usize, steps: Vec<Option<Matrix>>) -> Vec<Option<Matrix>> {
    if side == 0 { steps } else { steps.iter().rev().map(|step| step.as_ref().map(Matrix::transpose)).collect() }
}

/// Theorem 8, with a null vector `b` of `W_2` (or of `W_1'`, transposed) and the largest entry `g_ji` of the gradient:
/// `A_2 = e_j b'`, `A_1 = alpha b e_i'` changes the loss by `t^2 (alpha ||b||^2 g_ji + 1/2 ||b' W_1||^2)` to second order.
pub(super) fn second_order(site: &Site<'_>) -> Result<Draft, &'static str> {
    for (at, side) in Side::both(site).iter().enumerate() {
        let null = side.kernel(2, 2);
        if null.ncols() == 0 {
            continue;
        }
        let b = null.columns(0, 1);
        let (j, i, g) = largest(&side.gradient);
        let carried = b.transpose_times(&side.layers[0]);
        let cost = carried.dot(&carried);
        let alpha = -g.signum() * (1.0 + cost / g.abs());
        let first = b.times_transpose(&unit(side.gradient.ncols(), i)).scaled(alpha);
        let second = unit(side.gradient.nrows(), j).times_transpose(&b);
        let steps = on_side(at, vec![Some(first), Some(second)]);
        let coefficient = alpha * g + 0.5 * cost;
        let prediction = Prediction { order: 2, coefficient, change: None, order_bound: Some(2) };
        return Ok(Draft { steps: vec![(1, steps)], prediction, end: None, curved: false });
    }
    Err("the point is not degenerate: W_2 has no null vector and W_1 no left null vector")
}

/// Lemma 19. Every inner layer has a null vector and a left null vector, and the last a null vector (or the first a left one,
/// transposed). `K` holds the layers `k >= 3` whose null vectors are all orthogonal to the left null vectors of `W_{k-1} ... W_2`.
/// The order is at most `h - k* + 2` with `k* = max K` (case a), at most `h` where `K` is empty (case b).
pub(super) fn chain(site: &Site<'_>) -> Result<Draft, &'static str> {
    let depth = site.ground.factors.depth();
    if depth < 3 {
        return Err("it needs three layers");
    }
    let sides = Side::both(site);
    let plain = &sides[0];
    if (2..depth).any(|k| plain.kernel(k, k).ncols() == 0 || plain.left_kernel(k, k).ncols() == 0) {
        return Err("an inner layer has no null vector or no left null vector");
    }
    let last = |side: &Side<'_>| side.kernel(depth, depth).ncols() > 0;
    let at =
        sides.iter().position(last).ok_or("the last layer has no null vector and the first no left null vector")?;
    Ok(chain_on(site, &sides[at], at))
}

fn chain_on(site: &Site<'_>, side: &Side<'_>, at: usize) -> Draft {
    let h = side.layers.len();
    // For each k, the null vector b_{k-1} of W_k and the left null vector p_k of W_{k-1} ... W_2 that overlap most.
    let overlap = |k: usize| {
        let (null, left) = (side.kernel(k, k), side.left_kernel(k - 1, 2));
        let found = svd(&left.transpose_times(&null));
        let cosine = found.s.first().copied().filter(|s| *s > site.zero)?;
        Some((&left * &found.u.columns(0, 1), &null * &found.v.columns(0, 1), cosine))
    };
    let star = (3..=h).rev().find(|&k| overlap(k).is_none());
    let from = star.unwrap_or(2);
    let links: Vec<_> = (from + 1..=h).filter_map(overlap).collect();
    let bottom = side.kernel(from, from).columns(0, 1);
    let below = side.product(from - 1, 2);
    let b_1 = &pseudo_inverse(&below, if from == 2 { below.nrows() } else { side.rank(from - 1, 2) }) * &bottom;
    let (j, i, g) = largest(&side.gradient);
    let (rows, cols) = side.gradient.shape();
    let scale: f64 = links.iter().map(|link| link.2).product();
    let carried = &bottom.transpose_times(&below) * &side.layers[0];
    let early = scale * (&carried * &side.gradient.transpose())[(0, j)];
    let length = h - from + 1;
    let cost = if 2 * length == length + 1 { 0.5 * carried.dot(&carried) } else { 0.0 };
    let full = scale * g;
    // Below this the lower order is rounding: it is zero wherever the point is critical for fewer layers.
    let (order, coefficient, alpha_h, alpha_1) = if early.abs() > site.zero.sqrt() {
        (length, -early.abs(), -early.signum(), 1.0)
    } else {
        let alpha_1 = -full.signum() * (1.0 + cost / full.abs());
        (length + 1, alpha_1 * full + cost, 1.0, alpha_1)
    };
    let mut steps: Vec<Option<Matrix>> = vec![None; h];
    steps[0] = Some(b_1.times_transpose(&unit(cols, i)).scaled(alpha_1));
    for k in from..=h {
        let right = if k == from { &bottom } else { &links[k - from - 1].0 };
        let left = if k == h { unit(rows, j).scaled(alpha_h) } else { links[k - from].1.clone() };
        steps[k - 1] = Some(left.times_transpose(right));
    }
    let order_bound = Some(star.map_or(h, |k| h - k + 2));
    let prediction = Prediction { order, coefficient, change: None, order_bound };
    Draft { steps: vec![(1, on_side(at, steps))], prediction, end: None, curved: false }
}
