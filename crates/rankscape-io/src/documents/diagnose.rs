//! The diagnosis of a point as a document.
#![allow(missing_docs, reason = "the fields are those of the JSON schema, which documents them")]

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::RunDocument;
use super::hessian::lost_end;
use super::numbers::{float_rows, rational_rows};
use super::outlook::{LeaveDocument, OutlookDocument};
use super::point::{BarDocument, DifferentialDocument, EvidenceDocument, bars, rank_entries, tolerance_entries};
use rankscape::critical::{Near, Stall};
use rankscape::diagnosis::Diagnosis;
use rankscape::escape::Leave;
use rankscape::escape::{Escape, EscapePath};
use rankscape::tolerance::Tolerances;

/// A path is stored in the document up to this many parameters; beyond, only its polynomial of the loss.
const INLINE_PARAMETERS: usize = 2000;

/// What the loss is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Normalization {
    /// `L`.
    #[default]
    Sum,
    /// `L / n`.
    Mean,
    /// `2 L / (n d_h)`, as `torch.nn.MSELoss` has it.
    Mse,
}

impl Normalization {
    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Mean => "mean",
            Self::Mse => "mse",
        }
    }

    /// What `L` is multiplied by.
    pub fn factor(self, samples: u64, outputs: usize) -> f64 {
        let samples = samples.max(1) as f64;
        match self {
            Self::Sum => 1.0,
            Self::Mean => 1.0 / samples,
            Self::Mse => 2.0 / (samples * outputs as f64),
        }
    }
}

/// What the document says beside the diagnosis.
#[derive(Debug, Clone, Default)]
pub struct DiagnoseInputs {
    /// Digest of the weights.
    pub weights_digest: String,
    /// Digest of the data or the target.
    pub data_digest: String,
    /// Number of samples; of columns, for a target.
    pub samples: u64,
    /// A target was given in place of samples.
    pub from_target: bool,
    /// Rank of `X`.
    pub data_rank: usize,
    /// What the readers decided.
    pub notes: Vec<String>,
    /// What the loss is divided by.
    pub normalization: Normalization,
    /// Seed.
    pub seed: u64,
    /// Tolerances used.
    pub tolerances: Tolerances,
    /// Learning rate of gradient descent on the loss as it is reported.
    pub learning_rate: Option<f64>,
}

/// `rankscape.diagnose/1`.
#[derive(Debug, Clone, Serialize)]
pub struct DiagnoseDocument {
    pub schema: &'static str,
    pub seed: u64,
    pub digest: BTreeMap<&'static str, String>,
    pub widths: Vec<usize>,
    pub bottleneck_rank: usize,
    pub filling: bool,
    pub samples: Option<u64>,
    pub data_rank: usize,
    pub centred: bool,
    pub normalization: &'static str,
    pub loss: LossDocument,
    pub gradient: GradientDocument,
    pub critical: bool,
    pub class: &'static str,
    pub origin: Option<&'static str>,
    pub stationary_in_function_space: Option<bool>,
    pub spectrum: Vec<f64>,
    pub captured: Option<Vec<usize>>,
    pub near: Option<NearDocument>,
    pub stall: Option<StallDocument>,
    pub hessian: HessianDocument,
    pub escape: Option<EscapeDocument>,
    pub leave: Option<LeaveDocument>,
    pub outlook: OutlookDocument,
    pub rank_profile: Map<String, Value>,
    pub barcode: Option<Vec<BarDocument>>,
    pub differential: DifferentialDocument,
    pub evidence: EvidenceDocument,
    pub tolerances: Map<String, Value>,
    pub notes: Vec<String>,
    pub run: RunDocument,
}

/// Value, smallest value over the architecture, and their difference.
#[derive(Debug, Clone, Serialize)]
pub struct LossDocument {
    pub value: f64,
    pub global_minimum: f64,
    pub gap: f64,
}

/// The gradient and the threshold of criticality.
#[derive(Debug, Clone, Serialize)]
pub struct GradientDocument {
    pub norm: f64,
    pub relative: f64,
    pub threshold: f64,
}

/// The critical points nearby.
#[derive(Debug, Clone, Serialize)]
pub struct NearDocument {
    pub class: &'static str,
    pub nearest_class: &'static str,
    pub captured: Vec<usize>,
    pub rank: usize,
    pub index: Option<usize>,
    pub nullity: Option<usize>,
    pub distance: f64,
    pub distance_whitened: f64,
    pub lower_bound: f64,
    pub strict: Option<NearStrictDocument>,
    pub non_strict: Option<NearNonStrictDocument>,
    pub gradient_after: f64,
    pub value: f64,
    pub barcode: Option<Vec<BarDocument>>,
    pub work: NearWorkDocument,
}

/// The nearest strict saddle.
#[derive(Debug, Clone, Serialize)]
pub struct NearStrictDocument {
    pub distance: f64,
    pub index: Option<usize>,
    pub lambda_min: Option<f64>,
    pub captured: Vec<usize>,
}

/// The nearest non-strict saddle.
#[derive(Debug, Clone, Serialize)]
pub struct NearNonStrictDocument {
    pub distance: f64,
    pub captured: Vec<usize>,
}

/// What the search for the nearest points cost.
#[derive(Debug, Clone, Serialize)]
pub struct NearWorkDocument {
    pub patterns: usize,
    pub pruned: usize,
    pub steps: usize,
    pub iterations: usize,
}

/// Whether training stalls.
#[derive(Debug, Clone, Serialize)]
pub struct StallDocument {
    pub rho: f64,
    pub verdict: &'static str,
    pub steps: Option<f64>,
}

/// Ends of the spectrum and inertia of the Hessian.
#[derive(Debug, Clone, Serialize)]
pub struct HessianDocument {
    pub lambda_min: Option<f64>,
    pub lambda_max: Option<f64>,
    pub index: Option<usize>,
    pub nullity: Option<usize>,
    pub residual: f64,
}

/// A path that leaves.
#[derive(Debug, Clone, Serialize)]
pub struct EscapeDocument {
    pub order: usize,
    pub lowest_order: Option<usize>,
    pub coefficient: f64,
    pub t: f64,
    pub decrease: f64,
    pub kind: &'static str,
    pub certificate: Value,
}

impl DiagnoseDocument {
    /// Adds what was written into `file`.
    #[must_use]
    pub fn with_leave(mut self, found: &Leave, inputs: &DiagnoseInputs, file: String) -> Self {
        let outputs = self.widths.last().copied().unwrap_or(1);
        self.leave = Some(LeaveDocument::new(found, inputs.normalization.factor(inputs.samples, outputs), file));
        self
    }

    /// The document of a diagnosis; losses, gradients and eigenvalues are multiplied by the normalization.
    pub fn new(found: &Diagnosis, inputs: &DiagnoseInputs) -> Self {
        let outputs = found.architecture.outputs();
        let factor = inputs.normalization.factor(inputs.samples, outputs);
        let minimum = found.global_minimum;
        let profile = &found.rank_profile;
        let smallest = &found.extremes.smallest;
        let lowest = smallest.converged.then_some(smallest.value);
        Self {
            schema: "rankscape.diagnose/1",
            seed: inputs.seed,
            digest: [("weights", inputs.weights_digest.clone()), ("data", inputs.data_digest.clone())].into(),
            widths: found.architecture.widths().to_vec(),
            bottleneck_rank: found.architecture.bottleneck_rank(),
            filling: found.architecture.is_filling(),
            samples: (!inputs.from_target).then_some(inputs.samples),
            data_rank: inputs.data_rank,
            centred: found.centred,
            normalization: inputs.normalization.name(),
            loss: LossDocument {
                value: factor * found.loss,
                global_minimum: factor * minimum,
                gap: factor * (found.loss - minimum).max(0.0),
            },
            gradient: GradientDocument {
                norm: factor * found.gradient_norm,
                relative: found.gradient_relative,
                threshold: found.gradient_threshold,
            },
            critical: found.critical,
            class: found.class.name(),
            origin: found.origin.map(rankscape::critical::Origin::name),
            stationary_in_function_space: found.stationary_in_function_space,
            spectrum: found.spectrum.clone(),
            captured: found.captured.clone(),
            near: found.near.as_ref().map(|near| near_document(near, factor, &inputs.tolerances)),
            stall: found.stall.map(|stall| stall_document(stall, inputs.learning_rate.map(|rate| rate * factor))),
            hessian: hessian_document(found, factor),
            escape: found.escape.as_ref().map(|escape| {
                let along_path = escape_document(escape, factor);
                EscapeDocument { decrease: along_path.decrease + factor * found.bias_decrease, ..along_path }
            }),
            leave: None,
            outlook: OutlookDocument::new(found, factor),
            rank_profile: rank_entries(profile),
            barcode: found.barcode.as_ref().map(bars),
            differential: DifferentialDocument::new(profile),
            evidence: EvidenceDocument::from(&found.evidence),
            tolerances: tolerance_entries(&inputs.tolerances),
            notes: inputs.notes.iter().cloned().chain(lost_end(found.inertia, lowest)).collect(),
            run: RunDocument::default(),
        }
    }

    /// What a reader of the certificate beside a mean must know.
    pub fn scale_note(&self) -> Option<String> {
        (self.normalization != Normalization::Sum.name()).then(|| {
            format!(
                "the certificate is about the sum 1/2 ||W X - Y||^2: its coefficient and decrease are not in the scale {:?}",
                self.normalization
            )
        })
    }

    /// Something that was asked for is undecided.
    pub fn is_undecided(&self) -> bool {
        self.class == "undecided"
            || self.near.as_ref().is_some_and(|near| near.class == "undecided")
            || (self.critical && (self.hessian.index.is_none() || self.barcode.is_none()))
    }
}

fn near_document(near: &Near, factor: f64, tolerances: &Tolerances) -> NearDocument {
    let (found, nearest) = (&near.found, &near.found.nearest);
    let work = found.work;
    NearDocument {
        class: found.class.name(),
        nearest_class: nearest.class.name(),
        captured: nearest.captured.clone(),
        rank: nearest.captured.len(),
        index: nearest.index(),
        nullity: nearest.analysis.inertia.map(|inertia| inertia.zero),
        distance: nearest.distance,
        distance_whitened: nearest.distance_whitened,
        lower_bound: found.lower_bound,
        strict: found.strict.as_ref().map(|saddle| NearStrictDocument {
            distance: saddle.distance,
            index: saddle.index(),
            lambda_min: near.strict_lambda_min.map(|value| factor * value),
            captured: saddle.captured.clone(),
        }),
        non_strict: found
            .non_strict
            .as_ref()
            .map(|saddle| NearNonStrictDocument { distance: saddle.distance, captured: saddle.captured.clone() }),
        gradient_after: nearest.gradient_after,
        value: factor * nearest.value,
        barcode: nearest.barcode(tolerances).as_ref().map(bars),
        work: NearWorkDocument {
            patterns: work.patterns,
            pruned: work.pruned,
            steps: work.steps,
            iterations: work.iterations,
        },
    }
}

/// `rate` is the learning rate for the sum loss.
fn stall_document(stall: Stall, rate: Option<f64>) -> StallDocument {
    let steps = rate.map(|rate| 1.0 / (rate * -stall.lambda_min)).filter(|steps| steps.is_finite() && *steps > 0.0);
    StallDocument { rho: stall.rho, verdict: if stall.moving { "moving" } else { "stalled" }, steps }
}

fn hessian_document(found: &Diagnosis, factor: f64) -> HessianDocument {
    let (smallest, largest) = (&found.extremes.smallest, &found.extremes.largest);
    HessianDocument {
        lambda_min: smallest.converged.then_some(factor * smallest.value),
        lambda_max: largest.converged.then_some(factor * largest.value),
        index: found.inertia.map(|inertia| inertia.negative),
        nullity: found.inertia.map(|inertia| inertia.zero),
        residual: factor * smallest.residual.max(largest.residual),
    }
}

pub(super) fn escape_document(escape: &Escape, factor: f64) -> EscapeDocument {
    let parameters = escape.path.terms.first().map_or(0, |(_, step)| step.architecture().parameters());
    let terms = (parameters <= INLINE_PARAMETERS).then(|| path_json(escape));
    let coefficients: Vec<f64> = escape.loss.coefficients[1..].iter().map(|c| factor * c).collect();
    EscapeDocument {
        order: escape.order,
        lowest_order: escape.lowest_order,
        coefficient: factor * escape.coefficient,
        t: escape.t,
        decrease: factor * escape.decrease,
        kind: escape.kind.name(),
        certificate: json!({ "change_of_loss": coefficients, "first_power": 1, "terms": terms }),
    }
}

/// The terms of a path; exact ones as fractions.
fn path_json(escape: &Escape) -> Value {
    fn terms<F>(path: &EscapePath<F>, factors: impl Fn(&F) -> Vec<Value>) -> Value {
        path.terms.iter().map(|(power, step)| json!({ "power": power, "factors": factors(step) })).collect()
    }
    match &escape.exact {
        Some(exact) => terms(&exact.path, |step| step.matrices().iter().map(rational_rows).collect()),
        None => terms(&escape.path, |step| step.matrices().iter().map(float_rows).collect()),
    }
}
