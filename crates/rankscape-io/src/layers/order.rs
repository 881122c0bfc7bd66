//! The order of layers, from input to output, by the numbers in their names and by their shapes.

use super::modules::Layer;
use super::names::{half, numbers, pattern};
use super::orientation::chains;
use rankscape::error::{InputError, Result};

/// Most groups of names whose orders are all tried.
const GROUPS_LIMIT: usize = 7;

/// Brings layers into order: by number within one pattern of names, an encoder before its decoder, else in the one order in
/// which they chain. Says what it decided.
pub(super) fn order(layers: Vec<Layer>) -> Result<(Vec<Layer>, Vec<String>)> {
    let mut groups: Vec<(String, Vec<Layer>)> = Vec::new();
    for layer in layers {
        // Small and large letters are one.
        let pattern = pattern(&layer.name).to_lowercase();
        match groups.iter_mut().find(|(known, _)| *known == pattern) {
            Some((_, group)) => group.push(layer),
            None => groups.push((pattern, vec![layer])),
        }
    }
    for (_, group) in &mut groups {
        group.sort_by_key(|layer| numbers(&layer.name));
        check_numbers(group)?;
    }
    let mut notes: Vec<String> = groups.iter().filter_map(|(_, group)| gaps(group)).collect();
    let groups: Vec<Vec<Layer>> = groups.into_iter().map(|(_, group)| group).collect();
    notes.extend(half_alone(&groups));
    if groups.len() <= 1 {
        return Ok((groups.concat(), notes));
    }
    let (ordered, why) = match halves(&groups).filter(|halves| chains(halves)) {
        Some(ordered) => (ordered, "the encoder comes before the decoder"),
        None => (only_chain(&groups)?, "this is the only order in which they chain"),
    };
    let names: Vec<&str> = ordered.iter().map(|layer| layer.name.as_str()).collect();
    notes.insert(0, format!("the layers from input to output are {}: {why}", names.join(", ")));
    Ok((ordered, notes))
}

/// No number twice; `W1, W2, ...` without a gap.
fn check_numbers(group: &[Layer]) -> Result<()> {
    if let Some(pair) = group.windows(2).find(|pair| numbers(&pair[0].name) == numbers(&pair[1].name)) {
        return Err(InputError::new("two layers have the same number")
            .value(format!("{} and {}", pair[0].name, pair[1].name))
            .hint("say which are the layers, from input to output, with --layers NAME,NAME,..."));
    }
    let first = |layer: &Layer| numbers(&layer.name).first().copied().unwrap_or(0);
    if pattern(&group[0].name).to_lowercase() != "w#" {
        return Ok(());
    }
    let start = first(&group[0]).min(1);
    let missing = (start..).zip(group).find(|(number, layer)| first(layer) != *number);
    missing.map_or(Ok(()), |(number, layer)| {
        let letter = &layer.name[..1];
        let names: Vec<&str> = group.iter().map(|layer| layer.name.as_str()).collect();
        Err(InputError::new(format!("the layer {letter}{number} is missing"))
            .value(format!("{} in its place", layer.name))
            .hint(format!("if there is none of this number, say so: --layers {}", names.join(","))))
    })
}

/// Numbers that are left out among the layers: modules without parameters have them.
fn gaps(group: &[Layer]) -> Option<String> {
    let all: Vec<Vec<u64>> = group.iter().map(|layer| numbers(&layer.name)).collect();
    // The place in which the numbers differ.
    let place = (0..all[0].len()).find(|&at| all.iter().any(|one| one[at] != all[0][at]))?;
    let listed: Vec<u64> = all.iter().map(|one| one[place]).collect();
    let gap = listed.windows(2).any(|pair| pair[1] > pair[0].saturating_add(1));
    let text = listed.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    gap.then(|| {
        format!(
            "the layers have the numbers {text}: modules without parameters have those between, such as activations, and \
             with activations this is not the network that is analysed: here every layer is linear"
        )
    })
}

/// An encoder without a decoder, or the other way round.
fn half_alone(groups: &[Vec<Layer>]) -> Option<String> {
    let first = |letter: char| groups.iter().flatten().find(|layer| half(&layer.name) == Some(letter));
    let (alone, other) = match (first('e'), first('d')) {
        (Some(layer), None) => (layer, "decoder"),
        (None, Some(layer)) => (layer, "encoder"),
        _ => return None,
    };
    Some(format!(
        "the file holds {} and no {other}: if the {other} is the transpose of what is there (tied weights), it is not analysed",
        alone.name
    ))
}

/// All encoder layers, then all decoder layers, if each layer belongs to one of the two groups.
fn halves(groups: &[Vec<Layer>]) -> Option<Vec<Layer>> {
    let [first, second] = groups else { return None };
    match (half(&first[0].name)?, half(&second[0].name)?) {
        ('e', 'd') => Some([first.as_slice(), second].concat()),
        ('d', 'e') => Some([second.as_slice(), first].concat()),
        _ => None,
    }
}

/// The order of the groups in which all layers chain, if there is exactly one.
fn only_chain(groups: &[Vec<Layer>]) -> Result<Vec<Layer>> {
    let mut found = Vec::new();
    if groups.len() <= GROUPS_LIMIT && groups.iter().all(|group| chains(group)) {
        extend(groups, &mut Vec::new(), &mut found);
    }
    if let [only] = found.as_slice() {
        return Ok(only.iter().flat_map(|&at| groups[at].clone()).collect());
    }
    let names: Vec<&str> = groups.iter().map(|group| group[0].name.as_str()).collect();
    let why = if found.is_empty() { "they chain in none that their names allow" } else { "they chain in several" };
    Err(InputError::new(format!("the order of the layers is not clear from their names, and {why}"))
        .value(names.join(" and "))
        .hint("say the order, from input to output, with --layers NAME,NAME,..."))
}

/// Orders that begin with `taken` and chain; two are enough to know that it is not one.
fn extend(groups: &[Vec<Layer>], taken: &mut Vec<usize>, found: &mut Vec<Vec<usize>>) {
    if taken.len() == groups.len() {
        found.push(taken.clone());
        return;
    }
    let given = taken.last().and_then(|&at| groups[at].last()).map(|layer| layer.ends().1);
    for (at, group) in groups.iter().enumerate() {
        let fits = given.is_none_or(|given| group[0].ends().0 == given);
        if !taken.contains(&at) && fits && found.len() < 2 {
            taken.push(at);
            extend(groups, taken, found);
            taken.pop();
        }
    }
}
