//! Paths through the kernels in double precision, in whitened and normalized coordinates.

use std::collections::BTreeMap;

use super::change::{Landscape, Steps};
use super::kernels::{KernelPath, Spaces, kernel_path};
use super::path::EscapePath;
use super::products::Products;
use crate::data::Whitening;
use crate::hessian::{NormalizedNetwork, SquareNetwork};
use crate::linalg::{Matrix, orthonormal_complement, orthonormal_range, spectral_norm, svd};
use crate::multiplication::{Factors, RankProfile};
use crate::random::Stream;
use crate::tolerance::Tolerances;

/// A non-strict saddle cannot be left at a lower order.
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

/// Null spaces of the whitened network, each computed once.
pub(super) struct NumericalSpaces<'a> {
    products: Products<'a, Matrix>,
    ranks: RankProfile,
    sizes: Vec<f64>,
    zero: f64,
    seed: u64,
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
            seed,
            stream: Stream::new(seed, 0),
            known: BTreeMap::new(),
            sizes,
            products: Products::new(factors.matrices()),
        }
    }
}

impl Spaces<Matrix> for NumericalSpaces<'_> {
    fn rank(&mut self, a: usize, k: usize) -> usize {
        self.ranks.rank(a, k)
    }

    fn draw_again(&mut self) {
        self.stream = Stream::new(self.seed, 0);
    }

    fn left(&mut self, k: usize, a: usize) -> Option<Matrix> {
        let (products, ranks) = (&mut self.products, &self.ranks);
        let found = self.known.entry((true, k, a)).or_insert_with(|| {
            let range = orthonormal_range(products.partial(k, a), ranks.rank(a, k));
            Some(orthonormal_complement(&range)).filter(|basis| basis.ncols() > 0)
        });
        found.clone()
    }

    fn right(&mut self, b: usize, k: usize) -> Option<Matrix> {
        let (products, ranks) = (&mut self.products, &self.ranks);
        let found = self.known.entry((false, b, k)).or_insert_with(|| {
            let range = orthonormal_range(&products.partial(b, k).transpose(), ranks.rank(k, b));
            Some(orthonormal_complement(&range)).filter(|basis| basis.ncols() > 0)
        });
        found.clone()
    }

    fn combination(&mut self, basis: &Matrix) -> Matrix {
        let column = basis * &self.stream.normal_matrix(basis.ncols(), 1);
        let size = column.frobenius_norm();
        column.scaled(1.0 / size)
    }

    fn layer_size(&self, k: usize) -> f64 {
        self.sizes[k - 1]
    }

    fn vanishes(&self, m: &Matrix, size: f64) -> bool {
        m.frobenius_norm() <= self.zero * size
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

    pub(super) fn kernel_path(&self, judgement: Judgement<'_>, least: usize) -> Option<KernelPath<Matrix>> {
        let mut spaces = NumericalSpaces::new(&self.factors, self.first_size, judgement);
        kernel_path(&self.landscape(), &mut spaces, &self.u, &self.v, least)
    }
}

/// The path of lowest order through the kernels out of a non-strict saddle, in the parameters as given.
pub(super) fn through_kernels(
    network: &NormalizedNetwork,
    whitening: &Whitening,
    judgement: Judgement<'_>,
) -> Option<(EscapePath, usize)> {
    let found = WhiteLandscape::new(network, judgement)?.kernel_path(judgement, LEAST_ORDER)?;
    Some((as_given(&found.steps, network, whitening)?, found.order))
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
