//! One rung: a pattern of captured singular values and what is known of the critical points over it.

use std::collections::BTreeMap;

use super::Ladder;
use crate::work::{Step, count};

/// Classes that occur among the critical points over a rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RungClasses {
    /// All are global minima.
    GlobalMinimum,
    /// All are strict saddles.
    Strict,
    /// Strict and non-strict saddles.
    Both,
}

impl RungClasses {
    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::GlobalMinimum => "global_minimum",
            Self::Strict => "strict",
            Self::Both => "both",
        }
    }
}

/// All critical points whose product captures `p_i` directions of the `i`-th distinct positive singular value.
#[derive(Debug, Clone, PartialEq)]
pub struct Rung {
    /// Loss, `1/2 ||W X - Y||^2`.
    pub value: f64,
    /// `e = p_1 + ... + p_q`, the rank of `W X`.
    pub rank: usize,
    /// `(p_1, ..., p_q)`.
    pub pattern: Vec<usize>,
    /// 1-based indices into the non-increasing spectrum, the lowest ones inside a block of equal values. Where
    /// `family_dimension` is positive this is one product of many.
    pub captured: Vec<usize>,
    /// Index of the loss on the matrices of rank exactly `e`, the same at every product of the rung.
    pub index_in_function_space: usize,
    /// Components of the set of critical whitened products; it is connected, so there is one.
    pub multiplicity: usize,
    /// `sum p_i (m_i - p_i)`: dimension of that set, a product of Grassmannians.
    pub family_dimension: usize,
    /// Dimension of the set of critical parameters over it, flat directions included.
    pub parameter_dimension: usize,
    /// Which classes occur over it.
    pub classes: RungClasses,
}

impl Rung {
    pub(super) fn new(ladder: &Ladder, pattern: Vec<usize>, known: &mut BTreeMap<usize, usize>) -> Self {
        count(Step::Rung);
        let multiplicities: Vec<usize> = ladder.levels.multiplicities().collect();
        let rank: usize = pattern.iter().sum();
        let (mut start, mut larger_omitted) = (0, 0);
        let (mut captured, mut index, mut family_dimension) = (Vec::with_capacity(rank), 0, 0);
        for (&taken, &m) in pattern.iter().zip(&multiplicities) {
            captured.extend((start..start + taken).map(|k| k + 1));
            index += taken * larger_omitted;
            larger_omitted += m - taken;
            family_dimension += taken * (m - taken);
            start += m;
        }
        let top = index == 0;
        let everything = larger_omitted == 0;
        let classes = if everything || (top && rank == ladder.effective_bottleneck) {
            RungClasses::GlobalMinimum
        } else if top && ladder.architecture.depth() > 2 {
            RungClasses::Both
        } else {
            RungClasses::Strict
        };
        Self {
            value: ladder.levels.value(&pattern),
            rank,
            captured,
            index_in_function_space: index,
            multiplicity: 1,
            family_dimension,
            parameter_dimension: family_dimension + ladder.fiber_dimension(rank, known),
            classes,
            pattern,
        }
    }

    /// Every point over it is a global minimum.
    pub fn is_global_minimum(&self) -> bool {
        self.classes == RungClasses::GlobalMinimum
    }
}
