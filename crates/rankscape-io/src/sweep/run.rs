//! Doing the shards of a sweep that are missing.

use std::path::Path;

use super::super::start_set::start_set_at;
use super::SweepDirectory;
use rankscape::error::{InputError, Result};
use rankscape::homotopy::{TrackOptions, Workers};
use rankscape::quadratic::Solver;
use rankscape::sweep::run_shard;
use rankscape::tolerance::Tolerances;

/// Shards to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Todo {
    /// Their numbers.
    pub shards: Vec<u64>,
    /// Instances in all of them.
    pub instances: u64,
}

impl SweepDirectory {
    /// The missing shards: all, or the one of this number if the plan is cut into so many.
    ///
    /// # Errors
    /// If the number of shards is out of range.
    pub fn todo(&self, shard: Option<(u64, u64)>) -> Result<Todo> {
        let of = shard.map_or(self.shards, |(_, shards)| shards);
        let wanted = |&other: &u64| shard.is_none_or(|(shard, _)| other == shard);
        let shards: Vec<u64> = self.status().missing.into_iter().filter(wanted).collect();
        let mut instances = 0;
        for &shard in &shards {
            let items = self.plan.items(shard, of)?;
            instances += items.end - items.start;
        }
        Ok(Todo { shards, instances })
    }

    /// Solves the instances of the shards and stores each shard as it is whole; the start set is read from `start` or kept
    /// there. `progress` is called with the number of instances done, `note` with what is to be said at once, and is a note of
    /// the answer too.
    ///
    /// # Errors
    /// If the start set is of no use, or a shard cannot be written.
    pub fn run(
        &mut self,
        todo: &Todo,
        start: Option<&Path>,
        threads: usize,
        progress: &mut dyn FnMut(u64),
        note: &mut dyn FnMut(&str),
    ) -> Result<()> {
        if todo.shards.is_empty() {
            return Ok(());
        }
        let workers = Workers::new(threads)?;
        let tolerances = Tolerances::default();
        let (shape, seed) = (self.plan.shape(), self.plan.seed);
        let set = start_set_at(start, shape, seed, &TrackOptions::new(&tolerances), &workers)?;
        let solver = Solver::new(set, tolerances, seed).map_err(|error| match start {
            Some(path) => error.file(path.display()),
            None => error,
        })?;
        let mut before = 0;
        for &shard in &todo.shards {
            let found = run_shard(&self.plan, &solver, (shard, self.shards), &workers, |done| {
                progress(before + done);
                true
            })?;
            if let Some(tally) = found {
                before += tally.items();
                if let Some(text) = self.store(shard, &tally)? {
                    note(&text);
                }
            }
        }
        Ok(())
    }

    /// Refuses a start set that would have the name of a file of the sweep.
    ///
    /// # Errors
    /// If it has.
    pub fn check_start(&self, start: Option<&Path>) -> Result<()> {
        match start.filter(|path| self.has_name_of(path)) {
            Some(path) => Err(InputError::new("the start set would have the name of a file of the sweep")
                .file(path.display())
                .hint("give --start another name")),
            None => Ok(()),
        }
    }
}
