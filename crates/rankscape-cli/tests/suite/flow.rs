//! `rankscape flow`: runs from weights and from starts that are made, levels, plateaus, bad input.

use crate::common::{assert_close, assert_refused, assert_valid, rankscape};
use testkit::files::put;

const TARGET: &str = r#"{"Y": [[3, 0], [0, 1]]}"#;
const WEIGHTS: &str = r#"{"W1": [[0.1, 0.0], [0.0, 0.1]], "W2": [[0.1, 0.0], [0.0, 0.1]]}"#;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "y.json", TARGET.as_bytes());
    put(folder.path(), "w.json", WEIGHTS.as_bytes());
    put(folder.path(), "slow.json", br#"{"Y": [[3, 0], [0, 0.5]]}"#);
    put(folder.path(), "small.json", WEIGHTS.replace("0.1", "0.01").as_bytes());
    folder
}

/// Aligned balanced layers: every direction is `u' = 2 u (sigma - u)`, so `u = sigma / (1 + (sigma / u0 - 1) exp(-2 sigma t))`.
#[test]
fn aligned_balanced_runs_have_the_losses_of_their_closed_form() {
    let folder = folder();
    let run = rankscape(
        folder.path(),
        &["flow", "--json", "--weights", "small.json", "--target", "slow.json", "--until-time", "5", "--samples", "8"],
    );
    assert_eq!(run.code, 0, "{run:?}");
    let document = run.json();
    assert_valid("flow", &document);
    for (k, sample) in document["samples"].as_array().unwrap().iter().enumerate() {
        let time = 0.625 * (k + 1) as f64;
        let value = |sigma: f64| sigma / (1.0 + (sigma / 1e-4 - 1.0) * (-2.0 * sigma * time).exp());
        let loss = 0.5 * ((3.0 - value(3.0)).powi(2) + (0.5 - value(0.5)).powi(2));
        assert_close(&sample["loss"], loss, 1e-10, "loss");
        assert_close(&sample["time"], time, 1e-15, "time");
    }
    assert!(document["conserved"]["max_drift"].as_f64().unwrap() < 1e-12);
    let events = document["events"].as_array().unwrap();
    let captured: Vec<String> = events.iter().map(|event| event["captured"].to_string()).collect();
    assert_eq!(captured, ["[]", "[1]", "null"], "{events:?}");
    assert_eq!(events[1]["class"], "strict_saddle");
}

#[test]
fn descent_takes_the_steps_that_it_is_told_and_says_when_it_diverges() {
    let folder = folder();
    let descent = |step: &str| {
        let arguments = [
            "flow",
            "--json",
            "--weights",
            "w.json",
            "--target",
            "y.json",
            "--method",
            "gd",
            "--steps",
            "1",
            "--step",
            step,
        ];
        rankscape(folder.path(), &arguments).json()
    };
    // u -> u + step u (sigma - u^2) for both layers.
    let next = |sigma: f64| 0.1 + 0.5 * 0.1 * (sigma - 0.01);
    let loss = 0.5 * ((3.0 - next(3.0).powi(2)).powi(2) + (1.0 - next(1.0).powi(2)).powi(2));
    let document = descent("0.5");
    assert_close(&document["final"]["loss"], loss, 1e-13, "final loss");
    assert_close(&document["stability_limit"], 1.0 / 3.0, 1e-12, "limit");
    let note = document["notes"].to_string();
    assert!(note.contains("a step of 0.5 is longer than 0.333333, the limit of stability"), "{note}");
    assert_eq!(descent("0.3")["notes"], serde_json::json!([]));
    let arguments = ["flow", "--weights", "w.json", "--target", "y.json", "--method", "gd", "--step", "5"];
    let text = rankscape(folder.path(), &arguments).stdout;
    assert!(text.starts_with("The run diverges: the steps are too long."), "{text}");
}

#[test]
fn starts_that_cannot_reach_the_minimum_are_told() {
    let folder = folder();
    let obstructed = (0..8).filter(|seed| {
        let seed = seed.to_string();
        let arguments = [
            "flow",
            "--json",
            "--start",
            "balanced",
            "--widths",
            "2,2,2",
            "--target",
            "y.json",
            "--until-time",
            "30",
            "--seed",
            &seed,
        ];
        let document = rankscape(folder.path(), &arguments).json();
        let stuck = document["determinant_sign_obstruction"] == true;
        assert_close(&document["final"]["loss"], if stuck { 0.5 } else { 0.0 }, 1e-6, "final loss");
        stuck
    });
    assert!((1..8).contains(&obstructed.count()));
}

#[test]
fn bad_input_is_refused_with_what_to_do() {
    let folder = folder();
    let base = ["flow", "--weights", "w.json", "--target", "y.json"];
    for (more, part) in [
        (&["--until-time", "-1"][..], "array --until-time: this must be a positive number (found -1)"),
        (&["--levels", "1.5"], "a level is a part of the gap at the start, between 0 and 1 (found 1.5)"),
        (&["--step", "0.1"], "--step does nothing here: gradient flow has no steps of its own; give --method gd"),
        (&["--method", "gd"], "gradient descent needs a learning rate"),
        (
            &["--method", "gd", "--step", "0.1", "--momentum", "0.9"],
            "--momentum does nothing here: give --method momentum",
        ),
        (
            &["--method", "momentum", "--step", "0.1", "--momentum", "1"],
            "momentum is a number from 0 to below 1 (found 1)",
        ),
        (&["--weight-decay", "1", "--until-gap", "0.1"], "the gap to the global minimum is not known here"),
    ] {
        assert_refused(&rankscape(folder.path(), &[&base[..], more].concat()), &[part]);
    }
}

/// Half a run, saved and gone on with, is the whole run: to the last digit for descent, to the accuracy of the steps for flow.
#[test]
fn a_run_goes_on_from_its_saved_end() {
    let folder = folder();
    let run = |weights: &str, more: &[&str]| {
        let base = ["flow", "--json", "--weights", weights, "--target", "y.json"];
        let run = rankscape(folder.path(), &[&base[..], more].concat());
        assert_eq!(run.code, 0, "{run:?}");
        run.json()["final"]["loss"].as_f64().unwrap()
    };
    let descent = |steps: &'static str| ["--method", "gd", "--step", "0.1", "--steps", steps];
    let whole = run("w.json", &descent("40"));
    run("w.json", &[&descent("15")[..], &["--save", "half.npz"]].concat());
    assert_eq!(run("half.npz", &descent("25")), whole);
    let whole = run("w.json", &["--until-time", "2"]);
    run("w.json", &["--until-time", "0.75", "--save", "half.json"]);
    let joined = run("half.json", &["--until-time", "1.25"]);
    assert!((joined - whole).abs() <= 1e-10 * whole, "{joined} {whole}");
    let momentum = ["--method", "momentum", "--step", "0.1", "--save", "never.npz"];
    let arguments = [&["flow", "--weights", "w.json", "--target", "y.json"][..], &momentum].concat();
    let parts =
        ["array --save: the end of this run is not saved: a run with momentum does not go on from its weights alone"];
    assert_refused(&rankscape(folder.path(), &arguments), &parts);
}

/// `W_2' W_2 - W_1 W_1' - b_1 b_1'` is what stays; with decay, which biases do not have, nothing does.
#[test]
fn biases_are_part_of_what_is_conserved() {
    let folder = folder();
    put(
        folder.path(),
        "b.json",
        br#"{"W1": [[0.5, 0.2], [-0.3, 0.4]], "b1": [0.7, -0.2], "W2": [[0.6, -0.1], [0.2, 0.3]], "b2": [0.1, 0.4]}"#,
    );
    put(
        folder.path(),
        "d.json",
        br#"{"X": [[1, 2], [0.5, -1], [2, 0], [-1, 1]], "Y": [[1, 0], [2, 1], [0, 3], [1, 1]]}"#,
    );
    let arguments = ["flow", "--json", "--weights", "b.json", "--data", "d.json", "--until-time", "5"];
    let drift = |more: &[&str]| {
        let run = rankscape(folder.path(), &[&arguments[..], more].concat());
        assert_eq!(run.code, 0, "{run:?}");
        assert_valid("flow", &run.json());
        run.json()["conserved"]["max_drift"].as_f64()
    };
    assert!(drift(&[]).is_some_and(|drift| drift < 1e-10));
    assert_eq!(drift(&["--weight-decay", "0.1"]), None);
}

#[test]
fn widths_and_scale_of_a_start_are_refused_beside_weights() {
    let folder = folder();
    for more in [["--widths", "2,5,2"], ["--scale", "0.1"]] {
        let run =
            rankscape(folder.path(), &[&["flow", "--weights", "w.json", "--target", "y.json"], &more[..]].concat());
        assert_refused(&run, &[more[0], "--weights"]);
    }
}

/// A batch of all samples is gradient descent; smaller ones are the same for the same seed and reach the loss of an exact fit.
#[test]
fn batches_of_samples_are_reproducible_and_fit() {
    let folder = folder();
    put(
        folder.path(),
        "d.json",
        br#"{"X": [[1, 2], [0.5, -1], [2, 0], [-1, 1]], "Y": [[1, 2], [0.5, -1], [2, 0], [-1, 1]]}"#,
    );
    put(folder.path(), "v.json", br#"{"W1": [[0.5, 0.2], [-0.3, 0.4]], "W2": [[0.6, -0.1], [0.2, 0.3]]}"#);
    let of = |more: &[&str]| {
        let arguments = ["flow", "--json", "--weights", "v.json", "--data", "d.json", "--step", "0.02"];
        let run = rankscape(folder.path(), &[&arguments[..], more].concat());
        assert_eq!(run.code, 0, "{run:?}");
        assert_valid("flow", &run.json());
        run.json()
    };
    let losses = |document: &serde_json::Value| -> Vec<f64> {
        document["samples"].as_array().unwrap().iter().map(|sample| sample["loss"].as_f64().unwrap()).collect()
    };
    let descent = of(&["--method", "gd", "--steps", "50"]);
    let whole = of(&["--method", "sgd", "--batch", "4", "--steps", "50"]);
    assert_eq!(whole["method"], "sgd");
    for (a, b) in losses(&whole).iter().zip(losses(&descent)) {
        assert!((a - b).abs() <= 1e-10 * b.abs(), "{a} {b}");
    }
    let part = ["--method", "sgd", "--batch", "3", "--steps", "4000"];
    let (first, again) = (of(&part), of(&part));
    assert_eq!(losses(&first), losses(&again));
    let other = of(&[&part[..], &["--seed", "7"]].concat());
    assert_ne!(losses(&first), losses(&other));
    for run in [first, other] {
        assert!(*losses(&run).last().unwrap() < 1e-12, "{:?}", losses(&run));
    }
}
