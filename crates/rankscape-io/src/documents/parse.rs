//! A critical point taken apart, as a document.

use serde::Serialize;

use super::digests::PointDigest;
use super::point::{EvidenceDocument, TolerancesDocument, bars};
use super::{BarDocument, RunDocument};
use crate::words::Word;
use rankscape::critical::{CriticalClass, CyclicBar, DeepForm, LevelForm, Order, Parsed};
use rankscape::evidence::{Evidence, Grade};
use rankscape::tolerance::Tolerances;

/// What the document says beside its answer.
#[derive(Debug, Clone, Default)]
pub struct ParseInputs {
    /// `d_0, ..., d_h`.
    pub widths: Vec<usize>,
    /// Singular values of the whitened target.
    pub spectrum: Vec<f64>,
    /// Digest of the weights.
    pub weights_digest: String,
    /// Digest of the data or the target.
    pub data_digest: String,
    /// Seed.
    pub seed: u64,
    /// Tolerances used.
    pub tolerances: Tolerances,
}

/// A critical point taken apart.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ParseDocument {
    /// Name and version of this format.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "rankscape.parse/1")))]
    pub schema: &'static str,
    /// Seed of everything random.
    pub seed: u64,
    /// SHA-256 over shapes and values, the same whatever the format.
    pub digest: PointDigest,
    /// Widths d0, ..., dh.
    #[cfg_attr(feature = "schema", schemars(inner(range(min = 1))))]
    pub widths: Vec<usize>,
    /// Singular values of the whitened target, non-increasing.
    pub spectrum: Vec<f64>,
    /// The gradient counts as zero; nothing is taken apart elsewhere.
    pub critical: bool,
    /// What was done and why, in one sentence.
    pub reason: String,
    /// Relative gradient; 0 if exactly zero.
    pub gradient: f64,
    /// Class of the point.
    pub class: Word<CriticalClass>,
    /// Rank of W X.
    pub rank: Option<usize>,
    /// Captured directions, 1-based into the spectrum.
    #[cfg_attr(feature = "schema", schemars(inner(range(min = 1))))]
    pub captured: Option<Vec<usize>>,
    /// Category of Zhou and Liang; null at global minima and for one layer.
    pub order: Option<OrderDocument>,
    /// Barcode of the whitened factors; both ends included.
    pub barcode: Option<Vec<BarDocument>>,
    /// Strings that wrap through the residual.
    pub wrapped: Option<Vec<BarDocument>>,
    /// Theorem 3 at k = 0, ..., h-2; Theorem 1 for two layers.
    pub levels: Option<Vec<LevelDocument>>,
    /// The deep form, whitened.
    pub deep: Option<DeepDocument>,
    /// Largest error of all rebuilt factors.
    pub reconstruction_error: Option<f64>,
    /// Grade and supports of the verdicts.
    pub evidence: EvidenceDocument,
    /// Every tolerance used; docs/accuracy.md explains them.
    pub tolerances: TolerancesDocument,
    /// What the reader of the files decided and what should be known of the answer.
    pub notes: Vec<String>,
    /// Times and facts of the host.
    pub run: RunDocument,
}

/// The category of Zhou and Liang.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OrderDocument {
    /// The category.
    pub name: Word<Order>,
    /// Smallest level with a skipped value, for deep_non_optimal.
    pub k: Option<usize>,
    /// For other: the q that puts the point into the class that the authors leave open; null if there is none.
    #[cfg_attr(feature = "schema", schemars(range(min = 2)))]
    pub open: Option<usize>,
    /// Why, in one sentence.
    pub reason: String,
}

/// The form at one level.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LevelDocument {
    /// The level.
    pub k: usize,
    /// Distinct positive singular values of Y restricted to the row space of W_k...W_1 X; sigma_i(k) are their squares.
    pub values: Vec<f64>,
    /// m_i(k), multiplicities.
    #[cfg_attr(feature = "schema", schemars(inner(range(min = 1))))]
    pub m: Vec<usize>,
    /// Zero eigenvalues of Sigma_k.
    pub mbar: usize,
    /// p_i(k), captured of each.
    pub p: Vec<usize>,
    /// Captured zero eigenvalues.
    pub pbar: usize,
    /// Rank of W_h...W_{k+2}, the sum of p and pbar.
    pub rank: usize,
    /// Eigenvectors of Sigma_k.
    #[serde(rename = "U")]
    pub u: Vec<Vec<f64>>,
    /// V_k, d_h x d_{k+1}.
    #[serde(rename = "V")]
    pub v: Vec<Vec<f64>>,
    /// C_k, invertible.
    #[serde(rename = "C")]
    pub c: Vec<Vec<f64>>,
    /// L_{k+1}, d_{k+1} x d_k.
    #[serde(rename = "L")]
    pub l: Vec<Vec<f64>>,
    /// Error of the factors rebuilt from these, relative to their size.
    pub error: f64,
    /// Relative size of what condition (6) asks to vanish.
    pub condition: f64,
}

/// The deep form.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeepDocument {
    /// Captured directions, 1-based.
    #[serde(rename = "S")]
    #[cfg_attr(feature = "schema", schemars(inner(range(min = 1))))]
    pub captured: Vec<usize>,
    /// `[U_S, U_Q]`.
    #[serde(rename = "U")]
    pub u: Vec<Vec<f64>>,
    /// D_1, ..., D_{h-1}.
    #[serde(rename = "D")]
    pub d: Vec<Vec<Vec<f64>>>,
    /// Surplus blocks Z_1, ..., Z_h.
    #[serde(rename = "Z")]
    pub z: Vec<Vec<Vec<f64>>>,
    /// Error of the factors rebuilt from these, relative to their size.
    pub error: f64,
    /// Relative size of the products that have to vanish.
    pub condition: f64,
}

impl ParseDocument {
    /// The document of a parsed point.
    pub fn new(found: &Parsed, inputs: &ParseInputs) -> Self {
        let point = found.critical.as_ref();
        let class = point.map_or(CriticalClass::NotCritical, |point| point.class.class);
        let levels = point.and_then(|point| point.levels.as_ref()).filter(|levels| !levels.is_empty());
        let deep = point.and_then(|point| point.deep.as_ref());
        let strings = point.and_then(|point| point.stratum.as_ref());
        let errors = levels.into_iter().flatten().map(|level| level.error).chain(deep.map(|deep| deep.error));
        let bar = |b: CyclicBar| BarDocument { from: b.from, to: b.to, multiplicity: b.multiplicity };
        let unknown = Evidence::new(Grade::Numerical);
        Self {
            schema: "rankscape.parse/1",
            seed: inputs.seed,
            digest: PointDigest {
                data: inputs.data_digest.clone().into(),
                weights: inputs.weights_digest.clone().into(),
            },
            widths: inputs.widths.clone(),
            spectrum: inputs.spectrum.clone(),
            critical: point.is_some(),
            reason: reason(found, inputs.widths.len()),
            gradient: found.gradient,
            class: Word(class),
            rank: point.filter(|point| point.class.class != CriticalClass::Undecided).map(|point| point.class.rank),
            captured: captured(found, inputs.widths.len()),
            order: point.and_then(|point| point.order).map(order_document),
            barcode: strings.map(|strings| bars(&strings.barcode())),
            wrapped: strings.map(|strings| strings.wrapped().map(bar).collect()),
            levels: levels.map(|levels| levels.iter().map(level_document).collect()),
            deep: deep.map(deep_document),
            reconstruction_error: errors.reduce(f64::max),
            evidence: EvidenceDocument::from(point.map_or(&unknown, |point| &point.class.evidence)),
            tolerances: (&inputs.tolerances).into(),
            notes: Vec::new(),
            run: RunDocument::default(),
        }
    }
}

/// The set of the deep form. Where there is none: nothing without data, and all that one layer reaches.
fn captured(found: &Parsed, nodes: usize) -> Option<Vec<usize>> {
    let point = found.critical.as_ref()?;
    let whole = point.no_data || nodes == 2;
    let all = whole.then_some(&point.class).filter(|class| class.class != CriticalClass::Undecided);
    point.deep.as_ref().map(|deep| deep.captured.clone()).or_else(|| all.map(|class| (1..=class.rank).collect()))
}

fn reason(found: &Parsed, nodes: usize) -> String {
    match &found.critical {
        None => format!("not a critical point: the relative gradient is {:.3e}", found.gradient),
        Some(point) if point.undecided => {
            "critical, but a rank or a captured set is not clear: see evidence.rests_on".to_owned()
        }
        Some(point) if point.no_data => {
            "critical, as every point is: X is zero, so nothing is captured and there is no form to take apart"
                .to_owned()
        }
        Some(_) if nodes < 3 => "critical; one layer is all captured and has no form to take apart".to_owned(),
        Some(_) => "critical: every factor is rebuilt from the parts".to_owned(),
    }
}

fn order_document(order: Order) -> OrderDocument {
    let (k, open) = match order {
        Order::DeepNonOptimal { k } => (Some(k), None),
        Order::Other { open } => (None, open),
        _ => (None, None),
    };
    let reason = match order {
        Order::NonOptimal => "a smaller singular value is captured while a larger one is not".to_owned(),
        Order::Optimal => "the largest singular values are captured, and W2 has neither full rank nor other columns".to_owned(),
        Order::DeepNonOptimal { k } => format!("with the first {k} factors fixed, a smaller singular value is captured while a larger one is not"),
        Order::DeepOptimal => "with all but the last two factors fixed, the largest singular values are captured and more could be".to_owned(),
        Order::Other { open: Some(q) } => format!(
            "the class that Zhou and Liang leave open: the factors from W{q} on are a global minimum with the others fixed, and the product from W{q} on is of optimal order"
        ),
        Order::Other { open: None } => {
            "in no category of Zhou and Liang: a product of the last factors captures zero singular values, or has full rank".to_owned()
        }
    };
    OrderDocument { name: Word(order), k, open, reason }
}

fn level_document(level: &LevelForm) -> LevelDocument {
    LevelDocument {
        k: level.k,
        values: level.values.clone(),
        m: level.multiplicities.clone(),
        mbar: level.zero_multiplicity,
        p: level.captured.clone(),
        pbar: level.zero_captured,
        rank: level.rank(),
        u: level.u.to_rows(),
        v: level.v.to_rows(),
        c: level.c.to_rows(),
        l: level.l.to_rows(),
        error: level.error,
        condition: level.condition,
    }
}

fn deep_document(deep: &DeepForm) -> DeepDocument {
    DeepDocument {
        captured: deep.captured.clone(),
        u: deep.u.to_rows(),
        d: deep.d.iter().map(rankscape::Matrix::to_rows).collect(),
        z: deep.z.iter().map(rankscape::Matrix::to_rows).collect(),
        error: deep.error,
        condition: deep.condition,
    }
}
