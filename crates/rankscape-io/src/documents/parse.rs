//! A critical point taken apart, as a document.
#![allow(missing_docs, reason = "the fields are those of the JSON schema, which documents them")]

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::point::{EvidenceDocument, bars, tolerance_entries};
use super::{BarDocument, RunDocument};
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

/// `rankscape.parse/1`.
#[derive(Debug, Clone, Serialize)]
pub struct ParseDocument {
    pub schema: &'static str,
    pub seed: u64,
    pub digest: BTreeMap<&'static str, String>,
    pub widths: Vec<usize>,
    pub spectrum: Vec<f64>,
    pub critical: bool,
    pub reason: String,
    pub gradient: f64,
    pub class: &'static str,
    pub rank: Option<usize>,
    pub captured: Option<Vec<usize>>,
    pub order: Option<OrderDocument>,
    pub barcode: Option<Vec<BarDocument>>,
    pub wrapped: Option<Vec<BarDocument>>,
    pub levels: Option<Vec<LevelDocument>>,
    pub deep: Option<DeepDocument>,
    pub reconstruction_error: Option<f64>,
    pub evidence: EvidenceDocument,
    pub tolerances: Map<String, Value>,
    pub notes: Vec<String>,
    pub run: RunDocument,
}

/// The category of Zhou and Liang.
#[derive(Debug, Clone, Serialize)]
pub struct OrderDocument {
    pub name: &'static str,
    pub k: Option<usize>,
    pub open: Option<usize>,
    pub reason: String,
}

/// The form at one level.
#[derive(Debug, Clone, Serialize)]
pub struct LevelDocument {
    pub k: usize,
    pub values: Vec<f64>,
    pub m: Vec<usize>,
    pub mbar: usize,
    pub p: Vec<usize>,
    pub pbar: usize,
    pub rank: usize,
    #[serde(rename = "U")]
    pub u: Vec<Vec<f64>>,
    #[serde(rename = "V")]
    pub v: Vec<Vec<f64>>,
    #[serde(rename = "C")]
    pub c: Vec<Vec<f64>>,
    #[serde(rename = "L")]
    pub l: Vec<Vec<f64>>,
    pub error: f64,
    pub condition: f64,
}

/// The deep form.
#[derive(Debug, Clone, Serialize)]
pub struct DeepDocument {
    #[serde(rename = "S")]
    pub captured: Vec<usize>,
    #[serde(rename = "U")]
    pub u: Vec<Vec<f64>>,
    #[serde(rename = "D")]
    pub d: Vec<Vec<Vec<f64>>>,
    #[serde(rename = "Z")]
    pub z: Vec<Vec<Vec<f64>>>,
    pub error: f64,
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
            digest: [("weights", inputs.weights_digest.clone()), ("data", inputs.data_digest.clone())].into(),
            widths: inputs.widths.clone(),
            spectrum: inputs.spectrum.clone(),
            critical: point.is_some(),
            reason: reason(found, inputs.widths.len()),
            gradient: found.gradient,
            class: class.name(),
            rank: point.filter(|point| point.class.class != CriticalClass::Undecided).map(|point| point.class.rank),
            captured: captured(found, inputs.widths.len()),
            order: point.and_then(|point| point.order).map(order_document),
            barcode: strings.map(|strings| bars(&strings.barcode())),
            wrapped: strings.map(|strings| strings.wrapped().map(bar).collect()),
            levels: levels.map(|levels| levels.iter().map(level_document).collect()),
            deep: deep.map(deep_document),
            reconstruction_error: errors.reduce(f64::max),
            evidence: EvidenceDocument::from(point.map_or(&unknown, |point| &point.class.evidence)),
            tolerances: tolerance_entries(&inputs.tolerances),
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
    OrderDocument { name: order.name(), k, open, reason }
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
