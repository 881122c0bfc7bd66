//! The form of `[@ZL]` Theorem 3 at every level: with `A_(j,i) = W_j ... W_i` and `Sigma_k = Y Pi_k Y'`, where `Pi_k` projects
//! on the row space of `A_(k,1) X`,
//!
//! `A_(h,k+2) = U_k V_k C_k`, `W_{k+1} = C_k^{-1} V_k' U_k' Y (A_(k,1) X)^+ + L - C_k^{-1} V_k' V_k C_k L (A_(k,1) X)(A_(k,1) X)^+`,
//!
//! `L = L_{k+1}`. For two layers only `k = 0` exists, and this is their Theorem 1.

use super::pattern::{BlockPattern, block_pattern};
use crate::critical::blocks::distinct_blocks;
use crate::hessian::StringRanks;
use crate::linalg::{Matrix, orthonormal_complement, orthonormal_completion, orthonormal_range, pseudo_inverse, svd};
use crate::multiplication::partial_product;
use crate::network::NormalizedNetwork;
use crate::tolerance::Tolerances;

/// The form at level `k`, in the parameters as given.
#[derive(Debug, Clone)]
pub struct LevelForm {
    /// `k`.
    pub k: usize,
    /// Distinct positive singular values of `Y Pi_k`, non-increasing; their squares are the `sigma_i(k)`.
    pub values: Vec<f64>,
    /// `m_i(k)`, how often each occurs.
    pub multiplicities: Vec<usize>,
    /// `mbar(k)`, the number of zero eigenvalues of `Sigma_k`.
    pub zero_multiplicity: usize,
    /// `p_i(k)`.
    pub captured: Vec<usize>,
    /// `pbar(k)`.
    pub zero_captured: usize,
    /// `U_k`, `d_h x d_h`: eigenvectors of `Sigma_k`, by non-increasing eigenvalue.
    pub u: Matrix,
    /// `V_k`, `d_h x d_{k+1}`.
    pub v: Matrix,
    /// `C_k`, `d_{k+1} x d_{k+1}`, invertible.
    pub c: Matrix,
    /// `L_{k+1}`, `d_{k+1} x d_k`.
    pub l: Matrix,
    /// Larger of the errors of `W_{k+1}` and `A_(h,k+2)` rebuilt from these, relative to the size of a factor and of a
    /// product of as many factors, when all are scaled to about equal norms.
    pub error: f64,
    /// `||(I - P) Y X' A_(h-1,1)'||_F`, `P` the projection on the columns of `A_(h,k+2)`, relative to the product of the sizes
    /// of its factors: the condition (6), which has to vanish.
    pub condition: f64,
    pub(super) pattern: BlockPattern,
}

impl LevelForm {
    /// The form at level `k` of a critical point; `None` where a decision is not clear.
    pub(super) fn new(
        k: usize,
        network: &NormalizedNetwork,
        ranks: &StringRanks,
        noise: f64,
        tolerances: &Tolerances,
    ) -> Option<Self> {
        let given = network.given();
        let (layers, h) = (given.layers(), given.layers().len());
        let (rank_in, rank_out) = (ranks.profile().rank(0, k), ranks.profile().rank(k + 1, h));
        let forward = if k == 0 { given.inputs()?.clone() } else { given.forward(k).clone() };
        let seen = svd(&forward);
        let condition_number = match (seen.s.first(), rank_in.checked_sub(1)) {
            (Some(largest), Some(last)) => largest / seen.s.get(last)?,
            _ => 1.0,
        };
        let rows = seen.v.columns(0, rank_in);
        let target = given.target();
        let reduced = (target * &rows).times_transpose(&rows);
        let spectrum = svd(&reduced);
        let size = (target.larger_dimension() as f64).sqrt();
        let tie = tolerances.tie * noise * size * condition_number * network.target_norm();
        let blocks = distinct_blocks(&spectrum.s, tie, tie);
        let positive = blocks.last().map_or(0, |block| block.end);
        let u = orthonormal_completion(&spectrum.u.columns(0, positive));

        let after = partial_product(layers, h, k + 1);
        let columns = orthonormal_range(&after, rank_out);
        let pattern = block_pattern(&u, &blocks, &columns, tolerances.projection)?;
        let part = pattern.diagonal();
        let kept = &u * &part;
        let top = kept.transpose_times(&after);
        let back = pseudo_inverse(&top, rank_out);
        let free = orthonormal_complement(&orthonormal_range(&back, rank_out));
        let inverse = pseudo_inverse(&forward, rank_in);
        let fixed = &back * &(&kept.transpose_times(target) * &inverse);
        let l = &layers[k] - &fixed;
        let determined = &(&back * &top) * &(&(&l * &forward) * &inverse);
        let rebuilt = &(&fixed + &l) - &determined;
        let product = &kept * &top;
        let size_of_all = common_size(layers, network.target_norm());
        let size_after = size_of_all.powi((h - k - 1) as i32);
        let error = relative(&rebuilt, &layers[k], size_of_all).max(relative(&product, &after, size_after));
        let outside = target - &(&kept * &kept.transpose_times(target));
        let last = if h == 1 { given.inputs()? } else { given.forward(h - 1) };
        let open = outside.times_transpose(last).frobenius_norm();
        let before = size_of_all.powi(h as i32 - 1) * given.inputs()?.frobenius_norm();
        let scale = network.target_norm() * before;

        let scales = network.layer_scales();
        let stretch: f64 = scales[k + 1..].iter().product();
        let width = layers[k].nrows();
        let (mut v, mut c) = (Matrix::zeros(target.nrows(), width), Matrix::zeros(width, width));
        v.set_block(0, 0, &part);
        c.set_block(0, 0, &top.scaled(stretch));
        c.set_block(rank_out, 0, &free.transpose());
        Some(Self {
            k,
            values: blocks.iter().map(|block| spectrum.s[block.start] * network.target_scale()).collect(),
            multiplicities: blocks.iter().map(ExactSizeIterator::len).collect(),
            zero_multiplicity: target.nrows() - positive,
            captured: pattern.counts.clone(),
            zero_captured: pattern.zero,
            u,
            v,
            c,
            l: l.scaled(scales[k]),
            error,
            condition: if open == 0.0 { 0.0 } else { open / scale },
            pattern,
        })
    }

    /// `rank A_(h,k+2) = sum p_i(k) + pbar(k)`.
    pub fn rank(&self) -> usize {
        self.captured.iter().sum::<usize>() + self.zero_captured
    }

    /// Number of positive eigenvalues of `Sigma_k`.
    pub(super) fn positive(&self) -> usize {
        self.multiplicities.iter().sum()
    }
}

/// `||a - b||_F / size`, 0/0 = 0.
pub(super) fn relative(a: &Matrix, b: &Matrix, size: f64) -> f64 {
    let difference = (a - b).frobenius_norm();
    if difference == 0.0 { 0.0 } else { difference / size }
}

/// The size that every factor counts for, when all are scaled to about equal norms: the norm of the largest, and at least
/// `||Y||^(1/h)`, so that factors of nothing but rounding errors count as zero.
pub(super) fn common_size(layers: &[Matrix], target_norm: f64) -> f64 {
    let natural = target_norm.powf(1.0 / layers.len() as f64);
    layers.iter().map(Matrix::frobenius_norm).fold(natural, f64::max)
}
