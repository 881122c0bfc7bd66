//! The nearest critical points of every checkpoint of `oracles/near`, through the command.

use crate::common::{rankscape, root};
use serde_json::Value;

/// Distances up to this must be answered; beyond the second, silence is right.
const ANSWERED: f64 = 0.1;
const SILENT: f64 = 0.15;
/// A distance is right if it is at most this times the reference.
const RIGHT: f64 = 1.05;
/// Classes whose reference distances differ by less than this are tied.
const TIED: f64 = 1.1;
/// Points nearer than this are the same up to the rounding of what was stored.
const ROUNDING: f64 = 1e-9;

fn cases() -> Vec<Value> {
    let text = std::fs::read_to_string(root().join("oracles/near/near_cases.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn diagnose(case: &Value) -> Value {
    let (weights, task) = (case["weights"].as_str().unwrap(), case["task"].as_str());
    let mut arguments = vec!["diagnose", "--json", "--weights", weights];
    match (case["data"].as_str(), case["target"].as_str()) {
        (Some(data), _) => arguments.extend(["--data", data]),
        (_, Some(target)) => arguments.extend(["--target", target]),
        _ => panic!("{case}"),
    }
    if task == Some("autoencoder") {
        arguments.extend(["--task", "autoencoder"]);
    }
    let run = rankscape(&root().join("oracles/near"), &arguments);
    assert!([0, 3].contains(&run.code), "{run:?}");
    run.json()
}

fn distance(point: &Value) -> Option<f64> {
    point["distance"].as_f64()
}

/// What is wrong with the answer to a case.
fn complaints(case: &Value) -> Vec<String> {
    let document = diagnose(case);
    let (near, overall) = (&document["near"], case["overall"].as_str().unwrap());
    let best = distance(&case[overall]).unwrap();
    let mut out = Vec::new();
    let Some(found) = distance(near) else {
        if best <= ANSWERED && document["class"] == "not_critical" {
            out.push("nothing is near".to_owned());
        }
        return out;
    };
    if best > SILENT && found > RIGHT * best {
        out.push(format!("a point at {found} is named"));
    }
    if best <= ANSWERED && found > RIGHT * best + ROUNDING {
        out.push(format!("distance {found}"));
    }
    let class = near["nearest_class"].as_str().unwrap();
    let tied = distance(&case[class]).is_some_and(|other| other <= TIED * best + ROUNDING);
    // Strict points are never farther than a non-strict one of the rung: where the reference missed them, nearer is right.
    let nearer = class == "strict_saddle" && overall == "non_strict_saddle" && found <= best;
    if best <= ANSWERED && class != overall && !tied && !nearer {
        out.push(format!("class {class}"));
    }
    if near["lower_bound"].as_f64().unwrap() > best * (1.0 + 1e-6) + ROUNDING {
        out.push(format!("lower bound {}", near["lower_bound"]));
    }
    if near["gradient_after"].as_f64().unwrap() > 1e-6 {
        out.push(format!("gradient {}", near["gradient_after"]));
    }
    for (name, class) in [("strict", "strict_saddle"), ("non_strict", "non_strict_saddle")] {
        let reference = distance(&case[class]).filter(|&reference| reference <= ANSWERED);
        if let Some(reference) = reference
            && distance(&near[name]).is_none_or(|found| found > RIGHT * reference + ROUNDING)
        {
            out.push(format!("{name} {} where {reference} is known", near[name]["distance"]));
        }
    }
    out
}

#[test]
fn nearest_points_of_checkpoints_are_at_most_five_per_cent_farther_than_the_best_known() {
    let mut wrong = Vec::new();
    for case in cases() {
        let complaints = complaints(&case);
        if !complaints.is_empty() {
            wrong.push(format!(
                "{}: {} (reference {})",
                case["id"],
                complaints.join(", "),
                case[case["overall"].as_str().unwrap()]
            ));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// The plateau of the guide: a strict saddle is known at 0.02189 (index 57, lambda_min -272), a non-strict one at 0.03252.
#[test]
fn the_plateau_of_the_digits_lies_next_to_a_strict_and_a_non_strict_saddle() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["diagnose", "--json", "--example", "digits", "--near", "near.safetensors", "--threads"];
    let document = rankscape(folder.path(), &[&arguments[..], &["1"]].concat()).json();
    let near = &document["near"];
    assert!(distance(near).unwrap() <= RIGHT * 0.021_889, "{near}");
    assert!(distance(&near["non_strict"]).unwrap() <= RIGHT * 0.032_523, "{near}");
    assert_eq!((&near["nearest_class"], &near["class"]), (&"strict_saddle".into(), &"non_strict_saddle".into()));
    assert_eq!((&near["strict"]["index"], &near["captured"]), (&57.into(), &serde_json::json!([1, 2, 3, 4, 5])));
    assert!(near["strict"]["lambda_min"].as_f64().unwrap() < -200.0, "{near}");
    assert_eq!(document["stall"]["verdict"], "stalled");
    // What the search costs: a change of the method that makes it dearer shows here.
    assert!(near["work"]["patterns"].as_u64().unwrap() <= 13, "{near}");
    assert!(near["work"]["iterations"].as_u64().unwrap() <= 2300, "{near}");

    // The point is written with the types of the weights and is critical up to their rounding.
    let data = ["--data", "example:digits/digits.npz", "--task", "autoencoder"];
    let again =
        rankscape(folder.path(), &[&["diagnose", "--json", "--weights", "near.safetensors"], &data[..]].concat());
    assert_eq!(again.json()["critical"], true);
    // In single precision the spare singular values of the point are rounding errors, of which no rank can be sure.
    let class = again.json()["class"].clone();
    assert!(class == "strict_saddle" || class == "undecided", "{class}");
    let refused = rankscape(folder.path(), &[&arguments[..], &["1"]].concat());
    assert_eq!(refused.code, 2, "an existing file is not replaced: {refused:?}");
    let forced = rankscape(folder.path(), &[&arguments[..], &["1", "--force"]].concat());
    assert_eq!(forced.json()["near"], *near, "but it is with --force: {forced:?}");

    let two = rankscape(folder.path(), &["diagnose", "--json", "--example", "digits", "--threads", "2"]).json();
    assert_eq!(two["near"], *near, "threads do not change the answer");
}

/// The distance is in the parameters as given, whatever the scale of the layers and of the data.
#[test]
fn scales_of_layers_and_data_are_survived() {
    let folder = tempfile::tempdir().unwrap();
    for (first, second, scale) in
        [(1.0, 1.0, 1.0), (1e150, 1e-150, 1.0), (1e-150, 1e150, 1.0), (1e-100, 1.0, 1e100), (1.0, 1.0, 1e-100)]
    {
        let weights = serde_json::json!({ "W1": [[first, 0.0], [0.0, 0.001 * first]], "W2": [[2.0 * second, 0.0], [0.0, 0.002 * second]] });
        let data = serde_json::json!({ "X": [[scale, 0.0], [0.0, scale]], "Y": [[2.0 * first * second * scale, 0.0], [0.0, first * second * scale]] });
        std::fs::write(folder.path().join("w.json"), weights.to_string()).unwrap();
        std::fs::write(folder.path().join("d.json"), data.to_string()).unwrap();
        let run = rankscape(folder.path(), &["diagnose", "--json", "--weights", "w.json", "--data", "d.json"]);
        assert!([0, 2, 3].contains(&run.code), "{run:?}");
    }
}

#[test]
fn a_learning_rate_tells_the_steps_of_an_e_fold() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("w.json"), r#"{"W1": [[0.01, 0]], "W2": [[0.01], [0.02]]}"#).unwrap();
    std::fs::write(folder.path().join("d.json"), r#"{"X": [[1, 0], [0, 1.5]], "Y": [[2, 0], [0, 1]]}"#).unwrap();
    for normalization in ["sum", "mean", "mse"] {
        let arguments = [
            "diagnose",
            "--json",
            "--weights",
            "w.json",
            "--data",
            "d.json",
            "--normalization",
            normalization,
            "--learning-rate",
            "0.1",
        ];
        let document = rankscape(folder.path(), &arguments).json();
        let lowest = document["hessian"]["lambda_min"].as_f64().unwrap();
        let steps = document["stall"]["steps"].as_f64().unwrap();
        assert!((steps * 0.1 * -lowest - 1.0).abs() < 1e-9, "{document}");
        assert_eq!(document["stall"]["verdict"], "moving");
    }
    let run =
        rankscape(folder.path(), &["diagnose", "--weights", "w.json", "--data", "d.json", "--learning-rate", "-1"]);
    assert_eq!(run.code, 2);
}

/// Where the constant of the output is off by 0.01, two biases that both pass it on move by half of it each.
#[test]
fn all_biases_move_to_the_nearest_ones() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let weights =
        r#"{"W1": [[1.0, 0.0], [0.0, 1.0]], "b1": [0.01, 0.0], "W2": [[1.0, 0.0], [0.0, 1.0]], "b2": [0.0, 0.0]}"#;
    std::fs::write(folder.join("w.json"), weights).unwrap();
    std::fs::write(
        folder.join("d.json"),
        r#"{"X": [[1.0, 0.0], [0.0, 1.0], [1.0, 1.5]], "Y": [[1.0, 0.0], [0.0, 1.0], [1.0, 1.5]]}"#,
    )
    .unwrap();
    let data = ["--data", "d.json"];
    let arguments = [&["diagnose", "--json", "--weights", "w.json", "--near", "n.json"], &data[..]].concat();
    let near = rankscape(folder, &arguments).json()["near"].clone();
    let expected = 0.01 / 2.0_f64.sqrt() / (4.0 + 1e-4_f64).sqrt();
    assert!((distance(&near).unwrap() - expected).abs() < 1e-9, "{near}");
    let again = rankscape(folder, &[&["diagnose", "--json", "--weights", "n.json"], &data[..]].concat()).json();
    assert_eq!(again["class"], "global_minimum", "{again}");
    let written: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("n.json")).unwrap()).unwrap();
    let close = |value: &Value, expected: f64| (value.as_f64().unwrap() - expected).abs() < 1e-9;
    assert!(close(&written["b1"][0], 0.005) && close(&written["b2"][0], -0.005), "{written}");
}
