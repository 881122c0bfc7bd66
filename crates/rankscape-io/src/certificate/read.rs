//! What a file of a certificate holds, read field by field.

use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde_json::Value;

use super::CertificateFile;
use super::placed::{from_value, missing, with_fields, word, wrong};
use crate::array::Array;
use crate::documents::{CertificateDigest, MadeFrom, stated_quantity};
use crate::json::{array_of, parse_rational};
use rankscape::certificate::{
    BiasKind, Certificate, Criticality, PathClaim, ReducedData, Reduction, Sense, StatedRank, Statement,
};
use rankscape::critical::CriticalClass;
use rankscape::data::ExactMoments;
use rankscape::error::{InputError, Result};
use rankscape::escape::EscapePath;
use rankscape::linalg::Matrix;
use rankscape::linalg::exact::{Rational, RationalMatrix};
use rankscape::multiplication::{ExactFactors, Factors};
use rankscape::tolerance::UNIT_ROUNDOFF;

/// The fields that are sealed: all but the seal.
const SEALED: &[&str] = &[
    "schema",
    "says",
    "scale",
    "arithmetic",
    "digest",
    "made_from",
    "widths",
    "class",
    "rests_on",
    "criticality",
    "point",
    "data",
    "path",
];

/// The fields of a certificate; matrices and numbers as they stand there.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, bound = "A: Arithmetic")]
struct CertificateFields<A: Arithmetic> {
    #[serde(rename = "schema")]
    _schema: Value,
    says: String,
    #[serde(rename = "scale", deserialize_with = "scale")]
    _scale: (),
    #[serde(rename = "arithmetic")]
    _arithmetic: Value,
    digest: DigestFields,
    made_from: MadeFromFields,
    widths: Value,
    #[serde(deserialize_with = "class")]
    class: CriticalClass,
    rests_on: Vec<RankField<A>>,
    criticality: A::CriticalityFields,
    point: Vec<Value>,
    data: A::DataFields,
    #[serde(deserialize_with = "Option::deserialize")]
    path: Option<PathFields>,
    #[serde(deserialize_with = "seal")]
    seal: Value,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct DigestFields {
    #[serde(deserialize_with = "digest")]
    weights: String,
    #[serde(deserialize_with = "digest")]
    data: String,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct MadeFromFields {
    data: DataKind,
    #[serde(deserialize_with = "biases")]
    biases: BiasKind,
    output_metric: bool,
    held: Vec<HeldInput>,
}

#[derive(Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum DataKind {
    Samples,
    Target,
}

#[derive(Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum HeldInput {
    Weights,
    Data,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct PathFields {
    #[serde(deserialize_with = "sense")]
    sense: Sense,
    #[serde(deserialize_with = "count")]
    order: usize,
    coefficient: Value,
    t: Value,
    decrease: Value,
    terms: Vec<TermFields>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct TermFields {
    #[serde(deserialize_with = "count")]
    power: usize,
    factors: Vec<Value>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ExactDataFields {
    xx: Value,
    yx: Value,
    yy: Value,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct FloatingDataFields {
    inputs: Value,
    target: Value,
    floor: Value,
    norm: Value,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct CriticalityFields {
    unit_roundoff: Value,
    threshold: Value,
    rounding: Value,
    vanishing: Value,
    rank_gap: Value,
}

/// The null of an exact certificate.
struct Nothing;

impl<'de> Deserialize<'de> for Nothing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let null = Value::deserialize(deserializer)?.is_null();
        let needed = "an exact certificate has null there: the gradient must be zero";
        null.then_some(Self).ok_or_else(|| serde::de::Error::custom(needed))
    }
}

/// A rank that the class rests on.
struct RankField<A>(StatedRank, PhantomData<A>);

impl<'de, A: Arithmetic> Deserialize<'de> for RankField<A> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let needed = format!("a quantity and its rank, as in \"{}\", is needed", A::FORM_OF_RANKS);
        Ok(Self(word(deserializer, stated_rank::<A>, &needed)?, PhantomData))
    }
}

/// `rank W X = 2`; in double precision followed by `, zero up to 1e-15`.
fn stated_rank<A: Arithmetic>(text: &str) -> Option<StatedRank> {
    let (text, tolerance) = match text.split_once(", zero up to ") {
        Some((text, number)) if A::ROUNDS => (text, number.parse::<f64>().ok()?),
        None if !A::ROUNDS => (text, 0.0),
        _ => return None,
    };
    let (quantity, rank) = text.rsplit_once(" = ")?;
    let (quantity, rank) = (stated_quantity(quantity), rank.parse().ok()?);
    (tolerance.is_finite() && tolerance >= 0.0).then_some(StatedRank { quantity, rank, tolerance })
}

fn scale<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<(), D::Error> {
    word(deserializer, |text| (text == "sum").then_some(()), "it is \"sum\": L is 1/2 ||W X - Y||^2")
}

fn class<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<CriticalClass, D::Error> {
    word(deserializer, CriticalClass::from_name, "a class as in the answer of diagnose is needed")
}

fn biases<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<BiasKind, D::Error> {
    word(deserializer, BiasKind::from_name, "one of none, first, output is needed")
}

fn sense<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Sense, D::Error> {
    let known = [Sense::Descent, Sense::Ascent];
    let meaning = |text: &str| known.into_iter().find(|sense| sense.name() == text);
    word(deserializer, meaning, "it is \"descent\" or \"ascent\"")
}

fn digest<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<String, D::Error> {
    let hexadecimal = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
    let meaning = |text: &str| (text.len() == 64 && text.bytes().all(hexadecimal)).then(|| text.to_owned());
    word(deserializer, meaning, "64 hexadecimal digits are needed")
}

fn count<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<usize, D::Error> {
    let found = Value::deserialize(deserializer)?.as_u64().filter(|count| (1..1000).contains(count));
    found.map(|count| count as usize).ok_or_else(|| serde::de::Error::custom("a positive integer is needed"))
}

fn seal<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Value, D::Error> {
    with_fields(deserializer, SEALED)
}

/// The certificate of a file.
pub(super) fn certificate(value: &Value) -> Result<CertificateFile> {
    if value["schema"] != "rankscape.certificate/1" {
        return Err(InputError::new("this is not a certificate of this version")
            .array("schema")
            .value(format!("schema {}", value["schema"]))
            .hint("rankscape.certificate/1 is needed: diagnose --certificate FILE writes one"));
    }
    let arithmetic = value.get("arithmetic").ok_or_else(|| missing("arithmetic"))?;
    match arithmetic.as_str() {
        Some("exact") => file::<Rationals>(value, |statement| Certificate::Exact(Box::new(statement))),
        Some("floating") => file::<Doubles>(value, |statement| Certificate::Floating(Box::new(statement))),
        _ => Err(wrong("arithmetic", arithmetic, "it is \"exact\" or \"floating\"")),
    }
}

type StatementOver<A> = Statement<<A as Arithmetic>::Factors, <A as Arithmetic>::StatedData, <A as Arithmetic>::Number>;

fn file<A: Arithmetic>(
    value: &Value,
    certificate: impl Fn(StatementOver<A>) -> Certificate,
) -> Result<CertificateFile> {
    let fields: CertificateFields<A> = from_value(value)?;
    let MadeFromFields { data, biases, output_metric, held } = fields.made_from;
    let point = factors::<A>("point", &fields.point)?;
    if fields.widths != serde_json::json!(A::widths(&point)) {
        let needed = format!("the matrices of the point have {:?}", A::widths(&point));
        return Err(wrong("widths", &fields.widths, &needed));
    }
    let statement = Statement {
        point,
        data: A::data(&fields.data)?,
        class: fields.class,
        rests_on: fields.rests_on.into_iter().map(|ground| ground.0).collect(),
        criticality: A::criticality(&fields.criticality)?,
        reduction: Reduction { biases, output_metric },
        path: fields.path.map(|path| path_claim::<A>(&path)).transpose()?,
    };
    let input = |held: HeldInput| match held {
        HeldInput::Weights => "weights",
        HeldInput::Data => "data",
    };
    let made_from = MadeFrom {
        data: match data {
            DataKind::Samples => "samples",
            DataKind::Target => "target",
        },
        biases: biases.name(),
        output_metric,
        held: held.into_iter().map(input).collect(),
    };
    Ok(CertificateFile {
        certificate: certificate(statement),
        digest: CertificateDigest { weights: fields.digest.weights, data: fields.digest.data },
        made_from,
        says: fields.says,
        seal: fields.seal,
    })
}

fn path_claim<A: Arithmetic>(path: &PathFields) -> Result<PathClaim<A::Factors, A::Number>> {
    let term = |(k, term): (usize, &TermFields)| {
        Ok((term.power, factors::<A>(&format!("path.terms[{k}].factors"), &term.factors)?))
    };
    Ok(PathClaim {
        path: EscapePath { terms: path.terms.iter().enumerate().map(term).collect::<Result<_>>()? },
        sense: path.sense,
        order: path.order,
        coefficient: A::number("path.coefficient", &path.coefficient)?,
        t: A::number("path.t", &path.t)?,
        decrease: A::number("path.decrease", &path.decrease)?,
    })
}

fn factors<A: Arithmetic>(name: &str, matrices: &[Value]) -> Result<A::Factors> {
    let matrices = matrices.iter().enumerate().map(|(k, matrix)| A::matrix(&format!("{name}[{k}]"), matrix));
    A::factors(matrices.collect::<Result<_>>()?).map_err(|error| error.array(name))
}

/// The two kinds of numbers.
trait Arithmetic {
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

/// That of bfloat16.
const LARGEST_ROUNDOFF: f64 = 1.0 / 256.0;

struct Rationals;
struct Doubles;

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
