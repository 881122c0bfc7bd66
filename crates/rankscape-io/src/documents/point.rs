//! What documents say of a point of the product map in the same words: ranks, barcode, differential, verdicts.

#[cfg(feature = "schema")]
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::quantity::quantity_words;
use crate::words::{Word, words};
use rankscape::evidence::{Evidence, Grade, RankDecision};
use rankscape::multiplication::{
    Bar, Barcode, Differential, LiftProperties, NodeOpenness, Openness, RankProfile, Verdict,
};
use rankscape::tolerance::Tolerances;

words! {
    /// Whether the map is open.
    pub enum OpenAnswer {
        /// It is.
        Yes = "yes",
        /// It is not.
        No = "no",
        /// A rank is not clear.
        Undecided = "undecided",
    }
}

words! {
    /// Whether a property holds.
    pub enum Property {
        /// It does.
        Holds = "holds",
        /// It does not.
        Fails = "fails",
        /// A rank is not clear.
        Undecided = "undecided",
    }
}

/// A bar of the barcode.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BarDocument {
    /// First node, included.
    pub from: usize,
    /// Last node, included.
    pub to: usize,
    /// How many of them.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub multiplicity: usize,
}

/// Rank of the differential of the product map; rank and submersion are null where a rank is not clear.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DifferentialDocument {
    /// Its rank; null where a rank is not clear.
    pub rank: Option<usize>,
    /// Dimension of the matrices of rank at most r.
    pub max_rank: usize,
    /// The two are equal here; null where undecided.
    pub submersion: Option<bool>,
}

/// Grade and supports of the verdict.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EvidenceDocument {
    /// Exact: rational arithmetic. Certified: interval arithmetic. Numerical: floating point with stated gaps. Sampled:
    /// random trials.
    pub grade: Word<Grade>,
    /// The rank decisions.
    pub rests_on: Vec<SupportDocument>,
}

/// One decision.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SupportDocument {
    /// Whose rank.
    pub quantity: String,
    /// The rank.
    pub rank: usize,
    /// Smallest singular value that counts as non-zero; null if there is none, or in exact arithmetic.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub above: Option<f64>,
    /// Largest singular value that counts as zero; null if there is none, or in exact arithmetic.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub below: Option<f64>,
    /// At most this counts as zero; 0 in exact arithmetic.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub tolerance: f64,
    /// No singular value lies so close above the tolerance that the rank is in doubt.
    pub clear: bool,
}

/// Local openness with what each inner node needs and has.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OpennessDocument {
    /// Whether the map is open here.
    pub verdict: Word<OpenAnswer>,
    /// Why, in one sentence.
    pub reason: String,
    /// The criterion need <= have at each inner node.
    pub nodes: Vec<NodeDocument>,
}

/// The criterion at an inner node.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NodeDocument {
    /// Number of the node.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub node: usize,
    /// Spare directions needed.
    pub need: i64,
    /// Spare directions there.
    pub have: i64,
}

/// One of three words and its reason.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VerdictDocument {
    /// Whether the property holds.
    pub verdict: Word<Property>,
    /// Why, in one sentence.
    pub reason: String,
}

/// What the map guarantees about losses composed with it.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LiftDocument {
    /// Local minima come from local minima.
    pub local_local: VerdictDocument,
    /// Local minima have stationary products.
    pub local_1: VerdictDocument,
    /// Local minima have a vanishing gradient of the outer loss.
    pub local_ambient: VerdictDocument,
    /// First-order critical implies stationary.
    pub one_1: VerdictDocument,
    /// Second-order critical implies stationary.
    pub two_1: VerdictDocument,
    /// Third-order critical implies stationary.
    pub three_1: VerdictDocument,
}

/// `"i:j"` to the rank of `W_j ... W_{i+1}`.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(inline, extend("propertyNames" = {"pattern": "^[0-9]+:[0-9]+$"}, "minProperties" = 1))
)]
pub struct RanksOfProducts(
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, usize>"))] Map<String, Value>,
);

/// Every tolerance by its name.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(extend("additionalProperties" = {"type": "number", "minimum": 0}, "minProperties" = 1))
)]
pub struct TolerancesDocument(
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, f64>"))] Map<String, Value>,
);

impl From<&RankProfile> for RanksOfProducts {
    fn from(profile: &RankProfile) -> Self {
        Self(profile.decisions().map(|((i, j), decision)| (format!("{i}:{j}"), decision.rank.into())).collect())
    }
}

impl From<&Tolerances> for TolerancesDocument {
    fn from(tolerances: &Tolerances) -> Self {
        Self(tolerances.entries().iter().map(|&(name, value)| (name.to_owned(), value.into())).collect())
    }
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
        Self { grade: Word(evidence.grade), rests_on }
    }
}

impl From<&Openness> for OpennessDocument {
    fn from(found: &Openness) -> Self {
        let node = |&NodeOpenness { node, need, have }: &NodeOpenness| NodeDocument { node, need, have };
        Self {
            verdict: Word(match found.verdict.holds.known() {
                Some(true) => OpenAnswer::Yes,
                Some(false) => OpenAnswer::No,
                None => OpenAnswer::Undecided,
            }),
            reason: found.verdict.reason.clone(),
            nodes: found.nodes.iter().map(node).collect(),
        }
    }
}

impl From<&LiftProperties> for LiftDocument {
    fn from(found: &LiftProperties) -> Self {
        let of = |verdict: &Verdict| VerdictDocument {
            verdict: Word(match verdict.holds.known() {
                Some(true) => Property::Holds,
                Some(false) => Property::Fails,
                None => Property::Undecided,
            }),
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

/// The bars of a barcode.
pub(super) fn bars(barcode: &Barcode) -> Vec<BarDocument> {
    let bar = |&Bar { from, to, multiplicity }: &Bar| BarDocument { from, to, multiplicity };
    barcode.bars.iter().map(bar).collect()
}
