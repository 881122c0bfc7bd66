//! `adapter_config.json` of PEFT: the factor of each product, and every feature that leaves no tensor.

use regex_lite::Regex;
use serde_json::{Map, Value};

use super::members::{finite, is_set, names, number, rank};
use super::methods::refused;
use rankscape::error::{InputError, Result};

/// What a configuration of PEFT says.
#[derive(Debug, Clone)]
pub(super) struct PeftConfig {
    pub(super) method: PeftMethod,
    rank: Option<u64>,
    alpha: Option<f64>,
    /// `alpha / sqrt(r)` instead of `alpha / r`.
    rank_stabilized: bool,
    /// Weights are stored (in, out), in the last module at least.
    pub(super) transposed_base: bool,
    rank_patterns: Patterns,
    alpha_patterns: Patterns,
    pub(super) initialization: Initialization,
    /// DoRA, where it says so or denies it.
    pub(super) dora: Option<bool>,
    /// KaSA: a diagonal between the factors, and the smallest parts of the base are dropped.
    pub(super) kasa: bool,
    pub(super) blocks: Option<Blocks>,
    /// Ranges of layers of the base that the layers of the model are copies of.
    pub(super) replication: Vec<(usize, usize)>,
    /// Parameters that are adapted as such, such as stacked experts.
    pub(super) parameters: Vec<String>,
    target_modules: Vec<String>,
    /// Biases of the adapted modules were trained (`bias: "lora_only"`).
    pub(super) own_biases: bool,
    /// PEFT states its version since 0.18.
    has_version: bool,
    /// What a reader should know beside.
    pub(super) notes: Vec<String>,
}

/// Methods of PEFT that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PeftMethod {
    Lora,
    Loha,
    Lokr,
    Adalora,
    Vera,
}

/// What the pair was before training, as far as it matters to the base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Initialization {
    /// The base is as it was.
    BaseKept,
    /// PiSSA by an exact decomposition.
    Principal,
    /// OLoRA.
    LeadingColumns,
    /// The base was changed by what the files do not tell.
    Unknown(String),
}

/// Block-diagonal factors (BD-LoRA).
#[derive(Debug, Clone)]
pub(super) struct Blocks {
    pub(super) count: usize,
    a: Vec<String>,
    b: Vec<String>,
}

/// Which factor of a module is block-diagonal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlockSide {
    A,
    B,
}

/// Patterns of module names with their values, in the order of the file.
type Patterns = Vec<(String, Regex, f64)>;

/// Members that change the update in a way that is not read.
const REFUSED: [(&str, &str); 2] = [
    ("use_qalora", "adapters with pooled inputs (QALoRA, use_qalora) are not read"),
    ("arrow_config", "adapters that are routed by tokens (Arrow, arrow_config) have no single update"),
];

/// Members that are understood, or that say nothing of the update.
const KNOWN: &[&str] = &[
    "adapter_layers",
    "alora_invocation_tokens",
    "alpha",
    "alpha_pattern",
    "arrow_config",
    "auto_mapping",
    "base_model_name_or_path",
    "beta1",
    "beta2",
    "bias",
    "corda_config",
    "d_initial",
    "decompose_both",
    "decompose_factor",
    "deltaT",
    "enable_lora",
    "ensure_weight_tying",
    "eva_config",
    "exclude_modules",
    "fan_in_fan_out",
    "inference_mode",
    "init_lora_weights",
    "init_r",
    "init_weights",
    "kasa_config",
    "layer_replication",
    "layers_pattern",
    "layers_to_transform",
    "loftq_config",
    "lora_alpha",
    "lora_bias",
    "lora_dropout",
    "lora_ga_config",
    "megatron_config",
    "megatron_core",
    "merge_weights",
    "modules_to_save",
    "module_dropout",
    "monteclora_config",
    "orth_reg_weight",
    "peft_type",
    "peft_version",
    "projection_prng_key",
    "qalora_group_size",
    "r",
    "rank_dropout",
    "rank_dropout_scale",
    "rank_pattern",
    "revision",
    "runtime_config",
    "save_projection",
    "target_modules",
    "target_parameters",
    "target_r",
    "task_type",
    "tfinal",
    "tinit",
    "total_step",
    "trainable_token_indices",
    "use_bdlora",
    "use_dora",
    "use_effective_conv2d",
    "use_qalora",
    "use_rslora",
    "velora_config",
    "vera_dropout",
];

impl PeftMethod {
    /// Name as in the configuration.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Lora => "LORA",
            Self::Loha => "LOHA",
            Self::Lokr => "LOKR",
            Self::Adalora => "ADALORA",
            Self::Vera => "VERA",
        }
    }
}

impl PeftConfig {
    /// Reads the members of a configuration.
    pub(super) fn of_members(members: &Map<String, Value>) -> Result<Self> {
        let kind = members.get("peft_type").and_then(Value::as_str).unwrap_or("LORA");
        let method = match kind {
            "LORA" => PeftMethod::Lora,
            "LOHA" => PeftMethod::Loha,
            "LOKR" => PeftMethod::Lokr,
            "ADALORA" => PeftMethod::Adalora,
            "VERA" => PeftMethod::Vera,
            other => return Err(refused(other).array("peft_type")),
        };
        for (name, problem) in REFUSED {
            if members.get(name).is_some_and(is_set) {
                return Err(InputError::new(problem).array(name));
            }
        }
        let mut notes = Vec::new();
        for (name, value) in members.iter().filter(|(name, value)| !KNOWN.contains(&name.as_str()) && is_set(value)) {
            if name.starts_with("use_") || name.ends_with("_config") {
                return Err(InputError::new(
                    "this member of the configuration is not known, and may change the update",
                )
                .array(name)
                .value(value)
                .hint("if it does not, remove it from a copy of the configuration"));
            }
            notes.push(format!("the member {name} of the configuration is not known and not used"));
        }
        if members.get("alora_invocation_tokens").is_some_and(is_set) {
            notes
                .push("the updates act on the tokens from the invocation on only (alora_invocation_tokens)".to_owned());
        }
        let is_lora = method == PeftMethod::Lora;
        let alpha = match method {
            PeftMethod::Loha | PeftMethod::Lokr => number(members, "alpha")?,
            PeftMethod::Vera => Some(1.0),
            PeftMethod::Lora | PeftMethod::Adalora => number(members, "lora_alpha")?,
        };
        if alpha.is_none() {
            let name = if matches!(method, PeftMethod::Loha | PeftMethod::Lokr) { "alpha" } else { "lora_alpha" };
            return Err(InputError::new(format!("the configuration of {kind} has no {name}"))
                .hint("add it, or remove the configuration to have every product as it is"));
        }
        let on = |name: &str| members.get(name).and_then(Value::as_bool).unwrap_or(false);
        Ok(Self {
            method,
            rank: rank(members, if method == PeftMethod::Adalora { "init_r" } else { "r" })?,
            alpha,
            rank_stabilized: is_lora && on("use_rslora"),
            transposed_base: on("fan_in_fan_out"),
            rank_patterns: if method == PeftMethod::Adalora { Vec::new() } else { patterns(members, "rank_pattern")? },
            alpha_patterns: patterns(members, "alpha_pattern")?,
            initialization: if is_lora { initialization(members)? } else { Initialization::BaseKept },
            dora: members.get("use_dora").and_then(Value::as_bool),
            kasa: members.get("kasa_config").is_some_and(is_set),
            blocks: blocks(members)?,
            replication: replication(members)?,
            parameters: names(members, "target_parameters")?,
            target_modules: names(members, "target_modules").unwrap_or_default(),
            own_biases: members.get("bias").and_then(Value::as_str) == Some("lora_only"),
            has_version: members.get("peft_version").is_some_and(is_set),
            notes,
        })
    }

    /// What the configuration says of the rank of a module, and where.
    pub(super) fn stated_rank(&self, module: &str) -> Option<(f64, String)> {
        match find(&self.rank_patterns, module) {
            Some((text, value)) => Some((value, format!("rank_pattern {text:?}"))),
            None => self.rank.map(|rank| (rank as f64, "r".to_owned())),
        }
    }

    /// The factor of the product of a module, whose rank in the tensors is `rank`, with one sentence.
    ///
    /// `rank_pattern` and `alpha_pattern` are read as PEFT does: the first pattern wins that matches the whole name of the
    /// module, or its end after a dot.
    pub(super) fn scaling(&self, module: &str, rank: usize) -> (f64, String) {
        let (alpha, name) = match find(&self.alpha_patterns, module) {
            Some((text, alpha)) => (alpha, format!("alpha_pattern {text:?}")),
            None if matches!(self.method, PeftMethod::Loha | PeftMethod::Lokr) => {
                (self.alpha.unwrap_or(1.0), "alpha".to_owned())
            }
            None => (self.alpha.unwrap_or(1.0), "lora_alpha".to_owned()),
        };
        match self.method {
            PeftMethod::Vera => (1.0, "1, as VeRA has no other".to_owned()),
            PeftMethod::Adalora => {
                let start = self.rank.map_or(rank as f64, |rank| rank as f64);
                let alpha = if alpha > 0.0 { alpha } else { start };
                (alpha / (start + 1e-5), format!("{name} {alpha} / (init_r {start} + 1e-5), as AdaLoRA does"))
            }
            _ if self.rank_stabilized => {
                (alpha / (rank as f64).sqrt(), format!("{name} {alpha} / sqrt({rank}) of rsLoRA"))
            }
            _ => (alpha / rank as f64, format!("{name} {alpha} / {rank}")),
        }
    }

    /// Which factor of the module is block-diagonal; PEFT looks for the names anywhere in that of the module.
    pub(super) fn block_side(&self, module: &str) -> Result<Option<(BlockSide, usize)>> {
        let Some(blocks) = &self.blocks else { return Ok(None) };
        let any = |names: &[String]| names.iter().any(|name| module.contains(name.as_str()));
        match (any(&blocks.a), any(&blocks.b)) {
            (true, true) => {
                Err(InputError::new("use_bdlora makes both factors of the module block-diagonal").array(module))
            }
            (true, false) => Ok(Some((BlockSide::A, blocks.count))),
            (false, true) => Ok(Some((BlockSide::B, blocks.count))),
            (false, false) => Ok(None),
        }
    }

    /// Parameters of a module that are adapted as such.
    pub(super) fn parameters_of(&self, module: &str) -> Vec<String> {
        let last = module.rsplit('.').next().unwrap_or(module);
        let fits = |target: &&String| match target.rsplit_once('.') {
            Some((owner, _)) => module == owner || module.ends_with(&format!(".{owner}")),
            None => !self.target_modules.iter().any(|name| name == last),
        };
        let name = |target: &String| target.rsplit('.').next().unwrap_or(target).to_owned();
        self.parameters.iter().filter(fits).map(name).collect()
    }

    /// Written by a PEFT that takes stacked experts as `(E, in, out)` whatever their module says.
    pub(super) fn is_before_swapped_experts(&self) -> bool {
        !self.has_version
    }

    /// The layer of the base that a replicated layer is a copy of.
    pub(super) fn base_layer(&self, layer: usize) -> Option<usize> {
        let mut rest = layer;
        for &(from, to) in &self.replication {
            if rest < to - from {
                return Some(from + rest);
            }
            rest -= to - from;
        }
        None
    }
}

fn initialization(members: &Map<String, Value>) -> Result<Initialization> {
    let name = "init_lora_weights";
    let text = match members.get(name) {
        None | Some(Value::Null | Value::Bool(_)) => return Ok(Initialization::BaseKept),
        Some(Value::String(text)) => text.to_lowercase(),
        Some(other) => return Err(InputError::new("the initialization is not known").array(name).value(other)),
    };
    let changed = |how: &str| Initialization::Unknown(format!("init_lora_weights {text:?} changed the base by {how}"));
    match text.as_str() {
        "gaussian" | "eva" | "orthogonal" | "mica" | "true" | "false" => Ok(Initialization::BaseKept),
        "pissa" => Ok(Initialization::Principal),
        "olora" => Ok(Initialization::LeadingColumns),
        "corda" => Ok(changed("directions of calibration data, which the files do not hold")),
        "lora_ga" => Ok(changed("directions of gradients, which the files do not hold")),
        "loftq" => Ok(changed("quantization, which the files do not hold")),
        _ if text.starts_with("pissa_niter_") => Ok(changed("a random decomposition, which no file repeats")),
        _ => Err(InputError::new("the initialization is not known, and may have changed the base")
            .array(name)
            .value(format!("{text:?}"))
            .hint("convert the adapter to plain LoRA with PEFT's path_initial_model_for_weight_conversion")),
    }
}

fn blocks(members: &Map<String, Value>) -> Result<Option<Blocks>> {
    let name = "use_bdlora";
    let Some(value) = members.get(name).filter(|value| is_set(value)) else { return Ok(None) };
    let inner = value.as_object().ok_or_else(|| InputError::new("an object is needed").array(name).value(value))?;
    let count = rank(inner, "nblocks").map_err(|error| error.array(name))?.unwrap_or(1);
    Ok(Some(Blocks {
        count: count as usize,
        a: names(inner, "target_modules_bd_a")?,
        b: names(inner, "target_modules_bd_b")?,
    }))
}

fn replication(members: &Map<String, Value>) -> Result<Vec<(usize, usize)>> {
    let name = "layer_replication";
    let Some(value) = members.get(name).filter(|value| is_set(value)) else { return Ok(Vec::new()) };
    let range = |item: &Value| match item.as_array()?.as_slice() {
        [from, to] => {
            let (from, to) = (from.as_u64()? as usize, to.as_u64()? as usize);
            (from < to).then_some((from, to))
        }
        _ => None,
    };
    let ranges = value.as_array().and_then(|items| items.iter().map(range).collect::<Option<Vec<_>>>());
    ranges.ok_or_else(|| InputError::new("ranges [first, end] of layers are needed").array(name).value(value))
}

fn find(patterns: &Patterns, module: &str) -> Option<(String, f64)> {
    let found = patterns.iter().find(|(_, regex, _)| regex.is_match(module));
    found.map(|(text, _, value)| (text.clone(), *value))
}

/// The patterns of a member. PEFT matches `(.*\.)?(pattern)$` from the start of the name.
fn patterns(members: &Map<String, Value>, name: &str) -> Result<Patterns> {
    let entries = match members.get(name) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(entries)) => entries,
        Some(other) => {
            return Err(InputError::new("an object with patterns and numbers is needed").array(name).value(other));
        }
    };
    entries
        .iter()
        .map(|(text, value)| {
            let regex = Regex::new(&format!(r"^(?:.*\.)?(?:{text})$")).map_err(|_| {
                InputError::new("the pattern cannot be read")
                    .array(name)
                    .value(format!("{text:?}"))
                    .hint("patterns are regular expressions without look-around and back-references")
            })?;
            Ok((text.clone(), regex, finite(name, value)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Result<PeftConfig> {
        PeftConfig::of_members(serde_json::from_str::<Value>(text).unwrap().as_object().unwrap())
    }

    #[test]
    fn patterns_match_whole_names_or_ends_after_a_dot_and_the_first_wins() {
        let found = config(
            r#"{"r": 4, "lora_alpha": 8, "rank_pattern": {"^first.q": 2, "down_proj": 6},
                "alpha_pattern": {"layers\\.[0-1]\\.q": 16, "q": 32}}"#,
        )
        .unwrap();
        let scaling = |module: &str, rank| found.scaling(module, rank).0;
        assert_eq!(scaling("layers.1.q", 4), 4.0);
        assert_eq!(scaling("layers.2.q", 4), 8.0);
        assert_eq!(scaling("layers.0.down_proj", 6), 8.0 / 6.0);
        assert_eq!(scaling("layers.0.my_down_proj", 4), 2.0, "an end that does not follow a dot is no match");
        assert_eq!(scaling("first.q", 2), 16.0);
        assert_eq!(found.stated_rank("layers.0.down_proj"), Some((6.0, "rank_pattern \"down_proj\"".to_owned())));
        assert_eq!(found.stated_rank("layers.0.k"), Some((4.0, "r".to_owned())));
        let stabilized = config(r#"{"r": 16, "lora_alpha": 8, "use_rslora": true}"#).unwrap();
        assert_eq!(stabilized.scaling("q", 16).0, 2.0);
        let adalora = config(r#"{"peft_type": "ADALORA", "r": 8, "init_r": 4, "lora_alpha": 8}"#).unwrap();
        assert_eq!(adalora.scaling("q", 2).0, 8.0 / (4.0 + 1e-5));
    }

    #[test]
    fn parameters_blocks_and_replicated_layers_are_found() {
        let found = config(
            r#"{"r": 2, "lora_alpha": 2, "target_parameters": ["mlp.experts.gate_up_proj", "experts.down_proj"],
                "use_bdlora": {"target_modules_bd_a": ["q_"], "target_modules_bd_b": ["o_proj"], "nblocks": 2},
                "layer_replication": [[1, 3], [0, 2]]}"#,
        )
        .unwrap();
        assert_eq!(found.parameters_of("layers.0.mlp.experts"), ["gate_up_proj", "down_proj"]);
        assert_eq!(found.parameters_of("layers.0.other.experts"), ["down_proj"]);
        assert!(found.parameters_of("layers.0.q").is_empty());
        assert_eq!(found.block_side("layers.0.q_proj"), Ok(Some((BlockSide::A, 2))));
        assert_eq!(found.block_side("layers.0.o_proj"), Ok(Some((BlockSide::B, 2))));
        assert_eq!(found.block_side("layers.0.v_proj"), Ok(None));
        assert!(found.block_side("layers.0.q_o_proj").is_err());
        assert_eq!([0, 1, 2, 3, 4].map(|k| found.base_layer(k)), [Some(1), Some(2), Some(0), Some(1), None]);
    }

    #[test]
    fn initializations_that_change_the_base_are_told() {
        let of = |text: &str| config(&format!(r#"{{"r": 2, "lora_alpha": 2, "init_lora_weights": {text}}}"#));
        for text in ["true", "false", "null", r#""gaussian""#, r#""eva""#, r#""orthogonal""#] {
            assert_eq!(of(text).unwrap().initialization, Initialization::BaseKept, "{text}");
        }
        assert_eq!(of(r#""pissa""#).unwrap().initialization, Initialization::Principal);
        assert_eq!(of(r#""OLoRA""#).unwrap().initialization, Initialization::LeadingColumns);
        for text in ["corda", "lora_ga", "loftq", "pissa_niter_16"] {
            let found = of(&format!("{text:?}")).unwrap().initialization;
            assert!(matches!(&found, Initialization::Unknown(reason) if reason.contains(text)), "{found:?}");
        }
        assert!(of(r#""tomorrow""#).unwrap_err().to_string().contains("tomorrow"));
    }

    #[test]
    fn configurations_that_cannot_be_used_are_refused() {
        for (text, part) in [
            (r#"{"peft_type": "HIRA"}"#, "HIRA"),
            (r#"{"r": 4}"#, "lora_alpha"),
            (r#"{"r": 0, "lora_alpha": 1}"#, "positive integer"),
            (r#"{"r": 4, "lora_alpha": "x"}"#, "finite number"),
            (r#"{"r": 4, "lora_alpha": 1, "alpha_pattern": {"(": 1}}"#, "pattern"),
            (r#"{"r": 4, "lora_alpha": 1, "rank_pattern": 3}"#, "patterns"),
            (r#"{"r": 4, "lora_alpha": 1, "use_qalora": true}"#, "QALoRA"),
            (r#"{"r": 4, "lora_alpha": 1, "use_newlora": true}"#, "use_newlora"),
            (r#"{"r": 4, "lora_alpha": 1, "new_config": {"x": 1}}"#, "new_config"),
            (r#"{"r": 4, "lora_alpha": 1, "layer_replication": [[2, 1]]}"#, "layer_replication"),
        ] {
            let message = config(text).unwrap_err().to_string();
            assert!(message.contains(part), "{text}: {message}");
        }
        let notes = config(r#"{"r": 4, "lora_alpha": 1, "flavour": "sweet"}"#).unwrap().notes;
        assert!(notes[0].contains("flavour"));
    }
}
