//! Weights that have left a point train on: plain gradient descent from them, run by the reference, passes the next rung within
//! the steps that were promised.

use crate::points::{class_of, parameters, samples};
use rankscape::critical::CriticalClass;
use rankscape::diagnosis::{Diagnosis, Settings, diagnose, leave};
use rankscape::error::Result;
use rankscape::escape::{Destination, Leave};
use rankscape::linalg::Matrix;
use rankscape::problem::{GivenParameters, Problem};
use rankscape::tolerance::UNIT_ROUNDOFF;
use testkit::grid::Grid;
use testkit::jacobi;
use testkit::planted::{Class, Limits, Planted};
use testkit::random::Draw;
use testkit::reference::Network;

const LIMITS: Limits = Limits { min_depth: 2, max_depth: 5, max_width: 5 };

/// How weights are stored.
#[derive(Debug, Clone, Copy)]
enum Stored {
    Double,
    Single,
}

impl Stored {
    fn rounded(self, x: f64) -> f64 {
        match self {
            Self::Double => x,
            Self::Single => f64::from(x as f32),
        }
    }

    fn unit_roundoff(self) -> f64 {
        match self {
            Self::Double => UNIT_ROUNDOFF,
            Self::Single => 2.0_f64.powi(-24),
        }
    }
}

fn left(network: &Network<f64>, to: Destination, stored: Stored) -> (Diagnosis, Option<Leave>) {
    let data = samples(&network.x, &network.y, None);
    let problem = Problem::new(parameters(network, None).stored_in(stored.unit_roundoff()), data).unwrap();
    let found = diagnose(&problem, Settings::default()).unwrap();
    let round = |(matrices, biases): GivenParameters| -> Result<GivenParameters> {
        let matrices = matrices.iter().map(|w| w.map(|x| stored.rounded(x))).collect();
        let one = |bias: &Vec<f64>| bias.iter().map(|&x| stored.rounded(x)).collect();
        Ok((matrices, biases.iter().map(|bias| bias.as_ref().map(one)).collect()))
    };
    let left = leave(&problem, &found, to, Settings::default(), &round).unwrap();
    (found, left)
}

fn network_at(network: &Network<f64>, left: &Leave) -> Network<f64> {
    let grid = |w: &Matrix| Grid::from_fn(w.nrows(), w.ncols(), |i, j| w[(i, j)]);
    Network { weights: left.matrices.iter().map(grid).collect(), biases: left.biases.clone(), ..network.clone() }
}

fn descend(mut network: Network<f64>, step: f64, steps: usize, passed: impl Fn(f64) -> bool) -> Option<usize> {
    for count in 0..=steps {
        if passed(network.value()) {
            return Some(count);
        }
        let moved: Vec<f64> =
            network.parameter_values().iter().zip(network.gradient()).map(|(x, g)| x - step * g).collect();
        network = network.with_parameters(&moved);
    }
    None
}

/// Whether a loss is past the rung after the planted point: the captured set with the largest missing direction that there is
/// room for, or with the best exchange where there is none. A minimum counts within a hundredth of the gap above it.
fn passes_next_rung(planted: &Planted<f64>) -> impl Fn(f64) -> bool {
    let spectrum = planted.blueprint.spectrum();
    let captured: Vec<usize> = planted.blueprint.captured().iter().map(|i| i - 1).collect();
    let room = planted.widths[1..].iter().copied().min().unwrap().min(planted.whitened[0].cols());
    let best = spectrum.iter().take(room).filter(|&&s| s > 0.0).count();
    let missing: Vec<usize> = (0..best).filter(|i| !captured.contains(i)).collect();
    let worth = |i: usize| 0.5 * spectrum[i] * spectrum[i];
    let gain = missing.first().map_or(0.0, |&i| {
        let forgotten = if captured.len() < room { 0.0 } else { worth(*captured.last().unwrap()) };
        worth(i) - forgotten
    });
    let (loss, minimum) = (planted.loss, planted.global_minimum);
    move |value| {
        let next = loss - gain;
        if next - minimum > 1e-9 * loss { value < next } else { value - minimum <= 0.01 * (loss - minimum) }
    }
}

#[test]
fn gradient_descent_from_the_weights_passes_the_next_rung_within_the_steps() {
    let mut counts = [0; 3];
    for seed in 0..360 {
        let class = Class::ALL[seed as usize % 3];
        let planted = Planted::<f64>::draw_class(&mut Draw::new(21, seed), LIMITS, class);
        for stored in [Stored::Double, Stored::Single] {
            let mut network = planted.network.clone();
            for w in &mut network.weights {
                *w = Grid::from_fn(w.rows(), w.cols(), |i, j| stored.rounded(w[(i, j)]));
            }
            let (found, left) = left(&network, Destination::Next, stored);
            if class == Class::GlobalMinimum {
                if found.class == CriticalClass::GlobalMinimum {
                    assert!(left.is_none_or(|left| left.decrease < 1e-9 * found.loss), "seed {seed}");
                }
                continue;
            }
            let left = left.unwrap_or_else(|| panic!("seed {seed} {stored:?}: nothing written, {}", found.class));
            let start = network_at(&network, &left);
            assert!((start.value() - left.loss).abs() <= 1e-9 * found.loss, "seed {seed}");
            assert!((found.loss - left.loss - left.decrease).abs() <= 1e-12 * found.loss && left.decrease > 0.0);
            let largest = jacobi::eigenvalues(&start.hessian()).into_iter().fold(0.0, f64::max);
            assert!((left.lambda_max - largest).abs() <= 1e-6 * largest, "seed {seed}: {} {largest}", left.lambda_max);
            assert!(left.step <= 1.0001 / largest, "seed {seed}");
            let passed = descend(start, left.step, left.steps, passes_next_rung(&planted));
            assert!(
                passed.is_some(),
                "seed {seed} {stored:?} {class:?}: not past the next rung in {} steps",
                left.steps
            );
            assert_eq!(found.class, class_of(class), "seed {seed} {stored:?}");
            counts[seed as usize % 3] += 1;
        }
    }
    assert!(counts[1] >= 200 && counts[2] >= 200, "{counts:?}");
}

#[test]
fn the_way_to_the_minimum_ends_there() {
    for seed in 0..200 {
        let class = [Class::StrictSaddle, Class::NonStrictSaddle][seed as usize % 2];
        let planted = Planted::<f64>::draw_class(&mut Draw::new(22, seed), LIMITS, class);
        let (found, left) = left(&planted.network, Destination::Minimum, Stored::Double);
        let left = left.unwrap_or_else(|| panic!("seed {seed}: nothing written"));
        assert!((left.loss - planted.global_minimum).abs() <= 1e-10 * found.loss, "seed {seed}");
        let value = network_at(&planted.network, &left).value();
        assert!((value - planted.global_minimum).abs() <= 1e-10 * found.loss, "seed {seed}");
    }
}
