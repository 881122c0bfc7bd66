//! Members of a configuration: numbers, names, and whether a feature is switched on.

use serde_json::{Map, Value};

use rankscape::error::{InputError, Result};

/// Neither absent, nor false, nor empty.
pub(super) fn is_set(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => members.values().any(is_set),
        Value::String(text) => !text.is_empty(),
        _ => true,
    }
}

pub(super) fn number(members: &Map<String, Value>, name: &str) -> Result<Option<f64>> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => finite(name, value).map(Some),
    }
}

pub(super) fn finite(name: &str, value: &Value) -> Result<f64> {
    value
        .as_f64()
        .filter(|value| value.is_finite())
        .ok_or_else(|| InputError::new("a finite number is needed").array(name).value(value))
}

pub(super) fn rank(members: &Map<String, Value>, name: &str) -> Result<Option<u64>> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64().filter(|&rank| rank > 0) {
            Some(rank) => Ok(Some(rank)),
            None => Err(InputError::new("the rank must be a positive integer").array(name).value(value)),
        },
    }
}

/// A list of names; a single one may stand alone.
pub(super) fn names(members: &Map<String, Value>, name: &str) -> Result<Vec<String>> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![text.clone()]),
        Some(Value::Array(items)) => {
            let text = |item: &Value| item.as_str().map(str::to_owned);
            items.iter().map(text).collect::<Option<_>>().ok_or_else(|| not_names(name, &members[name]))
        }
        Some(other) => Err(not_names(name, other)),
    }
}

fn not_names(name: &str, value: &Value) -> InputError {
    InputError::new("a list of names is needed").array(name).value(value)
}
