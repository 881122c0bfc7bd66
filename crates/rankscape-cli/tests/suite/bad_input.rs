//! Every bad input gives exit code 2, one clear message, the error document under `--json`, and nothing written.

use std::path::Path;

use crate::common::{listing, rankscape};
use serde_json::Value;
use testkit::files::{f64_bytes, npy, npy_f64, npz, put, safetensors};

const WEIGHTS: &[u8] = br#"{"W1": [[1, 0], [0, 1]], "W2": [[1, 0]]}"#;
const DATA: &[u8] = br#"{"X": [[1, 0], [0, 1], [1, 1]], "Y": [[1], [2], [0]]}"#;

/// Runs twice, in words and as JSON, and checks that the message has all the parts and that nothing was written.
#[track_caller]
fn refused_arguments(folder: &Path, arguments: &[&str], parts: &[&str]) -> Value {
    let before = listing(folder);
    let run = rankscape(folder, arguments);
    assert_eq!(run.code, 2, "{arguments:?}: {run:?}");
    assert!(run.stdout.is_empty(), "{run:?}");
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(lines.len(), 1, "{run:?}");
    assert!(lines[0].starts_with("rankscape: ") && lines[0].len() < 900, "{run:?}");
    for part in parts {
        assert!(lines[0].contains(part), "{part:?} is not in: {}", lines[0]);
    }
    let again = rankscape(folder, &[arguments, &["--json"]].concat());
    assert_eq!((again.code, &again.stderr), (2, &run.stderr), "{again:?}");
    let document = again.json();
    assert_eq!(document["schema"], "rankscape.error/1", "{document}");
    let members = ["problem", "file", "array", "value", "hint"];
    assert!(members.iter().all(|name| document.get(name).is_some()), "{document}");
    let told: Vec<&str> = members.iter().filter_map(|name| document[name].as_str()).collect();
    assert!(told.iter().all(|text| lines[0].contains(text)), "{document} {}", lines[0]);
    assert_eq!(listing(folder), before, "{arguments:?}");
    document
}

/// A message about a weight or data file names the file.
#[track_caller]
fn refused(files: &[(&str, &[u8])], more: &[&str], parts: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let (mut weights, mut data) = ("w.json", "d.json");
    put(folder.path(), weights, WEIGHTS);
    put(folder.path(), data, DATA);
    for (name, bytes) in files {
        put(folder.path(), name, bytes);
        if name.starts_with('w') {
            weights = name;
        } else if name.starts_with('d') {
            data = name;
        }
    }
    let arguments = ["diagnose", "--weights", weights, "--data", data, "--out", "out", "--leave", "left.json"];
    let document = refused_arguments(folder.path(), &[&arguments[..], more].concat(), parts);
    assert!(document["file"].is_string(), "{document}");
}

#[test]
fn weight_files_that_cannot_be_read() {
    let tensor = |dtype: &str, shape: &str, to: usize| {
        format!(r#"{{"W1":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[0,{to}]}}}}"#)
    };
    let good = safetensors(&tensor("F64", "[1,2]", 16), &f64_bytes(&[1.0, f64::INFINITY]));
    let archive = npz(&[("W1", npy_f64(&[1, 2], &[1.0, f64::NAN]))]);
    let mut bomb = npz(&[("W1", npy_f64(&[1, 1], &[1.0]))]);
    let directory = bomb.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
    bomb[directory + 24..directory + 28].copy_from_slice(&0xf000_0000_u32.to_le_bytes());
    let huge = 100_000_001_u64.to_le_bytes();
    for (name, bytes, parts) in [
        ("w.safetensors", &good[..], &["w.safetensors", "W1", "inf at index [0, 1]", "remove or replace"][..]),
        ("w.safetensors", &good[..good.len() - 3], &["w.safetensors", "ends too early", "truncated"]),
        ("w.safetensors", &huge, &["w.safetensors", "header", "at most 100000000"]),
        ("w.safetensors", b"not tensors, but some text", &["w.safetensors"]),
        ("w.safetensors", &safetensors(&tensor("F8_E4M3", "[1,1]", 1), &[0]), &["W1", "F8_E4M3", "torch.float32"]),
        ("w.safetensors", &safetensors(&tensor("F64", "[0,2]", 0), &[]), &["W1", "empty", "0 x 2"]),
        ("w.npz", &archive, &["w.npz", "W1", "NaN at index [0, 1]"]),
        ("w.npz", &archive[..archive.len() / 2], &["w.npz", "zip"]),
        ("w.npz", b"not an archive", &["w.npz", "zip"]),
        ("w.npz", b"", &["w.npz", "empty"]),
        ("w.npz", &bomb, &["w.npz", "W1", "over the limit", "4026531840 bytes"]),
        ("w.npz", &npz(&[("W1", npy("'|O'", false, &[1, 1], &[0; 8]))]), &["W1", "object arrays", "dtype=float"]),
        ("w.npz", &npz(&[("W1", npy("'<c16'", false, &[1, 1], &[0; 16]))]), &["W1", "'<c16'", "complex numbers"]),
        ("w.json", b"nonsense", &["w.json", "not valid JSON", "W1"]),
        ("w.json", br#"{"W1": [[1, 2"#, &["w.json", "ends too early", "truncated"]),
        ("w.json", br#"{"W1": [[1, NaN]]}"#, &["w.json", "not a finite number", "line 1"]),
        ("w.json", br#"{"W1": [[1, "x"]]}"#, &["w.json", "W1", "\"x\" at [0, 1]", "3/7"]),
        ("w.json", br#"{"W1": [[1]], "W1": [[2]]}"#, &["w.json", "occurs twice", "rename"]),
        ("w.json", br#"{"W1": []}"#, &["w.json", "W1"]),
        ("w.pt", b"anything", &["w.pt", "pickle", "python -c", "safetensors"]),
        ("w.ckpt", b"anything", &["w.ckpt", "pickle", "python -c"]),
        ("w.txt", b"1 2", &["w.txt", "format", ".safetensors"]),
    ] {
        refused(&[(name, bytes)], &[], parts);
    }
}

#[test]
fn weights_that_are_no_network() {
    for (text, parts) in [
        (
            r#"{"W1": [[1, 0], [0, 1]], "W2": [[1, 2, 3]]}"#,
            &["W1 gives 2", "W2 takes 3", "W1 is 2 x 2, W2 is 1 x 3"][..],
        ),
        (
            r#"{"W1": [[1, 0, 0], [0, 1, 0]], "W2": [[1], [2], [3]]}"#,
            &["W1 gives 2", "W2 takes 1", "transposed layers do chain", "--convention flax"],
        ),
        (
            r#"{"W1": [[1, 2, 3], [4, 5, 6]], "W2": [[1, 2], [3, 4], [5, 6]], "W4": [[1, 2, 3]]}"#,
            &["W3 is missing", "--layers"],
        ),
        (r#"{"W1": [[1], [2]], "W2": [[1], [2], [3]]}"#, &["do not chain"]),
        (r#"{"W1": [[1, 0, 1, 0, 1], [0, 1, 0, 1, 0], [1, 1, 1, 1, 1]], "W2": [[1], [2], [0]]}"#, &["do not chain"]),
        (r#"{"steps": 3, "W1": [[1, 2]]}"#, &["steps", "--layers W1"]),
        (r#"{"a": [[1, 2], [0, 1]], "b": [[1, 0], [0, 1]]}"#, &["order of the layers", "chain in several", "--layers"]),
        (r#"{"W1": [[1, 0]], "b1": [1, 2]}"#, &["array b1", "does not fit the layer W1", "2 entries"]),
    ] {
        refused(&[("w.json", text.as_bytes())], &[], &[&["w.json"], parts].concat());
    }
    refused(&[], &["--layers", "W1,W1"], &["w.json", "W1", "listed twice"]);
    refused(&[], &["--layers", "W1,W7"], &["w.json", "W7", "the file holds W1, W2"]);
}

#[test]
fn biases_that_are_neither_a_shift_nor_a_feature() {
    let w = r#""W1": [[1, 0], [0, 1]], "W2": [[1, 0], [0, 1]], "W3": [[1, 1]]"#;
    for (biases, layer) in [(r#""b2": [1, 2]"#, "b2"), (r#""b1": [0, 0], "b2": [1, 2]"#, "b2")] {
        let text = format!("{{{w}, {biases}}}");
        refused(&[("w.json", text.as_bytes())], &[], &["w.json", layer, "last layer", "found biases in layers"]);
    }
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "w.json", br#"{"W1": [[1, 0]], "b1": [1]}"#);
    put(folder.path(), "t.json", b"[[1, 2]]");
    let arguments = ["diagnose", "--weights", "w.json", "--target", "t.json"];
    refused_arguments(folder.path(), &arguments, &["w.json", "b1", "target", "--data"]);
}

#[test]
fn data_that_cannot_be_used() {
    for (name, text, parts) in [
        ("d.json", r#"{"X": [[1, 0, 2]], "Y": [[1]]}"#, &["X", "2 inputs", "X is 1 x 3"][..]),
        ("d.json", r#"{"X": [[1, 0]], "Y": [[1, 2]]}"#, &["Y", "1 outputs", "Y is 1 x 2"]),
        ("d.json", r#"{"X": [[1, 0], [0, 1], [2, 2]], "Y": [[1, 2, 3]]}"#, &["different numbers of samples", "row"]),
        ("d.json", r#"{"X": [[1, 2, 3], [4, 5, 6]], "Y": [[1], [2]]}"#, &["X", "2 inputs", "belong together"]),
        ("d.json", r#"{"X": [], "Y": []}"#, &["no samples"]),
        ("d.json", r#"{"X": [[1, 0]]}"#, &["no array Y", "--task autoencoder"]),
        ("d.json", r#"{"X": [[1, 1e999]], "Y": [[1]]}"#, &["X", "too large", "[0, 1]"]),
        ("d.json", r#"{"X": [[1, 0], [1]], "Y": [[1], [2]]}"#, &["X", "different lengths"]),
        ("d.csv", "x1,x2,y1\n1,2,3\n1,oops,3\n", &["x2", "\"oops\" in row 1"]),
        ("d.csv", "x1,x2,y1\n1,2,3\n1,nan,3\n", &["x2", "not a finite number"]),
        ("d.csv", "x1,x2,y1\n1,2,3\n1,2\n", &["different lengths", "row 1"]),
        ("d.csv", "x1,x2,y1\n", &["no samples"]),
        ("d.csv", "x1,x2,y1\n1,2,\n", &["y1", "missing", "row 0", "weight 0 in a weighted loss"]),
        (
            "d.csv",
            "x1,x2,y1\n1,2,3\n1,2,NaN\n",
            &["y1", "not a finite number", "[1, 2]", "weight 0 in a weighted loss"],
        ),
        ("d.csv", "x1,x2,y1\nNA,2,3\n", &["x1", "missing", "fill the value"]),
        ("d.csv", "x1;x2;y1\n1;2;3,5\n", &["y1", "3,5", "points, not commas"]),
        ("d.csv", "x1,x3,y1\n1,2,3\n", &["number 2 is missing", "x3 in its place"]),
        ("d.csv", "x1,x1,y1\n1,2,3\n", &["same name"]),
        ("d.csv", "x1 x2 y1\n1 2 3\n", &["separated by spaces", "delimiter"]),
        ("d.csv", ",x1,x2,y1\n0.5,1,2,3\n", &["no name", "0.5", "give the column a name"]),
        ("d.csv", "x1,x2,y1\n9007199254740993,2,3\n", &["x1", "beyond 2^53", "9007199254740993"]),
        ("d.csv", "x1,x2,y1\n1,2,9007199254740993.0\n", &["y1", "beyond 2^53", "9007199254740993.0"]),
        ("d.csv", "0,1,2\n1,2,3\n", &["0, 1, 2", "pandas", "0.0"]),
        ("d.csv", "x1,x2,x,x4,y\n1,2,3,4,5\n", &["x1 and x", "--x A,B,..."]),
        ("d.json", r#"{"X": [[9007199254740993, 0.5]], "Y": [[1]]}"#, &["X", "beyond 2^53", ".json"]),
        ("d.json", r#"{"X": [[1, 0.5]], "Y": [[-9007199254740993.0]]}"#, &["Y", "beyond 2^53", "[0, 0]"]),
        ("d.json", r#"{"X": [[1, 0]], "Y": [[null]]}"#, &["array Y", "null at [0, 0]", "weight 0 in a weighted loss"]),
        ("d.json", r#"{"X": [[1, 0]], "Y": [[NaN]]}"#, &["array Y", "NaN at line 1", "weight 0 in a weighted loss"]),
        ("d.json", r#"{"X": [[1, 0]], "y": [[1, 2]]}"#, &["array y", "1 outputs"]),
        ("d.csv", "1,2,3\n", &["no header", "--inputs N"]),
        ("d.npy", "nothing", &["one array", "X.npy,Y.npy"]),
    ] {
        refused(&[(name, text.as_bytes())], &[], &[&[name], parts].concat());
    }
    let wide = npz(&[("X", npy_f64(&[1, 2], &[1.0, 2.0])), ("Y", npy_f64(&[1, 1, 1], &[1.0]))]);
    refused(&[("d.npz", &wide)], &[], &["d.npz", "array Y", "1 x 1 x 1"]);
    let bad =
        npz(&[("X", npy_f64(&[2, 2], &[1.0, 2.0, 3.0, f64::NEG_INFINITY])), ("Y", npy_f64(&[2, 1], &[1.0, 2.0]))]);
    refused(&[("d.npz", &bad)], &[], &["d.npz", "array X", "-inf in row 1, column 1"]);
    refused(&[], &["--task", "autoencoder"], &["d.json", "as many outputs as inputs", "2 inputs, 1 outputs"]);
    refused(&[("s.json", b"[1, 2]")], &["--sample-weights", "s.json"], &["s.json", "2 weights", "3 samples"]);
    refused(&[("s.json", b"[1, -2, 1]")], &["--sample-weights", "s.json"], &["s.json", "negative", "-2 for sample 1"]);
}

#[test]
fn swapped_ends_are_recognized() {
    let weights = r#"{"W1": [[1, 0, 0]], "W2": [[1], [1]]}"#;
    let data = r#"{"X": [[1, 0], [0, 1]], "Y": [[1, 2, 3], [4, 5, 6]]}"#;
    let files = [("w.json", weights.as_bytes()), ("d.json", data.as_bytes())];
    // As (in, out) they would not chain: no option is offered.
    refused(&files, &[], &["d.json", "X", "exchanged, in the data or in the weights"]);
}

#[test]
fn output_metrics_that_are_no_metric_name_their_own_file() {
    let weights = br#"{"W1": [[1, 0], [0, 1]], "W2": [[1, 0], [0, 1]]}"#;
    let data = br#"{"X": [[1, 0], [0, 1]], "Y": [[1, 2], [3, 4]]}"#;
    for (metric, parts) in [
        ("[[1, 0], [0, -1]]", &["not positive definite", "-1"][..]),
        ("[[1, 2], [0, 1]]", &["not symmetric"]),
        ("[[1, 0, 0], [0, 1, 0]]", &["not square", "2 x 3"]),
        ("[[1, 0, 0], [0, 1, 0], [0, 0, 1]]", &["3 x 3", "2 outputs"]),
        ("[[1, 0], [0]]", &["different lengths"]),
    ] {
        let files: [(&str, &[u8]); 3] = [("w.json", weights), ("d.json", data), ("m.json", metric.as_bytes())];
        refused(&files, &["--output-metric", "m.json"], &[&["m.json: "], parts].concat());
    }
}

#[test]
fn options_that_mean_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "w.json", WEIGHTS);
    put(folder, "d.json", DATA);
    std::fs::create_dir(folder.join("folder.json")).unwrap();
    let given = |more: &[&'static str]| [&["diagnose", "--weights", "w.json"], more].concat();
    for (arguments, parts) in [
        (given(&["--data", "d.json", "--tolerance", "rnak=1"]), &["rnak", "the names are rank, "][..]),
        (given(&["--data", "d.json", "--tolerance", "rank"]), &["NAME=VALUE", "rank=16"]),
        (given(&["--data", "d.json", "--tolerance", "rank=-1"]), &["rank", "not negative", "-1"]),
        (given(&["--data", "none.json"]), &["none.json", "does not exist"]),
        (given(&["--data", "folder.json"]), &["folder.json", "directory"]),
        (given(&["--target", "none.json"]), &["none.json", "does not exist"]),
        (given(&["--target", "d.json"]), &["d.json", "do not fit", "1 inputs and 3 outputs", "2 and 1"]),
        (given(&[]), &["no data", "--data FILE", "--target FILE"]),
        (vec!["diagnose", "--weights", "folder.json", "--data", "d.json"], &["folder.json", "directory"]),
        (vec!["diagnose", "--example", "digitz"], &["digitz", "digits, digits-early"]),
    ] {
        refused_arguments(folder, &arguments, parts);
    }
}

#[test]
fn bad_usage_is_told_in_both_ways() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, part) in [
        (&["diagnose", "--example", "digits", "--threads", "0"][..], "--threads"),
        (&["diagnose", "--example", "digits", "--normalization", "max"], "--normalization"),
        (&["diagnose", "--example", "digits", "--weights", "w.json"], "--weights"),
        (&["diagnose", "--data", "d.json"], "--weights"),
        (&["diagnoze"], "diagnoze"),
        (&["diagnose", "--example", "digits", "--seed", "-1"], "-1"),
    ] {
        let run = rankscape(folder.path(), arguments);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
        assert!(run.stderr.contains(part) && run.stderr.contains("--help"), "{run:?}");
        let run = rankscape(folder.path(), &[arguments, &["--json"]].concat());
        let document = run.json();
        assert_eq!((run.code, &document["schema"]), (2, &Value::from("rankscape.error/1")), "{run:?}");
        assert!(document["problem"].as_str().unwrap().contains(part), "{document}");
        assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
    }
    assert!(listing(folder.path()).is_empty());
}

#[test]
fn there_is_no_way_to_leave_where_nothing_is_lower() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "d.json", br#"{"X": [[1]], "Y": [[1]]}"#);
    put(folder, "w.json", br#"{"W1": [[1]], "W2": [[1]]}"#);
    let arguments = ["diagnose", "--weights", "w.json", "--data", "d.json", "--leave", "left.json"];
    let run = rankscape(folder, &arguments);
    assert!(run.code == 0 && run.stdout.contains("left.json was not written: nothing is lower"), "{run:?}");
    assert!(!folder.join("left.json").exists());
    put(folder, "w.json", br#"{"W1": [[0]], "W2": [[0]]}"#);
    for (target, part) in [("left.txt", "format"), ("none/left.json", "cannot be written"), ("left.csv", "format")] {
        let arguments = ["diagnose", "--weights", "w.json", "--data", "d.json", "--leave", target];
        refused_arguments(folder, &arguments, &[target, part]);
    }
}

#[test]
fn a_loss_beyond_double_precision_is_refused() {
    let weights: &[u8] = br#"{"W1": [[1e200]], "W2": [[1e200]]}"#;
    let data: &[u8] = br#"{"X": [[1]], "Y": [[1]]}"#;
    refused(&[("w.json", weights), ("d.json", data)], &[], &["too large for double precision", "scale"]);
}

#[test]
fn damaged_archives_are_noticed_in_every_entry_that_is_read() {
    let x = npy_f64(&[2, 2], &[1.0, 2.0, 3.0, 4.0]);
    let y = npy_f64(&[2, 1], &[1.0, 2.0]);
    for (name, entry) in [("X", &x), ("Y", &y)] {
        let good = stored(&[("X", &x[..]), ("Y", &y[..])]);
        let at = good.windows(entry.len()).position(|window| window == &entry[..]).unwrap();
        let mut bad = good.clone();
        bad[at + entry.len() - 2] ^= 1;
        refused(&[("d.npz", &bad)], &[], &["d.npz", &format!("array {name}"), "checksum is wrong"]);
    }
    let odd: Vec<u8> = [1_i64, (1 << 53) + 1].iter().flat_map(|v| v.to_le_bytes()).collect();
    let large = npz(&[("X", npy("'<i8'", false, &[1, 2], &odd)), ("Y", npy_f64(&[1, 1], &[1.0]))]);
    refused(&[("d.npz", &large)], &[], &["array X", "9007199254740993 at index [0, 1]", ".json"]);
}

/// An archive whose entries are stored as they are.
fn stored(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in entries {
        archive.start_file(format!("{name}.npy"), options).unwrap();
        std::io::Write::write_all(&mut archive, bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}
