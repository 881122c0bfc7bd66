//! What a file of a certificate holds, read field by field.

use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer};
use serde_json::Value;

use super::arithmetic::{Arithmetic, Doubles, Rationals};
use super::placed::{from_value, missing, with_fields, word, wrong};
use crate::documents::{CertificateDigest, MadeFrom, stated_quantity};
use rankscape::certificate::{BiasKind, Certificate, PathClaim, Reduction, Sense, StatedRank, Statement};
use rankscape::critical::CriticalClass;
use rankscape::error::{InputError, Result};
use rankscape::escape::EscapePath;

/// A certificate and what its file says beside it.
#[derive(Debug, Clone)]
pub struct CertificateFile {
    /// The statement.
    pub certificate: Certificate,
    /// Digests of the weights and the data that it was made from.
    pub digest: CertificateDigest,
    /// What these were.
    pub made_from: MadeFrom,
    /// The statement in one sentence, as it stands in the file.
    pub(super) says: String,
    /// Digests of the fields when the file was written.
    pub(super) seal: Value,
}

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
