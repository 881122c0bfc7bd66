//! Reading typed structures out of JSON values, with the place and the kind of what does not fit.
//!
//! The errors of `serde_json` are text; a message needs to know whether a field is unknown, missing or of the wrong kind, and
//! where it stands.

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value};

use rankscape::error::InputError;

/// A value of the type, or what does not fit and where.
pub(super) fn from_value<'de, T: Deserialize<'de>>(value: &'de Value) -> Result<T, InputError> {
    T::deserialize(Placed(value)).map_err(|unfit| unfit.found_in(value).error())
}

/// A field of the wrong kind: what was found there and what is needed.
pub(super) fn wrong(field: &str, found: &Value, needed: &str) -> InputError {
    wrong_text(field, shortened(found), needed)
}

fn wrong_text(field: &str, found: String, needed: &str) -> InputError {
    InputError::new("a field of the certificate is missing or of the wrong kind").array(field).value(found).hint(needed)
}

/// A field is not there.
pub(super) fn missing(field: &str) -> InputError {
    InputError::new("a field of the certificate is missing").array(field)
}

fn shortened(value: &Value) -> String {
    value.to_string().chars().take(60).collect()
}

/// What does not fit.
#[derive(Debug)]
enum Fault {
    /// A field that is none of these.
    Unknown(&'static [&'static str]),
    /// A field is not there.
    Missing,
    /// The value is not what is needed.
    Wrong(String),
}

/// What does not fit, and where.
#[derive(Debug)]
pub(super) struct Unfit {
    fault: Fault,
    /// Steps into objects and lists, the innermost first.
    steps: Vec<String>,
    /// The innermost value.
    found: Option<String>,
}

impl Unfit {
    fn new(fault: Fault) -> Self {
        Self { fault, steps: Vec::new(), found: None }
    }

    fn needed(what: impl Into<String>) -> Self {
        Self::new(Fault::Wrong(what.into()))
    }

    fn of_field(fault: Fault, name: &str) -> Self {
        Self { steps: vec![format!(".{name}")], ..Self::new(fault) }
    }

    fn found_in(mut self, value: &Value) -> Self {
        self.found.get_or_insert_with(|| shortened(value));
        self
    }

    fn behind(mut self, step: String, value: &Value) -> Self {
        self = self.found_in(value);
        self.steps.push(step);
        self
    }

    fn error(self) -> InputError {
        let place: String = self.steps.iter().rev().map(String::as_str).collect();
        let place = place.strip_prefix('.').unwrap_or(&place);
        match self.fault {
            Fault::Unknown(known) => InputError::new("a certificate has no such field")
                .array(place)
                .hint(format!("the fields are {}", known.join(", "))),
            Fault::Missing => missing(place),
            Fault::Wrong(needed) => wrong_text(place, self.found.unwrap_or_default(), &needed),
        }
    }
}

impl std::fmt::Display for Unfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.fault)
    }
}

impl std::error::Error for Unfit {}

impl de::Error for Unfit {
    /// The message is what is needed in place of the value.
    fn custom<T: std::fmt::Display>(needed: T) -> Self {
        Self::needed(needed.to_string())
    }

    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::needed(format!("{expected} is needed"))
    }

    fn unknown_variant(_: &str, known: &'static [&'static str]) -> Self {
        Self::needed(one_of(known))
    }

    fn unknown_field(name: &str, known: &'static [&'static str]) -> Self {
        Self::of_field(Fault::Unknown(known), name)
    }

    fn missing_field(name: &'static str) -> Self {
        Self::of_field(Fault::Missing, name)
    }
}

fn one_of(known: &[&str]) -> String {
    format!("one of {} is needed", known.join(", "))
}

/// A value that is read.
struct Placed<'de>(&'de Value);

impl<'de> Deserializer<'de> for Placed<'de> {
    type Error = Unfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.0 {
            Value::Object(fields) => visitor.visit_map(FieldsOf { rest: fields.iter(), value: None }),
            Value::Array(entries) => visitor.visit_seq(ElementsOf(entries.iter().enumerate())),
            scalar => scalar.deserialize_any(visitor).map_err(de::Error::custom),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        self.deserialize_map(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        if self.0.is_object() { self.deserialize_any(visitor) } else { Err(Unfit::needed("an object is needed")) }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        if self.0.is_array() { self.deserialize_any(visitor) } else { Err(Unfit::needed("a list is needed")) }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        let text = self.0.as_str().ok_or_else(|| Unfit::needed("a text in quotes is needed"))?;
        visitor.visit_borrowed_str(text)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_bool(self.0.as_bool().ok_or_else(|| Unfit::needed("true or false is needed"))?)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        let name = self.0.as_str().ok_or_else(|| Unfit::needed(one_of(variants)))?;
        visitor.visit_enum(name.into_deserializer())
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str bytes byte_buf unit unit_struct newtype_struct tuple
        tuple_struct identifier ignored_any
    }
}

struct FieldsOf<'de> {
    rest: serde_json::map::Iter<'de>,
    value: Option<(&'de String, &'de Value)>,
}

impl<'de> MapAccess<'de> for FieldsOf<'de> {
    type Error = Unfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Unfit> {
        self.value = self.rest.next();
        self.value.map(|(name, _)| seed.deserialize(name.as_str().into_deserializer())).transpose()
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Unfit> {
        let (name, value) = self.value.take().ok_or_else(|| Unfit::new(Fault::Missing))?;
        seed.deserialize(Placed(value)).map_err(|unfit| unfit.behind(format!(".{name}"), value))
    }
}

struct ElementsOf<'de>(std::iter::Enumerate<std::slice::Iter<'de, Value>>);

impl<'de> SeqAccess<'de> for ElementsOf<'de> {
    type Error = Unfit;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Unfit> {
        let Some((at, value)) = self.0.next() else { return Ok(None) };
        seed.deserialize(Placed(value)).map(Some).map_err(|unfit| unfit.behind(format!("[{at}]"), value))
    }
}

/// A word that has a meaning; `needed` says which ones have.
pub(super) fn word<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    meaning: impl Fn(&str) -> Option<T>,
    needed: &str,
) -> Result<T, D::Error> {
    let value = Value::deserialize(deserializer)?;
    value.as_str().and_then(meaning).ok_or_else(|| de::Error::custom(needed))
}

/// An object with exactly these fields, whatever their values.
pub(super) fn with_fields<'de, D: Deserializer<'de>>(
    deserializer: D,
    known: &'static [&'static str],
) -> Result<Value, D::Error> {
    let fields = Map::deserialize(deserializer)?;
    if let Some(unknown) = fields.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(de::Error::unknown_field(unknown, known));
    }
    match known.iter().find(|name| !fields.contains_key(**name)) {
        Some(missing) => Err(de::Error::missing_field(missing)),
        None => Ok(Value::Object(fields)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[serde(rename = "parts")]
        _parts: Vec<Inner>,
        #[serde(rename = "exact")]
        _exact: bool,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[serde(rename = "number")]
        _number: Value,
        #[serde(rename = "kind")]
        _kind: Word,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Word {
        Weights,
        Data,
    }

    #[test]
    fn what_does_not_fit_is_named_with_its_place() {
        let part = |kind: Value| json!({ "number": 1.5, "kind": kind });
        let missing = json!({ "number": 1.5 });
        let further = json!({ "number": 1.5, "kind": "data", "more": 0 });
        for (value, message) in [
            (
                json!({ "parts": [part(json!("data")), further], "exact": true }),
                "array parts[1].more: a certificate has no such field; the fields are number, kind",
            ),
            (
                json!({ "parts": [missing], "exact": true }),
                "array parts[0].kind: a field of the certificate is missing",
            ),
            (
                json!({ "parts": [part(json!("other"))], "exact": true }),
                "array parts[0].kind: a field of the certificate is missing or of the wrong kind (found \"other\"); one of \
              weights, data is needed",
            ),
            (
                json!({ "parts": [part(json!("weights"))], "exact": 1 }),
                "array exact: a field of the certificate is missing or of the wrong kind (found 1); true or false is needed",
            ),
            (
                json!({ "parts": {}, "exact": true }),
                "array parts: a field of the certificate is missing or of the wrong kind (found {}); a list is needed",
            ),
            (
                json!({ "parts": [7], "exact": true }),
                "array parts[0]: a field of the certificate is missing or of the wrong kind (found 7); an object is needed",
            ),
        ] {
            assert_eq!(from_value::<Outer>(&value).unwrap_err().to_string(), message);
        }
        assert!(from_value::<Outer>(&json!({ "parts": [part(json!("weights"))], "exact": false })).is_ok());
    }

    #[test]
    fn numbers_keep_their_digits() {
        let value: Value = serde_json::from_str("[1.50, 123456789012345678901234567890, \"1/3\"]").unwrap();
        assert_eq!(from_value::<Value>(&value).unwrap(), value);
    }
}
