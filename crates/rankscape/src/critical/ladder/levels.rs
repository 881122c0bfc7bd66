//! The distinct positive singular values of the whitened target, with multiplicities and what the counts rest on.

use super::super::exact::ExactData;
use super::exact::multiplicities;
use crate::data::Whitening;
use crate::error::{InputError, Result};
use crate::evidence::{Evidence, Grade, RankDecision};
use crate::linalg::exact::{RationalMatrix, rational_to_f64};
use crate::linalg::{power_of_two_near, symmetric_eigenvalues};
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

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
}

impl Levels {
    /// In double precision.
    ///
    /// A singular value counts as zero up to `tolerances.rank * 2^-53 * sqrt(larger dimension) * ||Y||`, since whitening
    /// can cancel in all of `Y`; two neighbours count as equal when they differ by at most
    /// `tolerances.tie * 2^-53 * sqrt(larger dimension) * largest`, or by what counts as zero.
    ///
    /// # Errors
    /// If the squares of the singular values overflow or underflow.
    pub fn numerical(whitening: &Whitening, tolerances: &Tolerances) -> Result<Self> {
        let spectrum = whitening.singular_values().to_vec();
        let mut evidence = Evidence::new(Grade::Numerical);
        evidence.rest_on("rank X", whitening.rank);
        let limits = Limits::new(whitening, tolerances);
        let positive = limits.rank(&spectrum);
        evidence.rest_on("rank of the whitened target", positive);
        let (counts, distinct) = limits.ties(&spectrum[..positive.rank]);
        evidence.rest_on("distinct positive singular values", distinct);
        Self::assemble(spectrum, &counts, whitening.rank.rank, evidence, whitening.floor, whitening.target_norm)
    }

    /// With ranks and multiplicities over the rationals; the values themselves are algebraic numbers, given in double
    /// precision. Where equal values cannot be told exactly (more than 24 outputs), they are told by tolerance and the
    /// grade is `numerical`.
    ///
    /// # Errors
    /// As [`numerical`](Self::numerical).
    pub fn exact(whitening: &Whitening, data: &ExactData, tolerances: &Tolerances) -> Result<Self> {
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
        let mut evidence = Evidence::new(Grade::Exact);
        evidence.rest_on("rank X", RankDecision::exact(data_rank));
        evidence.rest_on("rank of the whitened target", RankDecision::exact(positive));
        let (counts, distinct) = match multiplicities(&gram, &spectrum[..positive]) {
            Some(counts) => {
                let distinct = RankDecision::exact(counts.len());
                (counts, distinct)
            }
            None => {
                evidence.grade = Grade::Numerical;
                Limits::new(whitening, tolerances).ties(&spectrum[..positive])
            }
        };
        evidence.rest_on("distinct positive singular values", distinct);
        let reached: crate::linalg::exact::Rational = (0..gram.nrows()).map(|i| gram[(i, i)].clone()).sum();
        let floor = 0.5 * rational_to_f64(&(&data.yy - reached));
        Self::assemble(spectrum, &counts, data_rank, evidence, floor, whitening.target_norm)
    }

    fn assemble(
        spectrum: Vec<f64>,
        counts: &[usize],
        data_rank: usize,
        evidence: Evidence,
        floor: f64,
        target_norm: f64,
    ) -> Result<Self> {
        let size = power_of_two_near(target_norm);
        if target_norm > 0.0
            && !((size * size).is_normal() && (target_norm * target_norm).is_finite() && floor.is_finite())
        {
            return Err(InputError::new(
                "the loss is not representable: the squares of the targets overflow or underflow",
            )
            .array("data")
            .value(format!("||Y|| = {target_norm:e}"))
            .hint("multiply Y by a constant; the weights of the last layer scale with it"));
        }
        let mut start = 0;
        let levels = counts.iter().map(|&multiplicity| {
            let block = &spectrum[start..start + multiplicity];
            start += multiplicity;
            // From the largest down, so that equal numbers have exactly their own mean.
            let shift: f64 = block.iter().map(|value| value - block[0]).sum();
            Level { value: block[0] + shift / multiplicity as f64, multiplicity }
        });
        let levels: Vec<Level> = levels.collect();
        let scale = power_of_two_near(levels.first().map_or(1.0, |level| level.value));
        Ok(Self { spectrum, levels, data_rank, evidence, floor, scale })
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

    /// The loss at critical points that capture `pattern`: `floor + 1/2 sum (m_i - p_i) s_i^2`. All terms are
    /// non-negative, so no accuracy is lost.
    pub fn value(&self, pattern: &[usize]) -> f64 {
        let omitted = self.levels.iter().zip(pattern).rev().map(|(level, &taken)| {
            let value = level.value / self.scale;
            (level.multiplicity - taken) as f64 * value * value
        });
        self.floor + 0.5 * omitted.sum::<f64>() * self.scale * self.scale
    }

    /// `s_i^2`, relative to an internal scale.
    pub(super) fn relative_squares(&self) -> Vec<f64> {
        self.levels.iter().map(|level| (level.value / self.scale).powi(2)).collect()
    }
}

/// What counts as zero and as equal.
struct Limits {
    zero: f64,
    tie: f64,
    gap: f64,
    largest: f64,
}

impl Limits {
    fn new(whitening: &Whitening, tolerances: &Tolerances) -> Self {
        let size = whitening.target.nrows().max(whitening.target.ncols()) as f64;
        let unit = UNIT_ROUNDOFF * size.sqrt();
        let largest = whitening.singular_values().first().copied().unwrap_or(0.0);
        let zero = tolerances.rank * unit * whitening.target_norm;
        Self { zero, tie: zero.max(tolerances.tie * unit * largest), gap: tolerances.rank_gap, largest }
    }

    fn rank(&self, spectrum: &[f64]) -> RankDecision {
        RankDecision::from_singular_values(spectrum, self.zero, self.gap, self.largest)
    }

    /// Sizes of the blocks of equal values. The decision lists the smallest difference that separates and the largest
    /// that does not; it is clear when none lies just above the tolerance.
    fn ties(&self, positive: &[f64]) -> (Vec<usize>, RankDecision) {
        let differences: Vec<f64> = positive.windows(2).map(|pair| pair[0] - pair[1]).collect();
        let mut counts: Vec<usize> = positive.first().map(|_| 1).into_iter().collect();
        for &difference in &differences {
            match counts.last_mut() {
                Some(count) if difference <= self.tie => *count += 1,
                _ => counts.push(1),
            }
        }
        let apart = differences.iter().copied().filter(|&d| d > self.tie).min_by(f64::total_cmp);
        let below = differences.iter().copied().filter(|&d| d <= self.tie).max_by(f64::total_cmp);
        let decision = RankDecision {
            rank: counts.len(),
            above: apart,
            below,
            tolerance: self.tie,
            scale: self.largest,
            clear: apart.is_none_or(|difference| difference > self.gap * self.tie),
        };
        (counts, decision)
    }
}

/// Square roots of the largest `count` eigenvalues of a positive semidefinite matrix, at most as many as it has rows.
fn roots_of_eigenvalues(gram: &RationalMatrix, count: usize) -> Vec<f64> {
    let mut values = symmetric_eigenvalues(&gram.to_matrix()).unwrap_or_else(|| vec![0.0; gram.nrows()]);
    values.sort_by(|a, b| b.total_cmp(a));
    values.truncate(count);
    values.into_iter().map(|value| value.max(0.0).sqrt()).collect()
}
