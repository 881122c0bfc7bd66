//! Gradient descent, with or without momentum.

use super::conserved::{Imbalance, max_drift};
use super::run::{Crossing, Passed, Sample, Stop, Trajectory, norm, slope, value};
use crate::linalg::Matrix;
use crate::loss::Loss;
use crate::network::Network;

/// How gradient descent runs: `v <- momentum v - step (grad L + l theta)`, `theta <- theta + v`, all layers at once.
#[derive(Debug, Clone)]
pub struct DescentOptions {
    /// The learning rate.
    pub step: f64,
    /// The momentum, at least 0 and below 1.
    pub momentum: f64,
    /// `l` of the decay `l/2 sum ||W_k||^2`.
    pub decay: f64,
    /// Number of steps.
    pub steps: usize,
    /// The run ends where the loss is at most this.
    pub until_loss: Option<f64>,
    /// Losses whose steps are wanted.
    pub levels: Vec<f64>,
    /// Steps that are reported, ascending.
    pub times: Vec<usize>,
    /// Keep all points.
    pub keep_path: bool,
}

/// A loss that has grown this many times over the one at the start has diverged.
const GROWN: f64 = 1e12;

/// Runs gradient descent. The drift is measured as for the flow, but discrete steps do not conserve.
pub fn descend<L: Loss + Clone>(start: &Network<L>, options: &DescentOptions) -> Trajectory {
    let decay = options.decay;
    let (depth, biased) = (start.layers().len(), start.biased_layers());
    let imbalance = |blocks: &[Matrix]| Imbalance::new(blocks, depth, &biased);
    let conserved = imbalance(&start.parameter_blocks());
    // Biases do not decay, so that nothing is kept where layers do.
    let conserves = decay == 0.0 || biased.iter().all(|&k| k + 1 == depth);
    let mut network = start.clone();
    let mut blocks = start.parameter_blocks();
    let mut velocity: Vec<Matrix> = blocks.iter().map(|block| block.scaled(0.0)).collect();
    let first = value(start, decay);
    let mut crossings: Vec<Crossing> = options.levels.iter().map(|&level| Crossing { level, at: None }).collect();
    let (mut samples, mut path, mut max) = (Vec::new(), Vec::new(), 0.0_f64);
    let mut times = options.times.iter().copied().peekable();
    let mut taken = 0;
    let (last, stop) = loop {
        let loss = value(&network, decay);
        let now = || Sample { time: taken as f64, loss, blocks: blocks.clone() };
        while times.next_if(|&time| time <= taken).is_some() {
            samples.push(now());
        }
        for crossing in crossings.iter_mut().filter(|crossing| crossing.at.is_none() && loss <= crossing.level) {
            crossing.at = Some(now());
        }
        if !loss.is_finite() || loss > GROWN * first.max(f64::MIN_POSITIVE) {
            break (now(), Stop::Diverged);
        }
        if options.until_loss.is_some_and(|least| loss <= least) {
            break (now(), Stop::Gap);
        }
        let slopes = slope(&network, decay);
        if options.keep_path {
            let rate = options.step * norm(&slopes).powi(2);
            path.push(Passed { time: taken as f64, loss, rate, blocks: blocks.clone() });
        }
        if norm(&slopes) == 0.0 && norm(&velocity) == 0.0 {
            break (now(), Stop::Gradient);
        }
        if taken >= options.steps {
            break (now(), Stop::Steps);
        }
        for ((block, velocity), slope) in blocks.iter_mut().zip(&mut velocity).zip(&slopes) {
            *velocity = velocity.scaled(options.momentum);
            velocity.add_scaled(options.step, slope);
            block.add_scaled(1.0, velocity);
        }
        network = start.with_blocks(blocks.clone());
        taken += 1;
        max = max.max(max_drift(&conserved, &imbalance(&blocks), decay, options.step * taken as f64));
    };
    Trajectory {
        samples,
        crossings,
        path,
        last,
        stop,
        max_drift: conserves.then_some(max),
        steps: taken,
        gradients: taken,
    }
}
