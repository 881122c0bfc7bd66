//! Which arrays of a file are X and Y, and what else it holds.

use super::array::shape_text;
use super::container::{Entry, list};
use super::sample_options::SampleOptions;
use rankscape::error::{InputError, Result};

/// Names of inputs and outputs in use, the first that are there are taken; capital letters do not matter.
const PAIRS: [(&str, &str); 14] = [
    ("x", "y"),
    ("x_train", "y_train"),
    ("xtrain", "ytrain"),
    ("train_x", "train_y"),
    ("inputs", "targets"),
    ("inputs", "outputs"),
    ("inputs", "labels"),
    ("input", "target"),
    ("input", "output"),
    ("data", "target"),
    ("data", "targets"),
    ("data", "labels"),
    ("features", "targets"),
    ("images", "labels"),
];

/// The name is that of outputs.
pub(super) fn is_output(name: &str, options: &SampleOptions) -> bool {
    match &options.y {
        Some(y) => name == y,
        None => PAIRS.iter().any(|(_, outputs)| name.eq_ignore_ascii_case(outputs)),
    }
}

/// The array whose name is that of sample weights.
pub(super) fn sample_weights(entries: &[Entry]) -> Option<&Entry> {
    WEIGHTS.iter().find_map(|name| entries.iter().find(|entry| entry.name == *name))
}

/// Names of sample weights in use.
const WEIGHTS: [&str; 5] = ["weights", "sample_weight", "sample_weights", "weight", "w"];

/// The arrays that are X and Y.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) x: String,
    /// None for an autoencoder.
    pub(super) y: Option<String>,
    pub(super) notes: Vec<String>,
}

/// The arrays that the options name, or those whose names say it.
pub(super) fn choose(entries: &[Entry], options: &SampleOptions, weights_here: bool) -> Result<Chosen> {
    let known: Vec<String> = entries.iter().map(|entry| entry.name.clone()).collect();
    let (x, y) = match (&options.x, &options.y, options.autoencoder) {
        (Some(x), y, true) => (x.clone(), y.clone()),
        (Some(x), Some(y), false) => (x.clone(), Some(y.clone())),
        (x, y, _) => by_name(&known, x.as_ref(), y.as_ref(), options.autoencoder)?,
    };
    let y = y.filter(|_| !options.autoencoder);
    for name in [Some(&x), y.as_ref()].into_iter().flatten() {
        if !known.contains(name) {
            return Err(missing(name, &known));
        }
    }
    if y.as_ref() == Some(&x) {
        return Err(InputError::new("X and Y are the same array").array(&x).hint("for Y = X say --task autoencoder"));
    }
    let mut notes = Vec::new();
    if (x.as_str(), y.as_deref().unwrap_or("Y")) != ("X", "Y") {
        let outputs = y.as_ref().map_or_else(String::new, |y| format!(" and {y} as Y"));
        notes.push(format!("{x} is taken as X{outputs}"));
    }
    notes.extend(others(entries, (&x, y.as_ref()), options, weights_here));
    Ok(Chosen { x, y, notes })
}

fn by_name(
    known: &[String],
    x: Option<&String>,
    y: Option<&String>,
    autoencoder: bool,
) -> Result<(String, Option<String>)> {
    let mut wanted = ("X", "Y");
    for (inputs, outputs) in PAIRS {
        let x = x.map_or_else(|| called(known, inputs), |x| Ok(Some(x.clone())))?;
        let y = y.map_or_else(|| called(known, outputs), |y| Ok(Some(y.clone())))?;
        match (x, y) {
            (Some(x), y) if autoencoder => return Ok((x, y)),
            (Some(x), Some(y)) => return Ok((x, Some(y))),
            (Some(_), None) => wanted = ("", "Y"),
            _ => {}
        }
    }
    Err(missing(if wanted.0.is_empty() { wanted.1 } else { "X" }, known))
}

/// The array of this name; the one in capital letters where there are several.
fn called(known: &[String], name: &str) -> Result<Option<String>> {
    let found: Vec<&String> = known.iter().filter(|other| other.to_lowercase() == name).collect();
    match found.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some((*only).clone())),
        several => match several.iter().find(|other| ***other == name.to_uppercase()) {
            Some(one) => Ok(Some((*one).clone())),
            None => Err(InputError::new("two arrays have names that differ in capital letters only")
                .value(format!("{} and {}", several[0], several[1]))
                .hint("say which: --x NAME --y NAME")),
        },
    }
}

/// The arrays that are not used, and how sample weights among them would be.
fn others(
    entries: &[Entry],
    (x, y): (&str, Option<&String>),
    options: &SampleOptions,
    weights_here: bool,
) -> Option<String> {
    let used = |entry: &Entry| entry.name == x || Some(&entry.name) == y;
    // For an autoencoder Y is known to be ignored.
    let ignored = |entry: &Entry| options.autoencoder && entry.name.eq_ignore_ascii_case("y");
    let weights = sample_weights(entries);
    let taken = |entry: &Entry| weights_here && weights == Some(entry);
    let rest: Vec<&Entry> = entries.iter().filter(|entry| !used(entry) && !ignored(entry) && !taken(entry)).collect();
    if rest.is_empty() {
        return None;
    }
    let told: Vec<String> =
        rest.iter().map(|entry| format!("{} of shape {}", entry.name, shape_text(&entry.shape))).collect();
    let weights = weights.filter(|_| options.sample_weights.is_none());
    let hint = weights.map_or_else(String::new, |entry| {
        format!("; --sample-weights with the name of this file takes {}", entry.name)
    });
    Some(format!("the file of the data also holds {}: not used{hint}", list(&told)))
}

fn missing(name: &str, known: &[String]) -> InputError {
    InputError::new(format!("the file has no array {name}")).array(name).hint(format!(
        "the file holds {}; samples are arrays X and Y with a sample a row, or say --x NAME --y NAME \
         (--task autoencoder needs X only)",
        list(known)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(names: &[&str], options: &SampleOptions) -> Result<(String, Option<String>, usize)> {
        let entries: Vec<Entry> = names.iter().map(|name| Entry::new(name, &[3, 1])).collect();
        choose(&entries, options, false).map(|chosen| (chosen.x, chosen.y, chosen.notes.len()))
    }

    #[test]
    fn usual_names_are_known_and_everything_else_is_told() {
        let plain = SampleOptions::default();
        let some = |name: &str| Some(name.to_owned());
        assert_eq!(chosen(&["X", "Y"], &plain).unwrap(), ("X".to_owned(), some("Y"), 0));
        assert_eq!(chosen(&["X", "y"], &plain).unwrap(), ("X".to_owned(), some("y"), 1));
        assert_eq!(chosen(&["x", "X", "Y"], &plain).unwrap(), ("X".to_owned(), some("Y"), 1));
        assert_eq!(
            chosen(&["x_train", "y_train", "x_test", "y_test"], &plain).unwrap(),
            ("x_train".to_owned(), some("y_train"), 2)
        );
        let named = SampleOptions { x: some("b"), y: some("a"), ..SampleOptions::default() };
        assert_eq!(chosen(&["a", "b"], &named).unwrap(), ("b".to_owned(), some("a"), 1));
        let alone = SampleOptions { autoencoder: true, ..SampleOptions::default() };
        assert_eq!(chosen(&["data", "labels"], &alone).unwrap(), ("data".to_owned(), None, 2));
        for (names, part) in [
            (&["X"][..], "no array Y"),
            (&["A", "B"], "no array X"),
            (&["x_Train", "x_traiN", "y_train"], "capital letters"),
        ] {
            let message = chosen(names, &plain).unwrap_err().to_string();
            assert!(message.contains(part) && message.contains("--x NAME"), "{message}");
        }
    }
}
