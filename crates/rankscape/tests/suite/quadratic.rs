//! Known counts, special metrics, transposition, threads and work.

use rankscape::Tolerances;
use rankscape::evidence::Grade;
use rankscape::homotopy::{TrackOptions, Workers};
use rankscape::linalg::{Matrix, singular_values};
use rankscape::quadratic::{
    Completeness, Instance, Metric, MetricKind, SegmentOptions, Shape, Solution, Solver, StartSet, TargetSpace,
    weighted_degree,
};
use rankscape::random::Stream;

fn solver(m: usize, n: usize, r: usize) -> Solver {
    let tolerances = Tolerances::default();
    let workers = Workers::new(2).unwrap();
    let start = StartSet::obtain(Shape { m, n, r }, 1, &TrackOptions::new(&tolerances), &workers).unwrap();
    Solver::new(start, tolerances, 1).unwrap()
}

fn random_instance(rows: usize, cols: usize, rank: usize, item: u64) -> Instance {
    let mut stream = Stream::new(2024, item);
    let mut draw = |len: usize| (0..len).map(|_| stream.integer(-10, 10) as f64).collect::<Vec<f64>>();
    let metric = Metric::Map(draw(rows * cols * rows * cols));
    let target = draw(rows * cols);
    Instance { id: item.to_string(), rows, cols, rank, metric, target, convention: TargetSpace::Metric }
}

fn weighted(rows: usize, cols: usize, rank: usize, weights: Vec<f64>, target: Vec<f64>) -> Instance {
    let metric = Metric::Weights(weights);
    Instance { id: "weighted".into(), rows, cols, rank, metric, target, convention: TargetSpace::Metric }
}

fn assert_proved(found: &Solution, count: usize) {
    assert!(found.complete.is_proved() && found.certified, "{:?} {:?}", found.complete, found.paths);
    assert_eq!(found.n_complex, count, "number of critical points");
    assert_eq!(found.n_real() % 2, count % 2, "complex points come in conjugate pairs");
}

#[test]
fn generic_losses_have_exactly_the_generic_ed_degree() {
    let cases =
        [(2, 2, 1, 6), (2, 3, 1, 10), (3, 3, 1, 39), (3, 3, 2, 39), (3, 4, 1, 83), (3, 4, 2, 83), (3, 5, 1, 143)];
    for (m, n, r, count) in cases {
        let solver = solver(m, n, r);
        for item in 0..3 {
            assert_proved(&solver.solve(&random_instance(m, n, r, item), &Workers::none()).unwrap(), count);
        }
    }
}

#[test]
fn four_by_four_is_solved_in_every_rank() {
    let workers = Workers::new(2).unwrap();
    for (r, count) in [(1, 284), (2, 1350), (3, 284)] {
        assert_proved(&solver(4, 4, r).solve(&random_instance(4, 4, r, 7), &workers).unwrap(), count);
    }
}

#[test]
fn euler_characteristic_of_3x3_rank_one_and_two_is_one() {
    for r in [1, 2] {
        let solver = solver(3, 3, r);
        for item in 0..20 {
            let found = solver.solve(&random_instance(3, 3, r, item), &Workers::none()).unwrap();
            assert_eq!(found.alternating_sum(), Some(1), "rank {r}, item {item}");
        }
    }
}

#[test]
fn transposed_instances_have_transposed_answers() {
    let (rows, cols) = (2, 3);
    let instance = random_instance(rows, cols, 1, 5);
    let place = |e: usize| (e % rows) * cols + e / rows;
    let Metric::Map(phi) = &instance.metric else { panic!() };
    let transposed = Instance {
        rows: cols,
        cols: rows,
        metric: Metric::Map((0..36).map(|e| phi[(e / 6) * 6 + place(e % 6)]).collect()),
        target: (0..6).map(|e| instance.target[place(e)]).collect(),
        ..instance.clone()
    };
    let solver = solver(2, 3, 1);
    let workers = Workers::none();
    let (a, b) = (solver.solve(&instance, &workers).unwrap(), solver.solve(&transposed, &workers).unwrap());
    assert_eq!(a.n_real(), b.n_real());
    for (p, q) in a.real.iter().zip(&b.real) {
        assert_eq!(p.index, q.index);
        assert!((0..6).all(|e| (q.w[e] - p.w[place(e)]).abs() < 1e-9));
    }
}

#[test]
fn frobenius_metric_has_the_eckart_young_points_only() {
    let target = vec![7.0, 1.0, -2.0, 0.5, 4.0, 3.0, -1.0, 2.0, 6.0];
    for r in [1, 2] {
        let instance = weighted(3, 3, r, vec![1.0; 9], target.clone());
        let found = solver(3, 3, r).solve(&instance, &Workers::none()).unwrap();
        assert_eq!(found.kind, MetricKind::Product { exact: true });
        assert_proved(&found, 3);
        let s = singular_values(&Matrix::from_fn(3, 3, |i, j| target[3 * i + j]));
        let omitted: f64 = s[r..].iter().map(|s| s * s).sum();
        assert!((found.real[0].value - omitted).abs() < 1e-10);
        let indices: Vec<_> = found.real.iter().map(|point| point.index.unwrap()).collect();
        assert_eq!(indices, [0, 1, 2]);
    }
}

/// Newton's method lands on the zeros of these points exactly, so their rounding says nothing about a radius.
#[test]
fn diagonal_targets_are_certified_like_any_other() {
    for (m, n, r) in [(2, 2, 1), (2, 3, 1), (3, 3, 1), (3, 3, 2)] {
        let size = m.min(n);
        let target = (0..m * n).map(|e| if e / n == e % n { (size - e / n) as f64 } else { 0.0 }).collect();
        let found = solver(m, n, r).solve(&weighted(m, n, r, vec![1.0; m * n], target), &Workers::none()).unwrap();
        assert_proved(&found, size);
        let indices: Vec<_> = found.real.iter().map(|point| point.index.unwrap()).collect();
        assert_eq!(indices, (0..size).collect::<Vec<_>>());
    }
}

#[test]
fn masked_entries_fall_short_of_the_generic_count_with_trace_evidence() {
    let weights = vec![1.0, 2.0, 0.0, 3.0, 1.0, 2.0, 1.0, 0.0, 5.0];
    let target = vec![7.0, 1.0, -2.0, 0.5, 4.0, 3.0, -1.0, 2.0, 6.0];
    let found = solver(3, 3, 1).solve(&weighted(3, 3, 1, weights, target), &Workers::none()).unwrap();
    assert_eq!(found.kind, MetricKind::Singular { kernel: 2 });
    assert!(!found.certified && found.expected == Some(39));
    let Completeness::Unknown { reason, trace, .. } = &found.complete else { panic!("{found:?}") };
    assert!(reason.contains("dimension 2") && trace.unwrap().passed && trace.unwrap().points == 37, "{reason}");
    assert_eq!(found.n_complex, 33);
    assert_eq!(found.real[0].index, Some(0));
}

#[test]
fn weighted_degrees_are_exact_for_products_and_found_for_others() {
    let degree = |weights: Vec<f64>| {
        let instance = weighted(3, 3, 1, weights, vec![1.0; 9]);
        weighted_degree(&instance, 3, &Tolerances::default(), &Workers::none()).unwrap()
    };
    let product = degree(vec![1.0, 2.0, 3.0, 2.0, 4.0, 6.0, 5.0, 10.0, 15.0]);
    assert_eq!((product.count, product.grade), (Some(3), Grade::Exact));
    // One vanishing 2 x 2 minor of the weights costs four points.
    let generic = degree(vec![1.0, 2.0, 3.0, 5.0, 4.0, 7.0, 5.0, 11.0, 17.0]);
    assert_eq!((generic.count, generic.grade), (Some(39), Grade::Certified));
    let special = degree(vec![1.0, 2.0, 3.0, 5.0, 4.0, 6.0, 5.0, 11.0, 17.0]);
    assert_eq!((special.count, special.grade, special.is_lower_bound), (Some(35), Grade::Numerical, false));
    assert!(special.trace.unwrap().passed, "{special:?}");
}

#[test]
fn answers_do_not_depend_on_the_number_of_threads() {
    let instance = random_instance(4, 4, 1, 1);
    let solver = solver(4, 4, 1);
    let one = solver.solve(&instance, &Workers::none()).unwrap();
    let two = solver.solve(&instance, &Workers::new(2).unwrap()).unwrap();
    assert_eq!(one, two);
}

#[test]
fn work_on_one_instance_is_what_it_was() {
    let mut all = Vec::new();
    for (m, n, r, paths) in [(2, 3, 1, 10), (3, 3, 1, 39), (4, 4, 1, 284)] {
        let found = solver(m, n, r).solve(&random_instance(m, n, r, 0), &Workers::none()).unwrap();
        assert_eq!((found.paths.followed, found.paths.stalled, found.paths.rounds), (paths, 0, 1));
        let work = found.work;
        all.push([work.steps, work.rejected, work.recentred, work.jacobians]);
    }
    // Fused and plain products round differently, and a step may fall on either side of a limit.
    if fuses() {
        assert_eq!(all, [[183, 12, 0, 204], [645, 13, 4, 701], [8355, 230, 41, 8907]]);
    }
}

/// The lanes of the tracker use fused products here.
fn fuses() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

#[test]
fn segments_isolate_the_targets_where_two_real_points_meet() {
    let solver = solver(3, 3, 1);
    let instance = random_instance(3, 3, 1, 0);
    let end = random_instance(3, 3, 1, 3).target;
    let found = solver
        .segment(&instance, &end, SegmentOptions { cells: 16, width: 1e-6, ..SegmentOptions::default() })
        .unwrap();
    assert!(found.undecided.is_empty(), "{:?}", found.undecided);
    let mut count = found.start.n_real();
    for crossing in &found.crossings {
        assert_eq!((crossing.before, crossing.before.abs_diff(crossing.after)), (count, 2), "{crossing:?}");
        let [a, b] = crossing.pair.as_ref().unwrap();
        assert_eq!(a.index.unwrap().abs_diff(b.index.unwrap()), 1);
        count = crossing.after;
    }
    assert_eq!(count, found.end.n_real());
    println!("{} crossings, {} solves", found.crossings.len(), found.solved);
}

#[test]
fn a_start_set_of_another_shape_is_refused() {
    let error = solver(2, 2, 1).solve(&random_instance(2, 3, 1, 0), &Workers::none()).unwrap_err();
    assert!(error.to_string().contains("another size"));
}

#[test]
fn degenerate_targets_are_reported_with_a_reason() {
    let solver = solver(3, 3, 1);
    let zero = Instance { target: vec![0.0; 9], ..random_instance(3, 3, 1, 4) };
    let double = weighted(3, 3, 1, vec![1.0; 9], vec![2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 1.0]);
    for (instance, most, why) in [(zero, 0, "not generic"), (double, 1, "repeats singular values")] {
        let found = solver.solve(&instance, &Workers::none()).unwrap();
        assert!(!found.certified && !found.complete.is_proved());
        assert!(found.n_complex <= most, "{found:?}");
        let Completeness::Unknown { reason, .. } = &found.complete else { panic!() };
        assert!(reason.contains(why), "{reason}");
    }
}

/// Weights `a_i b_j` with `a = b = (1, 2, 3)`: the whitened target is `diag(1 * 3, 2 * 2, 3 * 1)`.
#[test]
fn repeated_whitened_singular_values_are_named_with_their_families() {
    let weights = vec![1.0, 2.0, 3.0, 2.0, 4.0, 6.0, 3.0, 6.0, 9.0];
    let diagonal = |a: f64, b: f64, c: f64| vec![a, 0.0, 0.0, 0.0, b, 0.0, 0.0, 0.0, c];
    let phi: Vec<f64> = (0..81)
        .map(|e| if e / 9 == e % 9 { [1.0, 2.0, 3.0][e / 27] * [1.0, 3.0, 2.0][e / 9 % 3] } else { 0.0 })
        .collect();
    for r in [1, 2] {
        let solver = solver(3, 3, r);
        let solve = |instance: Instance| solver.solve(&instance, &Workers::none()).unwrap();
        let found = solve(weighted(3, 3, r, weights.clone(), diagonal(3.0, 2.0, 1.0)));
        let whitened = found.whitened.as_ref().unwrap();
        assert!(whitened.discriminant.distance < 1e-12);
        for (s, known) in whitened.discriminant.spectrum.iter().zip([4.0, 3.0, 3.0]) {
            assert!((s - known).abs() < 1e-12);
        }
        // Rank one: keep 4, or one direction of the plane of 3. Rank two: 4 and one of the plane, or the plane.
        assert_eq!((whitened.isolated(), whitened.families.len()), (1, 2));
        assert!(whitened.families.iter().any(|family| family.dimension == 1));
        let Completeness::Unknown { reason, .. } = &found.complete else { panic!() };
        assert!(reason.contains("3.000000 (2 times)") && reason.contains("Gr(1, 2) of dimension 1"), "{reason}");
        assert_eq!(found.n_complex, 1, "{reason}");
        let zero = solve(weighted(3, 3, r, weights.clone(), diagonal(3.0, 2.0, 0.0)));
        let Completeness::Unknown { reason, .. } = &zero.complete else { panic!() };
        assert!(reason.contains("1 singular value zero up to rounding errors"), "{reason}");
        assert_eq!((zero.n_complex, zero.whitened.unwrap().isolated()), (3 - r, 3 - r));
        // A general map with the same kind of metric: whitened by square roots of its two factors.
        let image = Instance { metric: Metric::Map(phi.clone()), ..weighted(3, 3, r, vec![], diagonal(5.0, 2.0, 1.0)) };
        let whitened = solve(image.clone()).whitened.unwrap();
        for (s, known) in whitened.discriminant.spectrum.iter().zip([12.0, 6.0, 5.0]) {
            assert!((s - known).abs() < 1e-10, "{s}");
        }
        let values: Vec<f64> = solve(image).real.iter().map(|point| point.value).collect();
        for value in values {
            assert!(whitened.families.iter().any(|family| (2.0 * family.value - value).abs() < 1e-8), "{value}");
        }
    }
}

#[test]
fn full_rank_is_linear_least_squares() {
    for (m, n) in [(1, 1), (1, 3), (2, 2), (2, 3), (3, 3)] {
        let solver = solver(m, n, m);
        for (rows, cols) in [(m, n), (n, m)] {
            let instance = random_instance(rows, cols, m, 3);
            let found = solver.solve(&instance, &Workers::none()).unwrap();
            assert_proved(&found, 1);
            assert_eq!((found.real[0].index, found.expected), (Some(0), Some(1)));
            assert!(found.real[0].w.iter().zip(&instance.target).all(|(w, q)| (w - q).abs() < 1e-9));
            // In the other convention the minimizer solves phi w = q: the loss vanishes there too.
            let image = Instance { convention: TargetSpace::Image, ..instance };
            let found = solver.solve(&image, &Workers::none()).unwrap();
            assert_proved(&found, 1);
            assert!(found.real[0].value < 1e-16);
        }
    }
    let solver = solver(2, 2, 2);
    let deficient = weighted(2, 2, 2, vec![1.0, 2.0, 3.0, 5.0], vec![1.0, 2.0, 2.0, 4.0]);
    let found = solver.solve(&deficient, &Workers::none()).unwrap();
    assert_proved(&found, 0);
    assert_eq!(found.expected, Some(0));
    let masked = weighted(2, 2, 2, vec![1.0, 2.0, 0.0, 5.0], vec![1.0, 2.0, 3.0, 4.0]);
    let found = solver.solve(&masked, &Workers::none()).unwrap();
    assert!(!found.certified && found.expected.is_none() && found.real.is_empty());
    let Completeness::Unknown { reason, .. } = &found.complete else { panic!() };
    assert!(reason.contains("affine space of dimension 1"), "{reason}");
    for (weights, count) in [(vec![1.0, 2.0, 3.0, 5.0], Some(1)), (vec![1.0, 0.0, 0.0, 5.0], None)] {
        let instance = weighted(2, 2, 2, weights, vec![0.0; 4]);
        let found = weighted_degree(&instance, 1, &Tolerances::default(), &Workers::none()).unwrap();
        assert_eq!((found.count, found.grade), (count, Grade::Exact), "{}", found.reason);
    }
}

#[test]
fn segments_end_where_they_are_told_to_and_grade_only_what_is_known() {
    let solver = solver(2, 2, 1);
    let options = SegmentOptions { cells: 4, width: 1e-3, ..SegmentOptions::default() };
    for item in 0..5 {
        let (instance, end) = (random_instance(2, 2, 1, item), random_instance(2, 2, 1, item + 9).target);
        let found = solver.segment(&instance, &end, options).unwrap();
        let there = solver.solve(&Instance { target: end, ..instance.clone() }, &Workers::none()).unwrap();
        assert_eq!(
            (found.start.real, found.end.real),
            (solver.solve(&instance, &Workers::none()).unwrap().real, there.real)
        );
    }
    // A target in the kernel of the metric at both ends: no count is known, so none is graded.
    let masked = weighted(2, 2, 1, vec![0.0, 1.0, 0.0, 1.0], vec![1.0, 0.0, 2.0, 0.0]);
    let found = solver.segment(&masked, &[3.0, 0.0, 1.0, 0.0], options).unwrap();
    assert_eq!((found.grade, found.crossings.len(), found.undecided.as_slice()), (None, 0, [(0.0, 1.0)].as_slice()));
}

/// One vanishing 2 x 2 minor of the weights: 35 points where 39 would prove the count.
#[test]
fn segments_of_special_metrics_are_compared_numerically_and_say_so() {
    let solver = solver(3, 3, 1);
    let weights = vec![1.0, 2.0, 3.0, 5.0, 4.0, 6.0, 5.0, 11.0, 17.0];
    let instance = weighted(3, 3, 1, weights, vec![7.0, 1.0, -2.0, 0.5, 4.0, 3.0, -1.0, 2.0, 6.0]);
    let mut crossings = 0;
    for item in 0..3 {
        let end = random_instance(3, 3, 1, item).target;
        let found = solver
            .segment(&instance, &end, SegmentOptions { cells: 4, width: 1e-6, ..SegmentOptions::default() })
            .unwrap();
        assert_eq!(found.start.completeness_grade(), Some(Grade::Numerical));
        assert_eq!((found.grade, found.undecided.len()), (Some(Grade::Numerical), 0), "{:?}", found.undecided);
        assert!(found.crossings.iter().all(|crossing| crossing.grade == Grade::Numerical));
        let change: i64 = found.crossings.iter().map(|crossing| crossing.after as i64 - crossing.before as i64).sum();
        assert_eq!(found.start.n_real() as i64 + change, found.end.n_real() as i64);
        assert!(!found.start.certified && !found.start.complete.is_proved());
        crossings += found.crossings.len();
    }
    assert!(crossings > 0);
}

#[test]
fn scaling_data_scales_the_answer() {
    let solver = solver(3, 3, 1);
    let instance = random_instance(3, 3, 1, 6);
    let Metric::Map(phi) = &instance.metric else { panic!() };
    let (a, b) = (1e-90, 1e60);
    let scaled = Instance {
        metric: Metric::Map(phi.iter().map(|x| a * x).collect()),
        target: instance.target.iter().map(|x| b * x).collect(),
        ..instance.clone()
    };
    let (one, two) =
        (solver.solve(&instance, &Workers::none()).unwrap(), solver.solve(&scaled, &Workers::none()).unwrap());
    assert_proved(&two, 39);
    assert_eq!(one.n_real(), two.n_real());
    for (p, q) in one.real.iter().zip(&two.real) {
        assert_eq!(p.index, q.index);
        assert!((q.value / (a * a * b * b) - p.value).abs() < 1e-9 * p.value);
    }
}

#[test]
fn special_weights_miss_the_generic_count_and_say_so() {
    let weights = vec![1.0, 2.0, 3.0, 5.0, 4.0, 6.0, 5.0, 11.0, 17.0];
    let target = vec![7.0, 1.0, -2.0, 0.5, 4.0, 3.0, -1.0, 2.0, 6.0];
    let found = solver(3, 3, 1).solve(&weighted(3, 3, 1, weights, target), &Workers::none()).unwrap();
    assert_eq!((found.kind, found.expected, found.n_complex), (MetricKind::Definite, Some(39), 35));
    let Completeness::Unknown { reason, trace, .. } = &found.complete else { panic!() };
    assert!(reason.contains("35 of at most 39") && trace.unwrap().passed, "{reason} {trace:?}");
    assert_eq!(found.alternating_sum(), Some(1));
}

/// Rows 1 2 3 times 1, 2 and 3, but for the last entry: 11 points, of which only those near the product are easily found.
#[test]
fn a_trace_test_near_special_weights_is_no_evidence() {
    let mut weights = vec![1.0, 2.0, 3.0, 2.0, 4.0, 6.0, 3.0, 6.0, 9.000_001];
    let target = vec![3.0, -1.0, 2.0, 4.0, 1.0, -2.0, 5.0, 2.0, 7.0];
    let found = solver(3, 3, 1).solve(&weighted(3, 3, 1, weights.clone(), target.clone()), &Workers::none()).unwrap();
    assert!(found.complete.is_proved() || found.completeness_grade().is_none(), "{found:?}");
    if let Completeness::Unknown { trace, generic, .. } = &found.complete {
        assert!(trace.is_none_or(|trace| !trace.passed) && generic.is_none_or(|count| count >= found.n_complex));
    }
    weights[8] = 9.0;
    assert_proved(&solver(3, 3, 1).solve(&weighted(3, 3, 1, weights, target), &Workers::none()).unwrap(), 3);
}

/// `phi` sees two of the entries, the matrices of rank one have dimension three: the loss vanishes along curves.
#[test]
fn metrics_of_low_rank_vanish_on_families_and_have_few_isolated_points() {
    for (kernel, count) in [(1, 6), (2, 2), (3, 0)] {
        let Metric::Map(mut phi) = random_instance(2, 2, 1, 11).metric else { panic!() };
        phi[4 * (4 - kernel)..].fill(0.0);
        let instance = Instance { metric: Metric::Map(phi), ..random_instance(2, 2, 1, 11) };
        let found = solver(2, 2, 1).solve(&instance, &Workers::none()).unwrap();
        assert_eq!(found.kind, MetricKind::Singular { kernel });
        assert_proved(&found, count);
        if kernel > 1 {
            let minimum = found.minimum.unwrap();
            assert!(minimum.value < 1e-12 && minimum.grade == Grade::Sampled, "{minimum:?}");
        }
    }
}

#[test]
fn the_minimum_is_certified_where_the_list_is_complete_and_the_metric_definite() {
    for item in 0..5 {
        let found = solver(3, 3, 2).solve(&random_instance(3, 3, 2, item), &Workers::none()).unwrap();
        let minimum = found.minimum.unwrap();
        assert_eq!((minimum.grade, minimum.rank, minimum.attained), (Grade::Certified, 2, true));
        assert_eq!((minimum.value, &minimum.w), (found.real[0].value, &found.real[0].w));
    }
}
