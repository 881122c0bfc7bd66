//! Losses other than the square: how they are named and read, and what `diagnose`, `critical`, `hessian` and `minima` answer.

use std::path::Path;

use crate::common::{answer, assert_close, assert_refused, rankscape};
use serde_json::Value;
use testkit::files::{npy_f64, npz, put};

const PAIR: &str = r#"{"W1": [[1.0, 0.5]], "W2": [[1.0], [-0.5]]}"#;
/// Targets of a 2 x 2 matrix.
const TARGET: &str = r#"{"Y": [[1.0, -2.0], [0.5, 3.0]]}"#;
/// Samples as rows: X is n x 2, Y is n x 2.
const DATA: &str = r#"{"X": [[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]], "Y": [[0.5, 1.0], [-1.0, 0.0], [2.0, 2.0]]}"#;
/// The same inputs with labels.
const LABELS: &str = r#"{"X": [[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]], "Y": [0, 1, 1]}"#;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "w.json", PAIR.as_bytes());
    put(folder.path(), "y.json", TARGET.as_bytes());
    put(folder.path(), "d.json", DATA.as_bytes());
    put(folder.path(), "labels.json", LABELS.as_bytes());
    for (name, text) in files {
        put(folder.path(), name, text.as_bytes());
    }
    folder
}

/// The loss of the diagnosis with these arguments.
#[track_caller]
fn loss(folder: &Path, more: &[&str]) -> f64 {
    let arguments = [&["diagnose", "--json", "--weights", "w.json"], more].concat();
    let run = rankscape(folder, &arguments);
    assert!([0, 3].contains(&run.code) && run.stderr.is_empty(), "{arguments:?}: {run:?}");
    let document = run.json();
    crate::common::assert_valid("diagnose", &document);
    document["loss"]["value"].as_f64().unwrap()
}

/// Residuals `W X - Y` of [`PAIR`] on [`DATA`]: `W = [[1, 0.5], [-0.5, -0.25]]`.
fn residuals() -> Vec<f64> {
    let outputs = [[1.0, -0.5], [1.0, -0.5], [1.5, -0.75]];
    let targets = [[0.5, 1.0], [-1.0, 0.0], [2.0, 2.0]];
    outputs.iter().flatten().zip(targets.iter().flatten()).map(|(f, y)| f - y).collect()
}

#[test]
fn losses_of_residuals_have_the_values_of_their_formulas() {
    let folder = folder(&[
        ("weighted.json", r#"{"kind": "quadratic", "weights": [[1, 2], [0, 1], [3, 0.5]]}"#),
        ("huber.json", r#"{"kind": "huber", "delta": 0.7}"#),
    ]);
    let sum = |of: &dyn Fn(f64) -> f64| residuals().into_iter().map(of).sum::<f64>();
    let d: f64 = 0.7;
    let huber = |t: f64| if t.abs() <= d { t * t / 2.0 } else { d * (t.abs() - d / 2.0) };
    let weights = [1.0, 2.0, 0.0, 1.0, 3.0, 0.5];
    let weighted: f64 = residuals().iter().zip(weights).map(|(t, m)| 0.5 * m * t * t).sum();
    let data = ["--data", "d.json"];
    for (options, expected) in [
        (&["--loss", "square"][..], sum(&|t| t * t / 2.0)),
        (&["--loss", "huber", "--delta", "0.7"], sum(&huber)),
        (&["--loss", "huber.json"], sum(&huber)),
        (&["--loss", "pseudo_huber", "--delta", "0.7"], sum(&|t| d * d * ((1.0 + (t / d).powi(2)).sqrt() - 1.0))),
        (&["--loss", "logcosh"], sum(&|t| t.cosh().ln())),
        (&["--loss", "pnorm", "--p", "4"], sum(&|t| t.powi(4) / 4.0)),
        (&["--loss", "weighted.json"], weighted),
    ] {
        let found = loss(folder.path(), &[&data[..], options].concat());
        assert!((found - expected).abs() < 1e-12, "{options:?}: {found} {expected}");
    }
}

#[test]
fn losses_of_margins_have_the_values_of_their_formulas() {
    let folder = folder(&[
        ("signs.json", r#"{"X": [[1.0, 0.0], [0.0, 2.0]], "Y": [[1, -1], [-1, 1]]}"#),
        ("bits.json", r#"{"X": [[1.0, 0.0], [0.0, 2.0]], "Y": [[1, 0], [0, 1]]}"#),
        ("named.json", r#"{"kind": "softmax", "labels": [0, 1, 1]}"#),
        ("inputs.json", r#"{"X": [[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]]}"#),
    ]);
    let outputs = [[1.0, -0.5], [1.0, -0.5], [1.5, -0.75]];
    let log = |signs: [[f64; 2]; 2]| -> f64 {
        let one = |(f, y): (&f64, &f64)| (1.0 + (-y * f).exp()).ln();
        outputs.iter().flatten().zip(signs.iter().flatten()).map(one).sum()
    };
    let expected = log([[1.0, -1.0], [-1.0, 1.0]]);
    for data in ["signs.json", "bits.json"] {
        let found = loss(folder.path(), &["--data", data, "--loss", "logistic"]);
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }
    let entropy = |f: &[f64; 2], label: usize| (f[0].exp() + f[1].exp()).ln() - f[label];
    let terms: Vec<f64> = outputs.iter().zip([0, 1, 1]).map(|(f, label)| entropy(f, label)).collect();
    let total: f64 = terms.iter().sum();
    let softmax = ["--loss", "softmax"];
    let found = loss(folder.path(), &[&["--data", "labels.json"], &softmax[..]].concat());
    assert!((found - total).abs() < 1e-12, "{found} {total}");
    let from_file = loss(folder.path(), &["--data", "inputs.json", "--loss", "named.json"]);
    assert_eq!(from_file, found);
    let hot = loss(folder.path(), &[&["--data", "labels.json", "--one-hot"], &softmax[..]].concat());
    assert_eq!(hot, found);
    let weighted =
        loss(folder.path(), &[&["--data", "labels.json", "--class-weights", "2,0.5"], &softmax[..]].concat());
    assert!((weighted - (2.0 * terms[0] + 0.5 * (terms[1] + terms[2]))).abs() < 1e-12);
    put(folder.path(), "s.json", b"[2, 0, 1]");
    let sampled =
        loss(folder.path(), &[&["--data", "labels.json", "--sample-weights", "s.json"], &softmax[..]].concat());
    assert!((sampled - (2.0 * terms[0] + terms[2])).abs() < 1e-12);
    let smooth = loss(folder.path(), &[&["--data", "labels.json", "--smoothing", "0.2"], &softmax[..]].concat());
    let soft: f64 = outputs.iter().zip([0, 1, 1]).map(|(f, k)| 0.9 * entropy(f, k) + 0.1 * entropy(f, 1 - k)).sum();
    assert!((smooth - soft).abs() < 1e-12, "{smooth} {soft}");
}

#[test]
fn targets_of_a_matrix_need_no_samples() {
    let folder = folder(&[
        ("weighted.json", r#"{"kind": "quadratic", "weights": [[1, 2], [0, 1]]}"#),
        (
            "full.json",
            r#"{"kind": "full_quadratic", "metric_rowmajor_vec": [[2, 1, 0, 0], [1, 2, 0, 0], [0, 0, 1, 0], [0, 0, 0, 3]]}"#,
        ),
        ("identity.json", r#"{"X": [[1, 0], [0, 1]], "Y": [[1.0, 0.5], [-2.0, 3.0]]}"#),
    ]);
    // W - Y = [[0, 2.5], [-1, -3.25]].
    let weighted = loss(folder.path(), &["--target", "y.json", "--loss", "weighted.json"]);
    assert!((weighted - 0.5 * (2.0 * 6.25 + 10.5625)).abs() < 1e-12, "{weighted}");
    let full = loss(folder.path(), &["--target", "y.json", "--loss", "full.json"]);
    assert!((full - 0.5 * (2.0 * 6.25 + 1.0 + 3.0 * 10.5625)).abs() < 1e-12, "{full}");
    assert_eq!(loss(folder.path(), &["--data", "identity.json", "--loss", "full.json"]), full);
}

#[test]
fn entries_that_were_not_observed_have_weight_zero_in_every_format() {
    let folder = folder(&[
        ("g.json", r#"{"X": [[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]], "Y": [[0.5, null], [-1.0, 0.0], [null, 2.0]]}"#),
        ("g.csv", "x1,x2,y1,y2\n1,0,0.5,\n0,2,-1,0\n1,1,NaN,2\n"),
        ("mask.csv", "1,,\n0.5,3,NaN\n"),
        ("mask.json", "[[1.0, null, null], [0.5, 3.0, null]]"),
        ("w3.json", r#"{"W1": [[1.0, 0.5, 7.0]], "W2": [[1.0], [-0.5]]}"#),
    ]);
    let nan = f64::NAN;
    let y = npy_f64(&[3, 2], &[0.5, nan, -1.0, 0.0, nan, 2.0]);
    put(folder.path(), "g.npz", &npz(&[("X", npy_f64(&[3, 2], &[1.0, 0.0, 0.0, 2.0, 1.0, 1.0])), ("Y", y)]));
    let seen = [0.5, 2.0, -0.5, -2.75];
    let expected: f64 = seen.iter().map(|t: &f64| t * t / 2.0).sum();
    let mut digests = Vec::new();
    for data in ["g.json", "g.csv", "g.npz"] {
        let arguments = ["diagnose", "--json", "--weights", "w.json", "--data", data, "--loss", "square"];
        let run = rankscape(folder.path(), &arguments);
        assert!([0, 3].contains(&run.code), "{run:?}");
        let document = run.json();
        assert_close(&document["loss"]["value"], expected, 1e-12, data);
        let notes = document["notes"].to_string();
        assert!(notes.contains("2 entries of Y were not observed"), "{notes}");
        digests.push(document["digest"]["data"].clone());
        let bare = rankscape(folder.path(), &arguments[..6]);
        assert_refused(
            &bare,
            &["Y", "weight 0 in a weighted loss", "--loss square"].map(|part| if part == "Y" { data } else { part }),
        );
    }
    assert!(digests.windows(2).all(|pair| pair[0] == pair[1]), "{digests:?}");
    for target in ["mask.csv", "mask.json"] {
        let arguments = ["diagnose", "--json", "--weights", "w3.json", "--target", target, "--loss", "square"];
        let document = rankscape(folder.path(), &arguments).json();
        // W - Y at what was observed: 0, -1, -3.25.
        assert_close(&document["loss"]["value"], 0.5 * (1.0 + 10.5625), 1e-12, target);
    }
}

#[test]
fn the_square_loss_by_name_is_the_run_without_it() {
    let folder = folder(&[("square.json", r#"{"kind": "square"}"#)]);
    let plain = answer(folder.path(), &["diagnose", "--weights", "w.json", "--data", "d.json"], 0);
    for name in ["square", "square.json"] {
        let mut named =
            answer(folder.path(), &["diagnose", "--weights", "w.json", "--data", "d.json", "--loss", name], 0);
        named["run"] = plain["run"].clone();
        assert_eq!(named, plain);
    }
    assert_eq!(plain["loss"]["kind"], "square");
}

#[test]
fn two_losses_have_two_digests() {
    let folder = folder(&[]);
    let digest = |more: &[&str]| {
        let arguments = [&["minima", "--data", "d.json", "--rank", "1", "--starts", "2", "--json"], more].concat();
        let run = rankscape(folder.path(), &arguments);
        assert!([0, 3].contains(&run.code), "{run:?}");
        run.json()["digest"]["data"].as_str().unwrap().to_owned()
    };
    let found = [
        digest(&["--loss", "logcosh"]),
        digest(&["--loss", "huber", "--delta", "1"]),
        digest(&["--loss", "huber", "--delta", "2"]),
        digest(&["--loss", "pseudo_huber", "--delta", "1"]),
    ];
    for (k, one) in found.iter().enumerate() {
        assert!(!found[..k].contains(one), "{found:?}");
    }
    assert_eq!(digest(&["--loss", "huber", "--delta", "1.0"]), found[1]);
}

fn contains_null(document: &Value, fields: &str) {
    for field in fields.split_whitespace() {
        assert!(document.get(field).is_some_and(Value::is_null), "{field}: {}", document[field]);
    }
}

#[test]
fn a_diagnosis_says_null_of_what_only_the_square_loss_has() {
    let folder = folder(&[]);
    let document =
        answer(folder.path(), &["diagnose", "--weights", "w.json", "--data", "labels.json", "--loss", "softmax"], 0);
    contains_null(&document, "spectrum captured near stall outlook data_rank leave");
    assert_eq!(document["class"], "not_critical");
    assert_eq!(document["loss"]["kind"], "softmax");
    assert_eq!(document["separability"]["kind"], "strict");
    assert_eq!(document["loss"]["infimum_attained"], false);
    assert_eq!(document["loss"]["lower_bound"]["value"], 0.0);
    assert_eq!(document["escape"]["order"], 1);
    contains_null(&document["escape"]["certificate"], "change_of_loss");
    contains_null(&document["loss"], "global_minimum gap");
    let text =
        rankscape(folder.path(), &["diagnose", "--weights", "w.json", "--data", "labels.json", "--loss", "softmax"]);
    assert!(text.stdout.lines().next().unwrap().contains("weights grow without bound"), "{text:?}");
    assert!(text.stdout.contains("answers all samples right"), "{text:?}");
}

#[test]
fn a_saddle_of_a_convex_loss_has_a_way_out() {
    let folder = folder(&[("zero.json", r#"{"W1": [[0, 0]], "W2": [[0], [0]]}"#)]);
    let document =
        answer(folder.path(), &["diagnose", "--weights", "zero.json", "--data", "d.json", "--loss", "logcosh"], 0);
    assert_eq!(document["class"], "strict_saddle");
    assert_eq!(document["origin"], "spurious");
    assert_eq!(document["escape"]["order"], 2);
    assert!(document["escape"]["decrease"].as_f64().unwrap() > 0.0);
    let spectrum = answer(
        folder.path(),
        &["hessian", "--weights", "zero.json", "--data", "d.json", "--loss", "logcosh", "--diagonal"],
        0,
    );
    assert_eq!(spectrum["index"], document["hessian"]["index"]);
    let sum = |name: &str| spectrum[name].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).sum::<f64>();
    assert_close(&spectrum["trace"], sum("eigenvalues"), 1e-12, "trace");
    assert_close(&spectrum["trace"], sum("diagonal"), 1e-12, "trace");
    assert_eq!(spectrum["eigenvalues"].as_array().unwrap().len(), 4);
}

#[test]
fn minima_list_matrices_and_write_them() {
    let folder = folder(&[
        ("y3.json", "[[-2, 4, -1], [-2, 4, -3], [-1, 2, 1]]"),
        ("loss.json", r#"{"kind": "quadratic", "weights": [[1, 1, 5], [5, 0.1, 0.1], [5, 5, 0.1]]}"#),
    ]);
    let arguments =
        ["minima", "--target", "y3.json", "--loss", "loss.json", "--rank", "1", "--starts", "60", "--save", "m.npz"];
    let document = answer(folder.path(), &arguments, 0);
    assert!(folder.path().join("m.npz").exists());
    let minima = document["minima"].as_array().unwrap();
    assert!(!minima.is_empty());
    for minimum in minima {
        assert_eq!(minimum["certified"], true);
        assert_eq!(minimum["W"].as_array().unwrap().len(), 3);
        assert!(minimum["gradient"].as_f64().unwrap() < 1e-9);
    }
    let bound = document["lower_bound"]["value"].as_f64().unwrap();
    assert!(bound <= minima[0]["value"].as_f64().unwrap());
    let text = rankscape(folder.path(), &arguments[..9]);
    assert!(text.code == 0 && text.stdout.contains("lambda_min"), "{text:?}");
    let cost = answer(folder.path(), &[&arguments[..9], &["--dry-run"]].concat(), 0);
    assert_eq!(cost["costs"][0]["paths"], 60);
}

#[test]
fn the_landscape_of_another_loss_says_whether_bad_minima_exist() {
    let folder =
        folder(&[("row.json", r#"{"X": [[1.0, 0.5], [-1.0, 1.0], [0.5, 0.5], [2.0, -1.0]], "Y": [1, -1, -1, 1]}"#)]);
    let found =
        answer(folder.path(), &["critical", "--data", "row.json", "--widths", "2,3,1", "--loss", "logistic"], 0);
    assert_eq!(found["bad_local_minima"]["verdict"], "impossible");
    assert_eq!(found["loss"], "logistic");
    contains_null(&found, "spectrum levels rungs_total global_minima data_rank");
    assert_eq!(found["rungs"], serde_json::json!([]));
    let origin = found["value_at_origin"].as_f64().unwrap();
    assert!((origin - 4.0 * std::f64::consts::LN_2).abs() < 1e-12);
    if found["infimum_attained"] == true {
        assert_eq!(found["level"], found["value_at_origin"]);
    } else {
        assert!(found["level"].is_null());
    }
    let text = rankscape(folder.path(), &["critical", "--data", "row.json", "--widths", "2,3,1", "--loss", "logistic"]);
    assert!(text.stdout.starts_with("Every local minimum is global"), "{text:?}");
}

#[test]
fn losses_that_are_none_are_refused() {
    let folder = folder(&[
        ("none.json", r#"{"delta": 1}"#),
        ("odd.json", r#"{"kind": "hubert"}"#),
        ("more.json", r#"{"kind": "huber", "delta": 1, "p": 3}"#),
        ("flat.json", r#"{"kind": "huber"}"#),
        ("list.json", "[1, 2]"),
        ("negative.json", r#"{"kind": "quadratic", "weights": [[1, 2], [-1, 1], [3, 0.5]]}"#),
        ("shape.json", r#"{"kind": "quadratic", "weights": [[1, 2, 1], [1, 1, 0]]}"#),
        ("both.json", r#"{"kind": "softmax", "labels": [0, 1, 1], "smoothing": 2}"#),
    ]);
    let run = |more: &[&str]| rankscape(folder.path(), &[&["diagnose", "--weights", "w.json"], more].concat());
    let data = |more: &[&str]| run(&[&["--data", "d.json"], more].concat());
    assert_refused(&data(&["--loss", "hinge"]), &["no loss of this name", "hinge", "softmax"]);
    assert_refused(&data(&["--loss", "gone.json"]), &["gone.json"]);
    assert_refused(&data(&["--loss", "none.json"]), &["none.json", "kind", "{\"kind\""]);
    assert_refused(&data(&["--loss", "odd.json"]), &["odd.json", "hubert", "huber"]);
    assert_refused(&data(&["--loss", "more.json"]), &["more.json", "array p", "it has delta"]);
    assert_refused(&data(&["--loss", "flat.json"]), &["flat.json", "needs delta", "--delta"]);
    assert_refused(&data(&["--loss", "list.json"]), &["list.json", "not a loss in JSON"]);
    assert_refused(&data(&["--loss", "huber"]), &["needs delta", "--delta D"]);
    assert_refused(&data(&["--loss", "huber", "--delta", "0"]), &["positive", "delta", "0"]);
    assert_refused(&data(&["--loss", "huber", "--delta", "-1"]), &["positive", "delta", "-1"]);
    assert_refused(&data(&["--loss", "pnorm"]), &["needs p", "--p P"]);
    assert_refused(&data(&["--loss", "pnorm", "--p", "1.5"]), &["at least 2", "1.5"]);
    assert_refused(&data(&["--loss", "logcosh", "--delta", "1"]), &["--delta does nothing here", "logcosh"]);
    assert_refused(&data(&["--loss", "quadratic"]), &["needs weights", "loss.json"]);
    assert_refused(&data(&["--loss", "negative.json"]), &["negative.json", "weights", "-1 at output 0 of sample 1"]);
    assert_refused(&data(&["--loss", "shape.json"]), &["shape.json", "weights", "2 x 3, not 3 x 2"]);
    assert_refused(&data(&["--loss", "both.json"]), &["both.json", "smoothing", "2"]);
    assert_refused(&data(&["--loss", "both.json", "--smoothing", "0.1"]), &["--smoothing", "both say"]);
    assert_refused(&data(&["--delta", "1"]), &["--loss"]);
}

#[test]
fn labels_that_are_none_are_refused_with_row_and_value() {
    let x = r#""X": [[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]]"#;
    let with = |labels: &str| format!("{{{x}, \"Y\": {labels}}}");
    let run = |labels: &str, loss: &str| {
        let folder = folder(&[("l.json", &with(labels))]);
        rankscape(folder.path(), &["diagnose", "--weights", "w.json", "--data", "l.json", "--loss", loss])
    };
    assert_refused(&run("[0, 2, 1]", "softmax"), &["l.json", "2 in row 1", "2 outputs", "count from 0"]);
    assert_refused(&run("[0, -1, 1]", "softmax"), &["l.json", "-1 in row 1", "not negative"]);
    assert_refused(&run("[0, 1, 0.5]", "softmax"), &["l.json", "0.5 in row 2", "whole number"]);
    assert_refused(&run("[1, 1, 1]", "softmax"), &["l.json", "labels are the same", "1 in all 3 rows"]);
    assert_refused(&run("[0, null, 1]", "softmax"), &["l.json", "null at [1]", "every label"]);
    assert_refused(&run("[[0.5, 0.5], [0.2, 0.2], [1, 0]]", "softmax"), &["l.json", "sum to 1", "0.4 for sample 1"]);
    assert_refused(&run("[[1, 0], [0, 2], [1, 1]]", "logistic"), &["l.json", "1 or -1", "2 at output 1 of sample 1"]);
    assert_refused(&run("[[1, 0], [0, -1], [1, 1]]", "logistic"), &["l.json", "mix 0 and -1"]);
    let folder = folder(&[("named.json", r#"{"kind": "softmax", "labels": [0, 1]}"#)]);
    let arguments = ["diagnose", "--weights", "w.json", "--data", "d.json", "--loss", "named.json"];
    assert_refused(&rankscape(folder.path(), &arguments), &["named.json", "labels", "2 labels, 3 samples"]);
    let arguments = ["diagnose", "--weights", "w.json", "--target", "y.json", "--loss", "named.json"];
    assert_refused(&rankscape(folder.path(), &arguments), &["named.json", "labels belong to samples", "--data"]);
}

#[test]
fn the_way_out_of_a_saddle_of_any_loss_is_written() {
    let folder = folder(&[
        ("s.json", r#"{"X": [[1, 0], [0, 1], [1, 1]], "Y": [[1, -1], [-1, 1], [1, 1]]}"#),
        ("two.json", r#"{"W1": [[0, 0]], "W2": [[0], [0]]}"#),
        ("three.json", r#"{"W1": [[0, 0]], "W2": [[0]], "W3": [[0], [0]]}"#),
    ]);
    for (weights, class, order) in [("two.json", "strict_saddle", 2), ("three.json", "non_strict_saddle", 3)] {
        let point = ["--weights", weights, "--data", "s.json", "--loss", "logistic"];
        let before = answer(folder.path(), &[&["diagnose"], &point[..], &["--leave", "o.json"]].concat(), 0);
        let path = answer(folder.path(), &[&["escape"], &point[..], &["--leave", "e.json"]].concat(), 0);
        assert_eq!(before["class"], class);
        assert_eq!(path["class"], class);
        assert_eq!(path["escape"], before["escape"]);
        assert_eq!(path["escape"]["order"], order);
        let decrease = path["escape"]["decrease"].as_f64().unwrap();
        for file in ["o.json", "e.json"] {
            let there = ["diagnose", "--weights", file, "--data", "s.json", "--loss", "logistic"];
            let after = answer(folder.path(), &there, 0);
            let fell = before["loss"]["value"].as_f64().unwrap() - after["loss"]["value"].as_f64().unwrap();
            assert!(decrease > 0.0 && (fell - decrease).abs() <= 1e-12 * decrease.max(1.0), "{fell} {decrease}");
        }
        let text = rankscape(folder.path(), &[&["escape"], &point[..]].concat());
        assert!(text.stdout.contains(&format!("L falls first at order {order}")), "{text:?}");
        for option in
            [&["--construction", "lo-8"][..], &["--ascent"], &["--same-function"], &["--certificate", "c.json"]]
        {
            let refused = rankscape(folder.path(), &[&["escape"], &point[..], option].concat());
            assert_refused(&refused, &[option[0], "belongs to the square loss"]);
        }
    }
}

#[test]
fn nothing_is_written_at_a_minimum_of_any_loss() {
    let folder = folder(&[("s.json", r#"{"X": [[1], [1]], "Y": [[1], [-1]]}"#), ("w.json", r#"{"W1": [[0]]}"#)]);
    let point = ["--weights", "w.json", "--data", "s.json", "--loss", "logistic", "--leave", "o.json"];
    for verb in ["diagnose", "escape"] {
        let found = answer(folder.path(), &[&[verb], &point[..]].concat(), 0);
        assert_eq!(found["class"], "global_minimum");
        assert!(!folder.path().join("o.json").exists());
        assert!(found["notes"].to_string().contains("nothing is lower"), "{}", found["notes"]);
    }
}

#[test]
fn options_that_say_nothing_of_other_losses_are_refused() {
    let folder = folder(&[("m.json", r#"{"M": [[2, 0], [0, 1]]}"#)]);
    let loss = ["--loss", "logcosh"];
    let diagnose = ["diagnose", "--weights", "w.json", "--data", "d.json"];
    for (option, value) in
        [("--near", Some("o.json")), ("--certificate", Some("o.json")), ("--learning-rate", Some("0.1"))]
    {
        let more: Vec<&str> = std::iter::once(option).chain(value).collect();
        let run = rankscape(folder.path(), &[&diagnose[..], &loss, &more].concat());
        assert_refused(&run, &[option, "does nothing here", "square loss"]);
        assert!(!folder.path().join("o.json").exists());
    }
    let metric = rankscape(folder.path(), &[&diagnose[..], &loss, &["--output-metric", "m.json"]].concat());
    assert_refused(&metric, &["m.json", "belongs to the square loss"]);
    let mse = rankscape(folder.path(), &[&diagnose[..], &loss, &["--normalization", "mse"]].concat());
    assert_refused(&mse, &["mean squared error", "logcosh", "--normalization mean"]);
    let part = rankscape(folder.path(), &[&["hessian"], &diagnose[1..], &loss, &["--part", "residual"]].concat());
    assert_refused(&part, &["--part"]);
    let graph = rankscape(
        folder.path(),
        &[&["critical", "--data", "d.json", "--widths", "2,1,2", "--graph"], &loss[..]].concat(),
    );
    assert_refused(&graph, &["--graph", "does nothing here"]);
    let rank = rankscape(folder.path(), &[&["minima", "--data", "d.json", "--rank", "3"], &loss[..]].concat());
    assert_refused(&rank, &["rank", "3", "from 1 to 2"]);
}

#[test]
fn a_mean_divides_by_the_samples() {
    let folder = folder(&[]);
    let of = |more: &[&str]| loss(folder.path(), &[&["--data", "d.json", "--loss", "logcosh"], more].concat());
    assert!((3.0 * of(&["--normalization", "mean"]) - of(&[])).abs() < 1e-12);
}

#[test]
fn a_metric_that_is_zero_is_refused() {
    let folder = folder(&[
        ("y2.json", "[[1, 2], [3, 4]]"),
        (
            "zero.json",
            r#"{"kind": "full_quadratic", "metric_rowmajor_vec": [[0,0,0,0],[0,0,0,0],[0,0,0,0],[0,0,0,0]]}"#,
        ),
    ]);
    let run = rankscape(folder.path(), &["minima", "--target", "y2.json", "--loss", "zero.json", "--rank", "1"]);
    assert_refused(&run, &["does not depend on the matrix", "metric_rowmajor_vec"]);
}
