//! The nearest critical points of every checkpoint of `oracles/near`, through the command.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{rankscape, root};
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
    if best <= ANSWERED && class != overall && !tied {
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
            wrong.push(format!("{}: {} (reference {})", case["id"], complaints.join(", "), case[case["overall"].as_str().unwrap()]));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
