//! A distinct singular value of the target with its thresholds and roots.

use super::equation::{Equation, Root, RootKind};
use super::task::Recognized;
use super::threshold::Side;
use crate::critical::ladder::Level;
use crate::network::WeightDecay;

/// A direction, or several with equal singular values.
#[derive(Debug, Clone)]
pub struct DecayLevel {
    /// The singular value of the whitened target.
    pub sigma: f64,
    /// How often it occurs.
    pub multiplicity: usize,
    /// The decay from which on the direction has no root; `None` for one layer.
    pub fold: Option<f64>,
    /// The decay up to which it is worth capturing; `None` for one layer.
    pub worth: Option<f64>,
    /// The decay is the one at the fold.
    pub(super) at_fold: bool,
    /// Side of the decay at which the direction just pays.
    pub(super) worth_side: Side,
    roots: Roots,
    /// Logarithm of `(s/x)^{1/h}`, the layer value without decay.
    full: f64,
    depth: usize,
}

#[derive(Debug, Clone, Copy)]
enum Roots {
    None,
    /// One root for one or two layers, and the fold.
    One(Root, RootKind),
    Two(Root, Root),
}

impl DecayLevel {
    pub(super) fn new(
        level: Level,
        recognized: &Recognized,
        decay: &WeightDecay,
        depth: usize,
        [fold, worth]: [Side; 2],
    ) -> Self {
        let equation = Equation::new(depth);
        let log_decay = recognized.log_relative_decay(decay.strength(), level.value, depth);
        let at = |log_relative: f64| (decay.strength().ln() + log_relative - log_decay).exp();
        let several = depth > 1;
        let roots = match (depth, fold) {
            (1, _) => Roots::One(equation.large(log_decay), RootKind::Large),
            (2, Side::Above) => Roots::One(equation.large(log_decay), RootKind::Large),
            (2, _) | (_, Side::Below | Side::Unclear) => Roots::None,
            (_, Side::At) => Roots::One(equation.fold_root(), RootKind::Fold),
            (_, Side::Above) => {
                // What is proved to be below the fold may be beyond it by rounding.
                let below = log_decay.min(equation.log_fold());
                Roots::Two(equation.large(below), equation.small(below))
            }
        };
        let ratio = level.value.ln() - recognized.input_scale(level.value).ln();
        Self {
            sigma: level.value,
            multiplicity: level.multiplicity,
            fold: several.then(|| at(equation.log_fold())),
            worth: several.then(|| at(equation.log_worth())),
            at_fold: several && fold == Side::At,
            worth_side: if several { worth } else { Side::Above },
            roots,
            full: ratio / depth as f64,
            depth,
        }
    }

    /// It has a root.
    pub(super) fn is_capturable(&self) -> bool {
        !matches!(self.roots, Roots::None)
    }

    /// Its two roots are one.
    pub(super) fn is_fold(&self) -> bool {
        matches!(self.roots, Roots::One(_, RootKind::Fold))
    }

    fn large(&self) -> Option<Root> {
        match self.roots {
            Roots::None => None,
            Roots::One(root, _) | Roots::Two(root, _) => Some(root),
        }
    }

    fn small(&self) -> Option<Root> {
        match self.roots {
            Roots::Two(_, root) => Some(root),
            _ => None,
        }
    }

    /// It has two roots.
    pub(super) fn has_small(&self) -> bool {
        matches!(self.roots, Roots::Two(..))
    }

    /// Which root the first of the two counts of a pattern stands for.
    pub(super) fn first_kind(&self) -> RootKind {
        if self.is_fold() { RootKind::Fold } else { RootKind::Large }
    }

    /// `w` of a root: `kind` is one that the level has.
    pub(super) fn layer_value(&self, kind: RootKind) -> f64 {
        let root = if kind == RootKind::Small { self.small() } else { self.large() };
        root.map_or(0.0, |root| (self.full + root.log_layer_value(self.depth)).exp())
    }

    /// The layer value without decay.
    pub(super) fn full_layer_value(&self) -> f64 {
        self.full.exp()
    }

    /// What one captured direction adds to `L` in units of `unit^2`, minus what it adds when it is not captured.
    pub(super) fn gains(&self, unit: f64) -> [Option<f64>; 2] {
        let square = (self.sigma / unit).powi(2);
        [self.large(), self.small()].map(|root| root.map(|root| square * root.gain(self.depth)))
    }

    /// What the directions of the level add to `L`, in units of `unit^2`.
    pub(super) fn value(&self, large: usize, small: usize, unit: f64) -> f64 {
        let square = (self.sigma / unit).powi(2);
        let of = |root: Option<Root>, count: usize| root.map_or(0.0, |root| count as f64 * root.value(self.depth));
        let omitted = (self.multiplicity - large - small) as f64;
        square * (of(self.large(), large) + of(self.small(), small) + 0.5 * omitted)
    }
}
