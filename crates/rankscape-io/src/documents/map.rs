//! The product map at a point as a document.
#![allow(missing_docs, reason = "the fields are those of the JSON schema, which documents them")]

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Number, Value};

use super::RunDocument;
use super::numbers::{float_rows, rational_rows, rational_value};
use super::point::{
    BarDocument, DifferentialDocument, EvidenceDocument, LiftDocument, OpennessDocument, SupportDocument, bars,
    rank_entries, tolerance_entries,
};
use crate::Weights;
use rankscape::multiplication::{
    Barcode, ComponentLabel, Fiber, LearningCoefficient, LiftProperties, LocalLearning, MapPoint, Openness,
    QuadraticWitness, RankProfile, balance_defect, first_order_witness, second_order_witness, unreachable_direction,
};
use rankscape::tolerance::Tolerances;

/// `rankscape.map/1`.
#[derive(Debug, Clone, Serialize)]
pub struct MapDocument {
    pub schema: &'static str,
    pub seed: u64,
    pub digest: BTreeMap<&'static str, String>,
    pub widths: Vec<usize>,
    pub bottleneck_rank: usize,
    pub filling: bool,
    pub rank_profile: Map<String, Value>,
    pub barcode: Option<Vec<BarDocument>>,
    pub differential: DifferentialDocument,
    pub fiber: Option<FiberDocument>,
    pub locally_open: OpennessDocument,
    pub lift: LiftDocument,
    pub least_k: Option<usize>,
    pub witness: WitnessDocument,
    pub balance_defect: f64,
    pub learning_coefficient: LearningDocument,
    pub evidence: EvidenceDocument,
    pub tolerances: Map<String, Value>,
    pub notes: Vec<String>,
    pub run: RunDocument,
}

/// All factorizations of the product.
#[derive(Debug, Clone, Serialize)]
pub struct FiberDocument {
    pub components: Number,
    pub component: ComponentDocument,
    pub dimension: usize,
}

/// Label of a component.
#[derive(Debug, Clone, Serialize)]
pub struct ComponentDocument {
    pub columns: Vec<usize>,
    pub nodes: Vec<usize>,
    pub signs: Vec<i8>,
}

/// Matrices that show why a verdict is no, for anyone to check again, of integers for exact input up to 400 entries; null where it is not no, or
/// too large to print.
#[derive(Debug, Clone, Default, Serialize)]
pub struct WitnessDocument {
    pub locally_open: Option<Value>,
    pub one_1: Option<LossDocument>,
    pub two_1: Option<LossDocument>,
}

/// The loss `<gradient, M - W> + curvature/2 ||M - W||^2`.
#[derive(Debug, Clone, Serialize)]
pub struct LossDocument {
    pub gradient: Value,
    pub curvature: Value,
}

/// Learning coefficients, of the fiber and at the point.
#[derive(Debug, Clone, Serialize)]
pub struct LearningDocument {
    pub global: Option<GlobalLearningDocument>,
    pub local: LocalLearningDocument,
}

/// The smallest coefficient over the fiber.
#[derive(Debug, Clone, Serialize)]
pub struct GlobalLearningDocument {
    pub lambda: f64,
    pub multiplicity: usize,
}

/// The coefficient at the point, or bounds.
#[derive(Debug, Clone, Serialize)]
pub struct LocalLearningDocument {
    pub lambda: Option<f64>,
    pub multiplicity: Option<usize>,
    pub status: &'static str,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

impl MapDocument {
    /// The document of a point.
    pub fn new(point: &MapPoint, weights: &Weights, seed: u64, tolerances: &Tolerances) -> Self {
        let profile = point.profile();
        let architecture = point.factors().architecture();
        let lift = LiftProperties::new(profile);
        Self {
            schema: "rankscape.map/1",
            seed,
            digest: [("weights", weights.digest.clone())].into(),
            widths: architecture.widths().to_vec(),
            bottleneck_rank: architecture.bottleneck_rank(),
            filling: architecture.is_filling(),
            rank_profile: rank_entries(profile),
            barcode: Barcode::new(profile).as_ref().map(bars),
            differential: DifferentialDocument::new(profile),
            fiber: point.label().map(|label| fiber(profile, label)),
            locally_open: OpennessDocument::from(&Openness::new(profile)),
            lift: LiftDocument::from(&lift),
            least_k: lift.least_k,
            witness: witness(point),
            balance_defect: balance_defect(point.factors()),
            learning_coefficient: learning(profile),
            evidence: profile_evidence(point),
            tolerances: tolerance_entries(tolerances),
            notes: notes(weights),
            run: RunDocument::default(),
        }
    }

    /// Something that was asked for is undecided because of the ranks.
    pub fn is_undecided(&self) -> bool {
        self.barcode.is_none() || self.evidence.rests_on.iter().any(|support| !support.clear)
    }
}

/// What the reader of the file decided, and what becomes of biases.
fn notes(weights: &Weights) -> Vec<String> {
    let names: Vec<&str> = weights.bias_names.iter().flatten().map(String::as_str).collect();
    let biases =
        || format!("the product map is that of the matrices; the biases {} have no part in it", names.join(", "));
    weights.notes.iter().cloned().chain((!names.is_empty()).then(biases)).collect()
}

/// Every rank that a verdict on the product map rests on.
pub(super) fn profile_evidence(point: &MapPoint) -> EvidenceDocument {
    let name = |i: usize, j: usize| if j == i + 1 { format!("rank W{j}") } else { format!("rank W{j}...W{}", i + 1) };
    let support = |((i, j), decision): ((usize, usize), _)| SupportDocument::new(&name(i, j), decision);
    EvidenceDocument { grade: point.grade().name(), rests_on: point.profile().decisions().map(support).collect() }
}

fn fiber(profile: &RankProfile, label: ComponentLabel) -> FiberDocument {
    let found = Fiber::new(profile);
    // Digits are always a number; there is no other value to give.
    let components = found.components().to_string().parse().unwrap_or_else(|_| Number::from(0));
    let component = ComponentDocument { columns: label.columns, nodes: label.nodes, signs: label.signs };
    FiberDocument { components, component, dimension: found.dimension }
}

/// Witnesses have the shape of the product; they are found and printed up to this many entries.
const MOST_WITNESS_ENTRIES: usize = 2500;

/// Over the rationals they are found up to this many entries, whose digits grow with the widths; beyond, in double precision.
const MOST_EXACT_WITNESS_ENTRIES: usize = 400;

fn witness(point: &MapPoint) -> WitnessDocument {
    let (factors, profile) = (point.factors(), point.profile());
    let entries = factors.architecture().inputs() * factors.architecture().outputs();
    if entries > MOST_WITNESS_ENTRIES {
        return WitnessDocument::default();
    }
    if let Some(exact) = point.rational().filter(|_| entries <= MOST_EXACT_WITNESS_ENTRIES) {
        let loss = |found: QuadraticWitness<_, _>| LossDocument {
            gradient: rational_rows(&found.gradient),
            curvature: rational_value(&found.curvature),
        };
        return WitnessDocument {
            locally_open: unreachable_direction(exact, profile).as_ref().map(rational_rows),
            one_1: first_order_witness(exact, profile).map(loss),
            two_1: second_order_witness(exact, profile).map(loss),
        };
    }
    let loss = |found: QuadraticWitness| LossDocument {
        gradient: float_rows(&found.gradient),
        curvature: found.curvature.into(),
    };
    WitnessDocument {
        locally_open: unreachable_direction(factors, profile).as_ref().map(float_rows),
        one_1: first_order_witness(factors, profile).map(loss),
        two_1: second_order_witness(factors, profile).map(loss),
    }
}

fn learning(profile: &RankProfile) -> LearningDocument {
    let clear = profile.decision(0, profile.depth()).clear;
    let global = LearningCoefficient::new(profile.widths(), profile.product_rank()).filter(|_| clear);
    let (lambda, multiplicity, status, lower, upper) = match LocalLearning::new(profile) {
        LocalLearning::Exact { lambda, multiplicity } => (Some(lambda), multiplicity, "exact", None, None),
        LocalLearning::Bounds { lower, upper } => (None, None, "bounds", Some(lower), Some(upper)),
        LocalLearning::Undecided => (None, None, "undecided", None, None),
    };
    LearningDocument {
        global: global.map(|g| GlobalLearningDocument { lambda: g.lambda, multiplicity: g.multiplicity }),
        local: LocalLearningDocument { lambda, multiplicity, status, lower, upper },
    }
}
