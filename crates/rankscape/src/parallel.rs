//! Our own thread pools, never the global one.
//!
//! A pool belongs to the process that made it: after a fork the child makes its own, since the threads of its parent
//! do not exist there and would never answer.

use std::sync::{Arc, Mutex};

use rayon::{ThreadPool, ThreadPoolBuilder};

struct Entry {
    process: u32,
    threads: usize,
    pool: Arc<ThreadPool>,
}

static POOLS: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

/// The pool of this process with so many threads.
///
/// `None` means that the caller does the work itself: one thread was asked for, the caller already runs in a pool
/// (waiting there for other work of the pool could wait forever), or the system gives no more threads.
pub fn pool(threads: usize) -> Option<Arc<ThreadPool>> {
    if threads <= 1 || rayon::current_thread_index().is_some() {
        return None;
    }
    let process = std::process::id();
    // A fork can leave the lock held by a thread that no longer exists: never wait for it.
    let Ok(mut pools) = POOLS.try_lock() else { return new_pool(threads) };
    if let Some(entry) = pools.iter().find(|entry| entry.process == process && entry.threads == threads) {
        return Some(Arc::clone(&entry.pool));
    }
    let pool = new_pool(threads)?;
    pools.push(Entry { process, threads, pool: Arc::clone(&pool) });
    Some(pool)
}

fn new_pool(threads: usize) -> Option<Arc<ThreadPool>> {
    let name = |at| format!("rankscape-{at}");
    ThreadPoolBuilder::new().num_threads(threads).thread_name(name).build().ok().map(Arc::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thread_needs_no_pool_and_pools_do_not_nest() {
        assert!(pool(1).is_none());
        let outer = pool(2).unwrap();
        assert_eq!(outer.current_num_threads(), 2);
        assert!(outer.install(|| pool(2).is_none()));
    }
}
