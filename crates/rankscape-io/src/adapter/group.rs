//! The tensors of one module, brought together and checked before anything is read.

use std::collections::BTreeMap;

use super::super::array::Array;
use super::methods::{belongs_to_an_adapter, other_method};
use super::names::{Layout, Role, TensorName};
use super::source::{Place, Source};
use rankscape::error::{InputError, Result};
use rankscape::linalg::Matrix;

/// The tensors of one module and adapter.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) module: String,
    pub(super) adapter: Option<String>,
    pub(super) layout: Layout,
    pub(super) embedding: bool,
    tensors: BTreeMap<Role, Place>,
    /// Tensors that only training uses.
    pub(super) training_only: Vec<String>,
}

/// All tensors of a checkpoint, sorted out.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    pub(super) groups: Vec<Group>,
    /// `vera_A`, `vera_B`, by the name of the adapter.
    pub(super) shared: BTreeMap<(Option<String>, Role), Place>,
    /// Tensors that are no part of an update, with the method they belong to, if any.
    pub(super) unknown: Vec<(Place, Option<&'static str>)>,
}

impl Group {
    pub(super) fn has(&self, role: Role) -> bool {
        self.tensors.contains_key(&role)
    }

    pub(super) fn place(&self, role: Role) -> Option<&Place> {
        self.tensors.get(&role)
    }

    pub(super) fn places(&self) -> impl Iterator<Item = &Place> {
        self.tensors.values()
    }

    /// Only vectors change in this module.
    pub(super) fn is_vectors(&self) -> bool {
        self.tensors.keys().all(|role| role.is_vector())
    }

    pub(super) fn load(&self, source: &Source, role: Role) -> Result<Option<Array>> {
        self.place(role).map(|place| source.load(place)).transpose()
    }

    /// The rank that the tensors have: the inner dimension of the pair.
    pub(super) fn rank(&self) -> Option<usize> {
        let a = self.place(Role::A)?;
        Some(match (self.layout, a.shape.as_slice()) {
            (Layout::Mlx, [.., rank]) if a.shape.len() == 2 => *rank,
            (Layout::Mlx, [_, rank, _]) => *rank,
            (_, shape) => shape.first().copied().unwrap_or(0),
        })
    }
}

/// Brings the tensors of each module together; refuses what stands under a module with a pair and is not known.
pub(super) fn sort_out(source: &Source) -> Result<Sorted> {
    let mut groups: BTreeMap<(String, Option<String>), Group> = BTreeMap::new();
    let mut sorted = Sorted::default();
    let mut others = Vec::new();
    for place in &source.places {
        let Some(name) = TensorName::parse(&place.name) else {
            others.push(place.clone());
            continue;
        };
        let TensorName { module, adapter, role, layout, embedding } = name;
        if matches!(role, Role::SharedA | Role::SharedB) {
            sorted.shared.insert((adapter, role), place.clone());
            continue;
        }
        let group = groups.entry((module.clone(), adapter.clone())).or_insert_with(|| Group {
            module,
            adapter,
            layout,
            embedding: false,
            tensors: BTreeMap::new(),
            training_only: Vec::new(),
        });
        group.embedding |= embedding;
        if matches!(role, Role::A | Role::B) {
            group.layout = layout;
        }
        if role == Role::TrainingOnly {
            group.training_only.push(place.name.clone());
            continue;
        }
        if let Some(other) = group.tensors.insert(role, place.clone()) {
            return Err(InputError::new("two tensors are the same part of one pair")
                .array(&place.name)
                .value(format!("also {}", other.name)));
        }
    }
    for (_, group) in groups {
        let scalars_only = group.tensors.keys().all(|role| matches!(role, Role::Alpha));
        if scalars_only {
            others.extend(group.tensors.into_values());
        } else {
            sorted.groups.push(group);
        }
    }
    for place in others {
        if mlx_lengths(&mut sorted.groups, &place) {
            continue;
        }
        check_other(&sorted.groups, &place)?;
        let method = other_method(&place.name);
        sorted.unknown.push((place, method));
    }
    sorted.unknown.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    Ok(sorted)
}

/// MLX calls the lengths of DoRA `m`.
fn mlx_lengths(groups: &mut [Group], place: &Place) -> bool {
    let Some(module) = place.name.strip_suffix(".m") else { return false };
    let found = groups.iter_mut().find(|group| group.module == module && group.layout == Layout::Mlx);
    found.is_some_and(|group| group.tensors.insert(Role::Lengths, place.clone()).is_none())
}

/// What may stand under a module beside its update: its own weights.
fn check_other(groups: &[Group], place: &Place) -> Result<()> {
    let own = |rest: &str| {
        let rest = rest.trim_start_matches("base_layer.").trim_start_matches("_orig_mod.");
        matches!(rest, "weight" | "bias" | "linear.weight" | "linear.bias")
            || (rest.contains('.') && !belongs_to_an_adapter(rest))
    };
    for group in groups {
        let Some(rest) = place.name.strip_prefix(&group.module).and_then(|rest| rest.strip_prefix('.')) else {
            continue;
        };
        if !own(rest)
            && !groups
                .iter()
                .any(|other| other.module.len() > group.module.len() && place.name.starts_with(&other.module))
        {
            let method = other_method(&place.name);
            let what = method
                .map_or_else(|| "a tensor that is not known".to_owned(), |method| format!("a tensor of {method}"));
            return Err(InputError::new(format!(
                "beside the update of the module stands {what}, which may change what it means"
            ))
            .array(&place.name)
            .hint("this method is not read; docs/adapters.md lists those that are"));
        }
    }
    if belongs_to_an_adapter(&place.name) && other_method(&place.name).is_none() {
        return Err(InputError::new("this part of an adapter is not known")
            .array(&place.name)
            .hint("docs/adapters.md lists the layouts that are read"));
    }
    Ok(())
}

/// An array as a matrix: the first dimension against all others.
pub(super) fn flat(array: &Array) -> Result<Matrix> {
    let Some((&rows, rest)) = array.shape.split_first() else {
        return Err(InputError::new("a matrix is needed").array(&array.name).value("a single number"));
    };
    let cols = rest.iter().product();
    if rows == 0 || cols == 0 {
        return Err(InputError::new("the tensor is empty").array(&array.name));
    }
    Ok(Matrix::from_fn(rows, cols, |i, j| array.values[i * cols + j]))
}
