//! A point that was found, in the coordinates as given, with its class.

use super::nearest::Landed;
use super::rung::{Kind, Rung};
use super::{LANDING_ROUNDOFF, NearPoint, NearSearch, Search};
use crate::critical::class::{CriticalClass, CriticalPoint};
use crate::critical::numerical::classify_with_sizes;
use crate::linalg::{Matrix, spectral_norm};
use crate::multiplication::Factors;
use crate::network::{NormalizedNetwork, SquareNetwork};
use crate::tolerance::UNIT_ROUNDOFF;

impl Search<'_> {
    pub(super) fn classified(&self, rung: &Rung, expected: CriticalClass, landed: &Landed) -> Option<NearPoint> {
        let NearSearch { network, whitening, tolerances, .. } = *self.point;
        let factors = self.as_given(&landed.layers);
        let found = NormalizedNetwork::new(&factors, whitening);
        let threshold = tolerances.critical_threshold(self.point.unit_roundoff).max(tolerances.near_gradient);
        let gradient_after = found.relative_gradient(LANDING_ROUNDOFF, tolerances);
        // Beside products of the size of the noise, rounding errors are large, but they are no more than that.
        let is_critical = gradient_after <= threshold || found.is_critical(UNIT_ROUNDOFF, tolerances);
        let analysis = self.analysis(rung, landed);
        let class = match (rung.kind, analysis.class) {
            (Kind::Top, CriticalClass::StrictSaddle | CriticalClass::NonStrictSaddle) => analysis.class,
            _ => expected,
        };
        let others = (self.point.others_moved)(&factors);
        let scale = network.target_scale();
        let residual = (&rung.projection - network.whitened().target()).frobenius_norm() * scale;
        Some(NearPoint {
            class,
            captured: rung.captured.clone(),
            distance: (landed.distance * self.coordinates.unit).hypot(others) / self.size(rung),
            distance_whitened: self.distance_whitened(&landed.layers, others),
            gradient_after,
            value: whitening.floor + 0.5 * residual * residual,
            factors,
            analysis,
        })
        .filter(|near| near.distance.is_finite() && is_critical)
    }

    /// Class and inertia from the ranks, with rounding errors relative to the layers of the start.
    fn analysis(&self, rung: &Rung, landed: &Landed) -> CriticalPoint {
        let NearSearch { factors, network, whitening, tolerances, .. } = *self.point;
        let mut whitened = landed.layers.clone();
        let scales: Vec<f64> = whitening.scales.iter().map(|s| s / network.input_scale()).collect();
        whitened[0] = whitened[0].scale_columns(&scales);
        if let Some((c, _)) = self.point.output_factor {
            let last = whitened.len() - 1;
            whitened[last] = c * &whitened[last];
        }
        let natural = spectral_norm(&rung.cleaned).powf(1.0 / whitened.len() as f64);
        let sizes: Vec<f64> = network
            .whitened()
            .layers()
            .iter()
            .map(
                |w| if rung.rank() == 0 && !landed.is_exact { spectral_norm(w).max(natural) } else { spectral_norm(w) },
            )
            .collect();
        let landed = SquareNetwork::new(whitened, None, rung.cleaned.clone());
        let inputs = factors.architecture().inputs();
        classify_with_sizes(&landed, whitening, inputs, &sizes, LANDING_ROUNDOFF, tolerances)
    }

    /// Back to the coordinates as given: the first factor moves inside the column space of `X` only.
    fn as_given(&self, layers: &[Matrix]) -> Factors {
        let mut moved = self.point.factors.clone();
        let scales = self.point.network.layer_scales();
        let last = layers.len() - 1;
        for (k, (layer, start)) in layers.iter().zip(&self.coordinates.start).enumerate() {
            let whole = k > 0 || self.point.whitening.rank.rank == moved.matrices()[0].ncols();
            if whole && layer.max_abs() == 0.0 {
                *moved.layer_mut(k + 1) = moved.matrices()[k].scaled(0.0);
                continue;
            }
            let output = self.point.output_factor.filter(|_| k == last);
            if k > 0 && output.is_none() {
                *moved.layer_mut(k + 1) = layer.scaled(scales[k]);
                continue;
            }
            let basis = (k == 0).then_some(&self.point.whitening.basis);
            let mut step = (layer - start).scaled(scales[k]);
            // The second time against the rounding errors of the first, which are those of what has been taken away.
            for _ in 0..2 {
                let given = basis.map_or_else(|| step.clone(), |basis| step.times_transpose(basis));
                moved.layer_mut(k + 1).add_scaled(1.0, &output.map_or_else(|| given.clone(), |(c, _)| c * &given));
                let now =
                    output.map_or_else(|| moved.matrices()[k].clone(), |(_, inverse)| inverse * &moved.matrices()[k]);
                step = &layer.scaled(scales[k]) - &basis.map_or_else(|| now.clone(), |basis| &now * basis);
            }
        }
        moved
    }

    fn distance_whitened(&self, layers: &[Matrix], others: f64) -> f64 {
        let scales = self.point.network.layer_scales();
        let inputs = &self.point.whitening.scales;
        let norm = |k: usize, matrix: &Matrix| {
            let whitened = if k == 0 { matrix.scale_columns(inputs) } else { matrix.clone() };
            scales[k] * whitened.frobenius_norm()
        };
        let steps = layers.iter().zip(&self.coordinates.start).enumerate();
        let moved = steps.map(|(k, (a, b))| norm(k, &(a - b))).fold(others, f64::hypot);
        let start = self.coordinates.start.iter().enumerate();
        moved / start.map(|(k, w)| norm(k, w)).fold(self.point.others, f64::hypot)
    }
}
