//! Stacks of experts that share one pair of tensors.
//!
//! PEFT (`target_parameters`) adapts a parameter `(E, ., .)` by one pair: `A` has `E r` rows and `B` `E r` columns. Only the
//! configuration or the base tells this from a plain pair. Wrappers of several parameters of a module are nested in `base_layer`; the
//! innermost is that of the parameter that the module registered first. MLX stores stacks with three dimensions.

use super::assemble::base_layer_free;
use super::base::BaseFile;
use super::draft::{Expert, Owner};
use super::group::Group;
use super::names::{Layout, Role, module_in_model};
use super::part::Part;
use rankscape::error::{InputError, Result};

/// Parameters of one module; more are not given to pairs, as the ways to do so are tried one after the other.
const PARAMETERS_LIMIT: usize = 6;

/// In this order the models of transformers register theirs.
const REGISTERED: [&str; 4] = ["gate_up_proj", "gate_proj", "up_proj", "down_proj"];

/// The experts of a group; one `None` for a group of its own.
pub(super) fn of(part: &Part, at: usize, base: Option<&BaseFile>) -> Result<Vec<Option<Expert>>> {
    let group = &part.sorted.groups[at];
    let plain = Ok(vec![None]);
    let Some((a, b)) = group.place(Role::A).zip(group.place(Role::B)) else { return plain };
    // An empty tensor is refused where it is read; its other sizes may be any.
    if [a, b].iter().any(|place| place.shape.contains(&0)) {
        return plain;
    }
    if group.layout == Layout::Mlx {
        return if a.shape.len() == 3 { Ok(stack(&[], a.shape[0])) } else { plain };
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
    let parameter = |name: String| Parameter {
        rank: config.as_ref().and_then(|(config, module)| config.stated_rank(&format!("{module}.{name}"))),
        shape: stacks.iter().find(|(other, _)| *other == name).map(|(_, shape)| *shape),
        name,
    };
    let pairs = nested(part, group);
    let mut parameters: Vec<Parameter> = candidates.into_iter().map(parameter).collect();
    // One that this module does not have may be that of another module.
    if parameters.iter().filter(|parameter| parameter.shape.is_some()).count() >= pairs.len() {
        parameters.retain(|parameter| parameter.shape.is_some());
    }
    let stored_only = config.is_some_and(|(config, _)| config.is_before_swapped_experts());
    let module = Stacked { pairs, parameters, stored_only };
    let ways = module.ways(group)?;
    let place = module.pairs.iter().position(|other| other.module == group.module).unwrap_or(0);
    let mut possible: Vec<(usize, usize)> = ways.iter().map(|way| way[place]).collect();
    possible.sort_unstable();
    possible.dedup();
    let (_, count) = possible[0];
    if possible.iter().any(|&(_, other)| other != count) {
        return Err(count_error(group));
    }
    let names: Vec<String> = possible.iter().map(|&(k, _)| module.parameters[k].name.clone()).collect();
    Ok(stack(&names, count))
}

/// A parameter that a pair of a module may be of.
struct Parameter {
    name: String,
    /// What the configuration says of its rank.
    rank: Option<(f64, String)>,
    /// Its shape in the base.
    shape: Option<[usize; 3]>,
}

impl Parameter {
    /// How many experts share a pair with so many rows of `A`, if it is of this parameter.
    fn count(&self, rows: usize) -> Option<usize> {
        let by_base = self.shape.map(|shape| shape[0]);
        match (&self.rank, by_base) {
            (Some((rank, _)), by_base) => {
                let rank = *rank as usize;
                let count = (rank > 0 && rows.is_multiple_of(rank)).then(|| rows / rank)?;
                by_base.is_none_or(|other| other == count).then_some(count)
            }
            (None, Some(count)) => (count > 0 && rows.is_multiple_of(count)).then_some(count),
            (None, None) => None,
        }
    }

    /// `(E, in, out)` as PEFT takes it, or with the last two the other way.
    fn fits(&self, pair: &Group, turned: bool) -> bool {
        let sides = pair.place(Role::A).zip(pair.place(Role::B)).map(|(a, b)| (a.shape[1], b.shape[0]));
        self.shape.is_none_or(|[_, p, q]| sides == Some(if turned { (q, p) } else { (p, q) }))
    }
}

/// The pairs of one module and the parameters that they may be of.
struct Stacked<'a> {
    /// Innermost first.
    pairs: Vec<&'a Group>,
    parameters: Vec<Parameter>,
    /// Written by a PEFT that takes every parameter as `(E, in, out)`.
    stored_only: bool,
}

/// For each pair the number of its parameter and that of the experts.
type Way = Vec<(usize, usize)>;

impl Stacked<'_> {
    /// The ways to give each pair a parameter of its own that ranks, numbers of experts and shapes allow. Where these leave several,
    /// the order in which transformers registers known parameters decides.
    fn ways(&self, group: &Group) -> Result<Vec<Way>> {
        if self.parameters.len() > PARAMETERS_LIMIT {
            return Err(count_error(group).value(format!("{} parameters", self.parameters.len())));
        }
        let mut ways: Vec<Way> = vec![Vec::new()];
        for pair in &self.pairs {
            let rows = rows(pair);
            let longer = |way: &Way| {
                let free = (0..self.parameters.len()).filter(|k| way.iter().all(|(other, _)| other != k));
                let counted = free.filter_map(|k| Some((k, self.parameters[k].count(rows)?)));
                counted.map(|next| [way.as_slice(), &[next]].concat()).collect::<Vec<_>>()
            };
            ways = ways.iter().flat_map(longer).collect();
        }
        let Some(first) = ways.first().cloned() else { return Err(self.no_way(group)) };
        ways.retain(|way| way.iter().all(|(_, count)| *count == way[0].1));
        if ways.is_empty() {
            let told: Vec<String> =
                first.iter().map(|&(k, count)| format!("{count} of {}", self.parameters[k].name)).collect();
            return Err(InputError::new(
                "the parameters of one module (target_parameters) have different numbers of experts",
            )
            .array(a_name(group))
            .value(told.join(", "))
            .hint("rank_pattern or r of the configuration must be those of the adapter"));
        }
        if self.parameters.len() > 1 {
            ways.retain(|way| self.fits(way, false) || (!self.stored_only && self.fits(way, true)));
        }
        if ways.is_empty() {
            return Err(InputError::new(
                "the pairs of the module fit none of its parameters (target_parameters) in the base",
            )
            .array(a_name(group))
            .hint("give the model that the adapter was trained on"));
        }
        if ways.len() > 1 && ways.iter().any(|way| self.is_as_registered(way)) {
            ways.retain(|way| self.is_as_registered(way));
        }
        Ok(ways)
    }

    fn fits(&self, way: &Way, turned: bool) -> bool {
        way.iter().zip(&self.pairs).all(|(&(k, _), pair)| self.parameters[k].fits(pair, turned))
    }

    fn is_as_registered(&self, way: &Way) -> bool {
        let order = |&(k, _): &(usize, usize)| REGISTERED.iter().position(|known| *known == self.parameters[k].name);
        let order: Option<Vec<usize>> = way.iter().map(order).collect();
        self.pairs.len() == self.parameters.len() && order.is_some_and(|order| order.is_sorted())
    }

    /// No parameter has a number of experts that fits.
    fn no_way(&self, group: &Group) -> InputError {
        let error = count_error(group);
        match self.parameters.as_slice() {
            [Parameter { rank: Some((rank, _)), shape, .. }] => {
                let in_base = shape.map_or_else(String::new, |shape| format!(", {} experts in the base", shape[0]));
                error.value(format!("{} rows of A, rank {rank}{in_base}", rows(group)))
            }
            _ => error,
        }
    }
}

/// The pairs of the module of a group, innermost first.
fn nested<'a>(part: &'a Part, group: &Group) -> Vec<&'a Group> {
    let module = |group: &Group| module_in_model(&base_layer_free(&group.module));
    let is_pair = |group: &Group| {
        [Role::A, Role::B].iter().all(|&role| group.place(role).is_some_and(|place| place.shape.len() == 2))
    };
    let own = module(group);
    let of_module = |other: &&Group| other.adapter == group.adapter && is_pair(other) && module(other) == own;
    let mut nested: Vec<&Group> = part.sorted.groups.iter().filter(of_module).collect();
    nested.sort_by_key(|other| std::cmp::Reverse(other.module.len()));
    nested
}

fn rows(group: &Group) -> usize {
    group.place(Role::A).map_or(0, |place| place.shape[0])
}

fn a_name(group: &Group) -> &str {
    group.place(Role::A).map_or(group.module.as_str(), |place| place.name.as_str())
}

fn count_error(group: &Group) -> InputError {
    InputError::new("the number of experts that share the pair (target_parameters) is not determined")
        .array(a_name(group))
        .value(format!("{} rows of A", rows(group)))
        .hint("rank_pattern or r of the configuration must be those of the adapter")
}

/// The experts of the only parameter that is possible, or of one of several.
fn stack(possible: &[String], count: usize) -> Vec<Option<Expert>> {
    let (parameter, possible) = match possible {
        [only] => (Some(only.clone()), Vec::new()),
        several => (None, several.to_vec()),
    };
    let expert = |index| Expert { parameter: parameter.clone(), possible: possible.clone(), index, count };
    (0..count).map(|index| Some(expert(index))).collect()
}

fn last_word(module: &str) -> &str {
    module.rsplit('.').next().unwrap_or(module)
}
