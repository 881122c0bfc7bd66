//! Names of the tensors of an adapter, in every layout that is read.
//!
//! | layout | example |
//! |---|---|
//! | PEFT | `base_model.model.layers.0.q_proj.lora_A.weight`, in a training state `...lora_A.default.weight` |
//! | loralib, AdaLoRA | `layers.0.q_proj.lora_A` |
//! | kohya, LyCORIS | `lora_unet_conv_in.lora_down.weight`, `.lora_mid.weight`, `.alpha`, `.hada_w1_a`, `.lokr_w1`, `.diff` |
//! | diffusers, old | `unet.attn1.to_q.lora.down.weight`, `...q_proj.lora_linear_layer.up.weight`, `...attn1.processor.to_q_lora.down.weight` |
//! | MLX | `model.layers.0.self_attn.q_proj.lora_a` |

use crate::words::words;

/// What a tensor is to the update of its module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// `A`, or what stands on its side.
    A,
    /// `B`.
    B,
    /// The core of a Tucker decomposition between the two.
    Middle,
    /// A diagonal between the two: KaSA's `lora_diag`, AdaLoRA's `lora_E`.
    Diagonal,
    /// Lengths that rows or columns are brought to (DoRA).
    Lengths,
    /// Added to the output, no part of the product.
    Bias,
    /// Numerator of the scaling.
    Alpha,
    /// Parts of LoHa: `(W1A W1B) o (W2A W2B)`, with Tucker cores.
    Hadamard(Half, Factor),
    /// Parts of LoKr: `W1 (x) W2`, each whole or a product.
    Kronecker(Half, Factor),
    /// A full difference.
    Difference,
    /// A difference of a bias, of the weights or the bias of a normalization.
    BiasDifference,
    NormDifference,
    NormBiasDifference,
    /// Vectors of VeRA: `lambda_b` on outputs, `lambda_d` on ranks.
    LambdaB,
    LambdaD,
    /// Projections that all modules of VeRA share.
    SharedA,
    SharedB,
    /// Used in training only.
    TrainingOnly,
}

/// Which of the two factors of LoHa and LoKr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Half {
    First,
    Second,
}

/// A factor as a whole, its two sides, or a Tucker core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Factor {
    Whole,
    Left,
    Right,
    Core,
}

words! {
    /// Who writes tensors under these names.
    pub enum Layout {
        /// PEFT, and what diffusers and ComfyUI write now.
        Peft = "peft",
        /// loralib, and AdaLoRA in PEFT: parameters without `.weight`.
        Bare = "loralib",
        /// kohya-ss and LyCORIS.
        Kohya = "kohya",
        /// diffusers before it used PEFT.
        Diffusers = "diffusers",
        /// MLX: `A` is stored as (in, r), `B` as (r, out).
        Mlx = "mlx",
    }
}

/// A name taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TensorName {
    /// Everything before the part.
    pub(super) module: String,
    /// Name of the adapter, where the file keeps it.
    pub(super) adapter: Option<String>,
    pub(super) role: Role,
    pub(super) layout: Layout,
    /// Of an embedding, whose update is the transposed product.
    pub(super) embedding: bool,
}

impl Role {
    /// A vector that is added to another: no update of a matrix.
    pub(super) fn is_vector(self) -> bool {
        matches!(self, Self::BiasDifference | Self::NormDifference | Self::NormBiasDifference | Self::Alpha)
    }
}

impl TensorName {
    /// `None` for a name that is not that of a known part of an adapter.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let words: Vec<&str> = name.split('.').collect();
        (0..words.len()).rev().find_map(|at| Self::at(&words, at))
    }

    /// Reads the word at a place as the part, and those after it as what may follow there.
    fn at(words: &[&str], at: usize) -> Option<Self> {
        let (word, rest) = (words[at], &words[at + 1..]);
        let found = |role, layout, adapter: Option<&str>| Self {
            module: words[..at].join("."),
            adapter: adapter.map(str::to_owned),
            role,
            layout,
            embedding: word.starts_with("lora_embedding_"),
        };
        match word {
            "lora_A" | "lora_B" => {
                let role = if word == "lora_A" { Role::A } else { Role::B };
                match rest {
                    ["weight"] => Some(found(role, Layout::Peft, None)),
                    [adapter, "weight"] => Some(found(role, Layout::Peft, Some(adapter))),
                    ["bias"] if role == Role::B => Some(found(Role::Bias, Layout::Peft, None)),
                    [adapter, "bias"] if role == Role::B => Some(found(Role::Bias, Layout::Peft, Some(adapter))),
                    [] => Some(found(role, Layout::Bare, None)),
                    [adapter] if *adapter != "bias" => Some(found(role, Layout::Bare, Some(adapter))),
                    _ => None,
                }
            }
            "lora_embedding_A" => Some(found(Role::A, Layout::Peft, optional(rest)?)),
            "lora_embedding_B" => Some(found(Role::B, Layout::Peft, optional(rest)?)),
            "lora_magnitude_vector" => match rest {
                ["weight"] => Some(found(Role::Lengths, Layout::Peft, None)),
                [adapter, "weight"] => Some(found(Role::Lengths, Layout::Peft, Some(adapter))),
                _ => Some(found(Role::Lengths, Layout::Peft, optional(rest)?)),
            },
            "lora_diag" | "lora_E" => Some(found(Role::Diagonal, Layout::Peft, optional(rest)?)),
            "ranknum" => Some(found(Role::TrainingOnly, Layout::Peft, optional(rest)?)),
            "lora_velora_embed" => Some(found(Role::TrainingOnly, Layout::Peft, None)),
            _ if word.starts_with("lora_monteclora_") => Some(found(Role::TrainingOnly, Layout::Peft, None)),
            "vera_lambda_b" => Some(found(Role::LambdaB, Layout::Peft, optional(rest)?)),
            "vera_lambda_d" => Some(found(Role::LambdaD, Layout::Peft, optional(rest)?)),
            "vera_A" => Some(found(Role::SharedA, Layout::Peft, optional(rest)?)),
            "vera_B" => Some(found(Role::SharedB, Layout::Peft, optional(rest)?)),
            "lora_down" | "lora_up" | "lora_mid" if rest == ["weight"] => {
                let role = match word {
                    "lora_down" => Role::A,
                    "lora_up" => Role::B,
                    _ => Role::Middle,
                };
                Some(found(role, Layout::Kohya, None))
            }
            "dora_scale" if rest.is_empty() => Some(found(Role::Lengths, Layout::Kohya, None)),
            "lora" | "lora_linear_layer" => {
                let role = half_of(rest)?;
                Some(found(role, Layout::Diffusers, None))
            }
            _ if word.ends_with("_lora") => {
                let role = half_of(rest).or((rest == ["alpha"]).then_some(Role::Alpha))?;
                Some(Self { module: processor_module(&words[..at], word), ..found(role, Layout::Diffusers, None) })
            }
            "lora_a" | "lora_b" if rest.is_empty() => {
                Some(found(if word == "lora_a" { Role::A } else { Role::B }, Layout::Mlx, None))
            }
            "alpha" if rest.is_empty() => Some(found(Role::Alpha, Layout::Kohya, None)),
            "diff" if rest.is_empty() => Some(found(Role::Difference, Layout::Kohya, None)),
            "diff_b" if rest.is_empty() => Some(found(Role::BiasDifference, Layout::Kohya, None)),
            "w_norm" if rest.is_empty() => Some(found(Role::NormDifference, Layout::Kohya, None)),
            "b_norm" if rest.is_empty() => Some(found(Role::NormBiasDifference, Layout::Kohya, None)),
            _ => lycoris_role(word).and_then(|role| Some(found(role, Layout::Kohya, optional(rest)?))),
        }
    }
}

/// Nothing, or the name of an adapter.
fn optional<'a>(rest: &[&'a str]) -> Option<Option<&'a str>> {
    match rest {
        [] => Some(None),
        [adapter] => Some(Some(adapter)),
        _ => None,
    }
}

fn half_of(rest: &[&str]) -> Option<Role> {
    match rest {
        ["down", "weight"] => Some(Role::A),
        ["up", "weight"] => Some(Role::B),
        _ => None,
    }
}

fn lycoris_role(word: &str) -> Option<Role> {
    let half = |digit: &str| match digit {
        "1" => Some(Half::First),
        "2" => Some(Half::Second),
        _ => None,
    };
    if let Some(rest) = word.strip_prefix("hada_") {
        return match *rest.split('_').collect::<Vec<_>>() {
            ["w1" | "w2", "a"] => Some(Role::Hadamard(half(&rest[1..2])?, Factor::Left)),
            ["w1" | "w2", "b"] => Some(Role::Hadamard(half(&rest[1..2])?, Factor::Right)),
            ["t1" | "t2"] => Some(Role::Hadamard(half(&rest[1..2])?, Factor::Core)),
            _ => None,
        };
    }
    let rest = word.strip_prefix("lokr_")?;
    match *rest.split('_').collect::<Vec<_>>() {
        ["w1" | "w2"] => Some(Role::Kronecker(half(&rest[1..2])?, Factor::Whole)),
        ["w1" | "w2", "a"] => Some(Role::Kronecker(half(&rest[1..2])?, Factor::Left)),
        ["w1" | "w2", "b"] => Some(Role::Kronecker(half(&rest[1..2])?, Factor::Right)),
        ["t1" | "t2"] => Some(Role::Kronecker(half(&rest[1..2])?, Factor::Core)),
        _ => None,
    }
}

/// The layer that an attention processor of diffusers before 0.22 adapts: `to_q_lora` is `to_q`, in a text encoder `q_proj`, and
/// `to_out_lora` is `to_out.0` or `out_proj`.
fn processor_module(before: &[&str], word: &str) -> String {
    let mut words: Vec<&str> = before.iter().copied().filter(|word| *word != "processor").collect();
    let plain = word.trim_end_matches("_lora");
    let text_encoder = words.contains(&"self_attn");
    let renamed = match (plain, text_encoder) {
        ("to_q", true) => "q_proj",
        ("to_k", true) => "k_proj",
        ("to_v", true) => "v_proj",
        ("to_out", true) => "out_proj",
        ("to_out", false) => "to_out.0",
        _ => plain,
    };
    words.push(renamed);
    words.join(".")
}

/// The parts of a pipeline that kohya-ss and LyCORIS put before the name of a module.
const PARTS: [&str; 8] =
    ["lora_unet_", "lora_te1_", "lora_te2_", "lora_te3_", "lora_te_", "lora_transformer_", "lycoris_", "lora_"];

/// The name of a module of kohya-ss without the part of the pipeline; its dots are written as `_`.
pub(super) fn without_part(module: &str) -> &str {
    PARTS.iter().find_map(|part| module.strip_prefix(part)).unwrap_or(module)
}

/// Beginnings of words that wrappers put before or between the names of modules.
const WRAPPERS: [&str; 3] = ["_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"];

/// The name of a module in the model: without what `torch.compile`, FSDP, checkpointing, data parallelism and PEFT put before it.
pub(super) fn module_in_model(module: &str) -> String {
    let words: Vec<&str> = module.split('.').filter(|word| !WRAPPERS.contains(word)).collect();
    let mut rest = words.as_slice();
    loop {
        rest = match rest {
            ["module", after @ ..] if !after.is_empty() => after,
            ["base_model", "model", after @ ..] => after,
            _ => return rest.join("."),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_layout_are_taken_apart() {
        use Layout::{Bare, Diffusers, Kohya, Mlx, Peft};
        for (name, module, adapter, role, layout) in [
            ("m.q.lora_A.weight", "m.q", None, Role::A, Peft),
            ("m.q.lora_B.default.weight", "m.q", Some("default"), Role::B, Peft),
            ("m.q.lora_A.weight.weight", "m.q", Some("weight"), Role::A, Peft),
            ("m.e.lora_embedding_A", "m.e", None, Role::A, Peft),
            ("m.e.lora_embedding_B.one", "m.e", Some("one"), Role::B, Peft),
            ("m.q.lora_magnitude_vector", "m.q", None, Role::Lengths, Peft),
            ("m.q.lora_magnitude_vector.default.weight", "m.q", Some("default"), Role::Lengths, Peft),
            ("m.q.lora_B.bias", "m.q", None, Role::Bias, Peft),
            ("m.q.lora_diag", "m.q", None, Role::Diagonal, Peft),
            ("m.q.lora_E.default", "m.q", Some("default"), Role::Diagonal, Peft),
            ("m.q.lora_A", "m.q", None, Role::A, Bare),
            ("m.q.lora_B.default", "m.q", Some("default"), Role::B, Bare),
            ("m.q.lora_monteclora_sampler.std", "m.q", None, Role::TrainingOnly, Peft),
            ("lora_unet_q.lora_down.weight", "lora_unet_q", None, Role::A, Kohya),
            ("lora_unet_q.alpha", "lora_unet_q", None, Role::Alpha, Kohya),
            ("x.hada_w2_b", "x", None, Role::Hadamard(Half::Second, Factor::Right), Kohya),
            ("x.lokr_t2", "x", None, Role::Kronecker(Half::Second, Factor::Core), Kohya),
            ("x.lokr_w1", "x", None, Role::Kronecker(Half::First, Factor::Whole), Kohya),
            ("u.attn1.to_q.lora.down.weight", "u.attn1.to_q", None, Role::A, Diffusers),
            ("t.q_proj.lora_linear_layer.up.weight", "t.q_proj", None, Role::B, Diffusers),
            ("u.attn1.processor.to_out_lora.up.weight", "u.attn1.to_out.0", None, Role::B, Diffusers),
            ("t.self_attn.to_q_lora.down.weight", "t.self_attn.q_proj", None, Role::A, Diffusers),
            ("model.q.lora_a", "model.q", None, Role::A, Mlx),
        ] {
            let embedding = name.contains("embedding");
            let expected =
                TensorName { module: module.to_owned(), adapter: adapter.map(str::to_owned), role, layout, embedding };
            assert_eq!(TensorName::parse(name), Some(expected), "{name}");
        }
        for name in [
            "m.q.weight",
            "m.lora_A.bias",
            "m.lora_A.a.b.weight",
            "m.lora_C.weight",
            "x.lora_down.0.weight",
            "x.hada_w3_a",
            "",
        ] {
            assert_eq!(TensorName::parse(name), None, "{name}");
        }
    }

    #[test]
    fn wrappers_are_taken_off_the_names_of_modules() {
        for (name, expected) in [
            ("base_model.model.layers.0.q", "layers.0.q"),
            ("module.base_model.model.fc1", "fc1"),
            ("module.module._orig_mod.base_model.model.fc1", "fc1"),
            ("_fsdp_wrapped_module.base_model.model._fsdp_wrapped_module.fc1", "fc1"),
            ("base_model.model._orig_mod.h._checkpoint_wrapped_module.fc", "h.fc"),
            ("layers.module.q", "layers.module.q"),
        ] {
            assert_eq!(module_in_model(name), expected);
        }
    }
}
