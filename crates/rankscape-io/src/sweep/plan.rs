//! The file of a plan.

use rankscape::error::{InputError, Result};
use rankscape::sweep::{Entries, MetricLaw, Plan};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const PLAN_SCHEMA: &str = "rankscape.sweep.plan/1";

/// Largest number of shards of a plan: each is a file.
pub const SHARDS_LIMIT: u64 = 1_000_000;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanDocument {
    schema: String,
    pub(crate) m: usize,
    pub(crate) n: usize,
    pub(crate) r: usize,
    pub(crate) metric: String,
    pub(crate) entries: String,
    pub(crate) low: Option<i64>,
    pub(crate) high: Option<i64>,
    pub(crate) instances: u64,
    seed: u64,
    pub(super) shards: u64,
}

impl PlanDocument {
    pub(crate) fn new(plan: &Plan, shards: u64) -> Self {
        let (entries, low, high) = match plan.entries {
            Entries::Integers { low, high } => ("integers", Some(low), Some(high)),
            Entries::Normal => ("normal", None, None),
        };
        Self {
            schema: PLAN_SCHEMA.into(),
            m: plan.rows,
            n: plan.cols,
            r: plan.rank,
            metric: plan.metric.to_string(),
            entries: entries.into(),
            low,
            high,
            instances: plan.instances,
            seed: plan.seed,
            shards,
        }
    }

    /// The plan, if it is one.
    pub(super) fn plan(&self) -> Result<Plan> {
        let unknown =
            |field: &str, value: &str| InputError::new("this plan is not understood").array(field).value(value);
        if self.schema != PLAN_SCHEMA {
            return Err(unknown("schema", &self.schema));
        }
        let entries = match (self.entries.as_str(), self.low, self.high) {
            ("integers", Some(low), Some(high)) => Entries::Integers { low, high },
            ("integers", ..) => return Err(unknown("low, high", "null")),
            ("normal", None, None) => Entries::Normal,
            ("normal", ..) => return Err(unknown("low, high", "bounds of normal entries")),
            (other, ..) => return Err(unknown("entries", other)),
        };
        let metric = self.metric.parse::<MetricLaw>().map_err(|_| unknown("metric", &self.metric))?;
        let (rows, cols, rank) = (self.m, self.n, self.r);
        let plan = Plan { rows, cols, rank, metric, entries, instances: self.instances, seed: self.seed };
        plan.check()?;
        check_shards(&plan, self.shards)?;
        Ok(plan)
    }

    /// Digest of the experiment; not of how it is cut.
    pub(super) fn digest(&self) -> String {
        let canonical = Self { shards: 0, ..self.clone() };
        let text = serde_json::to_string(&canonical).unwrap_or_default();
        hexadecimal(text.as_bytes())
    }
}

/// SHA-256 in hexadecimal digits.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A plan is cut into at least one shard and none is empty.
pub(super) fn check_shards(plan: &Plan, shards: u64) -> Result<()> {
    let most = plan.instances.min(SHARDS_LIMIT);
    if (1..=most).contains(&shards) {
        return Ok(());
    }
    Err(InputError::new("the number of shards must lie between 1 and the number of instances, and a million at most")
        .array("shards")
        .value(shards)
        .hint(format!("choose 1..={most}")))
}
