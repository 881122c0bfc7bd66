//! Counts of products and singular value decompositions on this thread, for tests that a cost is what the documentation says.

use std::cell::Cell;

thread_local! {
    static PRODUCTS: Cell<usize> = const { Cell::new(0) };
    static DECOMPOSITIONS: Cell<usize> = const { Cell::new(0) };
}

pub(super) fn product() {
    PRODUCTS.set(PRODUCTS.get() + 1);
}

pub(super) fn decomposition() {
    DECOMPOSITIONS.set(DECOMPOSITIONS.get() + 1);
}

/// Products of matrices and singular value decompositions that `run` takes.
pub(crate) fn counted<T>(run: impl FnOnce() -> T) -> (T, usize, usize) {
    let before = (PRODUCTS.get(), DECOMPOSITIONS.get());
    let out = run();
    (out, PRODUCTS.get() - before.0, DECOMPOSITIONS.get() - before.1)
}
