//! Gradient descent, with or without momentum, on all samples or on batches of them.

use super::conserved::Conserved;
use super::run::{Crossing, Passed, Sample, Stop, Trajectory, norm, slope, slope_of, value};
use crate::error::{InputError, Result};
use crate::linalg::Matrix;
use crate::loss::{Loss, SharedLoss};
use crate::network::Network;
use crate::random::Stream;

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

/// Samples in batches: every sample once in an epoch, in an order that the seed and the number of the epoch give; the last batch of an
/// epoch may be smaller. The gradient of a batch of `m` of `n` samples is multiplied by `n / m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batches {
    /// Samples in a batch.
    pub size: usize,
    /// Seed of the orders.
    pub seed: u64,
}

impl Batches {
    /// The samples of a step.
    fn samples(self, step: usize, count: usize) -> Vec<usize> {
        let in_epoch = count.div_ceil(self.size);
        let mut stream = Stream::new(self.seed, (step / in_epoch) as u64);
        let mut order: Vec<usize> = (0..count).collect();
        for last in (1..count).rev() {
            order.swap(last, stream.integer(0, last as i64) as usize);
        }
        let from = (step % in_epoch) * self.size;
        order[from..count.min(from + self.size)].to_vec()
    }

    /// The gradient of a batch; `None` where the loss is not made of samples.
    fn gradient(self, network: &Network<SharedLoss>, step: usize) -> Option<Vec<Matrix>> {
        let (rows, count) = network.output().shape();
        let samples = self.samples(step, count);
        let loss = network.loss().restricted(&(0..rows).collect::<Vec<usize>>(), &samples)?;
        let part = network.on_samples(&samples, loss);
        let factor = count as f64 / samples.len() as f64;
        Some(part.gradient().iter().map(|block| block.scaled(factor)).collect())
    }
}

/// Runs gradient descent on batches. The losses that are reported are those of all samples.
///
/// # Errors
/// If the loss is not made of samples.
pub fn descend_on_batches(
    start: &Network<SharedLoss>,
    options: &DescentOptions,
    batches: Batches,
) -> Result<Trajectory> {
    if batches.gradient(start, 0).is_none() {
        return Err(InputError::new("this loss is not a sum over samples, so there are no batches of them")
            .hint("leave out the batches: gradient descent on all samples"));
    }
    Ok(run(start, options, |network, step| {
        let parts = batches.gradient(network, step).unwrap_or_default();
        slope_of(network, &parts, options.decay)
    }))
}

/// Runs gradient descent. The drift is measured as for the flow, but discrete steps do not conserve.
pub fn descend<L: Loss + Clone>(start: &Network<L>, options: &DescentOptions) -> Trajectory {
    run(start, options, |network, _| slope(network, options.decay))
}

/// Steps along the slopes, minus the gradient, that a function of point and step gives.
fn run<L: Loss + Clone>(
    start: &Network<L>,
    options: &DescentOptions,
    slope_at: impl Fn(&Network<L>, usize) -> Vec<Matrix>,
) -> Trajectory {
    let decay = options.decay;
    let mut conserved = Conserved::new(start, decay);
    let mut network = start.clone();
    let mut blocks = start.parameter_blocks();
    let mut velocity: Vec<Matrix> = blocks.iter().map(|block| block.scaled(0.0)).collect();
    let first = value(start, decay);
    let mut crossings: Vec<Crossing> = options.levels.iter().map(|&level| Crossing { level, at: None }).collect();
    let (mut samples, mut path) = (Vec::new(), Vec::new());
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
        let slopes = slope_at(&network, taken);
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
        conserved.measure(&blocks, options.step * taken as f64);
    };
    Trajectory {
        samples,
        crossings,
        path,
        last,
        stop,
        max_drift: conserved.max_drift(),
        steps: taken,
        gradients: taken,
    }
}
