//! The diagnosis of a point as a document.

use serde::Serialize;

use super::RunDocument;
use super::digests::PointDigest;
use super::hessian::lost_end;
use super::inputs::{DiagnoseInputs, Normalization};
use super::landscape::{GradedValueDocument, SeparabilityDocument};
use super::outlook::{LeaveDocument, NOTHING, OutlookDocument};
use super::path::{EscapeDocument, escape_document};
use super::point::{BarDocument, DifferentialDocument, EvidenceDocument, RanksOfProducts, TolerancesDocument, bars};
use crate::words::{Word, words};
use rankscape::critical::{CriticalClass, Near, Origin, RootKind, Stall};
use rankscape::diagnosis::Diagnosis;
use rankscape::escape::Leave;
use rankscape::hessian::Extremes;
use rankscape::linalg::Inertia;
use rankscape::tolerance::Tolerances;

words! {
    /// What training does.
    pub enum Progress {
        /// It goes on.
        Moving = "moving",
        /// It hardly changes.
        Stalled = "stalled",
    }
}

words! {
    /// Which parameters.
    pub enum ParametrizationName {
        /// The factors of the product.
        Plain = "plain",
        /// Factors before the last are divided by their norms.
        Normalized = "normalized",
    }
}

/// Where a point of a loss L of W_h ... W_1 X is, by default of the square loss 1/2 ||W_h ... W_1 X - Y||_F^2. Losses,
/// gradients and eigenvalues are those of L in the parameters as given, multiplied by what `normalization` says. Undefined
/// numbers are null, and so is what is said of the square loss only.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DiagnoseDocument {
    /// Name and version of this format.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "rankscape.diagnose/1")))]
    pub schema: &'static str,
    /// Seed of everything random.
    pub seed: u64,
    /// SHA-256 over shapes and values, the same whatever the format of the files.
    pub digest: PointDigest,
    /// d_0, ..., d_h. A constant feature for a first-layer bias counts in d_0.
    #[cfg_attr(feature = "schema", schemars(length(min = 2), inner(range(min = 1))))]
    pub widths: Vec<usize>,
    /// r = min d_i, the largest rank of a product.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub bottleneck_rank: usize,
    /// r = min(d_0, d_h): every matrix is a product.
    pub filling: bool,
    /// Number of samples; null for a target.
    pub samples: Option<u64>,
    /// Rank of X: centred with an output bias, with the constant feature for a first-layer bias; null for other losses than
    /// the square.
    pub data_rank: Option<usize>,
    /// The last layer has a bias, so X and Y are centred; false for other losses than the square.
    pub centred: bool,
    /// What is reported: L, L / n, or 2 L / (n d_h).
    pub normalization: Word<Normalization>,
    /// Which parameters: those of the plain product, or of a normalized network, whose factors before the last are divided by their norms. For
    /// this `near`, `stall`, `escape`, `leave` and `outlook` are null.
    pub parametrization: Word<ParametrizationName>,
    /// The loss.
    pub loss: LossDocument,
    /// The gradient.
    pub gradient: GradientDocument,
    /// The gradient counts as zero.
    pub critical: bool,
    /// What the point is.
    pub class: Word<CriticalClass>,
    /// Why the class is what it is, or why it is undecided; null for the square loss.
    pub reason: Option<&'static str>,
    /// How far the samples can be separated; null where undecided, and for losses that are not of margins.
    pub separability: Option<SeparabilityDocument>,
    /// r is no bound on what the loss can tell apart: then the loss over products is as convex as it is over all matrices;
    /// null for the square loss.
    pub effective_filling: Option<bool>,
    /// Pure: the product is a smooth point of the function space and critical there. Spurious: the factorization makes
    /// the point critical. Null off critical points or undecided.
    pub origin: Option<Word<Origin>>,
    /// The product is first-order stationary on matrices of rank at most r; null where undecided.
    pub stationary_in_function_space: Option<bool>,
    /// Singular values of the whitened target, non-increasing; null for other losses than the square.
    #[cfg_attr(feature = "schema", schemars(inner(range(min = 0))))]
    pub spectrum: Option<Vec<f64>>,
    /// 1-based places in `spectrum` of the singular directions that W X captures, the lowest ones inside a block of
    /// equal values; null when W X is not a spectral projection of the target.
    #[cfg_attr(feature = "schema", schemars(extend("uniqueItems" = true), inner(range(min = 1))))]
    pub captured: Option<Vec<usize>>,
    /// l of (l/2) sum ||W_k||^2 beside the sum loss; null without --weight-decay. With it losses, gradient and Hessian are
    /// those of the whole, and `origin`, `stationary_in_function_space`, `near`, `stall`, `escape` and `leave` are null.
    #[cfg_attr(feature = "schema", schemars(extend("exclusiveMinimum" = 0)))]
    pub weight_decay: Option<f64>,
    /// With weight decay, which root each captured direction has; null without, off critical points and without closed form.
    pub roots: Option<Vec<Word<RootKind>>>,
    /// The singular value of every layer for each captured direction, likewise.
    #[cfg_attr(feature = "schema", schemars(inner(range(min = 0))))]
    pub layer_values: Option<Vec<f64>>,
    /// The nearest critical points of a point that is not critical; null when none is within `near_distance`.
    pub near: Option<NearDocument>,
    /// Whether training stalls here, from the curvature alone; null at critical points, for one layer, for a zero
    /// target, next to a global minimum, and where an eigenvalue did not converge.
    pub stall: Option<StallDocument>,
    /// The Hessian in the parameters as given: index + nullity + number of positive eigenvalues = number of parameters.
    pub hessian: HessianDocument,
    /// A path theta + sum_k t^k A_k along which the loss falls; null at minima and where the class is undecided.
    #[cfg_attr(feature = "schema", schemars(extend("allOf" = [{ "properties": {
        "coefficient": { "exclusiveMaximum": 0 },
        "decrease": { "exclusiveMinimum": 0 },
        "kind": { "enum": super::path::own_kinds() },
    } }])))]
    pub escape: Option<EscapeDocument>,
    /// The weights that `--leave` wrote, rounded to the types of the file, in the scale of `normalization`; null
    /// without `--leave` and where nothing is lower.
    pub leave: Option<LeaveDocument>,
    /// What is learned, and what is missing; null for other losses than the square.
    pub outlook: Option<OutlookDocument>,
    /// "i:j" to the rank of W_j ... W_{i+1} for 0 <= i < j <= h, of the factors as given.
    pub rank_profile: RanksOfProducts,
    /// The intervals of which the network is a direct sum, over nodes 0..h; null when the rank decisions contradict one
    /// another.
    pub barcode: Option<Vec<BarDocument>>,
    /// The differential of the product map.
    pub differential: DifferentialDocument,
    /// How strong the verdict is and what it rests on.
    pub evidence: EvidenceDocument,
    /// Every tolerance used; docs/accuracy.md explains them.
    pub tolerances: TolerancesDocument,
    /// What the readers of files decided and the user should know.
    pub notes: Vec<String>,
    /// What differs between two runs with the same answer: everything outside this block is the same, byte for byte.
    pub run: RunDocument,
}

/// Value, smallest value over the architecture, and their difference.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LossDocument {
    /// Which loss.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = crate::loss::LOSS_NAMES)))]
    pub kind: &'static str,
    /// At this point; null where a normalized network is not defined.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub value: Option<f64>,
    /// Smallest value over the architecture; null where it is not known or not attained.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub global_minimum: Option<f64>,
    /// Value minus global minimum; null where that is null.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub gap: Option<f64>,
    /// No matrix, of whatever rank, has a smaller loss; null where nothing is known, and for the square loss, whose global
    /// minimum is.
    pub lower_bound: Option<GradedValueDocument>,
    /// Value minus lower bound: the point is no further above the infimum. For the square loss the gap.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub gap_at_most: Option<f64>,
    /// The infimum over the architecture is the loss of some weights; null where undecided.
    pub infimum_attained: Option<bool>,
}

impl LossDocument {
    /// The loss at a point where it is defined.
    pub(crate) fn now(&self) -> f64 {
        self.value.unwrap_or(f64::NAN)
    }

    /// The smallest value of the square loss.
    pub(crate) fn least(&self) -> f64 {
        self.global_minimum.unwrap_or(f64::NAN)
    }

    /// The gap of the square loss.
    pub(crate) fn above(&self) -> f64 {
        self.gap.unwrap_or(f64::NAN)
    }
}

/// The gradient and the threshold of criticality.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GradientDocument {
    /// Euclidean norm in the parameters as given; null where a normalized network is not defined.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub norm: Option<f64>,
    /// max_k ||grad_k||_F / (||P(h,k)||_2 ||P(k-1,0) X||_2 (||W X||_F + ||Y||_F)), 0/0 = 0; for other losses l than the
    /// square, in place of the last factor, beta ||W X||_F + ||grad l(0)||_F with beta the smoothness of l; with weight decay
    /// the denominator has l ||W_k||_F more; for normalized networks ||W_k|| ||grad_k|| before the last factor, with the denominator at the factors
    /// divided by their norms.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub relative: Option<f64>,
    /// The point counts as critical when `relative` is at most this.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub threshold: f64,
}

impl GradientDocument {
    /// Its norm at a point where it is defined.
    pub(crate) fn length(&self) -> f64 {
        self.norm.unwrap_or(f64::NAN)
    }

    /// The same relative to its terms.
    pub(crate) fn share(&self) -> f64 {
        self.relative.unwrap_or(f64::NAN)
    }
}

/// The critical points nearby.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NearDocument {
    /// `non_strict_saddle` if `nearest_class` is `strict_saddle` and a non-strict saddle of the same rung is at most
    /// `near_flat_ratio` times as far and within `near_flat_distance`; else `nearest_class`.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["global_minimum", "strict_saddle", "non_strict_saddle"])))]
    pub class: Word<CriticalClass>,
    /// What the nearest critical point that was found is.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["global_minimum", "strict_saddle", "non_strict_saddle"])))]
    pub nearest_class: Word<CriticalClass>,
    /// As `captured`, of that point.
    #[cfg_attr(feature = "schema", schemars(extend("uniqueItems" = true), inner(range(min = 1))))]
    pub captured: Vec<usize>,
    /// Rank of W X there.
    pub rank: usize,
    /// Number of negative eigenvalues of the Hessian there; null where the ranks do not settle it.
    pub index: Option<usize>,
    /// Number of zero eigenvalues there; null where the ranks do not settle it.
    pub nullity: Option<usize>,
    /// ||theta - theta*|| / ||theta|| of the nearest point, in the parameters as given, biases included; at rank 0 no
    /// layer counts with less than its natural size below the bar.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub distance: f64,
    /// The same for the same point with the first factor whitened, W_1 U_x S_x in place of W_1.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub distance_whitened: f64,
    /// No critical point of the rungs that were tried is nearer: what their product alone asks for; 0 where only a part
    /// of a block of equal values is captured.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub lower_bound: f64,
    /// The nearest strict saddle; null where there is none.
    pub strict: Option<NearStrictDocument>,
    /// The nearest non-strict saddle; null where there is none.
    pub non_strict: Option<NearNonStrictDocument>,
    /// Relative gradient at the nearest point.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub gradient_after: f64,
    /// Loss of the critical points of this kind.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub value: f64,
    /// Barcode of the factors of that point; null when it was not found or its ranks are not clear.
    pub barcode: Option<Vec<BarDocument>>,
    /// What the search cost.
    pub work: NearWorkDocument,
}

/// The nearest strict saddle.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NearStrictDocument {
    /// As `distance`.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub distance: f64,
    /// Number of negative eigenvalues of the Hessian there; null where the ranks do not settle it.
    pub index: Option<usize>,
    /// Smallest eigenvalue of the Hessian there; null where it did not converge.
    pub lambda_min: Option<f64>,
    /// As `captured`, of that point.
    #[cfg_attr(feature = "schema", schemars(extend("uniqueItems" = true), inner(range(min = 1))))]
    pub captured: Vec<usize>,
}

/// The nearest non-strict saddle.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NearNonStrictDocument {
    /// As `distance`.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub distance: f64,
    /// As `captured`, of that point.
    #[cfg_attr(feature = "schema", schemars(extend("uniqueItems" = true), inner(range(min = 1))))]
    pub captured: Vec<usize>,
}

/// What the search for the nearest points cost.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NearWorkDocument {
    /// Patterns whose nearest point was searched.
    pub patterns: usize,
    /// Patterns that a lower bound of the distance ruled out.
    pub pruned: usize,
    /// Linear systems solved.
    pub steps: usize,
    /// Iterations of conjugate gradients.
    pub iterations: usize,
}

/// Whether training stalls.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StallDocument {
    /// -lambda_min / max(lambda_max, h s^(2h-2) sigma_max(X)^2) of the sum loss, s = ||Z S_x^-1||_2^(1/h).
    pub rho: f64,
    /// `moving` if rho exceeds the tolerance `stall`, else `stalled`.
    pub verdict: Word<Progress>,
    /// 1 / (learning rate |lambda_min|) for the loss as `normalization` has it: steps of gradient descent in which a
    /// deviation grows by a factor e; null without --learning-rate or without negative curvature.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub steps: Option<f64>,
}

/// Ends of the spectrum and inertia of the Hessian.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HessianDocument {
    /// Smallest eigenvalue; null if the iteration did not converge, or if it is negative by the index and lost in
    /// rounding errors.
    pub lambda_min: Option<f64>,
    /// Largest eigenvalue; null if the iteration did not converge.
    pub lambda_max: Option<f64>,
    /// Number of negative eigenvalues; null off critical points or undecided.
    pub index: Option<usize>,
    /// Number of zero eigenvalues; null off critical points or undecided.
    pub nullity: Option<usize>,
    /// Larger of the two residuals ||H v - lambda v||.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub residual: f64,
}

impl DiagnoseDocument {
    /// What is ahead of a point of the square loss; nothing for others.
    pub(crate) fn outlook(&self) -> &OutlookDocument {
        self.outlook.as_ref().unwrap_or(&NOTHING)
    }

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
            digest: PointDigest {
                data: inputs.data_digest.clone().into(),
                weights: inputs.weights_digest.clone().into(),
            },
            widths: found.architecture.widths().to_vec(),
            bottleneck_rank: found.architecture.bottleneck_rank(),
            filling: found.architecture.is_filling(),
            samples: (!inputs.from_target).then_some(inputs.samples),
            data_rank: Some(inputs.data_rank),
            centred: found.centred,
            normalization: Word(inputs.normalization),
            parametrization: Word(ParametrizationName::Plain),
            loss: LossDocument {
                kind: "square",
                value: Some(factor * found.loss),
                global_minimum: Some(factor * minimum),
                gap: Some(factor * (found.loss - minimum).max(0.0)),
                lower_bound: None,
                gap_at_most: Some(factor * (found.loss - minimum).max(0.0)),
                infimum_attained: Some(true),
            },
            gradient: GradientDocument {
                norm: Some(factor * found.gradient_norm),
                relative: Some(found.gradient_relative),
                threshold: found.gradient_threshold,
            },
            critical: found.critical,
            class: Word(found.class),
            reason: None,
            separability: None,
            effective_filling: None,
            origin: found.origin.map(Word),
            stationary_in_function_space: found.stationary_in_function_space.known(),
            spectrum: Some(found.spectrum.clone()),
            captured: found.captured.clone(),
            weight_decay: None,
            roots: None,
            layer_values: None,
            near: found.near.as_ref().map(|near| near_document(near, factor, &inputs.tolerances)),
            stall: found.stall.map(|stall| stall_document(stall, inputs.learning_rate.map(|rate| rate * factor))),
            hessian: HessianDocument::new(&found.extremes, found.inertia, factor),
            escape: found.escape.as_ref().map(|escape| {
                let along_path = escape_document(escape, factor);
                EscapeDocument { decrease: along_path.decrease + factor * found.bias_decrease, ..along_path }
            }),
            leave: None,
            outlook: Some(OutlookDocument::new(found, factor)),
            rank_profile: profile.into(),
            barcode: found.barcode.as_ref().map(bars),
            differential: DifferentialDocument::new(profile),
            evidence: EvidenceDocument::from(&found.evidence),
            tolerances: (&inputs.tolerances).into(),
            notes: inputs.notes.iter().cloned().chain(lost_end(found.inertia, lowest)).collect(),
            run: RunDocument::default(),
        }
    }

    /// What a reader of the certificate beside a mean must know.
    pub fn scale_note(&self) -> Option<String> {
        (self.normalization.0 != Normalization::Sum).then(|| {
            format!(
                "the certificate is about the sum 1/2 ||W X - Y||^2: its coefficient and decrease are not in the scale {:?}",
                self.normalization
            )
        })
    }

    /// Something that was asked for is undecided.
    pub fn is_undecided(&self) -> bool {
        self.class.0 == CriticalClass::Undecided
            || self.near.as_ref().is_some_and(|near| near.class.0 == CriticalClass::Undecided)
            || (self.critical && (self.hessian.index.is_none() || self.barcode.is_none()))
    }
}

fn near_document(near: &Near, factor: f64, tolerances: &Tolerances) -> NearDocument {
    let (found, nearest) = (&near.found, &near.found.nearest);
    let work = found.work;
    NearDocument {
        class: Word(found.class),
        nearest_class: Word(nearest.class),
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
pub(super) fn stall_document(stall: Stall, rate: Option<f64>) -> StallDocument {
    let steps = rate.map(|rate| 1.0 / (rate * -stall.lambda_min)).filter(|steps| steps.is_finite() && *steps > 0.0);
    StallDocument {
        rho: stall.rho,
        verdict: Word(if stall.moving { Progress::Moving } else { Progress::Stalled }),
        steps,
    }
}

impl HessianDocument {
    /// Ends and inertia, eigenvalues multiplied by the normalization.
    pub(super) fn new(extremes: &Extremes, inertia: Option<Inertia>, factor: f64) -> Self {
        let (smallest, largest) = (&extremes.smallest, &extremes.largest);
        Self {
            lambda_min: smallest.converged.then_some(factor * smallest.value),
            lambda_max: largest.converged.then_some(factor * largest.value),
            index: inertia.map(|inertia| inertia.negative),
            nullity: inertia.map(|inertia| inertia.zero),
            residual: factor * smallest.residual.max(largest.residual),
        }
    }
}
