//! `rankscape itinerary`: shipped runs by name, runs that the flow makes, folders that are mixed or broken.

use std::path::Path;

use crate::common::{assert_close, assert_refused, assert_valid, rankscape, root};
use serde_json::Value;
use testkit::files::put;

fn captured(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|entry| entry["captured"].to_string()).collect()
}

/// Critical values, sets and the next plateaus are those of the README of the example, whose training knew them.
#[test]
fn the_digits_run_is_named_plateau_by_plateau() {
    let folder = tempfile::tempdir().unwrap();
    let run = rankscape(folder.path(), &["itinerary", "--example", "digits", "--json", "--learning-rate", "7e-8"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    let document = run.json();
    assert_valid("itinerary", &document);
    let visits = &document["visits"];
    assert_eq!(captured(visits), ["[]", "[1,2,3,4,5]", "[1,2,3,4,5,6,7,8]"]);
    let classes: Vec<&str> = (0..3).map(|k| visits[k]["class"].as_str().unwrap()).collect();
    assert_eq!(classes, ["non_strict_saddle", "non_strict_saddle", "global_minimum"]);
    assert_close(&visits[1]["value"], 523_343.291, 1e-8, "value of the plateau");
    assert_close(&visits[2]["value"], 364_016.913_309, 1e-11, "value of the minimum");
    assert_eq!(visits[0]["ahead"]["learn"], 1);
    assert_eq!(visits[1]["ahead"]["learn"], 6);
    // Half the squares of the singular values of X: 353 is the sixth.
    let gain = visits[1]["value"].as_f64().unwrap() - visits[1]["ahead"]["value"].as_f64().unwrap();
    assert!(((2.0 * gain).sqrt() - 353.0).abs() < 0.5, "{gain}");
    assert_eq!(visits[2]["ahead"], Value::Null);
    assert_eq!(document["points"][1]["step"], 83_400);
}

#[test]
fn the_classifier_passes_a_level_without_a_plateau_and_its_twin_stays() {
    let folder = tempfile::tempdir().unwrap();
    let run = rankscape(folder.path(), &["itinerary", "--example", "digits-classifier", "--json"]);
    let document = run.json();
    assert_valid("itinerary", &document);
    assert_eq!(captured(&document["visits"]), ["[1,2,3,4,5,6]"]);
    assert_eq!(document["points"][1]["rank"], 4);
    assert_eq!(document["points"][1]["rests"], false);
    let digits = root().join("examples/digits");
    let [weights, data] = ["classifier-plateau.safetensors", "digits.npz"].map(|name| digits.join(name));
    put(folder.path(), "steps.txt", b"130080");
    let arguments = ["itinerary", weights.to_str().unwrap(), "--data", data.to_str().unwrap(), "--steps", "steps.txt"];
    let text = rankscape(folder.path(), &arguments).stdout;
    assert!(text.starts_with("The run visits 1 saddle and is still at the last one.\n"), "{text}");
    assert!(text.contains("Plateau    at step 130080: loss 582.618 with directions 1-4\n"), "{text}");
    assert!(text.contains("a strict saddle with curvature down to"), "{text}");
}

/// Layers diag(a, b) in all three places.
fn diagonal(a: f64, b: f64) -> String {
    let layer = format!("[[{a}, 0], [0, {b}]]");
    format!(r#"{{"W1": {layer}, "W2": {layer}, "W3": {layer}}}"#)
}

fn stored(folder: &Path, points: &[(&str, f64, f64)]) {
    std::fs::create_dir_all(folder.join("run")).unwrap();
    put(folder, "y.json", br#"{"Y": [[8, 0], [0, 1]]}"#);
    for (name, a, b) in points {
        put(&folder.join("run"), name, diagonal(*a, *b).as_bytes());
    }
}

const RUN: [&str; 5] = ["itinerary", "run", "--target", "y.json", "--json"];

/// Three balanced layers along diag(8, 1): {} until the first direction has grown, {1}, both.
#[test]
fn visits_last_from_the_first_checkpoint_that_rests_to_the_last() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    stored(
        folder,
        &[
            ("step-0.json", 1e-4, 1e-4),
            ("step-5.json", 2e-4, 1e-4),
            ("step-10.json", 1.2, 1e-4),
            ("step-20.json", 1.999_999, 1e-4),
            ("step-100.json", 2.0, 2e-4),
            ("step-900.json", 2.0, 1.0),
        ],
    );
    let run = rankscape(folder, &RUN);
    assert_eq!(run.code, 0, "{run:?}");
    let document = run.json();
    assert_valid("itinerary", &document);
    let visits = document["visits"].as_array().unwrap();
    let found: Vec<(u64, u64, String, f64)> = visits
        .iter()
        .map(|visit| {
            let step = |name: &str| visit[name].as_u64().unwrap();
            (step("from_step"), step("to_step"), visit["captured"].to_string(), visit["value"].as_f64().unwrap())
        })
        .collect();
    let expected =
        [(0, 5, "[]".to_owned(), 32.5), (20, 100, "[1]".to_owned(), 0.5), (900, 900, "[1,2]".to_owned(), 0.0)];
    assert_eq!(found, expected, "{document:#}");
    assert_eq!(visits[1]["class"], "non_strict_saddle");
    assert_eq!((&visits[0]["ahead"]["learn"], &visits[1]["ahead"]["learn"]), (&1.into(), &2.into()));
    assert_eq!(document["points"][2]["rests"], false);
}

/// Growth follows Y X' and the directions are those of the whitened target.
#[test]
fn the_next_plateau_is_told_by_growth_and_not_by_size() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    stored(folder, &[("1.json", 0.0, 0.0)]);
    put(folder, "d.json", br#"{"X": [[0.5, 0], [0, 2]], "Y": [[3, 0], [0, 1.5]]}"#);
    let ahead =
        |data: &[&str]| rankscape(folder, &[&["itinerary", "run", "--json"], data].concat()).json()["ahead"].clone();
    assert_eq!(ahead(&["--data", "d.json"])["learn"], 2);
    assert_close(&ahead(&["--data", "d.json"])["value"], 4.5, 1e-12, "value");
    put(folder, "tie.json", br#"{"Y": [[3, 0], [0, 3]]}"#);
    assert_eq!(ahead(&["--target", "tie.json"]), Value::Null);
}

#[test]
fn mixed_and_broken_folders_have_a_note_or_one_error() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    stored(folder, &[("s0.json", 0.0, 0.0), ("s10.json", 0.0, 0.0), ("s20.json", 2.0, 0.0), ("s40.json", 2.0, 1.0)]);
    let inside = folder.join("run");
    put(&inside, "log.txt", b"hello");
    put(&inside, "config.json", b"{}");
    put(&inside, "s30.json", br#"{"W1": [[NaN, 0], [0, 1]], "W2": [[1, 0], [0, 1]], "W3": [[1, 0], [0, 1]]}"#);
    let run = rankscape(folder, &RUN);
    assert_eq!(run.code, 3, "{run:?}");
    let document = run.json();
    assert_valid("itinerary", &document);
    assert_eq!(document["points"].as_array().unwrap().len(), 4);
    let said = |field: &str| document[field].to_string();
    assert!(said("unreadable").contains("step 30: run/s30.json: array W1"), "{}", said("unreadable"));
    for note in
        ["log.txt is no file of weights and is left out", "config.json has no number in its name and is left out"]
    {
        assert!(said("notes").contains(note), "{}", said("notes"));
    }
    std::fs::remove_file(inside.join("s30.json")).unwrap();
    let run = rankscape(folder, &RUN);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.contains("step 30 is missing between checkpoints every 10 steps"), "{run:?}");

    put(&inside, "t10.json", diagonal(1.0, 1.0).as_bytes());
    assert_refused(
        &rankscape(folder, &RUN),
        &["run/t10.json: two checkpoints have the same step (found 10, as run/s10.json)"],
    );
    std::fs::remove_file(inside.join("t10.json")).unwrap();
    put(&inside, "s50.json", br#"{"W1": [[1, 0], [0, 1]], "W2": [[1, 0], [0, 1]]}"#);
    let parts = ["run/s50.json: the network of this checkpoint has other widths than that of the first"];
    assert_refused(&rankscape(folder, &RUN), &parts);
    put(folder, "few.json", b"[1, 2]");
    let few = ["itinerary", "run/s0.json", "--target", "y.json", "--steps", "few.json"];
    assert_refused(
        &rankscape(folder, &few),
        &["few.json: there are not as many steps as files (found 2 steps, 1 files)"],
    );
    let bare = ["itinerary", "y.json", "--target", "y.json"];
    assert_refused(&rankscape(folder, &bare), &["y.json: the name of this file has no number"]);
    let none = ["itinerary", "nowhere-1.json", "--target", "y.json"];
    assert_refused(&rankscape(folder, &none), &["nowhere-1.json"]);
    std::fs::create_dir(folder.join("empty")).unwrap();
    let empty = ["itinerary", "empty", "--target", "y.json"];
    assert_refused(&rankscape(folder, &empty), &["empty: there are no checkpoints here"]);
}

/// Weights stored in different types keep their own rounding, and exact ones stay exact beside others.
#[test]
fn the_order_of_the_files_and_their_scale_do_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    stored(folder, &[("1.json", 0.0, 0.0), ("2.json", 2.0, 0.0), ("3.json", 2.0, 1.0)]);
    let order = |files: [&str; 3]| {
        let run = rankscape(folder, &[&["itinerary"], &files[..], &["--target", "y.json", "--json"]].concat());
        assert_eq!(run.code, 0, "{run:?}");
        let document = run.json();
        (document["visits"].clone(), document["points"].clone(), document["digest"].clone())
    };
    let files = ["run/1.json", "run/2.json", "run/3.json"];
    let forward = order(files);
    assert_eq!(forward, order([files[2], files[0], files[1]]));
    assert_eq!(captured(&forward.0), ["[]", "[1]", "[1,2]"]);
    for scale in [1e-30_f64, 1e30] {
        put(folder, "y.json", format!(r#"{{"Y": [[{}, 0], [0, {}]]}}"#, 8.0 * scale, scale).as_bytes());
        let root = scale.cbrt();
        for (file, a, b) in [("1.json", 0.0, 0.0), ("2.json", 2.0, 0.0), ("3.json", 2.0, 1.0)] {
            put(&folder.join("run"), file, diagonal(a * root, b * root).as_bytes());
        }
        assert_eq!(captured(&order(files).0), ["[]", "[1]", "[1,2]"], "{scale}");
    }
}
