//! On which side of a threshold every direction is: over the rationals where the data are exact, else by tolerance.

use super::task::Recognized;
use crate::critical::blocks::TargetBlocks;
use crate::critical::ladder::Level;
use crate::data::{ExactMoments, Whitening};
use crate::evidence::{Grade, RankDecision};
use crate::linalg::exact::{Rational, RationalMatrix};
use crate::network::WeightDecay;
use crate::tolerance::Tolerances;

use num_traits::Pow;

/// Largest matrix, and largest power, for which a comparison is decided over the rationals.
const LARGEST: usize = 24;

/// Where a singular value is beside the one for which the decay is at the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Larger: the decay is below the threshold of the direction.
    Above,
    /// Equal.
    At,
    /// Smaller.
    Below,
    /// So near that rounding errors hide it.
    Unclear,
}

/// A threshold beside all levels.
#[derive(Debug, Clone)]
pub(super) struct Comparison {
    /// One for each level.
    pub(super) sides: Vec<Side>,
    /// How many singular values are above; the numbers are distances from the threshold.
    pub(super) decision: RankDecision,
    /// How strong it is.
    pub(super) grade: Grade,
}

/// What is compared.
pub(super) struct Compared<'a> {
    pub(super) levels: &'a [Level],
    pub(super) whitening: &'a Whitening,
    pub(super) moments: Option<&'a ExactMoments>,
    pub(super) recognized: &'a Recognized,
    pub(super) decay: &'a WeightDecay,
    pub(super) depth: usize,
    pub(super) tolerances: &'a Tolerances,
}

impl Compared<'_> {
    /// The levels beside the singular value whose relative decay is `e^{log_relative}`; its power `h` is `constant`.
    pub(super) fn with(&self, log_relative: f64, constant: &Rational) -> Comparison {
        if let Some(sides) = self.exact_sides(constant) {
            let rank = self.count(&sides);
            return Comparison { sides, decision: RankDecision::exact(rank), grade: Grade::Exact };
        }
        let at = self.recognized.singular_value_at(log_relative, self.decay.strength(), self.depth);
        let largest = self.levels.first().map_or(0.0, |level| level.value);
        let (tie, apart) = TargetBlocks::limits(self.whitening, self.tolerances);
        let band = apart.max(self.tolerances.rank_gap * self.recognized.defect * largest);
        let side = |level: &Level| match level.value - at {
            gap if gap > band => Side::Above,
            gap if gap < -band => Side::Below,
            _ => Side::Unclear,
        };
        let sides: Vec<Side> = self.levels.iter().map(side).collect();
        let gaps = || self.levels.iter().map(|level| level.value - at);
        let decision = RankDecision {
            rank: self.count(&sides),
            above: gaps().filter(|&gap| gap > 0.0).min_by(f64::total_cmp),
            below: gaps().filter(|&gap| gap <= 0.0).map(f64::abs).min_by(f64::total_cmp),
            tolerance: tie,
            scale: largest,
            clear: !sides.contains(&Side::Unclear),
        };
        Comparison { sides, decision, grade: Grade::Numerical }
    }

    fn count(&self, sides: &[Side]) -> usize {
        let above = self.levels.iter().zip(sides).filter(|(_, side)| **side == Side::Above);
        above.map(|(level, _)| level.multiplicity).sum()
    }

    /// By the inertia of `A^k - R` over the rationals.
    fn exact_sides(&self, constant: &Rational) -> Option<Vec<Side>> {
        let decay = self.decay.rational()?;
        let (matrix, power, limit) = self.recognized.exact_comparison(self.moments?, decay, constant, self.depth)?;
        if matrix.nrows() > LARGEST || power > LARGEST {
            return None;
        }
        let raised = (1..power).fold(matrix.clone(), |raised, _| &raised * &matrix);
        let shifted = RationalMatrix::from_fn(raised.nrows(), raised.ncols(), |i, j| {
            if i == j { &raised[(i, j)] - &limit } else { raised[(i, j)].clone() }
        });
        let inertia = shifted.inertia();
        let mut end = 0;
        let sides = self.levels.iter().map(|level| {
            end += level.multiplicity;
            match end {
                end if end <= inertia.positive => Side::Above,
                end if end <= inertia.positive + inertia.zero => Side::At,
                _ => Side::Below,
            }
        });
        Some(sides.collect())
    }
}

/// `((h-2)/(2h-2))^{h-2} (h/(2h-2))^h`, the relative decay at the fold to the power `h`, for `h >= 2`.
pub(super) fn fold_constant(depth: usize) -> Rational {
    let ratio = |a: usize, b: usize| Rational::new(a.into(), b.into());
    Pow::pow(ratio(depth - 2, 2 * depth - 2), depth - 2) * Pow::pow(ratio(depth, 2 * depth - 2), depth)
}

/// `((h-2)/(h-1))^{h-2} / (h-1)^h`, the same where a direction just pays.
pub(super) fn worth_constant(depth: usize) -> Rational {
    let ratio = |a: usize, b: usize| Rational::new(a.into(), b.into());
    Pow::pow(ratio(depth - 2, depth - 1), depth - 2) * Pow::pow(ratio(1, depth - 1), depth)
}
