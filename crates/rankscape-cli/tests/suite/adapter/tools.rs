//! Adapters written by the tools (`oracles/adapters`): every answer is the true update, or says that it is not, or why there is none.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::{rankscape, root};

/// Cases whose methods are not read: each is refused in words of its own.
const REFUSED: [&str; 16] = [
    "lyc32_glora",
    "lyc_boft",
    "lyc_ia3",
    "lyc_tlora",
    "peft_c3a",
    "peft_conv2d_groups",
    "peft_deft",
    "peft_delora",
    "peft_fourierft",
    "peft_hira",
    "peft_miss",
    "peft_oft",
    "peft_peanut",
    "peft_road",
    "peft_vblora",
    "peft_vera_noproj",
];

/// What an answer is worth.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// Every module has its true values and rank.
    Right,
    /// Some values are null, and a note names the module; all others are right.
    Said,
    /// Refused with one of the words that make clear why.
    Refused,
}

fn cases() -> Vec<(String, PathBuf, Value)> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(root().join("oracles/adapters"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(path.join("case.json")).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, path, serde_json::from_str(&text).unwrap())
    };
    found.into_iter().map(read).collect()
}

fn numbers(value: &Value) -> Option<Vec<f64>> {
    value.as_array()?.iter().map(Value::as_f64).collect()
}

fn close(found: &[f64], expected: &[f64], factor: f64) -> bool {
    let size = expected.iter().map(|x| x.abs() * factor).fold(1e-2, f64::max);
    (0..found.len().max(expected.len())).all(|k| {
        let (x, y) = (found.get(k).copied().unwrap_or(0.0), expected.get(k).copied().unwrap_or(0.0) * factor);
        (x - y).abs() <= 1e-4 * size
    })
}

/// Names of modules as far as they compare between layouts: without prefixes, dots as underscores.
fn flat(name: &str) -> String {
    let words: Vec<&str> = name.split(['.', '_']).filter(|word| !word.is_empty()).collect();
    words.join("_").replace("orig_mod_", "").replace("fsdp_wrapped_module_", "").replace("base_layer_", "")
}

/// The pair of a module of the case.
fn pair_of<'a>(document: &'a Value, module: &Value) -> Option<&'a Value> {
    let name = module["name"].as_str().unwrap().split('[').next().unwrap();
    let wanted = flat(name);
    let fits = |pair: &&Value| {
        flat(pair["name"].as_str().unwrap()).ends_with(&wanted)
            && (module["expert"].is_null() || pair["expert"]["index"] == module["expert"])
    };
    let found: Vec<&Value> = document["pairs"].as_array().unwrap().iter().filter(fits).collect();
    let by_adapter = found.iter().copied().find(|pair| pair["adapter"] == module["adapter"]);
    by_adapter.or(found.first().copied())
}

fn judged(case: &Value, run: &crate::common::Run) -> Outcome {
    let words: Vec<&str> = case["feature_words"].as_array().unwrap().iter().map(|w| w.as_str().unwrap()).collect();
    if ![0, 3].contains(&run.code) {
        assert_eq!(run.code, 2, "{run:?}");
        let message = run.stderr.to_lowercase();
        assert!(words.iter().any(|word| message.contains(word)), "no word of {words:?} in {message}");
        return Outcome::Refused;
    }
    let document = run.json();
    let notes = document["notes"].to_string() + &document["unknown"].to_string();
    let mut outcome = Outcome::Right;
    for module in case["modules"].as_array().unwrap() {
        let name = module["name"].as_str().unwrap();
        let last = name.split('[').next().unwrap().rsplit('.').next().unwrap();
        let pair = pair_of(&document, module);
        let values = pair.and_then(|pair| numbers(&pair["singular_values"]));
        let Some((pair, values)) = pair.zip(values) else {
            assert!(notes.contains(last), "{name} is missing without a word: {notes}");
            outcome = Outcome::Said;
            continue;
        };
        let expected = numbers(&module["true_singular_values"]).unwrap();
        let factor = match (pair["scaling"].as_f64(), module["scaling"].as_f64()) {
            (None, Some(scaling)) => 1.0 / scaling,
            _ => 1.0,
        };
        let other = numbers(&module["alternative_singular_values"]).unwrap_or_default();
        let right = close(&values, &expected, factor) || (!other.is_empty() && close(&values, &other, factor));
        assert!(right, "{name}: {values:?}, true {expected:?} times {factor}");
        let ranks = &pair["ranks"];
        let rank = if ranks["update"].is_null() { &ranks["product"] } else { &ranks["update"] };
        assert_eq!(rank["rank"], module["true_rank"], "{name}: {rank}");
        if let (Some(found), Some(scaling)) = (pair["scaling"].as_f64(), module["scaling"].as_f64()) {
            assert!((found - scaling).abs() <= 1e-4 * scaling.abs(), "{name}: scaling {found}, true {scaling}");
        }
    }
    outcome
}

/// All public cases, without the base and with it.
#[test]
fn no_file_of_the_tools_is_answered_wrongly() {
    for (name, folder, case) in cases() {
        let plain = judged(&case, &rankscape(&folder, &["adapter", "adapter", "--json", "--threads", "1"]));
        let arguments = ["adapter", "adapter", "--base", "base.safetensors", "--json", "--threads", "1"];
        let with_base = judged(&case, &rankscape(&folder, &arguments));
        if REFUSED.contains(&name.as_str()) {
            assert_eq!((plain, with_base), (Outcome::Refused, Outcome::Refused), "{name}");
            continue;
        }
        assert_ne!(with_base, Outcome::Refused, "{name}");
        let saved_whole = ["modules_to_save", "trainable_tokens"].iter().any(|word| name.contains(word));
        let open = case["determined_by_files"] == false || saved_whole || name.starts_with("peft_nocfg");
        assert!(open || with_base == Outcome::Right, "{name} is not answered");
    }
}

/// Documents of every method obey the schema, and only free pairs claim something of their factors.
#[test]
fn documents_of_every_method_obey_the_schema() {
    for name in
        ["lyc32_loha", "lyc_lokr_factor", "peft_kasa", "peft_experts_down", "mlx_switch", "peft_pissa", "lyc32_full"]
    {
        let folder = root().join("oracles/adapters").join(name);
        for arguments in [&["adapter", "adapter"][..], &["adapter", "adapter", "--base", "base.safetensors"]] {
            let run = rankscape(&folder, &[arguments, &["--json"]].concat());
            let document = run.json();
            crate::common::assert_valid("adapter", &document);
            for pair in document["pairs"].as_array().unwrap() {
                let free = ["lora", "dora"].contains(&pair["method"].as_str().unwrap());
                for field in ["balance_defect", "differential", "locally_open", "lift", "barcode"] {
                    assert_eq!(pair[field].is_null(), !free, "{name} {field}");
                }
            }
        }
    }
}

fn copied(name: &str) -> tempfile::TempDir {
    let target = tempfile::tempdir().unwrap();
    copy(&root().join("oracles/adapters").join(name), target.path());
    target
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

/// A balanced adapter is a whole folder with the same updates, whatever the layout.
#[test]
fn balanced_adapters_are_written_whole_and_give_the_same_updates() {
    for name in [
        "peft_rslora",
        "peft_embedding",
        "peft_named_weight",
        "peft17_dora",
        "mlx_lora_square_rank4",
        "kohya_unet",
        "diffusers35_new",
        "peft_experts_single",
        "peft_kasa",
        "peft_bdlora_mix",
    ] {
        let folder = copied(name);
        let folder = folder.path();
        let base = ["--base", "base.safetensors", "--threads", "1", "--json"];
        let first = rankscape(folder, &[&["adapter", "adapter", "--balance", "--save", "out"][..], &base].concat());
        assert!([0, 3].contains(&first.code), "{name}: {first:?}");
        let again = rankscape(folder, &[&["adapter", "out"][..], &base].concat());
        let (before, after) = (first.json(), again.json());
        let pairs = before["pairs"].as_array().unwrap();
        assert_eq!(pairs.len(), after["pairs"].as_array().unwrap().len(), "{name}");
        for (old, new) in pairs.iter().zip(after["pairs"].as_array().unwrap()) {
            assert_eq!((&old["name"], &old["scaling"]), (&new["name"], &new["scaling"]), "{name}");
            let (x, y) = (numbers(&old["singular_values"]).unwrap(), numbers(&new["singular_values"]).unwrap());
            assert!(close(&x, &y, 1.0), "{name}: {x:?} {y:?}");
            if let Some(error) = old["balanced"]["product_error"].as_f64() {
                assert!(error < 1e-6 && new["balance_defect"].as_f64() < Some(1e-5), "{name}: {error} {new}");
            }
        }
        let refused = rankscape(folder, &["adapter", "adapter", "--balance", "--save", "out"]);
        assert!(refused.code == 2 && refused.stderr.contains("--force"), "{name}: {refused:?}");
        assert!(
            [0, 3].contains(&rankscape(folder, &["adapter", "adapter", "--balance", "--save", "out", "--force"]).code)
        );
        let input = rankscape(folder, &["adapter", "adapter", "--balance", "--save", "adapter", "--force"]);
        assert!(input.code == 2 && input.stderr.contains("overwrite an input"), "{name}: {input:?}");
    }
}
