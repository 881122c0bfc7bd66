//! Local minima of a loss on matrices of bounded rank as a document.

use serde::Serialize;

use super::RunDocument;
use super::critical::BadLocalMinimaDocument;
use super::digests::DataDigest;
use super::inputs::Normalization;
use super::landscape::{
    AtInfinityDocument, GradedValueDocument, LocalMinimumDocument, SeparabilityDocument, lower_bound,
};
use super::point::TolerancesDocument;
use crate::words::Word;
use rankscape::riemannian::Minima;
use rankscape::tolerance::Tolerances;

/// Local minima of a loss l(W X + c 1') on matrices W of rank at most r, by descents from many starts. Values are those of
/// the sum, multiplied by what `normalization` says. Undecided answers are null.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MinimaDocument {
    /// Name and version of this format.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "rankscape.minima/1")))]
    pub schema: &'static str,
    /// Seed of everything random.
    pub seed: u64,
    /// SHA-256 over shapes and values, and the loss.
    pub digest: DataDigest,
    /// Which loss.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = crate::loss::LOSS_NAMES)))]
    pub loss: &'static str,
    /// Rows of W.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub rows: usize,
    /// Columns of W.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub cols: usize,
    /// The bound of the rank.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub rank: usize,
    /// Outputs have a constant part c of their own.
    pub offset: bool,
    /// Number of samples; null for a target.
    pub samples: Option<u64>,
    /// What is reported: l, l / n, or 2 l / (n d_h).
    pub normalization: Word<Normalization>,
    /// r is no bound on what the loss can tell apart.
    pub effective_filling: bool,
    /// Distinct local minima that were found, lowest first; distinct modulo what the loss cannot see.
    pub minima: Vec<LocalMinimumDocument>,
    /// No matrix, of whatever rank, has a smaller loss; null where nothing is known.
    pub lower_bound: Option<GradedValueDocument>,
    /// Smallest value on matrices of rank at most r; null where it is not known or not attained.
    pub global_minimum: Option<GradedValueDocument>,
    /// What is known of the infimum on matrices of rank at most r.
    pub infimum: InfimumDocument,
    /// Values that starts approach which left for infinity.
    pub at_infinity: Vec<AtInfinityDocument>,
    /// Whether local minima that are not global can exist.
    pub bad_local_minima: BadLocalMinimaDocument,
    /// How far the samples can be separated; null where undecided, and for losses that are not of margins.
    pub separability: Option<SeparabilityDocument>,
    /// Loss of the zero map.
    pub value_at_origin: f64,
    /// Number of starts.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub starts: usize,
    /// Starts that had not come to rest.
    pub unfinished: usize,
    /// Every tolerance used; docs/accuracy.md explains them.
    pub tolerances: TolerancesDocument,
    /// What the readers of files decided and the user should know.
    pub notes: Vec<String>,
    /// What differs between two runs with the same answer: everything outside this block is the same, byte for byte.
    pub run: RunDocument,
}

/// The infimum.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InfimumDocument {
    /// It is the loss of some matrix; null where undecided.
    pub attained: Option<bool>,
    /// Its value; null where it is not known.
    pub value: Option<f64>,
}

/// What the document says beside the minima.
#[derive(Debug, Clone, Default)]
pub struct MinimaInputs {
    /// Digest of the data and the loss.
    pub data_digest: String,
    /// Name of the loss.
    pub loss: &'static str,
    /// Rows and columns of W.
    pub shape: (usize, usize),
    /// Number of samples; of columns, for a target.
    pub samples: u64,
    /// A target was given in place of samples.
    pub from_target: bool,
    /// What the loss is divided by.
    pub normalization: Normalization,
    /// Seed.
    pub seed: u64,
    /// Tolerances used.
    pub tolerances: Tolerances,
    /// What the readers decided.
    pub notes: Vec<String>,
}

impl MinimaDocument {
    /// The document of what was found; values are multiplied by the normalization.
    pub fn new(found: &Minima, inputs: &MinimaInputs) -> Self {
        let factor = inputs.normalization.factor(inputs.samples, inputs.shape.0);
        Self {
            schema: "rankscape.minima/1",
            seed: inputs.seed,
            digest: DataDigest { data: inputs.data_digest.clone().into() },
            loss: inputs.loss,
            rows: inputs.shape.0,
            cols: inputs.shape.1,
            rank: found.request.rank,
            offset: found.request.offset,
            samples: (!inputs.from_target).then_some(inputs.samples),
            normalization: Word(inputs.normalization),
            effective_filling: found.effective_filling,
            minima: found.minima.iter().map(|minimum| LocalMinimumDocument::new(minimum, factor)).collect(),
            lower_bound: lower_bound(&found.bound, factor),
            global_minimum: found.global_minimum.and_then(|value| GradedValueDocument::new(value, factor)),
            infimum: InfimumDocument {
                attained: found.infimum_attained,
                value: found.infimum.map(|value| factor * value),
            },
            at_infinity: found.at_infinity.iter().map(|one| AtInfinityDocument::new(one, factor)).collect(),
            bad_local_minima: (&found.bad_local_minima).into(),
            separability: found.bound.separability.as_ref().map(SeparabilityDocument::from),
            value_at_origin: factor * found.value_at_zero,
            starts: found.request.starts,
            unfinished: found.unfinished,
            tolerances: (&inputs.tolerances).into(),
            notes: inputs.notes.clone(),
            run: RunDocument::default(),
        }
    }
}
