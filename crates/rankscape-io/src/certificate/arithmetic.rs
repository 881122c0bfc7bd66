//! The two kinds of numbers of a certificate: rationals, and doubles with thresholds.

use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde_json::Value;

use super::placed::wrong;
use crate::array::Array;
use crate::json::{array_of, parse_rational};
use rankscape::certificate::{Criticality, ReducedData};
use rankscape::data::ExactMoments;
use rankscape::error::Result;
use rankscape::linalg::Matrix;
use rankscape::linalg::exact::{Rational, RationalMatrix};
use rankscape::multiplication::{ExactFactors, Factors};
use rankscape::tolerance::UNIT_ROUNDOFF;

/// The two kinds of numbers.
pub(super) trait Arithmetic {
    type Number;
    type Matrix;
    type Factors;
    type StatedData;
    /// The fields of the data.
    type DataFields: DeserializeOwned;
    /// Those of the thresholds.
    type CriticalityFields: DeserializeOwned;
    /// Ranks are decided up to rounding.
    const ROUNDS: bool;
    /// How a rank is written.
    const FORM_OF_RANKS: &'static str;

    fn matrix(name: &str, value: &Value) -> Result<Self::Matrix>;
    fn factors(matrices: Vec<Self::Matrix>) -> Result<Self::Factors>;
    fn widths(factors: &Self::Factors) -> &[usize];
    fn data(fields: &Self::DataFields) -> Result<Self::StatedData>;
    fn number(name: &str, value: &Value) -> Result<Self::Number>;
    fn criticality(fields: &Self::CriticalityFields) -> Result<Option<Criticality>>;
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExactDataFields {
    xx: Value,
    yx: Value,
    yy: Value,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FloatingDataFields {
    inputs: Value,
    target: Value,
    floor: Value,
    norm: Value,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CriticalityFields {
    unit_roundoff: Value,
    threshold: Value,
    rounding: Value,
    vanishing: Value,
    rank_gap: Value,
}

/// The null of an exact certificate.
pub(super) struct Nothing;

impl<'de> Deserialize<'de> for Nothing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let null = Value::deserialize(deserializer)?.is_null();
        let needed = "an exact certificate has null there: the gradient must be zero";
        null.then_some(Self).ok_or_else(|| serde::de::Error::custom(needed))
    }
}

/// That of bfloat16.
const LARGEST_ROUNDOFF: f64 = 1.0 / 256.0;

pub(super) struct Rationals;
pub(super) struct Doubles;

impl Arithmetic for Rationals {
    type Number = Rational;
    type Matrix = RationalMatrix;
    type Factors = ExactFactors;
    type StatedData = ExactMoments;
    type DataFields = ExactDataFields;
    type CriticalityFields = Nothing;
    const ROUNDS: bool = false;
    const FORM_OF_RANKS: &'static str = "rank W X = 2";

    fn matrix(name: &str, value: &Value) -> Result<RationalMatrix> {
        let rows = rows(name, value)?;
        let entry = |i: usize, j: usize| Self::number(&format!("{name}[{i}][{j}]"), &rows[i][j]);
        let (height, width) = (rows.len(), rows[0].len());
        let entries = (0..height * width).map(|at| entry(at / width, at % width)).collect::<Result<Vec<_>>>()?;
        Ok(RationalMatrix::from_fn(height, width, |i, j| entries[i * width + j].clone()))
    }
    fn factors(matrices: Vec<RationalMatrix>) -> Result<ExactFactors> {
        ExactFactors::new(matrices)
    }
    fn widths(factors: &ExactFactors) -> &[usize] {
        factors.architecture().widths()
    }
    fn data(fields: &ExactDataFields) -> Result<ExactMoments> {
        Ok(ExactMoments {
            xx: Self::matrix("data.xx", &fields.xx)?,
            yx: Self::matrix("data.yx", &fields.yx)?,
            yy: Self::number("data.yy", &fields.yy)?,
        })
    }
    fn number(name: &str, value: &Value) -> Result<Rational> {
        let text = match value {
            Value::Number(number) => Some(number.to_string()),
            Value::String(text) => Some(text.clone()),
            _ => None,
        };
        let exact = text.map(|text| parse_rational(&text)).transpose().map_err(|error| error.array(name))?.flatten();
        exact.ok_or_else(|| wrong(name, value, "an exact certificate holds integers, and fractions in quotes"))
    }
    fn criticality(Nothing: &Nothing) -> Result<Option<Criticality>> {
        Ok(None)
    }
}

impl Arithmetic for Doubles {
    type Number = f64;
    type Matrix = Matrix;
    type Factors = Factors;
    type StatedData = ReducedData;
    type DataFields = FloatingDataFields;
    type CriticalityFields = CriticalityFields;
    const ROUNDS: bool = true;
    const FORM_OF_RANKS: &'static str = "rank W X = 2, zero up to 1e-15";

    fn matrix(name: &str, value: &Value) -> Result<Matrix> {
        rows(name, value)?;
        let array = array_of(name, value).map_err(|error| error.array(name))?;
        array.check_finite()?;
        array.to_matrix()
    }
    fn factors(matrices: Vec<Matrix>) -> Result<Factors> {
        Factors::new(matrices)
    }
    fn widths(factors: &Factors) -> &[usize] {
        factors.architecture().widths()
    }
    fn data(fields: &FloatingDataFields) -> Result<ReducedData> {
        Ok(ReducedData {
            inputs: Self::matrix("data.inputs", &fields.inputs)?,
            target: Self::matrix("data.target", &fields.target)?,
            floor: Self::number("data.floor", &fields.floor)?,
            norm: Self::number("data.norm", &fields.norm)?,
        })
    }
    fn number(name: &str, value: &Value) -> Result<f64> {
        let array = scalar(name, value)?;
        array.check_finite()?;
        array.values.first().copied().ok_or_else(|| wrong(name, value, "a number is needed"))
    }
    fn criticality(fields: &CriticalityFields) -> Result<Option<Criticality>> {
        let number = |name: &str, value: &Value, most: f64| {
            let place = format!("criticality.{name}");
            let found = Self::number(&place, value)?;
            let hint = format!("a number that is not negative, at most {most:e}, is needed");
            if (0.0..=most).contains(&found) { Ok(found) } else { Err(wrong(&place, value, &hint)) }
        };
        let stated = Criticality {
            unit_roundoff: number("unit_roundoff", &fields.unit_roundoff, LARGEST_ROUNDOFF)?,
            threshold: number("threshold", &fields.threshold, f64::MAX)?,
            rounding: number("rounding", &fields.rounding, f64::MAX)?,
            vanishing: number("vanishing", &fields.vanishing, f64::MAX)?,
            rank_gap: number("rank_gap", &fields.rank_gap, f64::MAX)?,
        };
        if stated.unit_roundoff < UNIT_ROUNDOFF {
            let name = "criticality.unit_roundoff";
            return Err(wrong(name, &fields.unit_roundoff, "no type of numbers is finer than double precision"));
        }
        Ok(Some(stated))
    }
}

/// A single number.
fn scalar(name: &str, value: &Value) -> Result<Array> {
    if !(value.is_number() || value.is_string()) {
        return Err(wrong(name, value, "a number is needed"));
    }
    array_of(name, &Value::Array(vec![value.clone()])).map_err(|error| error.array(name))
}

/// The rows of a matrix, of equal length; one without columns has empty rows.
fn rows<'a>(name: &str, value: &'a Value) -> Result<Vec<&'a Vec<Value>>> {
    let rows: Option<Vec<&Vec<Value>>> =
        value.as_array().map(|rows| rows.iter().map(Value::as_array).collect()).unwrap_or_default();
    let even = |rows: &Vec<&Vec<Value>>| !rows.is_empty() && rows.iter().all(|row| row.len() == rows[0].len());
    rows.filter(even).ok_or_else(|| wrong(name, value, "a list of rows of equal length is needed"))
}
