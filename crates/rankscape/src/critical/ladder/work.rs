//! Count of rungs made on this thread, for tests that no more are held than are asked for.

use std::cell::Cell;

thread_local! {
    static RUNGS: Cell<usize> = const { Cell::new(0) };
}

pub(super) fn rung() {
    RUNGS.set(RUNGS.get() + 1);
}

/// Rungs that `run` makes: at least as many as it ever holds.
pub(crate) fn counted<T>(run: impl FnOnce() -> T) -> (T, usize) {
    let before = RUNGS.get();
    let out = run();
    (out, RUNGS.get() - before)
}
