//! A certificate as a document.

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::numbers::{Entry, Rows};
use super::path::TermDocument;
use crate::words::Word;
use rankscape::certificate::{Certificate, Criticality, PathClaim, Sense, StatedRank};
use rankscape::critical::CriticalClass;

/// A point of the square loss L = 1/2 ||W_h ... W_1 X - Y||_F^2, its class, and a path theta(t) = theta + sum_k t^k A_k
/// out of it. All that the statement is about is in the file. Losses are those of L, never normalized.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CertificateDocument {
    /// Name and version of this format.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "rankscape.certificate/1")))]
    pub schema: &'static str,
    /// The statement in one sentence; it must be the one that the other fields make.
    pub says: String,
    /// L is the sum over the samples, 1/2 ||W X - Y||^2, also where the report beside the certificate has a mean.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "sum")))]
    pub scale: &'static str,
    /// Exact: every number is rational and every claim is about these numbers. Floating: numbers in double precision.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["exact", "floating"])))]
    pub arithmetic: &'static str,
    /// SHA-256 over shapes and values, the same whatever the format of the files.
    pub digest: CertificateDigest,
    /// What the certificate was made from.
    pub made_from: MadeFrom,
    /// d_0, ..., d_h.
    #[cfg_attr(feature = "schema", schemars(length(min = 2), inner(range(min = 1))))]
    pub widths: Vec<usize>,
    /// The class of the point.
    pub class: Word<CriticalClass>,
    /// The decisions behind the class and the ranks of the factors as given, all of them and in order.
    pub rests_on: Vec<String>,
    /// When a gradient counts as zero and a rank as clear; null for exact numbers, where the gradient must be zero.
    pub criticality: Option<CriticalityDocument>,
    /// The factors, first layer first, of the problem without biases.
    pub point: Vec<Rows>,
    /// What the loss needs of the data: the exact second moments xx, yx and yy; or, in double precision, reduced data
    /// inputs, target, floor and norm.
    pub data: StatedData,
    /// The path; null where only the class is claimed.
    pub path: Option<ClaimDocument>,
    /// SHA-256 of every other field, of its values as they were written: what was edited since is named. It proves
    /// nothing about the claims, which are checked by themselves.
    #[cfg_attr(
        feature = "schema",
        schemars(
            with = "std::collections::BTreeMap<String, String>",
            extend("additionalProperties" = { "type": "string", "pattern": "^[0-9a-f]{64}$" }, "propertyNames" = {"enum": SEALED}, "minProperties" = SEALED.len())
        )
    )]
    pub seal: Value,
}

/// The fields of a certificate that its seal is of.
#[cfg(feature = "schema")]
const SEALED: [&str; 13] = [
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

/// When a gradient counts as zero and a rank as clear.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CriticalityDocument {
    /// Of the type in which the weights were stored.
    #[cfg_attr(feature = "schema", schemars(extend("exclusiveMinimum" = 0)))]
    pub unit_roundoff: f64,
    /// The relative gradient counts as zero up to this.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub threshold: f64,
    /// So does a gradient whose blocks are at most this times the norms of the factors that they are products of.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub rounding: f64,
    /// A product of at most this times the norms of its factors counts with these norms in the relative gradient.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub vanishing: f64,
    /// A rank is clear when no singular value lies between its tolerance and this times the tolerance.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub rank_gap: f64,
}

/// Data that a certificate holds.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum StatedData {
    /// Exact second moments.
    Exact {
        /// X X'.
        xx: Rows,
        /// Y X'.
        yx: Rows,
        /// ||Y||_F^2.
        yy: Entry,
    },
    /// Data in double precision, reduced.
    Floating {
        /// A, of shape d_0 x rank X: L = 1/2 ||W A - Z||^2 + floor.
        inputs: Rows,
        /// Z, of shape d_h x rank X.
        target: Rows,
        /// The part of the loss that no product reaches.
        #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
        floor: f64,
        /// ||Y||: its square is ||Z||^2 + 2 floor.
        #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
        norm: f64,
    },
}

/// A path and what is claimed of the loss along it.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClaimDocument {
    /// Whether the loss falls or rises.
    pub sense: Word<Sense>,
    /// Lowest k with a non-zero coefficient of t^k of the loss.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub order: usize,
    /// That coefficient: negative for a descent.
    pub coefficient: Entry,
    /// A step along the path.
    pub t: Entry,
    /// L(theta) - L(theta(t)): positive for a descent.
    pub decrease: Entry,
    /// The path, a term for each power of t.
    pub terms: Vec<TermDocument>,
}

/// Digests of the inputs that the certificate was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CertificateDigest {
    /// Of the weights that the certificate was made from.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = "^[0-9a-f]{64}$")))]
    pub weights: String,
    /// Of the data or the target.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = "^[0-9a-f]{64}$")))]
    pub data: String,
}

/// What the inputs were, and which of them stand in the certificate digit for digit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MadeFrom {
    /// Samples, or the target matrix of 1/2 ||W - Y||^2.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["samples", "target"])))]
    pub data: &'static str,
    /// None; one in the first layer alone, which is a column of the first matrix here; one in the last layer, and the
    /// data here are centred.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["none", "first", "output"])))]
    pub biases: &'static str,
    /// An output metric M = C' C was folded in: the last matrix and the target here are C times those of the files.
    pub output_metric: bool,
    /// Inputs whose numbers stand here digit for digit: verify computes their digests again.
    #[cfg_attr(feature = "schema", schemars(extend("uniqueItems" = true), extend("items" = {"enum": ["weights", "data"]})))]
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
                StatedData::Exact { xx: (&data.xx).into(), yx: (&data.yx).into(), yy: (&data.yy).into() },
                statement.path.as_ref().map(|claim| claim_document(claim, exact_factors)),
            )
        }
        Certificate::Floating(statement) => {
            let data = &statement.data;
            (
                "floating",
                statement.point.architecture().widths(),
                float_factors(&statement.point),
                StatedData::Floating {
                    inputs: (&data.inputs).into(),
                    target: (&data.target).into(),
                    floor: data.floor,
                    norm: data.norm,
                },
                statement.path.as_ref().map(|claim| claim_document(claim, float_factors)),
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
        class: Word(certificate.class()),
        rests_on: certificate.rests_on().iter().map(|ground| rank_text(ground, floating)).collect(),
        criticality: certificate.criticality().map(CriticalityDocument::from),
        point,
        data,
        path,
        seal: Value::Null,
    };
    document.seal = seal(&document);
    document
}

impl From<Criticality> for CriticalityDocument {
    fn from(stated: Criticality) -> Self {
        let Criticality { unit_roundoff, threshold, rounding, vanishing, rank_gap } = stated;
        Self { unit_roundoff, threshold, rounding, vanishing, rank_gap }
    }
}

/// `rank W X = 2`; in double precision with its tolerance, relative to the norms of the factors.
fn rank_text(ground: &StatedRank, floating: bool) -> String {
    let StatedRank { quantity, rank, tolerance } = ground;
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

fn exact_factors(step: &rankscape::multiplication::ExactFactors) -> Vec<Rows> {
    step.matrices().iter().map(Rows::from).collect()
}

fn float_factors(step: &rankscape::multiplication::Factors) -> Vec<Rows> {
    step.matrices().iter().map(Rows::from).collect()
}

fn claim_document<F, N>(claim: &PathClaim<F, N>, factors: impl Fn(&F) -> Vec<Rows>) -> ClaimDocument
where
    for<'a> Entry: From<&'a N>,
{
    let terms = claim.path.terms.iter();
    ClaimDocument {
        sense: Word(claim.sense),
        order: claim.order,
        coefficient: (&claim.coefficient).into(),
        t: (&claim.t).into(),
        decrease: (&claim.decrease).into(),
        terms: terms.map(|(power, step)| TermDocument { power: *power, factors: factors(step) }).collect(),
    }
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
