//! `rankscape predictor` on recorded cases: ranks, generic ranks, regimes and origins of every map; bad input.

use std::path::Path;

use crate::common::{answer, assert_refused, rankscape, root};
use serde_json::{Map, Value, json};
use testkit::files::put;

fn cases() -> Vec<Value> {
    let text = std::fs::read_to_string(root().join("oracles/loss/predictor_cases.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn transposed(rows: &Value) -> Value {
    let rows = rows.as_array().unwrap();
    let columns = rows[0].as_array().unwrap().len();
    (0..columns).map(|j| rows.iter().map(|row| row[j].clone()).collect::<Vec<Value>>()).collect::<Vec<_>>().into()
}

/// Arrays W1, W2, ...; those of filters have one row.
fn weights(case: &Value) -> Value {
    let list = ["W", "V", "filters"].iter().find_map(|name| case[name].as_array()).unwrap();
    let matrix = |value: &Value| if value[0].is_array() { value.clone() } else { json!([value]) };
    let named = list.iter().enumerate().map(|(k, value)| (format!("W{}", k + 1), matrix(value)));
    Value::Object(named.collect::<Map<_, _>>())
}

fn run(folder: &Path, case: &Value, weights: &Value) -> Value {
    put(folder, "w.json", weights.to_string().as_bytes());
    let kind = match case["kind"].as_str().unwrap() {
        "linear_critical" => "linear",
        "convolution" => "convolutional",
        kind => kind,
    };
    let mut arguments = vec!["predictor", "--weights", "w.json", "--map", kind];
    let size = case["n"].to_string();
    if !case["n"].is_null() {
        arguments.extend(["--size", &size]);
    }
    if !case["X"].is_null() {
        let mut data = json!({ "X": transposed(&case["X"]) });
        if !case["Y"].is_null() {
            data["Y"] = transposed(&case["Y"]);
        }
        put(folder, "d.json", data.to_string().as_bytes());
        arguments.extend(["--data", "d.json"]);
    }
    if !case["target"].is_null() {
        put(folder, "y.json", json!({ "Y": [case["target"]] }).to_string().as_bytes());
        arguments.extend(["--target", "y.json"]);
    }
    answer(folder, &arguments, 0)
}

/// Fractions as decimals, so that nothing is exact.
fn floating(value: &Value) -> Value {
    match value {
        Value::Array(list) => list.iter().map(floating).collect::<Vec<_>>().into(),
        Value::Object(members) => {
            members.iter().map(|(name, member)| (name.clone(), floating(member))).collect::<Map<_, _>>().into()
        }
        Value::String(text) => {
            let (top, bottom) = text.split_once('/').unwrap_or((text, "1"));
            json!(top.parse::<f64>().unwrap() / bottom.parse::<f64>().unwrap())
        }
        other => other.clone(),
    }
}

#[test]
fn recorded_ranks_regimes_and_origins_exact_and_in_floating_point() {
    let folder = tempfile::tempdir().unwrap();
    for case in cases() {
        for weights in [weights(&case), floating(&weights(&case))] {
            let found = run(folder.path(), &case, &weights);
            for field in ["rank", "generic_rank", "regime", "origin"] {
                assert_eq!(found[field], case[field], "{} {field}: {found}", case["id"]);
            }
            assert_eq!(found["predictions"], case["n_predictions"], "{}", case["id"]);
            assert_eq!(found["parameters"], case["n_parameters"], "{}", case["id"]);
            if !case["critical"].is_null() {
                assert_eq!(found["critical"], case["critical"], "{}", case["id"]);
            }
        }
    }
}

#[test]
fn scales_change_no_rank_of_filters() {
    let folder = tempfile::tempdir().unwrap();
    for (first, second) in [(1e150, 1e150), (1e-150, 1e-150), (1e150, 1e-150)] {
        let filters = json!({ "W1": [[first, 2.0 * first, first]], "W2": [[second, second]] });
        put(folder.path(), "w.json", filters.to_string().as_bytes());
        let found =
            answer(folder.path(), &["predictor", "--weights", "w.json", "--map", "circulant", "--size", "5"], 0);
        assert_eq!((&found["rank"], &found["generic_rank"]), (&json!(3), &json!(4)), "{first:e} {second:e}");
    }
}

#[test]
fn a_normalized_network_with_a_zero_factor_is_not_defined_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "w.json", br#"{"W1": [[0, 0]], "W2": [[1], [2]]}"#);
    let found = answer(folder.path(), &["predictor", "--weights", "w.json", "--map", "normalized"], 3);
    assert_eq!(found["defined"], false);
    assert_eq!(found["rank"], Value::Null);
    assert_eq!(found["generic_rank"], 3);
}

#[test]
fn pyramidal_maps_are_formed_and_compared_with_random_points() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "w.json", br#"{"W1": [[1.0, 0.5], [0.2, -1.0]], "W2": [[0.7, 0.1]]}"#);
    put(folder.path(), "d.json", br#"{"X": [[1.0, 0.0], [0.3, 1.0]], "Y": [[0.1], [0.2]]}"#);
    let arguments = ["predictor", "--weights", "w.json", "--data", "d.json", "--map", "pyramidal"];
    let found = answer(folder.path(), &[&arguments[..], &["--activations", "tanh,identity"]].concat(), 0);
    assert_eq!((&found["rank"], &found["generic_rank"]), (&json!(2), &json!(2)));
    assert_eq!(found["regime"], "overparametrised");
    let error = rankscape(folder.path(), &[&arguments[..], &["--activations", "tanh,gelu"]].concat());
    assert_refused(&error, &["--activations", "gelu", "identity, tanh"]);
    let error = rankscape(folder.path(), &[&arguments[..], &["--activations", "tanh"]].concat());
    assert_refused(&error, &["one activation for each layer", "1 for 2"]);
}

#[test]
fn filters_that_do_not_fit_and_options_that_do_nothing_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "w.json", br#"{"W1": [[1, 2, 1]], "W2": [[1, 1]]}"#);
    put(folder.path(), "two.json", br#"{"W1": [[1, 2], [1, 1]]}"#);
    let with = |more: &[&str]| rankscape(folder.path(), &[&["predictor", "--weights", "w.json"], more].concat());
    assert_refused(&with(&["--map", "circulant", "--size", "2"]), &["w.json", "W1", "does not fit", "3 entries"]);
    assert_refused(&with(&["--map", "convolutional", "--size", "3"]), &["W2", "does not fit", "smallest size", "4"]);
    assert_refused(&with(&["--map", "convolutional", "--strides", "2"]), &["--strides", "one stride for each filter"]);
    assert_refused(&with(&["--map", "linear"]), &["do not chain"]);
    assert_refused(&with(&["--map", "circulant", "--strides", "1,1"]), &["--strides", "does nothing"]);
    let two = rankscape(folder.path(), &["predictor", "--weights", "two.json", "--map", "circulant"]);
    assert_refused(&two, &["two.json", "W1", "one row", "(2, 2)"]);
}
