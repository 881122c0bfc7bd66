//! Whitening: the coordinates in which the square loss is a distance.
//!
//! With `X` of rank `rho` and thin decomposition `X = U S V'` (samples as columns),
//! `1/2 ||W X - Y||^2 = 1/2 ||W (U S) - Z||^2 + floor`, where `Z = Y V` is the whitened target and the floor is
//! `1/2 (||Y||^2 - ||Z||^2)`. No assumption on `X` or `Y`.

use super::exact::{ExactMoments, ExactWhitening};
use super::factor::TriangularFactor;
use super::movement::{TargetMovement, decide_target};
use crate::evidence::{Movement, RankDecision};
use crate::linalg::{Matrix, Svd, svd};
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

/// Smallest singular value of `X`, relative to the largest, whose digits are kept although the data are exact.
const ILL_CONDITIONED: f64 = 1e-7;

/// What whitened data are made of.
struct Parts {
    basis: Matrix,
    scales: Vec<f64>,
    target: Matrix,
    /// `(||Y||^2 - ||Z||^2)^{1/2}`
    rest: f64,
}

/// Whitened data.
#[derive(Debug, Clone)]
pub struct Whitening {
    /// Rank of `X`.
    pub rank: RankDecision,
    /// `U`, of shape `d_0 x rho`: orthonormal basis of the column space of `X`.
    pub basis: Matrix,
    /// Singular values of `X` that were kept, non-increasing.
    pub scales: Vec<f64>,
    /// `Z`, of shape `d_h x rho`.
    pub target: Matrix,
    /// Thin singular value decomposition of `Z`.
    pub spectrum: Svd,
    /// `1/2 (||Y||^2 - ||Z||^2)`: the part of the loss that no `W` reaches.
    pub floor: f64,
    /// `||Y||`.
    pub target_norm: f64,
    /// Rank of `Z`: which of its singular values are not zero.
    pub target_rank: RankDecision,
    /// How far storing X and Y can have moved the singular values of `Z`.
    pub moved: Movement,
}

impl Whitening {
    /// Whitens data given by their triangular factor.
    pub fn new(factor: &TriangularFactor, tolerances: &Tolerances) -> Self {
        Self::of_stored(&factor.xx(), &factor.xy(), &factor.yy(), factor.moved, tolerances)
    }

    /// Whitens data given by blocks of their triangular factor: `X' = Q [xx; 0]`, `Y' = Q [xy; yy]`.
    ///
    /// A singular value of `X` counts as zero when it is at most
    /// `tolerances.rank * 2^-53 * sqrt(d_0) * largest`.
    pub fn from_blocks(xx: &Matrix, xy: &Matrix, yy: &Matrix, tolerances: &Tolerances) -> Self {
        Self::of_stored(xx, xy, yy, [Movement::default(); 2], tolerances)
    }

    /// The same where storing `X` and `Y` can have moved them by this much in Frobenius norm: see [`RankDecision::of_stored`]
    /// for the rank of `X`, and `docs/accuracy.md` for that of `Z`.
    fn of_stored(xx: &Matrix, xy: &Matrix, yy: &Matrix, moved: [Movement; 2], tolerances: &Tolerances) -> Self {
        let Svd { u, s, v } = svd(xx);
        let scale = s.first().copied().unwrap_or(0.0);
        let computed = tolerances.relative_rounding(UNIT_ROUNDOFF, xx.ncols()) * scale;
        let rank = RankDecision::of_stored(&s, computed, moved[0], scale, tolerances);
        let target = xy.transpose_times(&u.columns(0, rank.rank));
        let unreached = xy.transpose_times(&u.columns(rank.rank, u.ncols()));
        let rest = yy.frobenius_norm().hypot(unreached.frobenius_norm());
        let parts = Parts { basis: v.columns(0, rank.rank), scales: s[..rank.rank].to_vec(), target, rest };
        Self::assemble(parts, rank, moved, tolerances)
    }

    fn assemble(parts: Parts, rank: RankDecision, moved: [Movement; 2], tolerances: &Tolerances) -> Self {
        let Parts { basis, scales, target, rest } = parts;
        let spectrum = svd(&target);
        let target_norm = rest.hypot(target.frobenius_norm());
        let movement = TargetMovement { scales: &scales, target: &target, rest, moved };
        let computed = tolerances.relative_rounding(UNIT_ROUNDOFF, target.larger_dimension()) * target_norm;
        let target_rank = decide_target(&movement, &spectrum.s, computed, target_norm, tolerances);
        let moved = movement.of_singular_values();
        Self { floor: 0.5 * rest * rest, basis, scales, target, spectrum, target_norm, rank, target_rank, moved }
    }

    /// The same where the moments of the data are known over the rationals: the ranks of `X` and `Z` are exact, and the singular
    /// values of `Z` beyond its rank are zero. Where rounding hides the rank of `X`, or leaves few digits of its smallest
    /// singular value, everything is computed from the exact moments.
    #[must_use]
    pub fn with_exact_moments(self, moments: &ExactMoments, tolerances: &Tolerances) -> Self {
        let (data_rank, target_rank) = (moments.xx.rank(), moments.yx.rank());
        let smallest = self.scales.last().copied().unwrap_or(0.0);
        let accurate = self.rank.rank == data_rank && smallest >= ILL_CONDITIONED * self.rank.scale;
        let mut out = match (accurate, moments.whitened()) {
            (false, Some(ExactWhitening { basis, scales, target, rest })) => {
                let parts = Parts { basis, scales, target, rest };
                Self::assemble(parts, RankDecision::exact(data_rank), [Movement::default(); 2], tolerances)
            }
            _ => self,
        };
        out.rank = if out.rank.rank == data_rank { RankDecision::exact(data_rank) } else { out.rank };
        out.spectrum.s.iter_mut().skip(target_rank).for_each(|value| *value = 0.0);
        if target_rank == 0 {
            out.target = Matrix::zeros(out.target.nrows(), out.target.ncols());
        }
        out.target_rank = RankDecision::exact(target_rank.min(out.spectrum.s.len()));
        out.moved = Movement::default();
        out
    }

    /// `U S`, of shape `d_0 x rho`: stands for `X` in every formula of the square loss.
    pub fn inputs(&self) -> Matrix {
        self.basis.scale_columns(&self.scales)
    }

    /// Singular values of the whitened target, non-increasing, `min(d_h, rho)` of them.
    pub fn singular_values(&self) -> &[f64] {
        &self.spectrum.s
    }

    /// Smallest value of the square loss over matrices of rank at most `rank`: `floor + 1/2 sum_{i > rank} s_i^2`.
    pub fn minimum_at_rank(&self, rank: usize) -> f64 {
        self.floor + 0.5 * self.spectrum.s.iter().skip(rank).map(|s| s * s).sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::triangular_factor;
    use crate::random::Stream;

    fn blocks(x: &Matrix, y: &Matrix) -> (Matrix, Matrix, Matrix) {
        let (n, d0, dh) = (x.ncols(), x.nrows(), y.nrows());
        let mut stacked = Matrix::zeros(n.max(d0 + dh), d0 + dh);
        stacked.set_block(0, 0, &x.transpose());
        stacked.set_block(0, d0, &y.transpose());
        let r = triangular_factor(stacked);
        (r.block(0, 0, d0, d0), r.block(0, d0, d0, dh), r.block(d0, d0, dh, dh))
    }

    #[test]
    fn loss_is_a_distance_plus_the_floor_for_data_of_any_rank() {
        let mut stream = Stream::new(4, 0);
        for (d0, dh, n, rank) in [(3, 2, 10, 3), (4, 3, 2, 2), (5, 2, 9, 2), (3, 3, 4, 0)] {
            let x = &stream.normal_matrix(d0, rank) * &stream.normal_matrix(rank, n);
            let y = stream.normal_matrix(dh, n);
            let (xx, xy, yy) = blocks(&x, &y);
            let white = Whitening::from_blocks(&xx, &xy, &yy, &Tolerances::default());
            assert_eq!((white.rank.rank, white.rank.clear), (rank, true));
            let w = stream.normal_matrix(dh, d0);
            let loss = 0.5 * (&(&w * &x) - &y).frobenius_norm().powi(2);
            let distance = 0.5 * (&(&w * &white.inputs()) - &white.target).frobenius_norm().powi(2);
            assert!((loss - distance - white.floor).abs() < 1e-10 * loss);
            assert!((white.target_norm - y.frobenius_norm()).abs() < 1e-12);
        }
    }
}
