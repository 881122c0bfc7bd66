//! Properties of the product map on random tuples with prescribed barcode.

use crate::points::{factors, rational};
use rankscape::evidence::Truth;
use rankscape::linalg::exact::RationalMatrix;
use rankscape::linalg::{Matrix, determinant_sign, orthonormal_complement, svd};
use rankscape::multiplication::{
    Barcode, ComponentLabel, Connection, Differential, DifferentialImage, ExactFactors, Factors, Fiber, LiftProperties,
    LocalLearning, MapPoint, Openness, RankProfile, balance, balance_defect, connect, first_order_witness,
    gauge_action, group_element, lift_path, reach, second_order_witness, taylor_coefficients, toward_balance,
    unreachable_direction,
};
use rankscape::random::Stream;
use rankscape::tolerance::{Tolerances, UNIT_ROUNDOFF};
use testkit::barcode::Chain;
use testkit::{Draw, Rational};

fn exact(chain: &Chain<Rational>) -> ExactFactors {
    ExactFactors::new(chain.factors.iter().map(rational).collect()).unwrap()
}

fn profile(factors: &Factors) -> RankProfile {
    RankProfile::new(factors, UNIT_ROUNDOFF, &Tolerances::default())
}

fn stored(factors: &Factors, unit_roundoff: f64) -> MapPoint {
    MapPoint::stored(factors.clone(), unit_roundoff, &Tolerances::default())
}

fn draw(seed: u64, case: u64) -> Factors {
    factors(&Chain::<f64>::draw(&mut Draw::new(seed, case), 5, 5).factors)
}

#[test]
fn verdicts_over_the_rationals_and_in_double_precision_agree() {
    for case in 0..300 {
        let chain = Chain::<Rational>::draw(&mut Draw::new(101, case), 4, 4);
        let exact = exact(&chain);
        let float = Factors::new(exact.matrices().iter().map(RationalMatrix::to_matrix).collect()).unwrap();
        let (a, b) = (RankProfile::exact(&exact), profile(&float));
        for (i, row) in chain.ranks.iter().enumerate() {
            for (j, &rank) in row.iter().enumerate().skip(i + 1) {
                assert_eq!(a.rank(i, j), rank, "case {case}");
                assert_eq!(b.rank(i, j), rank, "case {case}");
            }
        }
        let bars: Vec<_> = Barcode::new(&a).unwrap().bars.iter().map(|b| (b.from, b.to, b.multiplicity)).collect();
        assert_eq!(bars, chain.barcode, "case {case}");
        assert_eq!(LiftProperties::new(&a), LiftProperties::new(&b), "case {case}");
        assert_eq!(Openness::new(&a), Openness::new(&b));
        assert_eq!(Fiber::new(&a), Fiber::new(&b));
        assert_eq!(LocalLearning::new(&a), LocalLearning::new(&b));
        let label = ComponentLabel::exact(&exact);
        assert_eq!(ComponentLabel::with_columns(&float, label.columns.clone()), label, "case {case}");
    }
}

#[test]
fn lift_properties_imply_one_another_as_they_must() {
    for case in 0..3000 {
        let factors = draw(102, case);
        let profile = profile(&factors);
        let lift = LiftProperties::new(&profile);
        let holds = |v: &rankscape::multiplication::Verdict| v.holds == Truth::Yes;
        assert!(holds(&lift.local_1));
        if holds(&lift.one_1) {
            assert!(holds(&lift.two_1) && holds(&lift.local_local), "case {case}: a submersion is open");
        }
        if holds(&lift.two_1) {
            assert!(holds(&lift.three_1));
        }
        if factors.depth() <= 2 {
            assert!(holds(&lift.two_1), "two factors: second-order critical implies stationary");
        }
        match LocalLearning::new(&profile) {
            LocalLearning::Exact { lambda, .. } => assert!(lambda >= Differential::new(&profile).rank as f64 / 2.0),
            LocalLearning::Bounds { lower, upper } => assert!(lower <= upper, "case {case}"),
            LocalLearning::Undecided => panic!("case {case}"),
        }
    }
}

#[test]
fn image_basis_has_the_rank_of_the_formula_and_contains_every_first_order_change() {
    for case in 0..600 {
        let factors = draw(103, case);
        let profile = profile(&factors);
        let image = DifferentialImage::new(&factors, &profile);
        assert_eq!(image.rank(), Differential::new(&profile).rank, "case {case}");
        let mut stream = Stream::new(104, case);
        let count = factors.architecture().parameters();
        let direction = factors.with_vector(&stream.normal_vector(count));
        let change = &taylor_coefficients(&factors, &direction).unwrap()[1];
        let scale = change.max_abs().max(1.0) * factors.norm().max(1.0).powi(factors.depth() as i32);
        assert!((&image.project(change) - change).max_abs() < 1e-11 * scale, "case {case}");
        let identity = Matrix::identity(image.left.nrows());
        assert!((&image.left.transpose_times(&image.left) - &identity).max_abs() < 1e-13);
    }
}

/// A second factorization of the product of `first`: random factors of the same widths and product rank, with the outer
/// ones turned so that the product agrees.
fn another(first: &Factors, case: u64) -> Option<Factors> {
    let (p, widths) = (profile(first), first.architecture().widths());
    let (h, e) = (first.depth(), profile(first).product_rank());
    if h == 1 {
        return None;
    }
    let mut stream = Stream::new(105, case);
    // Inner widths carry e directions of the product; the rest is random with a random factor set to zero.
    let killed = stream.integer(1, h as i64) as usize;
    let full = |m: &Matrix| {
        let mut out = Matrix::zeros(m.nrows(), m.nrows());
        out.set_block(0, 0, m);
        out.set_block(0, m.ncols(), &orthonormal_complement(m));
        out
    };
    let product = svd(&first.product());
    let (u, v) = (full(&product.u.columns(0, e)), full(&product.v.columns(0, e)));
    let group: Vec<Matrix> = widths[1..h].iter().map(|&d| stream.normal_matrix(d, d)).collect();
    let matrices = (1..=h)
        .map(|k| {
            let rest = stream.normal_matrix(widths[k] - e, widths[k - 1] - e).scaled(f64::from(u8::from(k != killed)));
            let mut core = Matrix::zeros(widths[k], widths[k - 1]);
            (0..e).for_each(|i| core[(i, i)] = if k == h { product.s[i] } else { 1.0 });
            core.set_block(e, e, &rest);
            if k == 1 {
                core = core.times_transpose(&v);
            }
            if k == h { &u * &core } else { core }
        })
        .collect();
    assert_eq!(p.depth(), h, "both have one depth");
    gauge_action(&Factors::new(matrices).unwrap(), &group).ok()
}

#[test]
fn factorizations_are_joined_inside_the_fiber_exactly_when_their_labels_agree() {
    let tolerances = Tolerances::default();
    let (mut joined, mut separated) = (0, 0);
    for case in 0..1200 {
        let first = draw(106, case);
        let Some(second) = another(&first, case) else { continue };
        let label = ComponentLabel::new(&first, profile(&first).product_rank());
        let same = ComponentLabel::with_columns(&second, label.columns.clone()) == label;
        match connect(&stored(&first, 4.0 * UNIT_ROUNDOFF), &stored(&second, 4.0 * UNIT_ROUNDOFF), &tolerances).unwrap()
        {
            Connection::Path(path) => {
                assert!(same, "case {case}");
                joined += 1;
                let points = if joined <= 40 { 1000 } else { 40 };
                let scale: f64 = [&first, &second]
                    .iter()
                    .map(|f| f.matrices().iter().map(Matrix::frobenius_norm).product::<f64>())
                    .fold(1.0, f64::max);
                let error = path.product_error(&first.product(), points);
                assert!(error < 1e-8 * scale, "case {case}: {error:e} at scale {scale:e}");
                assert_eq!(path.at(0.0), first);
                assert_eq!(path.at(1.0), second);
                if joined <= 20 {
                    let step = |n: usize| {
                        let points: Vec<Factors> = path.samples(n).map(|(_, f)| f).collect();
                        points.windows(2).map(|w| w[1].moved(-1.0, &w[0]).norm()).fold(0.0, f64::max)
                    };
                    let (coarse, fine) = (step(2_000), step(20_000));
                    assert!(fine < 0.2 * coarse + 1e-9, "case {case}: {coarse} {fine}");
                }
            }
            Connection::Separated { first, second, nodes } => {
                assert!(!same && first != second && !nodes.is_empty(), "case {case}");
                separated += 1;
            }
            other => panic!("case {case}: {other:?}"),
        }
    }
    assert!(joined > 500 && separated > 20, "{joined} {separated}");
}

#[test]
fn targets_along_the_witness_are_out_of_reach_where_the_map_is_not_open() {
    let tolerances = Tolerances::default();
    let mut found = 0;
    for case in 0..3000 {
        let factors = draw(107, case);
        let profile = profile(&factors);
        let Some(direction) = unreachable_direction(&factors, &profile) else {
            assert_eq!(Openness::new(&profile).verdict.holds, Truth::Yes, "case {case}");
            continue;
        };
        found += 1;
        let product = factors.product();
        let mut target = product.clone();
        target.add_scaled(1e-6 * product.max_abs().max(1.0), &direction);
        let beyond = factors.architecture().bottleneck_rank();
        let values = rankscape::linalg::singular_values(&target);
        let noise = 10.0 * profile.decision(0, profile.depth()).tolerance + 1e-13 * values[0];
        assert!(values.get(beyond).is_none_or(|&s| s <= noise), "case {case}: the target lies in the image");
        let answer = reach(&stored(&factors, UNIT_ROUNDOFF), &target, None, &tolerances).unwrap();
        let near = answer.distance_factors.is_some_and(|d| d < 0.01 * factors.norm());
        assert!(!near, "case {case}: {:?}", answer.distance_factors);
    }
    assert!(found > 100, "{found}");
}

#[test]
fn witness_losses_are_critical_of_their_order_at_the_point() {
    let (mut first, mut second) = (0, 0);
    for case in 0..1500 {
        let factors = draw(108, case);
        let profile = profile(&factors);
        let lift = LiftProperties::new(&profile);
        let mut stream = Stream::new(109, case);
        let count = factors.architecture().parameters();
        let w1 = first_order_witness(&factors, &profile);
        let w2 = second_order_witness(&factors, &profile);
        assert_eq!(w1.is_some(), lift.one_1.holds == Truth::No, "case {case}");
        assert_eq!(w2.is_some(), lift.two_1.holds == Truth::No, "case {case}");
        for _ in 0..20 {
            let direction = factors.with_vector(&stream.normal_vector(count));
            let c = taylor_coefficients(&factors, &direction).unwrap();
            let scale: f64 = c.iter().map(Matrix::max_abs).fold(1.0, f64::max) * factors.norm().max(1.0).powi(4);
            for witness in w1.iter().chain(&w2) {
                assert!(witness.gradient.dot(&c[1]).abs() < 1e-11 * scale, "case {case}");
                assert!((witness.gradient.frobenius_norm() - 1.0).abs() < 1e-12);
            }
            if let Some(witness) = &w2 {
                let bend = 2.0 * witness.gradient.dot(&c[2]) + witness.curvature * c[1].dot(&c[1]);
                assert!(bend > -1e-9 * scale * (1.0 + witness.curvature), "case {case}: {bend}");
            }
        }
        first += usize::from(w1.is_some());
        second += usize::from(w2.is_some());
    }
    assert!(first > 300 && second > 20, "{first} {second}");
}

#[test]
fn balancing_keeps_product_and_component_where_it_is_possible() {
    let mut balanced = 0;
    for case in 0..1500 {
        let draws = Draw::new(110, case);
        let factors = if case % 2 == 0 {
            draw(111, case)
        } else {
            // Every factor of the rank of the product: one long interval, and intervals of one node.
            let mut draws = draws;
            let depth = draws.size(1, 4);
            let mut bars: Vec<_> = (0..=depth).map(|i| (i, i, draws.size(0, 3))).collect();
            bars.push((0, depth, draws.size(1, 3)));
            factors(&Chain::<f64>::with_barcode(&mut draws, depth, &bars).factors)
        };
        let profile = profile(&factors);
        let found = balance(&factors, &profile);
        let e = profile.product_rank();
        let possible = (1..=profile.depth()).all(|k| profile.rank(k - 1, k) == e);
        assert_eq!(found.possible.holds, Truth::from(possible), "case {case}");
        let scale: f64 = factors.matrices().iter().map(Matrix::frobenius_norm).product::<f64>().max(1.0);
        if possible {
            balanced += 1;
            assert!(found.defect_after.unwrap() < 1e-13, "case {case}: {:?}", found.defect_after);
            assert!(found.product_error.unwrap() < 1e-11 * scale, "case {case}: {:?}", found.product_error);
            let label = ComponentLabel::new(&factors, e);
            let after = ComponentLabel::with_columns(&found.factors.unwrap(), label.columns.clone());
            assert_eq!(label, after, "case {case}");
        } else if case < 300 {
            let near = toward_balance(&factors, &profile, 1e-6).unwrap();
            let below = near.matrices().windows(2);
            let size = factors.norm().powi(2).max(1.0);
            let defect = below
                .map(|w| (&w[1].transpose_times(&w[1]) - &w[0].times_transpose(&w[0])).frobenius_norm())
                .fold(0.0, f64::max);
            assert!(defect < 1e-4 * size, "case {case}: {defect:e}");
            assert!(e == 0 || balance_defect(&near) <= defect, "case {case}: {:e}", balance_defect(&near));
            assert!((&near.product() - &factors.product()).frobenius_norm() < 1e-10 * scale, "case {case}");
            let ranks = RankProfile::new(&near, UNIT_ROUNDOFF * 1e-12, &Tolerances::default());
            assert_eq!(ranks.depth(), profile.depth());
        }
    }
    assert!(balanced > 700, "{balanced}");
}

#[test]
fn group_element_carries_one_factorization_to_the_other() {
    for case in 0..100 {
        let mut stream = Stream::new(112, case);
        let (e, h) = (stream.integer(1, 4) as usize, stream.integer(2, 5) as usize);
        let mut widths = vec![e; h + 1];
        widths[0] += stream.integer(0, 3) as usize;
        widths[h] += stream.integer(0, 3) as usize;
        let first = Factors::new(widths.windows(2).map(|d| stream.normal_matrix(d[1], d[0])).collect()).unwrap();
        let group: Vec<Matrix> = (1..h).map(|_| stream.normal_matrix(e, e)).collect();
        let second = gauge_action(&first, &group).unwrap();
        let found = group_element(&first, &second, &profile(&first)).unwrap();
        for (a, b) in found.iter().zip(&group) {
            assert!((a - b).max_abs() < 1e-8 * (1.0 + a.max_abs()), "case {case}");
            assert_eq!(determinant_sign(a), determinant_sign(b));
        }
    }
}

#[test]
fn paths_of_matrices_lift_where_all_inner_widths_exceed_the_smaller_end() {
    let tolerances = Tolerances::default();
    for (case, widths) in [vec![3, 4, 2], vec![2, 3, 5, 4], vec![2, 2], vec![1, 2, 3, 2, 1]].into_iter().enumerate() {
        let mut stream = Stream::new(113, case as u64);
        let mut tuple = || Factors::new(widths.windows(2).map(|d| stream.normal_matrix(d[1], d[0])).collect()).unwrap();
        let (first, second) = (tuple(), tuple());
        let (a, b) = (first.product(), second.product());
        let knots = [a.clone(), Matrix::zeros(a.nrows(), a.ncols()), b.clone()];
        let ends = [&first, &second].map(|factors| stored(factors, UNIT_ROUNDOFF));
        let Connection::Path(path) = lift_path(&ends[0], &ends[1], &knots, &tolerances).unwrap() else {
            panic!("case {case}")
        };
        assert_eq!(path.at(0.0), first);
        assert_eq!(path.at(1.0), second);
        let mut last = first.clone();
        for (t, now) in path.samples(4000) {
            let product = now.product();
            let along = |from: &Matrix, to: &Matrix| {
                let (d, x) = (to - from, &product - from);
                let s = (x.dot(&d) / d.dot(&d)).clamp(0.0, 1.0);
                (&x - &d.scaled(s)).frobenius_norm()
            };
            let off = along(&a, &knots[1]).min(along(&knots[1], &b));
            assert!(off < 1e-9, "case {case}, t = {t}: {off:e}");
            assert!(now.moved(-1.0, &last).norm() < 0.5, "case {case}, t = {t}");
            last = now;
        }
    }
    let narrow = Factors::new(vec![Matrix::identity(2), Matrix::identity(2)]).unwrap();
    let point = stored(&narrow, UNIT_ROUNDOFF);
    assert!(lift_path(&point, &point, &[narrow.product(), narrow.product()], &tolerances).is_err());
}

#[test]
fn different_products_and_widths_are_refused_with_the_numbers() {
    let tolerances = Tolerances::default();
    let point = |matrices| stored(&Factors::new(matrices).unwrap(), UNIT_ROUNDOFF);
    let one = point(vec![Matrix::identity(2), Matrix::identity(2)]);
    let two = point(vec![Matrix::identity(2), Matrix::identity(2).scaled(1.5)]);
    let error = connect(&one, &two, &tolerances).unwrap_err().to_string();
    assert!(error.contains("different products") && error.contains("7.07"), "{error}");
    let three = point(vec![Matrix::identity(2)]);
    assert!(connect(&one, &three, &tolerances).is_err());
    assert!(reach(&one, &Matrix::zeros(3, 2), None, &tolerances).is_err());
}

#[test]
fn verdicts_that_no_rank_can_change_are_given_where_ranks_are_not_clear() {
    let first = Matrix::from_rows(&[vec![1.0, 0.0], vec![0.0, 1e-14]]);
    let second = Matrix::from_rows(&[vec![1.0, 0.3], vec![0.2, 1.0]]);
    let factors = Factors::new(vec![first, second]).unwrap();
    let profile = RankProfile::stored(&factors, UNIT_ROUNDOFF, &Tolerances::default());
    assert!(!profile.is_clear());
    let lift = LiftProperties::new(&profile);
    assert_eq!(
        (lift.local_ambient.holds, lift.two_1.holds, lift.one_1.holds),
        (Truth::Yes, Truth::Yes, Truth::Undecided)
    );
    assert_eq!((lift.three_1.holds, lift.least_k), (Truth::Yes, None));
}
