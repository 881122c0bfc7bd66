//! The critical point next to a point whose gradient is small but not zero.
//!
//! Trained weights are never exactly critical. The search snaps first: the captured directions are read off the
//! product, the ranks of all partial and wrapped products off the gaps in their singular values. These ranks define a
//! smooth stratum of critical points, and Gauss-Newton steps of minimal norm lead to it. Several ways to read the gaps
//! are tried; a reading counts only if every rank it keeps is larger, by `near_gap`, than what the movement could make.

mod pattern;
mod stratum;

use std::cell::Cell;

use super::captured::Captured;
use super::class::{CriticalClass, CriticalPoint};
use super::numerical::classify_with_sizes;
use crate::data::Whitening;
use crate::hessian::{NormalizedNetwork, SquareNetwork};
use crate::linalg::{Matrix, spectral_norm};
use crate::multiplication::{Barcode, Factors, RankProfile};
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

use pattern::{Projection, RankPattern, nearest_projection};
use stratum::RankStratum;

/// Iterations of the linear solver in one search; a search that needs more is undecided.
const KRYLOV_BUDGET: usize = 2000;
/// Entries of a point that Gauss-Newton reached are known up to this.
const LANDING_ROUNDOFF: f64 = 64.0 * UNIT_ROUNDOFF;

/// A critical point near a given point.
#[derive(Debug, Clone)]
pub struct NearCriticalPoint {
    /// Class of the critical point; undecided when the gaps allow several readings or none.
    pub class: CriticalClass,
    /// 1-based indices of the captured singular directions.
    pub captured: Vec<usize>,
    /// Rank of the whitened product there.
    pub rank: usize,
    /// `||theta - theta*|| / ||theta||`, Frobenius norms, with the first factor whitened; `None` if no point was found.
    pub distance: Option<f64>,
    /// `gradient.relative` at the critical point.
    pub gradient_after: Option<f64>,
    /// Loss at the critical point.
    pub value: f64,
    /// The critical point in the coordinates as given.
    pub factors: Option<Factors>,
    /// Its classification.
    pub analysis: Option<CriticalPoint>,
    /// The scaled gradient that counted as small.
    pub scaled_gradient: f64,
    /// What it was compared with.
    pub threshold: f64,
}

impl NearCriticalPoint {
    /// Barcode of the factors of the critical point; `None` if no point was found or its ranks are not clear.
    pub fn barcode(&self) -> Option<Barcode> {
        let profile = RankProfile::new(self.factors.as_ref()?, LANDING_ROUNDOFF, &Tolerances::default());
        Barcode::new(&profile).filter(|_| profile.is_clear())
    }
}

/// Looks for the critical point next to `factors`; `None` when the gradient is not small or no spectral projection of
/// the target is near the product.
///
/// Small means `max_k ||grad_k||_F s_k / ||Z||_F^2 <= tolerances.near_gradient` in whitened coordinates, where `s_k` is
/// the larger of `||W_k||_2` and the natural scale of a layer, `(||Z||_2 / ||X||_2)^(1/h)`. Near the zero product, where
/// every gradient is small, the bound is `tolerances.near_gradient_at_zero`.
pub fn near_critical_point(
    factors: &Factors,
    network: &NormalizedNetwork,
    whitening: &Whitening,
    tolerances: &Tolerances,
) -> Option<NearCriticalPoint> {
    if whitening.rank.rank == 0 || whitening.spectrum.s.first().copied().unwrap_or(0.0) == 0.0 {
        return None;
    }
    let projection = nearest_projection(network.whitened().output(), whitening, network.target_scale(), tolerances)?;
    let search = Search::new(factors, network, whitening, tolerances, &projection);
    if search.scaled_gradient > search.threshold {
        return None;
    }
    let distance = projection.captured.distance;
    if !projection.settled {
        return (distance <= tolerances.near_rival).then(|| search.report(&[], false));
    }
    let (complete, partial): (Vec<_>, Vec<_>) = search.patterns().into_iter().partition(|p| p.complete);
    let landings = search.land_all(&complete);
    if !landings.is_empty() {
        return Some(search.report(&landings, true));
    }
    let landings = search.land_all(&partial);
    let close = distance.max(search.scaled_gradient) <= tolerances.near_rival;
    (close || !landings.is_empty()).then(|| search.report(&landings, false))
}

/// `max_k ||grad_k||_F max(||W_k||_2, s_k) / ||Z||_F^2`.
fn scaled_gradient(network: &SquareNetwork, natural: &[f64]) -> f64 {
    let total = network.target().frobenius_norm().powi(2);
    let blocks = network.gradient();
    let sizes = network.layers().iter().zip(natural).map(|(w, &s)| spectral_norm(w).max(s));
    blocks.iter().zip(sizes).map(|(block, size)| block.frobenius_norm() * size / total).fold(0.0, f64::max)
}

struct Search<'a> {
    factors: &'a Factors,
    network: &'a NormalizedNetwork,
    whitening: &'a Whitening,
    tolerances: &'a Tolerances,
    projection: &'a Projection,
    /// Natural size of every factor in the scaled coordinates.
    natural: Vec<f64>,
    scaled_gradient: f64,
    threshold: f64,
    /// What is left of the iterations of the linear solver.
    budget: Cell<usize>,
}

/// A critical point that Gauss-Newton reached.
struct Landing {
    layers: Vec<Matrix>,
    distance: f64,
    gradient: f64,
    analysis: CriticalPoint,
}

impl<'a> Search<'a> {
    fn new(
        factors: &'a Factors,
        network: &'a NormalizedNetwork,
        whitening: &'a Whitening,
        tolerances: &'a Tolerances,
        projection: &'a Projection,
    ) -> Self {
        let depth = factors.depth();
        let ratio = whitening.spectrum.s[0] / whitening.scales[0];
        let size = ratio.powf(1.0 / depth as f64);
        let mut natural: Vec<f64> = network.layer_scales().iter().map(|c| size / c).collect();
        natural[0] *= spectral_norm(network.given().inputs().unwrap_or(&Matrix::identity(1)));
        let scaled_gradient = scaled_gradient(network.whitened(), &natural);
        let zero = projection.captured.indices.is_empty();
        let threshold = if zero { tolerances.near_gradient_at_zero } else { tolerances.near_gradient };
        let budget = Cell::new(KRYLOV_BUDGET);
        Self { factors, network, whitening, tolerances, projection, natural, scaled_gradient, threshold, budget }
    }

    fn captured(&self) -> &Captured {
        &self.projection.captured
    }

    fn rank(&self) -> usize {
        self.captured().indices.len()
    }

    /// What counts as the size of a factor: its norm, or the natural size where nothing is captured and a factor may be
    /// all noise.
    fn sizes(&self) -> Vec<f64> {
        let layers = self.network.whitened().layers().iter().zip(&self.natural);
        layers.map(|(w, &s)| if self.rank() == 0 { spectral_norm(w).max(s) } else { spectral_norm(w) }).collect()
    }

    /// The readings of the gaps, from the loosest noise level to the tightest.
    fn patterns(&self) -> Vec<RankPattern> {
        let layers = self.network.whitened().layers();
        RankPattern::readings(layers, &self.projection.residual, self.rank(), &self.sizes(), self.tolerances)
    }

    /// Landings from several readings, nearest first.
    fn land_all(&self, patterns: &[RankPattern]) -> Vec<Landing> {
        let mut landings: Vec<Landing> = patterns.iter().filter_map(|pattern| self.land(pattern)).collect();
        landings.sort_by(|a, b| a.distance.total_cmp(&b.distance));
        landings
    }

    fn land(&self, pattern: &RankPattern) -> Option<Landing> {
        let white = self.network.whitened();
        let start = white.layers().to_vec();
        let residual = &self.projection.residual;
        let (rank, sizes) = (self.rank(), self.sizes());
        let survives = |layers: &[Matrix]| {
            let moved = layers.iter().zip(&start).zip(&sizes).map(|((a, b), size)| spectral_norm(&(a - b)) / size);
            let noise = moved.fold(0.0, f64::max);
            pattern.survives(&start, residual, &sizes, rank, self.tolerances.near_gap * noise)
        };
        let layers = RankStratum::new(pattern, &self.captured().projection, residual).project(
            pattern.snap(start.clone()),
            &self.budget,
            &survives,
        )?;
        let moved = layers.iter().zip(&start).map(|(a, b)| (a - b).frobenius_norm()).fold(0.0, f64::hypot);
        let size = start.iter().zip(&self.natural).map(|(w, s)| w.frobenius_norm().max(*s)).fold(0.0, f64::hypot);
        let distance = moved / size;
        if distance > self.tolerances.near_distance {
            return None;
        }
        let landed = SquareNetwork::new(pattern.with_exact_zeros(layers), None, white.target().clone());
        if scaled_gradient(&landed, &self.natural) > self.tolerances.critical_floor {
            return None;
        }
        let gradient = landed.relative_gradient(self.network.target_norm(), 0.0);
        let inputs = self.factors.architecture().inputs();
        let analysis = classify_with_sizes(&landed, self.whitening, inputs, &sizes, LANDING_ROUNDOFF, self.tolerances);
        Some(Landing { layers: landed.layers().to_vec(), distance, gradient, analysis })
    }

    /// The nearest landing. Where a reading left ranks open, only what the spectrum alone settles counts: a global
    /// minimum, or a strict saddle that omits a larger value than one it captures.
    fn report(&self, landings: &[Landing], complete: bool) -> NearCriticalPoint {
        let captured = self.captured();
        let scale = self.network.target_scale();
        let residual = (&captured.projection - self.network.whitened().target()).frobenius_norm() * scale;
        let mut found = NearCriticalPoint {
            class: CriticalClass::Undecided,
            captured: captured.indices.clone(),
            rank: captured.indices.len(),
            distance: None,
            gradient_after: None,
            value: self.whitening.floor + 0.5 * residual * residual,
            factors: None,
            analysis: None,
            scaled_gradient: self.scaled_gradient,
            threshold: self.threshold,
        };
        let Some(nearest) = landings.first() else { return found };
        let rival = landings[1..]
            .iter()
            .any(|other| other.analysis.class != nearest.analysis.class && other.distance < self.tolerances.near_rival);
        let top = captured.indices.iter().enumerate().all(|(k, &index)| index == k + 1);
        let settled = complete || !top || nearest.analysis.class == CriticalClass::GlobalMinimum;
        if settled && !rival && nearest.analysis.rank == found.rank {
            found.class = nearest.analysis.class;
        }
        found.distance = Some(nearest.distance);
        found.gradient_after = Some(nearest.gradient);
        found.factors = Some(self.unwhitened(&nearest.layers));
        found.analysis = Some(nearest.analysis.clone());
        found
    }

    /// Back to the coordinates as given: the first factor moves inside the column space of `X` only.
    fn unwhitened(&self, layers: &[Matrix]) -> Factors {
        let mut moved = self.factors.clone();
        let white = self.network.whitened().layers();
        let scales = self.network.layer_scales();
        let step = &layers[0] - &white[0];
        let inverse: Vec<f64> = self.whitening.scales.iter().map(|s| self.network.input_scale() / s).collect();
        let first = step.scale_columns(&inverse).times_transpose(&self.whitening.basis);
        for k in 0..layers.len() {
            let difference = if k == 0 { first.clone() } else { &layers[k] - &white[k] };
            moved.layer_mut(k + 1).add_scaled(scales[k], &difference);
        }
        moved
    }
}
