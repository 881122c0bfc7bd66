//! Stacks of experts that share one pair of tensors.
//!
//! PEFT (`target_parameters`) adapts a parameter `(E, ., .)` by one pair: `A` has `E r` rows and `B` `E r` columns. Only the
//! configuration or the base tells this from a plain pair. Wrappers of several parameters of a module are nested in `base_layer`; the
//! innermost is that of the parameter that the module registered first. MLX stores stacks with three dimensions.

use super::assemble::{Expert, base_layer_free};
use super::base::BaseFile;
use super::group::Group;
use super::names::{Layout, Role, module_in_model};
use super::{Owner, Part};
use crate::error::{InputError, Result};

/// The experts of a group; one `None` for a group of its own.
pub(super) fn of(part: &Part, at: usize, base: Option<&BaseFile>) -> Result<Vec<Option<Expert>>> {
    let group = &part.sorted.groups[at];
    let plain = Ok(vec![None]);
    let Some((a, b)) = group.place(Role::A).zip(group.place(Role::B)) else { return plain };
    if group.layout == Layout::Mlx {
        return if a.shape.len() == 3 { Ok(stack(None, a.shape[0])) } else { plain };
    }
    if group.layout != Layout::Peft || group.embedding || a.shape.len() != 2 || b.shape.len() != 2 {
        return plain;
    }
    let module = base_layer_free(&group.module);
    let holds = match &part.owner {
        Owner::All => true,
        Owner::Named(name) => group.adapter.as_ref() == Some(name),
        Owner::Nobody => false,
    };
    let config = part.settings.config_of(&module).filter(|_| holds);
    let stacks = base.map(|base| base.stacks_of(&module)).unwrap_or_default();
    let candidates = match &config {
        Some((config, name)) => config.parameters_of(name),
        None => stacks.iter().map(|(name, _)| name.clone()).collect(),
    };
    if candidates.is_empty() {
        if config.is_none() && base.is_none() && last_word(&module) == "experts" {
            return Err(InputError::new(
                "without a configuration a pair that experts share (target_parameters) looks like one of a single weight",
            )
            .array(&a.name)
            .hint("put adapter_config.json beside the file, or give the base model with --base"));
        }
        return plain;
    }
    let parameter = parameter_of(part, group, &candidates, &stacks);
    let rows = a.shape[0];
    let stacked = parameter.as_ref().and_then(|name| stacks.iter().find(|(other, _)| other == name));
    let count = match (&config, stacked) {
        (Some((config, name)), stacked) => {
            let full = parameter.as_ref().map_or_else(|| name.clone(), |parameter| format!("{name}.{parameter}"));
            let rank = config.stated_rank(&full).map_or(rows, |(rank, _)| rank as usize);
            if rank == 0 || !rows.is_multiple_of(rank) {
                return Err(count_error(&a.name, rows).value(format!("{rows} rows of A, rank {rank}")));
            }
            let count = rows / rank;
            if let Some((_, shape)) = stacked.filter(|(_, shape)| shape[0] != count) {
                return Err(
                    count_error(&a.name, rows).value(format!("{count} by the rank {rank}, {} in the base", shape[0]))
                );
            }
            count
        }
        (None, Some((_, shape))) if rows.is_multiple_of(shape[0]) => shape[0],
        (None, _) => return Err(count_error(&a.name, rows)),
    };
    Ok(stack(parameter, count))
}

fn count_error(name: &str, rows: usize) -> InputError {
    InputError::new("the number of experts that share the pair (target_parameters) is not determined")
        .array(name)
        .value(format!("{rows} rows of A"))
        .hint("rank_pattern or r of the configuration must be those of the adapter")
}

fn stack(parameter: Option<String>, count: usize) -> Vec<Option<Expert>> {
    (0..count).map(|index| Some(Expert { parameter: parameter.clone(), index, count })).collect()
}

fn last_word(module: &str) -> &str {
    module.rsplit('.').next().unwrap_or(module)
}

/// The parameter that a wrapper is of: the only one that it can be, by the shapes in the base, else by the order in which modules
/// register theirs.
fn parameter_of(part: &Part, group: &Group, candidates: &[String], stacks: &[(String, [usize; 3])]) -> Option<String> {
    let module = module_in_model(&base_layer_free(&group.module));
    let mut nested: Vec<&Group> = part
        .sorted
        .groups
        .iter()
        .filter(|other| other.adapter == group.adapter && module_in_model(&base_layer_free(&other.module)) == module)
        .collect();
    nested.sort_by_key(|other| std::cmp::Reverse(other.module.len()));
    let place = nested.iter().position(|other| other.module == group.module)?;
    if let [only] = candidates {
        return Some(only.clone());
    }
    let sides = |group: &Group| Some([group.place(Role::A)?.shape[1], group.place(Role::B)?.shape[0]]);
    let fits = |name: &String| {
        let Some((_, [_, p, q])) = stacks.iter().find(|(other, _)| other == name) else { return true };
        sides(group).is_some_and(|[inputs, outputs]| (inputs, outputs) == (*p, *q) || (inputs, outputs) == (*q, *p))
    };
    let possible: Vec<&String> = candidates.iter().filter(|name| fits(name)).collect();
    if let [only] = possible.as_slice() {
        return Some((*only).clone());
    }
    // transformers registers gate_up_proj before down_proj.
    let mut ordered: Vec<&String> = candidates.iter().collect();
    let rank =
        |name: &str| ["gate_up_proj", "gate_proj", "up_proj", "down_proj"].iter().position(|known| *known == name);
    if nested.len() != candidates.len() || ordered.iter().any(|name| rank(name).is_none()) {
        return None;
    }
    ordered.sort_by_key(|name| rank(name));
    ordered.get(place).map(|name| (*name).clone())
}
