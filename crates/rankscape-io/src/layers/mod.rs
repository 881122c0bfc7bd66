//! Which arrays of a file are the layers, in which order and orientation, and which are their biases.
//!
//! Every array is a layer, part of one, or named: an error without `--layers`, a note with it. None is left out in silence.

mod modules;
mod names;
mod order;
mod orientation;
mod refusal;

pub(super) use modules::{Layer, Source};
pub(super) use names::{numbers, pattern};

use super::array::shape_text;
use super::container::{Entry, list};
use super::weight_options::{Convention, WeightOptions};
use modules::{Bias, Contents, Rest, contents};
use names::{NONE, Role, parse};
use rankscape::error::{InputError, Result};

/// The layers of a file, and what the reader decided.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) layers: Vec<Layer>,
    pub(super) notes: Vec<String>,
}

/// Finds the layers: those that the caller names, or all, from input to output.
pub(super) fn find(entries: &[Entry], options: &WeightOptions) -> Result<Found> {
    let (mut found, listed) = found(entries, options)?;
    let said = orientation::orient(&mut found.layers, options.convention, listed)?;
    Ok(found.described(said))
}

/// Finds matrices that need not fit together, stored as the caller says or as their names say.
pub(super) fn find_blocks(entries: &[Entry], options: &WeightOptions) -> Result<Found> {
    let (mut found, _) = found(entries, options)?;
    orientation::orient_blocks(&mut found.layers, options.convention);
    Ok(found.described(Vec::new()))
}

impl Found {
    /// Also says how the layers are stored and how they come about.
    fn described(mut self, orientation: Vec<String>) -> Self {
        self.notes.extend(orientation);
        self.notes.extend(self.layers.iter().filter_map(composition));
        self
    }
}

/// The layers in order, and whether they are arrays without names.
fn found(entries: &[Entry], options: &WeightOptions) -> Result<(Found, bool)> {
    let biases: Vec<&String> = options.biases.iter().flatten().filter(|name| *name != NONE).collect();
    let unclaimed: Vec<Entry> = entries.iter().filter(|entry| !biases.contains(&&entry.name)).cloned().collect();
    let contents = contents(&unclaimed);
    let listed = contents.listed;
    let (mut layers, mut notes) = match &options.layers {
        Some(names) if !names.is_empty() => named(entries, contents, names)?,
        _ => all(entries, contents, options)?,
    };
    if let Some(names) = &options.biases {
        notes.extend(set_biases(&mut layers, entries, names)?);
    }
    Ok((Found { layers, notes }, listed))
}

/// All layers of a file; nothing else may be there.
fn all(entries: &[Entry], mut contents: Contents, options: &WeightOptions) -> Result<(Vec<Layer>, Vec<String>)> {
    if contents.layers.is_empty() {
        if let Some(rest) = contents.rest.iter().find(|rest| rest.kind.is_telling()) {
            return Err(refusal::refusal(rest, &contents));
        }
        let known: Vec<String> = entries.iter().map(|entry| entry.name.clone()).collect();
        return Err(InputError::new("the file holds no matrix, so no layer")
            .value(list(&known))
            .hint("expected are arrays W1, ..., Wh, each of shape (out, in)"));
    }
    // The gravest first: what changes the network before what is merely unknown.
    contents.rest.sort_by_key(|rest| !rest.kind.is_telling());
    if let Some(rest) = contents.rest.first() {
        return Err(refusal::refusal(rest, &contents));
    }
    let mut layers = contents.layers;
    if let Some(convention) = options.convention {
        layers.iter_mut().for_each(|layer| layer.in_first = convention == Convention::Flax);
    }
    if contents.listed { Ok((layers, Vec::new())) } else { order::order(layers) }
}

/// The layers that the caller names, and a note on everything else.
fn named(entries: &[Entry], contents: Contents, names: &[String]) -> Result<(Vec<Layer>, Vec<String>)> {
    if let Some(name) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
        return Err(InputError::new("the layer is listed twice").array(name.1));
    }
    let mut layers: Vec<Layer> =
        names.iter().map(|name| layer_named(entries, &contents, name)).collect::<Result<_>>()?;
    for layer in &mut layers {
        // What is named a layer is no bias.
        layer.bias.take_if(|bias| names.contains(&bias.name));
    }
    let others: Vec<&Layer> = contents.layers.iter().filter(|layer| !names.contains(&layer.name)).collect();
    let mut left: Vec<String> = others.iter().map(|layer| format!("{} (a matrix)", layer.name)).collect();
    left.extend(others.iter().filter_map(|layer| layer.bias.as_ref()).map(|bias| format!("{} (its bias)", bias.name)));
    left.extend(contents.rest.iter().map(Rest::told));
    let note = (!left.is_empty())
        .then(|| format!("the file also holds {}: not used, so the answer is for the named layers alone", list(&left)));
    Ok((layers, note.into_iter().collect()))
}

fn layer_named(entries: &[Entry], contents: &Contents, name: &String) -> Result<Layer> {
    if let Some(layer) = contents.layers.iter().find(|layer| layer.name == *name) {
        return Ok(layer.clone());
    }
    let entry = find_entry(entries, name)?;
    if let Role::Raw(_) = parse(name).role {
        let whole = contents.layers.iter().find(|layer| layer.name == parse(name).weight);
        let error = InputError::new("the array is only a part of what its layer multiplies by").array(name);
        return Err(match whole {
            Some(layer) => error.hint(format!("name the whole: {}", layer.name)),
            None => error.hint(refusal::EFFECTIVE),
        });
    }
    if entry.shape.len() != 2 {
        return Err(InputError::new("a layer is a matrix, with two dimensions")
            .array(name)
            .value(format!("shape {}", shape_text(&entry.shape))));
    }
    Ok(Layer::plain(entry, false))
}

fn find_entry<'a>(entries: &'a [Entry], name: &str) -> Result<&'a Entry> {
    entries.iter().find(|entry| entry.name == name).ok_or_else(|| {
        let known: Vec<String> = entries.iter().map(|entry| entry.name.clone()).collect();
        InputError::new("there is no array of this name").array(name).hint(format!("the file holds {}", list(&known)))
    })
}

/// Gives each layer the bias that the caller names; says which of the file's own are left out.
fn set_biases(layers: &mut [Layer], entries: &[Entry], names: &[String]) -> Result<Option<String>> {
    let none = names.len() == 1 && names[0] == NONE;
    if !none && names.len() != layers.len() {
        let listed: Vec<&str> = layers.iter().map(|layer| layer.name.as_str()).collect();
        return Err(InputError::new("there must be one bias for each layer, or none")
            .array("--biases")
            .value(format!("{} for the layers {}", names.join(","), listed.join(", ")))
            .hint("write none for a layer without a bias"));
    }
    let mut left = Vec::new();
    for (at, layer) in layers.iter_mut().enumerate() {
        let chosen = if none { NONE } else { names[at].as_str() };
        left.extend(layer.bias.take().map(|bias| bias.name).filter(|name| name != chosen));
        if chosen != NONE {
            let entry = find_entry(entries, chosen)?;
            if entry.shape.iter().filter(|&&size| size != 1).count() > 1 {
                return Err(InputError::new("a bias is a vector")
                    .array(chosen)
                    .value(format!("shape {}", shape_text(&entry.shape))));
            }
            layer.bias = Some(Bias::of(entry));
        }
    }
    Ok((!left.is_empty()).then(|| format!("{} left out, as --biases says", list(&left))))
}

/// How a weight that is no array of the file comes about.
fn composition(layer: &Layer) -> Option<String> {
    let what = match &layer.source {
        Source::Plain(_) => return None,
        Source::Spectral { original, u, v } => {
            format!(
                "{original} divided by its spectral norm u' W v, with {u} and {v} as they are stored (evaluation mode)"
            )
        }
        Source::WeightNorm { gain, direction } => format!("{direction} with its rows scaled to the lengths {gain}"),
    };
    let name = &layer.name;
    Some(format!(
        "{name} is {what}; gradient and curvature are those in {name} itself, and files written from it hold {name}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(arrays: &[(&str, &[usize])]) -> Vec<Entry> {
        arrays.iter().map(|(name, shape)| Entry::new(name, shape)).collect()
    }

    fn found(arrays: &[(&str, &[usize])]) -> Found {
        find(&entries(arrays), &WeightOptions::default()).unwrap()
    }

    fn order_of(arrays: &[(&str, &[usize])]) -> Vec<String> {
        found(arrays).layers.into_iter().map(|layer| layer.name).collect()
    }

    const SQUARE: &[usize] = &[2, 2];

    #[test]
    fn layers_are_ordered_by_number_and_not_by_letter() {
        let names: Vec<String> = (1..=11).rev().map(|k| format!("W{k}")).collect();
        let listed: Vec<(&str, &[usize])> = names.iter().map(|name| (name.as_str(), SQUARE)).collect();
        assert_eq!(order_of(&listed)[1..3], ["W2", "W3"]);
        assert_eq!(
            order_of(&[("net.10.weight", SQUARE), ("net.2.weight", SQUARE), ("net.2.bias", &[2])]),
            ["net.2.weight", "net.10.weight"]
        );
        assert_eq!(order_of(&[("readout", SQUARE)]), ["readout"]);
        assert_eq!(order_of(&[("linear_1/w", SQUARE), ("linear/w", SQUARE)]), ["linear/w", "linear_1/w"]);
        assert_eq!(order_of(&[("W1", SQUARE), ("W0", SQUARE)]), ["W0", "W1"]);
    }

    #[test]
    fn biases_are_found_beside_their_matrices() {
        let biases = |arrays: &[(&str, &[usize])]| -> Vec<Option<String>> {
            found(arrays).layers.into_iter().map(|layer| layer.bias.map(|bias| bias.name)).collect()
        };
        let some = |name: &str| Some(name.to_owned());
        assert_eq!(biases(&[("W1", SQUARE), ("b1", &[2]), ("W2", SQUARE)]), [some("b1"), None]);
        assert_eq!(biases(&[("Dense_0/kernel", &[3, 2]), ("Dense_0/bias", &[2])]), [some("Dense_0/bias")]);
        assert_eq!(biases(&[("w1", &[3, 2]), ("b1", &[1, 3])]), [some("b1")]);
        assert_eq!(biases(&[("arr_0", &[3, 2]), ("arr_1", &[2])]), [some("arr_1")]);
        assert_eq!(biases(&[("arr_0", &[3, 2]), ("arr_1", &[3, 1])]), [some("arr_1")]);
    }

    #[test]
    fn lists_are_read_in_the_one_way_in_which_they_fit() {
        let in_first = |arrays: &[(&str, &[usize])]| {
            let found = found(arrays);
            (found.layers[0].in_first, !found.notes.is_empty())
        };
        assert_eq!(in_first(&[("arr_0", &[3, 2]), ("arr_1", &[2]), ("arr_2", &[2, 1]), ("arr_3", &[1])]), (true, true));
        assert_eq!(
            in_first(&[("arr_0", &[2, 3]), ("arr_1", &[2]), ("arr_2", &[1, 2]), ("arr_3", &[1])]),
            (false, false)
        );
        assert_eq!(in_first(&[("arr_0", SQUARE), ("arr_1", SQUARE)]), (false, true));
        let both = find(&entries(&[("arr_0", SQUARE), ("arr_1", &[2])]), &WeightOptions::default());
        assert!(both.unwrap_err().to_string().contains("--convention flax"));
    }

    #[test]
    fn kernels_are_inputs_first_and_an_encoder_comes_first() {
        let square = found(&[("Dense_0/kernel", SQUARE), ("Dense_1/kernel", SQUARE)]);
        assert!(square.layers.iter().all(|layer| layer.in_first) && square.notes.len() == 1);
        assert_eq!(
            order_of(&[("decoder.0.weight", SQUARE), ("encoder.1.weight", SQUARE), ("encoder.0.weight", SQUARE)]),
            ["encoder.0.weight", "encoder.1.weight", "decoder.0.weight"]
        );
        assert_eq!(order_of(&[("out", &[1, 5]), ("in", &[5, 3])]), ["in", "out"]);
        assert_eq!(order_of(&[("w3", SQUARE), ("W2", SQUARE), ("w1", SQUARE)]), ["w1", "W2", "w3"]);
    }

    #[test]
    fn unclear_files_are_refused() {
        for (arrays, part) in [
            (vec![("a", SQUARE), ("c", SQUARE)], "chain in several"),
            (vec![("W1", SQUARE), ("W01", SQUARE)], "same number"),
            (vec![("W1", SQUARE), ("W3", SQUARE)], "layer W2 is missing"),
            (vec![("W1", SQUARE), ("steps", &[])], "neither a layer nor the bias"),
            (vec![("W1", SQUARE), ("c1", &[2])], "--biases c1"),
            (vec![("b1", &[2])], "b1"),
            (vec![("0.weight", SQUARE), ("1.weight", &[2]), ("1.bias", &[2]), ("2.weight", SQUARE)], "normalization"),
            (vec![("0.weight", SQUARE), ("1.running_mean", &[2]), ("2.weight", SQUARE)], "fuse_linear_bn_eval"),
            (vec![("0.weight", &[2, 2, 3, 3]), ("1.weight", SQUARE)], "4 dimensions"),
            (vec![("0.parametrizations.weight.original", SQUARE)], "remove_parametrizations"),
            (vec![("encoder.weight", SQUARE), ("decoder.bias", &[2])], "tied"),
        ] {
            let message = find(&entries(&arrays), &WeightOptions::default()).unwrap_err().to_string();
            assert!(message.contains(part), "{arrays:?}: {message}");
        }
    }
}
