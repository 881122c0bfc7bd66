//! Quadratic losses with numbers of very different sizes.

use rankscape::Tolerances;
use rankscape::evidence::Grade;
use rankscape::homotopy::Workers;
use rankscape::linalg::{Matrix, singular_values};
use rankscape::quadratic::{
    Completeness, Instance, Metric, MetricKind, Shape, Solution, Solver, StartSet, TargetSpace, weighted_degree,
};
use rankscape::random::Stream;

fn instance(metric: Metric, target: &[f64], convention: TargetSpace) -> Instance {
    let side = if target.len() == 9 { 3 } else { 2 };
    Instance { id: "scaled".into(), rows: side, cols: side, rank: 1, metric, target: target.to_vec(), convention }
}

fn solve(instance: &Instance) -> Solution {
    let start = StartSet::shipped(Shape { m: instance.rows, n: instance.cols, r: 1 }).unwrap();
    let solver = Solver::new(start, Tolerances::default(), 1).unwrap();
    solver.solve(instance, &Workers::none()).unwrap()
}

fn refusal(instance: &Instance) -> String {
    instance.prepare(&Tolerances::default()).unwrap_err().to_string()
}

/// The counts are those of msolve.
#[test]
fn one_large_entry_of_phi_does_not_make_it_singular() {
    for size in [1e4, 1e6] {
        let mut phi = vec![1.0, 2.0, 0.0, 1.0, 0.0, 1.0, 0.0, 3.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0];
        phi[0] = size;
        let found = solve(&instance(Metric::Map(phi), &[1.0, 2.0, 3.0, 4.0], TargetSpace::Metric));
        assert_eq!((found.kind, found.n_complex, found.n_real()), (MetricKind::Definite, 6, 4));
        assert!(found.certified, "{:?}", found.complete);
    }
}

/// `W -> D W E` with diagonal `D` and `E` keeps the rank: the points of the scaled loss are the scaled points.
#[test]
fn scaled_rows_and_columns_have_scaled_points() {
    let weights = [1.0, 2.0, 3.0, 5.0, 4.0, 7.0, 5.0, 11.0, 17.0];
    let target = [7.0, 1.0, -2.0, 0.5, 4.0, 3.0, -1.0, 2.0, 6.0];
    let (rows, cols): ([f64; 3], [f64; 3]) = ([1.0, 1e5, 1e-7], [1e3, 1e-6, 1.0]);
    let factor = |e: usize| rows[e / 3] * cols[e % 3];
    let scaled_weights = (0..9).map(|e| weights[e] / factor(e).powi(2)).collect();
    let scaled_target: Vec<f64> = (0..9).map(|e| target[e] * factor(e)).collect();
    let plain = solve(&instance(Metric::Weights(weights.to_vec()), &target, TargetSpace::Metric));
    let scaled = solve(&instance(Metric::Weights(scaled_weights), &scaled_target, TargetSpace::Metric));
    assert!(plain.certified && scaled.certified, "{:?}", scaled.complete);
    assert_eq!((plain.n_complex, scaled.n_complex), (39, 39));
    for (p, q) in plain.real.iter().zip(&scaled.real) {
        assert_eq!(p.index, q.index);
        let size = p.w.iter().fold(0.0_f64, |acc, x| acc.max(x.abs()));
        assert!((0..9).all(|e| (q.w[e] / factor(e) - p.w[e]).abs() < 1e-9 * size));
    }
}

#[test]
fn the_kernel_of_phi_is_decided_over_the_rationals() {
    let kind = |phi: &[f64]| {
        let made = instance(Metric::Map(phi.to_vec()), &[1.0, 2.0, 3.0, 4.0], TargetSpace::Image);
        made.prepare(&Tolerances::default()).unwrap().kind
    };
    // Determinant one; double precision sees a kernel.
    let mut phi = [0.0; 16];
    (0..4).for_each(|i| phi[5 * i] = 1.0);
    (phi[0], phi[1], phi[4], phi[5]) = (1e8, 1e8 + 1.0, 1e8 - 1.0, 1e8);
    assert_eq!(kind(&phi), MetricKind::Definite);
    // The second row is three times the first.
    (phi[0], phi[1], phi[4], phi[5]) = (0.125, 1e9, 0.375, 3e9);
    assert_eq!(kind(&phi), MetricKind::Singular { kernel: 1 });
    // The same at the ends of the range.
    for size in [-900, 900].map(|exponent| 2.0_f64.powi(exponent)) {
        let scaled: Vec<f64> = phi.iter().map(|x| x * size).collect();
        let made = instance(Metric::Map(scaled), &[1.0; 4].map(|q| q / size), TargetSpace::Metric);
        assert_eq!(made.prepare(&Tolerances::default()).unwrap().kind, MetricKind::Singular { kernel: 1 });
    }
}

/// `phi = R (x) C` of any condition: the values are sums of squares of singular values of `R Q C'`, by Eckart and Young.
#[test]
fn product_metrics_are_solved_in_closed_form_and_certified() {
    let target = [1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 6.0, 8.0, 1.0];
    let matrix = |list: &[f64]| Matrix::from_fn(3, 3, |i, j| list[3 * i + j]);
    for large in [8.0, 1e2, 1e4] {
        let rows = [1.0, 2.0, 1.0, 3.0, large, 2.0, 1.0, 1.0, 5.0];
        let cols = [2.0, 1.0, 0.0, 1.0, large, 1.0, 0.0, 3.0, 1.0];
        let entry = |e: usize| {
            let (i, j, k, l) = (e / 27, e / 9 % 3, e % 9 / 3, e % 3);
            rows[3 * i + k] * cols[3 * j + l]
        };
        let found = solve(&instance(Metric::Map((0..81).map(entry).collect()), &target, TargetSpace::Metric));
        assert!(found.certified && found.n_real() == 3, "{large}: {:?}", found.complete);
        let whitened = &(&matrix(&rows) * &matrix(&target)) * &matrix(&cols).transpose();
        let values = singular_values(&whitened);
        let total: f64 = values.iter().map(|s| s * s).sum();
        for (point, s) in found.real.iter().zip(values) {
            assert!((point.value - (total - s * s)).abs() < 1e-9 * total, "{large}");
        }
    }
}

#[test]
fn metrics_beyond_the_arithmetic_are_called_badly_scaled() {
    let mut stream = Stream::new(1, 0);
    let mut phi: Vec<f64> = (0..81).map(|_| stream.integer(-10, 10) as f64).collect();
    phi[..9].iter_mut().for_each(|x| *x *= 1e7);
    let target: Vec<f64> = (0..9).map(|e| f64::from(e - 3)).collect();
    let found = solve(&instance(Metric::Map(phi), &target, TargetSpace::Image));
    assert_eq!(found.kind, MetricKind::Definite);
    let Completeness::Unknown { reason, generic, .. } = &found.complete else { panic!("{found:?}") };
    assert!(reason.contains("badly scaled") && generic.is_none(), "{reason}");
}

#[test]
fn sizes_at_the_ends_of_the_range_scale_the_answer() {
    let phi = [3.0, 1.0, 0.0, 2.0, 1.0, -4.0, 1.0, 0.0, 0.0, 2.0, 5.0, 1.0, 1.0, 1.0, 0.0, 3.0];
    let target = [1.0, -2.0, 3.0, 5.0];
    for convention in [TargetSpace::Metric, TargetSpace::Image] {
        let plain = solve(&instance(Metric::Map(phi.to_vec()), &target, convention));
        for (a, b) in [(1e-170, 1e100), (1e170, 1e-120), (1.0, 1e150), (1.0, 1e-150), (1e-300, 1e160)] {
            let scaled = Metric::Map(phi.iter().map(|x| a * x).collect());
            let found = instance(scaled, &target.map(|q| b * q), convention);
            if convention == TargetSpace::Image && a < 1e-200 {
                assert!(refusal(&found).contains("array q"));
                continue;
            }
            let found = solve(&found);
            assert!(found.certified, "{a} {b}: {:?}", found.complete);
            let unit = if convention == TargetSpace::Metric { a * b } else { b };
            for (p, q) in plain.real.iter().zip(&found.real) {
                assert!((q.value / unit / unit - p.value).abs() < 1e-9 * (p.value + 1e-9), "{a} {b}");
            }
        }
    }
    // The value at the origin would overflow, underflow, or not be normal.
    for (a, b) in [(1.0, 1e200), (1.0, 1e-200), (1e-170, 1.0), (1e150, 1e10)] {
        let scaled = Metric::Map(phi.iter().map(|x| a * x).collect());
        let text = refusal(&instance(scaled, &target.map(|q| b * q), TargetSpace::Metric));
        assert!(text.contains("array q") && text.contains("divide"), "{text}");
    }
    let wide = refusal(&instance(Metric::Weights(vec![1.0, 1e-200, 1.0, 1.0]), &target, TargetSpace::Metric));
    assert!(wide.contains("array weights") && wide.contains("1e-200 beside 1e0"), "{wide}");
}

/// Definite weights that are not special have the generic ED degree, 6, whatever their sizes.
#[test]
fn weighted_degrees_do_not_depend_on_sizes() {
    for large in [1.0, 1e8, 1e12] {
        let weights = Metric::Weights(vec![1.0, large, 3.0, 7.0]);
        let made = instance(weights, &[0.0; 4], TargetSpace::Metric);
        let found = weighted_degree(&made, 1, &Tolerances::default(), &Workers::none()).unwrap();
        assert_eq!((found.count, found.grade, found.is_lower_bound), (Some(6), Grade::Certified, false));
    }
}

/// The counts of these weights as doubles are 39, 6 and 11 (msolve); those of the special weights nearby are 23, 2 and 3.
#[test]
fn counts_of_nearly_special_weights_are_lower_bounds() {
    let decimals: Vec<f64> = (1..10).map(|k| f64::from(k) / 10.0).collect();
    let mut ones = vec![1.0; 9];
    ones[8] += 1e-8;
    for (weights, truth) in [(decimals, 39), (vec![1.0, 1.0, 1.0, 1.0 + 1e-12], 6), (ones, 11)] {
        let made = instance(Metric::Weights(weights.clone()), &vec![0.0; weights.len()], TargetSpace::Metric);
        let found = weighted_degree(&made, 1, &Tolerances::default(), &Workers::none()).unwrap();
        assert!(found.count.unwrap() <= truth, "{found:?}");
        assert!(found.is_lower_bound || found.count == Some(truth), "{found:?}");
    }
    let integers: Vec<f64> = (1..10).map(f64::from).collect();
    let made = instance(Metric::Weights(integers), &[0.0; 9], TargetSpace::Metric);
    let found = weighted_degree(&made, 1, &Tolerances::default(), &Workers::none()).unwrap();
    assert_eq!((found.count, found.is_lower_bound, found.grade), (Some(23), false, Grade::Numerical));
}
