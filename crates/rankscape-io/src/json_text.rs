//! JSON text: the members of objects in order, no name twice, and what is wrong with text that is none.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use rankscape::error::{ErrorKind, InputError};

/// The members of a JSON object in order.
pub(super) type Members = Vec<(String, Value)>;

/// Why a text is not the JSON that is expected.
pub(super) struct Malformed {
    error: serde_json::Error,
    /// A name of an object occurs twice.
    repeated: bool,
}

impl Malformed {
    /// Column of the line in which the text stops to fit, from 1.
    pub(super) fn column(&self) -> usize {
        self.error.column()
    }
}

impl From<serde_json::Error> for Malformed {
    fn from(error: serde_json::Error) -> Self {
        Self { error, repeated: false }
    }
}

/// The members of the object that is the whole text; a name that occurs twice is an error.
pub(super) fn members_of(text: &[u8]) -> std::result::Result<Members, Malformed> {
    let repeated = Cell::new(false);
    whole(text, MembersOf(&repeated)).map_err(|error| Malformed { error, repeated: repeated.get() })
}

/// Whether the text is one JSON value in which no object has a name twice.
pub(super) fn unambiguous(text: &[u8]) -> std::result::Result<(), Malformed> {
    let repeated = Cell::new(false);
    whole(text, Unambiguous(&repeated)).map_err(|error| Malformed { error, repeated: repeated.get() })
}

/// What a seed reads from the whole text.
fn whole<'de, S: DeserializeSeed<'de>>(text: &'de [u8], seed: S) -> serde_json::Result<S::Value> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = seed.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// The names of one object; sets the flag at a name that occurs twice.
struct Names<'a> {
    seen: BTreeSet<String>,
    repeated: &'a Cell<bool>,
}

impl<'a> Names<'a> {
    fn new(repeated: &'a Cell<bool>) -> Self {
        Self { seen: BTreeSet::new(), repeated }
    }

    fn insert<E: serde::de::Error>(&mut self, name: &str) -> std::result::Result<(), E> {
        if self.seen.insert(name.to_owned()) {
            return Ok(());
        }
        self.repeated.set(true);
        Err(E::custom(format!("the name \"{name}\" occurs twice")))
    }
}

/// Reads the members of an object.
struct MembersOf<'a>(&'a Cell<bool>);

impl<'de> DeserializeSeed<'de> for MembersOf<'_> {
    type Value = Members;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<Members, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for MembersOf<'_> {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with named arrays")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Members, A::Error> {
        let mut members = Members::new();
        let mut names = Names::new(self.0);
        while let Some(name) = map.next_key::<String>()? {
            names.insert(&name)?;
            members.push((name, map.next_value()?));
        }
        Ok(members)
    }
}

/// Reads any JSON value and keeps nothing of it.
#[derive(Clone, Copy)]
struct Unambiguous<'a>(&'a Cell<bool>);

impl<'de> DeserializeSeed<'de> for Unambiguous<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unambiguous<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<(), A::Error> {
        let mut names = Names::new(self.0);
        while let Some(name) = map.next_key::<String>()? {
            map.next_value_seed(self)?;
            names.insert(&name)?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<(), A::Error> {
        while list.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> std::result::Result<(), E> {
        Ok(())
    }
}

pub(super) fn syntax_error(bytes: &[u8], malformed: &Malformed) -> InputError {
    let error = &malformed.error;
    let line = bytes.split(|&byte| byte == b'\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    let place = format!("line {}, column {}", error.line(), error.column());
    let named = "this is not valid JSON with named arrays";
    syntax_error_at(line, malformed, &place, (named, "expected is {\"W1\": [[1, 2], [3, 4]], ...}"))
}

/// What is wrong with the JSON text at a column of a line; the problem and the remedy where it is nothing known.
pub(super) fn syntax_error_at(
    line: &[u8],
    Malformed { error, repeated }: &Malformed,
    place: &str,
    (problem, hint): (&str, &str),
) -> InputError {
    let word = word_at(line, error.column().saturating_sub(1));
    let number = word.trim_start_matches(['-', '+']).to_ascii_lowercase();
    if number.starts_with("nan") || number.starts_with("inf") {
        return InputError::new("an entry is not a finite number")
            .kind(ErrorKind::NotFinite)
            .value(format!("{word} at {place}"))
            .hint("remove or replace it");
    }
    if error.is_eof() {
        return InputError::new("the JSON text ends too early")
            .value(place)
            .hint("it is truncated: copy or write it again");
    }
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    if *repeated {
        return InputError::new(text).kind(ErrorKind::Repeated).value(place).hint("rename or remove one of the two");
    }
    InputError::new(format!("{problem}: {text}")).value(place).hint(hint)
}

/// The name of the array in which an error lies.
pub(super) fn name_before(bytes: &[u8], Malformed { error, .. }: &Malformed) -> Option<String> {
    let lines = bytes.split_inclusive(|&byte| byte == b'\n').take(error.line().saturating_sub(1));
    let before = lines.map(<[u8]>::len).sum::<usize>() + error.column();
    let text = String::from_utf8_lossy(bytes.get(..before)?).into_owned();
    Some(last_name(&text).to_owned()).filter(|name| !name.is_empty())
}

/// The last name before a colon, or nothing.
pub(super) fn last_name(text: &str) -> &str {
    let quoted = text.rmatch_indices(':').find_map(|(at, _)| text[..at].trim_end().strip_suffix('"'));
    quoted.and_then(|head| head.rfind('"').map(|at| &head[at + 1..])).unwrap_or("")
}

/// The word or number around a byte, of at most 40 bytes.
fn word_at(line: &[u8], at: usize) -> String {
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-._".contains(byte);
    let (before, after) = line.split_at(at.min(line.len()));
    let start = before.iter().rev().take(20).take_while(|byte| part(byte)).count();
    let end = after.iter().take(20).take_while(|byte| part(byte)).count();
    String::from_utf8_lossy(&line[before.len() - start..before.len() + end]).into_owned()
}
