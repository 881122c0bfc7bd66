//! The positive singular values of the target, in blocks of equal ones.

use std::ops::Range;

use super::captured::distinct_blocks;
use crate::data::Whitening;
use crate::evidence::RankDecision;
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

/// Positive singular values of a target, largest first, in blocks of equal ones.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetBlocks {
    /// Index ranges of equal values, counted from 0.
    pub blocks: Vec<Range<usize>>,
    /// How many values are positive, decided by rank.
    pub rank: RankDecision,
}

impl TargetBlocks {
    /// Blocks of the whitened target. A singular value counts as zero when it is at most
    /// `tolerances.rank * 2^-53 * sqrt(larger dimension) * ||Y||_F`, two as equal when they differ by at most
    /// `tolerances.tie * 2^-53 * sqrt(larger dimension) * largest`.
    pub fn new(whitening: &Whitening, tolerances: &Tolerances) -> Self {
        let values = whitening.singular_values();
        let (rows, cols) = whitening.target.shape();
        let unit = UNIT_ROUNDOFF * (rows.max(cols).max(1) as f64).sqrt();
        let zero = tolerances.rank * unit * whitening.target_norm;
        let rank = RankDecision::from_singular_values(values, zero, tolerances.rank_gap, whitening.target_norm);
        let largest = values.first().copied().unwrap_or(0.0);
        let tie = tolerances.tie * unit * largest;
        Self { blocks: distinct_blocks_of_positive(&values[..rank.rank], tie), rank }
    }

    /// How often each distinct value occurs.
    pub fn multiplicities(&self) -> Vec<usize> {
        self.blocks.iter().map(Range::len).collect()
    }
}

/// Blocks of values of which none counts as zero.
fn distinct_blocks_of_positive(values: &[f64], tie: f64) -> Vec<Range<usize>> {
    let mut blocks = distinct_blocks(values, tie);
    let covered = blocks.last().map_or(0, |block| block.end);
    // Values below the tie are one more block: they are positive, and no two of them can be told apart.
    if covered < values.len() {
        blocks.push(covered..values.len());
    }
    blocks
}
