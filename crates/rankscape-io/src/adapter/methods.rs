//! Methods that are read and methods that are not, and how their files are told.

use crate::words::words;
use rankscape::error::{InputError, Result};

words! {
    /// The method of an update.
    pub enum Method {
        /// LoRA.
        Lora = "lora",
        /// DoRA.
        Dora = "dora",
        /// KaSA.
        Kasa = "kasa",
        /// AdaLoRA.
        Adalora = "adalora",
        /// BD-LoRA.
        Bdlora = "bdlora",
        /// VeRA.
        Vera = "vera",
        /// LoRA of a convolution with a core.
        Tucker = "tucker",
        /// LoHa.
        Loha = "loha",
        /// LoKr.
        Lokr = "lokr",
        /// A full difference.
        Full = "full",
    }
}

words! {
    /// What a module is.
    pub enum ModuleKind {
        /// A linear layer.
        Linear = "linear",
        /// A convolution.
        Convolution = "convolution",
        /// A table of embeddings.
        Embedding = "embedding",
    }
}

/// Beginnings of the words by which other methods are known, with the names of the methods.
const OTHER_METHODS: [(&str, &str); 45] = [
    ("ia3_", "IA3"),
    ("on_input", "IA3"),
    ("boft_", "BOFT"),
    ("oft_", "OFT"),
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
    ("deft_", "DEFT"),
    ("peanut_", "PEANuT"),
    ("glora_", "GLoRA"),
    ("lily_", "Lily"),
    ("psoft_", "PSOFT"),
    ("osf_", "OSF"),
    ("beft_", "BEFT"),
    ("frod_", "FRoD"),
    ("adamss_", "AdaMSS"),
    ("ln_tuning_", "LayerNorm tuning"),
    ("prompt_embeddings", "prompt tuning"),
    ("prompt_encoder", "prompt tuning"),
    ("adaption_", "LLaMA-Adapter"),
    ("poly_lora", "Poly"),
    ("lambda_layer", "T-LoRA (tlora)"),
    ("q_layer", "T-LoRA (tlora)"),
    ("p_layer", "T-LoRA (tlora)"),
    ("a1", "GLoRA"),
    ("a2", "GLoRA"),
    ("b1", "GLoRA"),
    ("b2", "GLoRA"),
    ("bm", "GLoRA"),
    ("set_weight", "a replaced weight (set_weight)"),
    ("reshape_weight", "a reshaped weight (reshape_weight)"),
    ("trainable_tokens_delta", "trained tokens"),
];

/// The method that a tensor belongs to, by the last words of its name. `a1`, `b2` and the like are GLoRA's only as `.weight`, as
/// a word of their own.
pub(super) fn other_method(name: &str) -> Option<&'static str> {
    let words: Vec<&str> = name.split('.').collect();
    let of = |at: usize| {
        let (word, rest) = (words[at], &words[at + 1..]);
        OTHER_METHODS.iter().find_map(|&(start, method)| {
            let fits = match start.len() {
                2 => word == start && rest == ["weight"],
                _ => word.starts_with(start),
            };
            fits.then_some(method)
        })
    };
    (0..words.len()).rev().find_map(of)
}

/// A tensor that no layer of a network has: it must be a part of an adapter.
pub(super) fn belongs_to_an_adapter(name: &str) -> bool {
    let parts = |word: &str| {
        word.starts_with("lora_") || word == "lora" || word.starts_with("hada_") || word.starts_with("lokr_")
    };
    other_method(name).is_some() || name.split('.').skip(1).any(parts)
}

/// The refusal of a method.
pub(super) fn refused(method: &str) -> InputError {
    InputError::new(format!("this adapter is {method}, which is not read")).hint(
        "read are LoRA with its variants, LoHa, LoKr, full differences, AdaLoRA and VeRA: docs/adapters.md lists them",
    )
}

/// An error if the tensor belongs to another method.
pub(super) fn refuse_other_method(name: &str) -> Result<()> {
    match other_method(name) {
        Some(method) => Err(refused(method).array(name)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_methods_are_refused_by_name() {
        for (name, method) in [
            ("m.q.ia3_l", "IA3"),
            ("m.oft_R.default", "OFT"),
            ("lycoris_lin.a1.weight", "GLoRA"),
            ("lycoris_lin.lambda_layer", "T-LoRA"),
            ("base_model.model.q.peanut_A.weight", "PEANuT"),
        ] {
            assert!(refuse_other_method(name).unwrap_err().to_string().contains(method), "{name}");
        }
        for name in ["m.embed_tokens.weight", "a1.q.weight", "m.q.lora_A.weight"] {
            assert!(refuse_other_method(name).is_ok(), "{name}");
        }
        assert!(belongs_to_an_adapter("m.lora_down.0.weight") && !belongs_to_an_adapter("lora_unet_q.weight"));
    }
}
