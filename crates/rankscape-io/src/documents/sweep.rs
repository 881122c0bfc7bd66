//! The table of a random experiment as a document.

use serde::Serialize;

use super::RunDocument;
use crate::sweep::{PlanDocument, SweepDirectory};
use rankscape::error::Result;

/// `rankscape.sweep/1`. Without `shards` it is the same for every way of cutting the plan.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "docs/schema/sweep.schema.json describes every field")]
pub struct SweepDocument {
    pub schema: &'static str,
    pub seed: u64,
    pub digest: DigestDocument,
    pub plan: ExperimentDocument,
    pub table: Vec<CellDocument>,
    pub counts: CountsDocument,
    pub done: Vec<RangeDocument>,
    pub missing: Vec<RangeDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shards: Option<ShardsDocument>,
    pub notes: Vec<String>,
    pub run: RunDocument,
}

/// What went in.
#[derive(Debug, Clone, Serialize)]
pub struct DigestDocument {
    pub plan: String,
}

/// The experiment.
#[derive(Debug, Clone, Serialize)]
pub struct ExperimentDocument {
    pub m: usize,
    pub n: usize,
    pub r: usize,
    pub metric: String,
    pub entries: String,
    pub low: Option<i64>,
    pub high: Option<i64>,
    pub instances: u64,
}

/// One cell of the table.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "docs/schema/sweep.schema.json describes every field")]
pub struct CellDocument {
    pub minima: usize,
    pub real: usize,
    pub count: u64,
    pub share: f64,
    pub low: f64,
    pub high: f64,
}

/// How many instances, and which could not be proved.
#[derive(Debug, Clone, Serialize)]
pub struct CountsDocument {
    pub items: u64,
    pub proved: u64,
    pub unproved: Vec<u64>,
    pub contradictions: Vec<u64>,
}

/// Instances from the first to the last, both included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RangeDocument {
    pub first: u64,
    pub last: u64,
}

/// The shards.
#[derive(Debug, Clone, Serialize)]
pub struct ShardsDocument {
    pub total: u64,
    pub done: Vec<u64>,
    pub missing: Vec<u64>,
    /// Those of the missing ones whose file is of no use.
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
