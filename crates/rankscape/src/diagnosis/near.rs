//! The critical points next to a point, and whether training stalls there.

use super::output_metric::times_vector;
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
        let others = bias.map_or(0.0, |bias| self.length_of_biases(&bias.columns));
        let others_moved = |factors: &Factors| {
            bias.map_or(0.0, |bias| {
                let moved = bias.nearest(factors, point.output_factor.as_ref());
                let steps = moved.iter().zip(&bias.columns).map(|(to, from)| {
                    to.as_ref().zip(from.as_ref()).map(|(to, from)| to.iter().zip(from).map(|(a, b)| a - b).collect())
                });
                self.length_of_biases(&steps.collect::<Vec<Option<Vec<f64>>>>())
            })
        };
        let found = near_critical_point(&NearSearch {
            factors: &point.factors,
            network: self.network,
            whitening: &point.whitening,
            output_factor: point.output_factors(),
            others,
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

    /// Norm of all biases, or of changes of them, as given.
    fn length_of_biases(&self, columns: &[Option<Vec<f64>>]) -> f64 {
        let last = columns.len() - 1;
        let given = |(k, column): (usize, &Vec<f64>)| match &self.point.inverse_output_factor {
            Some(inverse) if k == last => vector_norm(&times_vector(inverse, column)),
            _ => vector_norm(column),
        };
        columns
            .iter()
            .enumerate()
            .filter_map(|(k, column)| Some((k, column.as_ref()?)))
            .map(given)
            .fold(0.0, f64::hypot)
    }

    fn smallest_at(&self, saddle: &NearPoint) -> Extreme {
        let Settings { tolerances, seed, .. } = self.settings;
        let there = NormalizedNetwork::new(&saddle.factors, &self.point.whitening);
        let mut there = there.with_output_factor(self.point.output_factor.clone());
        if let Some(bias) = &self.point.output_bias {
            let columns = bias.nearest(&saddle.factors, self.point.output_factor.as_ref());
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
