//! Every linear case of `oracles/landscape` through the command.

use std::path::Path;

use crate::common::{are_integers, assert_close, diagnosed, put_samples, put_weights, rankscape};
use serde_json::{Value, json};
use testkit::grid::Dense;
use testkit::jacobi;
use testkit::oracles::{LandscapeCase, LandscapePoint, landscape_cases, matrices};

fn integers(case: &LandscapeCase, point: &LandscapePoint) -> bool {
    point.factors.iter().chain([&case.x, &case.y]).all(are_integers)
}

/// The same JSON with one integer of the first array written with a decimal point.
fn with_one_decimal_point(folder: &Path, name: &str) {
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    let start = text.find("[[").unwrap() + 2;
    let end = start + text[start..].find([',', ']']).unwrap();
    if !text[start..end].contains('.') {
        std::fs::write(folder.join(name), format!("{}.0{}", &text[..end], &text[end..])).unwrap();
    }
}

/// `P(j, i)` of the factors.
fn partial(factors: &[Dense], i: usize, j: usize) -> Dense {
    let start = Dense::identity(factors.get(i).map_or_else(|| factors[i - 1].rows(), Dense::cols));
    factors[i..j].iter().fold(start, |product, factor| factor.matmul(&product))
}

/// Rank of the differential of the product map from the matrix of all its values on unit matrices.
fn differential_rank(factors: &[Dense]) -> usize {
    let h = factors.len();
    let mut images = Vec::new();
    for k in 1..=h {
        let (outer, inner) = (partial(factors, k, h), partial(factors, 0, k - 1));
        for a in 0..outer.cols() {
            for b in 0..inner.rows() {
                let image = outer.columns(&[a]).matmul(&inner.transpose().columns(&[b]).transpose());
                images.push(image.entries().to_vec());
            }
        }
    }
    jacobi::rank(&Dense::from_rows(&images), 1e-9)
}

fn check_ranks(document: &Value, factors: &[Dense], at: &str) {
    let h = factors.len();
    let mut profile = serde_json::Map::new();
    for i in 0..h {
        for j in i + 1..=h {
            profile.insert(format!("{i}:{j}"), jacobi::rank(&partial(factors, i, j), 1e-9).into());
        }
    }
    assert_eq!(document["rank_profile"], Value::Object(profile), "{at}");
    assert_eq!(document["differential"]["rank"], differential_rank(factors), "{at}");
    let widths: Vec<usize> =
        document["widths"].as_array().unwrap().iter().map(|d| d.as_u64().unwrap() as usize).collect();
    let covered = |node: usize| -> u64 {
        let bars = document["barcode"].as_array().unwrap().iter();
        let over =
            bars.filter(|bar| bar["from"].as_u64() <= Some(node as u64) && bar["to"].as_u64() >= Some(node as u64));
        over.map(|bar| bar["multiplicity"].as_u64().unwrap()).sum()
    };
    assert!((0..=h).all(|node| covered(node) == widths[node] as u64), "{at}");
}

/// The captured set must be that of one of the patterns with the level's value.
fn check_captured(document: &Value, case: &LandscapeCase, point: &LandscapePoint, at: &str) {
    let Some(level) = point.level else { return };
    let expected: Vec<Value> = case.ladder.levels[level]
        .p
        .iter()
        .map(|pattern| {
            let mut first = 1;
            let mut places = Vec::new();
            for (&kept, sigma) in pattern.iter().zip(&case.ladder.sigma) {
                places.extend(first..first + kept);
                first += sigma.mult;
            }
            json!(places)
        })
        .collect();
    assert!(expected.contains(&document["captured"]), "{at}: {} {expected:?}", document["captured"]);
    let squares = case.ladder.sigma.iter().flat_map(|sigma| vec![sigma.value; sigma.mult]);
    let spectrum = document["spectrum"].as_array().unwrap();
    for (found, square) in spectrum.iter().zip(squares.chain(std::iter::repeat(0.0))) {
        assert_close(found, square.sqrt(), 1e-8, at);
    }
}

fn check(document: &Value, case: &LandscapeCase, point: &LandscapePoint, factor: f64, at: &str) {
    assert_eq!(document["class"], point.class_name(), "{at}");
    assert_eq!(document["critical"], point.critical, "{at}");
    assert_eq!(document["widths"], json!(case.widths), "{at}");
    assert_close(&document["loss"]["value"], factor * point.loss, 1e-9, at);
    assert_close(&document["loss"]["global_minimum"], factor * case.ladder.global_min, 1e-9, at);
    assert_close(&document["loss"]["gap"], factor * (point.loss - case.ladder.global_min), 1e-9, at);
    assert_close(&document["gradient"]["norm"], factor * point.grad_norm, 1e-8, at);
    let size = point.spectrum.iter().fold(1.0_f64, |size, value| size.max(value.abs()));
    let largest = point.spectrum[point.spectrum.len() - 1];
    assert_close(&document["hessian"]["lambda_min"], factor * point.lambda_min, 1e-8 * size, at);
    assert_close(&document["hessian"]["lambda_max"], factor * largest, 1e-8 * size, at);
    let inertia = if point.critical { json!([point.index, point.nullity]) } else { json!([null, null]) };
    assert_eq!(json!([document["hessian"]["index"], document["hessian"]["nullity"]]), inertia, "{at}");
    assert_eq!(document["escape"].is_null(), point.class_name() == "global_minimum", "{at}");
    check_captured(document, case, point, at);
}

#[test]
fn integer_cases_are_answered_exactly_and_one_decimal_point_makes_them_numerical() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut exact = 0;
    for case in landscape_cases() {
        for point in case.points.iter().filter(|point| integers(&case, point)) {
            let at = format!("{} {}", case.id, point.name);
            put_weights(folder, "w.json", &point.factors);
            put_samples(folder, "d.json", &case.x, &case.y);
            let document = diagnosed(folder, &[], 0);
            assert_eq!(document["evidence"]["grade"], "exact", "{at}");
            check(&document, &case, point, 1.0, &at);
            exact += 1;
            with_one_decimal_point(folder, if exact % 2 == 0 { "w.json" } else { "d.json" });
            let document = diagnosed(folder, &[], 0);
            assert_eq!(document["evidence"]["grade"], "numerical", "{at}");
            check(&document, &case, point, 1.0, &at);
        }
    }
    assert_eq!(exact, 99);
}

#[test]
fn all_points_are_classified_and_left_in_floating_point() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (mut points, mut left) = (0, 0);
    for case in landscape_cases() {
        for point in &case.points {
            let at = format!("{} {}", case.id, point.name);
            put_weights(folder, "w.json", &point.factors);
            put_samples(folder, "d.json", &case.x, &case.y);
            with_one_decimal_point(folder, "w.json");
            let leaves = point.class_name() != "global_minimum";
            let more: &[&str] = if leaves { &["--leave", "left.json"] } else { &[] };
            let document = diagnosed(folder, more, 0);
            assert_eq!(document["evidence"]["grade"], "numerical", "{at}");
            check(&document, &case, point, 1.0, &at);
            check_ranks(&document, &matrices(&point.factors), &at);
            points += 1;
            if leaves {
                let arguments = ["diagnose", "--json", "--weights", "left.json", "--data", "d.json"];
                let run = rankscape(folder, &arguments);
                assert!([0, 3].contains(&run.code), "{at}: {run:?}");
                let decrease = document["leave"]["decrease"].as_f64().unwrap();
                assert!(decrease > 0.0, "{at}");
                let before = document["loss"]["value"].as_f64().unwrap();
                assert_close(&run.json()["loss"]["value"], before - decrease, 1e-12 * before.max(1.0), &at);
                left += 1;
            }
        }
    }
    assert_eq!(points, 143);
    assert!(left > 60, "{left}");
}

#[test]
fn normalizations_divide_loss_gradient_and_curvature() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for case in landscape_cases() {
        let point = &case.points[case.points.len() - 1];
        put_weights(folder, "w.json", &point.factors);
        put_samples(folder, "d.json", &case.x, &case.y);
        let (n, outputs) = (case.x[0].len() as f64, case.y.len() as f64);
        let plain = diagnosed(folder, &[], 0);
        for (name, factor) in [("sum", 1.0), ("mean", 1.0 / n), ("mse", 2.0 / (n * outputs))] {
            let at = format!("{} {} {name}", case.id, point.name);
            let document = diagnosed(folder, &["--normalization", name], 0);
            assert_eq!(document["normalization"], name);
            check(&document, &case, point, factor, &at);
            if let (Some(found), Some(of_sum)) = (document["escape"].as_object(), plain["escape"].as_object()) {
                let factor_of = |name: &str| found[name].as_f64().unwrap() / of_sum[name].as_f64().unwrap();
                assert!((factor_of("decrease") - factor).abs() < 1e-12 && (factor_of("t") - 1.0).abs() < 1e-12, "{at}");
            }
        }
    }
}

#[test]
fn a_target_gives_the_answer_of_whitened_data() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut targets = 0;
    for case in landscape_cases() {
        let n = case.x.len();
        if case.x != Dense::identity(n).to_rows() {
            continue;
        }
        std::fs::write(folder.join("y.json"), crate::common::json_rows(&case.y)).unwrap();
        put_samples(folder, "d.json", &case.x, &case.y);
        for point in &case.points {
            put_weights(folder, "w.json", &point.factors);
            let run = rankscape(folder, &["diagnose", "--json", "--weights", "w.json", "--target", "y.json"]);
            assert_eq!(run.code, 0, "{run:?}");
            let (of_target, of_data) = (run.json(), diagnosed(folder, &[], 0));
            check(&of_target, &case, point, 1.0, &format!("{} {}", case.id, point.name));
            let same = ["class", "widths", "data_rank", "rank_profile", "barcode", "captured"];
            assert!(same.iter().all(|name| of_target[name] == of_data[name]), "{} {}", case.id, point.name);
            assert_eq!(of_target["evidence"]["grade"], of_data["evidence"]["grade"]);
            targets += 1;
        }
    }
    assert!(targets > 60, "{targets}");
}
