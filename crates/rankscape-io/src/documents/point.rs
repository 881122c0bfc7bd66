//! What documents say of a point of the product map in the same words: ranks, barcode, differential, verdicts.
#![allow(missing_docs, reason = "the fields are those of the JSON schema, which documents them")]

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::quantity::quantity_words;
use rankscape::evidence::{Evidence, RankDecision};
use rankscape::multiplication::{
    Bar, Barcode, Differential, LiftProperties, NodeOpenness, Openness, RankProfile, Verdict,
};
use rankscape::tolerance::Tolerances;

/// A bar of the barcode.
#[derive(Debug, Clone, Serialize)]
pub struct BarDocument {
    pub from: usize,
    pub to: usize,
    pub multiplicity: usize,
}

/// Rank of the differential of the product map; rank and submersion are null where a rank is not clear.
#[derive(Debug, Clone, Serialize)]
pub struct DifferentialDocument {
    pub rank: Option<usize>,
    pub max_rank: usize,
    pub submersion: Option<bool>,
}

/// Grade and supports of the verdict.
#[derive(Debug, Clone, Serialize)]
pub struct EvidenceDocument {
    pub grade: &'static str,
    pub rests_on: Vec<SupportDocument>,
}

/// One decision.
#[derive(Debug, Clone, Serialize)]
pub struct SupportDocument {
    pub quantity: String,
    pub rank: usize,
    pub above: Option<f64>,
    pub below: Option<f64>,
    pub tolerance: f64,
    pub clear: bool,
}

/// Local openness with what each inner node needs and has.
#[derive(Debug, Clone, Serialize)]
pub struct OpennessDocument {
    pub verdict: &'static str,
    pub reason: String,
    pub nodes: Vec<NodeDocument>,
}

/// The criterion at an inner node.
#[derive(Debug, Clone, Serialize)]
pub struct NodeDocument {
    pub node: usize,
    pub need: i64,
    pub have: i64,
}

/// One of three words and its reason.
#[derive(Debug, Clone, Serialize)]
pub struct VerdictDocument {
    pub verdict: &'static str,
    pub reason: String,
}

/// What the map guarantees about losses composed with it.
#[derive(Debug, Clone, Serialize)]
pub struct LiftDocument {
    pub local_local: VerdictDocument,
    pub local_1: VerdictDocument,
    pub local_ambient: VerdictDocument,
    pub one_1: VerdictDocument,
    pub two_1: VerdictDocument,
    pub three_1: VerdictDocument,
}

impl DifferentialDocument {
    pub(super) fn new(profile: &RankProfile) -> Self {
        let found = Differential::new(profile);
        let decided = profile.is_clear() && Barcode::new(profile).is_some();
        Self {
            rank: decided.then_some(found.rank),
            max_rank: found.max_rank,
            submersion: decided.then_some(found.submersion),
        }
    }
}

impl SupportDocument {
    pub(super) fn new(quantity: &str, decision: &RankDecision) -> Self {
        let &RankDecision { rank, above, below, tolerance, clear, .. } = decision;
        Self { quantity: quantity.to_owned(), rank, above, below, tolerance, clear }
    }
}

impl From<&Evidence> for EvidenceDocument {
    fn from(evidence: &Evidence) -> Self {
        let supports = evidence.rests_on.iter();
        let rests_on = supports
            .map(|support| SupportDocument::new(&quantity_words(support.quantity), &support.decision))
            .collect();
        Self { grade: evidence.grade.name(), rests_on }
    }
}

impl From<&Openness> for OpennessDocument {
    fn from(found: &Openness) -> Self {
        let node = |&NodeOpenness { node, need, have }: &NodeOpenness| NodeDocument { node, need, have };
        Self {
            verdict: word(&found.verdict, "yes", "no"),
            reason: found.verdict.reason.clone(),
            nodes: found.nodes.iter().map(node).collect(),
        }
    }
}

impl From<&LiftProperties> for LiftDocument {
    fn from(found: &LiftProperties) -> Self {
        let of = |verdict: &Verdict| VerdictDocument {
            verdict: word(verdict, "holds", "fails"),
            reason: verdict.reason.clone(),
        };
        Self {
            local_local: of(&found.local_local),
            local_1: of(&found.local_1),
            local_ambient: of(&found.local_ambient),
            one_1: of(&found.one_1),
            two_1: of(&found.two_1),
            three_1: of(&found.three_1),
        }
    }
}

fn word(verdict: &Verdict, yes: &'static str, no: &'static str) -> &'static str {
    match verdict.holds {
        Some(true) => yes,
        Some(false) => no,
        None => "undecided",
    }
}

/// The bars of a barcode.
pub(super) fn bars(barcode: &Barcode) -> Vec<BarDocument> {
    let bar = |&Bar { from, to, multiplicity }: &Bar| BarDocument { from, to, multiplicity };
    barcode.bars.iter().map(bar).collect()
}

/// `"i:j"` to the rank of `W_j ... W_{i+1}`.
pub(super) fn rank_entries(profile: &RankProfile) -> Map<String, Value> {
    profile.decisions().map(|((i, j), decision)| (format!("{i}:{j}"), decision.rank.into())).collect()
}

/// Every tolerance by its name.
pub(super) fn tolerance_entries(tolerances: &Tolerances) -> Map<String, Value> {
    tolerances.entries().iter().map(|&(name, value)| (name.to_owned(), json!(value))).collect()
}
