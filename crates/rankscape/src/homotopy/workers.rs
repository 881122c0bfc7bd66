//! Threads of our own: never the global pool, and never a pool inherited through a fork.

use rayon::prelude::*;

use super::path::{PathResult, TrackOptions};
use super::system::{Point, System};
use super::track::track;
use crate::error::{InputError, Result};

/// Paths handed to a thread at a time: enough to keep the lanes full.
const CHUNK: usize = 64;

/// A pool of threads, used only by the process that made it.
#[derive(Debug)]
pub struct Workers {
    pool: Option<rayon::ThreadPool>,
    process: u32,
}

impl Workers {
    /// `threads` threads; with 0 or 1 the caller's thread does the work.
    ///
    /// # Errors
    /// If the system refuses to start threads.
    pub fn new(threads: usize) -> Result<Self> {
        let build = |count: usize| rayon::ThreadPoolBuilder::new().num_threads(count).build();
        let pool = if threads > 1 {
            Some(build(threads).map_err(|error| {
                InputError::new("the threads could not be started").value(error).hint("ask for fewer threads")
            })?)
        } else {
            None
        };
        Ok(Self { pool, process: std::process::id() })
    }

    /// No threads besides the caller's.
    pub fn none() -> Self {
        Self { pool: None, process: std::process::id() }
    }

    fn pool(&self) -> Option<&rayon::ThreadPool> {
        // After a fork the threads are gone though the pool looks whole.
        self.pool.as_ref().filter(|_| self.process == std::process::id())
    }

    /// `work` on every item; results in the order of the items.
    pub fn map<T: Sync, U: Send>(&self, items: &[T], work: impl Fn(&T) -> U + Sync) -> Vec<U> {
        match self.pool() {
            Some(pool) => pool.install(|| items.par_iter().map(&work).collect()),
            None => items.iter().map(work).collect(),
        }
    }

    /// [`track`] with the paths spread over the threads; the same results for every number of threads.
    pub fn track<S: System>(&self, system: &S, starts: &[Point], options: &TrackOptions) -> Vec<PathResult> {
        match self.pool() {
            Some(pool) if starts.len() > CHUNK => pool
                .install(|| starts.par_chunks(CHUNK).map(|chunk| track(system, chunk, options)).collect::<Vec<_>>())
                .into_iter()
                .flatten()
                .collect(),
            _ => track(system, starts, options),
        }
    }
}
