//! The distinct positive singular values of the whitened target, with multiplicities and what the counts rest on.

use crate::critical::blocks::TargetBlocks;
use crate::data::ExactMoments;
use crate::data::Whitening;
use crate::error::{InputError, Result};
use crate::evidence::{Evidence, Quantity, RankDecision};
use crate::linalg::exact::{Rational, RationalMatrix, rational_to_f64};
use crate::linalg::{power_of_two_near, symmetric_eigenvalues};
use crate::tolerance::Tolerances;

/// A positive singular value of the whitened target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// The singular value.
    pub value: f64,
    /// How often it occurs.
    pub multiplicity: usize,
}

/// The spectrum of the whitened target, cut into distinct positive values.
#[derive(Debug, Clone)]
pub struct Levels {
    /// All `min(d_h, rank X)` singular values, non-increasing; exact zeros where the rank is exact.
    pub spectrum: Vec<f64>,
    /// Distinct positive values, decreasing.
    pub levels: Vec<Level>,
    /// Rank of `X`.
    pub data_rank: usize,
    /// The decisions: rank of `X`, number of positive values, number of distinct ones.
    pub evidence: Evidence,
    /// `1/2 (||Y||^2 - ||Z||^2)`, the part of the loss that no weights reach.
    floor: f64,
    /// A power of two near the largest singular value.
    scale: f64,
    /// Why values of the loss are not representable, if so.
    out_of_range: Option<InputError>,
}

impl Levels {
    /// In double precision. Zeros and ties are told as by [`TargetBlocks::new`].
    pub fn numerical(whitening: &Whitening, tolerances: &Tolerances) -> Self {
        let blocks = TargetBlocks::new(whitening, tolerances);
        let spectrum = whitening.singular_values().to_vec();
        Self::assemble(spectrum, &blocks, whitening.rank, whitening.floor, whitening.target_norm)
    }

    /// With ranks and multiplicities over the rationals; the values themselves are algebraic numbers, given in double
    /// precision. Where equal values cannot be told exactly (more than 24 outputs), they are told by tolerance and the
    /// grade is `numerical`.
    pub fn exact(whitening: &Whitening, data: &ExactMoments, tolerances: &Tolerances) -> Self {
        let gram = data.whitened_gram(&data.yx);
        let data_rank = data.xx.rank();
        let positive = gram.rank();
        let mut spectrum = if whitening.rank.rank == data_rank {
            whitening.singular_values().to_vec()
        } else {
            roots_of_eigenvalues(&gram, data_rank)
        };
        for (k, value) in spectrum.iter_mut().enumerate() {
            *value = if k < positive { value.max(f64::MIN_POSITIVE) } else { 0.0 };
        }
        let blocks = TargetBlocks::exact(&gram, &spectrum[..positive], whitening, tolerances);
        let reached: Rational = (0..gram.nrows()).map(|i| gram[(i, i)].clone()).sum();
        let floor = 0.5 * rational_to_f64(&(&data.yy - reached));
        Self::assemble(spectrum, &blocks, RankDecision::exact(data_rank), floor, whitening.target_norm)
    }

    fn assemble(
        spectrum: Vec<f64>,
        blocks: &TargetBlocks,
        data_rank: RankDecision,
        floor: f64,
        target_norm: f64,
    ) -> Self {
        let size = power_of_two_near(target_norm);
        let representable = (size * size).is_normal() && (target_norm * target_norm).is_finite() && floor.is_finite();
        let out_of_range = (target_norm > 0.0 && !representable).then(|| {
            InputError::new("the loss is not representable: the squares of the targets overflow or underflow")
                .array("data")
                .value(format!("||Y|| = {target_norm:e}"))
                .hint("multiply Y by a constant; the weights of the last layer scale with it")
        });
        let levels = blocks.blocks.iter().map(|block| {
            let values = &spectrum[block.clone()];
            // From the largest down, so that equal numbers have exactly their own mean.
            let shift: f64 = values.iter().map(|value| value - values[0]).sum();
            Level { value: values[0] + shift / block.len() as f64, multiplicity: block.len() }
        });
        let levels: Vec<Level> = levels.collect();
        let scale = power_of_two_near(levels.first().map_or(1.0, |level| level.value));
        let mut evidence = Evidence::new(blocks.grade);
        evidence.rest_on(Quantity::Inputs, data_rank);
        evidence.rest_on(Quantity::Target, blocks.rank);
        evidence.rest_on(Quantity::DistinctSingularValues, blocks.distinct);
        Self { spectrum, levels, data_rank: data_rank.rank, evidence, floor, scale, out_of_range }
    }

    /// # Errors
    /// If the squares of the singular values overflow or underflow.
    pub(super) fn check_range(&self) -> Result<()> {
        self.out_of_range.clone().map_or(Ok(()), Err)
    }

    /// Rank of the whitened target.
    pub fn rank(&self) -> usize {
        self.multiplicities().sum()
    }

    /// Multiplicities `m_1, ..., m_q`.
    pub fn multiplicities(&self) -> impl Iterator<Item = usize> + '_ {
        self.levels.iter().map(|level| level.multiplicity)
    }

    /// Every decision is clear.
    pub fn is_clear(&self) -> bool {
        self.evidence.is_clear()
    }

    /// The loss at critical points that capture `pattern`: `floor + 1/2 sum (m_i - p_i) s_i^2`, where the smallest of the values
    /// that count as equal are the omitted ones: no point that captures as many has a smaller loss. All terms are non-negative,
    /// so no accuracy is lost.
    pub fn value(&self, pattern: &[usize]) -> f64 {
        let mut from = 0;
        let omitted: Vec<f64> = self
            .levels
            .iter()
            .zip(pattern)
            .flat_map(|(level, &taken)| {
                let start = from;
                from += level.multiplicity;
                &self.spectrum[start + taken..from]
            })
            .copied()
            .collect();
        let omitted = omitted.iter().rev().map(|value| (value / self.scale).powi(2));
        self.floor + 0.5 * omitted.sum::<f64>() * self.scale * self.scale
    }

    /// `1/2 (||Y||^2 - ||Z||^2)`, the part of the loss that no weights reach.
    pub(in crate::critical) fn floor(&self) -> f64 {
        self.floor
    }

    /// A power of two near the largest singular value.
    pub(in crate::critical) fn unit(&self) -> f64 {
        self.scale
    }

    /// `s_i^2`, relative to an internal scale.
    pub(super) fn relative_squares(&self) -> Vec<f64> {
        self.levels.iter().map(|level| (level.value / self.scale).powi(2)).collect()
    }
}

/// Square roots of the largest `count` eigenvalues of a positive semidefinite matrix, at most as many as it has rows.
fn roots_of_eigenvalues(gram: &RationalMatrix, count: usize) -> Vec<f64> {
    let mut values = symmetric_eigenvalues(&gram.to_matrix()).unwrap_or_else(|| vec![0.0; gram.nrows()]);
    values.sort_by(|a, b| b.total_cmp(a));
    values.truncate(count);
    values.into_iter().map(|value| value.max(0.0).sqrt()).collect()
}
