//! The table of a random experiment as a document.

use serde::Serialize;

use super::RunDocument;
use crate::sweep::{PlanDocument, SweepDirectory};
use rankscape::error::Result;

/// The table of a random experiment, as far as it is done (exit code 3 if an answer is not proved or a merge is not
/// whole, 4 if answers contradict a theorem).
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SweepDocument {
    /// Name and version of this format.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "rankscape.sweep/1")))]
    pub schema: &'static str,
    /// Seed of everything random.
    pub seed: u64,
    /// SHA-256 of what went in.
    pub digest: DigestDocument,
    /// The experiment.
    pub plan: ExperimentDocument,
    /// Joint counts, by minima and then by real critical points.
    pub table: Vec<CellDocument>,
    /// Numbers of instances.
    pub counts: CountsDocument,
    /// Instances that are done.
    pub done: Vec<RangeDocument>,
    /// Instances that are not done.
    pub missing: Vec<RangeDocument>,
    /// The shards; not in a merged document, which is the same for every way of cutting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shards: Option<ShardsDocument>,
    /// Shards that are not counted, and why.
    pub notes: Vec<String>,
    /// Times and facts of the host; all else is the same between runs.
    pub run: RunDocument,
}

/// What went in.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DigestDocument {
    /// Digest of the experiment, not of how it is cut.
    pub plan: String,
}

/// The experiment.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExperimentDocument {
    /// Number of rows.
    pub m: usize,
    /// Number of columns.
    pub n: usize,
    /// Rank of the matrices.
    pub r: usize,
    /// Law of phi: full, with independent entries; diagonal, with weights that are squares of independent entries, where an entry 0 is drawn
    /// again; or singular:k, with k rows fewer than columns.
    pub metric: String,
    /// Law of the entries.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["integers", "normal"])))]
    pub entries: String,
    /// Smallest integer; null for normal entries.
    pub low: Option<i64>,
    /// Largest integer; null for normal entries.
    pub high: Option<i64>,
    /// Number of instances.
    pub instances: u64,
}

/// One cell of the table.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CellDocument {
    /// Number of minima.
    pub minima: usize,
    /// Number of real critical points.
    pub real: usize,
    /// Instances with these numbers.
    pub count: u64,
    /// Share of the proved instances.
    pub share: f64,
    /// Lower end of the 95 % confidence interval (Wilson).
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// How many instances, and which could not be proved.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CountsDocument {
    /// Instances that are done.
    pub items: u64,
    /// Those with a proved answer; the table counts them.
    pub proved: u64,
    /// Instances without a proof.
    pub unproved: Vec<u64>,
    /// Proved 3 x 3 instances whose alternating sum of indices is not 1; always empty unless the solver is wrong.
    pub contradictions: Vec<u64>,
}

/// Instances from the first to the last, both included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RangeDocument {
    /// The first one.
    pub first: u64,
    /// The last one.
    pub last: u64,
}

/// The shards.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ShardsDocument {
    /// Number of shards.
    pub total: u64,
    /// Shards that are done, counted from 0.
    pub done: Vec<u64>,
    /// Shards that are not.
    pub missing: Vec<u64>,
    /// Those of the missing shards whose file is of no use; the next run sets it apart and does the shard anew.
    pub damaged: Vec<u64>,
}

/// Neighbouring ranges of instances, joined.
fn ranges(sweep: &SweepDirectory, shards: &[u64]) -> Result<Vec<RangeDocument>> {
    let mut joined: Vec<RangeDocument> = Vec::new();
    for &shard in shards {
        let items = sweep.plan.items(shard, sweep.shards)?;
        match joined.last_mut() {
            Some(range) if range.last + 1 == items.start => range.last = items.end - 1,
            _ => joined.push(RangeDocument { first: items.start, last: items.end - 1 }),
        }
    }
    Ok(joined)
}

impl SweepDocument {
    /// All that is done so far.
    ///
    /// # Errors
    /// If the plan cannot be cut so.
    pub fn new(sweep: &SweepDirectory) -> Result<Self> {
        let (tally, status) = sweep.merge();
        let damaged = status.damaged.iter().map(|(shard, why)| format!("shard {shard} is not counted: {why}"));
        let strangers = sweep.strangers().into_iter();
        let strangers =
            strangers.map(|name| format!("{name} is not counted: the plan is cut into {} shards", sweep.shards));
        let notes = damaged.chain(strangers).collect();
        let plan = PlanDocument::new(&sweep.plan, sweep.shards);
        let cells = tally.table().into_iter().map(|cell| CellDocument {
            minima: cell.minima,
            real: cell.real,
            count: cell.count,
            share: cell.share,
            low: cell.low,
            high: cell.high,
        });
        Ok(Self {
            schema: "rankscape.sweep/1",
            seed: sweep.plan.seed,
            digest: DigestDocument { plan: sweep.digest().to_owned() },
            plan: ExperimentDocument {
                m: plan.m,
                n: plan.n,
                r: plan.r,
                metric: plan.metric,
                entries: plan.entries,
                low: plan.low,
                high: plan.high,
                instances: plan.instances,
            },
            table: cells.collect(),
            done: ranges(sweep, &status.done)?,
            missing: ranges(sweep, &status.missing)?,
            counts: CountsDocument {
                items: tally.items(),
                proved: tally.items() - tally.unproved.len() as u64,
                unproved: tally.unproved,
                contradictions: tally.contradictions,
            },
            shards: Some(ShardsDocument {
                total: sweep.shards,
                done: status.done,
                missing: status.missing,
                damaged: status.damaged.into_iter().map(|(shard, _)| shard).collect(),
            }),
            notes,
            run: RunDocument::default(),
        })
    }

    /// Only what does not depend on how the plan was cut.
    #[must_use]
    pub fn merged(mut self) -> Self {
        self.shards = None;
        self
    }
}
