//! Documents: their JSON Schemas, the fields of the contract, determinism, digests, the self-test.

use std::path::Path;

use crate::common::{assert_valid, listing, put_samples, put_weights, rankscape};
use serde_json::Value;
use testkit::files::{f64_bytes, npy_f64, npz, put, safetensors};
use testkit::oracles::landscape_cases;

fn answer(folder: &Path, arguments: &[&str]) -> Value {
    let run = rankscape(folder, &[arguments, &["--json"]].concat());
    assert!([0, 3].contains(&run.code) && run.stderr.is_empty(), "{run:?}");
    run.json()
}

/// The text without its `run` block.
fn without_run(folder: &Path, arguments: &[&str]) -> String {
    let run = rankscape(folder, &[arguments, &["--json"]].concat());
    assert!([0, 3].contains(&run.code), "{run:?}");
    let (before, after) = run.stdout.split_once("\"run\": {").unwrap();
    format!("{before}{}", after.split_once('}').unwrap().1)
}

#[test]
fn every_kind_of_diagnosis_obeys_its_schema() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for name in ["digits", "digits-classifier-early"] {
        assert_valid("diagnose", &answer(folder, &["diagnose", "--example", name]));
    }
    for case in landscape_cases() {
        put_samples(folder, "d.json", &case.x, &case.y);
        for point in &case.points[..2] {
            put_weights(folder, "w.json", &point.factors);
            assert_valid("diagnose", &answer(folder, &["diagnose", "--weights", "w.json", "--data", "d.json"]));
        }
    }
}

#[test]
fn a_diagnosis_has_every_field_of_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "w.json", br#"{"W1": [[2.00001, 0], [0, 0]], "W2": [[1, 0], [0, 1e-6]]}"#);
    put(folder, "d.json", br#"{"X": [[1, 0], [0, 1]], "Y": [[2, 0], [0, 1]]}"#);
    let near = answer(folder, &["diagnose", "--weights", "w.json", "--data", "d.json"]);
    for (group, fields) in [
        (
            "",
            "schema seed digest widths bottleneck_rank filling loss gradient critical rank_profile barcode differential \
              origin stationary_in_function_space class spectrum captured near stall hessian escape evidence tolerances run",
        ),
        ("/loss", "value global_minimum gap"),
        ("/gradient", "norm relative"),
        ("/barcode/0", "from to multiplicity"),
        ("/differential", "rank max_rank submersion"),
        (
            "/near",
            "class nearest_class captured rank index distance distance_whitened lower_bound strict non_strict gradient_after value",
        ),
        ("/hessian", "lambda_min lambda_max index nullity"),
        ("/escape", "order coefficient t decrease certificate"),
        ("/evidence", "grade rests_on"),
        ("/evidence/rests_on/0", "quantity rank above below tolerance clear"),
    ] {
        let found = near.pointer(group).unwrap_or_else(|| panic!("{group}"));
        for field in fields.split_whitespace() {
            assert!(found.get(field).is_some(), "{group}/{field}");
        }
    }
}

#[test]
fn errors_obey_their_schema() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["diagnose", "--weights", "none.npz", "--data", "none.npz", "--json"][..],
        &["diagnose", "--json"],
        &["diagnose", "--example", "nothing", "--json"],
        &["--json"],
    ] {
        let run = rankscape(folder.path(), arguments);
        assert_eq!(run.code, 2, "{run:?}");
        assert_valid("error", &run.json());
    }
}

#[test]
fn the_self_test_holds_and_obeys_its_schema() {
    let folder = tempfile::tempdir().unwrap();
    let document = answer(folder.path(), &["doctor", "--out", "out"]);
    assert_valid("doctor", &document);
    assert_eq!(document["ok"], true);
    assert_eq!(listing(&folder.path().join("out")), ["doctor.json"]);
    let run = rankscape(folder.path(), &["doctor"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    assert!(run.stdout.ends_with("All checks hold.\n"), "{run:?}");
}

#[test]
fn same_seed_same_bytes_whatever_the_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for name in ["digits-classifier", "digits-classifier-early"] {
        let example = ["diagnose", "--example", name];
        let first = without_run(folder, &[&example[..], &["--threads", "1"]].concat());
        assert_eq!(first, without_run(folder, &[&example[..], &["--threads", "2"]].concat()), "{name}");
        let other = without_run(folder, &[&example[..], &["--seed", "7"]].concat());
        assert!(first.contains("\"seed\": 0,") && other.contains("\"seed\": 7,"));
    }
}

#[test]
fn digests_are_those_of_the_values_and_not_of_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let header = r#"{"W1":{"dtype":"F64","shape":[1,2],"data_offsets":[0,16]}}"#;
    put(folder, "w.safetensors", &safetensors(header, &f64_bytes(&[0.5, -2.0])));
    put(folder, "w.npz", &npz(&[("W1", npy_f64(&[1, 2], &[0.5, -2.0]))]));
    put(folder, "w.json", br#"{"W1": [[0.5, -2.0]]}"#);
    put(folder, "d.json", br#"{"X": [[1.0, 2.0], [0.0, 1.0]], "Y": [[1.0], [2.0]]}"#);
    put(folder, "d.csv", b"x1,x2,y\n1,2,1\n0,1,2\n");
    let data = npz(&[("Y", npy_f64(&[2, 1], &[1.0, 2.0])), ("X", npy_f64(&[2, 2], &[1.0, 2.0, 0.0, 1.0]))]);
    put(folder, "d.npz", &data);
    let digest = |w: &str, d: &str| answer(folder, &["diagnose", "--weights", w, "--data", d])["digest"].clone();
    let first = digest("w.json", "d.json");
    for (w, d) in [("w.safetensors", "d.csv"), ("w.npz", "d.npz"), ("w.json", "d.csv")] {
        assert_eq!(digest(w, d), first, "{w} {d}");
    }
    put(folder, "w.json", br#"{"W1": [[0.5, -2.5]]}"#);
    let other = digest("w.json", "d.json");
    assert!(other["weights"] != first["weights"] && other["data"] == first["data"]);
}

#[test]
fn the_document_goes_to_a_folder_only_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let example = ["diagnose", "--example", "digits-classifier"];
    let run = rankscape(folder.path(), &example);
    assert!([0, 3].contains(&run.code), "{run:?}");
    assert!(listing(folder.path()).is_empty());
    let run = rankscape(folder.path(), &[&example[..], &["--out", "a/b", "--quiet"]].concat());
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    let text = std::fs::read_to_string(folder.path().join("a/b/diagnose.json")).unwrap();
    assert_valid("diagnose", &serde_json::from_str(&text).unwrap());
}
