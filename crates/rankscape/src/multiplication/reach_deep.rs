//! Factors near a tuple with product zero whose product is a given small matrix `N`, at any depth.
//!
//! In bases adapted to the intervals let `X_i` be the new `P(i,0)`, one row for each interval alive at node `i`. A row
//! never changes while its interval lives, so `W_k' = W_k + D_k` with `D_k X_{k-1} = X_k - W_k X_{k-1}` differs from `W_k`
//! in the rows of the intervals born at node `k` only. Intervals born at node 0 have unit vectors as rows, intervals
//! that end at node `h` the rows of `N`, so the product is `N`. An interval `b` that meets neither end gets, at its birth, a
//! random combination of the rows of `N`, each times a weight that grows with the birth of the interval that ends in it and
//! shrinks with the birth of `b`. `docs/openness.md` proves that then `D_k` is small wherever the
//! criterion of openness holds, whatever `N` of rank at most the bottleneck rank.

use super::intervals::{Interval, IntervalBasis, reduced_rank};
use super::rank_profile::RankProfile;
use crate::linalg::{Matrix, pseudo_inverse, spectral_norm, svd};
use crate::random::Stream;
use crate::tolerance::Tolerances;

/// Draws of the free rows that are tried for each choice of scales; the nearest result is kept.
const DRAWS: u64 = 4;

/// The new factors: the nearest of those tried whose product is the target up to `tolerances.reach_product`, or else the nearest.
/// `None` when the intervals have no bases in double precision.
pub(super) fn reach_deep(
    matrices: &[Matrix],
    target: &Matrix,
    profile: &RankProfile,
    tolerances: &Tolerances,
) -> Option<Vec<Matrix>> {
    let h = matrices.len();
    let basis = IntervalBasis::new(matrices, reduced_rank(profile))?;
    let inner = &(&basis.inverses[h] * target) * &basis.bases[0];
    let mut best: Option<(bool, f64, Vec<Matrix>)> = None;
    for merged in [true, false] {
        let scales = Scales::new(&basis, h, merged, spectral_norm(&inner));
        for draw in 0..DRAWS {
            let stream = &mut Stream::new(u64::from(merged), draw);
            let steps = steps(&basis, &inner, &scales, tolerances.reach_rows, stream);
            let found: Vec<Matrix> = (1..=h)
                .map(|k| &matrices[k - 1] + &(&(&basis.bases[k] * &steps[k - 1]) * &basis.inverses[k - 1]))
                .collect();
            let product = found[1..].iter().fold(found[0].clone(), |p, w| w * &p);
            let size: f64 = found.iter().zip(matrices).map(|(a, b)| (a - b).frobenius_norm()).fold(0.0, f64::hypot);
            let exact = (&product - target).frobenius_norm() <= tolerances.reach_product * target.frobenius_norm();
            let better = |&(other, distance, _): &(bool, f64, Vec<Matrix>)| (exact, -size) > (other, -distance);
            if best.as_ref().is_none_or(better) {
                best = Some((exact, size, found));
            }
        }
    }
    best.map(|(_, _, found)| found)
}

/// The sizes of the rows, as powers of one small number.
///
/// Walking through the nodes, each birth of intervals that meet neither end takes the next level, then each birth of
/// intervals that end at node `h`. With `L` levels the small number is `||N||^(1/L)`.
struct Scales {
    merged: bool,
    small: f64,
    /// Level of the births at each node of intervals that meet neither end.
    births: Vec<i32>,
    /// Level of the births at each node of intervals that end at node `h`.
    exits: Vec<i32>,
}

impl Scales {
    /// `merged`: all intervals that end at node `h` share the last level. Fewer levels bring the factors nearer, and
    /// suffice unless some node passes by its rows only.
    fn new(basis: &IntervalBasis, depth: usize, merged: bool, size: f64) -> Self {
        let born = |node: usize, ends: bool| {
            basis.intervals.iter().any(|b| b.from == node && node > 0 && (b.to == depth) == ends)
        };
        let (mut births, mut exits, mut level) = (vec![0; depth + 1], vec![0; depth + 1], 0);
        for node in 1..=depth {
            level += i32::from(born(node, false));
            births[node] = level;
            level += i32::from(if merged { node == depth } else { born(node, true) });
            exits[node] = level;
        }
        if merged {
            exits.fill(level);
        }
        Self { merged, small: size.powf(1.0 / f64::from(level.max(1))), births, exits }
    }

    /// Weights of the rows of the target in the row of an interval born at `node`. None when no row is needed later.
    fn weights(&self, node: usize, ends: &[&Interval]) -> Vec<f64> {
        let needed = ends.iter().any(|b| b.from > node);
        let weight = |b: &&Interval| {
            let counts = needed && (b.from > node || !self.merged);
            if counts { self.small.powi(self.births[node] - self.exits[b.from]) } else { 0.0 }
        };
        ends.iter().map(weight).collect()
    }
}

/// `D_1, ..., D_h` in the adapted bases.
fn steps(basis: &IntervalBasis, target: &Matrix, scales: &Scales, dependent: f64, stream: &mut Stream) -> Vec<Matrix> {
    let depth = basis.bases.len() - 1;
    let ends = basis.at(depth);
    let mut x = Matrix::identity(target.ncols());
    let mut out = Vec::with_capacity(depth);
    for k in 1..=depth {
        let (before, now) = (basis.at(k - 1), basis.at(k));
        let back = row_inverse(&x, dependent);
        let mut step = Matrix::zeros(now.len(), before.len());
        let mut next = Matrix::zeros(now.len(), x.ncols());
        for (row, interval) in now.iter().enumerate() {
            if interval.from < k {
                let old = before.iter().position(|b| std::ptr::eq(*b, *interval)).unwrap_or(0);
                next.set_block(row, 0, &x.block(old, 0, 1, x.ncols()));
                continue;
            }
            let wish = if interval.to == depth {
                let place = ends.iter().position(|b| std::ptr::eq(*b, *interval)).unwrap_or(0);
                target.block(place, 0, 1, x.ncols())
            } else {
                let weights = scales.weights(k, &ends);
                let mix = stream.normal_matrix(1, target.nrows()).scale_columns(&weights);
                &mix * target
            };
            let combination = &wish * &back;
            step.set_block(row, 0, &combination);
            next.set_block(row, 0, &(&combination * &x));
        }
        out.push(step);
        x = next;
    }
    out
}

/// Pseudo-inverse of rows that live on very different scales; the rank is that of the rows brought to one length.
fn row_inverse(rows: &Matrix, dependent: f64) -> Matrix {
    let lengths: Vec<f64> = (0..rows.nrows())
        .map(|i| rows.block(i, 0, 1, rows.ncols()).frobenius_norm())
        .map(|length| if length > 0.0 { 1.0 / length } else { 0.0 })
        .collect();
    let values = svd(&rows.transpose().scale_columns(&lengths)).s;
    let bound = dependent * values.first().copied().unwrap_or(0.0);
    pseudo_inverse(rows, values.iter().take_while(|&&value| value > bound).count())
}
