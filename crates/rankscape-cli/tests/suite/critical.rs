//! `critical` through the command: schema, the digits example, exact data, words, and everything it refuses.

use std::path::Path;

use crate::common::{assert_close, assert_refused, listing, rankscape};
use serde_json::{Value, json};
use testkit::files::put;

#[track_caller]
fn answer(folder: &Path, arguments: &[&str], code: i32) -> Value {
    crate::common::answer(folder, &[&["critical"], arguments].concat(), code)
}

#[track_caller]
fn refused(folder: &Path, arguments: &[&str], parts: &[&str]) {
    let run = rankscape(folder, &[&["critical"], arguments, &["--json"]].concat());
    assert_eq!(run.json()["schema"], "rankscape.error/1", "{run:?}");
    assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
    assert_refused(&run, parts);
}

/// `C(n, k)`.
fn choose(n: u64, k: u64) -> u64 {
    (0..k).fold(1, |product, j| product * (n - j) / (j + 1))
}

#[test]
fn digits_have_the_minimum_that_training_reaches_and_one_rung_for_each_subset() {
    let folder = tempfile::tempdir().unwrap();
    let found = answer(folder.path(), &["--example", "digits-classifier", "--max", "60", "--graph"], 0);
    // examples/digits/README.md: the value that gradient descent converged to, printed to six decimals.
    assert_close(&found["global_minimum"], 453.775398, 2e-9, "minimum");
    assert_eq!(found["rungs_total"], json!((0..=6).map(|k| choose(10, k)).sum::<u64>()));
    assert_eq!((&found["widths"], &found["data_rank"]), (&json!([64, 6, 10]), &json!(61)));
    assert_eq!(found["effective_bottleneck_rank"], 6);
    assert_eq!(found["bad_local_minima"]["verdict"], "impossible");
    // Gauge group of 6 hidden units, and three pixels that are always zero.
    let minima = json!({"dimension": 36 + 6 * 3, "components": 2, "tie_at_cut": false, "splitting_nodes": [1]});
    assert_eq!(found["global_minima"], minima);
    let rungs = found["rungs"].as_array().unwrap();
    assert_eq!(rungs.len(), 60);
    let lowest = json!({"captured": [1, 2, 3, 4, 5, 6], "pattern": [1, 1, 1, 1, 1, 1, 0, 0, 0, 0]});
    assert_eq!((&rungs[0]["captured"], &rungs[0]["pattern"]), (&lowest["captured"], &lowest["pattern"]));
    assert!(rungs.windows(2).all(|pair| pair[0]["value"].as_f64() <= pair[1]["value"].as_f64()));
    for descent in found["graph"].as_array().unwrap() {
        let value = |end: &str| rungs[descent[end].as_u64().unwrap() as usize]["value"].as_f64().unwrap();
        assert!(value("from") > value("to"));
    }
    assert_eq!(found["graph_total"], found["graph"].as_array().unwrap().len());

    let deep = answer(folder.path(), &["--example", "digits", "--max", "3", "--normalization", "mean"], 0);
    assert_close(&deep["global_minimum"], 364016.913309 / 1797.0, 1e-9, "minimum");
    assert_eq!(deep["rungs_total"], json!((0..=8).map(|k| choose(61, k)).sum::<u64>()));
    assert_eq!((deep["rungs"].as_array().unwrap().len(), deep.get("graph")), (3, None));
    let wide = answer(folder.path(), &["--example", "digits", "--widths", "64,70,64", "--max", "1"], 0);
    assert_eq!(wide["rungs_total"], json!(1u64 << 61));
    assert_eq!(wide["rungs"][0]["rank"], 61);
}

#[test]
fn exact_targets_are_answered_exactly_and_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "t.json", br#"{"Y": [[3, 0, 0], [0, 2, 0], [0, 0, 2]]}"#);
    let run = rankscape(folder, &["critical", "--target", "t.json", "--widths", "3,2,2,3", "--graph"]);
    let expected = "\
Network    3-2-2-3: W X has rank at most 2; a target in place of data
Spectrum   2 distinct positive values: 3, 2 (x 2)
Minimum    2, on a set of dimension 9 with 2 components; the best product is not unique
Rungs      5 in all, the lowest:
           value   rank  index*  dimension  points are      captured
               2      2       0          9  global minima   1-2, one of a family of dimension 1
               4      1       0          9  saddles, mixed  1
             4.5      2       2          8  strict saddles  2-3
             6.5      1       1         10  strict saddles  2, one of a family of dimension 1
             8.5      0       0          8  saddles, mixed  nothing
           * directions of descent among products of the same rank, not among weights
Minima     bad local minima are impossible
Graph      7 descents between listed rungs: 2 rotations, 5 to a larger rank
            from                to          falls by  by
               4                 2                 2  adding direction 2
             4.5                 2               2.5  turning direction 3 into 1
             6.5                 4               2.5  turning direction 2 into 1
             6.5                 2               4.5  adding direction 1
             6.5               4.5                 2  adding direction 3
             8.5                 4               4.5  adding direction 1
             8.5               6.5                 2  adding direction 2
Evidence   exact; rests on 3 decisions, all clear
";
    assert_eq!((run.stdout.as_str(), run.code), (expected, 0));
    let found = answer(folder, &["--target", "t.json", "--widths", "3,2,2,3"], 0);
    assert_eq!(found["evidence"]["grade"], "exact");
    assert_eq!(found["levels"], json!([{"value": 3.0, "multiplicity": 1}, {"value": 2.0, "multiplicity": 2}]));
    // Weights give the widths; a bias of the output centres the data, one of an inner layer is free.
    put(folder, "d.json", br#"{"X": [[1, 0], [0, 1], [1, 1]], "Y": [[1], [2], [0]]}"#);
    put(folder, "w.json", br#"{"W1": [[1, 0]], "W2": [[1]]}"#);
    put(folder, "b.json", br#"{"W1": [[1, 0]], "b1": [1], "W2": [[1]], "b2": [0]}"#);
    let plain = answer(folder, &["--weights", "w.json", "--data", "d.json"], 0);
    let biased = answer(folder, &["--weights", "b.json", "--data", "d.json"], 0);
    assert!(plain["digest"]["weights"].is_string() && biased["notes"][0].as_str().unwrap().contains("centred"));
    assert_eq!((&plain["global_minima"]["dimension"], &biased["global_minima"]["dimension"]), (&json!(1), &json!(2)));
    assert_close(&plain["global_minimum"], 0.5 * (5.0 - 2.0), 1e-12, "plain");
    assert_eq!(answer(folder, &["--data", "d.json", "--widths", "2,1,1"], 0)["rungs"], plain["rungs"]);
}

/// `--max` shows as many rungs as it says and makes no more; without it words show eight and a document lists all.
#[test]
fn words_show_as_many_rungs_as_they_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let rows = |more: &[&str]| {
        let run = rankscape(folder.path(), &[&["critical", "--example", "digits-classifier"], more].concat());
        assert_eq!(run.code, 0, "{run:?}");
        let is_row =
            |line: &&str| line.starts_with(' ') && (line.contains("global minima") || line.contains("saddles"));
        run.stdout.lines().filter(is_row).count()
    };
    for (more, expected) in
        [(&[][..], 8), (&["--max", "20"], 20), (&["--max", "3", "--graph"], 3), (&["--out", "o"], 8)]
    {
        assert_eq!(rows(more), expected, "{more:?}");
    }
    let written = std::fs::read_to_string(folder.path().join("o/critical.json")).unwrap();
    let written: Value = serde_json::from_str(&written).unwrap();
    assert_eq!(written["rungs"].as_array().unwrap().len(), 848);
    let run = rankscape(folder.path(), &["critical", "--example", "digits", "--max", "5", "--graph"]);
    let graph: Vec<&str> = run.stdout.lines().skip_while(|line| !line.starts_with("Graph")).collect();
    assert!(graph[2].contains("turning direction 9 into 8"), "{graph:?}");
}

#[test]
fn counts_have_as_many_digits_as_they_need() {
    let folder = tempfile::tempdir().unwrap();
    let rows: Vec<Vec<f64>> =
        (0..70).map(|i| (0..70).map(|j| if i == j { 100.5 + f64::from(i) } else { 0.0 }).collect()).collect();
    put(folder.path(), "t.json", json!({ "Y": rows }).to_string().as_bytes());
    let run =
        rankscape(folder.path(), &["critical", "--target", "t.json", "--widths", "70,70,70", "--max", "2", "--json"]);
    assert!(run.stdout.contains(r#""rungs_total": 1180591620717411303424,"#), "2^70: {run:?}");
}

#[test]
fn values_that_may_be_zero_leave_the_answer_open() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "t.json", br#"{"Y": [[1.0, 0.0], [0.0, 1e-14]]}"#);
    let arguments = ["--target", "t.json", "--widths", "2,2,2"];
    let found = answer(folder.path(), &arguments, 3);
    assert!(found["rungs_total"].is_null() && found["global_minima"].is_null());
    assert_eq!(found["rungs"], json!([]));
    assert_eq!(found["bad_local_minima"]["verdict"], "impossible");
    let run = rankscape(folder.path(), &[&["critical"], &arguments[..]].concat());
    assert!(run.code == 3 && run.stdout.contains("Rungs      undecided"), "{run:?}");
    // The same as a fraction: exact.
    put(folder.path(), "t.json", br#"{"Y": [[1, 0], [0, "1/100000000000000"]]}"#);
    assert_eq!(answer(folder.path(), &arguments, 0)["rungs_total"], 4);
}

#[test]
fn what_does_not_fit_is_refused_with_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "t.json", br#"{"Y": [[3, 0, 1], [0, 2, 0]]}"#);
    put(folder, "d.json", br#"{"X": [[1, 0], [0, 1], [1, 1]], "Y": [[1], [2], [0]]}"#);
    put(folder, "w.json", br#"{"W1": [[1, 0]], "W2": [[1]]}"#);
    put(folder, "huge.json", br#"{"Y": [[1e160, 0.0], [0.0, 1e159]]}"#);
    refused(folder, &["--target", "t.json", "--widths", "2,2,2"], &["t.json", "3 inputs and 2 outputs"]);
    refused(folder, &["--data", "d.json", "--widths", "3,2,1"], &["d.json", "3 inputs"]);
    refused(folder, &["--data", "d.json"], &["no widths", "--widths"]);
    refused(folder, &["--widths", "2,2,2"], &["no data", "--data"]);
    refused(folder, &["--data", "d.json", "--widths", "2"], &["at least two widths"]);
    refused(folder, &["--data", "d.json", "--widths", "2,0,1"], &["width d1 is zero"]);
    refused(folder, &["--data", "d.json", "--widths", "2,x,1"], &["--widths"]);
    refused(folder, &["--data", "d.json", "--widths", "2,1,1", "--weights", "w.json"], &["--weights"]);
    refused(folder, &["--target", "t.json", "--widths", "3,9999999999999999999,2"], &["widths"]);
    refused(folder, &["--target", "t.json", "--widths", "3,9999999999999999,999999999,2"], &["too large"]);
    refused(folder, &["--target", "huge.json", "--widths", "2,1,2"], &["huge.json", "not representable"]);
    refused(folder, &["--example", "nothing", "--widths", "2,1,2"], &["no example"]);
    assert_eq!(listing(folder).len(), 4);
}

#[test]
fn a_family_without_a_question_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "y.json", br#"{"Y": [[2, 0], [0, 1]]}"#);
    let of =
        |more: &[&str]| rankscape(folder, &[&["critical", "--target", "y.json", "--widths", "2,2,2"], more].concat());
    for more in [["--captured", "1"], ["--pattern", "1,0"], ["--save", "w.json"], ["--barcode", "0-2"]] {
        let run = of(&more);
        assert!(run.code == 2 && run.stderr.contains("--construct"), "{more:?}: {run:?}");
    }
    assert_eq!(listing(folder), ["y.json"]);
    assert_eq!(of(&["--strata", "--captured", "1"]).code, 0);
}
