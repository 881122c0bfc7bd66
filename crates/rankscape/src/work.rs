//! Counts of the expensive steps on this thread: tests hold a cost to what the documentation says of it.

use std::cell::Cell;

/// A step that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// A product of two matrices.
    Product,
    /// A singular value decomposition.
    Decomposition,
    /// A network, scaled and whitened.
    Network,
    /// A gradient of the loss of a network.
    Gradient,
    /// A rung of the ladder of critical values that is made.
    Rung,
}

const STEPS: usize = 5;

thread_local! {
    static COUNTS: Cell<[usize; STEPS]> = const { Cell::new([0; STEPS]) };
}

/// Steps that were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    counts: [usize; STEPS],
}

impl Work {
    /// How many of this kind.
    pub fn of(&self, step: Step) -> usize {
        self.counts[step as usize]
    }
}

/// Counts one step.
pub(crate) fn count(step: Step) {
    let mut counts = COUNTS.get();
    counts[step as usize] += 1;
    COUNTS.set(counts);
}

/// What `run` returns, and the steps that it takes on this thread.
///
/// ```
/// use rankscape::Matrix;
/// use rankscape::work::{Step, counted};
///
/// let a = Matrix::identity(2);
/// let (_, work) = counted(|| &a * &(&a * &a));
/// assert_eq!(work.of(Step::Product), 2);
/// ```
pub fn counted<T>(run: impl FnOnce() -> T) -> (T, Work) {
    let before = COUNTS.get();
    let out = run();
    let after = COUNTS.get();
    (out, Work { counts: std::array::from_fn(|step| after[step] - before[step]) })
}
