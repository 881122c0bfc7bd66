//! `--leave FILE`: weights with the same names and types whose loss is lower by what the document says.

use std::path::Path;

use crate::common::{assert_close, forced, listing, rankscape};
use serde_json::Value;
use testkit::files::{npy_f64, npz, put, safetensors};

/// Leaves the point in `weights` and returns the documents before and after.
#[track_caller]
fn left(folder: &Path, weights: &str, to: &str, more: &[&str]) -> (Value, Value) {
    let ask = |file: &str, more: &[&str]| {
        let run = rankscape(folder, &forced(&[&["diagnose", "--json", "--weights", file], more].concat()));
        assert!([0, 3].contains(&run.code), "{run:?}");
        run.json()
    };
    let before = ask(weights, &[more, &["--leave", to]].concat());
    (before, ask(to, more))
}

#[track_caller]
fn assert_lower(before: &Value, after: &Value, tolerance: f64) {
    let decrease = before["leave"]["decrease"].as_f64().unwrap();
    assert!(decrease > 0.0, "{before}");
    let expected = before["loss"]["value"].as_f64().unwrap() - decrease;
    assert_close(&after["loss"]["value"], expected, tolerance, "loss after leaving");
}

const DATA: &[u8] = br#"{"X": [[1, 0], [0, 1], [1, 1], [2, 0]], "Y": [[3, 1], [0, 1], [1, 5], [0, 0]]}"#;

#[test]
fn names_types_and_order_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "d.json", DATA);
    let header = r#"{"net.2.weight":{"dtype":"F16","shape":[2,2],"data_offsets":[16,24]},
                     "net.0.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}"#;
    put(folder, "w.safetensors", &safetensors(header, &[0x3c; 24]));
    let (before, after) = left(folder, "w.safetensors", "left.safetensors", &["--data", "d.json"]);
    assert_eq!(before["class"], "not_critical");
    assert_lower(&before, &after, 1e-2);
    let bytes = std::fs::read(folder.join("left.safetensors")).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    assert_eq!(header["net.0.weight"]["dtype"], "F32");
    assert_eq!(header["net.2.weight"]["dtype"], "F16");
    assert_eq!(listing(folder), ["d.json", "left.safetensors", "w.safetensors"]);

    put(folder, "w.npz", &npz(&[("W2", npy_f64(&[2, 1], &[0.5, 0.0])), ("W1", npy_f64(&[1, 2], &[0.0, 0.25]))]));
    for to in ["left.npz", "left.json", "other.safetensors"] {
        let (before, after) = left(folder, "w.npz", to, &["--data", "d.json"]);
        assert_eq!(before["class"], "not_critical");
        assert_lower(&before, &after, 1e-13);
        assert_eq!(after["widths"], serde_json::json!([2, 1, 2]));
    }
}

#[test]
fn flax_kernels_are_written_as_flax_kernels() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "d.json", DATA);
    put(folder, "w.json", br#"{"Dense_0/kernel": [[0, 0, 0], [0, 0, 0]], "Dense_1/kernel": [[0, 0], [0, 0], [0, 0]]}"#);
    let (before, after) = left(folder, "w.json", "left.json", &["--data", "d.json", "--convention", "flax"]);
    assert_eq!(before["widths"], serde_json::json!([2, 3, 2]));
    assert_lower(&before, &after, 1e-13);
}

#[test]
fn biased_networks_are_left_with_their_biases() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "d.json", DATA);
    let w = r#""W1": [[0.5, 1], [0, 1]], "W2": [[1, 0.25], [0, 1]]"#;
    for (name, biases) in
        [("first", r#""b1": [1, 0.5]"#), ("output", r#""b2": [1.5, 0.5]"#), ("all", r#""b1": [1, 2], "b2": [-3, 20]"#)]
    {
        put(folder, "w.json", format!("{{{w}, {biases}}}").as_bytes());
        let (before, after) = left(folder, "w.json", "left.json", &["--data", "d.json"]);
        assert_eq!(before["class"], "not_critical", "{name}");
        assert_lower(&before, &after, 1e-12);
    }
    // The bias is so near its best value that a path of the weights is better.
    put(folder, "w.json", format!(r#"{{{w}, "b2": [-0.1, 1.3]}}"#).as_bytes());
    let (before, after) = left(folder, "w.json", "left.json", &["--data", "d.json"]);
    assert_ne!(before["escape"]["kind"], "output_bias");
    assert_lower(&before, &after, 1e-12);
    // Zero weights and the best output bias: a strict saddle.
    put(folder, "w.json", br#"{"W1": [[0, 0]], "b1": [7], "W2": [[0], [0]], "b2": [1, 1.75]}"#);
    let (before, after) = left(folder, "w.json", "left.json", &["--data", "d.json"]);
    assert_eq!(before["class"], "strict_saddle");
    assert_lower(&before, &after, 1e-12);
}

#[test]
fn metrics_and_sample_weights_are_respected() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "d.json", DATA);
    put(folder, "m.json", b"[[2, 1], [1, 3]]");
    put(folder, "s.json", b"[1, 0.5, 3, 0]");
    let more = ["--data", "d.json", "--output-metric", "m.json", "--sample-weights", "s.json"];
    for weights in [
        r#"{"W1": [[0.5, 1]], "W2": [[1], [2]]}"#,
        r#"{"W1": [[0, 0]], "W2": [[0], [0]]}"#,
        r#"{"W1": [[0.5, 1]], "W2": [[1], [2]], "b2": [1, 0]}"#,
    ] {
        put(folder, "w.json", weights.as_bytes());
        let (before, after) = left(folder, "w.json", "left.json", &more);
        assert_lower(&before, &after, 1e-12);
    }
}

#[test]
fn a_shipped_plateau_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let example = ["diagnose", "--json", "--example", "digits-classifier", "--leave", "left.safetensors"];
    let before = rankscape(folder.path(), &example).json();
    let digits = format!("{}/../../examples/digits/digits.npz", env!("CARGO_MANIFEST_DIR"));
    let again = ["diagnose", "--json", "--weights", "left.safetensors", "--data", &digits];
    let after = rankscape(folder.path(), &again).json();
    assert_lower(&before, &after, 1e-6);
}

/// What `--leave` writes is at the least loss.
#[track_caller]
fn assert_least(folder: &Path, weights: &[u8], data: &[u8]) {
    put(folder, "w.json", weights);
    put(folder, "d.json", data);
    let (before, after) = left(folder, "w.json", "left.json", &["--data", "d.json"]);
    assert_lower(&before, &after, 1e-13);
    let least = &before["loss"]["global_minimum"];
    assert_close(&after["loss"]["value"], least.as_f64().unwrap(), 1e-13, "least");
    assert_eq!(&after["loss"]["global_minimum"], least, "the minimum moved");
}

#[test]
fn one_sample_with_an_output_bias_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let one = br#"{"X": [[1.0, 2]], "Y": [[3, 1]]}"#;
    assert_least(folder.path(), br#"{"W1": [[1, 0.5]], "b1": [0.1], "W2": [[0.7], [0.3]], "b2": [0.2, 0.1]}"#, one);
    assert_least(folder.path(), br#"{"W1": [[0, 0]], "b1": [0], "W2": [[0], [0]], "b2": [0, 0]}"#, one);
    assert_least(folder.path(), br#"{"W1": [[1, 0.5], [0, 0.5]], "b1": [0.1, 2]}"#, one);
}

#[test]
fn targets_that_are_zero_or_equal_are_left() {
    let folder = tempfile::tempdir().unwrap();
    let layers = r#""W1": [[1, 0.5], [0.25, 1]], "W2": [[0.7, 1], [0.3, -1]]"#;
    let inputs = r#""X": [[1, 2], [0, 1], [1.5, 0]]"#;
    let data = |targets: &str| format!(r#"{{{inputs}, "Y": {targets}}}"#);
    let zero = data("[[0, 0], [0, 0], [0, 0]]");
    assert_least(folder.path(), format!("{{{layers}}}").as_bytes(), zero.as_bytes());
    let equal = data("[[3, 1], [3, 1], [3, 1]]");
    assert_least(folder.path(), format!(r#"{{{layers}, "b2": [0, 1]}}"#).as_bytes(), equal.as_bytes());
    // No input predicts a target: X' Y = 0.
    let blind = r#"{"X": [[1, 0], [1, 0], [0, 1], [0, 1]], "Y": [[1, 2], [-1, -2], [2, 1], [-2, -1.0]]}"#;
    assert_least(folder.path(), format!("{{{layers}}}").as_bytes(), blind.as_bytes());
}

#[test]
fn one_layer_is_left_for_its_minimum() {
    let folder = tempfile::tempdir().unwrap();
    assert_least(folder.path(), br#"{"weight": [[0.5, 0], [0, 7]]}"#, DATA);
}
