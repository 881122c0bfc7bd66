//! The flow from a start until a time, a gap or a gradient.

use super::conserved::Conserved;
use super::dormand_prince::{STAGE_COUNT, step};
use crate::linalg::{Matrix, vector_norm};
use crate::loss::Loss;
use crate::network::Network;

/// How far and how accurately.
#[derive(Debug, Clone)]
pub struct FlowOptions {
    /// `l` of the decay `l/2 sum ||W_k||^2`.
    pub decay: f64,
    /// The flow ends at this time.
    pub until_time: f64,
    /// It ends where the loss is at most this.
    pub until_loss: Option<f64>,
    /// It ends where the gradient is at most this part of the one at the start.
    pub until_gradient: f64,
    /// Losses whose times are wanted, in any order.
    pub levels: Vec<f64>,
    /// Times that are reported, ascending.
    pub times: Vec<f64>,
    /// Error of an entry allowed in a step, relative to the largest of its block.
    pub accuracy: f64,
    /// Most steps.
    pub most_steps: usize,
    /// Keep all points between steps.
    pub keep_path: bool,
}

impl Default for FlowOptions {
    fn default() -> Self {
        Self {
            decay: 0.0,
            until_time: f64::INFINITY,
            until_loss: None,
            until_gradient: 1e-13,
            levels: Vec::new(),
            times: Vec::new(),
            accuracy: 1e-12,
            most_steps: 100_000,
            keep_path: false,
        }
    }
}

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The time is up.
    Time,
    /// The loss is low enough.
    Gap,
    /// The gradient is zero, or nearly.
    Gradient,
    /// The steps are used up.
    Steps,
    /// The loss is not finite any more, or grows without end.
    Diverged,
}

/// A point of a trajectory.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The time; the number of the step for gradient descent.
    pub time: f64,
    /// `L`, with decay.
    pub loss: f64,
    /// The layers, then the biases.
    pub blocks: Vec<Matrix>,
}

/// A point between two steps, with the rate at which the loss falls.
#[derive(Debug, Clone)]
pub struct Passed {
    /// The time.
    pub time: f64,
    /// `L`.
    pub loss: f64,
    /// `-dL/dt`.
    pub rate: f64,
    /// The layers, then the biases.
    pub blocks: Vec<Matrix>,
}

/// Where the loss passes a level.
#[derive(Debug, Clone)]
pub struct Crossing {
    /// The level.
    pub level: f64,
    /// The first point at it or below; `None` if it was not reached.
    pub at: Option<Sample>,
}

/// A run.
#[derive(Debug, Clone)]
pub struct Trajectory {
    /// At the times that were asked for.
    pub samples: Vec<Sample>,
    /// In the order of the levels.
    pub crossings: Vec<Crossing>,
    /// All points between steps, where they were asked for.
    pub path: Vec<Passed>,
    /// The end.
    pub last: Sample,
    /// Why it ended.
    pub stop: Stop,
    /// Largest drift of what the flow conserves; `None` where it conserves nothing of the kind.
    pub max_drift: Option<f64>,
    /// Steps.
    pub steps: usize,
    /// Gradients evaluated.
    pub gradients: usize,
}

/// `L` with decay.
pub(super) fn value<L: Loss>(network: &Network<L>, decay: f64) -> f64 {
    let squares: f64 = network.layers().iter().map(|layer| layer.frobenius_norm().powi(2)).sum();
    network.value() + 0.5 * decay * squares
}

/// `-grad L - l theta`, one matrix a block; biases do not decay.
pub(super) fn slope<L: Loss>(network: &Network<L>, decay: f64) -> Vec<Matrix> {
    slope_of(network, network.gradient(), decay)
}

/// The same for this gradient of `L`.
pub(super) fn slope_of<L: Loss>(network: &Network<L>, gradient: &[Matrix], decay: f64) -> Vec<Matrix> {
    let down = |(block, layer): (&Matrix, Option<&Matrix>)| {
        let mut slope = block.scaled(-1.0);
        if let Some(layer) = layer.filter(|_| decay != 0.0) {
            slope.add_scaled(-decay, layer);
        }
        slope
    };
    let layers = network.layers().iter().map(Some).chain(std::iter::repeat(None));
    gradient.iter().zip(layers).map(down).collect()
}

pub(super) fn norm(blocks: &[Matrix]) -> f64 {
    let norms: Vec<f64> = blocks.iter().map(Matrix::frobenius_norm).collect();
    vector_norm(&norms)
}

/// Follows the flow by steps of order 8 whose length fits their error. A level and a time are met by a last step of just the
/// right length, so they are as accurate as the steps are.
pub fn flow<L: Loss + Clone>(start: &Network<L>, options: &FlowOptions) -> Trajectory {
    let at = |blocks: &[Matrix]| start.with_blocks(blocks.to_vec());
    let decay = options.decay;
    let field = |blocks: &[Matrix]| slope(&at(blocks), decay);
    let mut conserved = Conserved::new(start, decay);
    let mut run = Run {
        now: Sample { time: 0.0, loss: value(start, decay), blocks: start.parameter_blocks() },
        levels: options.levels.iter().map(|&level| Crossing { level, at: None }).collect(),
        samples: Vec::new(),
        gradients: 0,
    };
    run.pass_levels(&run.now.clone());
    let first_gradient = norm(&slope(start, decay));
    let tolerance = (options.accuracy, options.accuracy * norm(&run.now.blocks).max(f64::MIN_POSITIVE));
    let mut slopes = slope(start, decay);
    let mut h = first_step(&run.now.blocks, &slopes);
    let mut times = options.times.iter().copied().filter(|&time| time <= options.until_time).peekable();
    let (mut steps, mut path) = (0, Vec::new());
    let mut pass = |now: &Sample, slopes: &[Matrix]| {
        if options.keep_path {
            let rate = norm(slopes).powi(2);
            path.push(Passed { time: now.time, loss: now.loss, rate, blocks: now.blocks.clone() });
        }
    };
    pass(&run.now, &slopes);
    let stop = loop {
        while let Some(time) = times.next_if(|&time| time <= run.now.time) {
            run.samples.push(Sample { time, ..run.now.clone() });
        }
        let gradient = norm(&slopes);
        if options.until_loss.is_some_and(|loss| run.now.loss <= loss) {
            break Stop::Gap;
        }
        if run.now.time >= options.until_time {
            break Stop::Time;
        }
        if gradient <= options.until_gradient * first_gradient {
            break Stop::Gradient;
        }
        if steps >= options.most_steps {
            break Stop::Steps;
        }
        let next = times.peek().copied().unwrap_or(f64::INFINITY).min(options.until_time);
        let (length, meets) = if run.now.time + 1.01 * h >= next { (next - run.now.time, true) } else { (h, false) };
        let taken = step(&run.now.blocks, &slopes, length, tolerance, field);
        run.gradients += STAGE_COUNT - 1;
        steps += 1;
        let factor = (0.9 * taken.error.max(1e-30).powf(-0.125)).clamp(0.2, 6.0);
        if !(taken.error <= 1.0) {
            h = length * if taken.error.is_finite() { factor.min(0.9) } else { 0.1 };
            if h < 1e-14 * (1.0 + run.now.time) {
                break Stop::Diverged;
            }
            continue;
        }
        let network = at(&taken.end);
        let loss = value(&network, decay);
        let time = if meets { next } else { run.now.time + length };
        let reached = Sample { time, loss, blocks: taken.end };
        run.locate(&reached, &slopes, tolerance, &at, decay);
        slopes = slope(&network, decay);
        run.now = reached;
        pass(&run.now, &slopes);
        conserved.measure(&run.now.blocks, run.now.time);
        h = if meets { h.max(length) } else { length * factor };
    };
    Trajectory {
        samples: run.samples,
        crossings: run.levels,
        path,
        last: run.now,
        stop,
        max_drift: conserved.max_drift(),
        steps,
        gradients: run.gradients,
    }
}

/// A hundredth of the time in which the start would change by its size.
fn first_step(blocks: &[Matrix], slopes: &[Matrix]) -> f64 {
    let (size, speed) = (norm(blocks), norm(slopes));
    if size > 0.0 && speed > 0.0 { 0.01 * size / speed } else { 1e-3 }
}

struct Run {
    now: Sample,
    levels: Vec<Crossing>,
    samples: Vec<Sample>,
    gradients: usize,
}

impl Run {
    /// Levels that a point is at, or below.
    fn pass_levels(&mut self, point: &Sample) {
        let reached = self.levels.iter_mut().filter(|crossing| crossing.at.is_none() && point.loss <= crossing.level);
        reached.for_each(|crossing| crossing.at = Some(point.clone()));
    }

    /// When the loss passes levels between now and a point that a step has reached.
    fn locate<L: Loss + Clone>(
        &mut self,
        reached: &Sample,
        slopes: &[Matrix],
        tolerance: (f64, f64),
        at: &impl Fn(&[Matrix]) -> Network<L>,
        decay: f64,
    ) {
        let length = reached.time - self.now.time;
        let point = |h: f64| {
            let blocks = step(&self.now.blocks, slopes, h, tolerance, |blocks| slope(&at(blocks), decay)).end;
            Sample { time: self.now.time + h, loss: value(&at(&blocks), decay), blocks }
        };
        let passed: Vec<usize> = (0..self.levels.len())
            .filter(|&k| self.levels[k].at.is_none() && reached.loss <= self.levels[k].level)
            .collect();
        let found: Vec<Sample> =
            passed.iter().map(|&k| first_below(self.levels[k].level, self.now.loss, reached, length, &point)).collect();
        self.gradients += 10 * passed.len() * (STAGE_COUNT - 1);
        for (k, sample) in passed.into_iter().zip(found) {
            self.levels[k].at = Some(sample);
        }
    }
}

/// Where the loss meets a level inside a step: false position that halves the weight of an end that stays (Illinois).
fn first_below(level: f64, start: f64, end: &Sample, length: f64, point: &impl Fn(f64) -> Sample) -> Sample {
    let (mut low, mut high) = ((0.0, start - level), (length, end.loss - level));
    let mut best = end.clone();
    for _ in 0..60 {
        if high.1 == 0.0 || high.0 - low.0 <= 4.0 * f64::EPSILON * (end.time.abs() + length) {
            break;
        }
        let h = high.0 - high.1 * (high.0 - low.0) / (high.1 - low.1);
        let h = if h > low.0 && h < high.0 { h } else { 0.5 * (low.0 + high.0) };
        let sample = point(h);
        let over = sample.loss - level;
        if over > 0.0 {
            low = (h, over);
            high.1 *= 0.5;
        } else {
            let tiny = over.abs() <= 4.0 * f64::EPSILON * level.abs();
            high = (h, over);
            low.1 *= 0.5;
            best = sample;
            if tiny {
                break;
            }
        }
    }
    best
}
