//! Weights to go on from, and how far plain gradient descent gets with them.

use super::{Diagnosis, Point, Prepared, Settings};
use crate::critical::CriticalClass;
use crate::error::Result;
use crate::escape::{Departure, Destination, Outlook, SingularDirections};
use crate::hessian::{GradientDescent, NormalizedNetwork, extremes};
use crate::linalg::{Matrix, spectral_norm};
use crate::tolerance::UNIT_ROUNDOFF;

/// Shares of the missing directions that are tried, smallest first: the last is past every rung before a first step.
const SHARES: [f64; 5] = [0.5, 0.75, 0.875, 0.9375, 0.984_375];
/// Steps of gradient descent that a departure may need, and multiplications that the search for it may cost.
const MOST_STEPS: usize = 1000;
const MOST_WORK: usize = 2_000_000_000;
/// A minimum counts as reached within this share of the gap above it; less than the hundredth that is promised.
const REACHED: f64 = 0.009;

/// Weights that have left a point.
#[derive(Debug, Clone)]
pub struct Leave {
    /// Where they lead.
    pub to: Destination,
    /// Matrices, as they are stored.
    pub matrices: Vec<Matrix>,
    /// Biases, as they are stored; that of the output is the best one.
    pub biases: Vec<Option<Vec<f64>>>,
    /// `L` there.
    pub loss: f64,
    /// `L(theta) - L` there; positive.
    pub decrease: f64,
    /// Largest eigenvalue of the Hessian there.
    pub lambda_max: f64,
    /// A step of plain gradient descent on `L`: `1 / max(lambda_max, h s^(2h-2) ||X||_2^2)`, `s` the natural size of a layer.
    pub step: f64,
    /// So many such steps from here are past the next rung.
    pub steps: usize,
}

/// Matrices and biases as given.
pub type GivenParameters = (Vec<Matrix>, Vec<Option<Vec<f64>>>);

/// Weights that have left `point`; `stored` rounds parameters to what a file holds. `None` where nothing is lower. One layer has
/// no rung above its minimum: there every way leads to that.
///
/// # Errors
/// If `stored` fails.
pub fn leave(
    point: &Point,
    found: &Diagnosis,
    to: Destination,
    settings: Settings<'_>,
    stored: &dyn Fn(GivenParameters) -> Result<GivenParameters>,
) -> Result<Option<Leave>> {
    if found.class == CriticalClass::GlobalMinimum {
        return Ok(None);
    }
    let view = View::new(point, found.learned(), settings);
    let to = if point.factors.depth() == 1 { Destination::Minimum } else { to };
    let last = [1.0];
    let shares = if to == Destination::Minimum || view.outlook.missing() == 0 { &last[..] } else { &SHARES[..] };
    for &share in shares {
        let departure = Departure::new(&point.factors, &point.whitening, &view.directions, &view.outlook, share);
        let Some(departure) = departure else { continue };
        let (matrices, biases) = stored(point.parameters_at(&departure.factors))?;
        let there = point.with_parameters(matrices.clone(), biases.clone())?;
        let given = Prepared::new(&there)?.given;
        let lambda_max = extremes(&given.hessian(), None, settings.tolerances, settings.seed).largest;
        let step = 1.0 / (lambda_max.value + lambda_max.residual).max(point.natural_curvature());
        let loss = there.loss(&given);
        let decrease = found.loss - loss;
        let steps = view.steps(point, &departure, step, found.loss);
        if let (Some(steps), true) = (steps, decrease > 0.0 && step.is_finite()) {
            return Ok(Some(Leave { to, matrices, biases, loss, decrease, lambda_max: lambda_max.value, step, steps }));
        }
    }
    Ok(None)
}

/// A point as seen from the singular directions of its target.
pub(super) struct View {
    directions: SingularDirections,
    pub(super) outlook: Outlook,
}

impl View {
    /// `learned` are 1-based indices; where they are not known, directions count of which the product has the share one up to a
    /// half.
    pub(super) fn new(point: &Point, learned: Option<&[usize]>, settings: Settings<'_>) -> Self {
        let whitening = &point.whitening;
        let network = NormalizedNetwork::new(&point.factors, whitening);
        let largest = whitening.singular_values().first().copied().unwrap_or(0.0);
        let tie = settings.tolerances.tie_threshold(whitening.target.larger_dimension(), largest);
        // What is smaller than the rounding errors of stored weights cannot be learned by them.
        let negligible = tie.max(settings.tolerances.rank * settings.unit_roundoff.max(UNIT_ROUNDOFF) * largest);
        let product = network.whitened().output();
        let directions = SingularDirections::new(product, whitening, network.target_scale(), tie, tie);
        let rank = point.factors.architecture().bottleneck_rank();
        let captured: Vec<usize> = match learned {
            // A point nearby may capture a direction of which this one has far too much.
            Some(learned) => {
                let indices = learned.iter().map(|index| index - 1);
                indices.filter(|&i| directions.shares.get(i).is_some_and(|&share| share < 1.5)).collect()
            }
            None => directions.learned(rank.min(whitening.rank.rank)),
        };
        let mut outlook = Outlook::new(whitening, &captured, rank, negligible);
        let missing: Vec<usize> = outlook.steps().into_iter().map(|(learn, ..)| learn).collect();
        outlook.excess = directions.excess(missing.into_iter());
        Self { directions, outlook }
    }

    /// Steps of gradient descent from a departure until the next rung is passed; `None` where that takes too many.
    fn steps(&self, point: &Point, departure: &Departure, step: f64, before: f64) -> Option<usize> {
        let reduced = point.reduced_to(departure)?;
        let mut descent = GradientDescent::new(&Prepared::new(&reduced).ok()?.given, &reduced.whitening);
        let most = MOST_STEPS.min(MOST_WORK / descent.cost().max(1));
        for steps in 0..=most {
            if self.outlook.is_passed(descent.loss(), before, REACHED) {
                return Some(steps + steps.div_ceil(8));
            }
            descent.advance(step);
        }
        None
    }
}

impl Point {
    /// `L` in double precision; `given` is the network of the point in the parameters as given.
    pub(super) fn loss(&self, given: &NormalizedNetwork) -> f64 {
        let floor = if self.output_bias.is_some() { 0.0 } else { self.whitening.floor };
        given.given().value() * given.target_scale() * given.target_scale() + floor
    }

    /// `h s^(2h-2) ||X||_2^2`: the largest curvature of a balanced minimum, about. With an output factor `C` it is `C^-1 Z`
    /// that balanced layers make, and `||C||_2 ||X||_2` that stretches.
    pub(super) fn natural_curvature(&self) -> f64 {
        let depth = self.factors.depth();
        let largest = self.whitening.scales.first().copied().unwrap_or(0.0);
        let inverse: Vec<f64> = self.whitening.scales.iter().map(|s| 1.0 / s).collect();
        let target = self.whitening.target.scale_columns(&inverse);
        let (target, stretch) = match self.output_factors() {
            Some((c, inverse)) => (inverse * &target, spectral_norm(c)),
            None => (target, 1.0),
        };
        let exponent = (2 * depth - 2) as f64 / depth as f64;
        depth as f64 * spectral_norm(&target).powf(exponent) * (largest * stretch).powi(2)
    }

    /// The network of the frames of a departure alone.
    fn reduced_to(&self, departure: &Departure) -> Option<Self> {
        let factors = departure.reduced()?;
        let mut reduced = self.with_factors(factors);
        let Some(bias) = &mut reduced.output_bias else { return Some(reduced) };
        for (column, frame) in bias.columns.iter_mut().zip(&departure.frames) {
            if let Some(entries) = column {
                let full = Matrix::from_fn(entries.len(), 1, |i, _| entries[i]);
                *column = Some(frame.transpose_times(&full).column(0).to_vec());
            }
        }
        let best = bias.best(&reduced.factors);
        if let Some(last) = bias.columns.last_mut() {
            *last = Some(best);
        }
        Some(reduced)
    }
}
