//! How far storing `X` and `Y` in a short type can have moved the singular values of the whitened target.
//!
//! Let `X_0`, `Y_0` be what was meant, `||X - X_0|| <= xi`, `||Y - Y_0|| <= eta`, both `X` of the same rank. The row spaces of
//! `X` and `X_0` then differ by an angle with `sin theta <= xi / sigma_min(X)`, and with `R = Y (I - P)` the part of `Y` that
//! no product reaches, `cos theta (s_i - ||R|| tan theta) - eta <= s_i^0 <= s_i + ||R|| tan theta + eta`. Proofs are in
//! `docs/accuracy.md`.

use crate::evidence::{Movement, RankDecision};
use crate::linalg::{Matrix, singular_values};
use crate::tolerance::Tolerances;

/// Whitened data and how far, in Frobenius norm, `X` and `Y` can have moved.
pub(super) struct TargetMovement<'a> {
    /// Singular values of `X`, non-increasing.
    pub(super) scales: &'a [f64],
    /// `Z`.
    pub(super) target: &'a Matrix,
    /// Frobenius norm of the part of `Y` that no product reaches.
    pub(super) rest: f64,
    /// Of `X`, and of `Y`.
    pub(super) moved: [Movement; 2],
}

impl TargetMovement<'_> {
    /// How far the singular values of `Z` can have moved.
    pub(super) fn of_singular_values(&self) -> Movement {
        let smallest = self.scales.last().copied().unwrap_or(0.0);
        let bound = |moved: [f64; 2]| {
            let sine = moved[0] / smallest;
            let shrunk = if sine < 1.0 { sine * sine * self.target.frobenius_norm() } else { 0.0 };
            self.bound(moved, smallest, self.rest) + shrunk
        };
        let [x, y] = self.moved;
        Movement { likely: bound([x.likely, y.likely]), possible: bound([x.possible, y.possible]) }
    }

    /// `||R|| tan theta + eta / cos theta`; no more than everything where the angle is not bounded.
    fn bound(&self, [xi, eta]: [f64; 2], smallest: f64, rest: f64) -> f64 {
        if xi == 0.0 {
            return eta;
        }
        let everything = rest.hypot(self.target.frobenius_norm()) + eta;
        if xi >= smallest {
            return everything;
        }
        let sine = xi / smallest;
        let cosine = (1.0 - sine * sine).sqrt();
        (rest * sine / cosine + eta / cosine).min(everything)
    }

    /// How many singular values of what was meant are surely positive. The columns of `Z` along the largest singular values of
    /// `X`, whose directions hardly moved, give a lower bound for each choice of how many.
    fn surely_positive(&self, computed: f64, tolerances: &Tolerances) -> usize {
        let [x, y] = self.moved;
        let largest = self.scales.first().copied().unwrap_or(0.0);
        let mut sure = 0;
        let mut level = 0.0;
        for (at, &scale) in self.scales.iter().enumerate().rev() {
            // A coarse grid of choices is enough: the bound is proportional to the reciprocal of the scale.
            if scale < 2.0 * level && at > 0 {
                continue;
            }
            level = scale;
            let kept = self.target.columns(0, at + 1);
            let left_out = self.target.columns(at + 1, self.target.ncols()).frobenius_norm();
            let moved = self.bound([x.possible, y.possible], scale, self.rest.hypot(left_out));
            let clear = (tolerances.rank_gap * computed).max(tolerances.stored_gap * moved);
            sure = sure.max(singular_values(&kept).iter().filter(|&&value| value > clear).count());
            if sure == self.target.nrows() || x.possible == 0.0 || scale == largest {
                break;
            }
        }
        sure
    }
}

/// Which of the singular values `values` of the whitened target are not zero, where `computed` bounds the rounding errors of
/// the computation. Values that storing can have made count as zero as in [`RankDecision::of_stored`].
pub(super) fn decide_target(
    movement: &TargetMovement<'_>,
    values: &[f64],
    computed: f64,
    scale: f64,
    tolerances: &Tolerances,
) -> RankDecision {
    let plain = RankDecision::of_stored(values, computed, movement.of_singular_values(), scale, tolerances);
    if plain.clear || movement.moved[0].possible == 0.0 {
        return plain;
    }
    let sure = movement.surely_positive(computed, tolerances);
    if sure < plain.rank || sure == 0 {
        return plain;
    }
    let below = values.get(sure).copied();
    let tolerance = below.unwrap_or(0.0).max(computed);
    RankDecision { rank: sure, above: Some(values[sure - 1]), below, tolerance, scale, clear: true }
}
