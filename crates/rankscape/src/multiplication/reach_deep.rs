//! Factors near a tuple with product zero whose product is a given small matrix, at any depth.
//!
//! In bases adapted to the intervals (`intervals`) let `X_i` be the new `P(i,0)`, one row for each interval alive at
//! node `i`. An interval that starts at node 0 keeps its row, a unit vector; one that ends at node `h` gets as its row that of
//! the target; one that meets neither end gets a row chosen once, at its birth, and keeps it. Then
//! `W_k' = W_k + D_k` with `D_k X_{k-1} = X_k - W_k X_{k-1}`, whose rows are not zero only where an interval is born, so
//! the product is the target as soon as the rows at every node span those of the target. `D_k` is small when a new row is small
//! against the rows it is made of: rows chosen later are smaller, and the rows of the target that are needed late
//! weigh more in the chosen ones.

use super::intervals::{IntervalBasis, reduced_rank};
use super::rank_profile::RankProfile;
use crate::linalg::{Matrix, pseudo_inverse, spectral_norm, svd};
use crate::random::Stream;

/// Draws of the free rows that are tried for each choice of scales; the nearest result is kept.
const DRAWS: u64 = 4;

/// The new factors: the nearest of those tried whose product is the target up to `reach_product`, or else the nearest.
/// `None` when the intervals have no bases in double precision.
pub(super) fn reach_deep(
    matrices: &[Matrix],
    target: &Matrix,
    rank: usize,
    profile: &RankProfile,
    reach_product: f64,
) -> Option<Vec<Matrix>> {
    let h = matrices.len();
    let basis = IntervalBasis::new(matrices, reduced_rank(profile))?;
    let inner = &(&basis.inverses[h] * target) * &basis.bases[0];
    let plan = Plan::new(&basis, h);
    let mut best: Option<(bool, f64, Vec<Matrix>)> = None;
    for (late, stream) in [(false, 0), (true, 1)].into_iter().flat_map(|(l, s)| (0..DRAWS).map(move |k| (l, 2 * k + s)))
    {
        let Some(steps) = plan.steps(&basis, &inner, rank, late, &mut Stream::new(0, stream)) else { continue };
        let found: Vec<Matrix> = (1..=h)
            .map(|k| &matrices[k - 1] + &(&(&basis.bases[k] * &steps[k - 1]) * &basis.inverses[k - 1]))
            .collect();
        let product = found[1..].iter().fold(found[0].clone(), |p, w| w * &p);
        let size: f64 = found.iter().zip(matrices).map(|(a, b)| (a - b).frobenius_norm()).fold(0.0, f64::hypot);
        let exact = (&product - target).frobenius_norm() <= reach_product * target.frobenius_norm();
        let better = |&(other, distance, _): &(bool, f64, Vec<Matrix>)| (exact, -size) > (other, -distance);
        if best.as_ref().is_none_or(better) {
            best = Some((exact, size, found));
        }
    }
    best.map(|(_, _, found)| found)
}

/// Which scales the rows live on.
struct Plan {
    depth: usize,
    /// Distinct births of intervals that meet neither end, ascending.
    births: Vec<usize>,
    /// Distinct births of intervals that end at node `h`, ascending.
    exits: Vec<usize>,
}

impl Plan {
    fn new(basis: &IntervalBasis, depth: usize) -> Self {
        let distinct = |wanted: &dyn Fn(usize, usize) -> bool| {
            let mut nodes: Vec<usize> =
                basis.intervals.iter().filter(|b| wanted(b.from, b.to)).map(|b| b.from).collect();
            nodes.sort_unstable();
            nodes.dedup();
            nodes
        };
        Self { depth, births: distinct(&|from, to| from > 0 && to < depth), exits: distinct(&|_, to| to == depth) }
    }

    /// `D_1, ..., D_h` in the adapted bases.
    fn steps(
        &self,
        basis: &IntervalBasis,
        target: &Matrix,
        rank: usize,
        late: bool,
        stream: &mut Stream,
    ) -> Option<Vec<Matrix>> {
        let exits = if late { self.exits.len() } else { 1 };
        let size = spectral_norm(target);
        let small = size.powf(1.0 / (self.births.len() + exits) as f64);
        let weight = |node: usize| {
            let place = self.exits.iter().position(|&n| n == node).unwrap_or(0);
            if late { small.powi(-(place as i32)) } else { 1.0 }
        };
        let rows_at_end = basis.at(self.depth);
        let weights: Vec<f64> = rows_at_end.iter().map(|b| weight(b.from)).collect();
        let weighted = target.transpose().scale_columns(&weights).transpose();
        let mut x = Matrix::identity(target.ncols());
        let mut steps = Vec::with_capacity(self.depth);
        for k in 1..=self.depth {
            let (step, next) = self.step(basis, target, &weighted, rank, &x, k, small, stream)?;
            steps.push(step);
            x = next;
        }
        Some(steps)
    }

    #[allow(clippy::too_many_arguments)]
    fn step(
        &self,
        basis: &IntervalBasis,
        target: &Matrix,
        weighted: &Matrix,
        rank: usize,
        x: &Matrix,
        k: usize,
        small: f64,
        stream: &mut Stream,
    ) -> Option<(Matrix, Matrix)> {
        let (before, now, end) = (basis.at(k - 1), basis.at(k), basis.at(self.depth));
        let level = self.births.iter().position(|&node| node == k).unwrap_or(0);
        // Rows that do not belong to exits: large enough to make new ones of.
        let carriers: Vec<usize> = (0..before.len()).filter(|&b| before[b].to < self.depth).collect();
        let carried = Matrix::from_fn(carriers.len(), x.ncols(), |i, j| x[(carriers[i], j)]);
        let back = pseudo_inverse(&carried, numerical_rank(&carried));
        let everything = pseudo_inverse(x, numerical_rank(x));
        let mut step = Matrix::zeros(now.len(), before.len());
        let mut next = Matrix::zeros(now.len(), x.ncols());
        for (row, interval) in now.iter().enumerate() {
            if interval.from < k {
                let old = before.iter().position(|b| std::ptr::eq(*b, *interval))?;
                (0..x.ncols()).for_each(|j| next[(row, j)] = x[(old, j)]);
            } else if interval.to == self.depth {
                let at = end.iter().position(|b| std::ptr::eq(*b, *interval))?;
                let wanted = target.block(at, 0, 1, x.ncols());
                let combination = &wanted * &everything;
                step.set_block(row, 0, &combination);
                next.set_block(row, 0, &(&combination * x));
            } else {
                let draw = stream.normal_matrix(1, weighted.nrows());
                let wish = &draw * weighted;
                let length = wish.frobenius_norm().max(f64::MIN_POSITIVE);
                let top = small.powi(level as i32 + 1) / (rank as f64).sqrt();
                let combination = &wish.scaled(top / length) * &back;
                for (place, &carrier) in carriers.iter().enumerate() {
                    step[(row, carrier)] = combination[(0, place)];
                }
                next.set_block(row, 0, &(&combination * &carried));
            }
        }
        Some((step, next))
    }
}

/// Rank of rows that live on very different scales: relative to the size of each row.
fn numerical_rank(rows: &Matrix) -> usize {
    let sizes: Vec<f64> = (0..rows.nrows())
        .map(|i| (0..rows.ncols()).map(|j| rows[(i, j)].powi(2)).sum::<f64>().sqrt())
        .map(|size| if size > 0.0 { 1.0 / size } else { 0.0 })
        .collect();
    let scaled = rows.transpose().scale_columns(&sizes);
    let values = svd(&scaled).s;
    let largest = values.first().copied().unwrap_or(0.0);
    values.iter().take_while(|&&v| v > 1e-9 * largest && v > 0.0).count()
}
