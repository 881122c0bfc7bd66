//! `rankscape pyramid` on recorded cases and on the shipped checkpoints: hypotheses with margins, ranks, the bound; bad input.

use std::path::Path;

use crate::common::{answer, assert_close, assert_refused, rankscape, root};
use serde_json::{Map, Value, json};
use testkit::files::put;

fn cases() -> Vec<Value> {
    let text = std::fs::read_to_string(root().join("oracles/loss/pyramid_cases.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn transposed(rows: &Value) -> Value {
    let rows = rows.as_array().unwrap();
    let columns = rows[0].as_array().unwrap().len();
    (0..columns).map(|j| rows.iter().map(|row| row[j].clone()).collect::<Vec<Value>>()).collect::<Vec<_>>().into()
}

fn run(folder: &Path, case: &Value) -> Value {
    let named = case["W"].as_array().unwrap().iter().enumerate().map(|(k, w)| (format!("W{}", k + 1), w.clone()));
    put(folder, "w.json", Value::Object(named.collect::<Map<_, _>>()).to_string().as_bytes());
    let mut data = json!({ "X": transposed(&case["X"]) });
    if !case["Y"].is_null() {
        data["Y"] = transposed(&case["Y"]);
    }
    put(folder, "d.json", data.to_string().as_bytes());
    let names: Vec<&str> = case["activations"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let open = case["openness_follows"] == true || case["jacobian_rank"] == case["n_outputs"];
    let arguments = ["pyramid", "--weights", "w.json", "--data", "d.json", "--activations", &names.join(",")];
    answer(folder, &arguments, if open { 0 } else { 3 })
}

#[test]
fn recorded_hypotheses_margins_and_bounds() {
    let folder = tempfile::tempdir().unwrap();
    for case in cases() {
        let found = run(folder.path(), &case);
        let id = case["id"].as_str().unwrap();
        // The command has convex losses alone.
        let convex = case["note"] != "loss not convex";
        let (recorded, hypotheses) = (case["hypotheses"].as_array().unwrap(), found["hypotheses"].as_array().unwrap());
        assert_eq!(recorded.len(), hypotheses.len(), "{id}");
        for (expected, found) in recorded.iter().zip(hypotheses) {
            assert_eq!(found["name"], expected["name"], "{id}");
            assert_eq!(found["needed"], expected["needed_for_conclusion"], "{id} {found}");
            if convex || expected["name"] != "loss_convex" {
                assert_eq!(found["holds"], expected["holds"], "{id} {found}");
            }
            match expected["margin"].as_f64() {
                Some(margin) => assert_close(&found["margin"], margin, 1e-12, id),
                None => assert!(found["margin"].is_null(), "{id}"),
            }
        }
        assert_eq!(found["jacobian"]["rank"], case["jacobian_rank"], "{id}: {found}");
        assert_eq!(found["jacobian"]["max_rank"], case["n_outputs"], "{id}");
        if convex {
            assert_eq!(found["conclusion"], case["conclusion_follows"], "{id}");
        }
        if case["grad_norms"].is_array() {
            assert_close(&found["loss"], case["loss_value"].as_f64().unwrap(), 1e-9, id);
            assert_close(&found["output_gradient_norm"], case["output_gradient_norm"].as_f64().unwrap(), 1e-9, id);
            for (found, expected) in
                found["gradient_norms"].as_array().unwrap().iter().zip(case["grad_norms"].as_array().unwrap())
            {
                assert_close(found, expected.as_f64().unwrap(), 1e-8, id);
            }
            match case["certified_bound_on_output_gradient"].as_f64() {
                // At the trained points gradients are rounding errors.
                Some(bound) if case["loss_value"].as_f64().unwrap() > 1e-15 => {
                    assert_close(&found["bound"], bound, 1e-7, id);
                    assert!(
                        found["output_gradient_norm"].as_f64().unwrap() <= found["bound"].as_f64().unwrap(),
                        "{id}"
                    );
                }
                Some(_) => assert!(found["bound"].as_f64().unwrap() < 1e-8, "{id}"),
                None => assert!(found["bound"].is_null(), "{id}: {found}"),
            }
        }
    }
}

/// Name of the weights, activations, samples, and the needed hypotheses that fail.
const CHECKPOINTS: [(&str, &str, &str, &[&str]); 8] = [
    ("tanh", "tanh,tanh,identity", "samples", &[]),
    ("tanh-early", "tanh,tanh,identity", "samples", &[]),
    ("leaky", "leaky_relu_0.1,leaky_relu_0.1,identity", "samples", &[]),
    ("tanh-first-deficient", "tanh,tanh,identity", "samples", &[]),
    ("tanh-second-deficient", "tanh,tanh,identity", "samples", &["W_2_full_row_rank"]),
    ("tanh-growing", "tanh,tanh,identity", "samples", &["width_2_not_larger_than_1", "W_2_full_row_rank"]),
    ("tanh", "tanh,tanh,identity", "samples-repeated", &["X_full_column_rank"]),
    ("leaky", "relu,leaky_relu_0.1,identity", "samples", &["activation_1_strictly_monotone"]),
];

#[test]
fn each_hypothesis_fails_in_turn_on_the_shipped_checkpoints() {
    let folder = root().join("examples/pyramid");
    for (weights, activations, samples, failing) in CHECKPOINTS {
        let (weights, samples) = (format!("{weights}.npz"), format!("{samples}.npz"));
        let arguments = ["pyramid", "--json", "--weights", &weights, "--data", &samples, "--activations", activations];
        let run = rankscape(&folder, &arguments);
        assert!(run.code == 0 || run.code == 3, "{run:?}");
        let found = run.json();
        let fails = |found: &&Value| found["holds"] == false && found["needed"] == true;
        let failed: Vec<&str> = found["hypotheses"]
            .as_array()
            .unwrap()
            .iter()
            .filter(fails)
            .map(|found| found["name"].as_str().unwrap())
            .collect();
        assert_eq!(failed, failing, "{weights} {samples} {activations}");
        assert_eq!(found["conclusion"], failing.is_empty(), "{weights} {samples} {activations}");
        assert_eq!(found["bound"].is_null(), !failing.is_empty(), "{weights} {samples}");
        if let Some(bound) = found["bound"].as_f64() {
            assert!(found["output_gradient_norm"].as_f64().unwrap() <= bound, "{weights}");
        }
    }
}

#[test]
fn a_jacobian_of_full_rank_opens_the_map_where_a_hypothesis_fails() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "w.json", br#"{"W1": [[1, 2], [0, 1]], "W2": [[1, -1]]}"#);
    put(folder.path(), "d.json", br#"{"X": [[1, 0.5]], "Y": [[2]]}"#);
    let found = answer(
        folder.path(),
        &["pyramid", "--weights", "w.json", "--data", "d.json", "--activations", "relu,identity"],
        0,
    );
    assert_eq!((&found["locally_open"], &found["conclusion"]), (&json!("yes"), &json!(false)));
    assert_eq!(found["local_minima_are_global"], true);
}

#[test]
fn bad_input_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "w.json", br#"{"W1": [[1, 2], [0, 1]], "W2": [[1, -1]]}"#);
    put(folder.path(), "b.json", br#"{"W1": [[1, 2], [0, 1]], "b1": [1, 2], "W2": [[1, -1]]}"#);
    put(folder.path(), "d.json", br#"{"X": [[1, 0.5]], "Y": [[2]]}"#);
    let with = |weights: &str, names: &str| {
        rankscape(folder.path(), &["pyramid", "--weights", weights, "--data", "d.json", "--activations", names])
    };
    assert_refused(&with("w.json", "swish,identity"), &["--activations", "swish", "leaky_relu_SLOPE"]);
    assert_refused(&with("w.json", "tanh"), &["--activations", "1 for 2 layers"]);
    assert_refused(&with("b.json", "tanh,identity"), &["b.json", "b1", "biases"]);
}
