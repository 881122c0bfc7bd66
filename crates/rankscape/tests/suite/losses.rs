//! Networks with losses that are not the square one: derivatives against the loss itself, ends of the spectrum against a dense
//! Hessian from finite differences, a way down.

use std::sync::Arc;

use rankscape::Matrix;
use rankscape::Tolerances;
use rankscape::answers::{Settings, diagnose_loss, minima};
use rankscape::critical::CriticalClass;
use rankscape::escape::StraightEscape;
use rankscape::hessian::{HessianOperator, Part, check_gradient, check_hessian, extremes};
use rankscape::linalg::{SymmetricOperator, svd, symmetric_eigenvalues};
use rankscape::loss::{Convexity, Infimum, Loss, LossKind, Observations, SquareLoss};
use rankscape::network::{Network, SquareNetwork};
use rankscape::problem::{LossData, LossProblem, Parameters};
use rankscape::random::Stream;
use rankscape::riemannian::{BadMinima, FunctionSpace, Minima, MinimaRequest, convex_bound};

/// `sum log cosh (F - Z)`.
#[derive(Debug, Clone)]
struct LogCosh {
    target: Matrix,
}

impl Loss for LogCosh {
    fn value(&self, outputs: &Matrix) -> f64 {
        (outputs - &self.target).entries().map(|x| x.cosh().ln()).sum()
    }

    fn gradient(&self, outputs: &Matrix) -> Matrix {
        (outputs - &self.target).map(f64::tanh)
    }

    fn hessian_times(&self, outputs: &Matrix, direction: &Matrix) -> Matrix {
        let slope = (outputs - &self.target).map(|x| 1.0 - x.tanh().powi(2));
        Matrix::from_fn(slope.nrows(), slope.ncols(), |i, j| slope[(i, j)] * direction[(i, j)])
    }

    fn smoothness(&self, _outputs: &Matrix) -> f64 {
        1.0
    }

    fn gradient_size(&self, outputs: &Matrix) -> f64 {
        self.gradient(outputs).frobenius_norm()
    }

    fn convexity(&self) -> Convexity {
        Convexity::Convex
    }

    fn infimum(&self) -> Infimum {
        Infimum::Attained(0.0)
    }
}

/// The square loss by the general path.
#[derive(Debug, Clone)]
struct Plain(SquareLoss);

impl Loss for Plain {
    fn value(&self, outputs: &Matrix) -> f64 {
        self.0.value(outputs)
    }

    fn gradient(&self, outputs: &Matrix) -> Matrix {
        self.0.gradient(outputs)
    }

    fn hessian_times(&self, outputs: &Matrix, direction: &Matrix) -> Matrix {
        self.0.hessian_times(outputs, direction)
    }

    fn smoothness(&self, outputs: &Matrix) -> f64 {
        self.0.smoothness(outputs)
    }

    fn gradient_size(&self, outputs: &Matrix) -> f64 {
        self.0.gradient_size(outputs)
    }

    fn convexity(&self) -> Convexity {
        self.0.convexity()
    }

    fn infimum(&self) -> Infimum {
        self.0.infimum()
    }
}

const WIDTHS: [&[usize]; 4] = [&[3, 2, 4], &[2, 3, 2, 3], &[4, 1, 1, 2], &[3, 2]];

fn layers(widths: &[usize], stream: &mut Stream) -> Vec<Matrix> {
    widths.windows(2).map(|pair| stream.normal_matrix(pair[1], pair[0])).collect()
}

fn network(widths: &[usize], stream: &mut Stream) -> Network<LogCosh> {
    let inputs = stream.normal_matrix(widths[0], 5);
    let target = stream.normal_matrix(widths[widths.len() - 1], 5);
    Network::with_loss(layers(widths, stream), None, Some(inputs), LogCosh { target })
}

#[test]
fn gradient_and_hessian_of_another_loss_have_the_slopes_of_taylor() {
    for (case, widths) in WIDTHS.into_iter().enumerate() {
        let mut stream = Stream::new(5, case as u64);
        let network = network(widths, &mut stream);
        let direction = layers(widths, &mut stream);
        let first = check_gradient(&network, &direction).slope.unwrap();
        let second = check_hessian(&network, &direction).slope.unwrap();
        assert!((first - 2.0).abs() < 0.1 && (second - 3.0).abs() < 0.2, "{widths:?}: {first} {second}");
    }
}

#[test]
fn both_ends_of_the_spectrum_of_another_loss_are_those_of_a_dense_hessian() {
    for (case, widths) in WIDTHS.into_iter().enumerate() {
        let mut stream = Stream::new(6, case as u64);
        let network = network(widths, &mut stream);
        let operator = HessianOperator::new(&network, vec![1.0; widths.len() - 1]);
        let n = operator.dimension();
        // Differences of gradients, which the test above compares with the loss.
        let vector = |blocks: &[Matrix]| blocks.iter().flat_map(|b| b.to_rows().concat()).collect::<Vec<f64>>();
        let unit = |at: usize| {
            let mut offset = 0;
            let block = |w: &Matrix| {
                let start = offset;
                offset += w.nrows() * w.ncols();
                Matrix::from_fn(w.nrows(), w.ncols(), |i, j| f64::from(start + i * w.ncols() + j == at))
            };
            network.layers().iter().map(block).collect::<Vec<Matrix>>()
        };
        let h = 1e-5;
        let columns: Vec<Vec<f64>> = (0..n)
            .map(|at| {
                let (up, down) = (network.moved(h, &unit(at)), network.moved(-h, &unit(at)));
                let pairs = vector(up.gradient()).into_iter().zip(vector(down.gradient()));
                pairs.map(|(a, b)| (a - b) / (2.0 * h)).collect()
            })
            .collect();
        let dense = Matrix::from_fn(n, n, |i, j| 0.5 * (columns[j][i] + columns[i][j]));
        let values = symmetric_eigenvalues(&dense).unwrap();
        let found = extremes(&operator, None, &Tolerances::default(), 0);
        let scale = values[n - 1].abs().max(values[0].abs());
        assert!((found.smallest.value - values[0]).abs() < 1e-7 * scale, "{widths:?}");
        assert!((found.largest.value - values[n - 1]).abs() < 1e-7 * scale, "{widths:?}");
    }
}

#[test]
fn the_square_loss_by_the_general_path_is_the_fast_path() {
    for (case, widths) in WIDTHS.into_iter().enumerate() {
        let mut stream = Stream::new(7, case as u64);
        let (inputs, target) = (stream.normal_matrix(widths[0], 4), stream.normal_matrix(widths[widths.len() - 1], 4));
        let matrices = layers(widths, &mut stream);
        let fast = SquareNetwork::new(matrices.clone(), Some(inputs.clone()), target.clone());
        let plain = Network::with_loss(matrices, None, Some(inputs), Plain(SquareLoss::new(target)));
        assert_eq!((fast.value(), fast.gradient()), (plain.value(), plain.gradient()));
        let scales = vec![1.5; widths.len() - 1];
        for part in [Part::Full, Part::GaussNewton, Part::Residual] {
            let [a, b] = [
                HessianOperator::new(&fast, scales.clone()).part(part).to_dense(),
                HessianOperator::new(&plain, scales.clone()).part(part).to_dense(),
            ];
            assert!((&a - &b).max_abs() <= 1e-13 * a.max_abs(), "{widths:?} {part:?}");
        }
    }
}

#[test]
fn another_loss_falls_along_minus_its_gradient_and_along_negative_curvature() {
    let mut stream = Stream::new(8, 0);
    let network = network(&[3, 2, 4], &mut stream);
    let found = StraightEscape::downhill(&network).unwrap();
    let end = network.moved(found.t, &found.direction);
    assert!(found.order == 1 && (network.value() - end.value() - found.decrease).abs() < 1e-12 && found.decrease > 0.0);
    // The origin of two layers is a saddle whatever the loss: no slope, and curvature along minus the gradient in matrix space.
    let target = stream.normal_matrix(4, 5);
    let origin = Network::with_loss(
        vec![Matrix::zeros(2, 3), Matrix::zeros(4, 2)],
        None,
        Some(stream.normal_matrix(3, 5)),
        LogCosh { target },
    );
    assert!(StraightEscape::downhill(&origin).is_none());
    let operator = HessianOperator::new(&origin, vec![1.0; 2]);
    let lowest = extremes(&operator, None, &Tolerances::default(), 0).smallest;
    let direction = [
        Matrix::from_fn(2, 3, |i, j| lowest.vector[3 * i + j]),
        Matrix::from_fn(4, 2, |i, j| lowest.vector[6 + 2 * i + j]),
    ];
    let found = StraightEscape::along(&origin, &direction).unwrap();
    assert_eq!(found.order, 2);
    assert!((found.coefficient - 0.5 * lowest.value).abs() < 1e-10 * lowest.value.abs() && found.decrease > 0.0);
}

/// Every loss that has a name, with targets it is defined for.
fn named(rows: usize, samples: usize, stream: &mut Stream) -> Vec<(LossKind, Observations)> {
    let weights = Matrix::from_fn(rows, samples, |_, _| stream.uniform() + 0.1);
    let kinds = [
        LossKind::Square,
        LossKind::Quadratic { weights: weights.clone() },
        LossKind::Huber { delta: 0.7 },
        LossKind::PseudoHuber { delta: 0.7 },
        LossKind::LogCosh,
        LossKind::Power { p: 4.0 },
        LossKind::Power { p: 2.5 },
        LossKind::Logistic,
        LossKind::Softmax { smoothing: 0.0, class_weights: None },
        LossKind::Softmax { smoothing: 0.1, class_weights: Some((1..=rows).map(|k| k as f64).collect()) },
    ];
    kinds
        .into_iter()
        .map(|kind| {
            let targets = match kind {
                LossKind::Logistic => stream.normal_matrix(rows, samples).map(f64::signum),
                LossKind::Softmax { .. } => {
                    let labels: Vec<i64> = (0..samples).map(|_| stream.integer(0, rows as i64 - 1)).collect();
                    Matrix::from_fn(rows, samples, |k, j| f64::from(u8::from(labels[j] == k as i64)))
                }
                _ => stream.normal_matrix(rows, samples),
            };
            (kind, Observations { targets, weights: None })
        })
        .collect()
}

#[test]
fn derivatives_of_every_named_loss_have_the_slopes_of_taylor() {
    let mut stream = Stream::new(31, 0);
    let inputs = stream.normal_matrix(4, 9);
    for (kind, observations) in named(3, 9, &mut stream) {
        let loss = kind.on(observations).unwrap();
        let network = Network::with_loss(layers(&[4, 2, 3], &mut stream), None, Some(inputs.clone()), loss);
        let direction: Vec<Matrix> = network.blocks().iter().map(|&(r, c)| stream.normal_matrix(r, c)).collect();
        // The square has no remainder of third order along lines of one layer; elsewhere slopes are those of Taylor.
        let first = check_gradient(&network, &direction).slope.unwrap();
        let second = check_hessian(&network, &direction).slope.unwrap();
        assert!((first - 2.0).abs() < 0.1, "{kind:?}: {first}");
        // A kink between the point and the step, or a power between 2 and 3, leaves less than the third order.
        let least = if matches!(kind, LossKind::Huber { .. } | LossKind::Power { .. }) { 2.4 } else { 2.9 };
        assert!(second > least && second < 4.2, "{kind:?}: {second}");
    }
}

/// Orthogonal changes of the inputs, other orders of samples and units change no minimum and no class.
#[test]
fn minima_do_not_depend_on_coordinates_and_order() {
    let mut stream = Stream::new(32, 0);
    let inputs = stream.normal_matrix(4, 12);
    let turn = svd(&stream.normal_matrix(4, 4)).u;
    let tolerances = Tolerances::default();
    for (kind, observations) in named(3, 12, &mut stream).into_iter().skip(2) {
        let found = |inputs: &Matrix, observations: &Observations| {
            let data = LossData::new(kind.clone(), Some(inputs.clone()), observations.clone()).unwrap();
            let request = MinimaRequest { rank: 1, starts: 40, offset: false };
            minima(&Arc::new(data), &request, &tolerances, Settings { seed: 1, threads: 2 }).unwrap()
        };
        let reversed = |matrix: &Matrix| Matrix::from_fn(matrix.nrows(), 12, |i, j| matrix[(i, 11 - j)]);
        let turned = found(&(&turn * &inputs), &observations);
        let other = Observations { targets: reversed(&observations.targets), weights: None };
        let units = found(&reversed(&inputs).scaled(1e6), &other);
        let first = found(&inputs, &observations);
        for second in [turned, units] {
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-7 * a.abs().max(b.abs());
            assert!(close(first.bound.value, second.bound.value), "{kind:?}");
            assert_eq!(first.bound.attained, second.bound.attained, "{kind:?}");
            let values = |found: &Minima| found.minima.iter().map(|m| m.value).collect::<Vec<f64>>();
            let (a, b) = (values(&first), values(&second));
            assert!(a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| close(*a, *b)), "{kind:?}: {a:?} {b:?}");
        }
    }
}

/// An output bias is a constant feature that no rank bounds.
#[test]
fn an_offset_is_a_constant_feature_where_the_rank_is_no_bound() {
    let mut stream = Stream::new(33, 0);
    let inputs = stream.normal_matrix(3, 15);
    let with_ones = Matrix::from_fn(4, 15, |i, j| if i == 3 { 1.0 } else { inputs[(i, j)] });
    let tolerances = Tolerances::default();
    for (kind, observations) in named(3, 15, &mut stream) {
        if matches!(kind, LossKind::Quadratic { .. }) {
            continue;
        }
        let bound = |inputs: &Matrix, offset: bool| {
            let data = LossData::new(kind.clone(), Some(inputs.clone()), observations.clone()).unwrap();
            let space = FunctionSpace::new(data.loss(), data.inputs(), (3, 15), offset, &tolerances);
            convex_bound(&space)
        };
        let (a, b) = (bound(&inputs, true), bound(&with_ones, false));
        assert!((a.value - b.value).abs() <= 1e-8 * a.value.abs(), "{kind:?}: {} {}", a.value, b.value);
        assert_eq!(a.attained, b.attained, "{kind:?}");
        let (lower, _) = a.lower_bound.unwrap();
        assert!(lower <= a.value && a.value - lower <= 1e-7 * a.value.abs().max(1e-7), "{kind:?}: {lower} {}", a.value);
    }
}

#[test]
fn parameters_targets_and_weights_that_mean_nothing_are_refused() {
    let targets = Matrix::from_rows(&[vec![1.0, -1.0], vec![-1.0, 1.0]]);
    let on = |kind: LossKind, targets: &Matrix| {
        kind.on(Observations { targets: targets.clone(), weights: None }).map(|_| ()).unwrap_err().to_string()
    };
    let cases = [
        (
            on(LossKind::Huber { delta: 0.0 }, &targets),
            "array delta: the parameter of the loss must be a positive number (found 0)",
        ),
        (on(LossKind::Power { p: 1.5 }, &targets), "at least 2"),
        (on(LossKind::Logistic, &targets.scaled(0.5)), "is 1 or -1, or 1 or 0 (found 0.5 at output 0 of sample 0"),
        (on(LossKind::Logistic, &Matrix::from_rows(&[vec![1.0, 0.0, -1.0]])), "mix 0 and -1"),
        (on(LossKind::Softmax { smoothing: 0.0, class_weights: None }, &targets), "not negative (found -1 at output 1"),
        (on(LossKind::Softmax { smoothing: 2.0, class_weights: None }, &targets), "from 0 to 1 (found 2)"),
        (on(LossKind::Quadratic { weights: targets.clone() }, &targets), "negative or not finite (found -1"),
        (on(LossKind::FullQuadratic { metric: targets.clone() }, &targets), "2 x 2, the target has 4 entries"),
        (on(LossKind::LogCosh, &targets.scaled(f64::NAN)), "a target is not finite"),
    ];
    for (message, part) in cases {
        assert!(message.contains(part), "{message}");
    }
}

/// Entries of weight 0 are never looked at.
#[test]
fn targets_that_were_not_observed_do_not_matter() {
    let mut stream = Stream::new(34, 0);
    let weights = Matrix::from_rows(&[vec![1.0, 0.0, 2.0], vec![1.0, 1.0, 1.0], vec![0.0, 3.0, 1.0]]);
    let targets = stream.normal_matrix(3, 3);
    let mut holes = targets.clone();
    (holes[(0, 1)], holes[(2, 0)]) = (f64::NAN, f64::INFINITY);
    let found = |targets: &Matrix| {
        let observations = Observations { targets: targets.clone(), weights: Some(weights.clone()) };
        let data = Arc::new(LossData::new(LossKind::Square, None, observations).unwrap());
        let request = MinimaRequest { rank: 1, starts: 20, offset: false };
        minima(&data, &request, &Tolerances::default(), Settings::default()).unwrap()
    };
    let (a, b) = (found(&targets), found(&holes));
    assert_eq!(a.minima.len(), b.minima.len());
    assert!(a.minima.iter().zip(&b.minima).all(|(a, b)| a.value == b.value && a.product == b.product));
}

/// What is at weights of this storage type on one input.
fn class_at(kind: LossKind, weight: f64, roundoff: f64, inputs: &[f64], targets: &[f64]) -> CriticalClass {
    let targets = Matrix::from_rows(&[targets.to_vec()]);
    let inputs = Some(Matrix::from_rows(&[inputs.to_vec()]));
    let data = LossData::new(kind, inputs, Observations { targets, weights: None }).unwrap();
    let parameters = Parameters::from(vec![Matrix::from_rows(&[vec![weight]])]).stored_in(roundoff);
    let problem = LossProblem::new(parameters, Arc::new(data), &Tolerances::default()).unwrap();
    diagnose_loss(&problem, Settings::default()).unwrap().class
}

const SINGLE: f64 = 5.960_464_477_539_063e-8;
const DOUBLE: f64 = 1.110_223_024_625_156_5e-16;

/// The slopes of Huber's loss are bounded: beside large outputs they look like nothing.
#[test]
fn bounded_slopes_beside_large_outputs_are_not_zero() {
    let huber = |weight, roundoff, scale: f64| {
        let targets: Vec<f64> = [3.0, 4.0, 5.0].iter().map(|y| y * scale).collect();
        class_at(LossKind::Huber { delta: 1.0 }, weight * scale, roundoff, &[1.0, 1.0, 1.0], &targets)
    };
    for (roundoff, scale) in [(SINGLE, 1e5), (SINGLE, 1e8), (DOUBLE, 1e14), (DOUBLE, 1e100)] {
        assert_eq!(huber(9.0, roundoff, scale), CriticalClass::NotCritical, "{roundoff} {scale}");
        assert_eq!(huber(4.0, roundoff, scale), CriticalClass::GlobalMinimum, "{roundoff} {scale}");
    }
}

/// Where samples can be separated, no weights are at rest, however small the gradient is.
#[test]
fn well_trained_separable_samples_are_at_no_minimum() {
    for (roundoff, weight) in [(SINGLE, 8.0), (SINGLE, 15.0), (SINGLE, 40.0), (DOUBLE, 40.0), (DOUBLE, 300.0)] {
        let class = class_at(LossKind::Logistic, weight, roundoff, &[1.0, -2.0], &[1.0, -1.0]);
        assert_eq!(class, CriticalClass::NotCritical, "{roundoff} {weight}");
    }
}

fn minima_of(kind: LossKind, inputs: Option<Matrix>, targets: Matrix, rank: usize, starts: usize) -> Minima {
    let data = LossData::new(kind, inputs, Observations { targets, weights: None }).unwrap();
    let request = MinimaRequest { rank, starts, offset: false };
    minima(&Arc::new(data), &request, &Tolerances::default(), Settings { seed: 1, threads: 1 }).unwrap()
}

/// A semidefinite metric has several exact fits of rank one: their values are rounding errors, and no loss is negative.
#[test]
fn exact_fits_are_not_called_bad_minima() {
    let metric =
        [[9.0, -1.0, 6.0, -1.0], [-1.0, 3.0, 0.0, 5.0], [6.0, 0.0, 8.0, 2.0], [-1.0, 5.0, 2.0, 9.0]].map(Vec::from);
    let kind = LossKind::FullQuadratic { metric: Matrix::from_rows(&metric) };
    let target = Matrix::from_rows(&[vec![-0.334_331, -0.247_423], vec![0.598_557, -0.383_382]]);
    let found = minima_of(kind, None, target, 1, 40);
    assert!(found.minima.len() >= 2, "{:?}", found.minima);
    assert!(found.minima.iter().all(|minimum| (0.0..1e-14).contains(&minimum.value)), "{:?}", found.minima);
    assert_ne!(found.bad_local_minima.verdict, BadMinima::Exists);
}

/// Two samples of four classes on a line through the origin: rank one separates all but some, and the loss only falls.
#[test]
fn points_on_the_way_to_infinity_are_no_minima() {
    let inputs = Matrix::from_rows(&[
        vec![0.325, 0.438, 0.253, 1.050, 2.004, -0.197],
        vec![-0.812, 0.316, 2.092, 0.038, -0.222, -0.639],
        vec![-1.074, -1.095, 2.862, -0.709, -1.194, -0.250],
        vec![0.739, -1.087, -0.732, -0.073, 0.820, -1.241],
    ]);
    let labels = [3, 0, 0, 1, 2, 3];
    let targets = Matrix::from_fn(4, 6, |k, j| f64::from(u8::from(labels[j] == k)));
    let kind = LossKind::Softmax { smoothing: 0.0, class_weights: None };
    let found = minima_of(kind, Some(inputs), targets, 1, 30);
    assert!(found.minima.is_empty(), "{:?}", found.minima);
    assert_eq!(found.at_infinity.iter().map(|away| away.hits).sum::<usize>() + found.unfinished, 30);
}

/// Values go with the square of the targets.
#[test]
fn minima_do_not_depend_on_the_scale_of_the_targets() {
    let mut stream = Stream::new(31, 0);
    let (inputs, targets) = (stream.normal_matrix(3, 8), stream.normal_matrix(2, 8));
    let weights = Matrix::from_fn(2, 8, |_, _| 0.5 + stream.uniform());
    for kind in [LossKind::Quadratic { weights }, LossKind::Power { p: 2.0 }] {
        let of = |scale: f64| minima_of(kind.clone(), Some(inputs.clone()), targets.scaled(scale), 1, 10);
        let plain = of(1.0);
        assert_eq!(plain.unfinished, 0);
        for scale in [1e-150, 1e-8, 1e8, 1e150] {
            let scaled = of(scale);
            assert_eq!(scaled.minima.len(), plain.minima.len(), "{scale:e}");
            for (minimum, plain) in scaled.minima.iter().zip(&plain.minima) {
                let ratio = minimum.value / scale / scale / plain.value;
                assert!((ratio - 1.0).abs() < 1e-9 && minimum.hits == plain.hits, "{scale:e}: {ratio}");
            }
        }
    }
}

#[test]
fn a_minimum_at_zero_is_one() {
    let inputs = Matrix::from_rows(&[vec![1.0, 2.0, -1.0], vec![0.5, -1.0, 3.0]]);
    let found = minima_of(LossKind::LogCosh, Some(inputs), Matrix::zeros(2, 3), 1, 5);
    assert_eq!(found.minima.len(), 1, "{:?}", found.minima);
    assert_eq!((found.minima[0].rank, found.minima[0].hits), (0, 5));
}

/// The Newton steps of a degenerate fit shrink by a factor only, and the fit is reached all the same.
#[test]
fn exact_fits_of_powers_are_reached() {
    let mut stream = Stream::new(32, 0);
    let (inputs, targets) = (stream.normal_matrix(4, 3), stream.normal_matrix(2, 3));
    for p in [3.0, 4.0] {
        let found = minima_of(LossKind::Power { p }, Some(inputs.clone()), targets.clone(), 2, 10);
        assert_eq!(found.global_minimum.map(|(value, _)| value), Some(0.0));
        assert!(!found.minima.is_empty() && found.at_infinity.is_empty());
    }
}
