//! Why a file with arrays that are no layers is refused, and what to do: each remedy gives the right answer.

use super::super::array::shape_text;
use super::super::container::list;
use super::modules::{Contents, Kind, Layer, Rest};
use super::names::NONE;
use super::order::order;
use rankscape::error::InputError;

/// How a file with the effective matrices is made.
pub(super) const EFFECTIVE: &str = "save the effective matrix as weight: \
    torch.nn.utils.parametrize.remove_parametrizations(layer, 'weight') leaves it there";

impl Kind {
    /// It says that the network is another one than its matrices make up.
    pub(super) fn is_telling(self) -> bool {
        !matches!(self, Self::Unknown | Self::Flat)
    }

    fn told(self) -> &'static str {
        match self {
            Self::BatchNorm | Self::LayerNorm => "a normalization",
            Self::Tensor => "more than two dimensions",
            Self::Parametrization => "parts of a parametrized weight",
            Self::BiasAlone => "a bias",
            Self::Flat => "one dimension",
            Self::Unknown => "unknown",
        }
    }
}

impl Rest {
    pub(super) fn names(&self) -> Vec<String> {
        self.arrays.iter().map(|entry| entry.name.clone()).collect()
    }

    /// Names and kind, for a note.
    pub(super) fn told(&self) -> String {
        format!("{} ({})", self.names().join(", "), self.kind.told())
    }
}

/// The error for a file with such arrays.
pub(super) fn refusal(rest: &Rest, contents: &Contents) -> InputError {
    // The array with most dimensions shows what the module is.
    let first = rest.arrays.iter().rev().max_by_key(|entry| entry.shape.len()).unwrap_or(&rest.arrays[0]);
    let (problem, hint) = match rest.kind {
        Kind::BatchNorm => (
            "the network has a normalization, so it is not the product of its matrices",
            "in evaluation mode it is a linear map: fold it into the layer before it with \
             torch.nn.utils.fuse_linear_bn_eval and save that network",
        ),
        Kind::LayerNorm => (
            "the network has a normalization, so it is not the product of its matrices",
            "one that divides by statistics of each sample is not linear: no answer here is about this network",
        ),
        Kind::Tensor => (
            "the array has more than two dimensions, so it is not the matrix of a layer",
            "a network with convolutions is not a product of these matrices",
        ),
        Kind::Parametrization => ("the weight is computed from arrays in a way that is not known", EFFECTIVE),
        Kind::BiasAlone => (
            "the bias belongs to no matrix of the file",
            "if its matrix is tied to another one, such as a decoder that is the transposed encoder, save that matrix too",
        ),
        Kind::Flat => (
            "the weight has one dimension, so it is not the matrix of a layer",
            "a layer with one output is stored as (1, in); a normalization or an activation is not read",
        ),
        Kind::Unknown => return unknown(rest, contents),
    };
    let what = match rest.kind {
        Kind::Tensor => format!("{} dimensions, shape {}", first.shape.len(), shape_text(&first.shape)),
        _ if rest.arrays.len() > 1 => list(&rest.names()),
        _ => format!("shape {}", shape_text(&first.shape)),
    };
    InputError::new(problem).array(&first.name).value(what).hint(hint)
}

/// An array whose name says nothing: it may be the bias of a layer, or no part of the network.
fn unknown(rest: &Rest, contents: &Contents) -> InputError {
    let ordered = order(contents.layers.clone()).map(|(layers, _)| layers).unwrap_or_default();
    let names: Vec<&str> = ordered.iter().map(|layer| layer.name.as_str()).collect();
    let names = if names.is_empty() { "NAME,NAME,...".to_owned() } else { names.join(",") };
    let apart = format!("if it is no part of the network, name the layers: --layers {names}");
    let hint = match biases(&ordered, contents) {
        Some(biases) => format!("if it is a bias, say --biases {biases}; {apart}"),
        None => apart,
    };
    let first = &rest.arrays[0];
    InputError::new("the array is neither a layer nor the bias of one")
        .array(&first.name)
        .value(format!("shape {}", shape_text(&first.shape)))
        .hint(hint)
}

/// The unknown vectors as biases of the layers without one, in order, if each fits exactly one.
fn biases(layers: &[Layer], contents: &Contents) -> Option<String> {
    let mut vectors = contents.rest.iter().flat_map(|rest| &rest.arrays).peekable();
    let mut names = Vec::new();
    for layer in layers {
        let fits = |size: usize| size == layer.ends().1;
        match (&layer.bias, vectors.peek()) {
            (Some(bias), _) => names.push(bias.name.as_str()),
            (None, Some(vector)) if vector.shape.len() == 1 && fits(vector.shape[0]) => {
                names.push(vector.name.as_str());
                vectors.next();
            }
            (None, _) => names.push(NONE),
        }
    }
    (!layers.is_empty() && vectors.peek().is_none()).then(|| names.join(","))
}
