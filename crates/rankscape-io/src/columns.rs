//! Which columns of a table are inputs and which outputs, and in which order.

use std::collections::BTreeMap;

use super::container::list;
use super::layers::{numbers, pattern};
use super::sample_options::{Outputs, SampleOptions};
use rankscape::error::{InputError, Result};

const HINT: &str =
    "name the columns x1, x2, ..., y1, y2, ..., say --inputs N: the first N are inputs, or --x A,B,... --y C,...";

/// Numbers of the columns, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) inputs: Vec<usize>,
    pub(super) outputs: Vec<usize>,
}

impl Columns {
    /// The columns that the options name, the first so many, or those whose names begin with x, and y for outputs, in the
    /// order of the numbers in their names.
    pub(super) fn choose(names: &[String], has_header: bool, options: &SampleOptions) -> Result<Self> {
        let columns = Self::by_options(names, has_header, options)?;
        if columns.inputs.is_empty() {
            return Err(InputError::new("the table has no input columns").hint(HINT));
        }
        if columns.outputs.is_empty() && !options.autoencoder {
            return Err(InputError::new("the table has no output columns")
                .hint("name them y1, y2, ..., or say --inputs N with N less than the number of columns"));
        }
        Ok(columns)
    }

    fn by_options(names: &[String], has_header: bool, options: &SampleOptions) -> Result<Self> {
        let all = 0..names.len();
        if options.x.is_some() || options.y.is_some() {
            let inputs = options.x.as_ref().map(|text| listed(names, text)).transpose()?;
            let outputs = options.y.as_ref().map(|text| listed(names, text)).transpose()?;
            let inputs = inputs.map_or_else(|| starting(names, 'x'), Ok)?;
            let outputs = match outputs {
                None if options.autoencoder => Vec::new(),
                outputs => outputs.map_or_else(|| starting(names, 'y'), Ok)?,
            };
            if let Some(&at) = inputs.iter().find(|at| outputs.contains(at)) {
                return Err(InputError::new("a column is both input and output").array(&names[at]));
            }
            return Ok(Self { inputs, outputs });
        }
        if let Some(inputs) = options.inputs {
            if inputs == 0 || inputs > names.len() {
                return Err(InputError::new("the table does not have so many input columns")
                    .value(format!("--inputs {inputs}, {} columns", names.len())));
            }
            return Ok(Self { inputs: (0..inputs).collect(), outputs: (inputs..all.end).collect() });
        }
        if !has_header && options.autoencoder {
            return Ok(Self { inputs: all.collect(), outputs: Vec::new() });
        }
        if !has_header {
            let problem = "the table has no header, so inputs and outputs cannot be told apart";
            return Err(
                InputError::new(problem).hint("say --inputs N: the first N columns are inputs, or add a header")
            );
        }
        if let Some(at) = all.clone().find(|&at| role(&names[at]).is_none()) {
            return Err(InputError::new("a column is neither input nor output")
                .array(&names[at])
                .value(format!("column {at}, counted from 0"))
                .hint(HINT));
        }
        Ok(Self { inputs: starting(names, 'x')?, outputs: starting(names, 'y')? })
    }

    /// What became what.
    pub(super) fn note(&self, names: &[String], options: &SampleOptions) -> String {
        let of = |columns: &[usize]| list(&columns.iter().map(|&at| names[at].clone()).collect::<Vec<_>>());
        let left: Vec<String> = (0..names.len())
            .filter(|at| !self.inputs.contains(at) && (options.autoencoder || !self.outputs.contains(at)))
            .map(|at| names[at].clone())
            .collect();
        let y = match options.outputs {
            Outputs::Elsewhere => String::new(),
            _ if options.autoencoder => "; Y is X".to_owned(),
            _ => format!("; Y is {}", of(&self.outputs)),
        };
        let left = if left.is_empty() { String::new() } else { format!("; not used: {}", list(&left)) };
        format!("of the table, X is {}{y}{left}", of(&self.inputs))
    }
}

/// `x` or `y`: the letter, alone or before something that is no letter.
fn role(name: &str) -> Option<char> {
    let mut letters = name.chars().flat_map(char::to_lowercase);
    let first = letters.next().filter(|letter| ['x', 'y'].contains(letter))?;
    letters.next().is_none_or(|next| !next.is_alphabetic()).then_some(first)
}

/// Columns of one letter, by the numbers in their names; as in the file where the names are of several patterns.
fn starting(names: &[String], letter: char) -> Result<Vec<usize>> {
    let mut found: Vec<usize> = (0..names.len()).filter(|&at| role(&names[at]) == Some(letter)).collect();
    let lower = |at: usize| names[at].to_lowercase();
    let twice = |a: &String, b: &String| {
        Err(InputError::new("two columns have the same name or number")
            .value(format!("{a} and {b}"))
            .hint("rename one"))
    };
    let mut known = BTreeMap::new();
    for &at in &found {
        if let Some(other) = known.insert(lower(at), at) {
            return twice(&names[other], &names[at]);
        }
    }
    let one_pattern = found.windows(2).all(|pair| pattern(&lower(pair[0])) == pattern(&lower(pair[1])));
    let digits = |at: usize| numbers(&names[at]);
    if !one_pattern {
        check_numbered(names, &found)?;
        return Ok(found);
    }
    if found.len() < 2 {
        return Ok(found);
    }
    found.sort_by_key(|&at| digits(at));
    if let Some(pair) = found.windows(2).find(|pair| digits(pair[0]) == digits(pair[1])) {
        return twice(&names[pair[0]], &names[pair[1]]);
    }
    check_gaps(names, &found)?;
    Ok(found)
}

/// Of columns called by a letter and numbers, all are called in the same way: else some would have a place by their number and
/// others one by their order.
fn check_numbered(names: &[String], found: &[usize]) -> Result<()> {
    let is_numbered = |name: &str| {
        name.chars().filter(|letter| letter.is_alphabetic()).count() == 1
            && name.chars().any(|letter| letter.is_ascii_digit())
    };
    let Some(&numbered) = found.iter().find(|&&at| is_numbered(&names[at])) else { return Ok(()) };
    let form = |at: usize| pattern(&names[at].to_lowercase());
    let Some(&other) = found.iter().find(|&&at| form(at) != form(numbered)) else { return Ok(()) };
    Err(InputError::new("some columns are numbered and others are not, or in another way")
        .value(format!("{} and {}", names[numbered], names[other]))
        .hint(
            "rename the columns so that their numbers run on, or say which are meant, in order: --x A,B,... --y C,...",
        ))
}

/// Columns numbered by one number have all numbers from 0 or 1 on.
fn check_gaps(names: &[String], found: &[usize]) -> Result<()> {
    let all: Vec<Vec<u64>> = found.iter().map(|&at| numbers(&names[at])).collect();
    let changing: Vec<usize> =
        (0..all[0].len()).filter(|&place| all.iter().any(|one| one[place] != all[0][place])).collect();
    let [place] = changing[..] else { return Ok(()) };
    let start = all[0][place].min(1);
    let gap = (start..).zip(&all).position(|(number, one)| one[place] != number);
    gap.map_or(Ok(()), |at| {
        let missing = start + at as u64;
        Err(InputError::new(format!("the columns have a gap: number {missing} is missing"))
            .value(format!("{} in its place", names[found[at]]))
            .hint("is a column lost? Rename the columns so that their numbers run on, or say --inputs N or --x A,B,... --y C,..."))
    })
}

/// Columns by their names, separated by commas.
fn listed(names: &[String], text: &str) -> Result<Vec<usize>> {
    let mut found: Vec<usize> = Vec::new();
    for name in text.split(',').map(str::trim) {
        let mut places = (0..names.len()).filter(|&at| names[at] == name);
        let Some(at) = places.next() else {
            return Err(InputError::new("the table has no column of this name")
                .array(name)
                .hint(format!("the columns are {}", list(names))));
        };
        if places.next().is_some() || found.contains(&at) {
            return Err(InputError::new("a column of this name occurs twice").array(name));
        }
        found.push(at);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(names: &[&str], options: &SampleOptions) -> Result<(Vec<usize>, Vec<usize>)> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Columns::choose(&names, true, options).map(|columns| (columns.inputs, columns.outputs))
    }

    fn by_name(names: &[&str]) -> Result<(Vec<usize>, Vec<usize>)> {
        choose(names, &SampleOptions::default())
    }

    #[test]
    fn columns_are_ordered_by_number() {
        let names: Vec<String> = [1, 10, 2, 3, 4, 5, 6, 7, 8, 9].iter().map(|k| format!("x{k}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).chain(["y"]).collect();
        assert_eq!(by_name(&names).unwrap(), (vec![0, 2, 3, 4, 5, 6, 7, 8, 9, 1], vec![10]));
        assert_eq!(by_name(&["y_2", "X_1", "y_1", "X_0"]).unwrap(), (vec![3, 1], vec![2, 0]));
        assert_eq!(by_name(&["x[1]", "x[0]", "y"]).unwrap(), (vec![1, 0], vec![2]));
        assert_eq!(by_name(&["x_1_0", "x_0_1", "y"]).unwrap(), (vec![1, 0], vec![2]));
        assert_eq!(by_name(&["x.b", "x.a", "y"]).unwrap(), (vec![0, 1], vec![2]));
        assert_eq!(by_name(&["x_age", "x_size2", "y"]).unwrap(), (vec![0, 1], vec![2]));
        let chosen = SampleOptions { x: Some("b,a".to_owned()), y: Some("c".to_owned()), ..SampleOptions::default() };
        assert_eq!(choose(&["a", "b", "c", "d"], &chosen).unwrap(), (vec![1, 0], vec![2]));
    }

    #[test]
    fn doubles_gaps_and_other_names_are_refused() {
        for (names, part) in [
            (&["x1", "x1", "y"][..], "same name"),
            (&["x1", "X1", "y"], "same name"),
            (&["x1", "x01", "y"], "same name or number"),
            (&["x1", "x3", "y"], "number 2 is missing"),
            (&["x2", "x3", "y"], "number 1 is missing"),
            (&["x1", "x2", "x", "x4", "y"], "x1 and x"),
            (&["x", "x1", "y"], "x1 and x"),
            (&["x1", "x_2", "y"], "x1 and x_2"),
            (&["x1", "y1", "y"], "y1 and y"),
            (&["x1", "year"], "neither input nor output"),
            (&["x1", "x2"], "no output columns"),
            (&["y1"], "no input columns"),
        ] {
            let message = by_name(names).unwrap_err().to_string();
            assert!(message.contains(part), "{names:?}: {message}");
        }
    }
}
