//! The best rung, the other local minima, and what lies between the origin and the best.

use num_bigint::BigUint;

use super::DecayLadder;
use super::level::DecayLevel;
use super::rung::{DecayRung, Taken};
use super::threshold::Side;
use crate::critical::CriticalClass;
use crate::critical::ladder::BadLocalMinima;

/// The set of global minimizers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecayedMinima {
    /// Its dimension: the largest one where rungs of several ranks are equally good.
    pub dimension: usize,
    /// Number of its path components.
    pub components: BigUint,
    /// Only a part of a block of equal singular values is captured: the best products form a family.
    pub tie_at_cut: bool,
    /// Inner nodes as narrow as the best product has rank.
    pub splitting_nodes: Vec<usize>,
}

/// Whether there are local minima that are not global.
#[derive(Debug, Clone, PartialEq)]
pub enum BadDecayedMinima {
    /// There are none.
    Impossible,
    /// It is not known.
    Possible,
    /// There is one, this.
    Exists(Box<BadMinimum>),
}

impl BadDecayedMinima {
    /// The verdict with its reason, for a network of so many layers.
    pub fn verdict(&self, depth: usize) -> BadLocalMinima {
        match (self, depth) {
            (Self::Impossible, 1) => BadLocalMinima::Impossible("one layer with weight decay is strictly convex"),
            (Self::Impossible, 2) => BadLocalMinima::Impossible(
                "with two layers, a hidden layer that is wide enough or data with a closed form, every critical point that is not \
                 a global minimum has a direction of negative curvature",
            ),
            (Self::Impossible, _) => BadLocalMinima::Impossible(
                "the local minima are the sets of largest singular values with the larger layer value, and all of them are \
                 equally good here",
            ),
            (Self::Possible, 2) => BadLocalMinima::Possible(
                "the hidden layer is narrow and the critical points have no closed form: whether each local minimum is global is \
                 undecided here",
            ),
            (Self::Possible, _) => BadLocalMinima::Possible(
                "with three layers or more weight decay makes the origin a local minimum; whether another point is lower is \
                 undecided here",
            ),
            (Self::Exists(_), _) => BadLocalMinima::Exists(
                "with three layers or more every set of largest singular values with the larger layer value is a local \
                 minimum, the origin among them, and they are not equally good",
            ),
        }
    }

    /// The one that is known.
    pub fn witness(&self) -> Option<&BadMinimum> {
        match self {
            Self::Exists(found) => Some(found),
            _ => None,
        }
    }
}

/// A local minimum that is not global.
#[derive(Debug, Clone, PartialEq)]
pub struct BadMinimum {
    /// Its rung.
    pub rung: DecayRung,
    /// By how much its value exceeds the smallest.
    pub above_minimum: f64,
}

/// Least and largest rank of the top sets that are global minima, where they are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct BestRanks {
    least: usize,
    largest: usize,
}

impl DecayLadder {
    fn count(&self, keep: impl Fn(&DecayLevel) -> bool) -> usize {
        self.levels().iter().filter(|level| keep(level)).map(|level| level.multiplicity).sum()
    }

    /// Ranks of top sets that may be best, as far as is decided: below the least, and above the largest, none is.
    fn may_be_best(&self) -> BestRanks {
        let most = self.most_captured();
        let paying = self.count(|level| level.worth_side == Side::Above);
        // At the threshold of two layers there is nothing to capture.
        let free = |level: &DecayLevel| self.depth() > 2 && matches!(level.worth_side, Side::At | Side::Unclear);
        let at_par = paying + self.count(free);
        BestRanks { least: paying.min(most), largest: at_par.min(most) }
    }

    /// The ranks of the best top sets: all between these.
    fn best_ranks(&self) -> Option<BestRanks> {
        let may = self.may_be_best();
        let doubtful = self.levels().iter().any(|level| level.worth_side == Side::Unclear);
        (may.least == may.largest || !doubtful).then_some(may)
    }

    /// The class of the top set of this rank with large roots.
    pub(super) fn class_of_top(&self, rank: usize) -> CriticalClass {
        let may = self.may_be_best();
        if rank < may.least || rank > may.largest {
            return CriticalClass::LocalMinimum;
        }
        self.best_ranks().map_or(CriticalClass::Undecided, |_| CriticalClass::GlobalMinimum)
    }

    /// The pattern of the top set of this rank with large roots.
    pub fn top(&self, rank: usize) -> Vec<Taken> {
        let mut left = rank;
        let take = |level: &DecayLevel| {
            let large = level.multiplicity.min(left);
            left -= large;
            Taken { large, small: 0 }
        };
        self.levels().iter().map(take).collect()
    }

    /// The smallest value; `None` where there is no closed form. A direction in doubt changes it by rounding errors only.
    pub fn global_minimum(&self) -> Option<f64> {
        match &self.form {
            Ok(_) => Some(self.value(&self.top(self.may_be_best().least))),
            Err(_) => self.ridge,
        }
    }

    /// The set of global minimizers, where all decisions are clear.
    pub fn minima(&self) -> Option<DecayedMinima> {
        if !self.is_clear() {
            return None;
        }
        let (widths, depth) = (self.ladder.architecture().widths(), self.depth());
        let BestRanks { least, largest } = self.best_ranks()?;
        let rungs = (least..=largest).map(|rank| self.top(rank));
        let splitting = |rank: usize| (1..depth).filter(move |&i| rank > 0 && widths[i] == rank);
        let cut = |pattern: &[Taken]| {
            self.levels().iter().zip(pattern).any(|(level, taken)| (1..level.multiplicity).contains(&taken.large))
        };
        let dimension = rungs.clone().map(|pattern| self.rung(&pattern).dimension).max()?;
        // A loop in the family of products turns the signs at all nodes at once.
        let components = rungs.clone().map(|pattern| {
            let nodes = splitting(pattern.iter().map(|taken| taken.total()).sum()).count();
            BigUint::from(1u32) << nodes.saturating_sub(usize::from(cut(&pattern)))
        });
        Some(DecayedMinima {
            dimension,
            components: components.sum(),
            tie_at_cut: rungs.clone().any(|pattern| cut(&pattern)),
            splitting_nodes: splitting(largest).collect(),
        })
    }

    /// Local minima that are not global: for three layers and more, the top sets with large roots that are not best.
    pub fn bad_minima(&self) -> BadDecayedMinima {
        if self.depth() == 1 {
            return BadDecayedMinima::Impossible;
        }
        let spectrum = self.ladder.levels();
        let narrow = self.ladder.effective_bottleneck() < spectrum.spectrum.len();
        if self.depth() == 2 && (self.form.is_ok() || (!narrow && spectrum.is_clear())) {
            return BadDecayedMinima::Impossible;
        }
        if self.form.is_err() || !spectrum.is_clear() {
            return BadDecayedMinima::Possible;
        }
        let may = self.may_be_best();
        let most = self.most_captured().min(self.count(DecayLevel::has_small));
        // Of those that are certainly not best, the one with the largest basin is the origin.
        let bad = (0..=most).find(|&rank| rank < may.least || rank > may.largest);
        if let Some(rank) = bad {
            let rung = self.rung(&self.top(rank));
            let above_minimum = rung.value - self.global_minimum().unwrap_or(rung.value);
            return BadDecayedMinima::Exists(Box::new(BadMinimum { rung, above_minimum }));
        }
        let clear = self.is_clear() && self.best_ranks().is_some();
        if clear { BadDecayedMinima::Impossible } else { BadDecayedMinima::Possible }
    }

    /// The least height that a path from the origin to the best minimum of least rank climbs above the origin; 0 where it can
    /// descend all the way. `None` where that is not decided. `docs/decay.md` has the proof that no path is lower.
    pub fn barrier(&self) -> Option<f64> {
        if self.depth() <= 2 {
            return Some(0.0);
        }
        if self.form.is_err() || !self.ladder.levels().is_clear() {
            return None;
        }
        let rank = self.best_ranks()?.least;
        let unit = self.unit();
        let (mut height, mut highest, mut left) = (0.0, 0.0_f64, rank);
        for level in self.levels() {
            let [Some(large), Some(small)] = level.gains(unit) else { break };
            for _ in 0..level.multiplicity.min(left) {
                highest = highest.max(height + small);
                height += large;
            }
            left -= level.multiplicity.min(left);
        }
        Some(highest * unit * unit)
    }
}
