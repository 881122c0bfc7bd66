//! Weights as frameworks name and store them: read right, or refused by name.

use std::io::Read;
use std::path::Path;

use crate::common::{assert_refused, listing, rankscape, root};
use serde_json::Value;
use testkit::files::{npy, npy_f64, npz, put};

#[track_caller]
fn diagnosed(folder: &Path, weights: &str, data: &str, more: &[&str]) -> Value {
    let run = rankscape(folder, &[&["diagnose", "--json", "--weights", weights, "--data", data], more].concat());
    assert!([0, 3].contains(&run.code), "{run:?}");
    run.json()
}

/// What PyTorch computes is what is read.
#[test]
fn networks_that_pytorch_saved_have_loss_zero_or_are_refused() {
    let folder = root().join("oracles/weights");
    let linear = [
        "plain",
        "gaps",
        "fc",
        "inout",
        "autoencoder",
        "spectral_old",
        "spectral_new",
        "weightnorm_old",
        "weightnorm_new",
        "weightnorm_dim1",
        "weightnorm_none",
        "weightnorm_new_none",
    ];
    let refused = [
        ("orthogonal", "remove_parametrizations"),
        ("batchnorm", "fuse_linear_bn_eval"),
        ("batchnorm_plain", "fuse_linear_bn_eval"),
        ("layernorm", "is not linear"),
        ("layernorm_nobias", "1.weight"),
        ("prelu", "activation"),
        ("conv", "convolution"),
        ("tied", "tied"),
    ];
    for name in linear {
        let document = diagnosed(&folder, &format!("{name}.safetensors"), &format!("{name}-data.npz"), &[]);
        let loss = document["loss"]["value"].as_f64().unwrap();
        assert!(loss < 1e-10, "{name}: {loss}");
        let told = document["notes"].as_array().unwrap().len() > 1;
        assert!(told || ["plain", "fc"].contains(&name), "{name}: {document}");
    }
    for (name, part) in refused {
        let files = [format!("{name}.safetensors"), format!("{name}-data.npz")];
        let run = rankscape(&folder, &["diagnose", "--weights", &files[0], "--data", &files[1]]);
        assert_refused(&run, &[part]);
        assert!(!run.stderr.contains("--layers"), "{run:?}");
    }
    let files = listing(&folder).into_iter().filter(|file| file.ends_with(".safetensors")).count();
    assert_eq!(files, linear.len() + refused.len());
}

/// y = A (B x + b) + a with A = [[1, 2], [0, 1]], B = [[1, 0], [3, 1]], b = (1, -1), a = (2, 0): each layout of it.
const DATA: &[u8] = br#"{"X": [[0, 0], [1, 0], [0, 1]], "Y": [[1, -1], [8, 2], [3, 0]]}"#;
const B: [f64; 4] = [1.0, 0.0, 3.0, 1.0];
const B_IN: [f64; 4] = [1.0, 3.0, 0.0, 1.0];
const A: [f64; 4] = [1.0, 2.0, 0.0, 1.0];
const A_IN: [f64; 4] = [1.0, 0.0, 2.0, 1.0];

#[test]
fn every_naming_gives_the_same_network() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "d.json", DATA);
    let torch = (&B, &A);
    let flax = (&B_IN, &A_IN);
    for (names, (first, second), bias, more) in [
        (["w1", "b1", "w2", "b2"], torch, &[2][..], &[][..]),
        (["W_1", "b_1", "W_2", "b_2"], torch, &[2], &[]),
        (["W0", "b0", "W1", "b1"], torch, &[2], &[]),
        (["weight1", "bias1", "weight2", "bias2"], torch, &[1, 2], &[]),
        (["theta1_W", "theta1_B", "theta2_W", "theta2_B"], torch, &[2, 1], &[]),
        (["module.net.0.weight", "module.net.0.bias", "module.net.2.weight", "module.net.2.bias"], torch, &[2], &[]),
        (["dense/kernel:0", "dense/bias:0", "dense_1/kernel:0", "dense_1/bias:0"], flax, &[2], &[]),
        (
            ["params/Dense_0/kernel", "params/Dense_0/bias", "params/Dense_1/kernel", "params/Dense_1/bias"],
            flax,
            &[2],
            &[],
        ),
        (["mlp/~/linear_0/w", "mlp/~/linear_0/b", "mlp/~/linear_1/w", "mlp/~/linear_1/b"], flax, &[2], &[]),
        (["linear/w", "linear/b", "linear_1/w", "linear_1/b"], flax, &[2], &[]),
        (["arr_0", "arr_1", "arr_2", "arr_3"], flax, &[2], &["--convention", "flax"]),
        (["arr_0", "arr_1", "arr_2", "arr_3"], torch, &[2], &["--convention", "torch"]),
        (["p", "q", "r", "s"], torch, &[2], &["--layers", "p,r", "--biases", "q,s"]),
    ] {
        let arrays = [
            (names[3], npy_f64(bias, &[2.0, 0.0])),
            (names[2], npy_f64(&[2, 2], second)),
            (names[1], npy_f64(bias, &[1.0, -1.0])),
            (names[0], npy_f64(&[2, 2], first)),
        ];
        put(folder, "w.npz", &npz(&arrays));
        let document = diagnosed(folder, "w.npz", "d.json", more);
        assert!(document["loss"]["value"].as_f64().unwrap() < 1e-20, "{names:?}: {document}");
    }
}

#[test]
fn lists_and_kernels_that_are_not_square_need_no_word() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "d.json", br#"{"X": [[1, 2, 3]], "Y": [[5, 7]]}"#);
    // (in, out) = (3, 2): y = x W + b.
    let kernel = [1.0, 0.0, 0.0, 1.0, 1.0, 1.0];
    let transposed = [1.0, 0.0, 1.0, 0.0, 1.0, 1.0];
    for (name, bias, shape, values) in [
        ("arr_0", "arr_1", [3, 2], kernel),
        ("arr_0", "arr_1", [2, 3], transposed),
        ("a/kernel", "a/bias", [3, 2], kernel),
        ("a.weight", "a.bias", [2, 3], transposed),
    ] {
        // In a list, a row or column that would go on the chain is a layer.
        let goes_on = |vector: &[usize]| {
            name == "arr_0" && vector.len() == 2 && vector[0] == shape[1] || vector[..] == [1, shape[0]]
        };
        for vector in [&[2][..], &[1, 2], &[2, 1]].into_iter().filter(|vector| !goes_on(vector)) {
            put(folder, "w.npz", &npz(&[(name, npy_f64(&shape, &values)), (bias, npy_f64(vector, &[1.0, 2.0]))]));
            let document = diagnosed(folder, "w.npz", "d.json", &[]);
            assert!(document["loss"]["value"].as_f64().unwrap() < 1e-20, "{name} {vector:?}: {document}");
        }
    }
}

/// Names, orientation and shapes are those of the file that was read.
#[test]
fn weights_are_written_back_as_they_came() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "d.json", br#"{"X": [[1, 2, 3], [0, 1, 1]], "Y": [[5, 9], [1, 0]]}"#);
    let first = npy_f64(&[3, 2], &[1.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
    put(folder, "w.npz", &npz(&[("a/kernel", first), ("a/bias", npy_f64(&[1, 2], &[1.0, 2.0]))]));
    let before = diagnosed(folder, "w.npz", "d.json", &["--leave", "left.json"]);
    let left: Value = serde_json::from_slice(&std::fs::read(folder.join("left.json")).unwrap()).unwrap();
    assert_eq!((left["a/kernel"].as_array().unwrap().len(), left["a/bias"].as_array().unwrap().len()), (3, 1));
    let after = diagnosed(folder, "left.json", "d.json", &[]);
    let loss = |document: &Value| document["loss"]["value"].as_f64().unwrap();
    let expected = loss(&before) - before["leave"]["decrease"].as_f64().unwrap();
    assert!((loss(&after) - expected).abs() < 1e-12 && loss(&after) < loss(&before), "{before}");
}

#[test]
fn nothing_is_dropped_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "d.json", DATA);
    let square = |name: &'static str, values: &[f64]| (name, npy_f64(&[2, 2], values));
    let vector = |name: &'static str| (name, npy_f64(&[2], &[1.0, -1.0]));
    let arrays =
        [square("W1", &B), vector("c1"), square("W2", &A), vector("b2"), square("W3", &A), vector("norm.weight")];
    put(folder, "w.npz", &npz(&arrays));
    let document = diagnosed(folder, "w.npz", "d.json", &["--layers", "W1,W2"]);
    let note = document["notes"][0].as_str().unwrap();
    for part in ["c1", "W3 (a matrix)", "norm.weight", "named layers alone"] {
        assert!(note.contains(part), "{note}");
    }
    let document = diagnosed(folder, "w.npz", "d.json", &["--layers", "W1,W2", "--biases", "none"]);
    assert!(document["notes"].to_string().contains("b2 left out"), "{document}");
    put(folder, "e.npz", &npz(&[square("encoder.0.weight", &B)]));
    let document = diagnosed(folder, "e.npz", "d.json", &["--task", "autoencoder"]);
    assert!(document["notes"].to_string().contains("no decoder"), "{document}");
    for (verb, more) in
        [("map", &[][..]), ("balance", &[]), ("critical", &["--data", "d.json"]), ("parse", &["--data", "d.json"])]
    {
        let run = rankscape(folder, &[&[verb, "--json", "--weights", "e.npz"], more].concat());
        assert!(run.json()["notes"].to_string().contains("no decoder"), "{verb}: {run:?}");
    }
}

/// Matrices that `--layers` names, with biases beside them under names that go with theirs.
#[test]
fn biases_are_found_by_the_names_of_their_matrices() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "d.json", DATA);
    for (first, second) in [
        ("foo.bias", "bar.bias"),
        ("foo_bias", "bar_bias"),
        ("foo_b", "bar_b"),
        ("b_foo", "b_bar"),
        ("bias_foo", "bias_bar"),
        ("fooBias", "barBias"),
        ("foo/intercept_", "bar/intercept_"),
    ] {
        for shape in [&[2][..], &[2, 1], &[1, 2]] {
            let arrays = [
                ("bar", npy_f64(&[2, 2], &A)),
                (second, npy_f64(shape, &[2.0, 0.0])),
                ("foo", npy_f64(&[2, 2], &B)),
                (first, npy_f64(shape, &[1.0, -1.0])),
            ];
            put(folder, "w.npz", &npz(&arrays));
            let document = diagnosed(folder, "w.npz", "d.json", &["--layers", "foo,bar"]);
            assert!(document["loss"]["value"].as_f64().unwrap() < 1e-20, "{first} {shape:?}: {document}");
            let without = diagnosed(folder, "w.npz", "d.json", &["--layers", "foo,bar", "--biases", "none"]);
            assert!(without["loss"]["value"].as_f64().unwrap() > 1.0, "{without}");
            assert!(without["notes"].to_string().contains(&format!("{first}, {second} left out")), "{without}");
        }
    }
    // What is named a layer is no bias of another.
    put(folder, "d.json", br#"{"X": [[1, 2], [0, 1]], "Y": [[3, 6], [1, 2]]}"#);
    put(folder, "w.npz", &npz(&[("W", npy_f64(&[1, 2], &[1.0, 1.0])), ("b", npy_f64(&[2, 1], &[1.0, 2.0]))]));
    let document = diagnosed(folder, "w.npz", "d.json", &["--layers", "W,b"]);
    assert!(document["loss"]["value"].as_f64().unwrap() < 1e-20, "{document}");
}

/// A checkpoint of which some layers are analysed is written back whole.
#[test]
fn everything_else_of_the_file_is_carried_over() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "d.json", br#"{"X": [[1, 0], [0, 1]], "Y": [[2, 0], [0, 1]]}"#);
    let whole = |values: &[i64]| {
        npy("'<i8'", false, &[2, 2], &values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>())
    };
    let arrays = [
        ("W1", whole(&[0, 0, 0, 0])),
        ("b1", npy_f64(&[2], &[3.0, 4.0])),
        ("steps", npy("'|u1'", false, &[], &[7])),
        ("conv.weight", npy("'<f2'", false, &[2, 2, 2], &[0; 16])),
        ("W2", whole(&[0, 0, 0, 0])),
    ];
    put(folder, "w.npz", &npz(&arrays));
    let chosen = ["--layers", "W1,W2", "--biases", "none"];
    let document = diagnosed(folder, "w.npz", "d.json", &[&chosen[..], &["--leave", "left.npz"]].concat());
    let notes = document["notes"].to_string();
    for part in ["left.npz also holds b1, steps, conv.weight, as they were", "W1 (whole numbers, now float64)"] {
        assert!(notes.contains(part), "{notes}");
    }
    let mut archive = zip::ZipArchive::new(std::fs::File::open(folder.join("left.npz")).unwrap()).unwrap();
    for (name, bytes) in arrays.iter().filter(|(name, _)| !name.starts_with('W')) {
        let mut found = Vec::new();
        archive.by_name(&format!("{name}.npy")).unwrap().read_to_end(&mut found).unwrap();
        assert!(found == *bytes, "{name}");
    }
    let left = diagnosed(folder, "left.npz", "d.json", &chosen);
    assert!(left["loss"]["value"].as_f64().unwrap() < 2.5, "{left}");
    let document = diagnosed(folder, "w.npz", "d.json", &[&chosen[..], &["--leave", "left.json"]].concat());
    assert!(document["notes"].to_string().contains("left.json does not hold b1, steps, conv.weight"), "{document}");
    put(folder, "w.json", br#"{"W1": [[0, 0]], "W2": [[0], [0]], "mean": [0.10], "step": 3, "deep": [[[1]]]}"#);
    let document = diagnosed(folder, "w.json", "d.json", &["--layers", "W1,W2", "--leave", "left2.json"]);
    assert!(document["notes"].to_string().contains("left2.json also holds mean, step, deep"), "{document}");
    let text = std::fs::read_to_string(folder.join("left2.json")).unwrap();
    for part in ["\"mean\": [0.10]", "\"step\": 3", "\"deep\": [[[1]]]"] {
        assert!(text.contains(part), "{text}");
    }
    for verb in [
        &["balance", "--weights", "w.json", "--layers", "W1,W2"][..],
        &["escape", "--weights", "w.json", "--data", "d.json", "--layers", "W1,W2"],
    ] {
        let (option, file) = if verb[0] == "balance" { ("--save", "b.json") } else { ("--leave", "e.json") };
        let run = rankscape(folder, &[verb, &[option, file, "--json"]].concat());
        assert!(run.json()["notes"].to_string().contains(&format!("{file} also holds mean")), "{run:?}");
        assert!(std::fs::read_to_string(folder.join(file)).unwrap().contains("[0.10]"));
    }
}

/// The header's text stays too: transformers refuses a checkpoint without it.
#[test]
fn tensors_and_metadata_are_carried_over() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "d.json", br#"{"X": [[1], [2]], "Y": [[2], [1]]}"#);
    let header = concat!(
        r#"{"__metadata__":{"format":"pt"},"a.weight":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},"#,
        r#""mask":{"dtype":"BOOL","shape":[4],"data_offsets":[4,8]},"ids":{"dtype":"I64","shape":[1],"data_offsets":[8,16]}}"#
    );
    let data = [&0.5_f32.to_le_bytes()[..], &[1, 0, 0, 1], &(1_i64 << 60).to_le_bytes()].concat();
    let bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &data].concat();
    put(folder, "w.safetensors", &bytes);
    diagnosed(folder, "w.safetensors", "d.json", &["--layers", "a.weight", "--leave", "left.safetensors"]);
    let left = std::fs::read(folder.join("left.safetensors")).unwrap();
    let text = String::from_utf8_lossy(&left).into_owned();
    for part in [r#""format":"pt""#, r#""mask":{"dtype":"BOOL","shape":[4]"#, r#""ids":{"dtype":"I64""#] {
        assert!(text.contains(part), "{text}");
    }
    assert!(left.windows(8).any(|part| part == (1_i64 << 60).to_le_bytes()));
    // Truth is 0 or 1.
    let at = bytes.len() - 10;
    let mut forged = bytes.clone();
    forged[at] = 2;
    put(folder, "f.safetensors", &forged);
    let run = rankscape(
        folder,
        &[
            "diagnose",
            "--weights",
            "w.safetensors",
            "--layers",
            "a.weight",
            "--data",
            "f.safetensors",
            "--x",
            "mask",
            "--task",
            "autoencoder",
        ],
    );
    assert_refused(&run, &["f.safetensors", "mask", "byte 2 at index [2]"]);
}
