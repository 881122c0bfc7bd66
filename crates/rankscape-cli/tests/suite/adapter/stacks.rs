//! Several parameters of one module (`target_parameters`), whose pairs PEFT nests; two wrappers of one `out_proj`.

use std::path::Path;

use serde_json::{Value, json};
use testkit::random::Draw;

use super::checkpoint::{Tensor, drawn, put_checkpoint};
use super::{answer, refused};
use crate::common::root;
use testkit::files::put;

/// A pair with so many rows of `A`, of an update `out x in`.
fn nested(module: &str, rows: usize, [inputs, outputs]: [usize; 2], draw: &mut Draw) -> [Tensor; 2] {
    let a = drawn(&format!("{module}.lora_A.weight"), &[rows, inputs], draw);
    [a, drawn(&format!("{module}.lora_B.weight"), &[outputs, rows], draw)]
}

fn put_config(folder: &Path, rest: &Value) {
    let mut config = json!({"r": 2, "lora_alpha": 5, "target_modules": [], "target_parameters": ["e.w_in", "e.w_out"]});
    config.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    put(folder, "adapter_config.json", config.to_string().as_bytes());
}

/// Two pairs of one module, the inner one `8 -> 12`, the outer one `12 -> 8`.
fn put_pairs(folder: &Path, rows: [usize; 2]) {
    let draw = &mut Draw::new(91, 0);
    let inner = nested("base_model.model.e.base_layer", rows[0], [8, 12], draw);
    let outer = nested("base_model.model.e", rows[1], [12, 8], draw);
    put_checkpoint(folder, "adapter_model.safetensors", &[inner, outer].concat());
}

fn scalings(document: &Value) -> Vec<(String, usize, f64)> {
    let pairs = document["pairs"].as_array().unwrap().iter();
    let told = |pair: &Value| {
        let name = pair["name"].as_str().unwrap().replace("base_model.model.", "");
        let count = pair["expert"]["count"].as_u64().unwrap() as usize;
        (name, count, pair["scaling"].as_f64().unwrap_or(f64::NAN))
    };
    let mut found: Vec<(String, usize, f64)> = pairs.map(told).collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found.dedup_by(|a, b| a.0 == b.0 && a.1 == b.1);
    found
}

fn case(name: &str) -> std::path::PathBuf {
    root().join("oracles/adapters").join(name)
}

/// The numbers of experts agree in one way only, so the ranks tell the parameters without a base.
#[test]
fn patterns_of_ranks_tell_which_pair_is_of_which_parameter() {
    let folder = case("peft17_experts_two_rank_pattern");
    for arguments in [&["adapter"][..], &["adapter", "--base", "base.safetensors"]] {
        let found = answer(&folder, arguments, 0);
        let expected = [("experts.w_in".to_owned(), 3, 2.5), ("experts.w_out".to_owned(), 3, 1.25)];
        assert_eq!(scalings(&found), expected, "{arguments:?}");
        let overlap = arguments.len() > 1;
        assert!(found["pairs"].as_array().unwrap().iter().all(|pair| pair.get("overlap").is_some() == overlap));
    }
}

/// Where only the shapes of the base tell the parameters, the scaling without it is not known if they differ in it.
#[test]
fn shapes_of_the_base_tell_which_pair_is_of_which_parameter() {
    let folder = case("peft17_experts_two_alpha_pattern");
    let found = answer(&folder, &["adapter", "--base", "base.safetensors"], 0);
    let expected = [("experts.w_in".to_owned(), 3, 2.5), ("experts.w_out".to_owned(), 3, 4.5)];
    assert_eq!(scalings(&found), expected);
    assert!(found["pairs"].as_array().unwrap().iter().all(|pair| pair.get("overlap").is_some()));
    let found = answer(&folder, &["adapter"], 0);
    for pair in found["pairs"].as_array().unwrap() {
        assert_eq!((&pair["scaling"], &pair["expert"]["count"]), (&Value::Null, &json!(3)));
        let reason = pair["scaling_reason"].as_str().unwrap();
        assert!(["w_in, w_out", "2.5 or 4.5", "--base"].iter().all(|part| reason.contains(part)), "{reason}");
    }
    assert!(found["notes"].to_string().contains("one of the parameters w_in, w_out"), "{found}");
}

/// Nothing tells the parameters, and they do not differ in rank and scaling: the answer is given under the names of the file.
#[test]
fn pairs_of_parameters_that_nothing_tells_apart_are_read_with_a_note() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let draw = &mut Draw::new(92, 0);
    let [inner, outer] = ["m.e.base_layer", "m.e"].map(|module| nested(module, 6, [8, 8], draw));
    put_checkpoint(folder, "adapter_model.safetensors", &[inner, outer].concat());
    put_config(folder, &json!({}));
    let base = [drawn("m.e.w_in", &[3, 8, 8], draw), drawn("m.e.w_out", &[3, 8, 8], draw)];
    put_checkpoint(folder, "base.bin.safetensors", &base);
    for arguments in
        [&["adapter_model.safetensors"][..], &["adapter_model.safetensors", "--base", "base.bin.safetensors"]]
    {
        let found = answer(folder, arguments, 0);
        assert_eq!(scalings(&found), [("m.e".to_owned(), 3, 2.5), ("m.e.base_layer".to_owned(), 3, 2.5)]);
        assert!(found["notes"].to_string().contains("the files do not tell which"), "{found}");
    }
}

#[test]
fn numbers_of_experts_that_differ_within_a_module_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put_pairs(folder, [6, 8]);
    put_config(folder, &json!({}));
    refused(folder, &["."], &["target_parameters", "different numbers of experts", "3 of w_in, 4 of w_out"]);
    put_config(folder, &json!({"rank_pattern": {"w_out": 5}}));
    refused(folder, &["."], &["target_parameters", "not determined"]);
    put_config(folder, &json!({"alpha_pattern": {"w_out": 5}, "rank_pattern": {"w_in": 3, "w_out": 4}}));
    assert_eq!(
        scalings(&answer(folder, &["."], 0)),
        [("e.w_in".to_owned(), 2, 5.0 / 3.0), ("e.w_out".to_owned(), 2, 1.25)]
    );
}

/// PEFT 0.18 and later may take the parameters of a module as `(E, out, in)`; then both shapes fit both ways.
#[test]
fn later_versions_of_peft_leave_the_direction_open() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put_pairs(folder, [6, 6]);
    let draw = &mut Draw::new(93, 0);
    put_checkpoint(folder, "b.safetensors", &[drawn("e.w_in", &[3, 8, 12], draw), drawn("e.w_out", &[3, 12, 8], draw)]);
    let arguments = ["adapter_model.safetensors", "--base", "b.safetensors"];
    put_config(folder, &json!({"alpha_pattern": {"w_out": 9}}));
    assert_eq!(
        scalings(&answer(folder, &arguments, 0)),
        [("e.w_in".to_owned(), 3, 2.5), ("e.w_out".to_owned(), 3, 4.5)]
    );
    put_config(folder, &json!({"alpha_pattern": {"w_out": 9}, "peft_version": "0.21.2"}));
    let found = answer(folder, &arguments, 0);
    assert!(found["pairs"].as_array().unwrap().iter().all(|pair| pair["scaling"].is_null()), "{found}");
}

#[test]
fn a_second_pair_of_out_proj_is_said_to_be_inert() {
    let found = answer(&case("peft17_attention_out_proj_twice"), &["adapter", "--base", "base.safetensors"], 0);
    let names: Vec<&str> =
        found["pairs"].as_array().unwrap().iter().map(|pair| pair["name"].as_str().unwrap()).collect();
    let expected = ["attn", "attn.base_layer.out_proj", "attn.out_proj"].map(|name| format!("base_model.model.{name}"));
    assert!(expected.iter().all(|name| names.contains(&name.as_str())) && names.len() == 3, "{names:?}");
    for pair in found["pairs"].as_array().unwrap() {
        let inert = pair["notes"].to_string().contains("inert");
        assert_eq!(inert, pair["name"] == "base_model.model.attn.out_proj", "{pair}");
    }
    assert!(found["notes"].to_string().contains("base_model.model.attn.out_proj: inert"), "{found}");
}

/// PEFT 0.17 looks for the biases where its wrappers no longer have them.
#[test]
fn biases_that_were_lost_on_saving_are_noted() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let draw = &mut Draw::new(94, 0);
    let pair = nested("m.q", 2, [7, 5], draw);
    let lost = |folder: &Path| answer(folder, &["."], 0)["notes"].to_string().contains("loses the trained biases");
    put_checkpoint(folder, "adapter_model.safetensors", &pair);
    for (bias, expected) in [("lora_only", true), ("none", false)] {
        put(folder, "adapter_config.json", json!({"r": 2, "lora_alpha": 5, "bias": bias}).to_string().as_bytes());
        assert_eq!(lost(folder), expected, "{bias}");
    }
    put(folder, "adapter_config.json", br#"{"r": 2, "lora_alpha": 5, "bias": "lora_only"}"#);
    let bias = drawn("m.q.base_layer.bias", &[5], draw);
    put_checkpoint(folder, "adapter_model.safetensors", &[&pair[..], &[bias]].concat());
    assert!(!lost(folder));
}
