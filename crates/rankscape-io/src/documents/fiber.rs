//! Moves along the fiber of the product map as documents: `connect`, `balance`, `reach`.
#![allow(missing_docs, reason = "the fields are those of the JSON schema, which documents them")]

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::map::profile_evidence;
use super::{EvidenceDocument, OpennessDocument, RunDocument};
use rankscape::evidence::Grade;
use rankscape::linalg::Matrix;
use rankscape::multiplication::{
    Balance, Connection, MapPoint, Motion, Openness, Path, Piece, Reach, balance_defect, product_difference,
    toward_balance,
};

/// Times at which the product along a path is compared with the one wanted.
const CHECKED_TIMES: usize = 1000;

/// `rankscape.connect/1`.
#[derive(Debug, Clone, Serialize)]
pub struct ConnectDocument {
    pub schema: &'static str,
    pub seed: u64,
    pub digest: BTreeMap<&'static str, String>,
    pub connected: Option<bool>,
    pub reason: String,
    pub path: Option<usize>,
    pub max_product_error: Option<f64>,
    pub separated: Option<SeparatedDocument>,
    pub evidence: EvidenceDocument,
    pub notes: Vec<String>,
    pub run: RunDocument,
}

/// Signs that differ.
#[derive(Debug, Clone, Serialize)]
pub struct SeparatedDocument {
    pub nodes: Vec<usize>,
    pub first: Vec<i8>,
    pub second: Vec<i8>,
}

impl ConnectDocument {
    /// The document of the answer for `first`, in the arithmetic of the two points, and another factorization of its product.
    pub fn new(found: &Connection, first: &MapPoint, digest: BTreeMap<&'static str, String>, seed: u64) -> Self {
        let (connected, reason, separated) = match found {
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
        let path = if let Connection::Path(path) = found { Some(path) } else { None };
        let mut evidence = profile_evidence(first);
        let mut notes = Vec::new();
        if path.is_some_and(|path| path.wanted(0.0).is_some()) {
            evidence.grade = Grade::Numerical.name();
        } else if first.grade() == Grade::Exact {
            notes.push(exact_part("equality of the products, ranks, signs and the answer", "the path"));
        }
        Self {
            schema: "rankscape.connect/1",
            seed,
            digest,
            connected,
            reason,
            path: path.map(|path| path.pieces().len()),
            max_product_error: path.map(|path| path.error(&first.product(), CHECKED_TIMES)),
            separated,
            evidence,
            notes,
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

/// `rankscape.balance/1`.
#[derive(Debug, Clone, Serialize)]
pub struct BalanceDocument {
    pub schema: &'static str,
    pub seed: u64,
    pub digest: BTreeMap<&'static str, String>,
    pub possible: Option<bool>,
    pub reason: String,
    pub defect_before: f64,
    pub defect_after: Option<f64>,
    pub product_error: Option<f64>,
    pub toward: Vec<TowardDocument>,
    pub evidence: EvidenceDocument,
    pub notes: Vec<String>,
    pub run: RunDocument,
}

/// A point of the orbit on the way to the infimum of the defect: the part that does not carry the product times `epsilon`.
#[derive(Debug, Clone, Serialize)]
pub struct TowardDocument {
    pub epsilon: f64,
    pub defect: f64,
    pub product_error: f64,
}

/// Points on the way to the infimum, each with a quarter of the epsilon before.
const QUARTERS: i32 = 6;

fn toward(point: &MapPoint) -> Vec<TowardDocument> {
    let at = |epsilon: f64| {
        let found = toward_balance(point.factors(), point.profile(), epsilon)?;
        let (defect, product_error) = (balance_defect(&found), product_difference(&found, point.factors()));
        Some(TowardDocument { epsilon, defect, product_error })
    };
    (0..QUARTERS).filter_map(|k| at(0.25_f64.powi(k))).collect()
}

impl BalanceDocument {
    /// The document of the answer.
    pub fn new(found: &Balance, point: &MapPoint, digest: BTreeMap<&'static str, String>, seed: u64) -> Self {
        Self {
            schema: "rankscape.balance/1",
            seed,
            digest,
            possible: found.possible.holds,
            reason: found.possible.reason.clone(),
            defect_before: found.defect_before,
            defect_after: found.defect_after,
            product_error: found.product_error,
            toward: if found.possible.holds == Some(false) { toward(point) } else { Vec::new() },
            evidence: profile_evidence(point),
            notes: match point.grade() {
                Grade::Exact => vec![exact_part("ranks and whether it is possible", "defects and balanced weights")],
                _ => Vec::new(),
            },
            run: RunDocument::default(),
        }
    }
}

/// `rankscape.reach/1`.
#[derive(Debug, Clone, Serialize)]
pub struct ReachDocument {
    pub schema: &'static str,
    pub seed: u64,
    pub digest: BTreeMap<&'static str, String>,
    pub reached: bool,
    pub reason: String,
    pub distance_target: f64,
    pub distance_factors: Option<f64>,
    pub order: Option<f64>,
    pub product_error: Option<f64>,
    pub relative_error: Option<f64>,
    pub locally_open: GradedOpennessDocument,
    pub evidence: EvidenceDocument,
    pub notes: Vec<String>,
    pub run: RunDocument,
}

/// Local openness at the point, with the grade of the ranks that decide it.
#[derive(Debug, Clone, Serialize)]
pub struct GradedOpennessDocument {
    #[serde(flatten)]
    pub openness: OpennessDocument,
    pub grade: &'static str,
}

impl ReachDocument {
    /// The document of the answer.
    pub fn new(
        found: &Reach,
        order: Option<f64>,
        point: &MapPoint,
        digest: BTreeMap<&'static str, String>,
        seed: u64,
    ) -> Self {
        let mut evidence = profile_evidence(point);
        evidence.grade = found.grade.name();
        let openness = OpennessDocument::from(&Openness::new(point.profile()));
        Self {
            schema: "rankscape.reach/1",
            seed,
            digest,
            reached: found.factors.is_some(),
            reason: found.reason.clone(),
            distance_target: found.distance_target,
            distance_factors: found.distance_factors,
            order,
            product_error: found.product_error,
            relative_error: found.relative_error,
            locally_open: GradedOpennessDocument { openness, grade: point.grade().name() },
            evidence,
            notes: match point.grade() {
                Grade::Exact => vec![exact_part("ranks of the partial products and openness", "factors and distances")],
                _ => Vec::new(),
            },
            run: RunDocument::default(),
        }
    }
}
