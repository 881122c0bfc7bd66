//! `escape`: named constructions, the same function elsewhere, ascents, and their certificates.

use std::path::Path;

use crate::common::{assert_valid, forced, rankscape};
use serde_json::{Value, json};
use testkit::files::{npy_f64, npz, put};
use testkit::random::Draw;

fn asked(folder: &Path, more: &[&str]) -> (Value, i32) {
    let arguments = [&["escape", "--json", "--weights", "w.json", "--data", "d.json"], more].concat();
    let run = rankscape(folder, &forced(&arguments));
    let document = run.json();
    if run.code != 2 {
        assert_valid("escape", &document);
    }
    (document, run.code)
}

fn loss(folder: &Path, weights: &str) -> f64 {
    let run = rankscape(folder, &["diagnose", "--json", "--weights", weights, "--data", "d.json"]);
    run.json()["loss"]["value"].as_f64().unwrap()
}

/// The construction is certified, its certificate verifies, and `--leave` writes its end.
fn check(folder: &Path, more: &[&str], sign: f64) -> Value {
    let (document, code) = asked(folder, &[more, &["--certificate", "c.json", "--leave", "left.json"]].concat());
    assert_eq!(code, 0, "{document:#}");
    let decrease = document["escape"]["decrease"].as_f64().unwrap();
    let measured = loss(folder, "w.json") - loss(folder, "left.json");
    assert!((decrease - measured).abs() <= 1e-10 * decrease.abs() && sign * decrease > 0.0, "{document:#}");
    let run = rankscape(folder, &["verify", "c.json", "--json", "--weights", "w.json", "--data", "d.json"]);
    assert_eq!((run.code, &run.json()["valid"]), (0, &json!(true)), "{more:?} {run:?}");
    document
}

const DATA: &[u8] = br#"{"X": [[1, 0], [0, 1]], "Y": [[3, 0], [0, 1]]}"#;

#[test]
fn constructions_of_two_layers_do_what_they_predict() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "d.json", DATA);
    // Captures the smaller value.
    put(folder, "w.json", br#"{"W1": [[0.0, 1]], "W2": [[0], [1]]}"#);
    let document = check(folder, &["--construction", "zl-3.1"], 1.0);
    let found = &document["constructions"][0];
    // 1/2 eps^2 / (1 + eps^2) (9 - 1) with eps = 1/8: half of what the paper states for this loss.
    let expected = -4.0 / 65.0;
    assert!((found["predicted_change"].as_f64().unwrap() - expected).abs() < 1e-12);
    assert!((found["change"].as_f64().unwrap() - expected).abs() < 1e-12);
    put(folder, "w.json", br#"{"W1": [[0.0, 0], [0, 0]], "W2": [[0, 0], [0, 0]]}"#);
    let escape = check(folder, &["--construction", "zl-3.2"], 1.0)["escape"].clone();
    assert_eq!((&escape["order"], &escape["lowest_order"]), (&json!(3), &json!(2)));
    assert_eq!(check(folder, &["--construction", "lo-8"], 1.0)["escape"]["order"], 2);
    assert_eq!(check(folder, &["--construction", "tkb-9"], 1.0)["escape"]["order"], 2);
    let (document, code) = asked(folder, &["--construction", "lo-19"]);
    assert_eq!((code, &document["constructions"][0]["reason"]), (3, &json!("it needs three layers")));
}

/// A full-rank second layer through a direction of the value zero: neither of the two categories of [@ZL], section 2, holds (no
/// positive captured value is smaller than an omitted one, and the rank cannot grow), yet the point is a strict saddle.
#[test]
fn a_captured_direction_of_the_value_zero_is_turned() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "d.json", br#"{"X": [[1, 0], [0, 1]], "Y": [[1, 0], [0, 0]]}"#);
    put(folder, "w.json", br#"{"W1": [[0.0, 0]], "W2": [[0], [1]]}"#);
    let (document, _) = asked(folder, &["--construction", "zl-3.2"]);
    assert_eq!(document["class"], "strict_saddle");
    assert_eq!(document["constructions"][0]["reason"], "the last layer has full rank");
    check(folder, &["--construction", "zl-3.1"], 1.0);
}

#[test]
fn deep_points_are_left_and_the_lists_say_what_applies() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "d.json", DATA);
    put(folder, "w.json", br#"{"W1": [[0.0, 0], [0, 0]], "W2": [[0, 0], [0, 0]], "W3": [[0, 0], [0, 0]]}"#);
    for name in ["lo-19", "tkb-9"] {
        assert_eq!(check(folder, &["--construction", name], 1.0)["escape"]["order"], 3);
    }
    let document = check(folder, &[], 1.0);
    let escape = &document["escape"];
    assert_eq!((&escape["order"], &escape["lowest_order"]), (&json!(3), &json!(3)));
    let applies = |name: &str| {
        let all = document["constructions"].as_array().unwrap();
        all.iter().find(|found| found["name"] == name).unwrap()["applies"] == json!(true)
    };
    assert!(applies("lo-19") && applies("tkb-9") && !applies("zl-3.1") && !applies("zl-4.2"));
    let run = rankscape(folder, &["escape", "--weights", "w.json", "--data", "d.json"]);
    assert!(run.stdout.contains("tkb-9        order 3") && run.stdout.contains("Not here "), "{run:?}");
}

#[test]
fn the_loss_rises_from_points_with_and_without_output() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "d.json", DATA);
    for (weights, order) in [
        (r#"{"W1": [[3.0, 0]], "W2": [[1], [0]]}"#, 2),
        (r#"{"W1": [[2.0, 0]], "W2": [[1], [0]]}"#, 1),
        (r#"{"W1": [[0.0, 0]], "W2": [[0], [0]]}"#, 2),
        (r#"{"W1": [[0.0, 0]], "W2": [[0]], "W3": [[0], [0]]}"#, 3),
    ] {
        put(folder, "w.json", weights.as_bytes());
        let escape = check(folder, &["--ascent"], -1.0)["escape"].clone();
        assert_eq!((&escape["order"], &escape["lowest_order"]), (&json!(order), &Value::Null), "{weights}");
    }
}

#[test]
fn a_spurious_point_has_a_neighbour_of_the_same_function_that_is_not_critical() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "d.json", DATA);
    put(folder, "w.json", br#"{"W1": [[3.0, 0], [0, 0]], "W2": [[1, 0], [0, 0]], "W3": [[1, 0], [0, 0]]}"#);
    let (document, code) = asked(folder, &["--same-function", "--leave", "same.json"]);
    let same = &document["same_function"];
    assert_eq!(code, 0);
    assert!(same["product_error"].as_f64().unwrap() < 1e-14 && same["gradient_before"].as_f64().unwrap() < 1e-15);
    assert!(same["gradient_after"].as_f64().unwrap() > 1e-4, "{document:#}");
    assert!((loss(folder, "w.json") - loss(folder, "same.json")).abs() < 1e-14);
    let run = rankscape(folder, &["diagnose", "--json", "--weights", "same.json", "--data", "d.json"]);
    assert_eq!(run.json()["critical"], json!(false));
}

#[test]
fn minima_and_bad_names_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "d.json", DATA);
    put(folder, "w.json", br#"{"W1": [[3, 0]], "W2": [[1], [0]]}"#);
    let (document, code) = asked(folder, &[]);
    assert_eq!((code, &document["escape"]), (0, &Value::Null));
    assert!(document["constructions"].as_array().unwrap().iter().all(|found| found["applies"] == json!(false)));
    let run = rankscape(folder, &["escape", "--weights", "w.json", "--data", "d.json", "--construction", "magic"]);
    assert!(run.code == 2 && run.stderr.contains("lo-19") && run.stderr.contains("magic"), "{run:?}");
    let run = rankscape(folder, &["escape", "--weights", "w.json", "--data", "d.json", "--leave", "l.json"]);
    assert!(run.code == 2 && run.stderr.contains("no path"), "{run:?}");
}

/// Along a path of a deep chain the terms of the loss are far larger than their sum: no step may be chosen by what is left.
#[test]
fn decreases_of_deep_chains_are_those_of_the_network() {
    for (depth, seed) in [(15, 0), (20, 1), (30, 2), (40, 3)] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let mut stream = Draw::new(seed, 0);
        let mut array = |rows: usize, cols: usize, scale: f64| {
            let entries: Vec<f64> = (0..rows * cols).map(|_| scale * stream.normal()).collect();
            npy_f64(&[rows, cols], &entries)
        };
        let names: Vec<String> = (1..=depth).map(|k| format!("W{k}")).collect();
        let layers: Vec<(&str, Vec<u8>)> = names.iter().map(|name| (name.as_str(), array(2, 2, 0.8))).collect();
        let data = [("X", array(5, 2, 1.0)), ("Y", array(5, 2, 1.0))];
        put(folder, "w.npz", &npz(&layers));
        put(folder, "d.npz", &npz(&data));
        let point = ["--weights", "w.npz", "--data", "d.npz"];
        let run = rankscape(folder, &[&["escape", "--json", "--leave", "next.npz"], &point[..]].concat());
        let found = run.json()["escape"].clone();
        let number = |value: &Value| value.as_f64().unwrap();
        let loss = |weights: &str| {
            let run = rankscape(folder, &["diagnose", "--json", "--weights", weights, "--data", "d.npz"]);
            number(&run.json()["loss"]["value"])
        };
        let (before, after) = (loss("w.npz"), loss("next.npz"));
        let decrease = number(&found["decrease"]);
        assert!(decrease > 0.0 && decrease <= before, "{depth} layers: {decrease} of {before}");
        assert!(
            (before - after - decrease).abs() <= 1e-5 * decrease + 1e-9 * before,
            "{depth} layers: {before} to {after}"
        );
        let run = rankscape(folder, &[&["diagnose", "--certificate", "c.json"], &point[..]].concat());
        let verified = rankscape(folder, &["verify", "c.json"]);
        assert_eq!(verified.code, 0, "{depth} layers: {run:?} {verified:?}");
    }
}
