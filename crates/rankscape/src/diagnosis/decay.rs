//! The answer to "where am I?" with weight decay.
//!
//! Where the data have a closed form, a critical point is on one of the rungs of the ladder, and that says everything. Elsewhere the
//! Hessian is counted, and two layers have a certificate of their own. See `docs/decay.md`.

use super::Settings;
use crate::architecture::Architecture;
use crate::critical::{CriticalClass, DecayLadder, DecayRung};
use crate::error::{InputError, Result};
use crate::evidence::{Evidence, Grade, Quantity, RankDecision};
use crate::hessian::{Extremes, extremes, rounding_of_eigenvalues};
use crate::linalg::{Inertia, Matrix, SymmetricOperator, spectral_norm, symmetric_eigenvalues};
use crate::multiplication::{Barcode, Differential, RankProfile};
use crate::network::{DecayedGradient, WeightDecay};
use crate::problem::{Parameters, Problem};
use crate::tolerance::Tolerances;

/// Up to this many parameters the eigenvalues of the Hessian are counted.
const DENSE_PARAMETERS: usize = 2000;

/// Everything about one point of the loss with weight decay.
#[derive(Debug, Clone)]
pub struct DecayDiagnosis {
    /// The widths.
    pub architecture: Architecture,
    /// The decay.
    pub decay: WeightDecay,
    /// `L + (l/2) sum ||W_k||^2`.
    pub loss: f64,
    /// Its smallest value, where it is known.
    pub global_minimum: Option<f64>,
    /// Gradient in the parameters as given.
    pub gradient: DecayedGradient,
    /// The threshold that the relative gradient was compared with.
    pub gradient_threshold: f64,
    /// The gradient counts as zero.
    pub critical: bool,
    /// Ranks of the partial products of the factors as given.
    pub rank_profile: RankProfile,
    /// `None` when the rank decisions contradict one another.
    pub barcode: Option<Barcode>,
    /// Rank of the differential of the product map.
    pub differential: Differential,
    /// The class.
    pub class: CriticalClass,
    /// Singular values of the whitened target, non-increasing.
    pub spectrum: Vec<f64>,
    /// The rung of a critical point, where the data have a closed form.
    pub rung: Option<DecayRung>,
    /// All critical points and thresholds, where known.
    pub ladder: DecayLadder,
    /// Ends of the spectrum of the Hessian.
    pub extremes: Extremes,
    /// Inertia of the Hessian at critical points, where settled.
    pub inertia: Option<Inertia>,
    /// What the verdict rests on.
    pub evidence: Evidence,
    /// Norm of weights that are nothing beside those that the data ask for, and were taken as zero.
    pub collapsed: Option<f64>,
}

/// Diagnoses the point of a problem with weight decay.
///
/// # Errors
/// If the loss is not representable, or the problem has biases or an output metric.
pub fn diagnose_with_decay(problem: &Problem, decay: &WeightDecay, settings: Settings) -> Result<DecayDiagnosis> {
    let data = problem.data();
    data.check_decay(decay)?;
    if let Some(norm) = collapsed(problem, decay) {
        let zero = problem.factors().matrices().iter().map(|layer| Matrix::zeros(layer.nrows(), layer.ncols()));
        let parameters = Parameters::from(zero.collect::<Vec<Matrix>>()).stored_in(problem.unit_roundoff());
        let origin = diagnose_with_decay(&problem.at(parameters)?, decay, settings)?;
        return Ok(DecayDiagnosis { collapsed: Some(norm), ..origin });
    }
    let (tolerances, given) = (problem.tolerances(), problem.given());
    let architecture = problem.factors().architecture().clone();
    let ladder = DecayLadder::new(architecture.clone(), &data.whitening, data.exact.as_ref(), decay, tolerances)?;
    let gradient = given.gradient_with_decay(decay.strength());
    let threshold = tolerances.critical_threshold(problem.unit_roundoff());
    let exactly = exactly_critical(problem, decay);
    let critical = exactly.unwrap_or(gradient.relative <= threshold);
    let gradient = match exactly {
        Some(true) => DecayedGradient { norm: 0.0, relative: 0.0 },
        _ => gradient,
    };
    let squares = problem.factors().matrices().iter().map(|layer| layer.frobenius_norm()).fold(0.0, f64::hypot);
    let loss = problem.loss() + 0.5 * decay.strength() * squares * squares;
    if !(loss.is_finite() && gradient.norm.is_finite()) {
        return Err(InputError::new("the loss or its gradient is too large for double precision")
            .value(loss)
            .hint("scale X, Y or the weights"));
    }
    let rank_profile = problem.rank_profile(critical);
    let point = Point { problem, decay, ladder: &ladder, profile: &rank_profile, tolerances };
    let first = &problem.factors().matrices()[0];
    let identify = || ladder.identify(first, &data.whitening, tolerances.projection);
    let rung = critical.then(identify).flatten();
    let mut evidence = ladder.evidence().clone();
    if exactly.is_none() || (critical && rung.is_none()) {
        evidence.grade = evidence.grade.max(Grade::Numerical);
    }
    let verdict = match &rung {
        _ if !critical => Verdict { class: CriticalClass::NotCritical, inertia: None, is_best: false },
        Some(rung) => Verdict { class: rung.class, inertia: Some(rung.inertia), is_best: false },
        None => point.counted(&mut evidence),
    };
    let global_minimum = ladder.global_minimum().or(verdict.is_best.then_some(loss));
    // No rounding error of the loss undercuts its smallest value.
    let loss = global_minimum.map_or(loss, |least| loss.max(least));
    let ends = shifted(extremes(&given.hessian(), None, tolerances, settings.seed), decay.strength(), verdict.inertia);
    rank_profile.rest_as_given(&mut evidence);
    Ok(DecayDiagnosis {
        architecture,
        decay: decay.clone(),
        loss,
        global_minimum,
        gradient,
        gradient_threshold: threshold,
        critical,
        barcode: Barcode::new(&rank_profile),
        differential: Differential::new(&rank_profile),
        class: verdict.class,
        spectrum: data.whitening.spectrum.s.clone(),
        rung,
        extremes: ends,
        inertia: verdict.inertia,
        evidence,
        rank_profile,
        ladder,
        collapsed: None,
    })
}

/// `||theta||` where it is at most the unit roundoff times the root `(sigma_1 / ||X||_2)^(1/h)`, the size of layers that fit the largest
/// singular value of the target: weights that decay towards the origin never get there.
fn collapsed(problem: &Problem, decay: &WeightDecay) -> Option<f64> {
    let layers = problem.factors().matrices();
    let norm = layers.iter().map(Matrix::frobenius_norm).fold(0.0, f64::hypot);
    let largest = problem.data().whitening.spectrum.s.first()?;
    let size = (largest / spectral_norm(&problem.whitening().inputs())).powf(1.0 / layers.len() as f64);
    // What is exact has no rounding errors to vanish in.
    let inexact = problem.exact().is_none() && decay.strength() > 0.0;
    (inexact && layers.len() > 1 && norm > 0.0 && norm <= problem.unit_roundoff() * size).then_some(norm)
}

/// Over the rationals, where weights, data and decay are exact.
fn exactly_critical(problem: &Problem, decay: &WeightDecay) -> Option<bool> {
    let (exact, decay) = (problem.exact()?, decay.rational()?);
    let blocks = exact.gradient_blocks();
    let zero = blocks.iter().zip(exact.factors().matrices()).all(|(block, layer)| {
        block.entries().iter().zip(layer.entries()).all(|(part, weight)| *part == -(decay * weight))
    });
    Some(zero)
}

struct Verdict {
    class: CriticalClass,
    inertia: Option<Inertia>,
    /// The loss here is the smallest.
    is_best: bool,
}

struct Point<'a> {
    problem: &'a Problem,
    decay: &'a WeightDecay,
    ladder: &'a DecayLadder,
    profile: &'a RankProfile,
    tolerances: &'a Tolerances,
}

impl Point<'_> {
    /// The class of a critical point by the signs of the eigenvalues.
    fn counted(&self, evidence: &mut Evidence) -> Verdict {
        let (inertia, descends) = match self.eigenvalues() {
            Some(values) => self.signs(&values, evidence),
            None => (None, false),
        };
        if !descends && self.is_convex_minimum() {
            return Verdict { class: CriticalClass::GlobalMinimum, inertia, is_best: true };
        }
        let isolated = inertia.is_some_and(|found| found.negative == 0 && Some(found.zero) == self.orbit_dimension());
        let best = || self.ladder.global_minimum();
        let class = match (descends, isolated) {
            (true, _) => CriticalClass::StrictSaddle,
            // Whether it is the best is known where the smallest value is.
            (false, true) if best().is_none() => CriticalClass::LocalMinimum,
            _ => CriticalClass::Undecided,
        };
        Verdict { class, inertia, is_best: false }
    }

    /// Eigenvalues of the Hessian, ascending.
    fn eigenvalues(&self) -> Option<Vec<f64>> {
        let operator = self.problem.given().hessian();
        if operator.dimension() > DENSE_PARAMETERS {
            return None;
        }
        let mut values = symmetric_eigenvalues(&operator.to_dense())?;
        values.iter_mut().for_each(|value| *value += self.decay.strength());
        values.sort_by(f64::total_cmp);
        Some(values)
    }

    /// The inertia, where no eigenvalue is so small that it may be zero or not; and whether one is negative for certain.
    fn signs(&self, values: &[f64], evidence: &mut Evidence) -> (Option<Inertia>, bool) {
        let largest = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
        let threshold = self.tolerances.critical_threshold(self.problem.unit_roundoff());
        let zero = rounding_of_eigenvalues(values.len(), largest, self.tolerances).max(threshold * largest);
        let mut sizes: Vec<f64> = values.iter().map(|value| value.abs()).collect();
        sizes.sort_by(|a, b| b.total_cmp(a));
        let decision = RankDecision::from_singular_values(&sizes, zero, self.tolerances.rank_gap, largest);
        evidence.rest_on(Quantity::Eigenvalues, decision);
        let inertia = decision.clear.then(|| Inertia::from_eigenvalues(values, zero));
        (inertia, values.first().is_some_and(|&value| value < -self.tolerances.rank_gap * zero))
    }

    /// Dimension of the orbit of rotations of the hidden layers: of frames of as many vectors as every layer has rank.
    fn orbit_dimension(&self) -> Option<usize> {
        let widths = self.profile.widths();
        let depth = self.profile.depth();
        let decisions = (0..depth).map(|k| self.profile.decision(k, k + 1));
        let ranks: Vec<usize> = decisions.filter(|decision| decision.clear).map(|decision| decision.rank).collect();
        let rank = *ranks.first()?;
        let balanced = ranks.len() == depth && ranks.iter().all(|&other| other == rank);
        balanced.then(|| widths[1..depth].iter().map(|width| width * rank - rank * (rank + 1) / 2).sum())
    }

    /// Two layers: with `||(W X - Y) X'||_2 <= l` the product minimizes the convex `1/2 ||W X - Y||^2 + l ||W||_*`.
    fn is_convex_minimum(&self) -> bool {
        if self.problem.factors().depth() != 2 {
            return false;
        }
        let network = self.problem.given();
        let Some(inputs) = network.given().inputs() else { return false };
        let scale = network.target_scale() * network.input_scale();
        let gradient = spectral_norm(&network.given().residual().times_transpose(inputs)) * scale;
        let threshold = self.tolerances.critical_threshold(self.problem.unit_roundoff());
        gradient <= self.decay.strength() * (1.0 + threshold)
    }
}

/// The ends of the spectrum of `H + l`.
fn shifted(mut ends: Extremes, decay: f64, inertia: Option<Inertia>) -> Extremes {
    ends.smallest.value += decay;
    ends.largest.value += decay;
    if inertia.is_some_and(|found| found.negative == 0 && found.zero > 0) {
        ends.smallest.value = 0.0;
    }
    ends
}
