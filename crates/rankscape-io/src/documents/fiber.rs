//! Moves along the fiber of the product map as documents: `connect`, `balance`, `reach`.

use serde::Serialize;
use serde_json::{Value, json};

use super::digests::{Digest, WeightsDigest};
use super::{EvidenceDocument, OpennessDocument, RunDocument};
use crate::words::Word;
use rankscape::answers::{BalanceAnswer, ConnectAnswer, ReachAnswer, TowardBalance};
use rankscape::evidence::Grade;
use rankscape::linalg::Matrix;
use rankscape::multiplication::{Connection, Motion, Path, Piece};

/// Are two factorizations of one matrix connected inside the fiber?
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConnectDocument {
    /// Name and version of this format.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "rankscape.connect/1")))]
    pub schema: &'static str,
    /// Seed of everything random.
    pub seed: u64,
    /// SHA-256 over shapes and values, the same whatever the format.
    pub digest: ConnectDigest,
    /// The answer; null if undecided.
    pub connected: Option<bool>,
    /// Why, in one sentence.
    pub reason: String,
    /// Number of pieces of the path; --save writes them. Null where there is none, and where the answer is exact and
    /// double precision does not resolve a path.
    pub path: Option<usize>,
    /// Largest error of the product at 1001 times, Frobenius norm.
    pub max_product_error: Option<f64>,
    /// Signs that no path can change; null where connected.
    pub separated: Option<SeparatedDocument>,
    /// Grade and supports of the answer in connected: exact where both files hold integers and fractions only and no path
    /// of matrices is lifted. The path itself is in double precision, with its error in max_product_error.
    pub evidence: EvidenceDocument,
    /// What the reader of the weights decided; for exact input, which part of the answer is exact and which is in
    /// double precision.
    pub notes: Vec<String>,
    /// Times and facts of the host.
    pub run: RunDocument,
}

/// Digests of two factorizations and of the path of matrices between their products.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConnectDigest {
    /// Of the path of matrices, with --along.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub along: Option<Digest>,
    /// Of the second factorization.
    pub to: Digest,
    /// Of the first factorization.
    pub weights: Digest,
}

/// Signs that differ.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SeparatedDocument {
    /// Nodes as wide as the product's rank.
    pub nodes: Vec<usize>,
    /// Signs of the first, in a basis of the row space of the product; for exact input of the determinants on its
    /// leftmost independent columns.
    #[cfg_attr(feature = "schema", schemars(inner(range(min = -1, max = 1))))]
    pub first: Vec<i8>,
    /// Signs of the second.
    #[cfg_attr(feature = "schema", schemars(inner(range(min = -1, max = 1))))]
    pub second: Vec<i8>,
}

impl ConnectDocument {
    /// The document of the answer.
    pub fn new(found: &ConnectAnswer, digest: ConnectDigest, seed: u64, notes: Vec<String>) -> Self {
        let path = found.path();
        let (connected, reason, separated) = match &found.connection {
            Connection::Path(path) if path.wanted(0.0).is_some() => {
                (Some(true), "a path over the given path of matrices joins them".to_owned(), None)
            }
            Connection::Path(_) => (Some(true), "a path inside the fiber joins them".to_owned(), None),
            Connection::Connected { reason } => {
                (Some(true), format!("the signs of the determinants agree; {reason}"), None)
            }
            Connection::Separated { nodes, first, second } => (
                Some(false),
                format!("the signs of the determinants differ at nodes as wide as the product's rank: {nodes:?}"),
                Some(SeparatedDocument { nodes: nodes.clone(), first: first.clone(), second: second.clone() }),
            ),
            Connection::Undecided { reason } => (None, reason.clone(), None),
        };
        let parts =
            found.exact.then(|| exact_part("equality of the products, ranks, signs and the answer", "the path"));
        Self {
            schema: "rankscape.connect/1",
            seed,
            digest,
            connected,
            reason,
            path: path.map(|path| path.pieces().len()),
            max_product_error: found.product_error,
            separated,
            evidence: EvidenceDocument::from(&found.evidence),
            notes: parts.into_iter().chain(notes).collect(),
            run: RunDocument::default(),
        }
    }
}

/// What is exact and what is in double precision, for exact input.
fn exact_part(decided: &str, constructed: &str) -> String {
    format!("exact: {decided}; in double precision: {constructed}")
}

/// A path as JSON: pieces that are evaluated anywhere on `0 <= t <= 1`.
pub fn path_json(path: &Path) -> String {
    let pieces: Vec<Value> = path.pieces().iter().map(piece).collect();
    super::to_json(&json!({ "schema": "rankscape.path/1", "pieces": pieces })) + "\n"
}

fn piece(piece: &Piece) -> Value {
    let all = |matrices: &[Matrix]| matrices.iter().map(Matrix::to_rows).collect::<Vec<_>>();
    match piece {
        Piece::Line { from, to } => {
            json!({ "kind": "line", "from": all(from.matrices()), "to": all(to.matrices()) })
        }
        Piece::Frames { left, right, motions, reversed } => json!({
            "kind": "frames",
            "left": left.to_rows(),
            "right": right.to_rows(),
            "reversed": reversed,
            "motions": motions.iter().map(motion).collect::<Vec<_>>(),
        }),
    }
}

fn motion(motion: &Motion) -> Value {
    match motion {
        Motion::Straighten { x, from, to } => {
            json!({ "kind": "straighten", "x": x.to_rows(), "from": from.to_rows(), "to": to.to_rows() })
        }
        Motion::Normalize { a, s, b } => {
            json!({ "kind": "normalize", "a": a.to_rows(), "s": s, "b": b.to_rows() })
        }
        Motion::Rotate { q, rotations } => json!({ "kind": "rotate", "q": q.to_rows(), "rotations": rotations }),
    }
}

/// Balanced weights with the same product, where the orbit has them.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BalanceDocument {
    /// Name and version of this format.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "rankscape.balance/1")))]
    pub schema: &'static str,
    /// Seed of everything random.
    pub seed: u64,
    /// SHA-256 over shapes and values, the same whatever the format.
    pub digest: WeightsDigest,
    /// Whether there are; null if undecided.
    pub possible: Option<bool>,
    /// Why, in one sentence.
    pub reason: String,
    /// Balance defect of the weights given.
    pub defect_before: f64,
    /// Balance defect of the balanced weights.
    pub defect_after: Option<f64>,
    /// Change of the product, Frobenius norm.
    pub product_error: Option<f64>,
    /// Where no balanced point is in the orbit: points of the orbit on the way to the infimum of the defect.
    pub toward: Vec<TowardDocument>,
    /// Grade and supports of the answer in possible: exact for integers and fractions. Balanced weights are in double
    /// precision.
    pub evidence: EvidenceDocument,
    /// What the reader of the weights decided; for exact input, which part of the answer is exact and which is in
    /// double precision.
    pub notes: Vec<String>,
    /// Times and facts of the host.
    pub run: RunDocument,
}

/// A point of the orbit on the way to the infimum of the defect: the part that does not carry the product times `epsilon`.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TowardDocument {
    /// Factor of the part that does not carry the product.
    pub epsilon: f64,
    /// Balance defect there.
    pub defect: f64,
    /// Change of the product, Frobenius norm.
    pub product_error: f64,
}

impl BalanceDocument {
    /// The document of the answer.
    pub fn new(found: &BalanceAnswer, digest: WeightsDigest, seed: u64, notes: Vec<String>) -> Self {
        let BalanceAnswer { balance, toward, evidence } = found;
        let toward = toward.iter().map(|&TowardBalance { epsilon, defect, product_error }| TowardDocument {
            epsilon,
            defect,
            product_error,
        });
        let exact = evidence.grade == Grade::Exact;
        let parts = exact.then(|| exact_part("ranks and whether it is possible", "defects and balanced weights"));
        Self {
            schema: "rankscape.balance/1",
            seed,
            digest,
            possible: balance.possible.holds.known(),
            reason: balance.possible.reason.clone(),
            defect_before: balance.defect_before,
            defect_after: balance.defect_after,
            product_error: balance.product_error,
            toward: toward.collect(),
            evidence: EvidenceDocument::from(evidence),
            notes: parts.into_iter().chain(notes).collect(),
            run: RunDocument::default(),
        }
    }
}

/// Factors near the given ones whose product is the target.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReachDocument {
    /// Name and version of this format.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "rankscape.reach/1")))]
    pub schema: &'static str,
    /// Seed of everything random.
    pub seed: u64,
    /// SHA-256 over shapes and values, the same whatever the format.
    pub digest: ReachDigest,
    /// Factors were constructed.
    pub reached: bool,
    /// Why, when none were found.
    pub reason: String,
    /// ||Z - W||_F of target and product.
    pub distance_target: f64,
    /// Euclidean distance of the factors.
    pub distance_factors: Option<f64>,
    /// Measured slope of log distance_factors against log distance_target over targets on the way to the product; null
    /// where one is not reached.
    pub order: Option<f64>,
    /// ||W' - Z||_F of the product found.
    pub product_error: Option<f64>,
    /// ||W' - Z||_F / ||Z||_F of the product found; null for Z = 0.
    pub relative_error: Option<f64>,
    /// Local openness of the product map at the weights given, relative to the matrices of rank at most r: nearby
    /// targets have nearby factors.
    pub locally_open: GradedOpennessDocument,
    /// Grade and supports of the answer in reached: exact where the ranks of exact weights and an exact target exclude it,
    /// otherwise numerical.
    pub evidence: EvidenceDocument,
    /// What the reader of the weights decided; for exact input, which part of the answer is exact and which is in
    /// double precision.
    pub notes: Vec<String>,
    /// Times and facts of the host.
    pub run: RunDocument,
}

/// Digests of target and weights.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReachDigest {
    /// Of the target matrix.
    pub target: Digest,
    /// Of matrices and biases.
    pub weights: Digest,
}

/// Local openness at the point, with the grade of the ranks that decide it.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GradedOpennessDocument {
    /// Local openness.
    #[serde(flatten)]
    pub openness: OpennessDocument,
    /// Strength of the ranks that decide it: exact for integers and fractions.
    pub grade: Word<Grade>,
}

impl ReachDocument {
    /// The document of the answer.
    pub fn new(found: &ReachAnswer, digest: ReachDigest, seed: u64, notes: Vec<String>) -> Self {
        let ReachAnswer { reach, order, openness, grade, evidence } = found;
        let exact = *grade == Grade::Exact;
        let parts = exact.then(|| exact_part("ranks of the partial products and openness", "factors and distances"));
        Self {
            schema: "rankscape.reach/1",
            seed,
            digest,
            reached: reach.factors.is_some(),
            reason: reach.reason.clone(),
            distance_target: reach.distance_target,
            distance_factors: reach.distance_factors,
            order: *order,
            product_error: reach.product_error,
            relative_error: reach.relative_error,
            locally_open: GradedOpennessDocument { openness: openness.into(), grade: Word(*grade) },
            evidence: EvidenceDocument::from(evidence),
            notes: parts.into_iter().chain(notes).collect(),
            run: RunDocument::default(),
        }
    }
}
