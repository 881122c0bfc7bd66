//! `adapter_config.json`: from `lora_alpha` and `r` to the factor of each product.

use std::path::Path;

use regex::Regex;
use serde_json::{Map, Value};

use super::super::file::read_limited;
use super::super::json::syntax_error;
use crate::error::{InputError, Result};

/// Largest configuration that is read, in bytes.
const CONFIG_LIMIT: u64 = 1 << 24;

/// What a configuration says of its low-rank pairs.
#[derive(Debug, Clone)]
pub struct AdapterConfig {
    rank: Option<u64>,
    alpha: f64,
    /// `alpha / sqrt(r)` instead of `alpha / r`.
    rank_stabilized: bool,
    /// Weights are stored (in, out).
    pub(super) transposed_base: bool,
    rank_patterns: Patterns,
    alpha_patterns: Patterns,
}

/// Patterns of module names with their values, in the order of the file.
type Patterns = Vec<(String, Regex, f64)>;

/// The factor of a pair and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaling {
    /// The factor of `B A`.
    pub value: f64,
    /// One sentence without the final full stop.
    pub reason: String,
}

impl AdapterConfig {
    /// Reads a configuration.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let bytes = read_limited(path, CONFIG_LIMIT)?;
        let parse = || {
            let value: Value = serde_json::from_slice(&bytes).map_err(|error| syntax_error(&bytes, &error))?;
            let Value::Object(members) = value else {
                return Err(InputError::new("the configuration of an adapter is a JSON object"));
            };
            Self::of_members(&members)
        };
        parse().map_err(|error: InputError| error.file(path.display()))
    }

    fn of_members(members: &Map<String, Value>) -> Result<Self> {
        let kind = members.get("peft_type").and_then(Value::as_str).unwrap_or("LORA");
        if kind != "LORA" {
            return Err(InputError::new(format!("this adapter is {kind}, not a product of two matrices"))
                .array("peft_type")
                .hint("adapters of type LORA are read, also with use_rslora and use_dora"));
        }
        let on = |name: &str| members.get(name).and_then(Value::as_bool).unwrap_or(false);
        if on("use_qalora") {
            return Err(InputError::new("adapters with pooled inputs (QALoRA) are not read").array("use_qalora"));
        }
        let rank = match members.get("r") {
            None | Some(Value::Null) => None,
            Some(value) => Some(
                value
                    .as_u64()
                    .filter(|&rank| rank > 0)
                    .ok_or_else(|| InputError::new("the rank must be a positive integer").array("r").value(value))?,
            ),
        };
        let alpha = match members.get("lora_alpha") {
            None | Some(Value::Null) => {
                return Err(InputError::new("the configuration has no lora_alpha")
                    .hint("add it, or remove the configuration to have every product as it is"));
            }
            Some(value) => finite("lora_alpha", value)?,
        };
        Ok(Self {
            rank,
            alpha,
            rank_stabilized: on("use_rslora"),
            transposed_base: on("fan_in_fan_out"),
            rank_patterns: patterns(members, "rank_pattern")?,
            alpha_patterns: patterns(members, "alpha_pattern")?,
        })
    }

    /// The factor of the pair of a module whose `A` has `rank` rows.
    ///
    /// `rank_pattern` and `alpha_pattern` are read as PEFT does: the first pattern wins that matches the whole name of the
    /// module, or its end after a dot.
    pub(super) fn scaling(&self, module: &str, rank: usize) -> Result<Scaling> {
        let module = module.strip_prefix("base_model.model.").unwrap_or(module);
        let find = |patterns: &Patterns| {
            patterns.iter().find(|(_, regex, _)| regex.is_match(module)).map(|(text, _, value)| (text.clone(), *value))
        };
        let by_pattern = find(&self.rank_patterns);
        let stated = by_pattern.as_ref().map(|(_, value)| *value).or(self.rank.map(|rank| rank as f64));
        if stated.is_some_and(|stated| stated != rank as f64) {
            return Err(InputError::new("the configuration states another rank than the tensors have").value(format!(
                "{} by {}, {rank} rows of A",
                stated.unwrap_or_default(),
                by_pattern.map_or_else(|| "r".to_owned(), |(text, _)| format!("rank_pattern {text:?}"))
            )));
        }
        let (alpha, name) = match find(&self.alpha_patterns) {
            Some((text, alpha)) => (alpha, format!("alpha_pattern {text:?}")),
            None => (self.alpha, "lora_alpha".to_owned()),
        };
        let (divisor, text) = match self.rank_stabilized {
            true => ((rank as f64).sqrt(), format!("sqrt({rank}) of rsLoRA")),
            false => (rank as f64, rank.to_string()),
        };
        Ok(Scaling { value: alpha / divisor, reason: format!("{name} {alpha} / {text}") })
    }
}

fn finite(name: &str, value: &Value) -> Result<f64> {
    value
        .as_f64()
        .filter(|value| value.is_finite())
        .ok_or_else(|| InputError::new("a finite number is needed").array(name).value(value))
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

    fn config(text: &str) -> Result<AdapterConfig> {
        AdapterConfig::of_members(serde_json::from_str::<Value>(text).unwrap().as_object().unwrap())
    }

    #[test]
    fn patterns_match_whole_names_or_ends_after_a_dot_and_the_first_wins() {
        let found = config(
            r#"{"r": 4, "lora_alpha": 8, "rank_pattern": {"^first.q": 2, "down_proj": 6},
                "alpha_pattern": {"layers\\.[0-1]\\.q": 16, "q": 32}}"#,
        )
        .unwrap();
        let scaling = |module: &str, rank| found.scaling(module, rank).map(|scaling| scaling.value);
        assert_eq!(scaling("base_model.model.layers.1.q", 4), Ok(4.0));
        assert_eq!(scaling("base_model.model.layers.2.q", 4), Ok(8.0));
        assert_eq!(scaling("layers.0.down_proj", 6), Ok(8.0 / 6.0));
        assert_eq!(scaling("layers.0.my_down_proj", 4), Ok(2.0), "an end that does not follow a dot is no match");
        assert_eq!(scaling("first.q", 2), Ok(16.0));
        assert!(scaling("layers.0.down_proj", 4).unwrap_err().to_string().contains("rank_pattern \"down_proj\""));
        assert!(scaling("layers.0.k", 5).unwrap_err().to_string().contains("4 by r"));
        let stabilized = config(r#"{"r": 16, "lora_alpha": 8, "use_rslora": true}"#).unwrap();
        assert_eq!(stabilized.scaling("q", 16).unwrap().value, 2.0);
    }

    #[test]
    fn configurations_that_cannot_be_used_are_refused() {
        for (text, part) in [
            (r#"{"peft_type": "LOHA"}"#, "LOHA"),
            (r#"{"r": 4}"#, "lora_alpha"),
            (r#"{"r": 0, "lora_alpha": 1}"#, "positive integer"),
            (r#"{"r": 4, "lora_alpha": "x"}"#, "finite number"),
            (r#"{"r": 4, "lora_alpha": 1, "alpha_pattern": {"(": 1}}"#, "pattern"),
            (r#"{"r": 4, "lora_alpha": 1, "rank_pattern": 3}"#, "patterns"),
            (r#"{"r": 4, "lora_alpha": 1, "use_qalora": true}"#, "QALoRA"),
        ] {
            let message = config(text).unwrap_err().to_string();
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}
