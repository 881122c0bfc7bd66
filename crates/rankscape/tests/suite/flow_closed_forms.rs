//! Gradient flow against closed forms: the matrix Riccati equation of two balanced layers, and the scalar equation of aligned ones.

use rankscape::Matrix;
use rankscape::flow::{FlowOptions, flow};
use rankscape::network::SquareNetwork;
use rankscape::random::Stream;

/// Two balanced layers, `X X' = I`, `Y = diag(s)`: `Q = [W_1'; W_2]` has `Q' = F Q - Q Q' Q / 2` with `F = [0, Y'; Y, 0]`, so
/// `Q Q'(t) = e^(Ft) Q_0 (I + Q_0' M Q_0)^-1 Q_0' e^(Ft)`, `M` the integral of `e^(2Fs)` to `t`.
fn riccati_product(w1: &Matrix, w2: &Matrix, values: &[f64], time: f64) -> Matrix {
    let n = values.len();
    let blocks = |diagonal: &dyn Fn(f64) -> f64, other: &dyn Fn(f64) -> f64| {
        Matrix::from_fn(2 * n, 2 * n, |i, j| match (i == j, i % n == j % n) {
            (true, _) => diagonal(values[i % n]),
            (_, true) => other(values[i % n]),
            _ => 0.0,
        })
    };
    let grown = blocks(&|s| (s * time).cosh(), &|s| (s * time).sinh());
    let integral = blocks(&|s| (2.0 * s * time).sinh() / (2.0 * s), &|s| (s * time).sinh().powi(2) / s);
    let mut start = Matrix::zeros(2 * n, 2);
    start.set_block(0, 0, &w1.transpose());
    start.set_block(n, 0, w2);
    let inner = &Matrix::identity(2) + &start.transpose_times(&(&integral * &start));
    let determinant = inner[(0, 0)] * inner[(1, 1)] - inner[(0, 1)] * inner[(1, 0)];
    let adjugate = Matrix::from_rows(&[vec![inner[(1, 1)], -inner[(0, 1)]], vec![-inner[(1, 0)], inner[(0, 0)]]]);
    let root = &grown * &start;
    let square = (&root * &adjugate.scaled(1.0 / determinant)).times_transpose(&root);
    square.block(n, 0, n, n)
}

#[test]
fn two_balanced_layers_have_the_product_of_the_riccati_equation() {
    let values = [3.0, 1.5, 0.5];
    let mut stream = Stream::new(11, 0);
    for size in [1e-3, 0.3] {
        // W_1 = s R V', W_2 = s U R' with orthonormal columns U, V and a rotation R: W_2' W_2 = W_1 W_1' = s^2 I.
        let frame = |stream: &mut Stream| rankscape::linalg::svd(&stream.normal_matrix(3, 2)).u.columns(0, 2);
        let (u, v) = (frame(&mut stream), frame(&mut stream));
        let (sin, cos) = 0.7_f64.sin_cos();
        let turn = Matrix::from_rows(&[vec![cos, -sin], vec![sin, cos]]);
        let w1 = turn.times_transpose(&v).scaled(size);
        let w2 = u.times_transpose(&turn).scaled(size);
        let network = SquareNetwork::new(vec![w1.clone(), w2.clone()], None, Matrix::from_diagonal(3, 3, &values));
        let times = vec![0.5, 1.0, 2.0, 4.0];
        let options = FlowOptions { until_time: 4.0, until_gradient: 0.0, times, ..FlowOptions::default() };
        let found = flow(&network, &options);
        assert_eq!(found.samples.len(), 4);
        for sample in &found.samples {
            let product = &sample.blocks[1] * &sample.blocks[0];
            let expected = riccati_product(&w1, &w2, &values, sample.time);
            let error = (&product - &expected).frobenius_norm();
            assert!(error <= 1e-10 * expected.frobenius_norm(), "size {size} at {}: {error:e}", sample.time);
        }
    }
}

/// Aligned balanced layers of depth `h`: `w' = w^(h-1) (sigma - w^h)`, so the time from `a` to `b` is the integral of
/// `1 / (w^(h-1) (sigma - w^h))`, here by Simpson's rule in `log w`.
#[test]
fn aligned_layers_take_the_time_of_their_scalar_equation() {
    for (depth, sigma, start, until) in
        [(1, 2.0, 0.1, 2.0), (2, 3.0, 0.01, 1.5), (3, 2.0, 0.1, 5.0), (5, 1.0, 0.4, 6.0)]
    {
        let layers = vec![Matrix::from_diagonal(1, 1, &[start]); depth];
        let network = SquareNetwork::new(layers, None, Matrix::from_diagonal(1, 1, &[sigma]));
        let options = FlowOptions { until_time: until, until_gradient: 0.0, ..FlowOptions::default() };
        let end = flow(&network, &options).last.blocks[0][(0, 0)];
        let h = depth as i32;
        let rate = |log: f64| {
            let w = log.exp();
            w / (w.powi(h - 1) * (sigma - w.powi(h)))
        };
        let (a, b, parts) = (start.ln(), end.ln(), 20_000);
        let step = (b - a) / f64::from(parts);
        let weight = |k: i32| if k == 0 || k == parts { 1.0 } else { f64::from(2 + 2 * (k % 2)) };
        let time: f64 = (0..=parts).map(|k| weight(k) * rate(a + step * f64::from(k))).sum::<f64>() * step / 3.0;
        assert!((time - until).abs() < 1e-8 * until, "depth {depth}: {time} for {until}");
    }
}

/// Scaling targets by `c` and balanced layers by `c^(1/h)` scales time by `c^(2/h - 2)`.
#[test]
fn the_scale_of_the_target_is_only_a_unit() {
    for depth in [1, 2, 3] {
        let run = |scale: f64| {
            let root = scale.powf(1.0 / depth as f64);
            let layers = vec![Matrix::from_diagonal(2, 2, &[0.2 * root, 0.3 * root]); depth];
            let network = SquareNetwork::new(layers, None, Matrix::from_diagonal(2, 2, &[3.0 * scale, scale]));
            let until = 2.0 * scale.powf(2.0 / depth as f64 - 2.0);
            let found = flow(&network, &FlowOptions { until_time: until, ..FlowOptions::default() });
            found.last.loss / (scale * scale)
        };
        let expected = run(1.0);
        for scale in [1e-8, 1e8] {
            let loss = run(scale);
            assert!((loss - expected).abs() <= 1e-9 * expected, "depth {depth}, scale {scale}: {loss} {expected}");
        }
    }
}
