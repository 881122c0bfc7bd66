//! Null spaces of partial products in double precision.

use std::collections::BTreeMap;

use super::judgement::Judgement;
use super::least_order::NullSpaces;
use crate::linalg::{Matrix, orthonormal_complement, orthonormal_range, spectral_norm, svd};
use crate::multiplication::{Factors, RankProfile};
use crate::random::Stream;

/// Null spaces of the whitened network, each computed once.
pub(super) struct NumericalSpaces<'a> {
    factors: &'a Factors,
    ranks: RankProfile,
    sizes: Vec<f64>,
    zero: f64,
    stream: Stream,
    known: BTreeMap<(bool, usize, usize), Option<Matrix>>,
}

impl<'a> NumericalSpaces<'a> {
    /// `first_size` is the size of what was multiplied to whiten the first factor: its rounding errors are relative to that.
    pub(super) fn new(factors: &'a Factors, first_size: f64, judgement: Judgement<'_>) -> Self {
        let Judgement { unit_roundoff, tolerances, seed } = judgement;
        let mut sizes: Vec<f64> = factors.matrices().iter().map(spectral_norm).collect();
        sizes[0] = sizes[0].max(first_size);
        Self {
            ranks: RankProfile::with_sizes(factors, &sizes, unit_roundoff, tolerances),
            zero: tolerances.escape_zero * tolerances.critical_threshold(unit_roundoff),
            stream: Stream::new(seed, 0),
            known: BTreeMap::new(),
            sizes,
            factors,
        }
    }

    /// Ranks of the partial products.
    pub(super) fn into_ranks(self) -> RankProfile {
        self.ranks
    }

    /// Columns `N` with `N' P(k, a) = 0` (`P(k, 0) X` for `a = 0`); `None` if there are none.
    pub(super) fn left(&mut self, k: usize, a: usize) -> Option<Matrix> {
        let (factors, ranks) = (self.factors, &self.ranks);
        let found = self.known.entry((true, k, a)).or_insert_with(|| {
            let range = orthonormal_range(&factors.partial(k, a), ranks.rank(a, k));
            Some(orthonormal_complement(&range)).filter(|basis| basis.ncols() > 0)
        });
        found.clone()
    }

    /// Columns `K` with `P(b, k) K = 0`; `None` if there are none.
    pub(super) fn right(&mut self, b: usize, k: usize) -> Option<Matrix> {
        let (factors, ranks) = (self.factors, &self.ranks);
        let found = self.known.entry((false, b, k)).or_insert_with(|| {
            let range = orthonormal_range(&factors.partial(b, k).transpose(), ranks.rank(k, b));
            Some(orthonormal_complement(&range)).filter(|basis| basis.ncols() > 0)
        });
        found.clone()
    }

    /// A generic unit column in the span of `basis`.
    pub(super) fn combination(&mut self, basis: &Matrix) -> Matrix {
        let column = basis * &self.stream.normal_matrix(basis.ncols(), 1);
        let size = column.frobenius_norm();
        column.scaled(1.0 / size)
    }

    /// Norm of `W_k`, which rounding errors are relative to.
    pub(super) fn layer_size(&self, k: usize) -> f64 {
        self.sizes[k - 1]
    }

    /// `m` is nothing but rounding errors of terms of this size.
    pub(super) fn vanishes(&self, m: &Matrix, size: f64) -> bool {
        m.frobenius_norm() <= self.zero * size
    }
}

impl NullSpaces<Matrix> for NumericalSpaces<'_> {
    fn not_reached(&mut self, k: usize) -> Option<Matrix> {
        self.left(k, 0)
    }

    fn not_seen(&mut self, k: usize) -> Option<Matrix> {
        self.right(self.factors.depth(), k)
    }

    fn partial(&self, j: usize, i: usize) -> Matrix {
        self.factors.partial(j, i)
    }

    fn largest_pair(&self, m: &Matrix) -> (Matrix, Matrix) {
        let found = svd(m);
        (found.u.columns(0, 1), found.v.columns(0, 1))
    }
}
