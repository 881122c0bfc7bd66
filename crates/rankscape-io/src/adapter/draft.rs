//! The parts of one update as the families of layouts fill them in, and what stands around its group of tensors.

use super::super::array::Array;
use super::group::Group;
use super::item::{Form, StoredPair, StoredSide};
use super::methods::Method;
use super::names::{Layout, Role};
use super::settings::Settings;
use super::source::Source;
use rankscape::error::InputError;
use rankscape::multiplication::Removed;

/// What stands around a group.
pub(super) struct Around<'a> {
    pub(super) source: &'a Source,
    pub(super) settings: &'a Settings,
    /// Which adapter the configuration beside the file is of, where the file holds several.
    pub(super) owner: &'a Owner,
    pub(super) shared: Option<(Array, Array)>,
    /// Columns of the base weight, where they are known.
    pub(super) inputs: Option<usize>,
    /// Number of modules in the checkpoint that share projections.
    pub(super) sharing: usize,
    /// The pair of a MultiheadAttention's `out_proj` is stored a second time.
    pub(super) stored_twice: bool,
}

/// The adapter that the configuration beside a file with several is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Owner {
    /// The file holds one.
    All,
    /// Only this one has the ranks that the configuration states.
    Named(String),
    /// Not told.
    Nobody,
}

/// The parts of one update, read: what the families fill in.
pub(super) struct Draft {
    pub(super) method: Method,
    pub(super) formula: &'static str,
    pub(super) form: Form,
    /// The rank that the scaling is relative to; `None` where there is none.
    pub(super) rank: Option<usize>,
    /// Arrays in the order of their roles.
    pub(super) arrays: Vec<Array>,
    /// Sides of a free pair.
    pub(super) stored: Option<StoredPair>,
    /// Why the factors are not to be moved along their orbit.
    pub(super) fixed: Option<&'static str>,
    pub(super) removed: Option<Removed>,
    pub(super) undetermined: Option<String>,
    pub(super) convolution: bool,
}

impl Draft {
    pub(super) fn new(method: Method, formula: &'static str, form: Form, arrays: Vec<Array>) -> Self {
        let convolution = arrays.iter().any(|array| array.shape.len() > 2);
        Self {
            method,
            formula,
            form,
            rank: None,
            arrays,
            stored: None,
            fixed: Some("only pairs with two free factors are balanced"),
            removed: None,
            undetermined: None,
            convolution,
        }
    }

    /// Rows and columns of the update.
    pub(super) fn form_shape(&self) -> (usize, usize) {
        match &self.form {
            Form::Pair(factors) => (factors.architecture().outputs(), factors.architecture().inputs()),
            Form::Other(update) => update.shape(),
        }
    }
}

/// One of the experts that share stacked tensors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expert {
    pub(super) parameter: Option<String>,
    /// Parameters of which it is one, where the files do not tell which.
    pub(super) possible: Vec<String>,
    pub(super) index: usize,
    pub(super) count: usize,
}

/// The sides of a pair that can be written back.
pub(super) fn stored_pair(a: &Array, b: &Array, transposed: bool) -> StoredPair {
    let side = |array: &Array| StoredSide {
        name: array.name.clone(),
        shape: array.shape.clone(),
        element: array.element,
        transposed,
    };
    StoredPair { sides: [side(a), side(b)] }
}

/// The error for one half of a pair.
pub(super) fn alone(group: &Group) -> InputError {
    let only = group.places().next().map_or_else(|| group.module.clone(), |place| place.name.clone());
    let names = match group.layout {
        Layout::Kohya => ["lora_down", "lora_up"],
        Layout::Diffusers => ["down", "up"],
        Layout::Mlx => ["lora_a", "lora_b"],
        _ if group.embedding => ["lora_embedding_A", "lora_embedding_B"],
        _ => ["lora_A", "lora_B"],
    };
    let missing = match (group.has(Role::A), group.has(Role::B)) {
        (true, _) => names[1].to_owned(),
        (false, true) => names[0].to_owned(),
        _ => format!("{} and {}", names[0], names[1]),
    };
    InputError::new(format!("the pair is incomplete: its {missing} is missing"))
        .array(only)
        .hint("the checkpoint is damaged, or a shard is missing: give the index of all shards or the folder")
}
