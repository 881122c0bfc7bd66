//! Every critical point of the square loss with weight decay, `1/2 ||W_h ... W_1 X - Y||^2 + (l/2) sum ||W_k||^2`, where
//! the data have a closed form.
//!
//! `task` recognizes such data; `equation` finds the layer values; `threshold` tells on which side of its thresholds a
//! direction is; `level` holds all that of one singular value. A `rung` says how many directions are captured with which
//! root, `stream` lists rungs by value, `minima` knows the best one, the bad ones and the barrier, `point` makes a point, `identify` finds the
//! rung of one.
//! Theorems and proofs are in `docs/decay.md`.

mod equation;
mod identify;
mod level;
mod minima;
mod point;
mod rung;
mod stream;
mod task;
mod threshold;

pub use equation::RootKind;
pub use level::DecayLevel;
pub use minima::{BadDecayedMinima, BadMinimum, DecayedMinima};
pub use rung::{DecayRung, Taken};
pub use task::{Task, Unrecognized};

use num_bigint::BigUint;
use num_traits::Zero;

use super::CriticalClass;
use super::ladder::{Ladder, Level};
use crate::data::{ExactMoments, Whitening};
use crate::error::{InputError, Result};
use crate::evidence::{Evidence, Quantity};
use crate::linalg::Inertia;
use crate::network::WeightDecay;
use crate::tolerance::Tolerances;

use equation::Equation;
use rung::Counts;
use task::{Recognized, recognize};
use threshold::{Compared, Comparison, Side, fold_constant, worth_constant};

/// The critical points of the loss with weight decay, for data and widths.
#[derive(Debug, Clone)]
pub struct DecayLadder {
    ladder: Ladder,
    decay: WeightDecay,
    form: std::result::Result<ClosedForm, Unrecognized>,
    /// Of one layer with any data: the value of the only critical point.
    ridge: Option<f64>,
    evidence: Evidence,
}

/// What there is for a task with a closed form.
#[derive(Debug, Clone)]
struct ClosedForm {
    recognized: Recognized,
    /// Largest first.
    levels: Vec<DecayLevel>,
    /// No direction is in doubt about its roots.
    clear: bool,
}

impl DecayLadder {
    /// Of whitened data; exact data decide ties and thresholds over the rationals where the decay is exact too.
    ///
    /// # Errors
    /// As [`Ladder::new`].
    ///
    /// ```
    /// use rankscape::architecture::Architecture;
    /// use rankscape::critical::DecayLadder;
    /// use rankscape::data::{TriangularFactor, Whitening};
    /// use rankscape::network::WeightDecay;
    /// use rankscape::{Matrix, Tolerances};
    /// // One unit in three layers, target 9, decay 8: w (9 - w^3) = 8 has the roots 1 and 1.6, and there is the origin.
    /// let (target, tolerances) = (TriangularFactor::from_target(&Matrix::identity(1).scaled(9.0)), Tolerances::default());
    /// let widths = Architecture::new(vec![1, 1, 1, 1]).unwrap();
    /// let white = Whitening::new(&target, &tolerances);
    /// let found = DecayLadder::new(widths, &white, None, &WeightDecay::new(8.0).unwrap(), &tolerances).unwrap();
    /// let rungs = found.lowest(10);
    /// let smallest = rungs.iter().filter_map(|rung| rung.layer_values.as_ref()?.first().copied()).fold(9.0, f64::min);
    /// assert!(rungs.len() == 3 && (smallest - 1.0).abs() < 1e-14);
    /// ```
    pub fn new(
        architecture: crate::architecture::Architecture,
        whitening: &Whitening,
        exact: Option<&ExactMoments>,
        decay: &WeightDecay,
        tolerances: &Tolerances,
    ) -> Result<Self> {
        let ladder = Ladder::new(architecture, whitening, exact, tolerances)?;
        let depth = ladder.architecture().depth();
        let mut evidence = ladder.levels().evidence.clone();
        let form = recognize(whitening, exact, tolerances).map(|recognized| {
            let levels = &ladder.levels().levels;
            let compared =
                Compared { levels, whitening, moments: exact, recognized: &recognized, decay, depth, tolerances };
            let sides = sides(&compared, &mut evidence);
            let level = |(k, level): (usize, &Level)| {
                let here = [sides[0][k], sides[1][k]];
                DecayLevel::new(*level, &recognized, decay, depth, here)
            };
            let found: Vec<DecayLevel> = levels.iter().enumerate().map(level).collect();
            ClosedForm { levels: found, clear: !sides[0].contains(&Side::Unclear), recognized }
        });
        let ridge = (depth == 1).then(|| ridge_value(whitening, decay));
        let found = Self { ladder, decay: decay.clone(), form, ridge, evidence };
        found.check_range()
    }

    fn check_range(self) -> Result<Self> {
        let values = self.levels().iter().flat_map(|level| {
            let kinds = [level.first_kind(), RootKind::Small];
            [Some(kinds[0]).filter(|_| level.is_capturable()), Some(kinds[1]).filter(|_| level.has_small())]
                .into_iter()
                .flatten()
                .map(|kind| level.layer_value(kind))
        });
        if values.clone().all(f64::is_normal) {
            return Ok(self);
        }
        Err(InputError::new("a layer value of a critical point is beyond double precision")
            .array("--weight-decay")
            .value(format!("{:e}", self.decay.strength()))
            .hint("scale X and Y, or choose a decay of their size"))
    }

    /// The ladder without decay: widths, spectrum and its levels.
    pub fn without_decay(&self) -> &Ladder {
        &self.ladder
    }

    /// The decay.
    pub fn decay(&self) -> &WeightDecay {
        &self.decay
    }

    /// Why the critical points are known, or how far the data are from that.
    pub fn task(&self) -> std::result::Result<Task, Unrecognized> {
        self.form.as_ref().map(|form| form.recognized.task).map_err(|unrecognized| *unrecognized)
    }

    /// The decisions: those on the spectrum, and on which side of its thresholds every direction is.
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// Distinct positive singular values with thresholds, largest first; none where there is no closed form.
    pub fn levels(&self) -> &[DecayLevel] {
        self.form.as_ref().map_or(&[], |form| &form.levels)
    }

    /// All critical points are listed: there is a closed form, and no decision that it needs is in doubt. One layer has a single
    /// critical point whatever the data.
    pub fn is_clear(&self) -> bool {
        let spectrum = self.ladder.levels().is_clear();
        match &self.form {
            Ok(form) => spectrum && form.clear,
            Err(_) => self.ridge.is_some(),
        }
    }

    fn depth(&self) -> usize {
        self.ladder.architecture().depth()
    }

    /// At most so many directions are captured; one layer captures all.
    fn most_captured(&self) -> usize {
        self.ladder.effective_bottleneck()
    }

    /// How many rungs there are; `None` where that is not known.
    pub fn rungs_total(&self) -> Option<BigUint> {
        if !self.is_clear() {
            return None;
        }
        if self.depth() == 1 {
            return Some(1u32.into());
        }
        let most = self.most_captured();
        let mut ways: Vec<BigUint> = vec![1u32.into()];
        for level in self.levels().iter().filter(|level| level.is_capturable()) {
            let degree = (ways.len() - 1 + level.multiplicity).min(most);
            let mut next = vec![BigUint::zero(); degree + 1];
            for (used, count) in ways.iter().enumerate() {
                for taken in 0..=level.multiplicity.min(degree - used) {
                    let choices = if level.has_small() { taken + 1 } else { 1 };
                    next[used + taken] += count * BigUint::from(choices);
                }
            }
            ways = next;
        }
        Some(ways.into_iter().sum())
    }

    /// Up to `most` rungs of lowest value, sorted by value, then by pattern; none where they are not known.
    pub fn lowest(&self, most: usize) -> Vec<DecayRung> {
        if !self.is_clear() {
            return Vec::new();
        }
        if self.depth() == 1 {
            return self.only_rung().into_iter().take(most).collect();
        }
        let patterns = stream::lowest(self.levels(), self.most_captured(), most, self.unit());
        let mut rungs: Vec<(DecayRung, Vec<Taken>)> =
            patterns.into_iter().map(|pattern| (self.rung(&pattern), pattern)).collect();
        rungs.sort_by(|a, b| a.0.value.total_cmp(&b.0.value).then_with(|| b.1.cmp(&a.1)));
        rungs.into_iter().map(|(rung, _)| rung).collect()
    }

    /// The ridge regression.
    fn only_rung(&self) -> Option<DecayRung> {
        let everything = self.levels().iter().map(|level| Taken { large: level.multiplicity, small: 0 });
        if self.form.is_ok() {
            return Some(self.rung(&everything.collect::<Vec<_>>()));
        }
        let architecture = self.ladder.architecture();
        Some(DecayRung {
            value: self.ridge?,
            rank: self.ladder.levels().rank(),
            captured: None,
            roots: None,
            layer_values: None,
            class: CriticalClass::GlobalMinimum,
            inertia: Inertia { negative: 0, zero: 0, positive: architecture.inputs() * architecture.outputs() },
            dimension: 0,
        })
    }

    /// A power of two near the largest singular value.
    fn unit(&self) -> f64 {
        self.ladder.levels().unit()
    }

    /// The rung of a pattern, one entry a level.
    pub fn rung(&self, pattern: &[Taken]) -> DecayRung {
        let (levels, widths) = (self.levels(), self.ladder.architecture().widths());
        let counts = Counts::new(levels, pattern, widths);
        let parameters: usize = widths.windows(2).map(|pair| pair[0] * pair[1]).sum();
        let (mut captured, mut roots, mut layer_values) = (Vec::new(), Vec::new(), Vec::new());
        let mut start = 0;
        for (level, taken) in levels.iter().zip(pattern) {
            captured.extend((start..start + taken.total()).map(|k| k + 1));
            for (kind, count) in [(level.first_kind(), taken.large), (RootKind::Small, taken.small)] {
                roots.extend(std::iter::repeat_n(kind, count));
                layer_values.extend(std::iter::repeat_n(kind, count).map(|kind| level.layer_value(kind)));
            }
            start += level.multiplicity;
        }
        DecayRung {
            value: self.value(pattern),
            rank: captured.len(),
            captured: Some(captured),
            roots: Some(roots),
            layer_values: Some(layer_values),
            class: self.class(pattern, counts),
            inertia: Inertia {
                negative: counts.index,
                zero: counts.nullity,
                positive: parameters - counts.index - counts.nullity,
            },
            dimension: counts.dimension,
        }
    }

    fn value(&self, pattern: &[Taken]) -> f64 {
        let unit = self.unit();
        // The smallest first.
        let parts = self.levels().iter().zip(pattern).rev();
        let sum: f64 = parts.map(|(level, taken)| level.value(taken.large, taken.small, unit)).sum();
        self.ladder.levels().floor() + sum * unit * unit
    }

    /// With index 0 the set is that of local minima unless a fold is in it; see `docs/decay.md`.
    fn class(&self, pattern: &[Taken], counts: Counts) -> CriticalClass {
        if counts.index > 0 {
            return CriticalClass::StrictSaddle;
        }
        if counts.folds > 0 {
            return CriticalClass::NonStrictSaddle;
        }
        self.class_of_top(pattern.iter().map(|taken| taken.total()).sum())
    }
}

/// On which side of fold and worth every level is, one list for each.
fn sides(compared: &Compared<'_>, evidence: &mut Evidence) -> [Vec<Side>; 2] {
    let depth = compared.depth;
    if depth == 1 || compared.levels.is_empty() {
        return [vec![Side::Above; compared.levels.len()], vec![Side::Above; compared.levels.len()]];
    }
    let equation = Equation::new(depth);
    let mut side = |quantity: Quantity, log_relative: f64, constant| {
        let Comparison { sides, decision, grade } = compared.with(log_relative, &constant);
        evidence.grade = evidence.grade.max(grade);
        evidence.rest_on(quantity, decision);
        sides
    };
    let fold = side(Quantity::Fold, equation.log_fold(), fold_constant(depth));
    if depth == 2 {
        return [fold.clone(), fold];
    }
    let worth = side(Quantity::Worth, equation.log_worth(), worth_constant(depth));
    [fold, worth]
}

/// Smallest value of `1/2 ||W X - Y||^2 + (l/2) ||W||^2`: `floor + 1/2 sum_j ||z_j||^2 l / (x_j^2 + l)`.
fn ridge_value(whitening: &Whitening, decay: &WeightDecay) -> f64 {
    let root = decay.strength().sqrt();
    let column = |(j, &scale): (usize, &f64)| {
        let norm = whitening.target.column(j).iter().copied().fold(0.0, f64::hypot);
        (norm * (root / scale.hypot(root))).powi(2)
    };
    whitening.floor + 0.5 * whitening.scales.iter().enumerate().map(column).sum::<f64>()
}
