//! The product map at a point as a document.

use super::RunDocument;
use super::digests::WeightsDigest;
use super::numbers::{Entry, Integer, Rows};
use super::point::{
    BarDocument, DifferentialDocument, EvidenceDocument, LiftDocument, OpennessDocument, RanksOfProducts,
    SupportDocument, TolerancesDocument, bars,
};
use crate::Weights;
use crate::words::{Word, words};
use rankscape::multiplication::{
    Barcode, ComponentLabel, Fiber, LearningCoefficient, LiftProperties, LocalLearning, MapPoint, Openness,
    QuadraticWitness, RankProfile, balance_defect, exact_first_order_witness, exact_second_order_witness,
    exact_unreachable_direction, first_order_witness, second_order_witness, unreachable_direction,
};
use rankscape::tolerance::Tolerances;
use serde::Serialize;

/// The product map W_h ... W_1 at a point, without data. Undefined values are null.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MapDocument {
    /// Name and version of this format.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "rankscape.map/1")))]
    pub schema: &'static str,
    /// Seed of everything random.
    pub seed: u64,
    /// SHA-256 over shapes and values, the same whatever the format.
    pub digest: WeightsDigest,
    /// Widths d_0, ..., d_h.
    #[cfg_attr(feature = "schema", schemars(inner(range(min = 1))))]
    pub widths: Vec<usize>,
    /// r = min d_i, the largest rank of a product.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub bottleneck_rank: usize,
    /// r = min(d_0, d_h): every matrix is a product.
    pub filling: bool,
    /// i:j to the rank of W_j ... W_{i+1}.
    pub rank_profile: RanksOfProducts,
    /// Intervals of nodes with multiplicity; null if the ranks contradict one another.
    pub barcode: Option<Vec<BarDocument>>,
    /// Differential of the product map.
    pub differential: DifferentialDocument,
    /// All factorizations of the product; null if its rank is not clear.
    pub fiber: Option<FiberDocument>,
    /// Local openness relative to the matrices of rank at most r.
    pub locally_open: OpennessDocument,
    /// What the map guarantees about losses composed with it.
    pub lift: LiftDocument,
    /// The least k for which k-critical implies stationary for every loss that is differentiable k times
    /// (docs/lift.md); null where ranks are not clear.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub least_k: Option<usize>,
    /// Matrices that show why a verdict is no; null where it is not no, or beyond 2,500 entries. Integers for exact
    /// input, otherwise double precision.
    pub witness: WitnessDocument,
    /// max_k ||W_{k+1}'W_{k+1} - W_k W_k'||_F / (||W_{k+1}||_F^2 + ||W_k||_F^2).
    pub balance_defect: f64,
    /// Real log canonical threshold of the fiber.
    pub learning_coefficient: LearningDocument,
    /// Grade and supports of the verdicts.
    pub evidence: EvidenceDocument,
    /// All tolerances used.
    pub tolerances: TolerancesDocument,
    /// What the reader should know.
    pub notes: Vec<String>,
    /// Times and facts of the host.
    pub run: RunDocument,
}

words! {
    /// How much is known of a number.
    pub enum Knowledge {
        /// Its value.
        Exact = "exact",
        /// A lower and an upper bound.
        Bounds = "bounds",
        /// Nothing.
        Undecided = "undecided",
    }
}

/// All factorizations of the product.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FiberDocument {
    /// Number of path components.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub components: Integer,
    /// The component of this point; compares only with equal columns.
    pub component: ComponentDocument,
    /// Dimension of the largest stratum.
    pub dimension: usize,
}

/// Label of a component.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ComponentDocument {
    /// Independent columns of the product, from 0.
    pub columns: Vec<usize>,
    /// Inner nodes as wide as the product's rank.
    pub nodes: Vec<usize>,
    /// Sign of a determinant at each such node.
    #[cfg_attr(feature = "schema", schemars(inner(range(min = -1, max = 1))))]
    pub signs: Vec<i8>,
}

/// Matrices that show why a verdict is no, for anyone to check again, of integers for exact input up to 400 entries; null where it is not no, or
/// too large to print.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WitnessDocument {
    /// A direction D: W + t D has rank at most r and is, for small t, the product of no nearby factors. Of norm 1 in
    /// double precision.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<Vec<f64>>>"))]
    pub locally_open: Option<Rows>,
    /// A loss `<G, M - W>` for which the point is first-order critical and W is not stationary.
    pub one_1: Option<LossDocument>,
    /// A loss `<G, M - W> + c/2 ||M - W||^2` for which the point is second-order critical and W is not stationary.
    pub two_1: Option<LossDocument>,
}

/// The loss `<gradient, M - W> + curvature/2 ||M - W||^2`.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LossDocument {
    /// G, the gradient at W; not zero. Of norm 1 in double precision.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Vec<f64>>"))]
    pub gradient: Rows,
    /// c, not negative.
    #[cfg_attr(feature = "schema", schemars(with = "f64"))]
    pub curvature: Entry,
}

/// Learning coefficients, of the fiber and at the point.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LearningDocument {
    /// Smallest over the fiber; null if the rank is not clear.
    pub global: Option<GlobalLearningDocument>,
    /// At this point.
    pub local: LocalLearningDocument,
}

/// The smallest coefficient over the fiber.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GlobalLearningDocument {
    /// The coefficient.
    pub lambda: f64,
    /// Multiplicity of the pole.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub multiplicity: usize,
}

/// The coefficient at the point, or bounds.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LocalLearningDocument {
    /// The coefficient, where it is known exactly.
    pub lambda: Option<f64>,
    /// Multiplicity, where it is known.
    pub multiplicity: Option<usize>,
    /// How much is known.
    pub status: Word<Knowledge>,
    /// Lower bound of lambda.
    pub lower: Option<f64>,
    /// Upper bound of lambda.
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
            digest: WeightsDigest { weights: weights.digest.clone().into() },
            widths: architecture.widths().to_vec(),
            bottleneck_rank: architecture.bottleneck_rank(),
            filling: architecture.is_filling(),
            rank_profile: profile.into(),
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
            tolerances: tolerances.into(),
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
    EvidenceDocument { grade: Word(point.grade()), rests_on: point.profile().decisions().map(support).collect() }
}

fn fiber(profile: &RankProfile, label: ComponentLabel) -> FiberDocument {
    let found = Fiber::new(profile);
    let components = Integer::from(&found.components());
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
            gradient: Rows::from(&found.gradient),
            curvature: Entry::from(&found.curvature),
        };
        return WitnessDocument {
            locally_open: exact_unreachable_direction(exact, profile).as_ref().map(Rows::from),
            one_1: exact_first_order_witness(exact, profile).map(loss),
            two_1: exact_second_order_witness(exact, profile).map(loss),
        };
    }
    let loss = |found: QuadraticWitness| LossDocument {
        gradient: Rows::from(&found.gradient),
        curvature: (&found.curvature).into(),
    };
    WitnessDocument {
        locally_open: unreachable_direction(factors, profile).as_ref().map(Rows::from),
        one_1: first_order_witness(factors, profile).map(loss),
        two_1: second_order_witness(factors, profile).map(loss),
    }
}

fn learning(profile: &RankProfile) -> LearningDocument {
    let clear = profile.decision(0, profile.depth()).clear;
    let global = LearningCoefficient::new(profile.widths(), profile.product_rank()).filter(|_| clear);
    let (lambda, multiplicity, status, lower, upper) = match LocalLearning::new(profile) {
        LocalLearning::Exact { lambda, multiplicity } => (Some(lambda), multiplicity, Knowledge::Exact, None, None),
        LocalLearning::Bounds { lower, upper } => (None, None, Knowledge::Bounds, Some(lower), Some(upper)),
        LocalLearning::Undecided => (None, None, Knowledge::Undecided, None, None),
    };
    LearningDocument {
        global: global.map(|g| GlobalLearningDocument { lambda: g.lambda, multiplicity: g.multiplicity }),
        local: LocalLearningDocument { lambda, multiplicity, status: Word(status), lower, upper },
    }
}
