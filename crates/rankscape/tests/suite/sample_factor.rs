//! The triangular factor of the samples against exact arithmetic and explicit centring, at every size and scale.

use proptest::prelude::*;
use rankscape::Matrix;
use rankscape::data::{SampleAccumulator, SampleFactor, TriangularFactor};
use rankscape::linalg::exact::{RationalMatrix, rational_from_f64, rational_to_f64};
use rankscape::random::Stream;

/// Rows `[x', y']`.
fn integer_rows(seed: u64, samples: usize, cols: usize) -> Vec<f64> {
    let mut stream = Stream::new(seed, 0);
    (0..samples * cols).map(|_| stream.integer(-9, 9) as f64).collect()
}

fn normal_rows(seed: u64, samples: usize, cols: usize) -> Vec<f64> {
    let mut stream = Stream::new(seed, 1);
    (0..samples * cols).map(|_| stream.normal()).collect()
}

fn factor(rows: &[f64], inputs: usize, outputs: usize) -> SampleFactor {
    let mut samples = SampleAccumulator::new(inputs, outputs);
    samples.push_rows(rows, None).unwrap();
    samples.finish().unwrap()
}

/// `[X Y]' [X Y]` of the view, from its three blocks, exactly.
fn gram(view: &TriangularFactor) -> RationalMatrix {
    let cols = view.inputs + view.outputs;
    let mut r = Matrix::zeros(cols, cols);
    r.set_block(0, 0, &view.xx());
    r.set_block(0, view.inputs, &view.xy());
    r.set_block(view.inputs, view.inputs, &view.yy());
    assert!(r == view.r, "the blocks are not those of the factor");
    for i in 0..cols {
        assert!(r[(i, i)] >= 0.0 && (0..i).all(|j| r[(i, j)] == 0.0), "not triangular at row {i}");
    }
    let r = RationalMatrix::from_matrix(&r).unwrap();
    &r.transpose() * &r
}

/// Every entry within rounding of the product of the norms of its two columns.
fn assert_gram(view: &TriangularFactor, rows: &RationalMatrix) {
    let (found, wanted) = (gram(view), &rows.transpose() * rows);
    let size = wanted.nrows();
    let norms: Vec<f64> = (0..size).map(|j| rational_to_f64(&wanted[(j, j)]).sqrt()).collect();
    for i in 0..size {
        for j in 0..size {
            let error = rational_to_f64(&(&found[(i, j)] - &wanted[(i, j)])).abs();
            assert!(error <= 1e-14 * norms[i] * norms[j], "({i}, {j}): {error:e} against {:e}", norms[i] * norms[j]);
        }
    }
}

fn exact(rows: &[f64], cols: usize) -> RationalMatrix {
    RationalMatrix::from_fn(rows.len() / cols, cols, |i, j| rational_from_f64(rows[i * cols + j]).unwrap())
}

#[test]
fn gram_matrices_are_those_of_exact_arithmetic_at_every_size() {
    for (samples, inputs, outputs) in [(1, 1, 1), (1, 4, 2), (2, 5, 3), (6, 4, 2), (7, 4, 2), (40, 3, 0), (20, 25, 4)] {
        let cols = inputs + outputs;
        let rows = integer_rows(1, samples, cols);
        let found = factor(&rows, inputs, outputs);
        let rows = exact(&rows, cols);
        assert_gram(&found.plain(), &rows);
        let one = RationalMatrix::identity(1);
        let mean = RationalMatrix::from_fn(1, samples, |_, _| one[(0, 0)].clone() / num_bigint_from(samples));
        let means = &mean * &rows;
        let centred = RationalMatrix::from_fn(samples, cols, |i, j| &rows[(i, j)] - &means[(0, j)]);
        let spread = found.centred();
        let scale = rows.to_matrix().frobenius_norm();
        let (a, b) = (gram(&spread), &centred.transpose() * &centred);
        assert!((&a - &b).to_matrix().max_abs() <= 1e-14 * scale * scale);
        let (x_mean, y_mean) = found.means();
        for (j, mean) in x_mean.iter().chain(&y_mean).enumerate() {
            assert!((mean - rational_to_f64(&means[(0, j)])).abs() < 1e-14);
        }
        let with_one = RationalMatrix::from_fn(samples, cols + 1, |i, j| match j.cmp(&inputs) {
            std::cmp::Ordering::Less => rows[(i, j)].clone(),
            std::cmp::Ordering::Equal => one[(0, 0)].clone(),
            std::cmp::Ordering::Greater => rows[(i, j - 1)].clone(),
        });
        let view = found.with_constant_feature();
        assert_eq!((view.inputs, view.outputs, view.samples), (inputs + 1, outputs, samples as u64));
        assert_gram(&view, &with_one);
    }
}

fn num_bigint_from(value: usize) -> rankscape::linalg::exact::Rational {
    rational_from_f64(value as f64).unwrap()
}

#[test]
fn zero_inputs_and_constant_features_are_exact_zeros_or_rounding() {
    let zeros = factor(&[0.0; 30], 2, 1);
    assert_eq!(zeros.plain().r.max_abs(), 0.0);
    assert_eq!(zeros.centred().r.max_abs(), 0.0);
    let rows: Vec<f64> = normal_rows(3, 50, 1).iter().flat_map(|&y| [1e6, y]).collect();
    let constant = factor(&rows, 1, 1);
    assert!(constant.centred().xx()[(0, 0)] < 1e-15 * 7.1e6, "{:e}", constant.centred().xx()[(0, 0)]);
    assert!((constant.means().0[0] - 1e6).abs() < 1e-9);
}

#[test]
fn a_small_spread_beside_a_large_mean_survives_centring() {
    let spread = normal_rows(4, 100, 1);
    let rows: Vec<f64> = spread.iter().map(|value| 1.0 + 1e-10 * value).collect();
    let mean = rows.iter().map(|value| value - 1.0).sum::<f64>() / 100.0;
    let norm = rows.iter().map(|value| (value - 1.0 - mean).powi(2)).sum::<f64>().sqrt();
    let found = factor(&rows, 1, 0).centred().xx()[(0, 0)];
    assert!((found / norm - 1.0).abs() < 1e-5, "{found:e} against {norm:e}");
}

#[test]
fn extreme_scales_change_nothing_but_the_exponent() {
    let (inputs, outputs) = (3, 2);
    let rows = normal_rows(5, 5000, inputs + outputs);
    let base = factor(&rows, inputs, outputs);
    for (x_power, y_power) in [(-498, 498), (498, -498), (-1000, 900), (0, -900)] {
        let (x_scale, y_scale) = (2.0_f64.powi(x_power), 2.0_f64.powi(y_power));
        let scaled: Vec<f64> =
            rows.iter().enumerate().map(|(at, v)| if at % 5 < inputs { v * x_scale } else { v * y_scale }).collect();
        let found = factor(&scaled, inputs, outputs);
        for (view, wanted) in [
            (found.plain(), base.plain()),
            (found.centred(), base.centred()),
            (found.with_constant_feature(), base.with_constant_feature()),
        ] {
            let x_view = view.inputs - usize::from(view.inputs > inputs);
            let error =
                (&view.xx().columns(0, x_view).scaled(1.0 / x_scale) - &wanted.xx().columns(0, x_view)).max_abs();
            assert!(error <= 1e-14 * wanted.r.max_abs(), "{x_power}: {error:e}");
            let error = (&view.yy().scaled(1.0 / y_scale) - &wanted.yy()).max_abs();
            assert!(error <= 1e-14 * wanted.r.max_abs(), "{y_power}: {error:e}");
        }
    }
    assert!(factor(&[f64::MIN_POSITIVE / 8.0, 0.0], 1, 1).plain().xx()[(0, 0)] == f64::MIN_POSITIVE / 8.0);
    let mut huge = SampleAccumulator::new(1, 0);
    huge.push_rows(&[1.5e308; 4], None).unwrap();
    assert!(huge.finish().unwrap_err().problem.contains("too large"));
}

#[test]
fn bits_do_not_depend_on_portions_or_threads() {
    let (samples, inputs, outputs) = (21_000, 6, 2);
    let rows = normal_rows(6, samples, inputs + outputs);
    let whole = factor(&rows, inputs, outputs);
    for (portion, threads) in [(1, 1), (4096, 2), (997, 2), (4097, 3), (21_000, 4)] {
        let mut accumulator = SampleAccumulator::new(inputs, outputs).with_threads(threads);
        for part in rows.chunks(portion * (inputs + outputs)) {
            if portion % 2 == 0 {
                accumulator.push_rows(part, None).unwrap();
            } else {
                let select = |from: usize, to: usize| -> Vec<f64> {
                    part.chunks(inputs + outputs).flat_map(|row| row[from..to].to_vec()).collect()
                };
                accumulator.push(&select(0, inputs), &select(inputs, inputs + outputs), None).unwrap();
            }
        }
        assert_eq!(accumulator.samples(), samples as u64);
        assert!(accumulator.finish().unwrap() == whole, "portions of {portion}, {threads} threads");
    }
}

#[test]
fn wide_data_have_the_same_bits_on_every_number_of_threads() {
    let cols = 200;
    let rows = normal_rows(7, 9000, cols);
    let by_threads: Vec<SampleFactor> = [1, 2, 5]
        .iter()
        .map(|&threads| {
            let mut accumulator = SampleAccumulator::new(190, 10).with_threads(threads);
            accumulator.push_rows(&rows, None).unwrap();
            accumulator.finish().unwrap()
        })
        .collect();
    assert!(by_threads[1] == by_threads[0] && by_threads[2] == by_threads[0]);
}

#[test]
fn a_merge_is_one_pass_up_to_rounding() {
    let rows = normal_rows(8, 900, 7);
    let whole = factor(&rows, 4, 3);
    for cut in [1, 3, 400, 899] {
        let (a, b) = rows.split_at(7 * cut);
        let merged = SampleFactor::merge(&factor(a, 4, 3), &factor(b, 4, 3)).unwrap();
        assert_eq!(merged.samples(), 900);
        for (x, y) in [(merged.plain(), whole.plain()), (merged.centred(), whole.centred())] {
            assert!((&x.r - &y.r).max_abs() < 1e-13 * y.r.max_abs());
        }
    }
    let none = SampleFactor::empty(4, 3);
    assert!((&SampleFactor::merge(&none, &whole).unwrap().plain().r - &whole.plain().r).max_abs() < 1e-12);
    let error = SampleFactor::merge(&whole, &factor(&rows, 3, 4)).unwrap_err();
    assert!(error.to_string().contains("4 inputs and 3 outputs, then 3 inputs and 4 outputs"), "{error}");
    let autoencoder = factor(&rows, 7, 0).with_outputs_equal_to_inputs();
    let view = SampleFactor::merge(&autoencoder, &autoencoder).unwrap().centred();
    assert!(view.xx() == view.xy() && view.yy().max_abs() == 0.0 && view.outputs == 7);
    assert!(SampleFactor::merge(&autoencoder, &factor(&normal_rows(9, 5, 14), 7, 7)).is_err());
}

#[test]
fn a_whole_weight_counts_as_repetition() {
    let rows = normal_rows(10, 40, 5);
    let weights: Vec<f64> = (0..40).map(|k| f64::from(k % 4)).collect();
    let repeated: Vec<f64> =
        rows.chunks(5).zip(&weights).flat_map(|(row, &weight)| row.repeat(weight as usize)).collect();
    let mut accumulator = SampleAccumulator::new(3, 2);
    accumulator.push_rows(&rows, Some(&weights)).unwrap();
    let (weighted, repeated) = (accumulator.finish().unwrap(), factor(&repeated, 3, 2));
    assert!((&weighted.plain().r - &repeated.plain().r).max_abs() < 1e-13);
    assert!((&weighted.centred().r - &repeated.centred().r).max_abs() < 1e-13);
    assert!((weighted.total_weight() - 60.0).abs() < 1e-12);
    assert!((weighted.means().1[0] - repeated.means().1[0]).abs() < 1e-14);
}

#[test]
fn bad_samples_are_refused_with_their_place() {
    let message = |push: &dyn Fn(&mut SampleAccumulator) -> rankscape::error::Result<()>| {
        let mut accumulator = SampleAccumulator::new(2, 1);
        accumulator.push_rows(&[0.0; 6], None).unwrap();
        push(&mut accumulator).unwrap_err().to_string()
    };
    let cases: [(String, &[&str]); 6] = [
        (message(&|a| a.push_rows(&[1.0, f64::NAN, 0.0], None)), &["array X", "NaN in row 2, column 1"]),
        (message(&|a| a.push_rows(&[1.0, 0.0, f64::INFINITY], None)), &["array Y", "inf in row 2, column 0"]),
        (message(&|a| a.push_rows(&[1.0; 4], None)), &["whole rows", "4 entries for rows of 3"]),
        (message(&|a| a.push(&[1.0; 4], &[1.0], None)), &["different numbers of samples"]),
        (message(&|a| a.push_rows(&[1.0; 3], Some(&[-1.0]))), &["sample weights", "-1 for sample 2"]),
        (message(&|a| a.push_rows(&[1e300, 1.0, 1.0], Some(&[1e300]))), &["root of its weight"]),
    ];
    for (message, parts) in cases {
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    }
    assert!(SampleAccumulator::new(2, 1).finish().unwrap_err().problem.contains("no samples"));
}

#[test]
fn a_target_is_data_with_the_identity_as_inputs() {
    let target = Stream::new(11, 0).normal_matrix(3, 4);
    let factor = TriangularFactor::from_target(&target);
    assert!(factor.xx() == Matrix::identity(4) && factor.xy() == target.transpose() && factor.yy().max_abs() == 0.0);
}

proptest! {
    #[test]
    fn gram_matrices_are_exact_for_any_small_data(
        samples in 1_usize..20, inputs in 1_usize..6, outputs in 0_usize..4, seed in 0_u64..1000, rank in 0_usize..3,
    ) {
        let cols = inputs + outputs;
        let left = integer_rows(seed, samples, rank.max(1));
        let right = integer_rows(seed + 1, rank.max(1), cols);
        let rows: Vec<f64> = (0..samples * cols)
            .map(|at| if rank == 0 { integer_rows(seed, samples, cols)[at] } else {
                (0..rank).map(|k| left[at / cols * rank + k] * right[k * cols + at % cols]).sum()
            })
            .collect();
        assert_gram(&factor(&rows, inputs, outputs).plain(), &exact(&rows, cols));
    }
}
