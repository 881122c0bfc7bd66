//! The Hessian as an operator, its blocks and its parts against dense references.

use crate::points::matrix;
use rankscape::Tolerances;
use rankscape::hessian::{HessianOperator, Part, check_gradient, check_hessian, extremes};
use rankscape::linalg::{Inertia, Matrix, SymmetricOperator, symmetric_eigenvalues};
use rankscape::network::{Biases, SquareNetwork};
use rankscape::random::Stream;
use testkit::grid::Dense;
use testkit::random::Draw;
use testkit::reference::Network;

/// A random network with any set of biases, and the same for the library.
fn draw(seed: u64) -> (Network<f64>, SquareNetwork) {
    let mut draw = Draw::new(61, seed);
    let depth = draw.size(1, 4);
    let widths: Vec<usize> = (0..=depth).map(|_| draw.size(1, 4)).collect();
    let samples = draw.size(1, 5);
    let weights: Vec<Dense> = widths.windows(2).map(|d| Dense::draw(&mut draw, d[1], d[0])).collect();
    let (x, y) = (Dense::draw(&mut draw, widths[0], samples), Dense::draw(&mut draw, widths[depth], samples));
    let mut reference = Network::new(weights, x, y);
    if draw.chance(0.5) {
        for k in 0..depth {
            reference.biases[k] = draw.chance(0.5).then(|| (0..widths[k + 1]).map(|_| draw.normal()).collect());
        }
    }
    let columns = reference.biases.iter().map(|b| b.as_ref().map(|b| Matrix::from_fn(b.len(), 1, |i, _| b[i])));
    let biases = Biases { columns: columns.collect(), ones: Matrix::from_fn(1, samples, |_, _| 1.0) };
    let layers = reference.weights.iter().map(matrix).collect();
    let network = SquareNetwork::with_biases(layers, Some(biases), Some(matrix(&reference.x)), matrix(&reference.y));
    (reference, network)
}

/// Places of the library's parameters (factors first, then biases) among those of the reference (layer by layer).
fn order(reference: &Network<f64>) -> Vec<usize> {
    let (mut factors, mut biases, mut next) = (Vec::new(), Vec::new(), 0);
    for (weight, bias) in reference.weights.iter().zip(&reference.biases) {
        let size = weight.rows() * weight.cols();
        factors.extend(next..next + size);
        next += size;
        let more = bias.as_ref().map_or(0, Vec::len);
        biases.extend(next..next + more);
        next += more;
    }
    factors.extend(biases);
    factors
}

fn dense(reference: &Network<f64>) -> Matrix {
    let (hessian, order) = (reference.hessian(), order(reference));
    Matrix::from_fn(order.len(), order.len(), |i, j| hessian[(order[i], order[j])])
}

/// `J' J` by finite differences of a map that is linear in each parameter, so that a difference is exact.
fn gauss_newton(reference: &Network<f64>) -> Matrix {
    let (base, values) = (reference.residual(), reference.parameter_values());
    let columns: Vec<Vec<f64>> = order(reference)
        .into_iter()
        .map(|at| {
            let mut moved = values.clone();
            moved[at] += 1.0;
            reference.with_parameters(&moved).residual().sub(&base).entries().to_vec()
        })
        .collect();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum();
    Matrix::from_fn(columns.len(), columns.len(), |i, j| dot(&columns[i], &columns[j]))
}

#[track_caller]
fn assert_same(found: &Matrix, expected: &Matrix, what: &str) {
    assert_eq!(found.shape(), expected.shape(), "{what}");
    let error = (found - expected).max_abs();
    assert!(error <= 1e-11 * expected.max_abs().max(1.0), "{what}: {error:e}");
}

#[test]
fn the_operator_its_parts_blocks_diagonal_and_trace_agree_with_dense_references() {
    for seed in 0..400 {
        let (reference, network) = draw(seed);
        let what = format!("seed {seed}");
        let full = dense(&reference);
        let operator = HessianOperator::new(&network, vec![1.0; network.blocks().len()]);
        let identity = Matrix::identity(full.nrows());
        let gauss_newton = gauss_newton(&reference);
        for (part, expected) in [
            (Part::Full, full.clone()),
            (Part::GaussNewton, gauss_newton.clone()),
            (Part::Residual, &full - &gauss_newton),
        ] {
            let operator = operator.clone().part(part);
            assert_same(&operator.to_dense(), &expected, &what);
            assert_same(&operator.apply_matrix(&identity), &expected, &what);
            let one = identity.columns(0, 1);
            assert_same(&operator.apply_matrix(&one), &expected.columns(0, 1), &what);
            let diagonal = operator.diagonal();
            assert!(
                (0..diagonal.len()).all(|i| (diagonal[i] - expected[(i, i)]).abs() < 1e-11 * full.max_abs()),
                "{what}"
            );
            assert!((operator.trace() - diagonal.iter().sum::<f64>()).abs() < 1e-10 * full.max_abs(), "{what}");
        }
        let shapes = network.blocks();
        let mut start = 0;
        for (b, (rows, cols)) in shapes.iter().enumerate() {
            let block = full.block(start, start, rows * cols, rows * cols);
            assert_same(&operator.block(b, b), &block, &what);
            let (left, right) = operator.block_spectrum(b);
            let mut closed: Vec<f64> = left.iter().flat_map(|x| right.iter().map(move |y| x * y * (x * y))).collect();
            closed.sort_by(f64::total_cmp);
            let values = symmetric_eigenvalues(&block).unwrap();
            assert!(values.iter().zip(&closed).all(|(a, b)| (a - b).abs() < 1e-10 * full.max_abs()), "{what}");
            start += rows * cols;
        }
    }
}

#[test]
fn scales_and_an_output_factor_are_a_change_of_variables() {
    for seed in 0..60 {
        let mut stream = Stream::new(62, seed);
        let widths = [3, 2, 4, 2];
        let free: Vec<Matrix> = widths.windows(2).map(|d| stream.normal_matrix(d[1], d[0])).collect();
        let (c, x, y) = (stream.normal_matrix(2, 2), stream.normal_matrix(3, 5), stream.normal_matrix(2, 5));
        let mut layers = free.clone();
        layers[2] = &c * &free[2];
        let network = SquareNetwork::new(layers, Some(x), y);
        let plain = HessianOperator::new(&network, vec![1.0; 3]).to_dense();
        let scales = [0.5, 2.0, 4.0];
        let operator = HessianOperator::new(&network, scales.to_vec()).with_output_factor(Some(&c));
        let mut change = Matrix::zeros(plain.nrows(), plain.ncols());
        let mut at = 0;
        for (k, d) in widths.windows(2).enumerate() {
            let left = if k == 2 { c.clone() } else { Matrix::identity(d[1]) };
            change.set_block(at, at, &left.kronecker(&Matrix::identity(d[0])).scaled(scales[k]));
            at += d[0] * d[1];
        }
        let expected = &change.transpose_times(&plain) * &change;
        assert_same(&operator.to_dense(), &expected, "dense");
        assert_same(&operator.apply_matrix(&Matrix::identity(at)), &expected, "columns");
    }
}

#[test]
fn taylor_slopes_are_two_and_three() {
    for seed in 0..100 {
        let (_, network) = draw(seed);
        let mut stream = Stream::new(63, seed);
        let direction: Vec<Matrix> = network.blocks().iter().map(|&(m, n)| stream.normal_matrix(m, n)).collect();
        if let Some(slope) = check_gradient(&network, &direction).slope {
            assert!((slope - 2.0).abs() < 0.2, "seed {seed}: {slope}");
        }
        let found = check_hessian(&network, &direction);
        // With one layer and no bias the loss is quadratic: nothing remains.
        match found.slope {
            Some(slope) => assert!((slope - 3.0).abs() < 0.3, "seed {seed}: {slope}"),
            None => assert!(network.layers().len() == 1, "seed {seed}: {found:?}"),
        }
    }
}

/// Snapshot of the work, not of the clock: multiplications of one application.
#[test]
fn work_of_one_application_does_not_depend_on_the_samples_and_avoids_the_wide_side() {
    let count = |widths: &[usize], columns: usize| {
        let layers = widths.windows(2).map(|d| Matrix::zeros(d[1], d[0])).collect();
        let inputs = Matrix::zeros(widths[0], columns);
        let network = SquareNetwork::new(layers, Some(inputs), Matrix::zeros(widths[widths.len() - 1], columns));
        HessianOperator::new(&network, vec![1.0; widths.len() - 1]).multiplications()
    };
    // Two passes through the layers take 2 (d_0 d_1 n + 3 d_1 d_2 n + ...) multiplications.
    let two_passes = |widths: &[usize], n: usize| {
        widths.windows(2).enumerate().map(|(k, d)| if k == 0 { 2 } else { 6 } * d[0] * d[1] * n).sum::<usize>()
    };
    let cases = [vec![50, 30, 20, 30, 50], vec![200, 64, 200], vec![784, 256, 64, 10], vec![16; 13]];
    let found: Vec<usize> = cases.iter().map(|widths| count(widths, widths[0])).collect();
    for (widths, &found) in cases.iter().zip(&found) {
        assert!(found <= two_passes(widths, widths[0]), "{widths:?}: {found}");
    }
    assert_eq!(found, [960_000, 20_480_000, 52_012_032, 278_528]);
}

/// A strict saddle of 40-20-10-3 that keeps the first and third value of the target and misses the second.
fn saddle() -> SquareNetwork {
    let mut stream = Stream::new(73, 0);
    let basis = |size: usize, count: usize, stream: &mut Stream| {
        rankscape::linalg::orthonormal_range(&stream.normal_matrix(size, size), count)
    };
    let (left, right) = (basis(3, 3, &mut stream), basis(40, 3, &mut stream));
    let target = left.scale_columns(&[3.0, 2.0, 1.0]).times_transpose(&right);
    let kept = |m: &Matrix| Matrix::from_fn(m.nrows(), 2, |i, j| m[(i, 2 * j)]);
    let (first, second) = (stream.normal_matrix(20, 2), stream.normal_matrix(10, 2));
    let back = |m: &Matrix| rankscape::linalg::pseudo_inverse(m, 2);
    let layers = vec![
        first.times_transpose(&kept(&right)),
        &second * &back(&first),
        &kept(&left).scale_columns(&[3.0, 1.0]) * &back(&second),
    ];
    SquareNetwork::new(layers, None, target)
}

/// One application costs what the subspace costs on which the Hessian is not zero; few of them give both ends.
#[test]
fn both_ends_of_a_saddle_take_few_products() {
    let network = saddle();
    assert!(network.gradient().iter().all(|block| block.max_abs() < 1e-12));
    let operator = HessianOperator::new(&network, vec![1.0; 3]);
    let values = symmetric_eigenvalues(&operator.to_dense()).unwrap();
    let (lowest, highest) = (values[0], values[values.len() - 1]);
    let found = extremes(&operator, None, &Tolerances::default(), 5);
    assert!(found.smallest.converged && found.largest.converged, "{}", found.smallest.residual);
    assert!(lowest < -0.05, "{lowest}");
    assert!((found.smallest.value - lowest).abs() < 1e-12 * highest, "{} {lowest}", found.smallest.value);
    assert!((found.largest.value - highest).abs() < 1e-12 * highest, "{} {highest}", found.largest.value);
    let image = operator.apply(&found.smallest.vector);
    let off = image.iter().zip(&found.smallest.vector).map(|(x, v)| x - found.smallest.value * v);
    assert!((off.fold(0.0, f64::hypot) - found.smallest.residual).abs() < 1e-13 * highest);
    assert_eq!(found.largest.applications, found.smallest.applications);
    assert!(found.smallest.applications <= 20, "{}", found.smallest.applications);
    // The kernel of the Hessian is no part of the search, and its zero is still known at a minimum.
    let inertia = Inertia { negative: 0, zero: 1, positive: 0 };
    let at_minimum = extremes(&operator, Some(inertia), &Tolerances::default(), 5);
    assert!(at_minimum.smallest.value == 0.0 && at_minimum.largest.applications <= found.largest.applications);
}

/// A negative eigenvalue that the ranks prove and rounding hides is not reported as zero.
#[test]
fn a_smallest_eigenvalue_that_contradicts_the_index_is_not_converged() {
    let far = |x: f64| Matrix::from_diagonal(2, 2, &[0.0, x]);
    let network = SquareNetwork::new(vec![far(1e140), far(1e-140)], None, Matrix::from_diagonal(2, 2, &[2.0, 1.0]));
    let operator = HessianOperator::new(&network, vec![1.0; 2]);
    let inertia = Inertia { negative: 1, zero: 3, positive: 4 };
    let found = extremes(&operator, Some(inertia), &Tolerances::default(), 0);
    assert!(found.largest.converged && found.largest.value > 1e279);
    assert!(!found.smallest.converged || found.smallest.value < 0.0, "{}", found.smallest.value);
}
