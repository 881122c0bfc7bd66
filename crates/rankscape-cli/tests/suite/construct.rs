//! `critical --strata`, `critical --construct` and `parse` as a user meets them: documents, files, exit codes, bad input.

use std::path::Path;

use crate::common::{forced, listing, rankscape};
use serde_json::Value;
use testkit::files::put;

fn answer(folder: &Path, arguments: &[&str], code: i32) -> Value {
    let document = crate::common::answer(folder, arguments, code);
    let quiet = rankscape(folder, &forced(&[arguments, &["--quiet"]].concat()));
    assert_eq!((quiet.code, quiet.stdout.as_str()), (code, ""), "{quiet:?}");
    let text = rankscape(folder, &forced(arguments));
    assert!(text.code == code && text.stdout.lines().count() > 1, "{text:?}");
    document
}

fn target(folder: &Path) {
    put(folder, "y.json", br#"{"Y": [[3, 0, 0], [0, 1, 0], [0, 0, 0]]}"#);
}

#[test]
fn every_listed_stratum_is_constructed_exactly_and_diagnosed_and_parsed_as_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    target(folder);
    let family = ["--target", "y.json", "--widths", "3,2,2,3", "--captured", "2"];
    let strata = answer(folder, &[&["critical", "--strata"], &family[..]].concat(), 0);
    let listed = strata["strata"].as_array().unwrap();
    assert_eq!(strata["strata_total"], listed.len());
    for (number, stratum) in listed.iter().enumerate() {
        let number = (number + 1).to_string();
        let construct =
            [&["critical", "--construct"], &family[..], &["--stratum", &number, "--save", "w.json"]].concat();
        let point = answer(folder, &construct, 0);
        assert_eq!((&point["check"]["holds"], &point["evidence"]["grade"]), (&Value::Bool(true), &"exact".into()));
        assert_eq!((&point["captured"], &point["value"]), (&serde_json::json!([2]), &serde_json::json!(4.5)));
        for field in ["barcode", "wrapped", "class", "index", "nullity", "dimension"] {
            assert_eq!(point["stratum"][field], stratum[field], "{number} {field}");
        }
        let diagnosis = rankscape(folder, &["diagnose", "--weights", "w.json", "--target", "y.json", "--json"]).json();
        assert_eq!(diagnosis["class"], stratum["class"], "{number}");
        assert_eq!(diagnosis["hessian"]["index"], stratum["index"], "{number}");
        assert_eq!(diagnosis["hessian"]["nullity"], stratum["nullity"], "{number}");
        assert_eq!(diagnosis["barcode"], stratum["barcode"], "{number}");
        if number.len() == 1 {
            let parsed = answer(folder, &["parse", "--weights", "w.json", "--target", "y.json"], 0);
            assert_eq!((&parsed["wrapped"], &parsed["captured"]), (&stratum["wrapped"], &serde_json::json!([2])));
            assert!(parsed["reconstruction_error"].as_f64().unwrap() < 1e-12, "{parsed}");
            assert_eq!(parsed["order"]["name"], "deep_non_optimal");
        }
    }
}

#[test]
fn points_over_samples_are_written_in_every_format_and_are_critical_there() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "d.csv", b"x1,x2,x3,y1,y2\n1.5,0,1.5,2,1\n0,1.25,0,0,3\n1,1,1,1,0\n2,0,2,1,1\n");
    for (gauge, file) in [("canonical", "w.npz"), ("random", "w.safetensors"), ("balanced", "w.json")] {
        let unseen = if gauge == "balanced" { "zero" } else { "random" };
        let construct =
            ["critical", "--construct", "--data", "d.csv", "--widths", "3,2,2", "--captured", "1", "--gauge", gauge];
        let point = answer(folder, &[&construct[..], &["--unseen", unseen, "--save", file, "--seed", "5"]].concat(), 0);
        assert_eq!((&point["data_rank"], &point["saved"]), (&serde_json::json!(2), &file.into()));
        let diagnosis = rankscape(folder, &["diagnose", "--weights", file, "--data", "d.csv", "--json"]);
        assert_eq!(diagnosis.code, 0, "{diagnosis:?}");
        assert_eq!(diagnosis.json()["class"], "strict_saddle");
        let parsed = answer(folder, &["parse", "--weights", file, "--data", "d.csv"], 0);
        assert_eq!(
            (&parsed["order"]["name"], &parsed["levels"][0]["p"]),
            (&"optimal".into(), &serde_json::json!([1, 0]))
        );
    }
}

#[test]
fn a_point_that_is_not_critical_is_answered_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    target(folder);
    put(folder, "w.json", br#"{"W1": [[1, 0, 0]], "W2": [[1], [0], [0]]}"#);
    let parsed = answer(folder, &["parse", "--weights", "w.json", "--target", "y.json"], 0);
    assert_eq!((&parsed["critical"], &parsed["class"]), (&Value::Bool(false), &"not_critical".into()));
    assert!(parsed["reason"].as_str().unwrap().contains("not a critical point"));
}

#[test]
fn what_cannot_be_built_is_one_message_and_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    target(folder);
    put(folder, "d.json", br#"{"X": [[1, 0], [0, 1]], "Y": [[1], [2]]}"#);
    put(folder, "wb.json", br#"{"W1": [[1, 0, 0]], "W2": [[1], [0], [0]], "b2": [0, 0, 0]}"#);
    put(folder, "d3.json", br#"{"X": [[1, 0, 0], [0, 1, 0]], "Y": [[1, 0, 0], [0, 2, 0]]}"#);
    put(folder, "z.json", br#"{"Z1": [[0, 1, 0]], "Z2": [[0], [0], [0]]}"#);
    let before = listing(folder);
    let refused = |arguments: &[&str], part: &str| {
        let run = rankscape(folder, arguments);
        assert_eq!((run.code, run.stdout.as_str(), run.stderr.lines().count()), (2, "", 1), "{run:?}");
        assert!(run.stderr.contains(part), "{part:?} is not in {}", run.stderr);
        assert_eq!(listing(folder), before);
    };
    let construct = |widths: &str, captured: &str, more: &[&str], part: &str| {
        let arguments = [
            "critical",
            "--construct",
            "--target",
            "y.json",
            "--widths",
            widths,
            "--captured",
            captured,
            "--save",
            "w.json",
        ];
        refused(&[&arguments[..], more].concat(), part);
    };
    construct("3,1,3", "1,2", &[], "2 captured directions need rank 2");
    construct("3,3,3", "3", &[], "singular value number 3 of the whitened target is zero");
    construct("3,3,3", "9", &[], "numbered from 1 to 3");
    construct("3,3,3", "one", &[], "numbers separated by commas");
    construct("2,3,3", "1", &[], "do not fit");
    construct("3,0,3", "1", &[], "width d1 is zero");
    construct("3,3", "1", &[], "one layer");
    construct("3,3,3", "1", &["--stratum", "777"], "there are only");
    construct("3,3,3", "1", &["--stratum", "last"], "minimal, generic or a number");
    construct("3,3,3", "1", &["--barcode", "0-2,0-0x2,1-1x2"], "bars through node 2 must be as many as its width, 3");
    construct("3,3,3", "1", &["--barcode", "0..2"], "not understood");
    construct("3,3,3", "1", &["--rank-profile", "0:1=1,1:2=0,0:2=1"], "fails");
    construct("3,3,3", "1", &["--rank-profile", "0:1=1"], "is missing");
    construct("3,3,3", "1", &["--wrapped", "2-0"], "--wrapped needs --barcode");
    construct("3,3,3", "1", &["--gauge", "balanced", "--stratum", "generic"], "no balanced point");
    construct("3,3,3", "none", &["--stratum", "generic", "--max", "2"], "too many strata");
    refused(&["critical", "--strata", "--data", "d.json", "--widths", "2,2,2", "--captured", "1"], "outputs");
    refused(&["critical", "--strata", "--widths", "2,2,1", "--captured", "1"], "no data were given");
    construct("3,2,3", "1", &["--surplus", "z.json"], "not critical: the gradient is largest at W2");
    construct("3,3,3", "1", &["--surplus", "z.json"], "2 x 3 is needed");
    refused(&["parse", "--weights", "wb.json", "--data", "d3.json"], "networks without biases");
}

#[test]
fn without_a_family_a_global_minimum_is_constructed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    target(folder);
    let construct = ["critical", "--construct", "--target", "y.json", "--widths", "3,1,3", "--save", "w.json"];
    assert_eq!(answer(folder, &construct, 0)["captured"], serde_json::json!([1]));
    let diagnosis = rankscape(folder, &["diagnose", "--weights", "w.json", "--target", "y.json", "--json"]).json();
    assert_eq!(diagnosis["class"], "global_minimum");
}

#[test]
fn the_same_seed_constructs_the_same_point() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "y.json", br#"{"Y": [[3.5, 1, 0], [0, 1, 0], [0, 0, 2]]}"#);
    let factors = |seed: &str, threads: &str| {
        let arguments = [
            "critical",
            "--construct",
            "--target",
            "y.json",
            "--widths",
            "3,3,4,3",
            "--captured",
            "1,3",
            "--stratum",
            "generic",
        ];
        let more = ["--gauge", "random", "--seed", seed, "--threads", threads];
        answer(folder, &[&arguments[..], &more].concat(), 0)["factors"].clone()
    };
    assert_eq!(factors("3", "1"), factors("3", "2"));
    assert_ne!(factors("3", "1"), factors("4", "1"));
}
