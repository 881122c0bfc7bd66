//! Which arrays of a file are the layers, in which order, and which are their biases.

use super::array::shape_text;
use super::container::{Entry, list};
use crate::error::{InputError, Result};

/// A layer: its matrix and its bias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layer {
    pub(super) matrix: String,
    pub(super) bias: Option<String>,
}

/// Picks the layers that the caller names.
pub(super) fn named_layers(entries: &[Entry], names: &[String]) -> Result<Vec<Layer>> {
    if let Some(name) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
        return Err(InputError::new("the layer is listed twice").array(name.1));
    }
    names
        .iter()
        .map(|name| {
            let entry = find(entries, name).ok_or_else(|| {
                let known: Vec<String> = entries.iter().map(|entry| entry.name.clone()).collect();
                InputError::new("there is no array of this name")
                    .array(name)
                    .hint(format!("the file holds {}", list(&known)))
            })?;
            if entry.shape.len() != 2 {
                return Err(InputError::new("a layer is a matrix, with two dimensions")
                    .array(name)
                    .value(format!("shape {}", shape_text(&entry.shape))));
            }
            Ok(Layer { matrix: name.clone(), bias: bias_of(entries, name).map(|entry| entry.name.clone()) })
        })
        .collect()
}

/// Finds all layers of a file: its matrices in the order of the number in their names.
pub(super) fn all_layers(entries: &[Entry]) -> Result<Vec<Layer>> {
    let mut matrices: Vec<&Entry> = entries.iter().filter(|entry| entry.shape.len() == 2).collect();
    if matrices.is_empty() {
        let known: Vec<String> = entries.iter().map(|entry| entry.name.clone()).collect();
        return Err(InputError::new("the file holds no matrix, so no layer")
            .value(list(&known))
            .hint("expected are arrays W1, ..., Wh, each of shape (out, in)"));
    }
    matrices.sort_by_key(|entry| numbers(&entry.name));
    check_order(&matrices)?;
    let layers: Vec<Layer> = matrices
        .iter()
        .map(|entry| Layer {
            matrix: entry.name.clone(),
            bias: bias_of(entries, &entry.name).map(|bias| bias.name.clone()),
        })
        .collect();
    let used = |name: &String| layers.iter().any(|layer| &layer.matrix == name || layer.bias.as_ref() == Some(name));
    if let Some(entry) = entries.iter().find(|entry| !used(&entry.name)) {
        let names: Vec<&str> = layers.iter().map(|layer| layer.matrix.as_str()).collect();
        return Err(InputError::new("the array is neither a layer nor the bias of one")
            .array(&entry.name)
            .value(format!("shape {}", shape_text(&entry.shape)))
            .hint(format!("say which arrays are the layers: --layers {}", names.join(","))));
    }
    Ok(layers)
}

fn check_order(matrices: &[&Entry]) -> Result<()> {
    let pattern = pattern(&matrices[0].name);
    let names: Vec<&str> = matrices.iter().map(|entry| entry.name.as_str()).collect();
    let say = |order: &[&str]| format!("say the order, from input to output: --layers {}", order.join(","));
    if let Some(other) = matrices.iter().find(|entry| self::pattern(&entry.name) != pattern) {
        return Err(InputError::new("the order of the layers is not clear from their names")
            .value(format!("{} and {}", names[0], other.name))
            .hint(say(&names)));
    }
    if let Some(pair) = matrices.windows(2).find(|pair| numbers(&pair[0].name) == numbers(&pair[1].name)) {
        return Err(InputError::new("two layers have the same number")
            .value(format!("{} and {}", pair[0].name, pair[1].name))
            .hint(say(&names)));
    }
    if pattern == "W#" {
        let missing = (1_u64..).zip(matrices).find(|(number, entry)| numbers(&entry.name) != [*number]);
        if let Some((number, entry)) = missing {
            return Err(InputError::new(format!("the layer W{number} is missing"))
                .value(format!("{} in its place", entry.name))
                .hint(say(&names)));
        }
    }
    Ok(())
}

fn find<'a>(entries: &'a [Entry], name: &str) -> Option<&'a Entry> {
    entries.iter().find(|entry| entry.name == name)
}

/// The vector that belongs to a matrix by its name: `b3` to `W3`, `net.0.bias` to `net.0.weight` or `net.0.kernel`.
fn bias_of<'a>(entries: &'a [Entry], matrix: &str) -> Option<&'a Entry> {
    let name = if let Some(stem) = matrix.strip_suffix("weight").or_else(|| matrix.strip_suffix("kernel")) {
        format!("{stem}bias")
    } else {
        let number = matrix.strip_prefix('W').filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()))?;
        format!("b{number}")
    };
    find(entries, &name).filter(|entry| entry.shape.len() == 1)
}

/// The name with every number replaced by `#`.
fn pattern(name: &str) -> String {
    let mut pattern = String::new();
    for letter in name.chars() {
        if !letter.is_ascii_digit() {
            pattern.push(letter);
        } else if !pattern.ends_with('#') {
            pattern.push('#');
        }
    }
    pattern
}

/// The numbers in a name, from left to right.
pub(super) fn numbers(name: &str) -> Vec<u64> {
    name.split(|letter: char| !letter.is_ascii_digit())
        .filter(|digits| !digits.is_empty())
        .map(|digits| digits.parse().unwrap_or(u64::MAX))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(names: &[(&str, usize)]) -> Vec<Entry> {
        names.iter().map(|(name, dimensions)| Entry::new(name, &vec![2; *dimensions])).collect()
    }

    fn order(names: &[(&str, usize)]) -> Vec<String> {
        all_layers(&entries(names)).unwrap().into_iter().map(|layer| layer.matrix).collect()
    }

    #[test]
    fn layers_are_ordered_by_number_and_not_by_letter() {
        let names: Vec<String> = (1..=11).rev().map(|k| format!("W{k}")).collect();
        let listed: Vec<(&str, usize)> = names.iter().map(|name| (name.as_str(), 2)).collect();
        assert_eq!(order(&listed)[1..3], ["W2", "W3"]);
        assert_eq!(
            order(&[("net.10.weight", 2), ("net.2.weight", 2), ("net.2.bias", 1)]),
            ["net.2.weight", "net.10.weight"]
        );
        assert_eq!(order(&[("readout", 2)]), ["readout"]);
    }

    #[test]
    fn biases_are_found_beside_their_matrices() {
        let found = all_layers(&entries(&[("W1", 2), ("b1", 1), ("W2", 2)])).unwrap();
        assert_eq!(found[0].bias.as_deref(), Some("b1"));
        assert_eq!(found[1].bias, None);
        let found = all_layers(&entries(&[("Dense_0/kernel", 2), ("Dense_0/bias", 1)])).unwrap();
        assert_eq!(found[0].bias.as_deref(), Some("Dense_0/bias"));
    }

    #[test]
    fn unclear_names_are_refused() {
        for (names, part) in [
            (vec![("encoder.0.weight", 2), ("decoder.0.weight", 2)], "order of the layers is not clear"),
            (vec![("W1", 2), ("W01", 2)], "same number"),
            (vec![("W1", 2), ("W3", 2)], "layer W2 is missing"),
            (vec![("W1", 2), ("steps", 0)], "neither a layer nor the bias"),
            (vec![("W1", 2), ("c1", 1)], "neither a layer nor the bias"),
            (vec![("b1", 1)], "holds no matrix"),
        ] {
            let message = all_layers(&entries(&names)).unwrap_err().to_string();
            assert!(message.contains(part), "{names:?}: {message}");
        }
    }
}
