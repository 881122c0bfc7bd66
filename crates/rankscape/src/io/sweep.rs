//! Plans, shards and tables of random experiments as files in one directory.
//!
//! `plan.json` is written once. A shard is one file, written under a temporary name and renamed when it is whole, so that
//! a run that is killed loses at most the shard it was in, and nothing is counted twice. Every shard names the digest of
//! its plan; shards of another plan are refused.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::atomic::write_atomically;
use super::documents::to_json;
use crate::error::{InputError, Result};
use crate::sweep::{Entries, MetricLaw, Plan, Tally};

const PLAN: &str = "plan.json";
const PLAN_SCHEMA: &str = "rankscape.sweep.plan/1";
const SHARD_SCHEMA: &str = "rankscape.sweep.shard/1";

/// Largest number of shards of a plan: each is a file.
pub const SHARDS_LIMIT: u64 = 1_000_000;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlanDocument {
    schema: String,
    pub(super) m: usize,
    pub(super) n: usize,
    pub(super) r: usize,
    pub(super) metric: String,
    pub(super) entries: String,
    pub(super) low: Option<i64>,
    pub(super) high: Option<i64>,
    pub(super) instances: u64,
    seed: u64,
    shards: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ShardDocument {
    schema: String,
    plan: String,
    shard: u64,
    shards: u64,
    items: u64,
    counts: Vec<(usize, usize, u64)>,
    unproved: Vec<u64>,
    contradictions: Vec<u64>,
}

/// A plan cut into shards, in a directory.
#[derive(Debug, Clone)]
pub struct SweepDirectory {
    path: PathBuf,
    /// The experiment.
    pub plan: Plan,
    /// Number of shards.
    pub shards: u64,
    digest: String,
}

/// Which shards are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepStatus {
    /// Whole shards.
    pub done: Vec<u64>,
    /// The others.
    pub missing: Vec<u64>,
}

fn failed(problem: &str, path: &Path, error: impl std::fmt::Display) -> InputError {
    InputError::new(problem).value(error.to_string().chars().take(200).collect::<String>()).file(path.display())
}

/// What to do about a shard that is of no use.
fn anew(error: InputError, path: &Path) -> InputError {
    error.file(path.display()).hint(format!("delete {} and run the sweep again", path.display()))
}

impl ShardDocument {
    /// What is counted, if that is `items`, each once.
    fn tally(self, items: Range<u64>) -> Option<Tally> {
        let listed = |list: &[u64]| list.is_sorted_by(|a, b| a < b) && list.iter().all(|item| items.contains(item));
        let distinct = self.counts.is_sorted_by(|a, b| (a.0, a.1) < (b.0, b.1));
        let counted = self.counts.iter().try_fold(self.unproved.len() as u64, |sum, row| sum.checked_add(row.2))?;
        let whole = self.schema == SHARD_SCHEMA && counted == self.items && counted == items.end - items.start;
        if !(whole && distinct && listed(&self.unproved) && listed(&self.contradictions)) {
            return None;
        }
        let counts = self.counts.into_iter().map(|(minima, real, count)| ((minima, real), count)).collect();
        Some(Tally { counts, unproved: self.unproved, contradictions: self.contradictions })
    }
}

impl PlanDocument {
    pub(super) fn new(plan: &Plan, shards: u64) -> Self {
        let (entries, low, high) = match plan.entries {
            Entries::Integers { low, high } => ("integers", Some(low), Some(high)),
            Entries::Normal => ("normal", None, None),
        };
        let metric = if plan.metric == MetricLaw::Full { "full" } else { "diagonal" };
        Self {
            schema: PLAN_SCHEMA.into(),
            m: plan.rows,
            n: plan.cols,
            r: plan.rank,
            metric: metric.into(),
            entries: entries.into(),
            low,
            high,
            instances: plan.instances,
            seed: plan.seed,
            shards,
        }
    }

    fn plan(&self) -> Result<Plan> {
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
        let metric = match self.metric.as_str() {
            "full" => MetricLaw::Full,
            "diagonal" => MetricLaw::Diagonal,
            other => return Err(unknown("metric", other)),
        };
        let (rows, cols, rank) = (self.m, self.n, self.r);
        let plan = Plan { rows, cols, rank, metric, entries, instances: self.instances, seed: self.seed };
        plan.check()?;
        check_shards(&plan, self.shards)?;
        Ok(plan)
    }

    /// Digest of the experiment; not of how it is cut.
    fn digest(&self) -> String {
        let canonical = Self { shards: 0, ..self.clone() };
        let text = serde_json::to_string(&canonical).unwrap_or_default();
        Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn check_shards(plan: &Plan, shards: u64) -> Result<()> {
    let most = plan.instances.min(SHARDS_LIMIT);
    if (1..=most).contains(&shards) {
        return Ok(());
    }
    Err(InputError::new("the number of shards must lie between 1 and the number of instances, and a million at most")
        .array("shards")
        .value(shards)
        .hint(format!("choose 1..={most}")))
}

impl SweepDirectory {
    /// Writes a plan into a directory, which is made if need be. The same plan again changes nothing.
    ///
    /// # Errors
    /// If the plan is bad, there is another plan in the directory, or it cannot be written.
    pub fn create(path: &Path, plan: &Plan, shards: u64) -> Result<Self> {
        plan.check()?;
        check_shards(plan, shards)?;
        fs::create_dir_all(path).map_err(|error| failed("the directory cannot be made", path, error))?;
        if path.join(PLAN).exists() {
            let found = Self::open(path)?;
            if (&found.plan, found.shards) == (plan, shards) {
                return Ok(found);
            }
            return Err(InputError::new("there is another plan in this directory").file(path.display()));
        }
        let digest = PlanDocument::new(plan, shards).digest();
        let sweep = Self { path: path.to_owned(), plan: plan.clone(), shards, digest };
        sweep.write_plan()?;
        Ok(sweep)
    }

    /// Opens a directory that holds a plan.
    ///
    /// # Errors
    /// If there is no plan, or none that is understood.
    pub fn open(path: &Path) -> Result<Self> {
        let file = path.join(PLAN);
        let text = fs::read_to_string(&file).map_err(|error| {
            failed("the plan cannot be read", &file, error).hint("write one with rankscape sweep plan")
        })?;
        let document: PlanDocument = serde_json::from_str(&text).map_err(|error| {
            failed("this is not a plan", &file, error)
                .hint("take another folder, and write its plan with rankscape sweep plan")
        })?;
        let plan = document.plan().map_err(|error| error.file(file.display()))?;
        Ok(Self { path: path.to_owned(), plan, shards: document.shards, digest: document.digest() })
    }

    /// Digest of the experiment; not of how it is cut.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Cuts the plan into another number of shards, which only a plan without finished shards allows.
    ///
    /// # Errors
    /// If the number is out of range, shards are finished, or the plan cannot be written.
    pub fn recut(&mut self, shards: u64) -> Result<()> {
        if shards == self.shards {
            return Ok(());
        }
        check_shards(&self.plan, shards)?;
        if !self.status()?.done.is_empty() {
            return Err(InputError::new(format!("this sweep was begun in {} shards", self.shards))
                .array("shard")
                .value(shards)
                .hint("keep that number, or begin anew in another directory")
                .file(self.path.display()));
        }
        self.shards = shards;
        self.write_plan()
    }

    fn write_plan(&self) -> Result<()> {
        let text = to_json(&PlanDocument::new(&self.plan, self.shards)) + "\n";
        write_atomically(&self.path.join(PLAN), text.as_bytes())
    }

    fn shard_path(&self, shard: u64) -> PathBuf {
        self.path.join(format!("shard-{shard:06}-of-{:06}.json", self.shards))
    }

    /// The bytes of a finished shard; the same from every machine.
    pub fn shard_bytes(&self, shard: u64, tally: &Tally) -> Vec<u8> {
        let document = ShardDocument {
            schema: SHARD_SCHEMA.into(),
            plan: self.digest.clone(),
            shard,
            shards: self.shards,
            items: tally.items(),
            counts: tally.counts.iter().map(|(&(minima, real), &count)| (minima, real, count)).collect(),
            unproved: tally.unproved.clone(),
            contradictions: tally.contradictions.clone(),
        };
        let mut bytes = serde_json::to_vec(&document).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Keeps a finished shard.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn store(&self, shard: u64, tally: &Tally) -> Result<()> {
        write_atomically(&self.shard_path(shard), &self.shard_bytes(shard, tally))
    }

    /// Reads a shard; `None` if it is not there.
    ///
    /// # Errors
    /// If the file is damaged or belongs to another plan; the error says which file to delete.
    pub fn load(&self, shard: u64) -> Result<Option<Tally>> {
        let path = self.shard_path(shard);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(anew(failed("the shard cannot be read", &path, error), &path)),
        };
        let document: ShardDocument =
            serde_json::from_str(&text).map_err(|error| anew(failed("this is not a shard", &path, error), &path))?;
        if document.plan != self.digest || (document.shard, document.shards) != (shard, self.shards) {
            return Err(anew(InputError::new("this shard belongs to another plan"), &path));
        }
        let items = self.plan.items(shard, self.shards)?;
        let tally = document.tally(items);
        tally.map(Some).ok_or_else(|| anew(InputError::new("this shard does not hold the items it should"), &path))
    }

    /// Which shards are done.
    ///
    /// # Errors
    /// If a shard is damaged or belongs to another plan.
    pub fn status(&self) -> Result<SweepStatus> {
        let (mut done, mut missing) = (Vec::new(), Vec::new());
        for shard in 0..self.shards {
            let list = if self.load(shard)?.is_some() { &mut done } else { &mut missing };
            list.push(shard);
        }
        Ok(SweepStatus { done, missing })
    }

    /// The sum of all shards that are done, and which are missing.
    ///
    /// # Errors
    /// If a shard is damaged or belongs to another plan.
    pub fn merge(&self) -> Result<(Tally, SweepStatus)> {
        let mut total = Tally::default();
        for shard in 0..self.shards {
            if let Some(tally) = self.load(shard)? {
                total.merge(&tally);
            }
        }
        Ok((total, self.status()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tolerances;
    use crate::homotopy::{TrackOptions, Workers};
    use crate::quadratic::{Solver, StartSet};
    use crate::sweep::run_shard;

    fn solver(plan: &Plan) -> Solver {
        let tolerances = Tolerances::default();
        let tracking = TrackOptions::new(&tolerances);
        Solver::new(StartSet::obtain(plan.shape(), 1, &tracking, &Workers::none()).unwrap(), tolerances, 1).unwrap()
    }

    fn merged(plan: &Plan, solver: &Solver, shards: u64) -> String {
        let directory = tempfile::tempdir().unwrap();
        let sweep = SweepDirectory::create(directory.path(), plan, shards).unwrap();
        for shard in 0..shards {
            let tally = run_shard(plan, solver, (shard, shards), &Workers::none(), |_| true).unwrap().unwrap();
            sweep.store(shard, &tally).unwrap();
        }
        let (tally, status) = SweepDirectory::open(directory.path()).unwrap().merge().unwrap();
        assert!(status.missing.is_empty());
        format!("{tally:?}")
    }

    #[test]
    fn merged_tally_is_the_same_for_every_sharding() {
        let plan = Plan::table_2(30, 11);
        let solver = solver(&plan);
        assert_eq!(merged(&plan, &solver, 1), merged(&plan, &solver, 4));
    }

    #[test]
    fn partial_files_are_not_shards_and_foreign_ones_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let plan = Plan::table_2(4, 1);
        let sweep = SweepDirectory::create(directory.path(), &plan, 2).unwrap();
        fs::write(directory.path().join("shard-000001-of-000002.json.77.partial"), "{").unwrap();
        let tally = run_shard(&plan, &solver(&plan), (0, 2), &Workers::none(), |_| true).unwrap().unwrap();
        sweep.store(0, &tally).unwrap();
        assert_eq!(sweep.status().unwrap(), SweepStatus { done: vec![0], missing: vec![1] });
        fs::copy(sweep.shard_path(0), sweep.shard_path(1)).unwrap();
        let file = sweep.shard_path(1);
        let delete = format!("delete {} and run the sweep again", file.display());
        let refused = |text: &str| {
            let message = sweep.status().unwrap_err().to_string();
            assert!(message.contains(text) && message.contains(&delete), "{message}");
        };
        refused("another plan");
        let whole =
            String::from_utf8(sweep.shard_bytes(1, &Tally { unproved: vec![2, 3], ..Tally::default() })).unwrap();
        fs::write(&file, &whole).unwrap();
        assert!(sweep.status().unwrap().missing.is_empty());
        for (from, to) in [
            ("[2,3]", "[2,2]"),
            ("[2,3]", "[2,4]"),
            ("[2,3]", "[2]"),
            ("\"items\":2", "\"items\":3"),
            ("\"counts\":[]", "\"counts\":[[1,1,18446744073709551615]]"),
            ("shard/1", "shard/2"),
        ] {
            fs::write(&file, whole.replace(from, to)).unwrap();
            refused("the items it should");
        }
        for damaged in ["", "{", "\u{0}\u{0}", &whole[..whole.len() / 2], &whole.replace("\"items\"", "\"Items\"")] {
            fs::write(&file, damaged).unwrap();
            refused("not a shard");
        }
        fs::remove_file(&file).unwrap();
        assert!(SweepDirectory::create(directory.path(), &Plan::table_2(4, 2), 2).is_err());
        assert!(SweepDirectory::create(directory.path(), &plan, 2).is_ok());
    }
}
