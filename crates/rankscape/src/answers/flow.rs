//! Gradient flow and descent from a point.

use std::sync::Arc;

use super::Answer;
use crate::critical::Ladder;
use crate::error::{InputError, Result};
use crate::flow::{
    Batches, DescentOptions, FlowOptions, Stop, Trajectory, descend, descend_on_batches, flow, sign_obstruction,
};
use crate::itinerary::{BALANCED, Plateau, plateaus};
use crate::linalg::{Matrix, svd};
use crate::loss::{LossKind, QuadraticForm, SharedLoss, SquareLoss};
use crate::multiplication::balance_defect;
use crate::network::Network;
use crate::problem::{Data, LossProblem, eckart_young};

/// Parameters times steps up to which all points of a run are kept, so that its plateaus can be named.
const MOST_KEPT: usize = 50_000_000;

/// What moves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Motion {
    /// `dtheta/dt = -grad L`, until this time.
    Flow {
        /// The time.
        until: f64,
    },
    /// Gradient descent.
    Descent {
        /// The learning rate.
        step: f64,
        /// The momentum.
        momentum: f64,
        /// Number of steps.
        steps: usize,
        /// Each step sees a batch of the samples; `None` for all of them.
        batches: Option<Batches>,
    },
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct FlowRequest {
    /// What moves.
    pub motion: Motion,
    /// `l` of the decay `l/2 sum ||W_k||^2`.
    pub decay: f64,
    /// The run ends where the gap to the global minimum is at most this.
    pub until_gap: Option<f64>,
    /// Parts of the gap at the start whose times are wanted.
    pub levels: Vec<f64>,
    /// Number of equidistant times that are reported, the end included.
    pub samples: usize,
}

/// A run.
#[derive(Debug, Clone)]
pub struct FlowAnswer {
    /// The run.
    pub trajectory: Trajectory,
    /// Loss at the start, with decay.
    pub start: f64,
    /// The smallest value over the architecture; `None` where it is not known, and with decay.
    pub global_minimum: Option<f64>,
    /// What no product reaches, which the losses of the trajectory are without.
    pub floor: f64,
    /// Parts of the gap with the time at which the loss has come to them.
    pub levels: Vec<(f64, Option<f64>)>,
    /// Named plateaus, for the square loss without decay.
    pub plateaus: Vec<Plateau>,
    /// The flow cannot reach the global minimum from here, because it keeps the sign of the determinant.
    pub obstructed: bool,
    /// The flow ended before its time, because it took as many steps as it may.
    pub cut_off: bool,
    /// The longest stable step of gradient descent at the minimum it could reach, for the square loss without decay.
    pub stability_limit: Option<f64>,
}

/// Follows the gradient from the point of a problem.
///
/// # Errors
/// If levels or a gap are asked for and the global minimum is not known, or a number is out of its range.
pub fn follow(problem: &LossProblem, request: &FlowRequest) -> Result<FlowAnswer> {
    check(request)?;
    let reduced = match request.motion {
        // Batches are made of the samples as they are.
        Motion::Descent { batches: Some(_), .. } => {
            Reduced { network: problem.network().clone(), floor: 0.0, whitened: None }
        }
        _ => Reduced::new(problem),
    };
    let network = &reduced.network;
    let rank = problem.factors().architecture().bottleneck_rank();
    let known = || eckart_young(problem.data().loss(), problem.inputs().as_ref(), rank, problem.has_offset());
    let global_minimum = if request.decay == 0.0 { known() } else { None };
    if global_minimum.is_none() && (request.until_gap.is_some() || !request.levels.is_empty()) {
        return Err(InputError::new("the gap to the global minimum is not known here, so no level of it is")
            .array(if request.until_gap.is_some() { "--until-gap" } else { "--levels" })
            .hint("it is for the square loss without weight decay; give a time or a number of steps"));
    }
    let parameters: usize = network.blocks().iter().map(|(rows, columns)| rows * columns).sum();
    let lowest = global_minimum.unwrap_or(0.0) - reduced.floor;
    let decayed: f64 = network.layers().iter().map(|layer| layer.frobenius_norm().powi(2)).sum();
    let start = network.value() + 0.5 * request.decay * decayed;
    let levels: Vec<f64> = request.levels.iter().map(|fraction| lowest + fraction * (start - lowest)).collect();
    let until_loss = request.until_gap.map(|gap| lowest + gap);
    let count = request.samples;
    let trajectory = match request.motion {
        Motion::Flow { until } => {
            let times = (1..=count).map(|k| until * k as f64 / count as f64).collect();
            let keep_path = reduced.whitened.is_some() && parameters <= MOST_KEPT / 10_000;
            let options = FlowOptions {
                decay: request.decay,
                until_time: until,
                until_loss,
                levels,
                times,
                keep_path,
                ..FlowOptions::default()
            };
            flow(network, &options)
        }
        Motion::Descent { step, momentum, steps, batches } => {
            let times = (1..=count).map(|k| steps * k / count).collect();
            let keep_path = reduced.whitened.is_some() && parameters.saturating_mul(steps) <= MOST_KEPT;
            let decay = request.decay;
            let options = DescentOptions { step, momentum, decay, steps, until_loss, levels, times, keep_path };
            match batches {
                Some(batches) => descend_on_batches(network, &options, batches)?,
                None => descend(network, &options),
            }
        }
    };
    let times = trajectory.crossings.iter().map(|crossing| crossing.at.as_ref().map(|sample| sample.time));
    let mut answer = FlowAnswer {
        start: start + reduced.floor,
        global_minimum,
        floor: reduced.floor,
        levels: request.levels.iter().copied().zip(times).collect(),
        plateaus: Vec::new(),
        obstructed: false,
        cut_off: matches!(request.motion, Motion::Flow { .. }) && trajectory.stop == Stop::Steps,
        stability_limit: None,
        trajectory,
    };
    if let Some(target) = reduced.whitened.filter(|_| request.decay == 0.0) {
        answer.name(problem, target, request.motion)?;
    }
    Ok(answer)
}

impl FlowAnswer {
    /// Names plateaus and what the square loss tells beforehand.
    fn name(&mut self, problem: &LossProblem, (inputs, target): (Matrix, Matrix), motion: Motion) -> Result<()> {
        let tolerances = problem.tolerances();
        let data = Data::samples(&inputs.transpose(), &target.transpose())?.whiten(None, tolerances)?;
        let architecture = problem.factors().architecture().clone();
        let depth = problem.factors().depth();
        let ladder = Ladder::new(architecture, &data.whitening, None, tolerances)?;
        let largest = data.whitening.singular_values().first().copied().unwrap_or(0.0);
        let stretch = data.whitening.scales.first().copied().unwrap_or(0.0);
        let exponent = (2 * depth - 2) as f64 / depth as f64;
        // Balanced layers of the largest direction: h s^(2h-2) ||X||^2 with s^h ||X|| = sigma.
        let curvature = depth as f64 * (largest / stretch).powf(exponent) * stretch * stretch;
        let (shortest, rate) = match motion {
            Motion::Flow { .. } => (1.0 / curvature, 1.0),
            Motion::Descent { step, .. } => (1.0 / (step * curvature), step),
        };
        if curvature > 0.0 && rate > 0.0 && depth >= 2 {
            self.plateaus = plateaus(&self.trajectory.path, &ladder, &data.whitening, shortest);
            for plateau in &mut self.plateaus {
                plateau.value += self.floor;
            }
            let isotropic = data.whitening.scales.iter().all(|scale| (scale - stretch).abs() <= 1e-9 * stretch);
            self.stability_limit = isotropic.then(|| 2.0 / curvature);
        }
        let layers = problem.factors().matrices();
        let signed = depth >= 2 && balance_defect(problem.factors()) <= BALANCED;
        self.obstructed = signed && sign_obstruction(layers, &target.times_transpose(&inputs));
        Ok(())
    }
}

/// The problem whose gradients are followed: samples of the square loss are rotated into as many as there are inputs.
struct Reduced {
    network: Network<SharedLoss>,
    /// What no product reaches.
    floor: f64,
    /// Inputs and target, of the square loss without biases.
    whitened: Option<(Matrix, Matrix)>,
}

impl Reduced {
    fn new(problem: &LossProblem) -> Self {
        let whole = problem.network().clone();
        let plain = *problem.data().kind() == LossKind::Square && !problem.has_offset();
        let form = problem.data().loss().quadratic_form().filter(|_| plain);
        let Some(QuadraticForm::Entries { target, weights: None }) = form else {
            return Self { network: whole, floor: 0.0, whitened: None };
        };
        let inputs = problem.inputs().unwrap_or_else(|| Matrix::identity(target.ncols()));
        let found = svd(&inputs);
        let seen = target * &found.v;
        let unseen = target - &seen.times_transpose(&found.v);
        let inputs = found.u.scale_columns(&found.s);
        let loss: SharedLoss = Arc::new(SquareLoss::new(seen.clone()));
        let layers = problem.factors().matrices().to_vec();
        let network = Network::with_loss(layers, None, Some(inputs.clone()), loss);
        Self { network, floor: 0.5 * unseen.frobenius_norm().powi(2), whitened: Some((inputs, seen)) }
    }
}

fn check(request: &FlowRequest) -> Result<()> {
    let positive = |name: &str, value: f64| {
        if value > 0.0 && value.is_finite() {
            return Ok(());
        }
        Err(InputError::new("this must be a positive number").array(name).value(value))
    };
    match request.motion {
        Motion::Flow { until } => positive("--until-time", until)?,
        Motion::Descent { step, momentum, .. } => {
            positive("--step", step)?;
            if !(0.0..1.0).contains(&momentum) {
                return Err(InputError::new("momentum is a number from 0 to below 1")
                    .array("--momentum")
                    .value(momentum));
            }
        }
    }
    if !(request.decay >= 0.0 && request.decay.is_finite()) {
        return Err(InputError::new("weight decay is a number that is not negative")
            .array("--weight-decay")
            .value(request.decay));
    }
    if let Some(gap) = request.until_gap {
        positive("--until-gap", gap)?;
    }
    match request.levels.iter().find(|fraction| !(**fraction > 0.0 && **fraction < 1.0)) {
        Some(fraction) => Err(InputError::new("a level is a part of the gap at the start, between 0 and 1")
            .array("--levels")
            .value(fraction)),
        None => Ok(()),
    }
}

impl Answer for FlowAnswer {
    /// A flow that took all its steps has not come to its time.
    fn is_undecided(&self) -> bool {
        self.cut_off
    }
}
