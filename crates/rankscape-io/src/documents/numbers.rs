//! Numbers and matrices as JSON: exact ones as integers of any size, or as fractions in quotes.

use std::fmt;

use num_bigint::{BigInt, BigUint};
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::{Number, Value};

use rankscape::linalg::Matrix;
use rankscape::linalg::exact::{Rational, RationalMatrix};

/// An integer of any size.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Integer(BigInt);

impl From<&BigInt> for Integer {
    fn from(value: &BigInt) -> Self {
        Self(value.clone())
    }
}

impl From<usize> for Integer {
    fn from(value: usize) -> Self {
        Self(value.into())
    }
}

impl From<&BigUint> for Integer {
    fn from(value: &BigUint) -> Self {
        Self(value.clone().into())
    }
}

impl fmt::Display for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Its digits, or a failure to write: never another number.
impl Serialize for Integer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.to_string().parse::<Number>().map_err(S::Error::custom)?.serialize(serializer)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Integer {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Integer".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "minimum": 0 })
    }
}

/// A number: in double precision, or exact as an integer of any size or as a fraction in quotes.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
pub struct Entry(#[cfg_attr(feature = "schema", schemars(extend("type" = ["number", "string"])))] Value);

impl From<&f64> for Entry {
    fn from(value: &f64) -> Self {
        Self((*value).into())
    }
}

impl From<&Rational> for Entry {
    fn from(value: &Rational) -> Self {
        let integer = || value.numer().to_string().parse::<Number>().ok();
        Self(match value.is_integer().then(integer).flatten() {
            Some(integer) => Value::Number(integer),
            None => Value::String(value.to_string()),
        })
    }
}

/// A matrix by rows of [`Entry`].
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
pub struct Rows(Vec<Vec<Entry>>);

impl From<&Matrix> for Rows {
    fn from(matrix: &Matrix) -> Self {
        Self(matrix.to_rows().iter().map(|row| row.iter().map(Entry::from).collect()).collect())
    }
}

impl From<&RationalMatrix> for Rows {
    fn from(matrix: &RationalMatrix) -> Self {
        let rows = matrix.entries().chunks(matrix.ncols().max(1));
        Self(rows.map(|row| row.iter().map(Entry::from).collect()).collect())
    }
}

/// `None` where a number is not finite: JSON has no other.
pub(super) fn finite(value: f64) -> Option<f64> {
    Some(value).filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_any_size_keep_their_digits() {
        let large = BigUint::from(10_u32).pow(400) + 7_u32;
        let digits = large.to_string();
        assert_eq!(serde_json::to_string(&Integer::from(&large)).unwrap(), digits);
        assert_eq!(Integer::from(&large).to_string(), digits);
        assert_eq!(serde_json::to_string(&Integer::from(&BigUint::default())).unwrap(), "0");
    }
}
