//! Files of certificates.

use std::path::Path;

use serde_json::Value;

use super::array::Array;
use super::atomic::write_atomically;
use super::documents::{CertificateDigest, certificate_json, to_json};
use super::file::read_limited;
use super::json::{JSON_LIMIT, array_of, syntax_error};
use crate::certificate::{Certificate, Criticality, PathClaim, ReducedData, Sense, Statement};
use crate::critical::{CriticalClass, ExactData};
use crate::error::{InputError, Result};
use crate::escape::EscapePath;
use crate::linalg::Matrix;
use crate::linalg::exact::{Rational, RationalMatrix};
use crate::multiplication::{ExactFactors, Factors};

/// A certificate and what its file says beside it.
#[derive(Debug, Clone)]
pub struct CertificateFile {
    /// The statement.
    pub certificate: Certificate,
    /// Digests of the weights and the data that it was made from.
    pub digest: CertificateDigest,
    /// The statement in one sentence, as it stands in the file.
    pub says: String,
}

/// Reads a file in the format `rankscape.certificate/1`.
///
/// # Errors
/// If the file cannot be read, is of another format, or a field is missing or of the wrong kind.
pub fn read_certificate(path: impl AsRef<Path>) -> Result<CertificateFile> {
    let path = path.as_ref();
    let read = || {
        let bytes = read_limited(path, JSON_LIMIT)?;
        let value: Value = serde_json::from_slice(&bytes).map_err(|error| syntax_error(&bytes, &error))?;
        from_json(&value)
    };
    read().map_err(|error: InputError| error.file(path.display()))
}

/// Writes a certificate. The file appears whole or not at all.
///
/// # Errors
/// If the file cannot be written.
pub fn write_certificate(path: impl AsRef<Path>, certificate: &Certificate, digest: CertificateDigest) -> Result<()> {
    let document = certificate_json(certificate, digest);
    write_atomically(path.as_ref(), (to_json(&document) + "\n").as_bytes())
}

fn from_json(value: &Value) -> Result<CertificateFile> {
    if value["schema"] != "rankscape.certificate/1" {
        return Err(InputError::new("this is not a certificate")
            .value(format!("schema {}", value["schema"]))
            .hint("diagnose --certificate FILE writes one"));
    }
    let certificate = match value["arithmetic"].as_str() {
        Some("exact") => Certificate::Exact(Box::new(statement::<Exact>(value)?)),
        Some("floating") => Certificate::Floating(Box::new(statement::<Floating>(value)?)),
        _ => return Err(wrong("arithmetic", &value["arithmetic"], "it is \"exact\" or \"floating\"")),
    };
    if value["scale"] != "sum" {
        return Err(wrong("scale", &value["scale"], "it is \"sum\": L is 1/2 ||W X - Y||^2"));
    }
    let found = match &certificate {
        Certificate::Exact(statement) => statement.point.architecture().widths(),
        Certificate::Floating(statement) => statement.point.architecture().widths(),
    };
    if value["widths"] != serde_json::json!(found) {
        return Err(wrong("widths", &value["widths"], &format!("the matrices of the point have {found:?}")));
    }
    let text = |at: &Value, name: &str| {
        at.as_str().map(str::to_owned).ok_or_else(|| wrong(name, at, "a text in quotes is needed"))
    };
    Ok(CertificateFile {
        certificate,
        digest: CertificateDigest {
            weights: text(&value["digest"]["weights"], "digest.weights")?,
            data: text(&value["digest"]["data"], "digest.data")?,
        },
        says: text(&value["says"], "says")?,
    })
}

fn wrong(field: &str, found: &Value, hint: &str) -> InputError {
    let text: String = found.to_string().chars().take(60).collect();
    InputError::new("a field of the certificate is missing or of the wrong kind").array(field).value(text).hint(hint)
}

/// The two kinds of numbers.
trait Arithmetic {
    type Number;
    type Matrix;
    type Factors;
    type Data;

    fn matrix(array: &Array) -> Result<Self::Matrix>;
    fn factors(matrices: Vec<Self::Matrix>) -> Result<Self::Factors>;
    fn data(value: &Value) -> Result<Self::Data>;
    fn number(name: &str, value: &Value) -> Result<Self::Number>;
    fn criticality(value: &Value) -> Result<Option<Criticality>>;
}

/// That of bfloat16.
const LARGEST_ROUNDOFF: f64 = 1.0 / 256.0;

struct Exact;
struct Floating;

impl Arithmetic for Exact {
    type Number = Rational;
    type Matrix = RationalMatrix;
    type Factors = ExactFactors;
    type Data = ExactData;

    fn matrix(array: &Array) -> Result<RationalMatrix> {
        array
            .to_rational()?
            .ok_or_else(|| InputError::new("an exact certificate holds integers and fractions only").array(&array.name))
    }
    fn factors(matrices: Vec<RationalMatrix>) -> Result<ExactFactors> {
        ExactFactors::new(matrices)
    }
    fn data(value: &Value) -> Result<ExactData> {
        Ok(ExactData {
            xx: Self::matrix(&table("data.xx", &value["xx"])?)?,
            yx: Self::matrix(&table("data.yx", &value["yx"])?)?,
            yy: Self::number("data.yy", &value["yy"])?,
        })
    }
    fn number(name: &str, value: &Value) -> Result<Rational> {
        let array = scalar(name, value)?;
        let exact = array.exact.as_ref().and_then(|list| list.first().cloned());
        exact.ok_or_else(|| wrong(name, value, "an integer, or a fraction in quotes, is needed"))
    }
    fn criticality(value: &Value) -> Result<Option<Criticality>> {
        let null = value.is_null().then_some(None);
        null.ok_or_else(|| {
            wrong("criticality", value, "an exact certificate has null there: the gradient must be zero")
        })
    }
}

impl Arithmetic for Floating {
    type Number = f64;
    type Matrix = Matrix;
    type Factors = Factors;
    type Data = ReducedData;

    fn matrix(array: &Array) -> Result<Matrix> {
        array.check_finite()?;
        array.to_matrix()
    }
    fn factors(matrices: Vec<Matrix>) -> Result<Factors> {
        Factors::new(matrices)
    }
    fn data(value: &Value) -> Result<ReducedData> {
        Ok(ReducedData {
            inputs: Self::matrix(&table("data.inputs", &value["inputs"])?)?,
            target: Self::matrix(&table("data.target", &value["target"])?)?,
            floor: Self::number("data.floor", &value["floor"])?,
        })
    }
    fn number(name: &str, value: &Value) -> Result<f64> {
        let array = scalar(name, value)?;
        array.check_finite()?;
        array.values.first().copied().ok_or_else(|| wrong(name, value, "a number is needed"))
    }
    fn criticality(value: &Value) -> Result<Option<Criticality>> {
        let number = |name: &str, value: &Value, largest: f64| {
            let found = Self::number(name, value)?;
            let hint = format!("a positive number, at most {largest:e}, is needed");
            if found > 0.0 && found <= largest { Ok(found) } else { Err(wrong(name, value, &hint)) }
        };
        Ok(Some(Criticality {
            unit_roundoff: number("criticality.unit_roundoff", &value["unit_roundoff"], LARGEST_ROUNDOFF)?,
            threshold: number("criticality.threshold", &value["threshold"], 1.0)?,
        }))
    }
}

/// A single number.
fn scalar(name: &str, value: &Value) -> Result<Array> {
    if !(value.is_number() || value.is_string()) {
        return Err(wrong(name, value, "a number is needed"));
    }
    array_of(name, &Value::Array(vec![value.clone()])).map_err(|error| error.array(name))
}

/// A matrix; one without columns has empty rows.
fn table(name: &str, value: &Value) -> Result<Array> {
    if !value.is_array() {
        return Err(wrong(name, value, "a list of rows is needed"));
    }
    let array = array_of(name, value).map_err(|error| error.array(name))?;
    if array.shape.len() != 2 {
        return Err(wrong(name, value, "a list of rows is needed"));
    }
    Ok(array)
}

fn list<'a>(name: &str, value: &'a Value) -> Result<&'a Vec<Value>> {
    value.as_array().ok_or_else(|| wrong(name, value, "a list is needed"))
}

fn factors<A: Arithmetic>(name: &str, value: &Value) -> Result<A::Factors> {
    let matrices = list(name, value)?.iter().map(|matrix| A::matrix(&table(name, matrix)?));
    A::factors(matrices.collect::<Result<_>>()?)
}

fn statement<A: Arithmetic>(value: &Value) -> Result<Statement<A::Factors, A::Data, A::Number>> {
    let class = value["class"].as_str().and_then(CriticalClass::from_name);
    let path = value.get("path").ok_or_else(|| wrong("path", &Value::Null, "null, or a path, is needed"))?;
    if value.get("criticality").is_none() {
        return Err(wrong("criticality", &Value::Null, "it says when the gradient counts as zero"));
    }
    Ok(Statement {
        point: factors::<A>("point", &value["point"])?,
        data: A::data(&value["data"])?,
        class: class
            .ok_or_else(|| wrong("class", &value["class"], "a class as in the answer of diagnose is needed"))?,
        rests_on: list("rests_on", &value["rests_on"])?.iter().map(support).collect::<Result<_>>()?,
        criticality: A::criticality(&value["criticality"])?,
        path: if path.is_null() { None } else { Some(path_claim::<A>(path)?) },
    })
}

/// `rank W X = 2`.
fn support(value: &Value) -> Result<(String, usize)> {
    let parts = value.as_str().and_then(|text| text.rsplit_once(" = "));
    let found = parts.and_then(|(quantity, rank)| Some((quantity.to_owned(), rank.parse().ok()?)));
    found.ok_or_else(|| wrong("rests_on", value, "a quantity and its rank, as in \"rank W X = 2\", is needed"))
}

fn path_claim<A: Arithmetic>(path: &Value) -> Result<PathClaim<A::Factors, A::Number>> {
    let count = |name: &str, value: &Value| {
        let found = value.as_u64().filter(|count| (1..1000).contains(count));
        found.map(|count| count as usize).ok_or_else(|| wrong(name, value, "a positive integer is needed"))
    };
    let terms = list("path.terms", &path["terms"])?.iter().map(|term| {
        Ok((count("path.terms.power", &term["power"])?, factors::<A>("path.terms.factors", &term["factors"])?))
    });
    Ok(PathClaim {
        path: EscapePath { terms: terms.collect::<Result<_>>()? },
        sense: match path["sense"].as_str() {
            Some("descent") => Sense::Descent,
            Some("ascent") => Sense::Ascent,
            _ => return Err(wrong("path.sense", &path["sense"], "it is \"descent\" or \"ascent\"")),
        },
        order: count("path.order", &path["order"])?,
        coefficient: A::number("path.coefficient", &path["coefficient"])?,
        t: A::number("path.t", &path["t"])?,
        decrease: A::number("path.decrease", &path["decrease"])?,
    })
}
