//! `adapter` through the command: layouts, types, configurations, balanced checkpoints, overlap, refusals.

mod checkpoint;
mod outputs;
mod stacks;
mod tools;

use std::path::Path;

use crate::common::{assert_close, assert_refused, rankscape, root};
use checkpoint::{Tensor, drawn, put_checkpoint, stored, tensor};
use serde_json::{Value, json};
use testkit::files::put;
use testkit::grid::Dense;
use testkit::jacobi::singular_values;
use testkit::random::Draw;

#[track_caller]
fn answer(folder: &Path, arguments: &[&str], code: i32) -> Value {
    crate::common::answer(folder, &[&["adapter"], arguments].concat(), code)
}

#[track_caller]
fn refused(folder: &Path, arguments: &[&str], parts: &[&str]) {
    let run = rankscape(folder, &[&["adapter"], arguments].concat());
    assert!(run.stdout.is_empty(), "{run:?}");
    assert_refused(&run, parts);
}

fn dense(rows: usize, tensor: &Tensor) -> Dense {
    let cols = tensor.values.len() / rows;
    Dense::from_fn(rows, cols, |i, j| tensor.values[i * cols + j])
}

/// Singular values of the formed product.
fn values_of(a: &Tensor, b: &Tensor) -> Vec<f64> {
    singular_values(&dense(b.shape[0], b).matmul(&dense(a.shape[0], a)))
}

#[track_caller]
fn assert_values(pair: &Value, expected: &[f64], scaling: f64) {
    let found = pair["singular_values"].as_array().unwrap();
    for (value, expected) in found.iter().zip(expected) {
        assert_close(value, scaling * expected, 1e-6, "singular value");
    }
}

fn pair(module: &str, r: usize, draw: &mut Draw) -> [Tensor; 2] {
    let a = drawn(&format!("{module}.lora_A.weight"), &[r, 7], draw);
    [a, drawn(&format!("{module}.lora_B.weight"), &[5, r], draw)]
}

#[test]
fn the_shipped_adapter_of_peft_is_read() {
    let example = root().join("examples/adapter");
    let found = answer(&example, &[".", "--base", "base.safetensors"], 0);
    let pairs = found["pairs"].as_array().unwrap();
    assert_eq!(pairs.len(), 7);
    for pair in pairs {
        let name = pair["name"].as_str().unwrap();
        let scaling = match () {
            () if name.contains("down_proj") => 8.0 / 6.0,
            () if name.ends_with("layers.0.self_attn.q_proj") => 16.0 / 4.0,
            () => 8.0 / 4.0,
        };
        assert_close(&pair["scaling"], scaling, 1e-15, name);
        let frozen = name.ends_with("layers.1.self_attn.v_proj");
        assert_eq!(pair["differential"]["submersion"], !frozen, "{name}");
        assert_eq!(pair["says"].as_str().unwrap().starts_with("B is zero"), frozen, "{name}");
        assert_eq!(pair["kind"], if name.ends_with("embed_tokens") { "embedding" } else { "linear" });
        assert_eq!(pair.get("overlap").is_none(), frozen, "{name}");
    }
    let unknown: Vec<&str> = found["unknown"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap()).collect();
    assert_eq!(unknown, ["base_model.model.lm_head.weight", "base_model.model.model.embed_tokens.base_layer.weight"]);
    let run = rankscape(&example, &["adapter", "."]);
    assert!(run.code == 0 && run.stdout.contains("6 > 48") && run.stdout.contains("lm_head.weight"), "{run:?}");
    assert!(run.stdout.contains("1 x  B is zero: the product map is not open here; only the gradient of B"), "{run:?}");
}

#[test]
fn every_stored_type_gives_the_values_of_the_formed_product() {
    let folder = tempfile::tempdir().unwrap();
    let [a, b] = pair("m.q", 3, &mut Draw::new(41, 0));
    let expected = values_of(&a, &b);
    for dtype in ["F64", "F32", "F16", "BF16"] {
        put_checkpoint(folder.path(), "w.safetensors", &[a.clone().stored_as(dtype), b.clone().stored_as(dtype)]);
        let found = answer(folder.path(), &["w.safetensors"], 0);
        let pair = &found["pairs"][0];
        assert_values(pair, &expected, 1.0);
        assert_eq!(pair["ranks"]["product"]["rank"], 3, "{dtype}");
        assert_eq!((&pair["scaling"], pair["differential"]["submersion"].as_bool()), (&Value::Null, Some(true)));
        let square: f64 = expected.iter().map(|s| s * s).sum();
        assert_close(&pair["stable_rank"], square / (expected[0] * expected[0]), 1e-9, "stable rank");
        let sum: f64 = expected[..3].iter().sum();
        let entropy: f64 = expected[..3].iter().map(|s| -(s / sum) * (s / sum).ln()).sum();
        assert_close(&pair["entropy_rank"], entropy.exp(), 1e-9, "entropy rank");
        assert!(found["notes"][0].as_str().unwrap().contains("no adapter_config.json"), "{found}");
    }
    put_checkpoint(folder.path(), "w.safetensors", &[a.stored_as("I64"), b]);
    refused(folder.path(), &["w.safetensors"], &["m.q.lora_A.weight", "I64"]);
}

#[test]
fn names_of_a_training_state_convolutions_embeddings_and_dora_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let draw = &mut Draw::new(42, 0);
    let one = [drawn("m.q.lora_A.one.weight", &[2, 7], draw), drawn("m.q.lora_B.one.weight", &[5, 2], draw)];
    let two = [drawn("m.q.lora_A.two.weight", &[3, 7], draw), drawn("m.q.lora_B.two.weight", &[5, 3], draw)];
    let kernel = [drawn("c.lora_A.weight", &[2, 3, 2, 2], draw), drawn("c.lora_B.weight", &[6, 2, 1, 1], draw)];
    let table = [drawn("e.lora_embedding_A", &[2, 11], draw), drawn("e.lora_embedding_B", &[4, 2], draw)];
    let rest = [
        tensor("m.q.lora_magnitude_vector.one.weight", &[5], &[1.0, 2.0, 0.5, 3.0, 1.0]),
        tensor("e.lora_magnitude_vector", &[11], &[1.0; 11]),
        drawn("m.q.lora_B.two.bias", &[5], draw),
        drawn("head.weight", &[3, 3], draw).stored_as("I64"),
    ];
    let all: Vec<Tensor> = [&one[..], &two, &kernel, &table, &rest].concat();
    put_checkpoint(folder.path(), "w.safetensors", &all);
    let found = answer(folder.path(), &["w.safetensors"], 0);
    let pairs = found["pairs"].as_array().unwrap();
    let names: Vec<(&str, Option<&str>, &str)> = pairs
        .iter()
        .map(|p| (p["name"].as_str().unwrap(), p["adapter"].as_str(), p["kind"].as_str().unwrap()))
        .collect();
    let expected = [
        ("c", None, "convolution"),
        ("e", None, "embedding"),
        ("m.q", Some("one"), "linear"),
        ("m.q", Some("two"), "linear"),
    ];
    assert_eq!(names, expected);
    let shapes = &pairs[0]["shapes"];
    assert_eq!((&shapes["a"], &shapes["b"]), (&json!([2, 3, 2, 2]), &json!([6, 2, 1, 1])));
    assert_eq!(shapes["product"], json!([6, 12]));
    assert_eq!(pairs[1]["shapes"]["product"], json!([4, 11]));
    for (pair, [a, b]) in pairs.iter().zip([&kernel, &table, &one, &two]) {
        let mut pair = pair.clone();
        if !pair["magnitude"].is_null() {
            assert!(pair["singular_values"].is_null(), "the change of the weight needs the base");
            pair["singular_values"] = pair["product"]["values"].clone();
        }
        assert_values(&pair, &values_of(a, b), 1.0);
    }
    assert_eq!(pairs[2]["magnitude"], json!({"entries": 5, "smallest": 0.5, "largest": 3.0}));
    assert_eq!(pairs[1]["magnitude"]["entries"], 11);
    assert!(pairs[2]["says"].as_str().unwrap().contains("DoRA") && pairs[3]["magnitude"].is_null());
    assert_eq!(pairs[3]["bias"], "m.q.lora_B.two.bias");
    assert_eq!(found["unknown"], json!([{"name": "head.weight", "shape": [3, 3], "method": null}]));
}

#[test]
fn the_configuration_gives_the_scaling() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let draw = &mut Draw::new(43, 0);
    let [a, b] = pair("base_model.model.layers.0.q", 4, draw);
    let [c, d] = pair("base_model.model.layers.1.q", 2, draw);
    put_checkpoint(folder, "w.safetensors", &[a.clone(), b.clone(), c, d]);
    let scaling = |config: &str| {
        put(folder, "adapter_config.json", config.as_bytes());
        let found = answer(folder, &["w.safetensors"], 0);
        (0..2).map(|k| found["pairs"][k]["scaling"].as_f64().unwrap()).collect::<Vec<_>>()
    };
    let pattern = r#""rank_pattern": {"layers.1.q": 2}"#;
    assert_eq!(scaling(&format!(r#"{{"r": 4, "lora_alpha": 8, {pattern}}}"#)), [2.0, 4.0]);
    assert_eq!(scaling(&format!(r#"{{"r": 4, "lora_alpha": 8, "use_rslora": true, {pattern}}}"#))[0], 4.0);
    let found =
        scaling(&format!(r#"{{"r": 4, "lora_alpha": 8, "alpha_pattern": {{"q": 4, "layers.1.q": 9}}, {pattern}}}"#));
    assert_eq!(found, [1.0, 2.0], "the first pattern that matches wins");
    put(folder, "adapter_config.json", br#"{"r": 4, "lora_alpha": 8}"#);
    refused(folder, &["w.safetensors"], &["adapter_config.json", "layers.1.q.lora_A", "4 by r, 2 rows"]);
    put(folder, "adapter_config.json", br#"{"peft_type": "LOKR", "r": 4, "alpha": 8}"#);
    refused(folder, &["w.safetensors"], &["adapter_config.json", "LOKR", "LORA"]);
    put(
        folder,
        "adapter_config.json",
        br#"{"r": 4, "lora_alpha": 8, "use_dora": true, "rank_pattern": {"layers.1.q": 2}}"#,
    );
    refused(folder, &["w.safetensors"], &["use_dora", "no lora_magnitude_vector"]);
    put(folder, "adapter_config.json", b"{");
    refused(folder, &["w.safetensors"], &["adapter_config.json"]);
}

#[test]
fn shards_and_folders_are_read_like_one_file() {
    let whole = tempfile::tempdir().unwrap();
    let split = tempfile::tempdir().unwrap();
    let draw = &mut Draw::new(44, 0);
    let [a, b] = pair("m.q", 2, draw);
    let [c, d] = pair("m.v", 3, draw);
    put_checkpoint(whole.path(), "adapter_model.safetensors", &[a.clone(), b.clone(), c.clone(), d.clone()]);
    put_checkpoint(split.path(), "part-1.safetensors", &[c.clone(), a.clone()]);
    put_checkpoint(split.path(), "part-2.safetensors", &[d.clone(), b.clone()]);
    let map: serde_json::Map<String, Value> = [(&a, 1), (&b, 2), (&c, 1), (&d, 2)]
        .into_iter()
        .map(|(tensor, part)| (tensor.name.clone(), json!(format!("part-{part}.safetensors"))))
        .collect();
    let index = json!({"metadata": {}, "weight_map": map});
    put(split.path(), "model.safetensors.index.json", index.to_string().as_bytes());
    let expected = answer(whole.path(), &["."], 0);
    for argument in [".", "model.safetensors.index.json"] {
        let found = answer(split.path(), &[argument], 0);
        assert_eq!((&found["pairs"], &found["digest"]), (&expected["pairs"], &expected["digest"]));
    }
    refused(split.path(), &["part-1.safetensors"], &["m.q.lora_A.weight", "lora_B is missing", "index of all shards"]);
    std::fs::remove_file(split.path().join("model.safetensors.index.json")).unwrap();
    refused(split.path(), &["."], &["several checkpoints", "part-1.safetensors, part-2.safetensors"]);
    put(split.path(), "x.safetensors.index.json", br#"{"weight_map": {"a": "../elsewhere.safetensors"}}"#);
    refused(split.path(), &["."], &["x.safetensors.index.json", "files beside it", "elsewhere"]);
    put(split.path(), "x.safetensors.index.json", br#"{"weight_map": {"a": "part-3.safetensors"}}"#);
    refused(split.path(), &["."], &["part-3.safetensors", "does not exist"]);
    let none = tempfile::tempdir().unwrap();
    refused(none.path(), &["."], &["no .safetensors file"]);
    put(none.path(), "adapter_model.bin", b"PK");
    refused(none.path(), &["."], &["adapter_model.bin", "pickle", "save_file"]);
}

#[test]
fn a_balanced_checkpoint_keeps_products_names_types_and_other_tensors() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let draw = &mut Draw::new(45, 0);
    let [a, b] = pair("m.q", 2, draw);
    let kernel = [drawn("c.lora_A.weight", &[2, 3, 2, 2], draw), drawn("c.lora_B.weight", &[6, 2, 1, 1], draw)];
    let [c, mut d] = pair("m.v", 2, draw);
    d.values.fill(0.0);
    let other = drawn("head.steps", &[3], draw).stored_as("I64");
    let all = [&kernel[..], &[a, b.clone().stored_as("BF16"), c.clone(), d.clone(), other.clone()]].concat();
    put_checkpoint(folder, "w.safetensors", &all);
    let found = answer(folder, &["w.safetensors", "--balance", "--save", "out.safetensors"], 0);
    let again = answer(folder, &["out.safetensors"], 0);
    for (k, exact) in [(0, true), (1, false)] {
        let (before, after) = (&found["pairs"][k], &again["pairs"][k]);
        assert!(before["balance_defect"].as_f64() > Some(1e-2));
        let (defect, tolerance) = (after["balance_defect"].as_f64().unwrap(), if exact { 1e-12 } else { 1e-2 });
        assert!(defect < tolerance, "{after}");
        assert_eq!(before["balanced"]["defect_after"], after["balance_defect"]);
        for (x, y) in
            before["singular_values"].as_array().unwrap().iter().zip(after["singular_values"].as_array().unwrap())
        {
            assert_close(x, y.as_f64().unwrap(), tolerance, "product");
        }
        assert!(before["balanced"]["product_error"].as_f64().unwrap() < 10.0 * tolerance);
    }
    assert_eq!(found["pairs"][2]["balanced"]["possible"], false);
    for tensor in [&c, &d, &other] {
        let (entry, bytes) = stored(&folder.join("out.safetensors"), &tensor.name);
        assert_eq!((&entry["dtype"], &entry["shape"]), (&json!(tensor.dtype), &json!(tensor.shape)));
        assert_eq!(bytes, tensor.bytes(), "{}", tensor.name);
    }
    let types = |name: &str| stored(&folder.join("out.safetensors"), name).0;
    assert_eq!(types("m.q.lora_B.weight"), json!({"dtype": "BF16", "shape": [5, 2]}));
    assert_eq!(types("c.lora_A.weight"), json!({"dtype": "F64", "shape": [2, 3, 2, 2]}));
    assert_eq!(types("__metadata__"), json!({"format": "pt"}));
    refused(folder, &["w.safetensors", "--save", "out.safetensors"], &["--balance"]);
    refused(folder, &["w.safetensors", "--balance", "--save", "out.npz"], &["out.npz", ".safetensors"]);
}

#[test]
fn overlap_compares_with_the_leading_directions_of_the_base() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let ones = |k: usize, n: usize| (0..n).map(|i| f64::from(u8::from(i == k))).collect::<Vec<_>>();
    let pair = |module: &str, left: usize, right: usize| {
        [
            tensor(&format!("base_model.model.{module}.lora_A.weight"), &[1, 4], &ones(right, 4)),
            tensor(&format!("base_model.model.{module}.lora_B.weight"), &[3, 1], &ones(left, 3)),
        ]
    };
    put_checkpoint(folder, "w.safetensors", &[pair("one.q", 1, 2), pair("two.q", 0, 2)].concat());
    // Leading direction of the base: row 1, column 2, with singular value 5.
    let weight = [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 5.0, 0.0, 0.5, 0.0, 0.0, 0.0];
    put_checkpoint(
        folder,
        "base.safetensors",
        &[tensor("one.q.weight", &[3, 4], &weight), tensor("x.two.q.weight", &[3, 4], &weight)],
    );
    put(folder, "adapter_config.json", br#"{"r": 1, "lora_alpha": 1}"#);
    let found = answer(folder, &["w.safetensors", "--base", "base.safetensors"], 0);
    for (k, left) in [(0, 1.0), (1, 0.0)] {
        let overlap = &found["pairs"][k]["overlap"];
        assert_close(&overlap["left"], left, 1e-12, "left");
        assert_close(&overlap["right"], 1.0, 1e-12, "right");
        assert_close(&overlap["base_singular_values"][0], 5.0, 1e-12, "value");
        assert_close(&overlap["left_of_random"], 1.0 / 3.0, 1e-12, "random");
    }
    assert_close(&found["pairs"][0]["overlap"]["amplification"], 0.2, 1e-12, "amplification");
    assert!(found["pairs"][1]["overlap"]["amplification"].is_null(), "the base vanishes there");
    // Tables that are stored (in, out).
    let flipped: Vec<f64> = (0..12).map(|at| weight[at % 3 * 4 + at / 3]).collect();
    put(folder, "adapter_config.json", br#"{"r": 1, "lora_alpha": 1, "fan_in_fan_out": true}"#);
    put_checkpoint(folder, "t.safetensors", &[tensor("one.q.weight", &[4, 3], &flipped)]);
    let found = answer(folder, &["w.safetensors", "--base", "t.safetensors"], 0);
    assert_close(&found["pairs"][0]["overlap"]["left"], 1.0, 1e-12, "left");
    assert!(found["notes"][0].as_str().unwrap().contains("two.q"), "{found}");
    let found = answer(folder, &["w.safetensors", "--base", "base.safetensors"], 0);
    assert_close(&found["pairs"][0]["overlap"]["left"], 1.0, 1e-12, "the shape tells, not the flag");
    put_checkpoint(folder, "wrong.safetensors", &[tensor("one.q.weight", &[2, 6], &weight)]);
    let parts = ["wrong.safetensors", "array one.q.weight", "2 x 6", "3 x 4"];
    refused(folder, &["w.safetensors", "--base", "wrong.safetensors"], &parts);
    put_checkpoint(folder, "other.safetensors", &[tensor("k.weight", &[3, 4], &weight)]);
    refused(folder, &["w.safetensors", "--base", "other.safetensors"], &["no weight of any module"]);
}

#[test]
fn other_adapters_and_damaged_pairs_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let file = "w.safetensors";
    let number = |name: &str| tensor(name, &[1, 1], &[1.0]);
    for (name, method) in [
        ("m.q.hada_w1_a", "LoHa"),
        ("m.q.lokr_w1", "LoKr"),
        ("m.q.ia3_l.default", "IA3"),
        ("m.q.vera_lambda_b", "VeRA"),
        ("m.q.oft_R.weight", "OFT"),
        ("m_q.lora_down.weight", "lora_up"),
    ] {
        put_checkpoint(folder, file, &[number(name)]);
        refused(folder, &[file], &[file, name, method]);
    }
    let [a, b] = pair("m.q", 2, &mut Draw::new(46, 0));
    put_checkpoint(folder, file, &[a.clone(), b.clone(), number("m.q.lora_E")]);
    refused(folder, &[file], &["m.q.lora_E", "diagonal"]);
    put_checkpoint(folder, file, &[number("net.0.weight"), number("net.1.weight")]);
    refused(folder, &[file], &["no low-rank pair", "net.0.weight, net.1.weight", "rankscape map"]);
    for (shape_a, shape_b) in [([2, 7], vec![5, 3]), ([2, 7], vec![5, 2, 1, 1]), ([7, 2], vec![10])] {
        let b = tensor(&b.name, &shape_b, &vec![1.0; shape_b.iter().product()]);
        put_checkpoint(folder, file, &[tensor(&a.name, &shape_a, &[1.0; 14]), b]);
        refused(folder, &[file], &["m.q.lora_B.weight"]);
    }
    let mut bad = a.clone();
    bad.values[9] = f64::NAN;
    put_checkpoint(folder, file, &[bad, b.clone()]);
    refused(folder, &[file], &["m.q.lora_A.weight", "NaN at index [1, 2]"]);
    put_checkpoint(folder, file, &[a, b]);
    let bytes = std::fs::read(folder.join(file)).unwrap();
    put(folder, file, &bytes[..bytes.len() - 3]);
    refused(folder, &[file], &[file, "ends too early"]);
    put(folder, file, b"\xff\xff\xff\xff\xff\xff\xff\xff");
    refused(folder, &[file], &[file, "safetensors"]);
    put(folder, "w.npz", b"PK");
    refused(folder, &["w.npz"], &["w.npz", ".safetensors"]);
    refused(folder, &["none.safetensors"], &["none.safetensors", "does not exist"]);
}

#[test]
fn ranks_within_the_rounding_of_the_type_are_undecided_with_their_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let a = tensor("m.lora_A.weight", &[2, 3], &[1.0, 0.0, 0.0, 0.0, 2f64.powi(-9), 0.0]);
    let b = tensor("m.lora_B.weight", &[2, 2], &[1.0, 0.0, 0.0, 1.0]);
    put_checkpoint(folder.path(), "w.safetensors", &[a.clone().stored_as("BF16"), b.clone().stored_as("BF16")]);
    let found = answer(folder.path(), &["w.safetensors"], 3);
    let rank = &found["pairs"][0]["ranks"]["a"];
    assert_eq!((&rank["clear"], &rank["rank"]), (&json!(false), &json!(2)));
    assert_eq!(rank["above"], json!(2f64.powi(-9)), "{rank}");
    assert!(
        found["pairs"][0]["differential"]["rank"].is_null()
            && found["pairs"][0]["says"].as_str().unwrap().starts_with("undecided")
    );
    put_checkpoint(folder.path(), "w.safetensors", &[a, b]);
    assert_eq!(answer(folder.path(), &["w.safetensors"], 0)["pairs"][0]["ranks"]["a"]["rank"], 2);
}

/// Whatever `A` and `B` are, an update of zero has zero gradients.
#[test]
fn a_scaling_of_zero_and_a_missing_path_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put_checkpoint(folder, "adapter_model.safetensors", &pair("m", 2, &mut Draw::new(85, 0)));
    put(folder, "adapter_config.json", br#"{"r": 2, "lora_alpha": 0}"#);
    let found = answer(folder, &["."], 0);
    let pair = &found["pairs"][0];
    assert_eq!(pair["scaling"], 0.0);
    assert!(pair["says"].as_str().unwrap().starts_with("the scaling is zero: the update is zero"), "{pair}");
    assert!(pair["singular_values"].as_array().unwrap().iter().all(|value| *value == 0.0), "{pair}");
    for missing in ["nowhere", "nowhere/", "nowhere.safetensors"] {
        refused(folder, &[missing], &[missing, "the file or folder does not exist"]);
    }
}
