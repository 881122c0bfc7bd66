//! Networks with losses that are not the square one: derivatives against the loss itself, ends of the spectrum against a dense
//! Hessian from finite differences, a way down.

use rankscape::Matrix;
use rankscape::Tolerances;
use rankscape::escape::StraightEscape;
use rankscape::hessian::{HessianOperator, Part, check_gradient, check_hessian, extremes};
use rankscape::linalg::{SymmetricOperator, symmetric_eigenvalues};
use rankscape::loss::{Convexity, Infimum, Loss, SquareLoss};
use rankscape::network::{Network, SquareNetwork};
use rankscape::random::Stream;

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
