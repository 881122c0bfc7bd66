//! Where the factor of a product is stated: beside the file, in its header, or in a tensor.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::super::file::read_limited;
use super::super::json::{check_entries, syntax_error};
use super::config::PeftConfig;
use super::names::module_in_model;
use rankscape::error::{InputError, Result};

/// Largest configuration that is read, in bytes.
const CONFIG_LIMIT: u64 = 1 << 24;

/// The factor of a product and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaling {
    /// The factor; `None` where nothing states it.
    pub value: Option<f64>,
    /// One sentence without the final full stop.
    pub reason: String,
    /// Libraries, or parts of one, apply it differently.
    pub disputed: bool,
}

impl Scaling {
    pub(super) fn known(value: f64, reason: impl Into<String>) -> Self {
        Self { value: Some(value), reason: reason.into(), disputed: false }
    }

    pub(super) fn unknown(reason: impl Into<String>) -> Self {
        Self { value: None, reason: reason.into(), disputed: false }
    }
}

/// What stands beside the tensors of one checkpoint.
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// `adapter_config.json`.
    pub(super) path: Option<PathBuf>,
    file: Option<PeftConfig>,
    /// `lora_adapter_metadata` of diffusers, by the part of the pipeline (empty: of the whole file).
    header: BTreeMap<String, PeftConfig>,
    /// `scale` and `rank` of MLX.
    pub(super) mlx: Option<(Option<f64>, Option<u64>)>,
    /// `ss_network_alpha` and `ss_network_dim` of kohya-ss.
    network: Option<(f64, f64)>,
}

impl Settings {
    /// Reads the configuration of a folder, if there is one, and the free text of the headers.
    pub(super) fn read(folder: &Path, metadata: &BTreeMap<String, String>) -> Result<Self> {
        let mut settings = Self::default();
        let path = folder.join("adapter_config.json");
        if path.is_file() {
            let bytes = read_limited(&path, CONFIG_LIMIT)?;
            settings.of_file(&bytes).map_err(|error| error.file(path.display()))?;
            settings.path = Some(path);
        }
        if let Some(text) = metadata.get("lora_adapter_metadata") {
            settings.header = header(text).map_err(|error| error.array("lora_adapter_metadata"))?;
        }
        let number = |name: &str| metadata.get(name).and_then(|text| text.trim().parse::<f64>().ok());
        settings.network =
            number("ss_network_alpha").zip(number("ss_network_dim")).filter(|(a, d)| *a > 0.0 && *d > 0.0);
        Ok(settings)
    }

    fn of_file(&mut self, bytes: &[u8]) -> Result<()> {
        let members = object(bytes)?;
        let is_mlx = members.contains_key("lora_parameters") || members.contains_key("fine_tune_type");
        if !is_mlx || members.contains_key("peft_type") {
            self.file = Some(PeftConfig::of_members(&members)?);
            return Ok(());
        }
        let tuned = members.get("fine_tune_type").and_then(Value::as_str).unwrap_or("lora");
        if !["lora", "dora"].contains(&tuned) {
            return Err(InputError::new("the adapter of MLX is of a kind that is not read")
                .array("fine_tune_type")
                .value(tuned)
                .hint("lora and dora are read"));
        }
        let parameter = |name: &str| members.get("lora_parameters").and_then(|inner| inner.get(name));
        self.mlx = Some((parameter("scale").and_then(Value::as_f64), parameter("rank").and_then(Value::as_u64)));
        Ok(())
    }

    /// The configuration of PEFT that a module falls under, and the name of the module in it.
    pub(super) fn config_of(&self, module: &str) -> Option<(&PeftConfig, String)> {
        let plain = module_in_model(module);
        if let Some(file) = &self.file {
            return Some((file, plain));
        }
        let parts = self.header.iter().rev();
        parts.map(|(part, config)| (config, strip_part(&plain, part))).find_map(|(config, rest)| Some((config, rest?)))
    }

    pub(super) fn file_config(&self) -> Option<&PeftConfig> {
        self.file.as_ref()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.file.is_none() && self.header.is_empty() && self.mlx.is_none()
    }

    pub(super) fn configs(&self) -> impl Iterator<Item = &PeftConfig> {
        self.file.iter().chain(self.header.values())
    }

    /// What the header of kohya-ss gives for a pair of this rank.
    pub(super) fn network_scaling(&self, rank: usize) -> Option<Scaling> {
        let (alpha, dim) = self.network?;
        (dim == rank as f64).then(|| {
            Scaling::known(alpha / dim, format!("ss_network_alpha {alpha} / ss_network_dim {dim} of the header"))
        })
    }
}

fn strip_part(module: &str, part: &str) -> Option<String> {
    if part.is_empty() {
        return Some(module.to_owned());
    }
    module.strip_prefix(part)?.strip_prefix('.').map(str::to_owned)
}

fn object(bytes: &[u8]) -> Result<Map<String, Value>> {
    check_entries(bytes)?;
    match serde_json::from_slice(bytes).map_err(|error| syntax_error(bytes, &error.into()))? {
        Value::Object(members) => Ok(members),
        _ => Err(InputError::new("the configuration of an adapter is a JSON object")),
    }
}

/// Members are those of a configuration, each after the part of the pipeline and a dot, or alone.
fn header(text: &str) -> Result<BTreeMap<String, PeftConfig>> {
    let mut parts: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for (name, value) in object(text.as_bytes())? {
        let (part, member) = name.split_once('.').unwrap_or(("", &name));
        parts.entry(part.to_owned()).or_default().insert(member.to_owned(), value);
    }
    parts.into_iter().map(|(part, members)| Ok((part, PeftConfig::of_members(&members)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_state_a_configuration_for_each_part_of_a_pipeline() {
        let text = r#"{"unet.r": 2, "unet.lora_alpha": 8, "text_encoder.r": 4, "text_encoder.lora_alpha": 4}"#;
        let folder = tempfile::tempdir().unwrap();
        let read = |pairs: &[(&str, &str)]| {
            let metadata = pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
            Settings::read(folder.path(), &metadata).unwrap()
        };
        let settings = read(&[("lora_adapter_metadata", text)]);
        let scaling = |module: &str| settings.config_of(module).map(|(config, name)| config.scaling(&name, 2).0);
        assert_eq!(scaling("unet.down.to_q"), Some(4.0));
        assert_eq!(scaling("text_encoder.q_proj"), Some(2.0));
        assert_eq!(scaling("transformer.q"), None);
        let settings = read(&[("ss_network_alpha", "3"), ("ss_network_dim", "2")]);
        assert_eq!(settings.network_scaling(2).and_then(|scaling| scaling.value), Some(1.5));
        assert_eq!(settings.network_scaling(4), None);
    }
}
