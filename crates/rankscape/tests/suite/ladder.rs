//! The ladder of critical values: order, number, corners, invariances, components of the minimizers, exact data.

use std::collections::BTreeSet;

use crate::points::samples;
use crate::rungs::{all, close, diagonal, ladder, orthogonal, try_ladder, whitened};
use rankscape::Tolerances;
use rankscape::architecture::Architecture;
use rankscape::critical::{Ladder, Rung};
use rankscape::data::ExactMoments;
use rankscape::evidence::Grade;
use rankscape::linalg::Matrix;
use rankscape::linalg::exact::RationalMatrix;
use rankscape::multiplication::{ComponentLabel, Factors};
use rankscape::random::Stream;
use testkit::grid::Dense;
use testkit::random::Draw;

/// `(value, pattern)` of every pattern, by plain enumeration of a decreasing list of distinct values.
fn enumerated(levels: &[(f64, usize)], most: usize) -> Vec<(f64, Vec<usize>)> {
    let mut patterns = vec![Vec::new()];
    for &(_, m) in levels {
        patterns = patterns
            .iter()
            .flat_map(|p: &Vec<usize>| (0..=m).map(move |taken| [p.as_slice(), &[taken]].concat()))
            .collect();
    }
    patterns.retain(|p| p.iter().sum::<usize>() <= most);
    let value = |p: &[usize]| levels.iter().zip(p).map(|((s, m), taken)| 0.5 * s * s * (m - taken) as f64).sum::<f64>();
    let mut found: Vec<(f64, Vec<usize>)> = patterns.into_iter().map(|p| (value(&p), p)).collect();
    found.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
    found
}

#[test]
fn rungs_come_in_order_each_once_and_none_is_missing() {
    let spectra: [&[(f64, usize)]; 9] = [
        &[],
        &[(2.0, 1)],
        &[(2.0, 3)],
        &[(3.0, 1), (2.0, 1), (1.0, 1)],
        &[(3.0, 2), (2.0, 1), (1.0, 2)],
        &[(5.0, 1), (4.0, 3), (3.0, 1), (0.5, 2)],
        &[(5.0, 3), (4.0, 1), (3.0, 1)],
        &[(7.0, 1), (5.5, 1), (5.0, 1), (4.0, 1), (2.5, 1), (2.0, 1), (1.0, 1)],
        &[(1.0, 2), (0.9, 2), (0.8, 2), (0.1, 1)],
    ];
    for levels in spectra {
        let values: Vec<f64> = levels.iter().flat_map(|&(s, m)| vec![s; m]).collect();
        for narrow in 1..=values.len() + 1 {
            for size in [values.len().max(1), values.len() + 2] {
                let widths = [size, narrow, size];
                let found = ladder(&widths, &diagonal(&widths, &values));
                let expected = enumerated(levels, narrow);
                let mut stream = found.rungs();
                let mut streamed = Vec::new();
                while let Some(rung) = stream.next() {
                    streamed.push(rung.value);
                    assert!(stream.pushes() <= 3 * streamed.len() + 1);
                }
                assert!(streamed.windows(2).all(|pair| pair[1] >= pair[0] - 1e-12), "{levels:?}");
                let rungs = all(&found);
                assert_eq!(found.rungs_total(), expected.len().into());
                let patterns: BTreeSet<&Vec<usize>> = rungs.iter().map(|rung| &rung.pattern).collect();
                assert_eq!(patterns, expected.iter().map(|(_, p)| p).collect(), "{levels:?} {narrow}");
                assert_eq!(rungs.len(), expected.len());
                for (rung, (value, _)) in rungs.iter().zip(&expected) {
                    assert!(close(rung.value, *value, 100.0), "{levels:?} {narrow}");
                    assert_eq!(rung.is_global_minimum(), close(rung.value, expected[0].0, 1.0));
                }
            }
        }
    }
}

#[test]
fn the_lowest_of_many_are_those_of_a_full_sort_at_three_pushes_each() {
    let mut stream = Stream::new(1, 0);
    let mut values: Vec<f64> = (0..16).map(|_| 1.0 + stream.uniform()).collect();
    values.sort_by(|a, b| b.total_cmp(a));
    let levels: Vec<(f64, usize)> = values.iter().map(|&s| (s, 1)).collect();
    let widths = [16, 5, 16];
    let found = ladder(&widths, &diagonal(&widths, &values));
    let expected = enumerated(&levels, 5);
    for (rung, (value, pattern)) in found.lowest(1000).iter().zip(&expected) {
        assert!(close(rung.value, *value, 10.0) && &rung.pattern == pattern);
    }
    // 64 directions: 2^64 rungs, of which 1,000 are listed.
    let values: Vec<f64> = (0..64).map(|k| 100.0 - 1.4 * f64::from(k)).collect();
    let widths = [64, 64, 64];
    let found = ladder(&widths, &diagonal(&widths, &values));
    assert_eq!(found.rungs_total().to_string(), "18446744073709551616");
    let mut rungs = found.rungs();
    assert_eq!(rungs.by_ref().take(1000).count(), 1000);
    assert!(rungs.pushes() <= 3001);
}

#[test]
fn dimension_in_parameters_has_a_closed_form_for_two_layers() {
    // Two layers, generic residual: the critical points over a rung of rank e are the pairs of blocks that vanish on
    // and map into complements of the residual's spaces, with product zero.
    for (widths, values) in [([3, 2, 3], [3.0, 2.0, 1.0]), ([3, 3, 3], [3.0, 2.0, 1.0]), ([4, 2, 3], [3.0, 2.0, 1.0])] {
        for rung in all(&ladder(&widths, &diagonal(&widths, &values))) {
            let e = rung.rank;
            let (a, k, b) = (widths[0] - e, widths[1] - e, widths[2] - e);
            let omitted = 3 - e;
            let blocks = (0..=k.min(a - omitted))
                .map(|rank| rank * (a - omitted + k - rank) + (k - rank) * (b - omitted))
                .max()
                .unwrap();
            assert_eq!(rung.parameter_dimension, e * (2 * widths[1] - e) + blocks, "{widths:?} {:?}", rung.pattern);
        }
    }
}

/// Factors with product `u u'`, `u = (cos a, sin a, 0)`, continuous in `a`.
fn on_the_loop(widths: &[usize], scales: &[f64], angle: f64) -> Factors {
    let h = widths.len() - 1;
    let (sine, cosine) = angle.sin_cos();
    let u = [cosine, sine, 0.0];
    let layers = (1..=h).map(|k| {
        Matrix::from_fn(widths[k], widths[k - 1], |i, j| match k {
            1 if i == 0 => scales[0] * u[j],
            _ if k == h && j == 0 => scales[k - 1] * u[i],
            _ if i == 0 && j == 0 && k > 1 && k < h => scales[k - 1],
            _ => 0.0,
        })
    });
    Factors::new(layers.collect()).unwrap()
}

#[test]
fn a_loop_of_best_products_turns_all_signs_at_once_and_halves_the_components() {
    for widths in [vec![3, 1, 3], vec![3, 1, 1, 3], vec![3, 1, 2, 1, 3], vec![3, 1, 1, 1, 3]] {
        let tied = ladder(&widths, &diagonal(&widths, &[2.0, 2.0, 1.0])).global_minima();
        let unique = ladder(&widths, &diagonal(&widths, &[2.0, 1.0, 1.0])).global_minima();
        let narrow = widths[1..widths.len() - 1].iter().filter(|&&d| d == 1).count();
        assert_eq!((unique.components, unique.tie_at_cut), ((1u32 << narrow).into(), false));
        assert_eq!((tied.components.clone(), tied.tie_at_cut), ((1u32 << (narrow - 1)).into(), true));
        assert_eq!(tied.dimension, unique.dimension + 1);

        // Every choice of signs of the scales with product 1 gives a factorization of u u'; half a turn of u comes back
        // to the same product with all labels turned. So labels up to a common sign are what is left.
        let h = widths.len() - 1;
        let mut orbits = BTreeSet::new();
        for code in 0..1u32 << h {
            let scales: Vec<f64> = (0..h).map(|k| if code >> k & 1 == 1 { -1.0 } else { 1.0 }).collect();
            if scales.iter().product::<f64>() < 0.0 {
                continue;
            }
            let label = |angle: f64| ComponentLabel::with_columns(&on_the_loop(&widths, &scales, angle), vec![0]).signs;
            let (start, end) = (label(0.0), label(std::f64::consts::PI));
            let turned: Vec<i8> = start.iter().map(|sign| -sign).collect();
            assert_eq!(end, turned);
            orbits.insert(start.min(end));
        }
        assert_eq!(tied.components, orbits.len().into(), "{widths:?}");
    }
}

#[test]
fn one_layer_has_one_critical_value_and_widths_of_one_two() {
    let one = ladder(&[3, 2], &Matrix::from_rows(&[vec![1.0, 2.0, 0.0], vec![0.0, 1.0, 1.0]]));
    let rungs = all(&one);
    assert_eq!((rungs.len(), one.rungs_total()), (1, 1u32.into()));
    assert!(rungs[0].is_global_minimum() && rungs[0].value.abs() < 1e-20 && rungs[0].parameter_dimension == 0);
    assert_eq!(one.global_minima().components, 1u32.into());

    let thin = ladder(&[1, 1, 1], &Matrix::from_diagonal(1, 1, &[-3.0]));
    let values: Vec<(f64, usize)> = all(&thin).iter().map(|rung| (rung.value, rung.parameter_dimension)).collect();
    assert_eq!(values, [(0.0, 1), (4.5, 0)]);
    assert_eq!(thin.global_minima().components, 2u32.into());

    let nothing = ladder(&[2, 1, 2], &Matrix::zeros(2, 2));
    let rungs = all(&nothing);
    assert_eq!((rungs.len(), rungs[0].parameter_dimension, rungs[0].rank), (1, 2, 0));
    assert_eq!(nothing.global_minima().components, 1u32.into());
}

#[test]
fn ladder_ignores_bases_of_outputs_and_inputs_and_scales_with_the_square() {
    let mut draw = Draw::new(6, 0);
    for trial in 0..40 {
        let widths = [4, 2 + trial % 2, 3];
        let rank = 2 + trial % 3;
        let x = Dense::from_fn(4, rank, |_, _| draw.normal()).matmul(&Dense::from_fn(rank, 9, |_, _| draw.normal()));
        let y = Dense::from_fn(3, 9, |_, _| draw.normal());
        let of = |x: &Dense, y: &Dense| {
            let data = samples(x, y, None).whiten(None, &Tolerances::default()).unwrap();
            try_ladder(&widths, &data.whitening).unwrap()
        };
        let given = all(&of(&x, &y));
        let mixed = Dense::from_fn(4, 4, |i, j| f64::from(u8::from(i == j)) + 0.3 * draw.normal()).matmul(&x);
        let order: Vec<usize> = (0..9).map(|k| (k * 4 + trial) % 9).collect();
        let turned = orthogonal(&mut draw, 3).matmul(&y);
        for other in [of(&mixed, &y), of(&x, &turned), of(&x.columns(&order), &y.columns(&order))] {
            for (a, b) in given.iter().zip(all(&other)) {
                assert!(close(a.value, b.value, given[given.len() - 1].value));
                let facts = |r: &Rung| (r.pattern.clone(), r.index_in_function_space, r.parameter_dimension, r.classes);
                assert_eq!(facts(a), facts(&b));
            }
        }
        for power in [-332, 332] {
            let factor = 2.0_f64.powi(power);
            for (a, b) in given.iter().zip(all(&of(&x, &y.scale(&factor)))) {
                assert!(close(a.value, b.value / factor / factor, given[given.len() - 1].value));
                assert_eq!(a.pattern, b.pattern);
            }
        }
    }
}

#[test]
fn values_beyond_the_range_of_doubles_are_one_clear_error() {
    for size in [1e160, 1e-170] {
        let error = try_ladder(&[2, 1, 2], &whitened(&Matrix::from_diagonal(2, 2, &[size, 0.5 * size]))).unwrap_err();
        assert!(error.to_string().contains("not representable"), "{error}");
    }
    assert!(try_ladder(&[3, 1, 2], &whitened(&Matrix::identity(2))).is_err());
    assert!(try_ladder(&[2, usize::MAX / 3, 2], &whitened(&Matrix::identity(2))).is_err());
}

#[test]
fn values_that_rounding_could_have_made_are_not_clear() {
    let clear = |values: &[f64]| ladder(&[3, 3, 3], &diagonal(&[3, 3], values)).levels().is_clear();
    assert!(clear(&[1.0, 0.5, 0.0]) && clear(&[1.0, 1.0, 0.5]) && clear(&[1.0, 1.0 - 1e-17, 1e-9]));
    assert!(!clear(&[1.0, 0.5, 2e-14]));
    assert!(!clear(&[1.0, 1.0 - 1e-13, 0.5]));
}

#[test]
fn exact_data_decide_equal_and_zero_values_exactly() {
    // X has rank 2 of 3 and Y X' two equal singular values after whitening, hidden by bases.
    let x = RationalMatrix::from_integers(&[vec![1, 1, 2], vec![1, -1, 0], vec![2, 0, 2], vec![0, 2, 2]]);
    let mut stream = Stream::new(7, 0);
    let mut grades = BTreeSet::new();
    for trial in 0..60 {
        let columns = 1 + trial % 3;
        let y = RationalMatrix::from_integers(
            &(0..4).map(|_| (0..columns).map(|_| stream.integer(-1, 1)).collect()).collect::<Vec<_>>(),
        );
        let data = ExactMoments::new(&x, &y);
        let dense = |m: &RationalMatrix| Dense::from_rows(&m.transpose().to_matrix().to_rows());
        let whitening = samples(&dense(&x), &dense(&y), None).whiten(None, &Tolerances::default()).unwrap().whitening;
        let widths = Architecture::new(vec![3, 2, columns]).unwrap();
        let exact = Ladder::new(widths, &whitening, Some(&data), &Tolerances::default()).unwrap();
        let rounded = try_ladder(&[3, 2, columns], &whitening).unwrap();
        assert_eq!(exact.levels().data_rank, 2);
        assert!(exact.levels().is_clear() && rounded.levels().is_clear());
        grades.insert(exact.levels().evidence.grade == Grade::Exact);
        let patterns = |ladder: &Ladder| all(ladder).iter().map(|r| r.pattern.clone()).collect::<BTreeSet<_>>();
        assert_eq!(patterns(&exact), patterns(&rounded), "{y:?}");
        assert!(close(exact.global_minimum(), rounded.global_minimum(), 10.0));
    }
    assert_eq!(grades, BTreeSet::from([true]));
    // 1 and 1 + 1e-13: equal by tolerance at best, different exactly.
    let fraction = |n: i64, d: i64| rankscape::linalg::exact::Rational::new(n.into(), d.into());
    let near = RationalMatrix::from_fn(2, 2, |i, j| match (i, j) {
        (0, 0) => fraction(10_000_000_000_001, 10_000_000_000_000),
        (1, 1) => fraction(1, 1),
        _ => fraction(0, 1),
    });
    let data = ExactMoments::new(&RationalMatrix::identity(2), &near.transpose());
    let widths = Architecture::new(vec![2, 1, 2]).unwrap();
    let whitening = whitened(&near.to_matrix());
    let exact = Ladder::new(widths, &whitening, Some(&data), &Tolerances::default()).unwrap();
    assert_eq!((exact.rungs_total(), exact.levels().is_clear()), (3u32.into(), true));
    assert!(!try_ladder(&[2, 1, 2], &whitening).unwrap().levels().is_clear());
}
