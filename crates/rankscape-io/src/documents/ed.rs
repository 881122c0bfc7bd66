//! Degrees of the matrices of bounded rank as a document.

use serde::Serialize;

use super::RunDocument;
use super::digests::Digest;
use super::numbers::Integer;
use super::solve::{MetricDocument, TraceDocument};
use crate::words::Word;
use rankscape::determinantal::DeterminantalDegrees;
use rankscape::evidence::Grade;
use rankscape::quadratic::{Instance, WeightedDegree};

/// Degrees of the matrices of bounded rank (exit code 3 if the count for the weights is only a lower bound).
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EdDocument {
    /// Name and version of this format.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "rankscape.ed/1")))]
    pub schema: &'static str,
    /// Seed of everything random.
    pub seed: u64,
    /// SHA-256 of what went in.
    pub digest: DigestDocument,
    /// Integer of rows.
    pub rows: usize,
    /// Integer of columns.
    pub cols: usize,
    /// Largest rank of the matrices.
    pub rank: usize,
    /// Degree of the variety, an integer of any size.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub degree: Integer,
    /// Critical points of the distance in the Frobenius norm from a generic target.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub unit: Integer,
    /// Complex critical points of a generic quadratic loss.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub generic: Integer,
    /// From the degree of the variety to that of its dual; their sum is `generic`.
    pub polar_degrees: Vec<Integer>,
    /// The count for the given weights and generic targets; null without weights.
    pub weighted: Option<WeightedDocument>,
    /// Times and facts of the host; all else is the same between runs.
    pub run: RunDocument,
}

/// What went in.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DigestDocument {
    /// Digest of the weights; null without.
    pub weights: Option<Digest>,
}

/// The count for given weights.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WeightedDocument {
    /// Complex critical points; null where none is isolated.
    pub count: Option<usize>,
    /// More points are not excluded, neither by a theorem nor by a trace test.
    pub lower_bound: bool,
    /// What kind of metric it is.
    pub metric: MetricDocument,
    /// What the count rests on.
    pub evidence: CountEvidenceDocument,
}

/// What the count rests on.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CountEvidenceDocument {
    /// Exact by a theorem, certified by as many certified points as a theorem allows (or as a lower bound), or
    /// numerical by monodromy.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["exact", "certified", "numerical"])))]
    pub grade: Word<Grade>,
    /// The theorem or the procedure.
    pub reason: String,
    /// The trace test: evidence, not proof; null where none was made.
    pub trace: Option<TraceDocument>,
}

impl EdDocument {
    /// The degrees of the `rows x cols` matrices of rank at most `rank`.
    pub fn new((rows, cols, rank): (usize, usize, usize), found: &DeterminantalDegrees, seed: u64) -> Self {
        Self {
            schema: "rankscape.ed/1",
            seed,
            digest: DigestDocument { weights: None },
            rows,
            cols,
            rank,
            degree: Integer::from(&found.degree),
            unit: Integer::from(&found.unit),
            generic: Integer::from(&found.generic),
            polar_degrees: found.polar_degrees.iter().map(Integer::from).collect(),
            weighted: None,
            run: RunDocument::default(),
        }
    }

    /// Adds the count for the weights of `instance`.
    #[must_use]
    pub fn with_weights(mut self, instance: &Instance, digest: String, found: &WeightedDegree) -> Self {
        self.digest.weights = Some(digest.into());
        self.weighted = Some(WeightedDocument {
            count: found.count,
            lower_bound: found.is_lower_bound,
            metric: MetricDocument::new(found.kind, instance),
            evidence: CountEvidenceDocument {
                grade: Word(found.grade),
                reason: found.reason.clone(),
                trace: found.trace.map(TraceDocument::from),
            },
        });
        self
    }

    /// The count for the weights is only a lower bound.
    pub fn is_undecided(&self) -> bool {
        self.weighted.as_ref().is_some_and(|weighted| weighted.lower_bound)
    }
}
