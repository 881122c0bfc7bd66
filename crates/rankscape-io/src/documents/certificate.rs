//! A certificate as a document.
#![allow(missing_docs, reason = "the fields are those of the JSON schema, which documents them")]

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::numbers::{float_rows, rational_rows, rational_value};
use super::quantity::stated_quantity_words;
use rankscape::certificate::{Certificate, Criticality, PathClaim, Sense, StatedRank};
use rankscape::linalg::Matrix;
use rankscape::linalg::exact::RationalMatrix;

/// `rankscape.certificate/1`.
#[derive(Debug, Clone, Serialize)]
pub struct CertificateDocument {
    pub schema: &'static str,
    pub says: String,
    pub scale: &'static str,
    pub arithmetic: &'static str,
    pub digest: CertificateDigest,
    pub made_from: MadeFrom,
    pub widths: Vec<usize>,
    pub class: &'static str,
    pub rests_on: Vec<String>,
    pub criticality: Value,
    pub point: Vec<Value>,
    pub data: Value,
    pub path: Value,
    pub seal: Value,
}

/// Digests of the inputs that the certificate was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CertificateDigest {
    pub weights: String,
    pub data: String,
}

/// What the inputs were, and which of them stand in the certificate digit for digit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MadeFrom {
    pub data: &'static str,
    pub biases: &'static str,
    pub output_metric: bool,
    pub held: Vec<&'static str>,
}

/// The document of a certificate.
pub fn certificate_json(
    certificate: &Certificate,
    digest: CertificateDigest,
    made_from: MadeFrom,
) -> CertificateDocument {
    let (arithmetic, widths, point, data, path) = match certificate {
        Certificate::Exact(statement) => {
            let data = &statement.data;
            (
                "exact",
                statement.point.architecture().widths(),
                exact_factors(&statement.point),
                json!({
                    "xx": rational_rows(&data.xx), "yx": rational_rows(&data.yx), "yy": rational_value(&data.yy)
                }),
                statement.path.as_ref().map(|claim| path_json(claim, exact_factors, rational_value)),
            )
        }
        Certificate::Floating(statement) => {
            let data = &statement.data;
            (
                "floating",
                statement.point.architecture().widths(),
                float_factors(&statement.point),
                json!({
                    "inputs": float_rows(&data.inputs), "target": float_rows(&data.target),
                    "floor": data.floor, "norm": data.norm
                }),
                statement.path.as_ref().map(|claim| path_json(claim, float_factors, |x| json!(x))),
            )
        }
    };
    let floating = arithmetic == "floating";
    let mut document = CertificateDocument {
        schema: "rankscape.certificate/1",
        says: certificate_says(certificate),
        scale: "sum",
        arithmetic,
        digest,
        made_from,
        widths: widths.to_vec(),
        class: certificate.class().name(),
        rests_on: certificate.rests_on().iter().map(|ground| rank_text(ground, floating)).collect(),
        criticality: certificate.criticality().map_or(Value::Null, criticality_json),
        point,
        data,
        path: path.unwrap_or(Value::Null),
        seal: Value::Null,
    };
    document.seal = seal(&document);
    document
}

fn criticality_json(stated: Criticality) -> Value {
    json!({
        "unit_roundoff": stated.unit_roundoff, "threshold": stated.threshold, "rounding": stated.rounding,
        "vanishing": stated.vanishing, "rank_gap": stated.rank_gap
    })
}

/// `rank W X = 2`; in double precision with its tolerance, relative to the norms of the factors.
fn rank_text(ground: &StatedRank, floating: bool) -> String {
    let StatedRank { rank, tolerance, .. } = ground;
    let quantity = stated_quantity_words(&ground.quantity);
    if floating { format!("{quantity} = {rank}, zero up to {tolerance:e}") } else { format!("{quantity} = {rank}") }
}

/// SHA-256 of every field but the seal, of its JSON text as this program writes it: that of the values, whatever program
/// wrote them again.
fn seal(document: &CertificateDocument) -> Value {
    let digest = |field: &Value| -> String {
        Sha256::digest(field.to_string().as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let Value::Object(fields) = json!(document) else { return Value::Null };
    let sealed = fields.iter().filter(|(name, _)| *name != "seal");
    sealed.map(|(name, field)| (name.clone(), json!(digest(field)))).collect()
}

fn exact_factors(step: &rankscape::multiplication::ExactFactors) -> Vec<Value> {
    step.matrices().iter().map(|m: &RationalMatrix| rational_rows(m)).collect()
}

fn float_factors(step: &rankscape::multiplication::Factors) -> Vec<Value> {
    step.matrices().iter().map(|m: &Matrix| float_rows(m)).collect()
}

fn path_json<F, N>(claim: &PathClaim<F, N>, factors: impl Fn(&F) -> Vec<Value>, number: impl Fn(&N) -> Value) -> Value {
    let terms: Vec<Value> =
        claim.path.terms.iter().map(|(power, step)| json!({ "power": power, "factors": factors(step) })).collect();
    json!({
        "sense": claim.sense.name(),
        "order": claim.order,
        "coefficient": number(&claim.coefficient),
        "t": number(&claim.t),
        "decrease": number(&claim.decrease),
        "terms": terms,
    })
}

/// The statement in one sentence.
pub fn certificate_says(certificate: &Certificate) -> String {
    let class = certificate.class().to_string();
    let class = format!("the point is of class {class} for L = 1/2 ||W_h ... W_1 X - Y||^2");
    match certificate.sense_and_order() {
        None => class,
        Some((sense, order)) => {
            let how = if sense == Sense::Descent { "falls" } else { "rises" };
            format!("{class}, and L {how} along theta(t) = theta + sum_k t^k A_k, first at order {order}")
        }
    }
}
