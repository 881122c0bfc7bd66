//! A certificate as a document.
#![allow(missing_docs, reason = "the fields are those of the JSON schema, which documents them")]

use serde::Serialize;
use serde_json::{Value, json};

use super::numbers::{float_rows, rational_rows, rational_value};
use crate::certificate::{Certificate, PathClaim, Sense};
use crate::linalg::Matrix;
use crate::linalg::exact::RationalMatrix;

/// `rankscape.certificate/1`.
#[derive(Debug, Clone, Serialize)]
pub struct CertificateDocument {
    pub schema: &'static str,
    pub says: String,
    pub arithmetic: &'static str,
    pub digest: CertificateDigest,
    pub widths: Vec<usize>,
    pub class: &'static str,
    pub rests_on: Vec<String>,
    pub point: Vec<Value>,
    pub data: Value,
    pub path: Value,
}

/// Digests of the inputs that the certificate was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CertificateDigest {
    pub weights: String,
    pub data: String,
}

/// The document of a certificate; `rests_on` are the decisions behind the class.
pub fn certificate_json(certificate: &Certificate, digest: CertificateDigest, rests_on: Vec<String>) -> CertificateDocument {
    let (arithmetic, widths, class, point, data, path, says) = match certificate {
        Certificate::Exact(statement) => {
            let data = &statement.data;
            (
                "exact",
                statement.point.architecture().widths().to_vec(),
                statement.class.name(),
                statement.point.matrices().iter().map(rational_rows).collect(),
                json!({
                    "xx": rational_rows(&data.xx), "yx": rational_rows(&data.yx), "yy": rational_value(&data.yy)
                }),
                statement.path.as_ref().map(|claim| path_json(claim, exact_factors, rational_value)),
                says(statement.class.name(), statement.path.as_ref().map(|claim| (claim.sense, claim.order))),
            )
        }
        Certificate::Floating(statement) => {
            let data = &statement.data;
            (
                "floating",
                statement.point.architecture().widths().to_vec(),
                statement.class.name(),
                statement.point.matrices().iter().map(float_rows).collect(),
                json!({
                    "inputs": float_rows(&data.inputs), "target": float_rows(&data.target), "floor": data.floor
                }),
                statement.path.as_ref().map(|claim| path_json(claim, float_factors, |x| json!(x))),
                says(statement.class.name(), statement.path.as_ref().map(|claim| (claim.sense, claim.order))),
            )
        }
    };
    CertificateDocument {
        schema: "rankscape.certificate/1",
        says,
        arithmetic,
        digest,
        widths,
        class,
        rests_on,
        point,
        data,
        path: path.unwrap_or(Value::Null),
    }
}

fn exact_factors(step: &crate::multiplication::ExactFactors) -> Vec<Value> {
    step.matrices().iter().map(|m: &RationalMatrix| rational_rows(m)).collect()
}

fn float_factors(step: &crate::multiplication::Factors) -> Vec<Value> {
    step.matrices().iter().map(|m: &Matrix| float_rows(m)).collect()
}

fn path_json<F, N>(claim: &PathClaim<F, N>, factors: impl Fn(&F) -> Vec<Value>, number: impl Fn(&N) -> Value) -> Value {
    let terms: Vec<Value> = claim
        .path
        .terms
        .iter()
        .map(|(power, step)| json!({ "power": power, "factors": factors(step) }))
        .collect();
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
fn says(class: &str, path: Option<(Sense, usize)>) -> String {
    let class = format!("the point is of class {class} for L = 1/2 ||W_h ... W_1 X - Y||^2");
    match path {
        None => class,
        Some((sense, order)) => {
            let how = if sense == Sense::Descent { "falls" } else { "rises" };
            format!("{class}, and L {how} along theta(t) = theta + sum_k t^k A_k, first at order {order}")
        }
    }
}
