//! JSON objects with a fixed set of fields, one a line: a name that is not known is refused, never skipped.

use serde_json::Value;

use super::json::{Members, check_entries, last_name, members_of, syntax_error_at};
use rankscape::error::{ErrorKind, InputError, Result};

/// Largest whole number that a field holds.
const LARGEST: f64 = (1u64 << 31) as f64;

/// The members of one object in one line, by names that are known.
pub(super) struct Fields {
    members: Members,
    /// Number of the line, from 1.
    line: usize,
}

impl Fields {
    /// Reads `text`, line number `line`. Names are those of `known`; of `ignored` too, or begin with `_`, and then the value
    /// is not looked at.
    ///
    /// # Errors
    /// If the text is not one object, or a name occurs twice or is none of these; the error names the line.
    pub(super) fn read(text: &str, line: usize, known: &[&str], ignored: &[&str]) -> Result<Self> {
        let here = |error: InputError, name: &str| error.array(place(line, name));
        if !text.trim_start().starts_with('{') {
            let start: String = text.trim().chars().take(20).collect();
            return Err(here(InputError::new("a line must be one JSON object").value(start), "").hint(expected(known)));
        }
        check_entries(text.as_bytes()).map_err(|error| here(error, ""))?;
        let members = members_of(text.as_bytes()).map_err(|error| {
            let column = format!("column {}", error.column());
            let wrong = ("this is not one whole JSON object in a line", expected(known));
            let field = last_name(text.get(..error.column()).unwrap_or(text));
            let error = syntax_error_at(text.as_bytes(), &error, &column, (wrong.0, &wrong.1));
            // Of a name that occurs twice the value has not been reached.
            let field = if error.kind == ErrorKind::Repeated { "" } else { field };
            here(error, field)
        })?;
        let accepted = |name: &str| known.contains(&name) || ignored.contains(&name) || name.starts_with('_');
        if let Some((name, _)) = members.iter().find(|(name, _)| !accepted(name)) {
            let short: String = name.chars().take(40).collect();
            let meant = nearest(name, known).map_or_else(String::new, |field| format!("is it \"{field}\"? "));
            return Err(here(InputError::new("there is no such field").value(format!("\"{short}\"")), "")
                .hint(format!("{meant}{}; names that begin with _ are not read", expected(known))));
        }
        Ok(Self { members, line })
    }

    /// The value of a field; `None` if it is not there or null.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.members.iter().find(|(other, _)| other == name).map(|(_, value)| value).filter(|value| !value.is_null())
    }

    /// The value of a field that must be there.
    pub(super) fn need(&self, name: &str) -> Result<&Value> {
        self.get(name).ok_or_else(|| {
            InputError::new("this field is missing")
                .kind(ErrorKind::Missing)
                .array(place(self.line, name))
                .hint("every instance needs it")
        })
    }

    /// A whole number that is not negative; `3.0` and `3e0` are 3.
    pub(super) fn whole(&self, name: &str) -> Result<usize> {
        let value = self.need(name)?;
        let number = value.as_number().and_then(|number| number.to_string().parse::<f64>().ok());
        match number {
            Some(x) if x.fract() == 0.0 && (0.0..=LARGEST).contains(&x) => Ok(x as usize),
            _ => Err(self
                .wrong(name, "this must be a whole number that is not negative", value)
                .hint("write it without quotes, for example 3")),
        }
    }

    /// An error about a field and its value.
    pub(super) fn wrong(&self, name: &str, problem: &str, value: &Value) -> InputError {
        let text = value.to_string();
        let short: String = text.chars().take(40).collect();
        let rest = if short.len() < text.len() { "..." } else { "" };
        InputError::new(problem).array(place(self.line, name)).value(format!("{short}{rest}"))
    }

    /// An error about a field, which it may name itself.
    pub(super) fn at(&self, error: InputError, name: &str) -> InputError {
        let place = place(self.line, error.array.as_deref().unwrap_or(name));
        InputError { array: Some(place), ..error }
    }
}

fn place(line: usize, name: &str) -> String {
    if name.is_empty() { format!("line {line}") } else { format!("line {line}, {name}") }
}

fn expected(known: &[&str]) -> String {
    format!("fields are {}", known.join(", "))
}

/// The known name that differs in capital letters only, or in at most two letters and half of all.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let near = |field: &&'a str| {
        let distance = edit_distance(&name.to_lowercase(), field);
        (distance <= 2 && 2 * distance <= field.len()).then_some((distance, *field))
    };
    known.iter().filter_map(near).min().map(|(_, field)| field)
}

/// Letters to insert, remove or replace.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(40).enumerate() {
        let mut corner = std::mem::replace(&mut row[0], i + 1);
        for (j, &y) in b.iter().enumerate() {
            let replaced = corner + usize::from(x != y);
            corner = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 4] = ["m", "weights", "q", "convention"];

    fn message(text: &str) -> String {
        match Fields::read(text, 7, &KNOWN, &["seed"]) {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn names_that_are_not_known_are_refused_with_the_one_that_is_meant() {
        for (name, meant) in [
            ("Convention", "is it \"convention\"?"),
            ("convnetion", "is it \"convention\"?"),
            ("weight", "is it \"weights\"?"),
            ("M", "is it \"m\"?"),
        ] {
            let text = message(&format!("{{\"m\": 1, \"{name}\": 2}}"));
            assert!(text.contains(meant) && text.contains("line 7") && text.contains(name), "{text}");
            assert!(text.contains("fields are m, weights, q, convention"), "{text}");
        }
        let far = message(r#"{"mask": [1]}"#);
        assert!(far.contains("there is no such field") && !far.contains("is it"), "{far}");
        assert_eq!(message(r#"{"seed": 3, "_remark": "any", "m": 1}"#), "");
    }

    #[test]
    fn errors_of_the_parser_name_the_field_and_the_value() {
        for (text, parts) in [
            (r#"{"m": 1, "q": [1, NaN]}"#, ["line 7, q", "NaN at column"]),
            (r#"{"m": 1, "q": [-Infinity, 1]}"#, ["line 7, q", "-Infinity at column"]),
            (r#"{"m": 1, "q": [1, 2"#, ["line 7, q", "ends too early"]),
            (r#"{"m": 1, "m": 2}"#, ["line 7: the name", "\"m\" occurs twice"]),
            (r#"{"m": 1} {"m": 2}"#, ["line 7", "one whole JSON object in a line"]),
            ("[1, 2]", ["line 7", "one JSON object (found [1, 2])"]),
        ] {
            let found = message(text);
            assert!(parts.iter().all(|part| found.contains(part)), "{text}: {found}");
        }
    }

    #[test]
    fn whole_numbers_are_whole() {
        let of = |text: &str| Fields::read(&format!("{{\"m\": {text}}}"), 7, &KNOWN, &[]).unwrap().whole("m");
        for text in ["3", "3.0", "3e0", "30e-1"] {
            assert_eq!(of(text), Ok(3), "{text}");
        }
        for text in ["1.5", "-3", "\"1\"", "[1]", "true", "1e+300", "123456789012345678901"] {
            let found = of(text).unwrap_err().to_string();
            assert!(found.contains("line 7, m: this must be a whole number") && found.contains(text), "{found}");
        }
        assert!(of("null").unwrap_err().to_string().contains("missing"));
    }

    #[test]
    fn edit_distances_are_the_textbook_ones() {
        for (a, b, distance) in [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("flaw", "lawn", 2)] {
            assert_eq!(edit_distance(a, b), distance, "{a} {b}");
        }
    }
}
