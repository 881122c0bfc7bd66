//! One rung: how many directions of each level are captured with which root, and the critical points over it.

use super::equation::RootKind;
use super::level::DecayLevel;
use crate::critical::CriticalClass;
use crate::linalg::Inertia;

/// How many directions of one level are captured: with the large root (or the fold), and with the small one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Taken {
    /// With the large root, or the fold.
    pub large: usize,
    /// With the small root.
    pub small: usize,
}

impl Taken {
    pub(super) fn total(self) -> usize {
        self.large + self.small
    }
}

/// All critical points with one captured pattern and its roots.
#[derive(Debug, Clone, PartialEq)]
pub struct DecayRung {
    /// `L + (l/2) sum ||W_k||^2` there.
    pub value: f64,
    /// How many directions are captured.
    pub rank: usize,
    /// 1-based places in the spectrum, the lowest ones inside a block of equal values; `None` where there is no closed form.
    pub captured: Option<Vec<usize>>,
    /// One for each captured direction, large before small inside a block.
    pub roots: Option<Vec<RootKind>>,
    /// The singular value that every layer has for a captured direction, in the same order.
    pub layer_values: Option<Vec<f64>>,
    /// What its points are.
    pub class: CriticalClass,
    /// Negative and zero eigenvalues of the Hessian, the same at each of them.
    pub inertia: Inertia,
    /// Dimension of the set of these points.
    pub dimension: usize,
}

/// Integers of a rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) index: usize,
    pub(super) nullity: usize,
    pub(super) dimension: usize,
    pub(super) folds: usize,
}

impl Counts {
    /// The formulas of `docs/decay.md`, for the widths `d_0, ..., d_h`.
    pub(super) fn new(levels: &[DecayLevel], pattern: &[Taken], widths: &[usize]) -> Self {
        let depth = widths.len() - 1;
        let rank: usize = pattern.iter().map(|taken| taken.total()).sum();
        let spare = if depth == 2 { widths[1] - rank } else { 0 };
        let mut found = Self { index: 0, nullity: 0, dimension: 0, folds: 0 };
        let mut later = rank;
        for (level, taken) in levels.iter().zip(pattern) {
            let omitted = level.multiplicity - taken.total();
            later -= taken.total();
            found.index += triangle(taken.small) + (taken.small + omitted) * later;
            found.index += if level.is_capturable() { spare * omitted } else { 0 };
            found.dimension += taken.large * taken.small + taken.total() * omitted;
            let folds = if level.is_fold() { taken.large } else { 0 };
            found.folds += folds;
            found.nullity += triangle(folds) + if level.at_fold { spare * omitted } else { 0 };
        }
        let frames = |width: usize| (width * rank) - triangle(rank);
        found.dimension += widths[1..depth].iter().map(|&width| frames(width)).sum::<usize>();
        found.nullity += found.dimension;
        found
    }
}

/// `n (n + 1) / 2`.
fn triangle(n: usize) -> usize {
    n * (n + 1) / 2
}
