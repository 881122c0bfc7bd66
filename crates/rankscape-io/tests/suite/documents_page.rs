//! The page of all documents: a table of fields, types and meanings for each, from the schemas.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rankscape_io::documents::schema_name;
use serde_json::{Map, Value};

const HEAD: &str = "# Documents

What the commands answer with `--json`, field by field; with `--out DIR` the same lies in a file. Made from the types that
write them, as are the [schemas](schema). A field is always there unless its type says *may be missing*; a number that is
undefined or undecided is null. `a.b` is the member `b` of `a`, `a[].b` that of every entry of the list `a`.
";

/// Parts that several documents have in the same words, by name.
struct Shared<'a>(BTreeMap<&'a str, &'a Value>);

/// The page.
pub(crate) fn page(schemas: &[Value]) -> String {
    let mut found: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for (name, part) in schemas.iter().filter_map(|schema| schema["$defs"].as_object()).flatten() {
        found.entry(name).or_default().push(part);
    }
    let same = |parts: &Vec<&Value>| parts.len() > 1 && parts.iter().all(|part| part == &parts[0]);
    let shared =
        Shared(found.into_iter().filter(|(_, parts)| same(parts)).map(|(name, parts)| (name, parts[0])).collect());
    let mut text = HEAD.to_owned();
    for schema in schemas {
        let name = schema_name(schema).unwrap();
        write!(text, "\n## {name}\n\n{}\n\n[Schema](schema/{name}.schema.json).\n\n", described(schema)).unwrap();
        Table { shared: &shared, parts: schema["$defs"].as_object(), seen: BTreeMap::new(), text: &mut text }
            .whole(schema);
    }
    text.push_str("\n## Parts of several documents\n");
    for (name, part) in &shared.0 {
        write!(text, "\n### {}\n\n{}\n\n", heading(name), described(part)).unwrap();
        Table { shared: &shared, parts: None, seen: BTreeMap::new(), text: &mut text }.whole(part);
    }
    text
}

/// `RanksOfProducts` as `ranks of products`.
fn heading(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

/// The description, where a vertical bar ends no cell.
fn described(schema: &Value) -> String {
    schema["description"].as_str().unwrap_or_default().replace('|', "\\|")
}

fn referred(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/$defs/")
}

struct Table<'a> {
    shared: &'a Shared<'a>,
    parts: Option<&'a Map<String, Value>>,
    /// Parts that have their rows, with the field that they stand at.
    seen: BTreeMap<String, String>,
    text: &'a mut String,
}

impl<'a> Table<'a> {
    fn whole(mut self, schema: &'a Value) {
        if schema.get("properties").is_none() {
            writeln!(self.text, "It is {}.", self.kind(schema)).unwrap();
            return;
        }
        self.text.push_str("| field | type | meaning |\n|---|---|---|\n");
        self.rows("", schema);
    }

    fn rows(&mut self, path: &str, schema: &'a Value) {
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let required = schema["required"].as_array().is_some_and(|names| names.contains(&name.as_str().into()));
            let missing = if required { "" } else { "; may be missing" };
            let kind = self.kind(field);
            writeln!(self.text, "| `{path}` | {kind}{missing} | {} |", described(field)).unwrap();
            self.below(&path, field);
        }
    }

    /// The rows of the objects in a field.
    fn below(&mut self, path: &str, schema: &'a Value) {
        if let Some(name) = referred(schema) {
            let part = self.parts.and_then(|parts| parts.get(name));
            if let Some(part) = part.filter(|_| !self.shared.0.contains_key(name) && !self.seen.contains_key(name)) {
                self.seen.insert(name.to_owned(), path.to_owned());
                self.below(path, part);
            }
        }
        self.rows(path, schema);
        if let Some(items) = schema.get("items") {
            self.below(&format!("{path}[]"), items);
        }
        for choice in schema["anyOf"].as_array().into_iter().flatten() {
            self.below(path, choice);
        }
    }

    /// What a field holds, in words.
    fn kind(&self, schema: &Value) -> String {
        if let Some(name) = referred(schema) {
            return self.named(name);
        }
        if let Some(choices) = schema["anyOf"].as_array() {
            return one_of(choices.iter().map(|choice| self.kind(choice)));
        }
        if let Some(value) = schema.get("const") {
            return format!("`{}`", value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        }
        if let Some(values) = schema["enum"].as_array() {
            let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), |word| format!("`{word}`"));
            return one_of(values.iter().map(word));
        }
        match &schema["type"] {
            Value::Array(names) => one_of(names.iter().map(|name| self.plain(name, schema))),
            name => self.plain(name, schema),
        }
    }

    fn named(&self, name: &str) -> String {
        if self.shared.0.contains_key(name) {
            let heading = heading(name);
            return format!("[{heading}](#{})", heading.replace(' ', "-"));
        }
        match (self.seen.get(name), self.parts.and_then(|parts| parts.get(name))) {
            (Some(path), _) => format!("as `{path}`"),
            (None, Some(part)) => self.kind(part),
            (None, None) => "object".to_owned(),
        }
    }

    fn plain(&self, name: &Value, schema: &Value) -> String {
        let least = match (&schema["minimum"], &schema["maximum"], &schema["exclusiveMinimum"]) {
            (Value::Null, _, Value::Null) => String::new(),
            (Value::Null, _, above) => format!(" > {above}"),
            (from, Value::Null, _) => format!(" ≥ {from}"),
            (from, to, _) => format!(" from {from} to {to}"),
        };
        match (name.as_str().unwrap_or_default(), schema.get("items"), schema.get("additionalProperties")) {
            ("array", Some(items), _) => format!("list ({})", self.kind(items)),
            ("object", _, Some(value @ Value::Object(_))) => format!("object (by name: {})", self.kind(value)),
            ("string", ..) if schema.get("pattern").is_some() => "SHA-256 in hexadecimal".to_owned(),
            (name @ ("integer" | "number"), ..) => format!("{name}{least}"),
            (name, ..) => name.to_owned(),
        }
    }
}

/// `a`, `a or b`, `a, b or c`.
fn one_of(choices: impl Iterator<Item = String>) -> String {
    let mut choices: Vec<String> = choices.collect();
    choices.dedup();
    match choices.split_last() {
        Some((last, first)) if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => choices.concat(),
    }
}
