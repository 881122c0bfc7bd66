//! Newton's method in a trust region, on the blocks of a network.

use super::preconditioner::Preconditioner;
use crate::linalg::{Matrix, vector_norm};
use crate::loss::Loss;
use crate::network::Network;

/// Most steps of a descent.
const MOST_STEPS: usize = 500;
/// A descent has gone to infinity where its parameters are this many times larger than they were, or than their natural size.
const FAR: f64 = 1e7;
/// A gradient that is zero beside steps of this part of the parameters belongs to no point near by.
const FLEEING: f64 = 1e-4;
/// Rounding errors of a gradient, relative to the size of its terms.
const ROUNDING: f64 = 4e-15;

/// How a descent ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// At a point where the gradient is no more than rounding errors.
    Critical,
    /// The parameters grow without bound while the loss falls.
    AtInfinity,
    /// Neither, within the steps allowed.
    Unfinished,
}

/// A descent.
#[derive(Debug, Clone)]
pub struct Descent<L> {
    /// Where it ended.
    pub network: Network<L>,
    /// How.
    pub end: End,
    /// The last step of Newton's method, one matrix a block.
    pub step: Vec<Matrix>,
    /// Steps taken.
    pub steps: usize,
}

/// Descends from a point by steps of a quadratic model inside a trust region, until [`Network::is_critical`] holds with this tolerance or
/// `stop` says so. The model is solved by conjugate gradients that stop at negative curvature (Steihaug) and are preconditioned by the
/// blocks of the Hessian. The inputs have norm 1, so that layers whose norm is the `h`-th root of [`Loss::output_size`] make
/// outputs of the size in which the loss is measured.
pub fn descend<L: Loss + Clone>(
    mut network: Network<L>,
    tolerance: f64,
    stop: impl Fn(&Network<L>) -> bool,
) -> Descent<L> {
    let (start, natural) = (size_of(&network), natural_size(&network));
    let mut radius = natural.max(start);
    let mut value = network.value();
    let first = norm(network.gradient());
    // Outputs that a loss grows with cannot leave.
    let stays = network.loss().is_coercive();
    let mut step = network.gradient().iter().map(|block| block.scaled(0.0)).collect();
    if !(value.is_finite() && first.is_finite()) {
        return Descent { network, end: End::Unfinished, step, steps: 0 };
    }
    for steps in 0..MOST_STEPS {
        if stop(&network) {
            return Descent { network, end: End::AtInfinity, step, steps };
        }
        let gradient = norm(network.gradient());
        let size = size_of(&network);
        let forcing = (gradient / first).sqrt().min(0.1);
        let relative = if gradient == 0.0 { 0.0 } else { network.measured_gradient() };
        let is_small = relative <= tolerance;
        // Below its own rounding errors a residual points anywhere, also along directions that change nothing.
        let accurate = if relative > 0.0 { (ROUNDING / relative).clamp(1e-10, 0.5) } else { 1e-10 };
        let model = Model::solve(&network, radius, if is_small { accurate } else { forcing.max(accurate) });
        let length = norm(&model.step);
        let far = size > FAR * (natural + start);
        if is_small || far {
            let flees = far || (length > FLEEING * (natural + size) && model.predicted > f64::EPSILON * value.abs());
            let end = match (flees && !stays, is_small && network.is_critical(tolerance)) {
                (true, _) => Some(End::AtInfinity),
                (_, true) => Some(End::Critical),
                _ => far.then_some(End::Unfinished),
            };
            if let Some(end) = end {
                return Descent { network, end, step: model.step, steps };
            }
        }
        let moved = network.moved(1.0, &model.step);
        let after = moved.value();
        let noise = 8.0 * f64::EPSILON * value.abs();
        let gain = value - after;
        // Beside rounding errors of the value the gradient tells whether a step was one forward.
        let drowned = model.predicted <= noise && gain.abs() <= noise;
        let ratio =
            if drowned { f64::from(u8::from(norm(moved.gradient()) < gradient)) } else { gain / model.predicted };
        if !(ratio > 0.25) {
            radius = 0.25 * length.min(radius);
        } else if ratio > 0.75 && length > 0.8 * radius {
            radius *= 3.0;
        }
        step = model.step;
        if ratio > 0.05 && after.is_finite() {
            (network, value) = (moved, after);
        } else if radius < 1e-15 * (natural + size) || drowned {
            let end = if gradient <= 1e3 * tolerance * first { End::Critical } else { End::Unfinished };
            return Descent { network, end, step, steps };
        }
    }
    Descent { network, end: End::Unfinished, step, steps: MOST_STEPS }
}

/// The step that minimises a quadratic model inside a ball. Inside, steps are in units of the parameters and the model in units of
/// their product with the gradient, so that squares neither overflow nor vanish.
struct Model {
    step: Vec<Matrix>,
    /// By how much the model falls.
    predicted: f64,
}

impl Model {
    fn solve<L: Loss>(network: &Network<L>, radius: f64, forcing: f64) -> Self {
        let size = norm(network.gradient());
        let unit = natural_size(network) + size_of(network);
        let radius = radius / unit;
        let zero: Vec<Matrix> = network.gradient().iter().map(|block| block.scaled(0.0)).collect();
        let (mut step, mut image) = (zero.clone(), zero);
        if size == 0.0 {
            return Self { step, predicted: 0.0 };
        }
        let gradient: Vec<Matrix> = network.gradient().iter().map(|block| block.map(|entry| entry / size)).collect();
        let mut residual = gradient.clone();
        let preconditioner = Preconditioner::new(network);
        let conditioned = |residual: &[Matrix]| match &preconditioner {
            Some(preconditioner) => times(&preconditioner.solve(residual), size / unit),
            None => residual.to_vec(),
        };
        let mut direction = times(&conditioned(&residual), -1.0);
        let mut product = -dot(&residual, &direction);
        let target = forcing * norm(&residual);
        let parameters: usize = gradient.iter().map(|block| block.nrows() * block.ncols()).sum();
        for _ in 0..(2 * parameters + 10).min(2000) {
            if norm(&residual) <= target || !(product > 0.0) {
                break;
            }
            let curved = times(&network.hessian_times(&direction), unit / size);
            let curvature = dot(&direction, &curved);
            let length = dot(&direction, &direction);
            let alpha = product / curvature;
            let leaves = || norm_after(&step, alpha, &direction) >= radius;
            if !(curvature > f64::EPSILON * length * f64::EPSILON) || leaves() {
                let to_border = border(&step, &direction, radius);
                add(&mut step, to_border, &direction);
                add(&mut image, to_border, &curved);
                break;
            }
            add(&mut step, alpha, &direction);
            add(&mut image, alpha, &curved);
            add(&mut residual, alpha, &curved);
            let steepest = conditioned(&residual);
            let after = dot(&residual, &steepest);
            let beta = after / product;
            for (d, r) in direction.iter_mut().zip(&steepest) {
                *d = &d.scaled(beta) - r;
            }
            product = after;
        }
        let predicted = -(dot(&gradient, &step) + 0.5 * dot(&step, &image)) * size * unit;
        Self { step: times(&step, unit), predicted }
    }
}

fn times(blocks: &[Matrix], factor: f64) -> Vec<Matrix> {
    blocks.iter().map(|block| block.scaled(factor)).collect()
}

/// A vector of parameters as blocks, each matrix row by row.
pub(crate) fn in_blocks(shapes: &[(usize, usize)], vector: &[f64]) -> Vec<Matrix> {
    let mut from = 0;
    let block = |&(rows, columns): &(usize, usize)| {
        let part = &vector[from..from + rows * columns];
        from += rows * columns;
        Matrix::from_fn(rows, columns, |i, j| part[i * columns + j])
    };
    shapes.iter().map(block).collect()
}

/// The larger `t` with `||step + t direction|| = radius`.
fn border(step: &[Matrix], direction: &[Matrix], radius: f64) -> f64 {
    let (a, b, c) = (dot(direction, direction), dot(step, direction), dot(step, step) - radius * radius);
    let root = (b * b - a * c).max(0.0).sqrt();
    if b > 0.0 { -c / (b + root) } else { (root - b) / a }
}

fn norm_after(step: &[Matrix], t: f64, direction: &[Matrix]) -> f64 {
    (dot(step, step) + t * (2.0 * dot(step, direction) + t * dot(direction, direction))).max(0.0).sqrt()
}

fn add(x: &mut [Matrix], factor: f64, y: &[Matrix]) {
    x.iter_mut().zip(y).for_each(|(x, y)| x.add_scaled(factor, y));
}

fn dot(x: &[Matrix], y: &[Matrix]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x.dot(y)).sum()
}

fn norm(x: &[Matrix]) -> f64 {
    let norms: Vec<f64> = x.iter().map(Matrix::frobenius_norm).collect();
    vector_norm(&norms)
}

/// The size of layers, all alike, whose outputs have the size in which the loss is measured.
pub(super) fn natural_size<L: Loss>(network: &Network<L>) -> f64 {
    network.loss().output_size().powf(1.0 / network.layers().len() as f64)
}

fn size_of<L: Loss>(network: &Network<L>) -> f64 {
    norm(network.layers())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::{Entry, EntrywiseLoss};
    use crate::random::Stream;

    fn network(entry: Entry, seed: u64) -> Network<EntrywiseLoss> {
        let mut stream = Stream::new(seed, 0);
        let targets = stream.normal_matrix(3, 40).map(|x| if entry == Entry::Logistic { x.signum() } else { x });
        let layers = vec![stream.normal_matrix(2, 4), stream.normal_matrix(3, 2)];
        Network::with_loss(layers, None, Some(stream.normal_matrix(4, 40)), EntrywiseLoss::new(entry, targets, None))
    }

    #[test]
    fn descents_end_at_critical_points() {
        for entry in [Entry::Square, Entry::Huber(0.5), Entry::PseudoHuber(0.5), Entry::LogCosh, Entry::Logistic] {
            for seed in 0..8 {
                let found = descend(network(entry, seed), 1e-11, |_| false);
                assert_eq!(found.end, End::Critical, "{entry:?} {seed}");
                assert!(found.steps < 100, "{entry:?} {seed}: {}", found.steps);
            }
        }
    }

    #[test]
    fn separable_samples_send_a_descent_to_infinity() {
        let loss = EntrywiseLoss::new(Entry::Logistic, Matrix::from_rows(&[vec![1.0, -1.0]]), None);
        let inputs = Matrix::from_rows(&[vec![2.0, -1.0]]);
        let network = Network::with_loss(vec![Matrix::zeros(1, 1)], None, Some(inputs), loss);
        let found = descend(network, 1e-11, |_| false);
        assert_eq!(found.end, End::AtInfinity);
        assert!(found.network.value() < 1e-9);
    }
}
