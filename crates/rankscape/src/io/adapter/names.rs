//! Names of the tensors of an adapter, and the methods that are not low-rank pairs.
//!
//! A LoRA tensor is called `<module>.<part>[.<adapter>][.weight]`, for example
//! `base_model.model.layers.0.q_proj.lora_A.weight`, or `...lora_A.default.weight` in a training state.

use crate::error::{InputError, Result};

/// What a tensor is to a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// `lora_A`, `lora_embedding_A`.
    A,
    /// `lora_B`, `lora_embedding_B`.
    B,
    /// `lora_magnitude_vector` of DoRA.
    Magnitude,
    /// `lora_B.bias`: added to the output, no part of the product.
    Bias,
}

/// A name taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TensorName {
    /// Everything before the part.
    pub(super) module: String,
    /// Name of the adapter, where the file keeps it.
    pub(super) adapter: Option<String>,
    pub(super) part: Part,
    /// Of an embedding, whose update is the transposed product.
    pub(super) embedding: bool,
}

impl TensorName {
    /// `None` for a name that is not that of a part of a low-rank pair.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let words: Vec<&str> = name.split('.').collect();
        let at = words.iter().rposition(|word| word.starts_with("lora_"))?;
        let embedding = words[at].starts_with("lora_embedding_");
        let part = match words[at] {
            "lora_A" | "lora_embedding_A" => Part::A,
            "lora_B" | "lora_embedding_B" => Part::B,
            "lora_magnitude_vector" => Part::Magnitude,
            _ => return None,
        };
        let (part, adapter) = match (&words[at + 1..], part) {
            (["weight"], _) => (part, None),
            ([adapter, "weight"], _) => (part, Some(*adapter)),
            (["bias"], Part::B) if !embedding => (Part::Bias, None),
            ([adapter, "bias"], Part::B) if !embedding => (Part::Bias, Some(*adapter)),
            // Parameters without a module of their own: embeddings, and magnitudes in one of PEFT's layouts.
            ([], _) if embedding || part == Part::Magnitude => (part, None),
            ([adapter], _) if embedding || part == Part::Magnitude => (part, Some(*adapter)),
            _ => return None,
        };
        Some(Self { module: words[..at].join("."), adapter: adapter.map(str::to_owned), part, embedding })
    }
}

/// Beginnings of the words by which other methods are known, with the names of the methods.
const OTHER_METHODS: [(&str, &str); 32] = [
    ("hada_", "LoHa"),
    ("lokr_", "LoKr"),
    ("ia3_", "IA3"),
    ("boft_", "BOFT"),
    ("oft_", "OFT"),
    ("vera_", "VeRA"),
    ("pvera_", "PVeRA"),
    ("vblora_", "VB-LoRA"),
    ("randlora_", "RandLoRA"),
    ("gralora_", "GraLoRA"),
    ("tinylora_", "TinyLoRA"),
    ("unilora_", "Uni-LoRA"),
    ("delora_", "DeLoRA"),
    ("fourierft_", "FourierFT"),
    ("waveft_", "WaveFT"),
    ("hra_", "HRA"),
    ("hira_", "HiRA"),
    ("shira_", "SHiRA"),
    ("c3a_", "C3A"),
    ("road_", "RoAd"),
    ("bone_", "Bone"),
    ("miss_", "MiSS"),
    ("glora_", "GLoRA"),
    ("lily_", "Lily"),
    ("psoft_", "PSOFT"),
    ("adamss_", "AdaMSS"),
    ("ln_tuning_", "LayerNorm tuning"),
    ("lora_E", "AdaLoRA"),
    ("ranknum", "AdaLoRA"),
    ("prompt_embeddings", "prompt tuning"),
    ("adaption_", "LLaMA-Adapter"),
    ("poly_lora", "Poly"),
];

/// An error if the tensor changes what a low-rank pair means: AdaLoRA puts a diagonal matrix between the two.
pub(super) fn refuse_middle_factor(name: &str) -> Result<()> {
    if name.split('.').any(|word| matches!(word, "lora_E" | "ranknum")) { refuse_other_method(name) } else { Ok(()) }
}

/// An error if the tensor of a file without low-rank pairs belongs to another method.
pub(super) fn refuse_other_method(name: &str) -> Result<()> {
    let words: Vec<&str> = name.split('.').collect();
    if words.iter().any(|word| matches!(*word, "lora_down" | "lora_up")) {
        return Err(InputError::new("these are low-rank pairs under other names than PEFT's")
            .array(name)
            .hint("rename lora_down to lora_A and lora_up to lora_B, and put alpha into adapter_config.json"));
    }
    let known = |word: &&str| OTHER_METHODS.iter().find(|(start, _)| word.starts_with(start));
    match words.iter().find_map(known) {
        Some((_, method)) => Err(InputError::new(format!("this adapter is {method}, not a product of two matrices"))
            .array(name)
            .hint("low-rank pairs are read: LoRA with lora_A and lora_B, also rsLoRA and DoRA")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_layout_are_taken_apart() {
        for (name, module, adapter, part, embedding) in [
            ("m.q.lora_A.weight", "m.q", None, Part::A, false),
            ("m.q.lora_B.default.weight", "m.q", Some("default"), Part::B, false),
            ("m.e.lora_embedding_A", "m.e", None, Part::A, true),
            ("m.e.lora_embedding_B.one", "m.e", Some("one"), Part::B, true),
            ("m.q.lora_magnitude_vector", "m.q", None, Part::Magnitude, false),
            ("m.q.lora_magnitude_vector.default.weight", "m.q", Some("default"), Part::Magnitude, false),
            ("m.q.lora_B.bias", "m.q", None, Part::Bias, false),
        ] {
            let expected =
                TensorName { module: module.to_owned(), adapter: adapter.map(str::to_owned), part, embedding };
            assert_eq!(TensorName::parse(name), Some(expected), "{name}");
        }
        for name in ["m.q.weight", "m.lora_A", "m.lora_A.bias", "m.lora_A.a.b.weight", "m.lora_C.weight", ""] {
            assert_eq!(TensorName::parse(name), None, "{name}");
        }
    }

    #[test]
    fn other_methods_are_refused_by_name() {
        for (name, method) in
            [("m.q.hada_w1_a", "LoHa"), ("m.q.lokr_w1", "LoKr"), ("m.q.ia3_l", "IA3"), ("m.oft_R.default", "OFT")]
        {
            assert!(refuse_other_method(name).unwrap_err().to_string().contains(method), "{name}");
        }
        assert!(refuse_other_method("m.embed_tokens.weight").is_ok());
    }
}
