//! Paths through the kernels in double precision, in whitened and normalized coordinates.

use super::change::{Landscape, Steps};
use super::judgement::Judgement;
use super::kernels::{KernelPath, kernel_path};
use super::least_order::{Crossing, least_path};
use super::path::EscapePath;
use super::spaces::NumericalSpaces;
use crate::critical::string_ranks;
use crate::data::Whitening;
use crate::linalg::{Matrix, spectral_norm, svd};
use crate::multiplication::{Factors, RankProfile};
use crate::network::{NormalizedNetwork, SquareNetwork};

/// The search ends at a path of this order.
const LEAST_ORDER: usize = 3;

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
        NumericalSpaces::new(&self.factors, self.first_size, judgement).into_ranks()
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
