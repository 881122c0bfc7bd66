//! Gradient flow and descent as a document.

use serde::Serialize;

use super::RunDocument;
use super::digests::PointDigest;
use super::inputs::{DiagnoseInputs, Normalization};
use super::point::TolerancesDocument;
use crate::words::{Word, words};
use rankscape::answers::{FlowAnswer, Motion};
use rankscape::critical::CriticalClass;
use rankscape::flow::Stop;
use rankscape::tolerance::Tolerances;

words! {
    /// What happens in a run.
    pub enum EventKind {
        /// The loss stays at a critical value.
        Plateau = "plateau",
        /// The run ends.
        Stop = "stop",
    }
}

words! {
    /// What moves.
    pub enum MethodName {
        /// Gradient flow.
        Flow = "flow",
        /// Gradient descent.
        Descent = "gd",
        /// Gradient descent with momentum.
        Momentum = "momentum",
        /// Gradient descent on batches of samples.
        Stochastic = "sgd",
    }
}

words! {
    /// Why a run ended.
    pub enum StopReason {
        /// The time is up.
        Time = "time",
        /// The gap is small enough.
        Gap = "gap",
        /// The gradient is zero, or nearly.
        Gradient = "gradient",
        /// The steps are used up.
        Steps = "steps",
        /// The loss grows without end.
        Diverged = "diverged",
    }
}

/// A run of gradient flow dtheta/dt = -grad L - l theta, or of gradient descent, from a point. Losses are those of the sum; time is the
/// number of steps for gradient descent. Undefined numbers are null.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FlowDocument {
    /// Name and version of this format.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "rankscape.flow/1")))]
    pub schema: &'static str,
    /// Seed of everything random.
    pub seed: u64,
    /// SHA-256 over shapes and values, the same whatever the format of the files.
    pub digest: PointDigest,
    /// d_0, ..., d_h. A constant feature for a first-layer bias counts in d_0.
    #[cfg_attr(feature = "schema", schemars(length(min = 2), inner(range(min = 1))))]
    pub widths: Vec<usize>,
    /// Which loss.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = crate::loss::LOSS_NAMES)))]
    pub loss: &'static str,
    /// What moves.
    pub method: Word<MethodName>,
    /// l of the decay l/2 sum ||W_k||^2, which counts in all losses.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub weight_decay: f64,
    /// Smallest loss over the architecture; null where it is not known, and with decay.
    pub global_minimum: Option<f64>,
    /// The start.
    pub start: FlowPointDocument,
    /// At equidistant times.
    pub samples: Vec<FlowPointDocument>,
    /// When the gap has come to a part of the one at the start.
    pub levels: Vec<FlowLevelDocument>,
    /// What the flow conserves.
    pub conserved: ConservedDocument,
    /// Plateaus and the end, in order.
    pub events: Vec<FlowEventDocument>,
    /// The end.
    #[serde(rename = "final")]
    pub last: FlowPointDocument,
    /// Why the run ended.
    pub stop: Word<StopReason>,
    /// The longest step at which gradient descent stays at the balanced minimum, 2 / (h s^(2h-2) ||X||^2), where X X' is a multiple of the
    /// identity; null elsewhere and for other losses.
    #[cfg_attr(feature = "schema", schemars(extend("exclusiveMinimum" = 0)))]
    pub stability_limit: Option<f64>,
    /// The flow keeps the sign of the determinant from this balanced start, and the target has the other one: it ends in the saddle without
    /// the smallest direction.
    pub determinant_sign_obstruction: bool,
    /// Steps of the integrator, or of gradient descent.
    pub steps: usize,
    /// Gradients evaluated.
    pub gradients: usize,
    /// Every tolerance used; docs/accuracy.md explains them.
    pub tolerances: TolerancesDocument,
    /// What the readers of files decided and the user should know.
    pub notes: Vec<String>,
    /// What differs between two runs with the same answer: everything outside this block is the same, byte for byte.
    pub run: RunDocument,
}

/// A point of a run.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FlowPointDocument {
    /// The time.
    pub time: f64,
    /// The loss, with decay.
    pub loss: Option<f64>,
    /// Loss minus global minimum; null where that is not known.
    pub gap: Option<f64>,
}

/// When the loss has come to a level.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FlowLevelDocument {
    /// Part of the gap at the start.
    pub fraction: f64,
    /// Global minimum plus this part.
    pub level: f64,
    /// The time; null if it was not reached.
    pub time: Option<f64>,
}

/// What the flow conserves.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConservedDocument {
    /// max_k ||C_k(t) - exp(-2 l t) C_k(0)||_F / (||W_{k+1}(0)||_F^2 + ||W_k(0)||_F^2 + ||b_k(0)||^2) over the run, C_k = W_{k+1}'W_{k+1} - W_k W_k'
    /// - b_k b_k'; null with weight decay and biases before the last layer. Gradient descent does not conserve.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub max_drift: Option<f64>,
}

/// A plateau, or the end.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FlowEventDocument {
    /// What happens.
    pub kind: Word<EventKind>,
    /// When it begins.
    pub time: f64,
    /// For how long; null for the end, and for a plateau on which the run ends.
    pub duration: Option<f64>,
    /// Number of captured directions; null for the end.
    pub rank: Option<usize>,
    /// What the balanced critical point with these directions is; null for starts that are not balanced, and for the end.
    pub class: Option<Word<CriticalClass>>,
    /// 1-based places in the spectrum of the whitened target of the directions that the product has; null for the end.
    #[cfg_attr(feature = "schema", schemars(extend("uniqueItems" = true), inner(range(min = 1))))]
    pub captured: Option<Vec<usize>>,
    /// The critical value; the loss, for the end.
    pub value: Option<f64>,
}

/// What the document says beside the run.
#[derive(Debug, Clone)]
pub struct FlowInputs {
    /// Name of the loss.
    pub loss: &'static str,
    /// Widths.
    pub widths: Vec<usize>,
    /// Weight decay.
    pub decay: f64,
    /// What moves.
    pub motion: Motion,
    /// The digest of the weights; empty for a start that was made.
    pub weights_digest: String,
    /// The digest of the data and the loss.
    pub data_digest: String,
    /// Seed.
    pub seed: u64,
    /// Tolerances.
    pub tolerances: Tolerances,
    /// What the readers decided.
    pub notes: Vec<String>,
}

impl FlowInputs {
    /// Those of a point that was read.
    pub fn of_point(
        inputs: DiagnoseInputs,
        loss: &'static str,
        widths: Vec<usize>,
        motion: Motion,
        decay: f64,
    ) -> Self {
        debug_assert_eq!(inputs.normalization, Normalization::Sum, "a flow is that of the sum");
        Self {
            loss,
            widths,
            decay,
            motion,
            weights_digest: inputs.weights_digest,
            data_digest: inputs.data_digest,
            seed: inputs.seed,
            tolerances: inputs.tolerances,
            notes: inputs.notes,
        }
    }
}

impl FlowDocument {
    /// The document of a run.
    pub fn new(found: &FlowAnswer, inputs: &FlowInputs) -> Self {
        let minimum = found.global_minimum;
        let finite = |value: f64| Some(value).filter(|value| value.is_finite());
        let point = |time: f64, loss: f64| FlowPointDocument {
            time,
            loss: finite(loss),
            // No rounding error of the loss undercuts its smallest value.
            gap: minimum.and_then(|minimum| finite((loss - minimum).max(0.0))),
        };
        let run = &found.trajectory;
        let at = |sample: &rankscape::flow::Sample| point(sample.time, sample.loss + found.floor);
        let last = at(&run.last);
        let plateau = |plateau: &rankscape::itinerary::Plateau| FlowEventDocument {
            kind: Word(EventKind::Plateau),
            time: plateau.time,
            duration: (!plateau.lasts).then_some(plateau.duration),
            rank: Some(plateau.captured.len()),
            class: plateau.class.map(Word),
            captured: Some(plateau.captured.clone()),
            value: Some(plateau.value),
        };
        let mut events: Vec<FlowEventDocument> = found.plateaus.iter().map(plateau).collect();
        events.push(FlowEventDocument {
            kind: Word(EventKind::Stop),
            time: last.time,
            duration: None,
            rank: None,
            class: None,
            captured: None,
            value: last.loss,
        });
        let level = |&(fraction, time): &(f64, Option<f64>)| {
            let lowest = minimum.unwrap_or(0.0);
            FlowLevelDocument { fraction, level: lowest + fraction * (found.start - lowest), time }
        };
        Self {
            schema: "rankscape.flow/1",
            seed: inputs.seed,
            digest: PointDigest {
                data: inputs.data_digest.clone().into(),
                weights: inputs.weights_digest.clone().into(),
            },
            widths: inputs.widths.clone(),
            loss: inputs.loss,
            method: Word(match inputs.motion {
                Motion::Flow { .. } => MethodName::Flow,
                Motion::Descent { batches: Some(_), .. } => MethodName::Stochastic,
                Motion::Descent { momentum: 0.0, .. } => MethodName::Descent,
                Motion::Descent { .. } => MethodName::Momentum,
            }),
            weight_decay: inputs.decay,
            global_minimum: minimum,
            start: point(0.0, found.start),
            samples: run.samples.iter().map(at).collect(),
            levels: found.levels.iter().map(level).collect(),
            conserved: ConservedDocument { max_drift: run.max_drift.and_then(finite) },
            events,
            last,
            stop: Word(match run.stop {
                Stop::Time => StopReason::Time,
                Stop::Gap => StopReason::Gap,
                Stop::Gradient => StopReason::Gradient,
                Stop::Steps => StopReason::Steps,
                Stop::Diverged => StopReason::Diverged,
            }),
            stability_limit: found.stability_limit,
            determinant_sign_obstruction: found.obstructed,
            steps: run.steps,
            gradients: run.gradients,
            tolerances: (&inputs.tolerances).into(),
            notes: inputs.notes.clone(),
            run: RunDocument::default(),
        }
    }
}
