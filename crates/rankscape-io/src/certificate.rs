//! Files of certificates.

use std::path::Path;

use serde_json::Value;

use super::array::{Array, ElementType};
use super::atomic::write_atomically;
use super::digest::{array_digest, combined_digest};
use super::documents::{CertificateDigest, MadeFrom, certificate_json, certificate_says, to_json};
use super::file::read_limited;
use super::json::{JSON_LIMIT, Unambiguous, array_of, parse_rational, syntax_error, without_mark};
use super::weights::digest as layers_digest;
use rankscape::certificate::{
    BiasKind, Certificate, Check, Criticality, PathClaim, ReducedData, Reduction, Sense, StatedRank, Statement,
};
use rankscape::critical::CriticalClass;
use rankscape::data::ExactMoments;
use rankscape::error::{InputError, Result};
use rankscape::escape::EscapePath;
use rankscape::evidence::Grade;
use rankscape::linalg::Matrix;
use rankscape::linalg::exact::{Rational, RationalMatrix, rational_from_f64};
use rankscape::multiplication::{ExactFactors, Factors};
use rankscape::tolerance::UNIT_ROUNDOFF;

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
    says: String,
    /// Digests of the fields when the file was written.
    seal: Value,
}

/// Reads a file in the format `rankscape.certificate/1`.
///
/// # Errors
/// If the file cannot be read, is of another format, or a field is missing, unknown, there twice or of the wrong kind.
pub fn read_certificate(path: impl AsRef<Path>) -> Result<CertificateFile> {
    let path = path.as_ref();
    let read = || {
        let bytes = read_limited(path, JSON_LIMIT)?;
        if without_mark(&bytes).len() < bytes.len() {
            return Err(InputError::new(
                "the certificate begins with a byte-order mark, which no certificate is written with",
            )
            .hint("it was saved by an editor: take the file as it was written"));
        }
        serde_json::from_slice::<Unambiguous>(&bytes).map_err(|error| syntax_error(&bytes, &error))?;
        let value: Value = serde_json::from_slice(&bytes).map_err(|error| syntax_error(&bytes, &error))?;
        from_json(&value)
    };
    read().map_err(|error: InputError| error.file(path.display()))
}

/// Writes a certificate that was made from files with these digests; `target`: the data are a target matrix. The file appears
/// whole or not at all.
///
/// # Errors
/// If the file cannot be written.
pub fn write_certificate(
    path: impl AsRef<Path>,
    certificate: &Certificate,
    digest: CertificateDigest,
    target: bool,
) -> Result<()> {
    let reduction = certificate.reduction();
    let mut made_from = MadeFrom {
        data: if target { "target" } else { "samples" },
        biases: reduction.biases.name(),
        output_metric: reduction.output_metric,
        held: Vec::new(),
    };
    made_from.held = held(certificate, &digest, target);
    let document = certificate_json(certificate, digest, made_from);
    write_atomically(path.as_ref(), (to_json(&document) + "\n").as_bytes())
}

/// Which inputs stand in the certificate, as far as their digests tell.
fn held(certificate: &Certificate, digest: &CertificateDigest, target: bool) -> Vec<&'static str> {
    let weights = digests_of_point(certificate).contains(&digest.weights).then_some("weights");
    let data = (target && digests_of_target(certificate).contains(&digest.data)).then_some("data");
    weights.into_iter().chain(data).collect()
}

/// The digests that weights with the numbers of the point can have; none where biases or a metric were folded in.
fn digests_of_point(certificate: &Certificate) -> Vec<String> {
    if certificate.reduction() != Reduction::default() {
        return Vec::new();
    }
    let arrays: Vec<Array> = match certificate {
        Certificate::Exact(statement) => statement.point.matrices().iter().map(exact_array).collect(),
        Certificate::Floating(statement) => statement.point.matrices().iter().filter_map(whole_array).collect(),
    };
    let layers: Vec<(Array, Option<Array>)> = arrays.into_iter().map(|array| (array, None)).collect();
    either_digest(certificate, |exactly| layers_digest(&layers, exactly))
}

/// The digests that a target with the numbers of the data can have; none where the data are no target.
fn digests_of_target(certificate: &Certificate) -> Vec<String> {
    let target = match certificate {
        _ if certificate.reduction() != Reduction::default() => None,
        Certificate::Exact(statement) => {
            let identity = RationalMatrix::identity(statement.data.xx.nrows());
            (statement.data.xx == identity).then(|| exact_array(&statement.data.yx))
        }
        Certificate::Floating(statement) => {
            let ReducedData { inputs, target, .. } = &statement.data;
            let signs = inputs.entries().all(|x| x == 0.0 || x.abs() == 1.0);
            let identity = Matrix::identity(inputs.nrows());
            // Y = Z A' without rounding.
            let square = signs && inputs.nrows() == inputs.ncols() && inputs.times_transpose(inputs) == identity;
            square.then(|| target.times_transpose(inputs)).as_ref().and_then(whole_array)
        }
    };
    let Some(target) = target else { return Vec::new() };
    either_digest(certificate, |exactly| combined_digest("target", &[array_digest(&target, exactly)]))
}

/// Numbers in double precision can have been read from exact ones.
fn either_digest(certificate: &Certificate, digest: impl Fn(bool) -> String) -> Vec<String> {
    match certificate {
        Certificate::Exact(_) => vec![digest(true)],
        Certificate::Floating(_) => vec![digest(false), digest(true)],
    }
}

fn exact_array(m: &RationalMatrix) -> Array {
    Array {
        name: String::new(),
        shape: vec![m.nrows(), m.ncols()],
        values: Vec::new(),
        element: ElementType::Text,
        exact: Some(m.entries().to_vec()),
    }
}

/// Numbers in double precision with their exact values.
fn whole_array(m: &Matrix) -> Option<Array> {
    let values = m.to_rows().concat();
    let exact = values.iter().map(|x| rational_from_f64(*x)).collect::<Option<Vec<Rational>>>()?;
    let shape = vec![m.nrows(), m.ncols()];
    Some(Array { name: String::new(), shape, values, element: ElementType::F64, exact: Some(exact) })
}

impl CertificateFile {
    /// Checks what the file says beside the statement: the sentence, the seal and the digests of inputs that it holds.
    pub fn checks(&self) -> Vec<Check> {
        let says = certificate_says(&self.certificate);
        let mut checks = vec![exactly("the statement in words", says == self.says, says)];
        let written = certificate_json(&self.certificate, self.digest.clone(), self.made_from.clone()).seal;
        let edited = differing(&written, &self.seal);
        let found = if edited.is_empty() {
            "as they were written".to_owned()
        } else {
            format!("edited since it was written: {}", edited.join(", "))
        };
        checks.push(exactly("the seal of the fields", edited.is_empty(), found));
        let found = held(&self.certificate, &self.digest, self.made_from.data == "target");
        if self.made_from.data == "target" {
            let claim = "a target is reached by some matrix";
            checks.push(exactly(claim, self.certificate.has_no_floor(), "the floor is 0".to_owned()));
        }
        let whole =
            matches!(self.certificate, Certificate::Exact(_)) && self.certificate.reduction() == Reduction::default();
        // Exact weights stand in the certificate whatever it says.
        let needed = |name: &str| self.made_from.held.contains(&name) || (whole && name == "weights");
        for (name, claim) in [("weights", "the digest of the weights"), ("data", "the digest of the data")] {
            if needed(name) {
                checks.push(exactly(claim, found.contains(&name), "from the numbers of the certificate".to_owned()));
            }
        }
        checks
    }
}

fn exactly(claim: &'static str, holds: bool, found: String) -> Check {
    Check { claim, holds: Some(holds), grade: Grade::Exact, found }
}

/// The names under which two objects differ.
fn differing(a: &Value, b: &Value) -> Vec<String> {
    let names =
        |value: &Value| -> Vec<String> { value.as_object().into_iter().flat_map(|map| map.keys().cloned()).collect() };
    let mut all = names(a);
    all.extend(names(b));
    let mut seen = Vec::new();
    for name in all {
        if a[&name] != b[&name] && !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

const FIELDS: [&str; 14] = [
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
    "seal",
];

/// An object with exactly these fields.
fn fields(name: &str, value: &Value, known: &[&str]) -> Result<()> {
    let Some(map) = value.as_object() else { return Err(wrong(name, value, "an object is needed")) };
    let place = |field: &str| if name.is_empty() { field.to_owned() } else { format!("{name}.{field}") };
    if let Some(unknown) = map.keys().find(|field| !known.contains(&field.as_str())) {
        return Err(InputError::new("a certificate has no such field")
            .array(place(unknown))
            .hint(format!("the fields are {}", known.join(", "))));
    }
    match known.iter().find(|field| !map.contains_key(**field)) {
        Some(missing) => Err(InputError::new("a field of the certificate is missing").array(place(missing))),
        None => Ok(()),
    }
}

fn from_json(value: &Value) -> Result<CertificateFile> {
    if value["schema"] != "rankscape.certificate/1" {
        return Err(InputError::new("this is not a certificate of this version")
            .array("schema")
            .value(format!("schema {}", value["schema"]))
            .hint("rankscape.certificate/1 is needed: diagnose --certificate FILE writes one"));
    }
    fields("", value, &FIELDS)?;
    let made_from = made_from(&value["made_from"])?;
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
    fields("digest", &value["digest"], &["weights", "data"])?;
    let digest = |name: &str| {
        let hex =
            |text: &&str| text.len() == 64 && text.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c));
        let found = &value["digest"][name];
        let text = found.as_str().filter(hex).map(str::to_owned);
        text.ok_or_else(|| wrong(&format!("digest.{name}"), found, "64 hexadecimal digits are needed"))
    };
    let sealed: Vec<&str> = FIELDS.into_iter().filter(|field| *field != "seal").collect();
    fields("seal", &value["seal"], &sealed)?;
    let says = value["says"].as_str().map(str::to_owned);
    Ok(CertificateFile {
        certificate,
        digest: CertificateDigest { weights: digest("weights")?, data: digest("data")? },
        made_from,
        says: says.ok_or_else(|| wrong("says", &value["says"], "a text in quotes is needed"))?,
        seal: value["seal"].clone(),
    })
}

fn made_from(value: &Value) -> Result<MadeFrom> {
    fields("made_from", value, &["data", "biases", "output_metric", "held"])?;
    let one_of = |name: &str, known: &[&'static str], found: &Value| {
        let known_one = known.iter().find(|known| found == **known).copied();
        known_one.ok_or_else(|| wrong(name, found, &format!("one of {} is needed", known.join(", "))))
    };
    let metric = value["output_metric"].as_bool();
    let held = list("made_from.held", &value["held"])?;
    Ok(MadeFrom {
        data: one_of("made_from.data", &["samples", "target"], &value["data"])?,
        biases: one_of("made_from.biases", &["none", "first", "output"], &value["biases"])?,
        output_metric: metric
            .ok_or_else(|| wrong("made_from.output_metric", &value["output_metric"], "true or false is needed"))?,
        held: held.iter().map(|name| one_of("made_from.held", &["weights", "data"], name)).collect::<Result<_>>()?,
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

    fn matrix(name: &str, value: &Value) -> Result<Self::Matrix>;
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
    type Data = ExactMoments;

    fn matrix(name: &str, value: &Value) -> Result<RationalMatrix> {
        let rows = rows(name, value)?;
        let entries = rows.iter().map(|row| row.iter().map(|entry| exact_number(name, entry)).collect());
        let entries = entries.collect::<Result<Vec<Vec<Rational>>>>()?;
        Ok(RationalMatrix::from_fn(rows.len(), rows[0].len(), |i, j| entries[i][j].clone()))
    }
    fn factors(matrices: Vec<RationalMatrix>) -> Result<ExactFactors> {
        ExactFactors::new(matrices)
    }
    fn data(value: &Value) -> Result<ExactMoments> {
        fields("data", value, &["xx", "yx", "yy"])?;
        Ok(ExactMoments {
            xx: Self::matrix("data.xx", &value["xx"])?,
            yx: Self::matrix("data.yx", &value["yx"])?,
            yy: Self::number("data.yy", &value["yy"])?,
        })
    }
    fn number(name: &str, value: &Value) -> Result<Rational> {
        exact_number(name, value)
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

    fn matrix(name: &str, value: &Value) -> Result<Matrix> {
        rows(name, value)?;
        let array = array_of(name, value).map_err(|error| error.array(name))?;
        array.check_finite()?;
        array.to_matrix()
    }
    fn factors(matrices: Vec<Matrix>) -> Result<Factors> {
        Factors::new(matrices)
    }
    fn data(value: &Value) -> Result<ReducedData> {
        fields("data", value, &["inputs", "target", "floor", "norm"])?;
        Ok(ReducedData {
            inputs: Self::matrix("data.inputs", &value["inputs"])?,
            target: Self::matrix("data.target", &value["target"])?,
            floor: Self::number("data.floor", &value["floor"])?,
            norm: Self::number("data.norm", &value["norm"])?,
        })
    }
    fn number(name: &str, value: &Value) -> Result<f64> {
        let array = scalar(name, value)?;
        array.check_finite()?;
        array.values.first().copied().ok_or_else(|| wrong(name, value, "a number is needed"))
    }
    fn criticality(value: &Value) -> Result<Option<Criticality>> {
        fields("criticality", value, &["unit_roundoff", "threshold", "rounding", "vanishing", "rank_gap"])?;
        let number = |name: &str, most: f64| {
            let place = format!("criticality.{name}");
            let found = Self::number(&place, &value[name])?;
            let hint = format!("a number that is not negative, at most {most:e}, is needed");
            if (0.0..=most).contains(&found) { Ok(found) } else { Err(wrong(&place, &value[name], &hint)) }
        };
        let stated = Criticality {
            unit_roundoff: number("unit_roundoff", LARGEST_ROUNDOFF)?,
            threshold: number("threshold", f64::MAX)?,
            rounding: number("rounding", f64::MAX)?,
            vanishing: number("vanishing", f64::MAX)?,
            rank_gap: number("rank_gap", f64::MAX)?,
        };
        if stated.unit_roundoff < UNIT_ROUNDOFF {
            let name = "criticality.unit_roundoff";
            return Err(wrong(name, &value["unit_roundoff"], "no type of numbers is finer than double precision"));
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

fn exact_number(name: &str, value: &Value) -> Result<Rational> {
    let text = match value {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        _ => None,
    };
    let exact = text.map(|text| parse_rational(&text)).transpose().map_err(|error| error.array(name))?.flatten();
    exact.ok_or_else(|| wrong(name, value, "an exact certificate holds integers, and fractions in quotes"))
}

/// The rows of a matrix, of equal length; one without columns has empty rows.
fn rows<'a>(name: &str, value: &'a Value) -> Result<Vec<&'a Vec<Value>>> {
    let rows: Option<Vec<&Vec<Value>>> =
        value.as_array().map(|rows| rows.iter().map(Value::as_array).collect()).unwrap_or_default();
    let even = |rows: &Vec<&Vec<Value>>| !rows.is_empty() && rows.iter().all(|row| row.len() == rows[0].len());
    rows.filter(even).ok_or_else(|| wrong(name, value, "a list of rows of equal length is needed"))
}

fn list<'a>(name: &str, value: &'a Value) -> Result<&'a Vec<Value>> {
    value.as_array().ok_or_else(|| wrong(name, value, "a list is needed"))
}

fn factors<A: Arithmetic>(name: &str, value: &Value) -> Result<A::Factors> {
    let matrices = list(name, value)?.iter().enumerate().map(|(k, matrix)| A::matrix(&format!("{name}[{k}]"), matrix));
    A::factors(matrices.collect::<Result<_>>()?).map_err(|error| error.array(name))
}

fn statement<A: Arithmetic>(value: &Value) -> Result<Statement<A::Factors, A::Data, A::Number>> {
    let class = value["class"].as_str().and_then(CriticalClass::from_name);
    let path = &value["path"];
    let criticality = A::criticality(&value["criticality"])?;
    let rank = |text: &Value| support(text, criticality.is_some());
    let biases = value["made_from"]["biases"].as_str().and_then(BiasKind::from_name).unwrap_or_default();
    let output_metric = value["made_from"]["output_metric"] == true;
    Ok(Statement {
        point: factors::<A>("point", &value["point"])?,
        data: A::data(&value["data"])?,
        class: class
            .ok_or_else(|| wrong("class", &value["class"], "a class as in the answer of diagnose is needed"))?,
        rests_on: list("rests_on", &value["rests_on"])?.iter().map(rank).collect::<Result<_>>()?,
        criticality,
        reduction: Reduction { biases, output_metric },
        path: if path.is_null() { None } else { Some(path_claim::<A>(path)?) },
    })
}

/// `rank W X = 2`; in double precision followed by `, zero up to 1e-15`.
fn support(value: &Value, floating: bool) -> Result<StatedRank> {
    let parse = |text: &str| {
        let (text, tolerance) = match text.split_once(", zero up to ") {
            Some((text, number)) if floating => (text, number.parse::<f64>().ok()?),
            None if !floating => (text, 0.0),
            _ => return None,
        };
        let (quantity, rank) = text.rsplit_once(" = ")?;
        let positive = tolerance.is_finite() && tolerance >= 0.0;
        positive.then_some(StatedRank { quantity: quantity.to_owned(), rank: rank.parse().ok()?, tolerance })
    };
    let form = if floating { "rank W X = 2, zero up to 1e-15" } else { "rank W X = 2" };
    let found = value.as_str().and_then(parse);
    found.ok_or_else(|| wrong("rests_on", value, &format!("a quantity and its rank, as in \"{form}\", is needed")))
}

fn path_claim<A: Arithmetic>(path: &Value) -> Result<PathClaim<A::Factors, A::Number>> {
    let count = |name: &str, value: &Value| {
        let found = value.as_u64().filter(|count| (1..1000).contains(count));
        found.map(|count| count as usize).ok_or_else(|| wrong(name, value, "a positive integer is needed"))
    };
    fields("path", path, &["sense", "order", "coefficient", "t", "decrease", "terms"])?;
    let terms = list("path.terms", &path["terms"])?.iter().map(|term| {
        fields("path.terms", term, &["power", "factors"])?;
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
