//! Newton's method in a trust region, on the blocks of a network.

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

/// Descends from a point by steps of a quadratic model inside a trust region, solved by conjugate gradients that stop at negative
/// curvature (Steihaug), until `gradient.relative` (see [`Network::measured_gradient`]) is at most `tolerance` or `stop` says so. The inputs
/// have norm 1, so that layers of [`natural_size`] make outputs of the size in which the loss is measured.
pub fn descend<L: Loss + Clone>(
    mut network: Network<L>,
    tolerance: f64,
    stop: impl Fn(&Network<L>) -> bool,
) -> Descent<L> {
    let (start, natural) = (size_of(&network), natural_size(&network));
    let mut radius = natural.max(start);
    let mut value = network.value();
    let first = norm(network.gradient());
    let mut step = network.gradient().iter().map(|block| block.scaled(0.0)).collect();
    for steps in 0..MOST_STEPS {
        if stop(&network) {
            return Descent { network, end: End::AtInfinity, step, steps };
        }
        let gradient = norm(network.gradient());
        let size = size_of(&network);
        let forcing = (gradient / first).sqrt().min(0.1);
        let relative = if gradient == 0.0 { 0.0 } else { network.measured_gradient() };
        let is_zero = relative <= tolerance;
        // Below its own rounding errors a residual points anywhere, also along directions that change nothing.
        let accurate = if relative > 0.0 { (ROUNDING / relative).clamp(1e-10, 0.5) } else { 1e-10 };
        let model = Model::solve(&network, radius, if is_zero { accurate } else { forcing.max(accurate) });
        let length = norm(&model.step);
        let far = size > FAR * (natural + start);
        if is_zero || far {
            let flees = far || (length > FLEEING * (natural + size) && model.predicted > f64::EPSILON * value.abs());
            let end = if flees { End::AtInfinity } else { End::Critical };
            return Descent { network, end, step: model.step, steps };
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

/// The step that minimises a quadratic model inside a ball.
struct Model {
    step: Vec<Matrix>,
    /// By how much the model falls.
    predicted: f64,
}

impl Model {
    fn solve<L: Loss>(network: &Network<L>, radius: f64, forcing: f64) -> Self {
        let gradient = network.gradient();
        let zero: Vec<Matrix> = gradient.iter().map(|block| block.scaled(0.0)).collect();
        let mut step = zero.clone();
        let mut image = zero;
        let mut residual = gradient.to_vec();
        let mut direction: Vec<Matrix> = residual.iter().map(|block| block.scaled(-1.0)).collect();
        let mut squares = dot(&residual, &residual);
        let target = forcing * squares.sqrt();
        let parameters: usize = gradient.iter().map(|block| block.nrows() * block.ncols()).sum();
        for _ in 0..(2 * parameters + 10).min(2000) {
            if squares.sqrt() <= target || squares == 0.0 {
                break;
            }
            let times = network.hessian_times(&direction);
            let curvature = dot(&direction, &times);
            let length = dot(&direction, &direction);
            let alpha = squares / curvature;
            let leaves = || norm_after(&step, alpha, &direction) >= radius;
            if !(curvature > f64::EPSILON * length * f64::EPSILON) || leaves() {
                let to_border = border(&step, &direction, radius);
                add(&mut step, to_border, &direction);
                add(&mut image, to_border, &times);
                break;
            }
            add(&mut step, alpha, &direction);
            add(&mut image, alpha, &times);
            add(&mut residual, alpha, &times);
            let after = dot(&residual, &residual);
            let beta = after / squares;
            for (d, r) in direction.iter_mut().zip(&residual) {
                *d = &d.scaled(beta) - r;
            }
            squares = after;
        }
        let predicted = -(dot(gradient, &step) + 0.5 * dot(&step, &image));
        Self { step, predicted }
    }
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
