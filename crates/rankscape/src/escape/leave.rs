//! Weights to go on from, and how far plain gradient descent gets with them.

use super::departure::{Departure, Destination, Outlook, SingularDirections};
use crate::critical::CriticalClass;
use crate::error::Result;
use crate::hessian::{GradientDescent, extremes};
use crate::linalg::Matrix;
use crate::problem::{GivenParameters, Problem};
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

/// Weights that have left the point of a problem of this class and loss, which captures these directions (1-based; see
/// [`outlook`]); `stored` rounds parameters to what a file holds. `None` where nothing is lower. One layer has no rung above its
/// minimum: there every way leads to that.
///
/// # Errors
/// If `stored` fails.
pub fn leave_to(
    problem: &Problem,
    (class, before): (CriticalClass, f64),
    learned: Option<&[usize]>,
    to: Destination,
    seed: u64,
    stored: &dyn Fn(GivenParameters) -> Result<GivenParameters>,
) -> Result<Option<Leave>> {
    if class == CriticalClass::GlobalMinimum {
        return Ok(None);
    }
    let view = View::new(problem, learned);
    let to = if problem.factors().depth() == 1 { Destination::Minimum } else { to };
    let last = [1.0];
    let shares = if to == Destination::Minimum || view.outlook.missing() == 0 { &last[..] } else { &SHARES[..] };
    for &share in shares {
        let departure = Departure::new(problem.factors(), problem.whitening(), &view.directions, &view.outlook, share);
        let Some(departure) = departure else { continue };
        let (matrices, biases) = stored(problem.parameters_at(&departure.factors))?;
        let there = problem.with_parameters(matrices.clone(), biases.clone())?;
        let lambda_max = extremes(&there.given().hessian(), None, problem.tolerances(), seed).largest;
        let step = 1.0 / (lambda_max.value + lambda_max.residual).max(problem.natural_curvature());
        let loss = there.loss();
        let decrease = before - loss;
        let steps = view.steps(problem, &departure, step, before);
        if let (Some(steps), true) = (steps, decrease > 0.0 && step.is_finite()) {
            return Ok(Some(Leave { to, matrices, biases, loss, decrease, lambda_max: lambda_max.value, step, steps }));
        }
    }
    Ok(None)
}

/// What is learned, what is missing, and the plateaus ahead; `learned` are the 1-based directions that the point or the critical
/// point beside it captures, where that is known.
pub fn outlook(problem: &Problem, learned: Option<&[usize]>) -> Outlook {
    View::new(problem, learned).outlook
}

/// A point as seen from the singular directions of its target.
struct View {
    directions: SingularDirections,
    outlook: Outlook,
}

impl View {
    /// `learned` are 1-based indices; where they are not known, directions count of which the product has the share one up to a
    /// half.
    fn new(problem: &Problem, learned: Option<&[usize]>) -> Self {
        let (whitening, network, tolerances) = (problem.whitening(), problem.network(), problem.tolerances());
        let largest = whitening.singular_values().first().copied().unwrap_or(0.0);
        let tie = tolerances.tie_threshold(whitening.target.larger_dimension(), largest);
        // What is smaller than the rounding errors of stored weights cannot be learned by them.
        let negligible = tie.max(tolerances.rank * problem.unit_roundoff().max(UNIT_ROUNDOFF) * largest);
        let product = network.whitened().output();
        let directions = SingularDirections::new(product, whitening, network.target_scale(), tie, tie);
        let rank = problem.factors().architecture().bottleneck_rank();
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
    fn steps(&self, problem: &Problem, departure: &Departure, step: f64, before: f64) -> Option<usize> {
        let reduced = reduced_to(problem, departure)?;
        let mut descent = GradientDescent::new(reduced.given(), reduced.whitening());
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

/// The network of the frames of a departure alone.
fn reduced_to(problem: &Problem, departure: &Departure) -> Option<Problem> {
    let factors = departure.reduced()?;
    let Some(bias) = problem.output_bias() else { return Some(problem.with_factors(factors, Vec::new())) };
    let mut biases = bias.columns().to_vec();
    for (column, frame) in biases.iter_mut().zip(&departure.frames) {
        if let Some(entries) = column {
            let full = Matrix::from_fn(entries.len(), 1, |i, _| entries[i]);
            *column = Some(frame.transpose_times(&full).column(0).to_vec());
        }
    }
    let reduced = problem.with_factors(factors, biases.clone());
    let best = reduced.output_bias()?.best(reduced.factors());
    if let Some(last) = biases.last_mut() {
        *last = Some(best);
    }
    Some(problem.with_factors(reduced.factors().clone(), biases))
}
