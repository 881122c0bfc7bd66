//! A stored run as a document.

use serde::Serialize;

use super::RunDocument;
use super::diagnose::{StallDocument, stall_document};
use super::digests::PointDigest;
use super::inputs::{DiagnoseInputs, Normalization};
use super::point::TolerancesDocument;
use crate::words::Word;
use rankscape::answers::ItineraryAnswer;
use rankscape::critical::CriticalClass;
use rankscape::itinerary::{Ahead, Checkpoint, Visit};

/// Which critical points a stored run of the square loss visited. Losses and eigenvalues are multiplied by what `normalization`
/// says. Undefined numbers are null.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ItineraryDocument {
    /// Name and version of this format.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "rankscape.itinerary/1")))]
    pub schema: &'static str,
    /// Seed of everything random.
    pub seed: u64,
    /// SHA-256 over shapes and values, the same whatever the format of the files; that of the weights is over the digests of all
    /// checkpoints.
    pub digest: PointDigest,
    /// d_0, ..., d_h. A constant feature for a first-layer bias counts in d_0.
    #[cfg_attr(feature = "schema", schemars(length(min = 2), inner(range(min = 1))))]
    pub widths: Vec<usize>,
    /// What losses and eigenvalues are divided by.
    pub normalization: Word<Normalization>,
    /// Number of samples.
    pub samples: u64,
    /// Smallest loss over the architecture.
    pub global_minimum: f64,
    /// The checkpoints, in the order of their steps.
    pub points: Vec<ItineraryPointDocument>,
    /// The critical points that the run visited, in order.
    pub visits: Vec<VisitDocument>,
    /// The plateau that the last checkpoint goes to next; null where nothing is ahead or no single direction grows fastest.
    pub ahead: Option<NextPlateauDocument>,
    /// Checkpoints that could not be read, with the reason; nothing is known of the run there.
    pub unreadable: Vec<String>,
    /// Every tolerance used; docs/accuracy.md explains them.
    pub tolerances: TolerancesDocument,
    /// What the readers of files decided and the user should know.
    pub notes: Vec<String>,
    /// What differs between two runs with the same answer: everything outside this block is the same, byte for byte.
    pub run: RunDocument,
}

/// A checkpoint.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ItineraryPointDocument {
    /// Its step.
    pub step: u64,
    /// The file.
    pub file: String,
    /// The loss L at the checkpoint.
    pub loss: f64,
    /// L minus the global minimum.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub gap: f64,
    /// Number of captured directions.
    pub rank: usize,
    /// 1-based singular directions of the whitened target that the nearest critical point captures; where none is near, those of which
    /// the product has the share one up to a half.
    #[cfg_attr(feature = "schema", schemars(extend("uniqueItems" = true), inner(range(min = 1))))]
    pub captured: Vec<usize>,
    /// Class of the nearest critical point, or of the checkpoint where it is critical; null where none is near.
    pub nearest_class: Option<Word<CriticalClass>>,
    /// ||theta - theta*|| / ||theta||; 0 where the checkpoint is critical.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub distance: Option<f64>,
    /// Whether training stalls; null at critical points and next to minima.
    pub stall: Option<StallDocument>,
    /// The checkpoint rests at the critical point next to it: its loss is that of the critical point up to a fiftieth of what the next
    /// or the last direction is worth, and it is critical, next to a global minimum, or stalled.
    pub rests: bool,
}

/// A stay at a critical point.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VisitDocument {
    /// Step of the first checkpoint that rests there.
    pub from_step: u64,
    /// Step of the last.
    pub to_step: u64,
    /// Number of captured directions.
    pub rank: usize,
    /// 1-based singular directions of the whitened target.
    #[cfg_attr(feature = "schema", schemars(extend("uniqueItems" = true), inner(range(min = 1))))]
    pub captured: Vec<usize>,
    /// What the run is next to; `non_strict_saddle` also where a strict saddle is nearest and a non-strict one over the same directions is
    /// about as near.
    pub class: Word<CriticalClass>,
    /// The critical value.
    pub value: f64,
    /// Smallest eigenvalue of the Hessian at the saddle: 0 at a non-strict one, where nothing grows at a rate of its own; null at a
    /// minimum and where it is not known.
    pub lambda_min: Option<f64>,
    /// 1 / (learning rate |lambda_min|): steps of gradient descent in which a deviation from the saddle grows by a factor e; null
    /// without --learning-rate or without negative curvature.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub steps: Option<f64>,
    /// The plateau that the run goes to from here; null where nothing is ahead or no single direction grows fastest.
    pub ahead: Option<NextPlateauDocument>,
}

/// The next plateau.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NextPlateauDocument {
    /// 1-based direction that is learned.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub learn: usize,
    /// The critical value with it.
    pub value: f64,
}

/// A file of weights of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointFile {
    /// Its step.
    pub step: u64,
    /// The file.
    pub file: String,
}

/// What is to be said of a run beside its answer.
#[derive(Debug, Clone, Default)]
pub struct ItineraryInputs {
    /// Digests, samples, notes.
    pub inputs: DiagnoseInputs,
    /// `d_0, ..., d_h`.
    pub widths: Vec<usize>,
    /// The files that were read, in the order of their steps.
    pub files: Vec<CheckpointFile>,
    /// Files of the run that could not be read, with the reason.
    pub unreadable: Vec<String>,
}

impl ItineraryDocument {
    /// The document of a run.
    pub fn new(found: &ItineraryAnswer, read: &ItineraryInputs) -> Self {
        let inputs = &read.inputs;
        let outputs = read.widths.last().copied().unwrap_or(1);
        let factor = inputs.normalization.factor(inputs.samples, outputs);
        let rate = inputs.learning_rate.map(|rate| rate * factor);
        let points = found.points().iter().zip(&read.files);
        let points = points.map(|((step, point), file)| point_document(*step, point, &file.file, factor, rate));
        let lowest = found.points().first().map_or(0.0, |(_, point)| point.loss - point.gap);
        Self {
            schema: "rankscape.itinerary/1",
            seed: inputs.seed,
            digest: PointDigest {
                data: inputs.data_digest.clone().into(),
                weights: inputs.weights_digest.clone().into(),
            },
            widths: read.widths.clone(),
            normalization: Word(inputs.normalization),
            samples: inputs.samples,
            global_minimum: factor * lowest,
            points: points.collect(),
            visits: found.visits().iter().map(|visit| visit_document(visit, factor, rate)).collect(),
            ahead: found.points().last().and_then(|(_, point)| point.ahead).map(|ahead| next(ahead, factor)),
            unreadable: read.unreadable.clone(),
            tolerances: (&inputs.tolerances).into(),
            notes: inputs.notes.clone(),
            run: RunDocument::default(),
        }
    }
}

fn point_document(step: u64, point: &Checkpoint, file: &str, factor: f64, rate: Option<f64>) -> ItineraryPointDocument {
    ItineraryPointDocument {
        step,
        file: file.to_owned(),
        loss: factor * point.loss,
        gap: factor * point.gap,
        rank: point.captured.len(),
        captured: point.captured.clone(),
        nearest_class: point.nearest.map(|nearest| Word(nearest.class)),
        distance: point.nearest.map(|nearest| nearest.distance),
        stall: point.stall.map(|stall| stall_document(stall, rate)),
        rests: point.rests,
    }
}

/// `rate` is the learning rate for the sum loss.
fn visit_document(visit: &Visit, factor: f64, rate: Option<f64>) -> VisitDocument {
    let steps = rate.zip(visit.lambda_min).map(|(rate, lambda)| 1.0 / (rate * -lambda));
    VisitDocument {
        from_step: visit.from_step,
        to_step: visit.to_step,
        rank: visit.captured.len(),
        captured: visit.captured.clone(),
        class: Word(visit.class),
        value: factor * visit.value,
        lambda_min: visit.lambda_min.map(|lambda| factor * lambda),
        steps: steps.filter(|steps| steps.is_finite() && *steps > 0.0),
        ahead: visit.ahead.map(|ahead| next(ahead, factor)),
    }
}

fn next(ahead: Ahead, factor: f64) -> NextPlateauDocument {
    NextPlateauDocument { learn: ahead.learn, value: factor * ahead.value }
}
