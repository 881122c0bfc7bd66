//! Networks with biases, sample weights and an output metric against their dense Hessians; see `docs/biases.md`.

use crate::points::{class_of, diagnosis_of, parameters, samples};
use rankscape::critical::CriticalClass;
use rankscape::diagnosis::Diagnosis;
use testkit::grid::Dense;
use testkit::inertia::Inertia;
use testkit::jacobi;
use testkit::planted::{Class, Limits, Planted};
use testkit::random::Draw;
use testkit::random_matrix::RandomMatrix;
use testkit::reference::Network;

const LIMITS: Limits = Limits { min_depth: 1, max_depth: 4, max_width: 4 };

/// A network with everything that may go with it. The metric is `C' C`.
struct Problem {
    network: Network<f64>,
    /// Multiples of 1/2, as many as samples.
    weights: Option<Vec<f64>>,
    metric_root: Option<Dense>,
}

impl Problem {
    fn plain(network: Network<f64>) -> Self {
        Self { network, weights: None, metric_root: None }
    }

    fn diagnosis(&self) -> Diagnosis {
        let metric = self.metric_root.as_ref().map(|c| c.transpose().matmul(c));
        let data = samples(&self.network.x, &self.network.y, self.weights.as_deref());
        diagnosis_of(parameters(&self.network, metric.as_ref()), data)
    }

    /// Loss, gradient and Hessian in the parameters as given. A weight `k/2` stands for `k` copies of the sample, and
    /// the numbers are halved; with a metric, the network with `C W_h`, `C b_h` and `C Y` is differentiated and the
    /// chain rule brings `W_h` and `b_h` back.
    fn dense(&self) -> (f64, Vec<f64>, Dense) {
        let mut network = self.network.clone();
        let factor = if self.weights.is_some() { 0.5 } else { 1.0 };
        if let Some(weights) = &self.weights {
            let copies = |(s, &w): (usize, &f64)| std::iter::repeat_n(s, (2.0 * w) as usize);
            let picked: Vec<usize> = weights.iter().enumerate().flat_map(copies).collect();
            network.x = network.x.columns(&picked);
            network.y = network.y.columns(&picked);
        }
        let jacobian = self.metric_root.as_ref().map(|c| {
            let last = network.weights.len() - 1;
            let columns = network.weights[last].cols();
            network.y = c.matmul(&network.y);
            network.weights[last] = c.matmul(&network.weights[last]);
            let bias = network.biases[last].as_ref();
            network.biases[last] = bias.map(|b| c.matmul(&column(b)).entries().to_vec());
            let (all, outputs) = (network.parameters(), c.rows());
            let biased = bias_size(&network, last);
            let start = all - outputs * columns - biased;
            Dense::from_fn(all, all, |p, q| {
                if p < start || q < start {
                    return f64::from(u8::from(p == q));
                }
                let place = |at: usize| {
                    if at < outputs * columns {
                        (at / columns, at % columns)
                    } else {
                        (at - outputs * columns, columns)
                    }
                };
                let ((i, k), (j, l)) = (place(p - start), place(q - start));
                if k == l { c[(i, j)] } else { 0.0 }
            })
        });
        let (gradient, hessian) = (column(&network.gradient()), network.hessian());
        let (gradient, hessian) = match jacobian {
            Some(t) => (t.transpose().matmul(&gradient), t.transpose().matmul(&hessian).matmul(&t)),
            None => (gradient, hessian),
        };
        (factor * network.value(), gradient.scale(&factor).entries().to_vec(), hessian.scale(&factor))
    }
}

fn bias_size(network: &Network<f64>, layer: usize) -> usize {
    network.biases[layer].as_ref().map_or(0, Vec::len)
}

fn column(entries: &[f64]) -> Dense {
    Dense::from_fn(entries.len(), 1, |i, _| entries[i])
}

fn close(found: f64, expected: f64, size: f64) -> bool {
    (found - expected).abs() <= 1e-8 * size.max(1e-3)
}

/// Compares loss, gradient, extremes and, at critical points, inertia with the dense Hessian.
fn check(problem: &Problem, at: &str) -> Diagnosis {
    let found = problem.diagnosis();
    let (loss, gradient, hessian) = problem.dense();
    let spectrum = jacobi::eigenvalues(&hessian);
    let size = spectrum.iter().fold(0.0_f64, |size, value| size.max(value.abs()));
    let norm = column(&gradient).norm();
    assert!(close(found.loss, loss, loss), "{at}: loss {} {loss}", found.loss);
    assert!(close(found.gradient_norm, norm, norm.max(1.0)), "{at}: gradient {} {norm}", found.gradient_norm);
    assert!(found.extremes.smallest.converged && found.extremes.largest.converged, "{at}");
    assert!(
        close(found.extremes.smallest.value, spectrum[0], size),
        "{at}: {} {}",
        found.extremes.smallest.value,
        spectrum[0]
    );
    let largest = spectrum[spectrum.len() - 1];
    assert!(close(found.extremes.largest.value, largest, size), "{at}: {} {largest}", found.extremes.largest.value);
    assert!(found.global_minimum <= loss * (1.0 + 1e-9) + 1e-12, "{at}");
    if let Some(inertia) = found.inertia {
        let dense = Inertia::of_eigenvalues(&spectrum, 1e-9 * size.max(1e-3));
        assert_eq!(
            (inertia.negative, inertia.zero, inertia.positive),
            (dense.negative, dense.zero, dense.positive),
            "{at}"
        );
    }
    found
}

fn planted(draw: &mut Draw, seed: u64, least_depth: usize) -> Planted<f64> {
    let class = Class::ALL[seed as usize % 3];
    Planted::draw_class(draw, Limits { min_depth: least_depth, ..LIMITS }, class)
}

/// An orthonormal basis of the vectors of length `n + 1` whose entries add up to 0, as rows (Helmert's).
fn helmert(n: usize) -> Dense {
    Dense::from_fn(n, n + 1, |i, j| {
        let (k, norm) = ((i + 1) as f64, (((i + 1) * (i + 2)) as f64).sqrt());
        if j <= i {
            1.0 / norm
        } else if j == i + 1 {
            -k / norm
        } else {
            0.0
        }
    })
}

fn shifted(centred: &Dense, mean: &[f64]) -> Dense {
    Dense::from_fn(centred.rows(), centred.cols(), |i, j| centred[(i, j)] + mean[i])
}

/// `b*`: the mean residual of the network without output bias.
fn best_output_bias(network: &Network<f64>) -> Vec<f64> {
    let mut open = network.clone();
    let last = open.biases.len() - 1;
    open.biases[last] = None;
    let residual = open.residual();
    let n = residual.cols() as f64;
    (0..residual.rows()).map(|i| -(0..residual.cols()).map(|j| residual[(i, j)]).sum::<f64>() / n).collect()
}

/// The planted problem as the centred part of one with means, random inner biases and the best output bias.
fn with_output_bias(draw: &mut Draw, planted: &Planted<f64>) -> Network<f64> {
    let network = &planted.network;
    let spread = helmert(network.x.cols());
    let normals = |draw: &mut Draw, n: usize| (0..n).map(|_| draw.normal()).collect::<Vec<f64>>();
    let (x_mean, y_mean) = (normals(draw, network.x.rows()), normals(draw, network.y.rows()));
    let x = shifted(&network.x.matmul(&spread), &x_mean);
    let y = shifted(&network.y.matmul(&spread), &y_mean);
    let mut biased = Network::new(network.weights.clone(), x, y);
    for (bias, weight) in biased.biases.iter_mut().zip(&network.weights) {
        *bias = draw.chance(0.6).then(|| normals(draw, weight.rows()));
    }
    let last = biased.biases.len() - 1;
    biased.biases[last] = Some(best_output_bias(&biased));
    biased
}

/// The planted problem in other coordinates of inputs and samples, where the last feature is constantly one and its
/// weights are the bias of the first layer; `None` where no feature can be constant or none is left.
fn with_first_bias(draw: &mut Draw, planted: &Planted<f64>) -> Option<Network<f64>> {
    let network = &planted.network;
    let (d, n) = (network.x.rows(), network.x.cols());
    let a = Dense::draw(draw, 1, d);
    let v = a.matmul(&network.x);
    if d < 2 || v.norm() < 1e-3 {
        return None;
    }
    let scale = (n as f64).sqrt() / v.norm();
    // Householder: v Q = (1, ..., 1) for v of that norm.
    let v = v.scale(&scale);
    let w = v.sub(&Dense::from_fn(1, n, |_, _| 1.0));
    let reflect = |m: &Dense| {
        let size = w.dot(&w);
        if size < 1e-20 { m.clone() } else { m.sub(&m.matmul(&w.transpose()).matmul(&w).scale(&(2.0 / size))) }
    };
    let free = f64::invertible(draw, d);
    let change = Dense::from_fn(d, d, |i, j| if i + 1 < d { free[(i, j)] } else { scale * a[(0, j)] });
    let inverse = change.inverse()?;
    if inverse.norm() > 50.0 {
        return None;
    }
    let x = reflect(&change.matmul(&network.x));
    let mut weights = network.weights.clone();
    let first = weights[0].matmul(&inverse);
    weights[0] = first.columns(&(0..d - 1).collect::<Vec<_>>());
    let x = Dense::from_fn(d - 1, n, |i, j| x[(i, j)]);
    let mut biased = Network::new(weights, x, reflect(&network.y));
    biased.biases[0] = Some(first.columns(&[d - 1]).entries().to_vec());
    Some(biased)
}

fn assert_planted(found: &Diagnosis, planted: &Planted<f64>, at: &str) -> bool {
    assert!(found.critical, "{at}: {}", found.gradient_relative);
    assert!(close(found.loss, planted.loss, planted.loss), "{at}: {} {}", found.loss, planted.loss);
    let minimum = planted.global_minimum;
    assert!(close(found.global_minimum, minimum, planted.loss), "{at}: {} {minimum}", found.global_minimum);
    if found.class == CriticalClass::Undecided || found.inertia.is_none() {
        return false;
    }
    assert_eq!(found.class, class_of(planted.class), "{at}");
    assert_eq!(found.inertia.unwrap().negative, planted.inertia.negative, "{at}");
    true
}

#[test]
fn output_bias_at_its_best_leaves_class_and_index_of_the_centred_problem() {
    let mut decided = 0;
    for seed in 0..300 {
        let draw = &mut Draw::new(31, seed);
        let planted = planted(draw, seed, if seed % 3 == 2 { 3 } else { 1 });
        let problem = Problem::plain(with_output_bias(draw, &planted));
        let found = check(&problem, &format!("seed {seed}"));
        decided += usize::from(assert_planted(&found, &planted, &format!("seed {seed}")));
    }
    assert!(decided >= 294, "{decided} of 300 decided");
}

#[test]
fn bias_of_the_first_layer_alone_is_the_weight_of_a_constant_feature() {
    let (mut points, mut decided) = (0, 0);
    for seed in 0..300 {
        let draw = &mut Draw::new(32, seed);
        let planted = planted(draw, seed, 2.max(seed as usize % 3 + 1));
        let Some(network) = with_first_bias(draw, &planted) else { continue };
        let found = check(&Problem::plain(network), &format!("seed {seed}"));
        points += 1;
        decided += usize::from(assert_planted(&found, &planted, &format!("seed {seed}")));
    }
    assert!(points >= 150 && decided + 6 >= points, "{decided} of {points} decided");
}

#[test]
fn output_bias_off_its_best_value_is_not_critical() {
    for seed in 0..60 {
        let draw = &mut Draw::new(33, seed);
        let planted = planted(draw, seed, if seed % 3 == 2 { 3 } else { 1 });
        let mut network = with_output_bias(draw, &planted);
        let last = network.biases.len() - 1;
        let off = 0.5 + draw.uniform();
        network.biases[last].as_mut().unwrap()[0] += off;
        let n = network.x.cols() as f64;
        let found = check(&Problem::plain(network), &format!("seed {seed}"));
        assert_eq!(found.class, CriticalClass::NotCritical, "seed {seed}");
        let expected = planted.loss + 0.5 * n * off * off;
        assert!(close(found.loss, expected, expected), "seed {seed}: {} {expected}", found.loss);
        let minimum = planted.global_minimum;
        assert!(close(found.global_minimum, minimum, expected), "seed {seed}: {} {minimum}", found.global_minimum);
        let escape = found.escape.expect("a point that is not critical can be left");
        assert!(escape.decrease >= 0.5 * n * off * off * (1.0 - 1e-9), "seed {seed}: {}", escape.decrease);
    }
}

fn random_network(draw: &mut Draw) -> Network<f64> {
    let depth = draw.size(1, 3);
    let widths: Vec<usize> = (0..=depth).map(|_| draw.size(1, 4)).collect();
    let n = draw.size(2, 7);
    let weights = (0..depth).map(|k| Dense::draw(draw, widths[k + 1], widths[k])).collect();
    let mut network = Network::new(weights, Dense::draw(draw, widths[0], n), Dense::draw(draw, widths[depth], n));
    let kind = draw.size(0, 2);
    for k in 0..depth {
        let biased = match kind {
            0 => k + 1 == depth || draw.chance(0.5),
            1 => k == 0,
            _ => false,
        };
        network.biases[k] = biased.then(|| (0..widths[k + 1]).map(|_| draw.normal()).collect());
    }
    network
}

#[test]
fn sample_weights_and_output_metrics_are_those_of_the_dense_hessian() {
    for seed in 0..150 {
        let draw = &mut Draw::new(34, seed);
        let network = random_network(draw);
        let outputs = network.y.rows();
        let mut weights: Vec<f64> = (0..network.x.cols()).map(|_| 0.5 * draw.size(0, 3) as f64).collect();
        weights[0] = 1.5;
        let root = f64::invertible(draw, outputs);
        let problem = Problem {
            network,
            weights: (seed % 3 != 0).then_some(weights),
            metric_root: (seed % 3 != 1).then_some(root),
        };
        check(&problem, &format!("seed {seed}"));
    }
}

#[test]
fn critical_points_stay_critical_under_weights_and_metric() {
    let mut decided = 0;
    for seed in 0..120 {
        let draw = &mut Draw::new(35, seed);
        let planted = planted(draw, seed, if seed % 3 == 2 { 3 } else { 1 });
        let mut network = if seed % 2 == 0 { with_output_bias(draw, &planted) } else { planted.network.clone() };
        // Doubled samples at half weight are the same problem; so is C^-1 Y with the metric C' C.
        let twice: Vec<usize> = (0..network.x.cols()).flat_map(|s| [s, s]).collect();
        network.x = network.x.columns(&twice);
        network.y = network.y.columns(&twice);
        let root = f64::invertible(draw, network.y.rows());
        let inverse = root.inverse().unwrap();
        let last = network.weights.len() - 1;
        network.y = inverse.matmul(&network.y);
        network.weights[last] = inverse.matmul(&network.weights[last]);
        if let Some(bias) = network.biases[last].take() {
            network.biases[last] = Some(inverse.matmul(&column(&bias)).entries().to_vec());
        }
        let problem = Problem { network, weights: Some(vec![0.5; twice.len()]), metric_root: Some(root) };
        let found = check(&problem, &format!("seed {seed}"));
        decided += usize::from(assert_planted(&found, &planted, &format!("seed {seed}")));
    }
    assert!(decided >= 115, "{decided} of 120 decided");
}
#[test]
fn a_feature_that_never_varies_does_not_count_beside_an_output_bias() {
    // With the bias free to fit any constant, only the first feature is data: X_c has rank 1.
    let x = Dense::from_rows(&[vec![1.0, 2.0, 4.0, 0.0], vec![1000.1; 4]]);
    let y = Dense::from_rows(&[vec![0.1, 0.3, 0.2, 0.7]]);
    let mut network = Network::new(vec![Dense::from_rows(&[vec![0.0, 0.5]])], x, y);
    network.biases[0] = Some(vec![0.0]);
    network.biases[0] = Some(best_output_bias(&network));
    let found = Problem::plain(network).diagnosis();
    assert_eq!(found.spectrum.len(), 1);
    assert_eq!(found.class, CriticalClass::NotCritical);
}
