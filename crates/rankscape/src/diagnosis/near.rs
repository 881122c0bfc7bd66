//! The critical points next to a point, and whether training stalls there.

use super::{Context, Settings};
use crate::critical::{CriticalClass, NearCriticalPoint, NearPoint, NearSearch, near_critical_point};
use crate::hessian::{Extremes, NormalizedNetwork, extremes};
use crate::linalg::{Extreme, vector_norm};
use crate::multiplication::Factors;

/// The nearest critical points and the curvature at the nearest strict saddle.
#[derive(Debug, Clone)]
pub struct Near {
    /// The points.
    pub found: NearCriticalPoint,
    /// Smallest eigenvalue of the Hessian at the nearest strict saddle, in the parameters as given; `None` where there is no
    /// such saddle or the eigenvalue did not converge.
    pub strict_lambda_min: Option<f64>,
    /// A unit eigenvector of it, where the factors are all the parameters.
    pub(super) strict_curvature: Option<Vec<f64>>,
}

/// Whether training stalls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stall {
    /// `-lambda_min / max(lambda_max, h s^(2h-2) sigma_max(X)^2)`.
    pub rho: f64,
    /// `rho` exceeds the tolerance: the loss will fall soon.
    pub moving: bool,
    /// Smallest eigenvalue of the Hessian.
    pub lambda_min: f64,
}

impl Context<'_> {
    /// The critical points next to a point that is not critical.
    pub(super) fn near(&self) -> Option<Near> {
        let point = self.point;
        let bias = point.output_bias.as_ref();
        let norms = bias.into_iter().flat_map(|bias| bias.columns.iter().flatten()).map(|column| vector_norm(column));
        let others_moved = |factors: &Factors| {
            bias.map_or(0.0, |bias| {
                let last = bias.columns.last().and_then(Option::as_ref);
                let best = bias.best(factors);
                let step: Vec<f64> = last.map_or_else(Vec::new, |b| b.iter().zip(&best).map(|(b, c)| b - c).collect());
                vector_norm(&step)
            })
        };
        let found = near_critical_point(&NearSearch {
            factors: &point.factors,
            network: self.network,
            whitening: &point.whitening,
            output_factor: point.output_factors(),
            others: norms.fold(0.0, f64::hypot),
            others_moved: &others_moved,
            unit_roundoff: self.settings.unit_roundoff,
            tolerances: self.settings.tolerances,
        })?;
        let smallest = found.strict.as_ref().map(|saddle| self.smallest_at(saddle));
        let strict_lambda_min = smallest.as_ref().filter(|pair| pair.converged).map(|pair| pair.value);
        let as_given = point.output_bias.is_none() && point.output_factor.is_none();
        let strict_curvature = smallest.filter(|_| as_given).map(|pair| pair.vector);
        Some(Near { found, strict_lambda_min, strict_curvature })
    }

    fn smallest_at(&self, saddle: &NearPoint) -> Extreme {
        let Settings { tolerances, seed, .. } = self.settings;
        let there = NormalizedNetwork::new(&saddle.factors, &self.point.whitening);
        let mut there = there.with_output_factor(self.point.output_factor.clone());
        if let Some(bias) = &self.point.output_bias {
            let mut columns = bias.columns.clone();
            if let Some(last) = columns.last_mut() {
                *last = Some(bias.best(&saddle.factors));
            }
            there = there.with_biases(&columns, &bias.samples);
        }
        extremes(&there.hessian(), saddle.analysis.inertia, tolerances, seed).smallest
    }

    /// Whether training stalls at a point that is not critical.
    pub(super) fn stall(&self, ends: &Extremes, near: Option<&Near>) -> Option<Stall> {
        let (factors, whitening) = (&self.point.factors, &self.point.whitening);
        let depth = factors.depth();
        let nothing = whitening.rank.rank == 0 || whitening.spectrum.s.first().is_none_or(|&s| s <= 0.0);
        let minimum = near.is_some_and(|near| near.found.nearest.class == CriticalClass::GlobalMinimum);
        if depth == 1 || nothing || minimum || !(ends.smallest.converged && ends.largest.converged) {
            return None;
        }
        let lambda_min = ends.smallest.value;
        let rho = -lambda_min / ends.largest.value.max(self.point.natural_curvature());
        rho.is_finite().then_some(Stall { rho, moving: rho > self.settings.tolerances.stall, lambda_min })
    }
}
