//! The positive singular values of the target, in blocks of equal ones: by tolerance, or over the rationals.

mod exact;

use std::ops::Range;

use crate::data::Whitening;
use crate::evidence::{Grade, Movement, RankDecision};
use crate::linalg::exact::RationalMatrix;
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

/// Positive singular values of a target, largest first, in blocks of equal ones.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetBlocks {
    /// Index ranges of equal values, counted from 0.
    pub blocks: Vec<Range<usize>>,
    /// How many values are positive.
    pub rank: RankDecision,
    /// How many distinct values there are. `above` is the smallest difference of neighbours that separates, `below` the
    /// largest that does not; it is clear when none lies just above the tolerance.
    pub distinct: RankDecision,
    /// How strong the blocks are.
    pub grade: Grade,
}

impl TargetBlocks {
    /// Blocks of the whitened target in double precision.
    ///
    /// How many values are positive is [`Whitening::target_rank`]. Two neighbours count as equal when they differ by at most
    /// `tolerances.tie * 2^-53 * sqrt(larger dimension) * largest`, by what rounding errors of the computation explain
    /// (`tolerances.rank * 2^-53 * sqrt(larger dimension) * ||Y||_F`, since whitening can cancel in all of `Y`), or by what
    /// storing the data can have moved them, up to `stored_zero * largest`.
    pub fn new(whitening: &Whitening, tolerances: &Tolerances) -> Self {
        let values = whitening.singular_values();
        let limits = Limits::new(whitening, tolerances);
        let rank = whitening.target_rank;
        let (blocks, distinct) = limits.blocks(&values[..rank.rank]);
        Self { blocks, rank, distinct, grade: Grade::Numerical }
    }

    /// Blocks of the positive eigenvalues of the exact `gram = Z Z'`, whose square roots in double precision are `values`.
    /// Where equal values cannot be told exactly (more than 24 outputs), they are told by tolerance and the grade is
    /// `numerical`.
    pub(super) fn exact(gram: &RationalMatrix, values: &[f64], whitening: &Whitening, tolerances: &Tolerances) -> Self {
        let rank = RankDecision::exact(values.len());
        match exact::blocks(gram, values) {
            Some(blocks) => {
                let distinct = RankDecision::exact(blocks.len());
                Self { blocks, rank, distinct, grade: Grade::Exact }
            }
            None => {
                let (blocks, distinct) = Limits::new(whitening, tolerances).blocks(values);
                Self { blocks, rank, distinct, grade: Grade::Numerical }
            }
        }
    }

    /// Singular values of the target that differ by at most the first are equal, by more than the second clearly not.
    pub(super) fn limits(whitening: &Whitening, tolerances: &Tolerances) -> (f64, f64) {
        let limits = Limits::new(whitening, tolerances);
        (limits.tie, limits.clear)
    }

    /// How often each distinct value occurs.
    pub fn multiplicities(&self) -> Vec<usize> {
        self.blocks.iter().map(Range::len).collect()
    }
}

/// Index ranges of equal positive singular values; two neighbours are equal when they differ by at most `tie`, and positive is
/// what is larger than `zero`.
pub fn distinct_blocks(values: &[f64], zero: f64, tie: f64) -> Vec<Range<usize>> {
    let positive = values.iter().take_while(|&&value| value > zero).count();
    runs(&values[..positive], |a, b| a - b <= tie)
}

/// Index ranges of the longest runs in which every item equals the one before.
pub(super) fn runs<T>(items: &[T], equal: impl Fn(&T, &T) -> bool) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (k, item) in items.iter().enumerate() {
        match runs.last_mut() {
            Some(run) if equal(&items[k - 1], item) => run.end = k + 1,
            _ => runs.push(k..k + 1),
        }
    }
    runs
}

/// What counts as equal.
struct Limits {
    /// Differences up to this are none.
    tie: f64,
    /// Differences from this on are there.
    clear: f64,
    largest: f64,
}

impl Limits {
    fn new(whitening: &Whitening, tolerances: &Tolerances) -> Self {
        let dimension = whitening.target.larger_dimension();
        let largest = whitening.singular_values().first().copied().unwrap_or(0.0);
        let zero = tolerances.relative_rounding(UNIT_ROUNDOFF, dimension) * whitening.target_norm;
        let computed = zero.max(tolerances.tie_threshold(dimension, largest));
        // Both values of a difference move.
        let Movement { likely, possible } = whitening.moved;
        Self {
            tie: computed.max((2.0 * likely).min(tolerances.stored_zero * largest)),
            clear: (tolerances.rank_gap * computed).max(tolerances.stored_gap * 2.0 * possible),
            largest,
        }
    }

    fn blocks(&self, positive: &[f64]) -> (Vec<Range<usize>>, RankDecision) {
        let blocks = runs(positive, |a, b| a - b <= self.tie);
        let differences = || positive.windows(2).map(|pair| pair[0] - pair[1]);
        let above = differences().filter(|&d| d > self.tie).min_by(f64::total_cmp);
        let below = differences().filter(|&d| d <= self.tie).max_by(f64::total_cmp);
        let decision = RankDecision {
            rank: blocks.len(),
            above,
            below,
            tolerance: self.tie,
            scale: self.largest,
            clear: above.is_none_or(|difference| difference > self.clear)
                && (self.clear < self.largest || below.is_none_or(|difference| difference == 0.0)),
        };
        (blocks, decision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_form_one_block_and_zero_values_none() {
        assert_eq!(distinct_blocks(&[3.0, 2.0, 2.0, 1.0, 0.0], 1e-9, 1e-9), [0..1, 1..3, 3..4]);
        assert!(distinct_blocks(&[0.0, 0.0], 1e-9, 1e-9).is_empty());
    }
}
