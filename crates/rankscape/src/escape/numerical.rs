//! Paths through the kernels in double precision, in whitened and normalized coordinates.

use std::collections::BTreeMap;

use super::change::{Landscape, Steps};
use super::kernels::{KernelPath, kernel_path};
use super::least_order::{Crossing, NullSpaces, least_path};
use super::path::EscapePath;
use crate::critical::string_ranks;
use crate::data::Whitening;
use crate::linalg::{Matrix, orthonormal_complement, orthonormal_range, spectral_norm, svd};
use crate::multiplication::{Factors, RankProfile};
use crate::network::{NormalizedNetwork, SquareNetwork};
use crate::problem::Problem;
use crate::random::Stream;
use crate::tolerance::Tolerances;

/// The search ends at a path of this order.
const LEAST_ORDER: usize = 3;

/// How a point in double precision is judged.
#[derive(Debug, Clone, Copy)]
pub struct Judgement<'a> {
    /// Unit roundoff of the type in which the weights were stored.
    pub unit_roundoff: f64,
    /// Tolerances.
    pub tolerances: &'a Tolerances,
    /// Seed of the random combinations of null vectors.
    pub seed: u64,
}

impl<'a> Judgement<'a> {
    /// As the point of a problem is.
    pub fn of(problem: &'a Problem, seed: u64) -> Self {
        Self { unit_roundoff: problem.unit_roundoff(), tolerances: problem.tolerances(), seed }
    }
}

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

/// What a path through the kernels is asked at.
pub(super) struct WhiteLandscape<'a> {
    pub white: &'a SquareNetwork,
    pub factors: Factors,
    first_size: f64,
    pub u: Matrix,
    pub v: Matrix,
}

impl<'a> WhiteLandscape<'a> {
    /// `None` where nothing is left to reach: the residual is zero, or nothing but rounding errors.
    pub(super) fn new(network: &'a NormalizedNetwork, judgement: Judgement<'_>) -> Option<Self> {
        let white = network.whitened();
        let factors = Factors::new(white.layers().to_vec()).ok()?;
        let leading = svd(white.residual());
        let given = network.given();
        let first_size = spectral_norm(&given.layers()[0]) * given.inputs().map_or(1.0, spectral_norm);
        let product = white.layers()[1..].iter().map(spectral_norm).product::<f64>() * first_size;
        let zero = judgement.tolerances.critical_threshold(judgement.unit_roundoff) * (product + network.target_norm());
        leading.s.first().filter(|s| **s > zero)?;
        Some(Self { white, factors, first_size, u: leading.u.columns(0, 1), v: leading.v.columns(0, 1) })
    }

    pub(super) fn landscape(&self) -> Landscape<'_, Matrix> {
        Landscape { layers: self.white.layers(), gram: None, gradient: self.white.residual() }
    }

    /// Ranks of the partial products of the whitened factors.
    pub(super) fn ranks(&self, judgement: Judgement<'_>) -> RankProfile {
        NumericalSpaces::new(&self.factors, self.first_size, judgement).ranks
    }

    pub(super) fn kernel_path(&self, judgement: Judgement<'_>, least: usize) -> Option<KernelPath> {
        let mut spaces = NumericalSpaces::new(&self.factors, self.first_size, judgement);
        kernel_path(&self.landscape(), &mut spaces, &self.u, &self.v, least)
    }
}

/// A path through the kernels, in the parameters as given, and its order.
pub(super) fn through_kernels(
    network: &NormalizedNetwork,
    whitening: &Whitening,
    judgement: Judgement<'_>,
) -> Option<(EscapePath, usize)> {
    let found = WhiteLandscape::new(network, judgement)?.kernel_path(judgement, LEAST_ORDER)?;
    Some((as_given(&found.steps, network, whitening)?, found.order))
}

/// The path of the lowest order out of a non-strict saddle, in the parameters as given, and that order.
pub(super) fn of_least_order(
    network: &NormalizedNetwork,
    whitening: &Whitening,
    judgement: Judgement<'_>,
) -> Option<(EscapePath, usize)> {
    let ranks = string_ranks(network, whitening, judgement.unit_roundoff, judgement.tolerances)?;
    let crossing = Crossing::least(&ranks)?;
    let white = WhiteLandscape::new(network, judgement)?;
    let mut spaces = NumericalSpaces::new(&white.factors, white.first_size, judgement);
    let steps = least_path(&white.landscape(), &mut spaces, &crossing)?;
    Some((as_given(&steps, network, whitening)?, crossing.order()))
}

/// Steps in whitened, normalized coordinates as steps in the parameters as given: the first factor is multiplied by the
/// pseudo-inverse of `U S`.
pub(super) fn as_given(
    steps: &Steps<Matrix>,
    network: &NormalizedNetwork,
    whitening: &Whitening,
) -> Option<EscapePath> {
    let inverse: Vec<f64> = whitening.scales.iter().map(|s| network.input_scale() / s).collect();
    let widths: Vec<(usize, usize)> = network.given().layers().iter().map(Matrix::shape).collect();
    let terms = steps.iter().map(|(power, steps)| {
        let matrices = steps.iter().enumerate().map(|(k, step)| {
            let (rows, cols) = widths[k];
            let Some(step) = step else { return Matrix::zeros(rows, cols) };
            let step =
                if k == 0 { step.scale_columns(&inverse).times_transpose(&whitening.basis) } else { step.clone() };
            step.scaled(network.layer_scales()[k])
        });
        Some((*power, Factors::new(matrices.collect()).ok()?))
    });
    Some(EscapePath { terms: terms.collect::<Option<_>>()? })
}
