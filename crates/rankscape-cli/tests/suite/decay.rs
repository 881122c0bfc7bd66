//! `--weight-decay` through the command: every case of `oracles/loss`, words, and everything it refuses.

use std::path::Path;

use crate::common::{answer, assert_close, assert_refused, rankscape};
use serde_json::{Value, json};
use testkit::files::put;

const ORTHONORMAL: &str = include_str!("../../../../oracles/loss/weight_decay_cases.jsonl");
const AUTOENCODERS: &str = include_str!("../../../../oracles/loss/weight_decay_autoencoder_cases.jsonl");
const GENERAL: &str = include_str!("../../../../oracles/loss/weight_decay_general_x_cases.jsonl");

fn cases(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A number or a fraction, as an argument.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

fn transposed(rows: &Value) -> Value {
    let rows = rows.as_array().unwrap();
    let column = |j: usize| Value::Array(rows.iter().map(|row| row[j].clone()).collect());
    Value::Array((0..rows[0].as_array().unwrap().len()).map(column).collect())
}

/// Weights, an object of named layers.
fn layers(list: &Value) -> Value {
    let named = list.as_array().unwrap().iter().enumerate().map(|(k, layer)| (format!("W{}", k + 1), layer.clone()));
    Value::Object(named.collect())
}

fn write(folder: &Path, name: &str, value: &Value) {
    put(folder, name, value.to_string().as_bytes());
}

fn widths(case: &Value) -> String {
    let widths = case["widths"].as_array().unwrap();
    widths.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// The first `most` points of a case are diagnosed as what the case says of them.
fn check_points(folder: &Path, case: &Value, points: &[Value], arguments: &[&str]) {
    for point in points {
        write(folder, "w.json", &layers(&point["W"]));
        let run = rankscape(folder, &[&["diagnose", "--weights", "w.json", "--json"], arguments].concat());
        let at = format!("{} {}", case["id"], point["W"]);
        assert!([0, 3].contains(&run.code), "{at}: {run:?}");
        let found = run.json();
        assert_eq!(found["critical"], true, "{at} {}", found["gradient"]);
        assert_eq!(json!([found["origin"], found["near"], found["stall"]]), json!([null, null, null]), "{at}");
        assert_close(
            &found["loss"]["value"],
            point["value"].as_f64().unwrap_or_else(|| text(&point["value"]).parse().unwrap()),
            1e-11,
            &at,
        );
        if found["class"] != "undecided" {
            let class = point.get("class").cloned().unwrap_or_else(|| found["class"].clone());
            let better = found["class"] == "global_minimum" && class == "local_minimum";
            let open = found["class"] == "local_minimum" && found["loss"]["global_minimum"].is_null();
            assert!(!better && (found["class"] == class || open), "{at}: {} {class}", found["class"]);
            assert_eq!(
                (&found["hessian"]["index"], &found["hessian"]["nullity"]),
                (&point["index"], &point["nullity"]),
                "{at}"
            );
            let spectrum = answer(folder, &[&["hessian", "--weights", "w.json"], arguments].concat(), 0);
            assert_eq!((&spectrum["index"], &spectrum["nullity"]), (&point["index"], &point["nullity"]), "{at}");
            if let Some(least) = point["lambda_min"].as_f64() {
                assert_close(&spectrum["extremes"]["lambda_min"], least, 1e-9, &at);
            }
        }
        assert_eq!(
            run.code == 3,
            found["class"] == "undecided"
                || found["loss"]["global_minimum"].is_null() && found["class"] == "local_minimum",
            "{at}"
        );
    }
}

#[test]
fn ladders_and_points_of_orthonormal_data_are_those_of_the_oracle() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for case in cases(ORTHONORMAL) {
        let data = json!({"X": transposed(&case["X"]), "Y": transposed(&case["Y"])});
        write(folder, "d.json", &data);
        let decay = text(&case["lambda"]);
        let found =
            answer(folder, &["critical", "--data", "d.json", "--widths", &widths(&case), "--weight-decay", &decay], 0);
        let families = case["families"].as_array().unwrap();
        assert_eq!(found["rungs_total"], families.len(), "{}", case["id"]);
        let mut values: Vec<f64> = families.iter().map(|one| text(&one["value"]).parse().unwrap()).collect();
        values.sort_by(f64::total_cmp);
        for (rung, value) in found["rungs"].as_array().unwrap().iter().zip(values) {
            assert_close(&rung["value"], value, 1e-13, "value");
            assert_eq!(rung["dimension"]["function_space"], Value::Null);
        }
        let exists = case["bad_local_minima"] == true;
        assert_eq!(
            found["bad_local_minima"]["verdict"],
            if exists { "exists" } else { "impossible" },
            "{}",
            case["id"]
        );
        if exists {
            // The witness is a local minimum by its own diagnosis.
            write(folder, "w.json", &layers(&found["bad_local_minima"]["witness"]["weights"]));
            let point =
                answer(folder, &["diagnose", "--weights", "w.json", "--data", "d.json", "--weight-decay", &decay], 0);
            assert_eq!(point["class"], "local_minimum", "{}", case["id"]);
        }
        check_points(folder, &case, families, &["--data", "d.json", "--weight-decay", &decay]);
    }
}

#[test]
fn points_of_autoencoders_are_those_of_the_oracle() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for case in cases(AUTOENCODERS) {
        write(folder, "d.json", &json!({"X": transposed(&case["X"])}));
        let decay = text(&case["lambda"]);
        let arguments = ["--data", "d.json", "--task", "autoencoder", "--weight-decay", &decay];
        check_points(folder, &case, case["families"].as_array().unwrap(), &arguments);
    }
}

#[test]
fn other_inputs_are_undecided_as_a_whole_and_counted_at_points() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for case in cases(GENERAL) {
        write(folder, "d.json", &json!({"X": transposed(&case["X"]), "Y": transposed(&case["Y"])}));
        let decay = text(&case["lambda"]);
        let run = rankscape(
            folder,
            &["critical", "--data", "d.json", "--widths", &widths(&case), "--weight-decay", &decay, "--json"],
        );
        let found = run.json();
        let points = case["points"].as_array().unwrap();
        if found["closed_form"].is_null() {
            assert_eq!((run.code, &found["rungs"], &found["rungs_total"]), (3, &json!([]), &Value::Null));
            assert!(found["notes"].to_string().contains("multiple of the identity"), "{}", found["notes"]);
        } else {
            // Inputs of rank one are orthonormal on their range.
            let least = points.iter().map(|point| point["value"].as_f64().unwrap()).fold(f64::INFINITY, f64::min);
            assert_close(&found["global_minimum"], least, 1e-11, "minimum");
        }
        check_points(folder, &case, points, &["--data", "d.json", "--weight-decay", &decay]);
    }
}

#[test]
fn thresholds_rungs_and_minima_are_said_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "z.json", b"[[4, 0], [0, 2]]");
    let run = rankscape(folder, &["critical", "--target", "z.json", "--widths", "2,2,2,2", "--weight-decay", "1"]);
    assert_eq!(run.code, 0, "{run:?}");
    for part in [
        "worth capturing",
        "pays up to",
        "bad local minima exist: the origin",
        "every path from the origin",
        "Decay      1 times",
    ] {
        assert!(run.stdout.contains(part), "{part:?} is not in {}", run.stdout);
    }
    put(folder, "w.json", br#"{"W1": [[0, 0], [0, 0]], "W2": [[0, 0], [0, 0]], "W3": [[0, 0], [0, 0]]}"#);
    let run = rankscape(folder, &["diagnose", "--target", "z.json", "--weights", "w.json", "--weight-decay", "1"]);
    assert!(run.code == 0 && run.stdout.starts_with("At a local minimum that is not the best."), "{run:?}");
    // 0 is no decay.
    let [none, zero] = [&[][..], &["--weight-decay", "0"]].map(|more: &[&str]| {
        rankscape(folder, &[&["critical", "--target", "z.json", "--widths", "2,2,2"], more].concat()).stdout
    });
    assert_eq!(none, zero);
    // X = 2, Y = 6: seen through inputs of size 2.
    put(folder, "d.json", br#"{"X": [[2]], "Y": [[6]]}"#);
    let found = answer(folder, &["critical", "--data", "d.json", "--widths", "1,1,1,1", "--weight-decay", "1/2"], 0);
    assert_close(&found["thresholds"][0]["fold"], 8.177, 1e-4, "fold");
    let values: Vec<&Value> = found["rungs"].as_array().unwrap().iter().map(|rung| &rung["layer_values"]).collect();
    assert_close(&values[0][0], 1.42809, 1e-5, "large");
    assert!(values.iter().any(|value| value[0].as_f64().is_some_and(|w| (w - 0.04167).abs() < 1e-5)), "{values:?}");
    let mean = answer(
        folder,
        &["critical", "--data", "d.json", "--widths", "1,1,1,1", "--weight-decay", "1/2", "--normalization", "mse"],
        0,
    );
    assert_close(&mean["barrier"], 2.0 * found["barrier"].as_f64().unwrap(), 1e-14, "barrier");
}

#[test]
fn what_cannot_be_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "z.json", b"[[4, 0], [0, 2]]");
    put(folder, "m.json", b"[[2, 0], [0, 1]]");
    put(folder, "w.json", br#"{"W1": [[1, 0], [0, 1]], "W2": [[1, 0], [0, 1]]}"#);
    let ladder = ["critical", "--target", "z.json", "--widths", "2,2,2"];
    let point = ["diagnose", "--target", "z.json", "--weights", "w.json"];
    for bad in ["-1", "-0.5", "nan", "inf", "x", "1/0", "1e-400"] {
        for verb in [&ladder[..], &point] {
            assert_refused(&rankscape(folder, &[verb, &["--weight-decay", bad]].concat()), &["weight decay"]);
        }
    }
    for more in [&["--graph"][..], &["--strata"], &["--construct"]] {
        assert_refused(
            &rankscape(folder, &[&ladder[..], &["--weight-decay", "1"], more].concat()),
            &["--weight-decay"],
        );
    }
    for more in
        [&["--leave", "n.json"][..], &["--near", "n.json"], &["--certificate", "c.json"], &["--learning-rate", "1"]]
    {
        assert_refused(&rankscape(folder, &[&point[..], &["--weight-decay", "1"], more].concat()), &[more[0], "leave"]);
    }
    for verb in [&ladder[..], &point] {
        assert_refused(
            &rankscape(folder, &[verb, &["--weight-decay", "1", "--output-metric", "m.json"]].concat()),
            &["output metric"],
        );
    }
}

/// Weights that have decayed for long are at the origin for all that the data can tell.
#[test]
fn weights_that_have_decayed_away_are_at_the_origin() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "y.json", &json!({"Y": [[2, 0], [0, 1]]}));
    for (size, class) in [(1e-30, "global_minimum"), (1e-17, "global_minimum"), (1e-3, "not_critical")] {
        let layer = json!([[size, 0.5 * size], [-0.25 * size, size]]);
        write(folder.path(), "w.json", &json!({"W1": layer, "W2": layer}));
        let arguments = ["diagnose", "--json", "--weights", "w.json", "--target", "y.json", "--weight-decay", "50"];
        let run = rankscape(folder.path(), &arguments);
        assert_eq!((run.code, run.json()["class"].as_str()), (0, Some(class)), "{run:?}");
        assert_eq!(run.json()["notes"].to_string().contains("this is the origin"), class != "not_critical");
    }
}
