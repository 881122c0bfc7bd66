//! Numbers and matrices as JSON: exact ones as integers of any size, or as fractions in quotes.

use serde_json::{Number, Value};

use rankscape::linalg::Matrix;
use rankscape::linalg::exact::{Rational, RationalMatrix};

/// An integer, or a string such as `"3/7"`.
pub(super) fn rational_value(value: &Rational) -> Value {
    let integer = || value.numer().to_string().parse::<Number>().ok();
    match value.is_integer().then(integer).flatten() {
        Some(integer) => Value::Number(integer),
        None => Value::String(value.to_string()),
    }
}

/// Nested rows of exact numbers.
pub(super) fn rational_rows(matrix: &RationalMatrix) -> Value {
    let row = |row: &[Rational]| Value::Array(row.iter().map(rational_value).collect());
    Value::Array(matrix.entries().chunks(matrix.ncols().max(1)).map(row).collect())
}

/// Nested rows of double precision.
pub(super) fn float_rows(matrix: &Matrix) -> Value {
    serde_json::json!(matrix.to_rows())
}
