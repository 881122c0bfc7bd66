//! Paths that leave a point, by name, as a document.
#![allow(missing_docs, reason = "the fields are those of the JSON schema, which documents them")]

use serde::Serialize;
use serde_json::{Map, Value};

use super::RunDocument;
use super::certificate::CertificateDigest;
use super::diagnose::{EscapeDocument, escape_document};
use super::point::tolerance_entries;
use rankscape::certificate::Sense;
use rankscape::diagnosis::Diagnosis;
use rankscape::escape::{Constructed, Construction, Escape, EscapePath, Judgement};
use rankscape::multiplication::Factors;
use rankscape::network::NormalizedNetwork;
use rankscape::problem::Problem;
use rankscape::tolerance::Tolerances;

/// `rankscape.escape/1`.
#[derive(Debug, Clone, Serialize)]
pub struct EscapeVerbDocument {
    pub schema: &'static str,
    pub seed: u64,
    pub digest: CertificateDigest,
    pub widths: Vec<usize>,
    pub class: &'static str,
    pub sense: &'static str,
    pub escape: Option<EscapeDocument>,
    pub constructions: Vec<ConstructionDocument>,
    pub same_function: Option<SameFunctionDocument>,
    pub tolerances: Map<String, Value>,
    pub notes: Vec<String>,
    pub run: RunDocument,
}

/// What one construction predicts and what was measured.
#[derive(Debug, Clone, Serialize)]
pub struct ConstructionDocument {
    pub name: &'static str,
    pub applies: bool,
    pub reason: Option<&'static str>,
    pub order: Option<usize>,
    pub order_bound: Option<usize>,
    pub predicted_coefficient: Option<f64>,
    pub coefficient: Option<f64>,
    pub t: Option<f64>,
    pub predicted_change: Option<f64>,
    pub change: Option<f64>,
}

/// A point of the same function that is not critical.
#[derive(Debug, Clone, Serialize)]
pub struct SameFunctionDocument {
    pub distance: f64,
    pub product_error: f64,
    pub gradient_before: f64,
    pub gradient_after: f64,
}

/// The end of the path along which the function stays, and what was measured there.
#[derive(Debug, Clone)]
pub struct SameFunction {
    /// The factors.
    pub end: Factors,
    measured: SameFunctionDocument,
}

impl SameFunction {
    /// A step of a quarter along a path that keeps the product on the data.
    pub fn new(problem: &Problem, path: &EscapePath, judgement: Judgement<'_>) -> Self {
        let (start, whitening) = (problem.factors(), problem.whitening());
        let end = path.at(start, 0.25);
        let relative = |factors: &Factors| {
            let network = NormalizedNetwork::new(factors, whitening);
            network.relative_gradient(judgement.unit_roundoff, judgement.tolerances)
        };
        let before = &start.product() * &whitening.inputs();
        let after = &end.product() * &whitening.inputs();
        let measured = SameFunctionDocument {
            distance: end.moved(-1.0, start).norm(),
            product_error: (&after - &before).frobenius_norm(),
            gradient_before: relative(start),
            gradient_after: relative(&end),
        };
        Self { end, measured }
    }
}

/// What the document says beside the paths.
#[derive(Debug, Clone)]
pub struct EscapeInputs {
    /// Digests of weights and data.
    pub digest: CertificateDigest,
    /// Seed.
    pub seed: u64,
    /// Descent or ascent.
    pub sense: Sense,
    /// Tolerances used.
    pub tolerances: Tolerances,
}

impl EscapeVerbDocument {
    /// The document.
    pub fn new(
        found: &Diagnosis,
        chosen: Option<&Escape>,
        all: &[(Construction, Result<Constructed, &'static str>)],
        same: Option<&SameFunction>,
        inputs: &EscapeInputs,
    ) -> Self {
        let lowest_order = found.escape.as_ref().and_then(|escape| escape.lowest_order);
        let lowest_order = lowest_order.filter(|_| inputs.sense == Sense::Descent);
        Self {
            schema: "rankscape.escape/1",
            seed: inputs.seed,
            digest: inputs.digest.clone(),
            widths: found.architecture.widths().to_vec(),
            class: found.class.name(),
            sense: inputs.sense.name(),
            escape: chosen.map(|escape| EscapeDocument { lowest_order, ..escape_document(escape, 1.0) }),
            constructions: all.iter().map(|(name, result)| construction(*name, result.as_ref())).collect(),
            same_function: same.map(|same| same.measured.clone()),
            tolerances: tolerance_entries(&inputs.tolerances),
            notes: Vec::new(),
            run: RunDocument::default(),
        }
    }
}

fn construction(name: Construction, result: Result<&Constructed, &&'static str>) -> ConstructionDocument {
    let found = result.ok();
    let prediction = found.map(|found| found.prediction);
    ConstructionDocument {
        name: name.name(),
        applies: found.is_some(),
        reason: result.err().copied(),
        order: prediction.map(|p| p.order),
        order_bound: prediction.and_then(|p| p.order_bound),
        predicted_coefficient: prediction.map(|p| p.coefficient),
        coefficient: found.and_then(|found| found.coefficient),
        t: found.map(|found| found.t),
        predicted_change: prediction.and_then(|p| p.change),
        change: found.map(|found| found.measured),
    }
}
