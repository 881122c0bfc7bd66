//! Critical points with weight decay: every case of `oracles/loss`, and dense Hessians at constructed points.

use rankscape::Tolerances;
use rankscape::architecture::Architecture;
use rankscape::critical::{BadDecayedMinima, CriticalClass, DecayLadder, DecayRung, RootKind};
use rankscape::linalg::exact::{Rational, RationalMatrix};
use rankscape::network::WeightDecay;
use rankscape::problem::{Data, ExactSamples, WhitenedData};
use testkit::Dense;
use testkit::jacobi;
use testkit::random::Draw;
use testkit::reference::Network;

use crate::points::{grid, samples};
use serde_json::Value;

const CASES: &str = include_str!("../../../../oracles/loss/weight_decay_cases.jsonl");
const AUTOENCODERS: &str = include_str!("../../../../oracles/loss/weight_decay_autoencoder_cases.jsonl");

fn cases(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn sizes(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect()
}

/// A number, or a fraction in quotes.
fn rational(value: &Value) -> Rational {
    let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    let text = text.strip_suffix(".0").unwrap_or(&text);
    let (top, bottom) = text.split_once('/').unwrap_or((text, "1"));
    Rational::new(top.parse().unwrap(), bottom.parse().unwrap())
}

fn float(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| match value.as_str().unwrap().split_once('/') {
        Some((top, bottom)) => top.parse::<f64>().unwrap() / bottom.parse::<f64>().unwrap(),
        None => value.as_str().unwrap().parse().unwrap(),
    })
}

/// The rows of a matrix as columns.
fn exact_columns(value: &Value) -> RationalMatrix {
    let rows = value.as_array().unwrap();
    let cols = rows[0].as_array().unwrap().len();
    RationalMatrix::from_fn(cols, rows.len(), |i, j| rational(&rows[j][i]))
}

fn dense(value: &Value) -> Dense {
    let rows = value.as_array().unwrap().iter();
    Dense::from_rows(&rows.map(|row| row.as_array().unwrap().iter().map(float).collect()).collect::<Vec<_>>())
}

fn ladder(widths: &[usize], data: &WhitenedData, decay: &WeightDecay) -> DecayLadder {
    let widths = Architecture::new(widths.to_vec()).unwrap();
    DecayLadder::new(widths, &data.whitening, data.exact.as_ref(), decay, &Tolerances::default()).unwrap()
}

fn of_samples(widths: &[usize], x: &Dense, y: &Dense, decay: f64) -> (DecayLadder, WhitenedData) {
    let data = samples(x, y, None).whiten(None, &Tolerances::default()).unwrap();
    (ladder(widths, &data, &WeightDecay::new(decay).unwrap()), data)
}

fn kinds(entry: &Value) -> Vec<RootKind> {
    let count = |name: &str| entry[name].as_u64().unwrap_or(0) as usize;
    let of = |kind, name: &str| std::iter::repeat_n(kind, count(name));
    of(RootKind::Large, "plus").chain(of(RootKind::Fold, "fold")).chain(of(RootKind::Small, "minus")).collect()
}

#[test]
fn families_of_orthonormal_data_are_those_of_the_oracle() {
    for case in cases(CASES) {
        let id = case["id"].as_str().unwrap();
        let widths = sizes(&case["widths"]);
        let decay = WeightDecay::exact(rational(&case["lambda"])).unwrap();
        let data = if case["exact_input"] == true {
            let (x, y) = (exact_columns(&case["X"]), exact_columns(&case["Y"]));
            Data::ExactSamples(Box::new(ExactSamples::new(x, y).unwrap()))
        } else {
            samples(&dense(&case["X"]), &dense(&case["Y"]), None)
        };
        let data = data.whiten(None, &Tolerances::default()).unwrap();
        let found = ladder(&widths, &data, &decay);
        let families = case["families"].as_array().unwrap();
        assert!(found.is_clear(), "{id}");
        assert_eq!(found.rungs_total(), Some(families.len().into()), "{id}");
        let rungs = found.lowest(1000);
        assert_eq!(rungs.len(), families.len(), "{id}");
        assert!(rungs.windows(2).all(|pair| pair[0].value <= pair[1].value), "{id}");
        for family in families {
            let (mut captured, mut roots, mut start) = (Vec::new(), Vec::new(), 0);
            for entry in family["pattern"].as_array().unwrap() {
                let here = kinds(entry);
                if float(&entry["sigma"]) > 0.0 {
                    captured.extend((1..=here.len()).map(|k| start + k));
                    roots.extend(here);
                }
                start += entry["mult"].as_u64().unwrap() as usize;
            }
            let rung = rungs
                .iter()
                .find(|rung| rung.captured.as_ref() == Some(&captured) && rung.roots.as_ref() == Some(&roots))
                .unwrap_or_else(|| panic!("{id}: {captured:?} {roots:?}"));
            let value = float(&family["value"]);
            assert!((rung.value - value).abs() <= 1e-13 * value.max(1.0), "{id}: {} {value}", rung.value);
            assert_eq!(rung.inertia.negative as u64, family["index"].as_u64().unwrap(), "{id} {captured:?} {roots:?}");
            assert_eq!(rung.inertia.zero as u64, family["nullity"].as_u64().unwrap(), "{id} {captured:?} {roots:?}");
            assert_eq!(rung.dimension as u64, family["orbit_dimension"].as_u64().unwrap(), "{id} {captured:?}");
            assert_eq!(rung.class.name(), family["class"].as_str().unwrap(), "{id} {captured:?} {roots:?}");
            let values = rung.layer_values.as_ref().unwrap();
            for (value, expected) in values.iter().zip(family["layer_values"].as_array().unwrap()) {
                assert!((value - float(expected)).abs() < 1e-12, "{id} {values:?}");
            }
        }
        let minimum = float(&case["global_minimum"]);
        assert!((found.global_minimum().unwrap() - minimum).abs() <= 1e-13 * minimum.max(1.0), "{id}");
        let bad = found.bad_minima();
        assert_eq!(matches!(bad, BadDecayedMinima::Exists(_)), case["bad_local_minima"] == true, "{id}");
        assert!(bad != BadDecayedMinima::Possible, "{id}");
        for threshold in case["thresholds"].as_array().unwrap().iter().filter(|one| float(&one["sigma"]) > 0.0) {
            let level =
                found.levels().iter().find(|level| (level.sigma - float(&threshold["sigma"])).abs() < 1e-12).unwrap();
            for (ours, theirs) in [(level.fold, &threshold["fold"]), (level.worth, &threshold["zero_beats_plus_above"])]
            {
                assert_eq!(ours.is_none(), theirs.is_null(), "{id}");
                assert!(ours.is_none_or(|ours| (ours / float(theirs) - 1.0).abs() < 1e-13), "{id}");
            }
        }
    }
}

#[test]
fn families_of_autoencoders_are_those_of_the_oracle() {
    for case in cases(AUTOENCODERS) {
        let id = case["id"].as_str().unwrap();
        let x = dense(&case["X"]);
        let (found, _) = of_samples(&sizes(&case["widths"]), &x, &x, float(&case["lambda"]));
        // Where a direction is exactly at its threshold, numbers in double precision leave it open.
        let at_threshold = id == "wda-04";
        assert_eq!(found.is_clear(), !at_threshold, "{id}");
        if at_threshold {
            continue;
        }
        let mut rungs = found.lowest(1000);
        for family in case["families"].as_array().unwrap() {
            let captured = sizes(&family["captured"]);
            let theirs: Vec<&str> =
                family["kinds"].as_array().unwrap().iter().map(|kind| kind.as_str().unwrap()).collect();
            let name = |kind: &RootKind| if *kind == RootKind::Small { "minus" } else { "plus" };
            let at = rungs.iter().position(|rung| {
                rung.captured.as_ref() == Some(&captured)
                    && rung.roots.iter().flatten().map(name).eq(theirs.iter().copied())
            });
            let Some(at) = at else {
                // A block of equal values is listed once, by its lowest indices.
                assert!(case["x"][0] == case["x"][1], "{id}: {captured:?} {theirs:?}");
                continue;
            };
            let rung = rungs.remove(at);
            assert!((rung.value - float(&family["value"])).abs() < 1e-12, "{id} {captured:?}");
            assert_eq!(rung.inertia.negative as u64, family["index"].as_u64().unwrap(), "{id} {captured:?}");
            assert_eq!(rung.inertia.zero as u64, family["nullity"].as_u64().unwrap(), "{id} {captured:?}");
        }
        assert!(rungs.is_empty(), "{id}: {rungs:?}");
    }
}

/// Gradient, index and nullity of the loss with decay at a point, from the dense reference.
fn measured(rung: &DecayRung, layers: &[Dense], x: &Dense, y: &Dense, decay: f64) {
    let network = Network::new(layers.to_vec(), x.clone(), y.clone());
    let parameters = network.parameter_values();
    let size = network.hessian().norm() + decay;
    let gradient: f64 =
        network.gradient().iter().zip(&parameters).map(|(g, w)| (g + decay * w).powi(2)).sum::<f64>().sqrt();
    let scale = size * (1.0 + parameters.iter().map(|w| w * w).sum::<f64>().sqrt());
    assert!(gradient <= 1e-11 * scale, "gradient {gradient:e} of {rung:?}");
    let value = network.value() + 0.5 * decay * parameters.iter().map(|w| w * w).sum::<f64>();
    assert!((value - rung.value).abs() <= 1e-12 * value.max(1e-300), "value {value} of {rung:?}");
    let mut hessian = network.hessian();
    for k in 0..parameters.len() {
        hessian[(k, k)] += decay;
    }
    let eigenvalues = jacobi::eigenvalues(&hessian);
    let zero = 1e-8 * size;
    let count = |keep: &dyn Fn(f64) -> bool| eigenvalues.iter().filter(|&&value| keep(value)).count();
    assert_eq!(count(&|value| value < -zero), rung.inertia.negative, "{rung:?} {eigenvalues:?}");
    assert_eq!(count(&|value| value.abs() <= zero), rung.inertia.zero, "{rung:?} {eigenvalues:?}");
}

fn random_orthogonal(draw: &mut Draw, size: usize) -> Dense {
    let matrix = Dense::from_fn(size, size, |_, _| draw.normal());
    jacobi::right_singular(&matrix).1
}

/// `O diag(values) Q` with a random rotation on either side, `rows x cols`.
fn with_values(draw: &mut Draw, rows: usize, cols: usize, values: &[f64]) -> Dense {
    let middle = Dense::from_fn(rows, cols, |i, j| if i == j { values.get(i).copied().unwrap_or(0.0) } else { 0.0 });
    random_orthogonal(draw, rows).matmul(&middle).matmul(&random_orthogonal(draw, cols))
}

fn check(widths: &[usize], x: &Dense, y: &Dense, decay: f64) -> usize {
    let (found, data) = of_samples(widths, x, y, decay);
    assert!(found.is_clear(), "{widths:?} {decay} {:?} {:?}", found.task(), found.evidence());
    let rungs = found.lowest(10_000);
    assert_eq!(found.rungs_total(), Some(rungs.len().into()), "{widths:?} {decay}");
    let minima = rungs.iter().filter(|rung| rung.class == CriticalClass::GlobalMinimum).count();
    assert!(minima >= 1 && rungs[0].class == CriticalClass::GlobalMinimum, "{widths:?} {decay}");
    let least = found.global_minimum().unwrap();
    assert!((least - rungs[0].value).abs() <= 1e-14 * rungs[0].value, "{widths:?} {decay} {least}");
    for rung in &rungs {
        let layers: Vec<Dense> = found.point(rung, &data.whitening).unwrap().iter().map(grid).collect();
        measured(rung, &layers, x, y, decay);
    }
    rungs.len()
}

#[test]
fn constructed_points_are_critical_with_the_index_and_nullity_of_their_dense_hessian() {
    let mut draw = Draw::new(7, 0);
    let widths: [&[usize]; 9] = [
        &[3, 2],
        &[2, 3, 3],
        &[3, 2, 3],
        &[3, 4, 2],
        &[2, 2, 3, 2],
        &[3, 1, 2, 3],
        &[2, 3, 2, 3, 2],
        &[3, 2, 2, 2, 3],
        &[2, 2, 1, 2, 2, 2],
    ];
    let mut points = 0;
    for (k, widths) in widths.iter().enumerate() {
        let (inputs, outputs) = (widths[0], widths[widths.len() - 1]);
        for (square, decay) in [(4.0, 0.5), (0.09, 0.2), (25.0, 1.5), (1.7, 0.05)] {
            // X X' = c I with more samples than inputs, ties in the target on every other network.
            let scale = f64::sqrt(square);
            let x = with_values(&mut draw, inputs, inputs + 2, &vec![scale; inputs]);
            let values = if k % 2 == 0 { [6.0, 6.0, 2.5] } else { [6.0, 4.0, 2.5] };
            let y = with_values(&mut draw, outputs, inputs, &values).matmul(&x);
            let y = Dense::from_fn(y.rows(), y.cols(), |i, j| y[(i, j)] + 0.1 * f64::from(i as u32 + 1));
            points += check(widths, &x, &y, decay);
            // Inputs of lower rank with equal singular values.
            let flat = with_values(&mut draw, inputs, inputs + 1, &vec![scale; inputs - 1]);
            let y = with_values(&mut draw, outputs, inputs + 1, &values);
            points += check(widths, &flat, &y, decay);
        }
    }
    assert!(points > 300, "{points}");
}

#[test]
fn rotated_and_scaled_autoencoders_have_the_same_closed_form() {
    let mut draw = Draw::new(8, 0);
    let widths: [&[usize]; 6] = [&[3, 3], &[3, 2, 3], &[3, 4, 3], &[3, 2, 3, 3], &[3, 3, 2, 4, 3], &[2, 2, 2, 2, 2, 2]];
    for widths in widths {
        let size = widths[0];
        for values in [[3.0, 2.0, 1.0], [2.0, 2.0, 1.2], [2.5, 1.5, 0.0]] {
            let x = with_values(&mut draw, size, 4, &values);
            for ratio in [1.0, 0.4, 3.0] {
                let turned = random_orthogonal(&mut draw, size).matmul(&x);
                let y = Dense::from_fn(size, 4, |i, j| ratio * turned[(i, j)]);
                check(widths, &x, &y, 0.3 * ratio);
            }
        }
    }
}

#[test]
fn wide_ranges_of_scales_neither_overflow_nor_change_the_pattern() {
    let x = Dense::from_fn(2, 2, |i, j| f64::from(u8::from(i == j)));
    let y = Dense::from_fn(2, 2, |i, j| if i == j { 3.0 - i as f64 } else { 0.0 });
    let counted =
        |found: &DecayLadder| found.lowest(100).iter().map(|rung| (rung.inertia, rung.class)).collect::<Vec<_>>();
    let expected = counted(&of_samples(&[2, 2, 2, 2], &x, &y, 0.25).0);
    assert_eq!(expected.len(), 9);
    for power in [-480, -300, 0, 300, 480] {
        // Y times s^3 and l times s^4: layers times s.
        let s = 2.0_f64.powi(power / 3);
        let y = Dense::from_fn(2, 2, |i, j| y[(i, j)] * s.powi(3));
        let (found, _) = of_samples(&[2, 2, 2, 2], &x, &y, 0.25 * s.powi(4));
        assert_eq!(counted(&found), expected, "{power}");
    }
}

#[test]
fn other_inputs_have_no_closed_form_but_for_one_layer() {
    let x = Dense::from_rows(&[vec![1.0, 0.0, 2.0], vec![0.5, 3.0, 0.0]]);
    let y = Dense::from_rows(&[vec![1.0, 2.0, -1.0], vec![0.0, 1.0, 4.0]]);
    let (found, _) = of_samples(&[2, 2, 2], &x, &y, 1.0);
    assert!(!found.is_clear() && found.task().is_err() && found.rungs_total().is_none() && found.lowest(9).is_empty());
    // A hidden layer as wide as the outputs has no bad minima whatever the data; a narrow one may.
    assert_eq!((found.global_minimum(), found.bad_minima()), (None, BadDecayedMinima::Impossible));
    for widths in [&[2, 1, 2][..], &[2, 2, 2, 2]] {
        assert_eq!(of_samples(widths, &x, &y, 1.0).0.bad_minima(), BadDecayedMinima::Possible);
    }
    // W = Y X' (X X' + l)^-1.
    let (one, _) = of_samples(&[2, 2], &x, &y, 1.0);
    let rungs = one.lowest(9);
    let gram = x.matmul(&x.transpose());
    let (a, b, d) = (gram[(0, 0)] + 1.0, gram[(0, 1)], gram[(1, 1)] + 1.0);
    let inverse = Dense::from_rows(&[vec![d, -b], vec![-b, a]]);
    let det = a * d - b * b;
    let ridge = y.matmul(&x.transpose()).matmul(&inverse);
    let ridge = Dense::from_fn(2, 2, |i, j| ridge[(i, j)] / det);
    let network = Network::new(vec![ridge.clone()], x, y);
    let value = network.value() + 0.5 * ridge.entries().iter().map(|w| w * w).sum::<f64>();
    assert!(rungs.len() == 1 && (rungs[0].value - value).abs() < 1e-13, "{rungs:?} {value}");
    assert_eq!((rungs[0].captured.as_ref(), rungs[0].class), (None, CriticalClass::GlobalMinimum));
}

#[test]
fn the_barrier_is_the_lowest_pass_between_the_origin_and_the_best() {
    // One unit, three layers: the pass is the small root.
    let one = Dense::from_rows(&[vec![1.0]]);
    let nine = Dense::from_rows(&[vec![9.0]]);
    let (found, _) = of_samples(&[1, 1, 1, 1], &one, &nine, 5.0);
    let rungs = found.lowest(9);
    let origin = rungs.iter().find(|rung| rung.rank == 0).unwrap();
    let pass = rungs.iter().find(|rung| rung.roots.as_ref().unwrap().contains(&RootKind::Small)).unwrap();
    assert!((found.barrier().unwrap() - (pass.value - origin.value)).abs() < 1e-12);
    assert!(found.barrier().unwrap() > 0.1);
    // Two directions of which the second is hard: the pass lies after the first is learned. Every pass has index 1.
    let eye = Dense::from_fn(2, 2, |i, j| f64::from(u8::from(i == j)));
    let y = Dense::from_rows(&[vec![4.0, 0.0], vec![0.0, 2.2]]);
    let (found, _) = of_samples(&[2, 2, 2, 2], &eye, &y, 1.0);
    let rungs = found.lowest(99);
    let height = found.barrier().unwrap() + rungs.iter().find(|rung| rung.rank == 0).unwrap().value;
    let pass = rungs.iter().find(|rung| (rung.value - height).abs() < 1e-12).unwrap();
    assert_eq!(pass.inertia.negative, 1);
    // Where the origin is best, and for two layers, nothing is climbed.
    assert_eq!(of_samples(&[2, 2, 2, 2], &eye, &y, 3.0).0.barrier(), Some(0.0));
    assert_eq!(of_samples(&[2, 2, 2], &eye, &y, 1.0).0.barrier(), Some(0.0));
}

#[test]
fn a_direction_at_its_threshold_is_undecided_in_double_precision() {
    let one = Dense::from_rows(&[vec![1.0]]);
    let (fold, _) = of_samples(&[1, 1, 1, 1], &one, &Dense::from_rows(&[vec![4.0]]), 3.0);
    assert!(!fold.is_clear() && fold.lowest(9).is_empty() && fold.rungs_total().is_none());
    assert_eq!(fold.global_minimum(), Some(8.0));
    // As good as the origin: listed, but nobody knows which of the two is best.
    let (tie, _) = of_samples(&[1, 1, 1, 1], &one, &Dense::from_rows(&[vec![2.0]]), 1.0);
    let classes: Vec<CriticalClass> = tie.lowest(9).iter().map(|rung| rung.class).collect();
    assert_eq!(classes, [CriticalClass::Undecided, CriticalClass::Undecided, CriticalClass::StrictSaddle]);
    assert_eq!((tie.barrier(), tie.bad_minima(), tie.minima()), (None, BadDecayedMinima::Possible, None));
    assert!((tie.global_minimum().unwrap() - 2.0).abs() < 1e-15);
}
