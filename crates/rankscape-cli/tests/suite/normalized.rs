//! `diagnose --parametrization normalized` on recorded points; zero factors; options that are refused.

use std::path::Path;

use crate::common::{answer, assert_close, assert_refused, rankscape, root};
use serde_json::{Map, Value, json};
use testkit::files::put;

fn cases() -> Vec<Value> {
    let text = std::fs::read_to_string(root().join("oracles/loss/normalized_cases.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn transposed(rows: &Value) -> Value {
    let rows = rows.as_array().unwrap();
    let columns = rows[0].as_array().unwrap().len();
    (0..columns).map(|j| rows.iter().map(|row| row[j].clone()).collect::<Vec<Value>>()).collect::<Vec<_>>().into()
}

fn diagnosed(folder: &Path, weights: &Value, case: &Value, code: i32) -> Value {
    let named = weights.as_array().unwrap().iter().enumerate().map(|(k, w)| (format!("W{}", k + 1), w.clone()));
    put(folder, "w.json", Value::Object(named.collect::<Map<_, _>>()).to_string().as_bytes());
    let data = json!({ "X": transposed(&case["X"]), "Y": transposed(&case["Y"]) });
    put(folder, "d.json", data.to_string().as_bytes());
    let arguments = ["diagnose", "--weights", "w.json", "--data", "d.json", "--parametrization", "normalized"];
    answer(folder, &arguments, code)
}

fn norm(values: &Value) -> f64 {
    values.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).fold(0.0, f64::hypot)
}

#[test]
fn recorded_points_of_normalized_networks() {
    let folder = tempfile::tempdir().unwrap();
    for case in cases() {
        let id = case["id"].as_str().unwrap();
        if case["in_omega"] == false {
            let found = diagnosed(folder.path(), &case["W"], &case, 3);
            assert!(found["loss"]["value"].is_null() && found["class"] == "undecided", "{id}");
            continue;
        }
        let expected = &case["normalized_network"];
        let found = diagnosed(folder.path(), &case["W"], &case, 0);
        assert_close(&found["loss"]["value"], expected["value"].as_f64().unwrap(), 1e-12, id);
        assert_eq!(found["critical"], expected["critical"], "{id}");
        assert_close(&found["gradient"]["norm"], norm(&expected["gradient"]), 1e-12, id);
        assert_eq!(found["differential"]["rank"], expected["rank_differential"], "{id}");
        assert_eq!(found["differential"]["max_rank"], expected["max_rank"], "{id}");
        assert_eq!(found["differential"]["submersion"], expected["submersion"], "{id}");
        for field in ["index", "nullity"] {
            assert_eq!(found["hessian"][field], expected[field], "{id} {field}");
        }
        if let Some(values) = expected["eigenvalues"].as_array() {
            let ends = values.iter().map(|value| value.as_f64().unwrap());
            let (low, high) = ends.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
            assert_close(&found["hessian"]["lambda_min"], low, 1e-9, id);
            assert_close(&found["hessian"]["lambda_max"], high, 1e-9, id);
        }
        let q = diagnosed(folder.path(), &case["q_of_theta"], &case, 0);
        assert_close(&q["loss"]["value"], case["linear_network"]["value"].as_f64().unwrap(), 1e-12, id);
        if case["linear_network"]["critical"] == true {
            assert_eq!(q["critical"], true, "{id}");
        }
    }
}

#[test]
fn what_normalized_networks_have_no_answer_for_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "w.json", br#"{"W1": [[1, 0]], "W2": [[1], [2]]}"#);
    put(folder.path(), "b.json", br#"{"W1": [[1, 0]], "W2": [[1], [2]], "b2": [1, 1]}"#);
    put(folder.path(), "y.json", br#"{"Y": [[1, 0], [0, 1]]}"#);
    put(folder.path(), "d.json", br#"{"X": [[1, 0], [0, 1]], "Y": [[1, 0], [0, 1]]}"#);
    let with = |weights: &str, more: &[&str]| {
        let start = ["diagnose", "--weights", weights, "--parametrization", "normalized"];
        rankscape(folder.path(), &[&start[..], more].concat())
    };
    assert_refused(
        &with("w.json", &["--target", "y.json", "--weight-decay", "0.1"]),
        &["--weight-decay", "normalized"],
    );
    assert_refused(&with("w.json", &["--target", "y.json", "--loss", "logcosh"]), &["--loss", "normalized"]);
    assert_refused(&with("b.json", &["--data", "d.json"]), &["biases"]);
    let text = with("w.json", &["--target", "y.json"]);
    assert!(text.code == 0 && text.stdout.starts_with("At "), "{text:?}");
}
