//! The fixed binary tree in which the factors of blocks are merged, on as many threads as the caller allows.
//!
//! Leaf `k` is the factor of block `k`; node `(level, k)` joins `(level - 1, 2k)` and `(level - 1, 2k + 1)`. What is
//! left over at the end is joined from the smallest subtree to the largest. Which thread does a merge, and when, has no
//! effect on the bits.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use rayon::ThreadPool;

use super::factor::{SampleFactor, exponent_for, times_power};
use crate::linalg::triangular_factor_of_rows;
use crate::parallel;

/// One block of samples: the rows `[s, s x', s y']` and the largest absolute entry of each column.
pub(super) struct Block {
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    pub(super) rows: Vec<f64>,
    pub(super) largest: Vec<f64>,
}

impl Block {
    pub(super) fn factor(&self) -> SampleFactor {
        let exponents: Vec<i32> = self.largest.iter().map(|&entry| exponent_for(entry)).collect();
        let scales: Vec<f64> = exponents.iter().map(|&exponent| times_power(1.0, -exponent.max(-1000))).collect();
        let samples = (self.rows.len() / self.largest.len()) as u64;
        let scaled = triangular_factor_of_rows(&self.rows, &scales);
        SampleFactor::from_parts(self.inputs, self.outputs, samples, exponents, scaled)
    }
}

#[derive(Default)]
struct State {
    /// Factors that wait for their sibling, by level and index.
    waiting: BTreeMap<(u32, u64), SampleFactor>,
    /// Blocks handed to the pool and not yet in the tree.
    pending: usize,
    /// Memory of finished blocks, for the next ones.
    spare: Vec<Vec<f64>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    finished: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Factors a block and climbs the tree as far as siblings are there.
    fn work(&self, index: u64, block: Block) {
        let mut factor = block.factor();
        let (mut level, mut at) = (0, index);
        self.lock().spare.push(block.rows);
        loop {
            let mut state = self.lock();
            let Some(sibling) = state.waiting.remove(&(level, at ^ 1)) else {
                state.waiting.insert((level, at), factor);
                return;
            };
            drop(state);
            factor = if at.is_multiple_of(2) {
                SampleFactor::join(factor, sibling)
            } else {
                SampleFactor::join(sibling, factor)
            };
            (level, at) = (level + 1, at / 2);
        }
    }
}

/// The tree while blocks arrive. At most `threads + 1` blocks wait or are worked on at any time, beside the first one: it is
/// kept until a second one comes, since threads that are started for a single block cost more than it does.
pub(super) struct Tree {
    shared: Arc<Shared>,
    first: Mutex<Option<(u64, Block)>>,
    pool: OnceLock<Option<Arc<ThreadPool>>>,
    threads: usize,
}

impl Tree {
    pub(super) fn new(threads: usize) -> Self {
        Self { shared: Arc::default(), first: Mutex::default(), pool: OnceLock::new(), threads }
    }

    /// Memory for the rows of a block.
    pub(super) fn buffer(&self) -> Vec<f64> {
        let mut buffer = self.shared.lock().spare.pop().unwrap_or_default();
        buffer.clear();
        buffer
    }

    /// Adds block number `index`; waits while too many are on their way.
    pub(super) fn add(&self, index: u64, block: Block) {
        let mut first = self.first();
        if self.pool.get().is_none() && first.is_none() {
            *first = Some((index, block));
            return;
        }
        let pool = self.pool.get_or_init(|| parallel::pool(self.threads)).as_ref();
        let held = first.take();
        drop(first);
        for (index, block) in held.into_iter().chain([(index, block)]) {
            match pool {
                Some(pool) => self.submit(pool, index, block),
                None => self.shared.work(index, block),
            }
        }
    }

    fn first(&self) -> MutexGuard<'_, Option<(u64, Block)>> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn submit(&self, pool: &ThreadPool, index: u64, block: Block) {
        let mut state = self.shared.lock();
        while state.pending > self.threads {
            state = self.wait(state);
        }
        state.pending += 1;
        drop(state);
        let shared = Arc::clone(&self.shared);
        pool.spawn(move || {
            shared.work(index, block);
            shared.lock().pending -= 1;
            shared.finished.notify_all();
        });
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.shared.finished.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// The factor of all blocks; `None` without blocks.
    pub(super) fn finish(self) -> Option<SampleFactor> {
        let held = self.first().take();
        held.into_iter().for_each(|(index, block)| self.shared.work(index, block));
        let mut state = self.shared.lock();
        while state.pending > 0 {
            state = self.wait(state);
        }
        let left = std::mem::take(&mut state.waiting);
        drop(state);
        left.into_values().reduce(|right, left| SampleFactor::join(left, right))
    }
}
