//! Degrees of the matrices of bounded rank as a document.

use num_bigint::BigInt;
use serde::Serialize;
use serde_json::Number;

use super::RunDocument;
use super::solve::{MetricDocument, TraceDocument};
use rankscape::determinantal::DeterminantalDegrees;
use rankscape::quadratic::{Instance, WeightedDegree};

/// `rankscape.ed/1`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "docs/schema/ed.schema.json describes every field")]
pub struct EdDocument {
    pub schema: &'static str,
    pub seed: u64,
    pub digest: DigestDocument,
    pub rows: usize,
    pub cols: usize,
    pub rank: usize,
    pub degree: Number,
    pub unit: Number,
    pub generic: Number,
    pub polar_degrees: Vec<Number>,
    pub weighted: Option<WeightedDocument>,
    pub run: RunDocument,
}

/// What went in.
#[derive(Debug, Clone, Serialize)]
pub struct DigestDocument {
    /// Digest of the matrix of weights.
    pub weights: Option<String>,
}

/// The count for given weights.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "docs/schema/ed.schema.json describes every field")]
pub struct WeightedDocument {
    pub count: Option<usize>,
    pub lower_bound: bool,
    pub metric: MetricDocument,
    pub evidence: CountEvidenceDocument,
}

/// What the count rests on.
#[derive(Debug, Clone, Serialize)]
pub struct CountEvidenceDocument {
    pub grade: &'static str,
    pub reason: String,
    pub trace: Option<TraceDocument>,
}

/// A JSON integer of any size.
fn integer(value: &BigInt) -> Number {
    value.to_string().parse().unwrap_or_else(|_| Number::from(0))
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
            degree: integer(&found.degree),
            unit: integer(&found.unit),
            generic: integer(&found.generic),
            polar_degrees: found.polar_degrees.iter().map(integer).collect(),
            weighted: None,
            run: RunDocument::default(),
        }
    }

    /// Adds the count for the weights of `instance`.
    #[must_use]
    pub fn with_weights(mut self, instance: &Instance, digest: String, found: &WeightedDegree) -> Self {
        self.digest.weights = Some(digest);
        self.weighted = Some(WeightedDocument {
            count: found.count,
            lower_bound: found.is_lower_bound,
            metric: MetricDocument::new(found.kind, instance),
            evidence: CountEvidenceDocument {
                grade: found.grade.name(),
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
