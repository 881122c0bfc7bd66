//! The verbs `ed` and `solve`: independent answers, documents, bad input, the same bytes for any number of threads.

use std::path::{Path, PathBuf};

use crate::common::{assert_close, listing, rankscape};
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn assert_valid(name: &str, document: &Value) {
    let text = std::fs::read_to_string(root().join(format!("docs/schema/{name}.schema.json"))).unwrap();
    let validator = jsonschema::draft202012::new(&serde_json::from_str(&text).unwrap()).unwrap();
    let errors: Vec<String> = validator.iter_errors(document).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

pub(crate) fn answer(folder: &Path, arguments: &[&str], code: i32) -> Value {
    let run = rankscape(folder, &[arguments, &["--json"]].concat());
    assert_eq!((run.code, run.stderr.as_str()), (code, ""), "{arguments:?}: {}", run.stdout);
    let document = run.json();
    let name = document["schema"].as_str().unwrap().split(['.', '/']).nth(1).unwrap().to_owned();
    assert_valid(&name, &document);
    document
}

/// The problem, array, value and hint of a refusal.
pub(crate) fn refused(folder: &Path, arguments: &[&str]) -> String {
    let run = rankscape(folder, &[arguments, &["--json"]].concat());
    assert_eq!(run.code, 2, "{arguments:?}: {run:?}");
    assert_valid("error", &run.json());
    run.stderr
}

pub(crate) fn put(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

fn without_run(mut document: Value) -> String {
    document.as_object_mut().unwrap().remove("run").unwrap();
    document.to_string()
}

#[test]
fn degrees_are_the_known_ones() {
    let folder = tempfile::tempdir().unwrap();
    let ed = |m: &str, n: &str, r: &str| answer(folder.path(), &["ed", "--rows", m, "--cols", n, "--rank", r], 0);
    for (m, n, r, generic) in [
        ("2", "2", "1", 6),
        ("2", "3", "1", 10),
        ("3", "3", "1", 39),
        ("3", "3", "2", 39),
        ("3", "4", "1", 83),
        ("4", "4", "1", 284),
        ("4", "4", "2", 1350),
        ("4", "4", "3", 284),
        ("4", "3", "1", 83),
        ("3", "5", "3", 1),
    ] {
        let found = ed(m, n, r);
        assert_eq!(found["generic"], generic, "{m} {n} {r}");
        let sum: i64 = found["polar_degrees"].as_array().unwrap().iter().map(|d| d.as_i64().unwrap()).sum();
        assert_eq!(sum, generic, "{m} {n} {r}");
    }
    assert_eq!(ed("4", "4", "2")["unit"], 6);
    assert_eq!(ed("12", "12", "6")["generic"].to_string(), "17217955509014580682454751516");
    for (m, r) in [("3", "0"), ("3", "4"), ("0", "1"), ("41", "1")] {
        refused(folder.path(), &["ed", "--rows", m, "--cols", "3", "--rank", r]);
    }
}

#[test]
fn weights_change_the_count() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let arguments = ["ed", "--rows", "3", "--cols", "3", "--rank", "1", "--weights", "w.json"];
    for (weights, count, grade, kind) in [
        ("[[1,1,1],[1,1,1],[1,1,1]]", 3, "exact", "product"),
        ("[[1,2,3],[2,4,6],[3,6,9]]", 3, "exact", "product"),
        ("[[1,2,3],[5,1,2],[3,2,7]]", 39, "certified", "definite"),
        ("[[1,2,3],[2,4,5],[3,7,1]]", 35, "numerical", "definite"),
        ("[[1,2,3],[5,1,2],[3,2,0]]", 36, "numerical", "singular"),
    ] {
        put(folder, "w.json", weights);
        let found = answer(folder, &arguments, 0)["weighted"].clone();
        let evidence = &found["evidence"];
        let seen = (found["count"].as_u64(), evidence["grade"].as_str(), found["metric"]["kind"].as_str());
        assert_eq!(seen, (Some(count), Some(grade), Some(kind)), "{weights}");
        assert_eq!(found["lower_bound"], false);
        assert!(grade != "numerical" || evidence["trace"]["passed"] == true);
    }
    put(folder, "w.json", "[[1,2,3],[5,1,2]]");
    assert!(refused(folder, &arguments).contains("must be 3 x 3 (found 2 x 3)"));
    put(folder, "w.json", "[[1,2,3],[5,-1,2],[1,1,1]]");
    assert!(refused(folder, &arguments).contains("must not be negative"));
    put(folder, "w.json", "[[0,0,0],[0,0,0],[0,0,0]]");
    assert!(refused(folder, &arguments).contains("must not vanish"));
}

fn oracle(name: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = root().join("oracles/weighted").join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    let file = path.to_str().unwrap();
    let found = answer(folder.path(), &["solve", "--instances", file, "--threads", "2"], 0);
    assert_eq!(found["instances"].as_array().unwrap().len(), text.lines().count(), "{name}");
    for (line, found) in text.lines().zip(found["instances"].as_array().unwrap()) {
        let known: Value = serde_json::from_str(line).unwrap();
        let id = found["id"].as_str().unwrap();
        for field in ["id", "n_complex", "n_real", "n_minima"] {
            assert_eq!(found[field], known[field], "{id}");
        }
        assert_eq!((&found["complete"], &found["certified"]), (&true.into(), &true.into()), "{id}");
        assert_eq!(found["expected"], known["n_complex"], "{id}");
        let real = found["real"].as_array().unwrap();
        for (k, point) in real.iter().enumerate() {
            assert_eq!(point["index"], known["indices"][k], "{id}");
            let value = known["critical_values"][k].as_f64().unwrap();
            assert_close(&point["value"], value, 1e-9, id);
            let entries: Vec<&Value> =
                point["W"].as_array().unwrap().iter().flat_map(|row| row.as_array().unwrap()).collect();
            let expected = known["critical_points"][k].as_array().unwrap();
            assert_eq!(entries.len(), expected.len(), "{id}");
            for (entry, expected) in entries.iter().zip(expected) {
                assert_close(entry, expected.as_f64().unwrap(), 1e-7, id);
            }
        }
    }
}

#[test]
fn independent_answers_of_2x2_instances_hold() {
    oracle("weighted_rank1_2x2.jsonl");
}

#[test]
fn independent_answers_of_2x3_instances_hold() {
    oracle("weighted_rank1_2x3.jsonl");
}

#[test]
fn independent_answers_of_3x3_instances_hold() {
    oracle("weighted_rank1_3x3.jsonl");
}

const MIXED: &str = r#"{"id":"tall","m":3,"n":2,"r":1,"weights":[[1,2.5],[3,7],[2,11]],"q":[1,2,3,4,5,7]}
{"id":"square","m":2,"n":2,"r":1,"phi":[1,0,2,0,0,1,1,0,0,0,1,3,1,0,0,1],"q":[1,2,3,5],"convention":"image"}

{"m":2,"n":3,"r":1,"weights":[1,2,3,4,5,7],"q":[1,2,3,4,5,7]}
"#;

#[test]
fn shapes_mix_and_threads_do_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "i.jsonl", MIXED);
    let run = |threads: &str| answer(folder, &["solve", "--instances", "i.jsonl", "--threads", threads], 0);
    let found = run("1");
    assert_eq!(without_run(found.clone()), without_run(run("2")));
    let ids: Vec<&str> = found["instances"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["tall", "square", "4"]);
    assert_eq!(found["instances"][0]["real"][0]["W"].as_array().unwrap().len(), 3);
    let cost = answer(folder, &["solve", "--instances", "i.jsonl", "--dry-run"], 0);
    assert_eq!((&cost["costs"][0]["paths"], &cost["costs"][1]["instances"]), (&6.into(), &2.into()));
    assert_eq!(listing(folder), ["i.jsonl"]);
    let run = rankscape(folder, &["solve", "--instances", "i.jsonl", "--out", "o"]);
    assert!(run.code == 0 && run.stdout.ends_with("index.\n") && run.stderr.is_empty(), "{run:?}");
    assert!(run.stdout.contains("minimum\n") && !run.stdout.contains("there may be others"), "{run:?}");
    assert_eq!(listing(&folder.join("o")), ["solve.json"]);
}

#[test]
fn a_byte_order_mark_and_integral_numbers_are_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let line = r#"{"m":2.0,"n":2,"r":1.0,"weights":[1,2,3,4],"q":[1,2,3,5],"_from":"a table"}"#;
    put(folder.path(), "i.jsonl", &format!("\u{feff}{line}\r\n"));
    let found = answer(folder.path(), &["solve", "--instances", "i.jsonl"], 0);
    assert_eq!(found["instances"][0]["n_complex"], 6);
}

#[test]
fn dry_runs_never_cost_less_than_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "i.jsonl", MIXED);
    put(folder, "w.json", "[[1,2],[3,5]]");
    for arguments in [
        &["ed", "--rows", "3", "--cols", "3", "--rank", "1", "--dry-run"][..],
        &["ed", "--rows", "2", "--cols", "2", "--rank", "1", "--weights", "w.json", "--dry-run"],
        &["solve", "--instances", "i.jsonl", "--dry-run"],
    ] {
        let seconds = answer(folder, arguments, 0)["seconds"].as_f64().unwrap();
        assert!(seconds.is_sign_positive(), "{arguments:?}: {seconds}");
        let text = rankscape(folder, arguments).stdout;
        assert!(text.contains("nothing was done") && !text.contains("-0"), "{text}");
    }
}

#[test]
fn masked_and_special_instances_say_what_is_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let instance = |weights: &str, q: &str| {
        put(folder, "i.jsonl", &format!("{{\"id\":\"a\",\"m\":3,\"n\":3,\"r\":1,\"weights\":{weights},\"q\":{q}}}"));
    };
    instance("[[1.5,2,1],[1,3,1],[1,1,0]]", "[1,2,3,4,5,6.5,7,8,9]");
    let masked = answer(folder, &["solve", "--instances", "i.jsonl"], 3)["instances"][0].clone();
    assert_eq!((&masked["complete"], &masked["completeness"]), (&Value::Null, &"unknown".into()));
    assert_eq!((&masked["metric"]["kernel"], &masked["metric"]["unobserved"][0]), (&1.into(), &vec![2, 2].into()));
    assert!(masked["reason"].as_str().unwrap().contains("kernel has dimension 1") && masked["trace"].is_object());
    let text = rankscape(folder, &["solve", "--instances", "i.jsonl"]).stdout;
    assert!(text.contains("lowest found") && text.contains("there may be others"), "{text}");
    instance("[1,1,1,1,1,1,1,1,1]", "[3,1,0,0,2,1,0,1,1]");
    let known = answer(folder, &["solve", "--instances", "i.jsonl"], 0)["instances"][0].clone();
    assert_eq!((&known["n_complex"], &known["complete"]), (&3.into(), &true.into()));
    let spectrum: Vec<f64> =
        known["discriminant"]["spectrum"].as_array().unwrap().iter().map(|s| s.as_f64().unwrap()).collect();
    let gap = (spectrum[0] - spectrum[1]).min(spectrum[1] - spectrum[2]);
    assert_close(&known["discriminant"]["distance"], gap / 2.0f64.sqrt(), 1e-12, "distance");
    for (weights, q) in [("[1,1,1,1,1,1,1,1,1]", "[4,0,0,0,3,0,0,0,3]"), ("[1,2,3,2,4,6,3,6,9]", "[3,0,0,0,2,0,0,0,1]")]
    {
        instance(weights, q);
        let double = answer(folder, &["solve", "--instances", "i.jsonl"], 3)["instances"][0].clone();
        let reason = double["reason"].as_str().unwrap();
        assert!(reason.contains("repeats singular values up to rounding errors, 3.000000 (2 times)"), "{reason}");
        assert!(
            reason.contains("isolated critical points: 1, of which 1 are certified; families: 1: Gr(1, 2)"),
            "{reason}"
        );
        assert_close(&double["discriminant"]["distance"], 0.0, 1e-12, "distance");
        assert_eq!(double["families"][1]["dimension"], 1);
    }
}

#[test]
fn segments_name_the_two_that_meet() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "i.jsonl", r#"{"id":"s","m":2,"n":2,"r":1,"weights":[1,2,5,3],"q":[0,0,0,0]}"#);
    put(folder, "a.json", "[[3,1],[0.5,2]]");
    put(folder, "b.json", "[[-1,2],[2.5,-3]]");
    let found = answer(folder, &["solve", "--instances", "i.jsonl", "--segment", "a.json", "b.json"], 0);
    let segment = &found["segments"][0];
    let crossings = segment["crossings"].as_array().unwrap();
    let mut count = segment["start"]["n_real"].clone();
    for crossing in crossings {
        assert_eq!(crossing["before"], count);
        assert!(crossing["high"].as_f64().unwrap() - crossing["low"].as_f64().unwrap() < 1e-6);
        assert_eq!(crossing["pair"].as_array().unwrap().len(), 2);
        count = crossing["after"].clone();
    }
    assert_eq!(segment["end"]["n_real"], count);
    let ends: Vec<(&str, &Value)> = found["instances"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["id"].as_str().unwrap(), &one["n_real"]))
        .collect();
    assert_eq!(ends, [("s, t = 0", &segment["start"]["n_real"]), ("s, t = 1", &segment["end"]["n_real"])]);
    assert_eq!(segment["grade"], "certified");
    put(folder, "b.json", "[[-1,2,3],[2.5,-3,1]]");
    assert!(
        refused(folder, &["solve", "--instances", "i.jsonl", "--segment", "a.json", "b.json"])
            .contains("must be 2 x 2")
    );
}

#[test]
fn start_files_are_kept_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let line = |m: usize| {
        let ones: Vec<String> = (1..=2 * m).map(|k| (k * k).to_string()).collect();
        let list = ones.join(",");
        format!("{{\"m\":{m},\"n\":2,\"r\":1,\"weights\":[{list}],\"q\":[{list}]}}\n")
    };
    put(folder, "i.jsonl", &line(2));
    let arguments = ["solve", "--instances", "i.jsonl", "--start", "start.bin"];
    let first = answer(folder, &arguments, 0);
    let bytes = std::fs::read(folder.join("start.bin")).unwrap();
    assert_eq!(without_run(first), without_run(answer(folder, &arguments, 0)));
    std::fs::write(folder.join("start.bin"), &bytes[..bytes.len() - 9]).unwrap();
    assert!(refused(folder, &arguments).contains("start.bin"));
    std::fs::write(folder.join("start.bin"), b"something else").unwrap();
    assert!(refused(folder, &arguments).contains("not a start set"));
    std::fs::write(folder.join("start.bin"), &bytes).unwrap();
    put(folder, "i.jsonl", &line(3));
    assert!(refused(folder, &arguments).contains("another size or rank"));
    put(folder, "i.jsonl", &(line(3) + &line(2)));
    assert!(refused(folder, &arguments).contains("one size and rank"));
}

/// A target with weights or measurements in files of their own is the instance that a line would make.
#[test]
fn matrices_in_files_make_the_instance_that_a_line_makes() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "q.json", "[[1, 2, -1], [0, 3, 1]]");
    put(folder, "w.json", "[[1, 2, 3], [4, 5, 7]]");
    // Seven measurements of six entries.
    let phi = "[[-4, 1, 1, -4, -3, 4], [3, 2, -5, 4, -4, 4], [-1, 3, 0, 1, -5, 4], [-5, 4, 5, -2, 5, 4], \
               [2, 5, -1, -5, 4, 4], [-2, -5, 4, 3, 3, 4], [5, -4, -2, 0, 2, 4]]";
    put(folder, "phi.json", phi);
    put(folder, "i.jsonl", r#"{"m":2,"n":3,"r":1,"weights":[1,2,3,4,5,7],"q":[1,2,-1,0,3,1]}"#);
    put(folder, "j.jsonl", &format!(r#"{{"m":2,"n":3,"r":1,"phi":{phi},"q":[1,2,-1,0,3,1]}}"#));
    // The same loss by what is measured.
    put(
        folder,
        "k.jsonl",
        &format!(r#"{{"m":2,"n":3,"r":1,"phi":{phi},"q":[-8,4,-6,17,29,-3,9],"convention":"image"}}"#),
    );
    for (files, lines) in
        [(["--weights", "w.json"], &["i.jsonl"][..]), (["--phi", "phi.json"], &["j.jsonl", "k.jsonl"])]
    {
        let own = answer(folder, &[&["solve", "--target", "q.json", "--rank", "1"], &files[..]].concat(), 0);
        for line in lines {
            let listed = answer(folder, &["solve", "--instances", line], 0);
            assert_eq!(own["instances"][0]["n_complex"], listed["instances"][0]["n_complex"], "{line}");
            assert_eq!(own["instances"][0]["n_complex"], 10, "{line}");
            let value = |found: &serde_json::Value| found["instances"][0]["real"][0]["value"].as_f64().unwrap();
            assert!((value(&own) - value(&listed)).abs() <= 1e-12 * value(&own), "{line}");
        }
    }
    let unweighted = answer(folder, &["solve", "--target", "q.json", "--rank", "1"], 0);
    assert_eq!(unweighted["instances"][0]["n_complex"], 2, "Eckart and Young");
    assert!(
        refused(folder, &["solve", "--target", "q.json", "--rank", "1", "--phi", "w.json"]).contains("2 x 3 entries")
    );
    let wide = ["solve", "--target", "q.json", "--rank", "1", "--weights", "phi.json"];
    assert!(refused(folder, &wide).contains("must be 2 x 3"));
    // What a line refuses, a file does too.
    put(folder, "long.json", "[[9007199254740993, 2, -1], [0, 3, 1]]");
    for files in [
        ["--target", "long.json", "--rank", "1"].as_slice(),
        &["--target", "q.json", "--rank", "1", "--weights", "long.json"],
    ] {
        assert!(refused(folder, &[&["solve"], files].concat()).contains("9007199254740993"), "{files:?}");
    }
}

#[test]
fn bad_instances_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (text, expected) in [
        (r#"{"m":2,"n":2,"r":1,"weights":[1,2,3],"q":[1,2,3,4]}"#, "line 1, weights"),
        (r#"{"m":2,"n":2,"r":1,"phi":[1,2,3,4,5],"q":[1,2,3,4]}"#, "1 rows and 1 more"),
        (r#"{"m":2,"n":2,"r":1,"weights":[[1,2,3],[4,5,6]],"q":[1,2,3,4]}"#, "m rows of n"),
        (r#"{"m":2,"n":2,"r":1,"weights":[1,2,3,4],"q":[1,2,3]}"#, "line 1, q"),
        (r#"{"m":2,"n":2,"r":3,"weights":[1,2,3,4],"q":[1,2,3,4]}"#, "line 1, r"),
        (r#"{"m":2,"n":2,"r":0,"weights":[1,2,3,4],"q":[1,2,3,4]}"#, "line 1, r"),
        (r#"{"m":2,"n":2,"r":1,"weights":[1,2,3,NaN],"q":[1,2,3,4]}"#, "line 1"),
        (r#"{"m":2,"n":2,"r":1,"weights":[1,2,3,1e999],"q":[1,2,3,4]}"#, "line 1"),
        (r#"{"m":2,"n":2,"r":1,"weights":[[1,2,3],[4]],"q":[1,2,3,4]}"#, "rows have different lengths"),
        (r#"{"id":"z","m":2,"n":2,"r":1,"weights":[0,0,0,0],"q":[1,2,3,4]}"#, "instance z, weights"),
        (r#"{"m":2,"n":2,"r":1,"weights":[1,2,3,4],"q":[1,2,3,4],"convention":"other"}"#, "no such convention"),
        (r#"{"m":2,"n":2,"r":1,"weights":[1,2,3,NaN],"q":[1,2,3,4]}"#, "line 1, weights"),
        (r#"{"m":2,"n":2,"r":1,"weights":[1,2,3,4],"q":[-Infinity,2,3,4]}"#, "-Infinity"),
        (r#"{"m":2,"n":2,"r":"1","weights":[1,2,3,4],"q":[1,2,3,4]}"#, "line 1, r: this must be a whole number"),
        (r#"{"m":-3,"n":2,"r":1,"weights":[1,2,3,4],"q":[1,2,3,4]}"#, "found -3"),
        (r#"{"m":2,"n":2,"r":1.5,"weights":[1,2,3,4],"q":[1,2,3,4]}"#, "found 1.5"),
        (r#"{"m":2,"n":2,"r":1,"weights":[1,2,3,4],"q":[1,2"#, "the JSON text ends too early"),
        (r#"{"m":2,"n":2,"r":1,"weight":[1,2,3,4],"q":[1,2,3,4]}"#, "is it \"weights\"?"),
        (
            r#"{"m":2,"n":2,"r":1,"weights":[1,2,3,4],"q":[1,2,3,4],"Convention":"image"}"#,
            "is it \"convention\"? fields are id, m, n, r, phi, weights, q, convention",
        ),
        (r#"{"m":2,"n":2,"r":1,"weights":[1,2,3,4],"q":[1,2,3,4],"q":[4,3,2,1]}"#, "occurs twice"),
        ("", "no instance"),
        ("\u{feff}", "no instance"),
        ("[]", "line 1"),
    ] {
        put(folder, "i.jsonl", text);
        let message = refused(folder, &["solve", "--instances", "i.jsonl"]);
        assert!(message.contains(expected) && message.contains("i.jsonl"), "{text}: {message}");
    }
    std::fs::write(folder.join("i.jsonl"), b"\xff\xfe{\0").unwrap();
    assert!(refused(folder, &["solve", "--instances", "i.jsonl"]).contains("not UTF-8"));
    assert!(refused(folder, &["solve", "--instances", "none.jsonl"]).contains("none.jsonl"));
    refused(folder, &["solve", "--instances", "i.jsonl", "--segment", "a.json"]);
}

/// Integers in -10..=10 from a linear congruence, so that the file is the same everywhere.
fn integers(seed: u64, count: usize) -> String {
    let mut state = seed;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % 21).wrapping_sub(10) as i64
    };
    (0..count).map(|_| draw().to_string()).collect::<Vec<_>>().join(",")
}

#[test]
fn every_size_is_solved_completely_through_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let cases =
        [(3, 3, 1, 39), (3, 3, 2, 39), (3, 4, 1, 83), (4, 3, 2, 83), (3, 5, 1, 143), (4, 4, 1, 284), (4, 4, 2, 1350)];
    let line = |(at, &(m, n, r, _)): (usize, &(usize, usize, usize, u64))| {
        let (phi, q) = (integers(7 + at as u64, m * n * m * n), integers(70 + at as u64, m * n));
        format!(r#"{{"id":"{m}{n}{r}","m":{m},"n":{n},"r":{r},"phi":[{phi}],"q":[{q}]}}"#)
    };
    put(folder, "i.jsonl", &cases.iter().enumerate().map(line).collect::<Vec<_>>().join("\n"));
    let found = answer(folder, &["solve", "--instances", "i.jsonl", "--threads", "2"], 0);
    for (found, (m, n, r, count)) in found["instances"].as_array().unwrap().iter().zip(cases) {
        assert_eq!((&found["n_complex"], &found["expected"]), (&count.into(), &count.into()), "{m} {n} {r}");
        let proved = (&found["complete"], &found["certified"], &found["completeness"]);
        assert_eq!(proved, (&true.into(), &true.into(), &"proved".into()), "{m} {n} {r}");
        let real = found["real"].as_array().unwrap();
        assert_eq!(real.len() as u64 % 2, count % 2);
        assert!(real.iter().all(|point| point["index"].is_u64()));
        if (m, n) == (3, 3) {
            let signs = real.iter().map(|point| 1 - 2 * (point["index"].as_i64().unwrap() % 2)).sum::<i64>();
            assert_eq!(signs, 1, "Euler characteristic");
        }
    }
}

#[test]
fn full_rank_is_answered_by_least_squares() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (rows, cols, weights, count, says) in [
        ("2", "3", "[[1,2,3],[5,1,2]]", Value::from(1), "linear least squares: every matrix"),
        ("2", "3", "[[1,1,1],[1,1,1]]", Value::from(1), "linear least squares: every matrix"),
        ("1", "2", "[[1,2]]", Value::from(1), "linear least squares: every matrix"),
        ("2", "3", "[[1,0,3],[5,0,2]]", Value::Null, "affine space of dimension 2"),
    ] {
        put(folder, "w.json", weights);
        let rank = rows;
        let arguments = ["ed", "--rows", rows, "--cols", cols, "--rank", rank, "--weights", "w.json"];
        let found = answer(folder, &arguments, 0)["weighted"].clone();
        assert_eq!((&found["count"], &found["evidence"]["grade"]), (&count, &"exact".into()), "{weights}");
        assert!(found["evidence"]["reason"].as_str().unwrap().contains(says), "{found}");
        let text = rankscape(folder, &arguments).stdout;
        assert!(text.contains(if count.is_null() { "Weighted   undefined" } else { "Weighted   1" }), "{text}");
    }
    put(folder, "i.jsonl", r#"{"id":"a","m":3,"n":2,"r":2,"weights":[1,2,3,4,5,6],"q":[1,2,3,5,8,13]}"#);
    let found = answer(folder, &["solve", "--instances", "i.jsonl"], 0)["instances"][0].clone();
    assert_eq!((&found["n_complex"], &found["certified"], &found["n_minima"]), (&1.into(), &true.into(), &1.into()));
    assert_close(&found["real"][0]["W"][2][1], 13.0, 1e-12, "W");
    put(folder, "i.jsonl", r#"{"id":"a","m":2,"n":2,"r":2,"weights":[1,2,3,4],"q":[1,2,2,4]}"#);
    let found = answer(folder, &["solve", "--instances", "i.jsonl"], 0)["instances"][0].clone();
    assert_eq!((&found["n_complex"], &found["expected"]), (&0.into(), &0.into()));
    assert!(found["reason"].as_str().unwrap().contains("whose rank is lower"));
    put(folder, "i.jsonl", r#"{"id":"a","m":2,"n":2,"r":2,"weights":[1,2,3,0],"q":[1,2,3,4]}"#);
    let found = answer(folder, &["solve", "--instances", "i.jsonl"], 3)["instances"][0].clone();
    assert!(found["reason"].as_str().unwrap().contains("affine space of dimension 1"));
    assert!(found["complete"].is_null() && found["expected"].is_null());
}

#[test]
fn segments_of_special_metrics_are_labelled_numerical() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "i.jsonl", r#"{"id":"s","m":3,"n":3,"r":1,"weights":[1,2,3,5,4,6,5,11,17],"q":[0,0,0,0,0,0,0,0,0]}"#);
    put(folder, "a.json", "[[7,1,-2],[0.5,4,3],[-1,2,6]]");
    put(folder, "b.json", "[[6.5,1.5,-2],[1,4,3],[-1,2,5]]");
    let arguments = ["solve", "--instances", "i.jsonl", "--segment", "a.json", "b.json"];
    let found = answer(folder, &arguments, 3);
    let segment = &found["segments"][0];
    assert_eq!((&segment["grade"], segment["undecided"].as_array().unwrap().len()), (&"numerical".into(), 0));
    for one in found["instances"].as_array().unwrap() {
        assert_eq!((&one["certified"], &one["completeness"]), (&false.into(), &"unknown".into()));
        assert_eq!((&one["n_complex"], &one["generic_count"]), (&35.into(), &35.into()));
    }
    assert!(rankscape(folder, &arguments).stdout.contains("numerical counts"));
}

/// Where entries are missing, curves of critical points catch paths; only isolated end points count.
#[test]
fn points_on_curves_do_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (size, weights) in [("2", "[[1,0],[0,1]]"), ("2", "[[5,0],[0,7]]"), ("3", "[[1,0,0],[0,1,0],[0,0,1]]")] {
        put(folder, "w.json", weights);
        for seed in ["0", "1", "2"] {
            let arguments =
                ["ed", "--rows", size, "--cols", size, "--rank", "1", "--weights", "w.json", "--seed", seed];
            let run = rankscape(folder, &[&arguments[..], &["--json"]].concat());
            assert_eq!(run.json()["weighted"]["count"], size.parse::<u64>().unwrap(), "{weights} {run:?}");
        }
    }
}
