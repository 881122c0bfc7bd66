//! Plans, shards and tables of random experiments as files in one directory.
//!
//! `plan.json` is written once. A shard is one file, written under a temporary name and renamed when it is whole, so that
//! a run that is killed loses at most the shard it was in, and nothing is counted twice. Every shard names the digest of
//! its plan and that of its counts: a shard of another plan or a damaged one is set apart and done again, and blocks no other.
//! Shards fit together only if all are cut alike, so the first that is begun settles the cutting, before anything is solved.

mod names;
mod plan;
mod run;

pub(super) use plan::PlanDocument;
pub use plan::SHARDS_LIMIT;
pub use run::Todo;

use std::fs;
use std::io::{ErrorKind, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use names::{CUTTING, PLAN, SHARD, free_name, is_own, shard_files};
use plan::{check_shards, hexadecimal};
use serde::{Deserialize, Serialize};

use super::atomic::write_atomically;
use super::documents::to_json;
use rankscape::error::{InputError, Result};
use rankscape::sweep::{Plan, Tally};

const SHARD_SCHEMA: &str = "rankscape.sweep.shard/2";
/// How often a run looks at a cutting that another is about to write, 20 milliseconds apart.
const CUTTING_LOOKS: usize = 50;

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
    /// SHA-256 over all of the above.
    digest: String,
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
    /// Those of the others whose file is of no use, and why.
    pub damaged: Vec<(u64, String)>,
}

fn failed(problem: &str, path: &Path, error: impl std::fmt::Display) -> InputError {
    InputError::new(problem).value(error.to_string().chars().take(200).collect::<String>()).file(path.display())
}

/// What to do about a shard that is of no use.
fn anew(error: InputError, path: &Path) -> InputError {
    error.file(path.display()).hint("run the sweep again: this shard is set apart and done anew")
}

impl ShardDocument {
    /// Digest of everything but the digest.
    fn sum(&self) -> String {
        let parts = (&self.schema, &self.plan, self.shard, self.shards, self.items);
        let text = serde_json::to_string(&(parts, &self.counts, &self.unproved, &self.contradictions));
        hexadecimal(text.unwrap_or_default().as_bytes())
    }

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

/// Into how many shards the plan in this directory is cut: as settled, or as the shards that are there say.
fn cut_into(path: &Path) -> Result<Option<u64>> {
    let file = path.join(CUTTING);
    for _ in 0..CUTTING_LOOKS {
        match fs::read_to_string(&file) {
            Ok(text) if text.ends_with('\n') => {
                return text
                    .trim()
                    .parse()
                    .map(Some)
                    .map_err(|error| failed("this is not a number of shards", &file, error));
            }
            // Another run is about to write it.
            Ok(_) => std::thread::sleep(std::time::Duration::from_millis(20)),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let mut numbers: Vec<u64> = shard_files(path).into_iter().map(|(_, shards)| shards).collect();
                numbers.dedup();
                return Ok(if let [only] = numbers[..] { Some(only) } else { None });
            }
            Err(error) => return Err(failed("the file cannot be read", &file, error)),
        }
    }
    Err(InputError::new("the file is not whole").file(file.display()).hint("delete it if no sweep is running here"))
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
            if &found.plan == plan && (found.shards == shards || cut_into(path)?.is_some()) {
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
        let shards = cut_into(path)?.unwrap_or(document.shards);
        check_shards(&plan, shards).map_err(|error| error.file(path.display()))?;
        Ok(Self { path: path.to_owned(), plan, shards, digest: document.digest() })
    }

    /// Digest of the experiment; not of how it is cut.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Settles that the plan is cut into so many shards, before the first of them is begun: another number is then refused,
    /// also to a run that begins at the same time.
    ///
    /// # Errors
    /// If the number is out of range, the cutting is settled at another number, or the directory cannot be written to.
    pub fn begin(&mut self, shards: u64) -> Result<()> {
        check_shards(&self.plan, shards)?;
        let file = self.path.join(CUTTING);
        let settled = match cut_into(&self.path)? {
            Some(settled) => settled,
            // Of several runs one makes the file.
            None => match fs::OpenOptions::new().write(true).create_new(true).open(&file) {
                Ok(mut new) => {
                    new.write_all(format!("{shards}\n").as_bytes())
                        .map_err(|error| failed("the file cannot be written", &file, error))?;
                    shards
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => cut_into(&self.path)?.unwrap_or(shards),
                Err(error) => {
                    return Err(failed("the file cannot be written", &file, error).hint("check space and permissions"));
                }
            },
        };
        if settled != shards {
            return Err(InputError::new(format!("this sweep was begun in {settled} shards"))
                .array("shard")
                .value(shards)
                .hint("keep that number, or begin anew in another directory")
                .file(self.path.display()));
        }
        self.shards = shards;
        Ok(())
    }

    fn write_plan(&self) -> Result<()> {
        let text = to_json(&PlanDocument::new(&self.plan, self.shards)) + "\n";
        write_atomically(&self.path.join(PLAN), text.as_bytes())
    }

    fn shard_path(&self, shard: u64) -> PathBuf {
        self.path.join(format!("{SHARD}{shard:06}-of-{:06}.json", self.shards))
    }

    /// The bytes of a finished shard; the same from every machine.
    pub fn shard_bytes(&self, shard: u64, tally: &Tally) -> Vec<u8> {
        let mut document = ShardDocument {
            schema: SHARD_SCHEMA.into(),
            plan: self.digest.clone(),
            shard,
            shards: self.shards,
            items: tally.items(),
            counts: tally.counts.iter().map(|(&(minima, real), &count)| (minima, real, count)).collect(),
            unproved: tally.unproved.clone(),
            contradictions: tally.contradictions.clone(),
            digest: String::new(),
        };
        document.digest = document.sum();
        let mut bytes = serde_json::to_vec(&document).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Keeps a finished shard. A file in its place that is of no use is set apart under another name, which the result says
    /// with the reason.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn store(&self, shard: u64, tally: &Tally) -> Result<Option<String>> {
        let path = self.shard_path(shard);
        let mut note = None;
        if let Err(error) = self.load(shard) {
            let apart = free_name(&path);
            fs::rename(&path, &apart).map_err(|error| failed("the damaged shard cannot be renamed", &path, error))?;
            let (old, new) = (path.display(), apart.display());
            note = Some(format!("shard {shard} was done anew: {}; {old} is set apart as {new}", error.problem));
        }
        write_atomically(&path, &self.shard_bytes(shard, tally))?;
        Ok(note)
    }

    /// The file has a name that a sweep in this directory gives to its own: to the plan, the cutting or a shard.
    pub fn has_name_of(&self, file: &Path) -> bool {
        is_own(&self.path, file)
    }

    /// Shards of another cutting that lie in the directory.
    pub fn strangers(&self) -> Vec<String> {
        let others = shard_files(&self.path).into_iter().filter(|(_, shards)| *shards != self.shards);
        others.map(|(name, _)| name).collect()
    }

    /// Reads a shard; `None` if it is not there.
    ///
    /// # Errors
    /// If the file is damaged or belongs to another plan.
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
        if document.schema == SHARD_SCHEMA && document.digest != document.sum() {
            return Err(anew(InputError::new("the digest of this shard is not that of its counts"), &path));
        }
        let items = self.plan.items(shard, self.shards)?;
        let tally = document.tally(items);
        tally.map(Some).ok_or_else(|| anew(InputError::new("this shard does not hold the items it should"), &path))
    }

    /// Which shards are done.
    pub fn status(&self) -> SweepStatus {
        self.merge().1
    }

    /// The sum of all shards that are done, and which are missing.
    pub fn merge(&self) -> (Tally, SweepStatus) {
        let mut total = Tally::default();
        let mut status = SweepStatus { done: Vec::new(), missing: Vec::new(), damaged: Vec::new() };
        for shard in 0..self.shards {
            match self.load(shard) {
                Ok(Some(tally)) => {
                    total.merge(&tally);
                    status.done.push(shard);
                }
                Ok(None) => status.missing.push(shard),
                Err(error) => {
                    status.missing.push(shard);
                    status.damaged.push((shard, error.to_string()));
                }
            }
        }
        (total, status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rankscape::Tolerances;
    use rankscape::homotopy::{TrackOptions, Workers};
    use rankscape::quadratic::{Solver, StartSet};
    use rankscape::sweep::run_shard;

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
        let (tally, status) = SweepDirectory::open(directory.path()).unwrap().merge();
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
    fn damaged_and_foreign_shards_block_only_themselves() {
        let directory = tempfile::tempdir().unwrap();
        let plan = Plan::table_2(4, 1);
        let sweep = SweepDirectory::create(directory.path(), &plan, 2).unwrap();
        fs::write(directory.path().join(".shard-000001-of-000002.json.77-0.partial"), "{").unwrap();
        let tally = run_shard(&plan, &solver(&plan), (0, 2), &Workers::none(), |_| true).unwrap().unwrap();
        sweep.store(0, &tally).unwrap();
        assert_eq!(sweep.status(), SweepStatus { done: vec![0], missing: vec![1], damaged: vec![] });
        let file = sweep.shard_path(1);
        let damaged = |text: &str| {
            let status = sweep.status();
            assert_eq!((status.done, status.missing), (vec![0], vec![1]));
            assert!(status.damaged[0].1.contains(text), "{:?}", status.damaged);
        };
        fs::copy(sweep.shard_path(0), &file).unwrap();
        damaged("another plan");
        let second = Tally { unproved: vec![2, 3], ..Tally::default() };
        let whole = String::from_utf8(sweep.shard_bytes(1, &second)).unwrap();
        fs::write(&file, &whole).unwrap();
        assert!(sweep.status().missing.is_empty());
        for (from, to) in [
            ("[2,3]", "[2,2]"),
            ("[2,3]", "[2]"),
            ("\"items\":2", "\"items\":3"),
            ("\"counts\":[]", "\"counts\":[[1,1,1]]"),
        ] {
            fs::write(&file, whole.replace(from, to)).unwrap();
            damaged("not that of its counts");
        }
        fs::write(&file, whole.replace("shard/2", "shard/1")).unwrap();
        damaged("the items it should");
        for text in ["", "{", "\u{0}\u{0}", &whole[..whole.len() / 2], &whole.replace("\"items\"", "\"Items\"")] {
            fs::write(&file, text).unwrap();
            damaged("not a shard");
        }
        let note = sweep.store(1, &second).unwrap().unwrap();
        assert!(note.contains("not a shard") && note.contains("000002.json.damaged"), "{note}");
        assert!(sweep.status().missing.is_empty() && file.with_extension("json.damaged").exists());
        assert_eq!(sweep.store(1, &second), Ok(None));
        fs::write(&file, "{").unwrap();
        assert!(sweep.store(1, &second).unwrap().unwrap().contains("json.damaged-2"));
        for (name, own) in
            [("plan.json", true), ("cutting", true), ("shard-000009-of-000010.json", true), ("start", false)]
        {
            assert_eq!(sweep.has_name_of(&directory.path().join(name)), own, "{name}");
        }
        assert!(!sweep.has_name_of(&directory.path().join("sub/plan.json")));
        assert!(SweepDirectory::create(directory.path(), &Plan::table_2(4, 2), 2).is_err());
        assert!(SweepDirectory::create(directory.path(), &plan, 2).is_ok());
    }

    #[test]
    fn of_two_cuttings_at_once_one_is_settled() {
        let directory = tempfile::tempdir().unwrap();
        let plan = Plan::table_2(20, 1);
        SweepDirectory::create(directory.path(), &plan, 2).unwrap();
        let begin = |shards: u64| SweepDirectory::open(directory.path()).unwrap().begin(shards);
        let won: Vec<u64> = std::thread::scope(|scope| {
            let begin = &begin;
            let runs: Vec<_> = [4, 5, 4, 5].map(|n| scope.spawn(move || begin(n).is_ok().then_some(n))).into();
            runs.into_iter().filter_map(|run| run.join().unwrap()).collect()
        });
        assert!(!won.is_empty() && won.iter().all(|shards| *shards == won[0]), "{won:?}");
        assert_eq!(SweepDirectory::open(directory.path()).unwrap().shards, won[0]);
        let other = begin(9 - won[0]).unwrap_err().to_string();
        assert!(other.contains(&format!("begun in {} shards", won[0])), "{other}");
        assert!(SweepDirectory::create(directory.path(), &plan, 2).is_ok());
    }
}
