//! Which rung a critical point lies on, read off its first layer.

use super::DecayLadder;
use super::equation::RootKind;
use super::level::DecayLevel;
use super::rung::{DecayRung, Taken};
use crate::data::Whitening;
use crate::linalg::{Matrix, singular_values};

impl DecayLadder {
    /// The rung of a critical point with this first layer. Critical points are balanced and aligned, so `W_1` restricted to the
    /// right singular directions of a level has the layer values of that level as its singular values. Each has to be the one of the roots, or 0, to
    /// `rounding` of the distance to the next. `None` where one is not, or the ladder is not clear.
    pub fn identify(&self, first: &Matrix, whitening: &Whitening, rounding: f64) -> Option<DecayRung> {
        if !self.is_clear() {
            return None;
        }
        if self.without_decay().architecture().depth() == 1 {
            return self.lowest(1).pop();
        }
        let seen = &(first * &whitening.basis) * &whitening.spectrum.v;
        let mut start = 0;
        let mut pattern = Vec::with_capacity(self.levels().len());
        for level in self.levels() {
            let columns = seen.columns(start, start + level.multiplicity);
            pattern.push(taken(level, &singular_values(&columns), rounding)?);
            start += level.multiplicity;
        }
        let rank: usize = pattern.iter().map(|taken| taken.total()).sum();
        (rank <= self.most_captured()).then(|| self.rung(&pattern))
    }
}

/// How many of these values are which root.
fn taken(level: &DecayLevel, values: &[f64], rounding: f64) -> Option<Taken> {
    let mut candidates = vec![(0.0, None)];
    candidates.extend(level.has_small().then(|| (level.layer_value(RootKind::Small), Some(RootKind::Small))));
    let first = level.first_kind();
    candidates.extend(level.is_capturable().then(|| (level.layer_value(first), Some(first))));
    let apart = candidates.windows(2).map(|pair| pair[1].0 - pair[0].0).fold(level.full_layer_value(), f64::min);
    let mut taken = Taken::default();
    for value in values {
        let near = |candidate: &&(f64, Option<RootKind>)| (value - candidate.0).abs() <= rounding * apart;
        match candidates.iter().find(near)?.1 {
            None => {}
            Some(RootKind::Small) => taken.small += 1,
            Some(_) => taken.large += 1,
        }
    }
    Some(taken)
}
