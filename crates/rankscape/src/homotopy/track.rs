//! Following many paths, in lanes of doubles or one by one in double-double.

use super::batch::Batch;
use super::path::{PathResult, TrackOptions};
use super::system::{Point, System};
use crate::linalg::scalar::{DoubleDouble, Lanes, Vectorized, vectorized};

/// Follows every path from its start at `t = 0` to `t = 1` in double precision. Results are in the order of `starts` and
/// each depends on its own start only.
pub fn track<S: System>(system: &S, starts: &[Point], options: &TrackOptions) -> Vec<PathResult> {
    vectorized(InLanes { system, starts, options })
}

/// [`track`] in double-double, one path at a time: for paths too ill-conditioned for double precision.
pub fn track_in_double_double<S: System>(system: &S, starts: &[Point], options: &TrackOptions) -> Vec<PathResult> {
    let options = TrackOptions { accuracy: options.accuracy * 1e-6, ..*options };
    Batch::<S, DoubleDouble>::new(system, &options).run(starts)
}

struct InLanes<'a, S> {
    system: &'a S,
    starts: &'a [Point],
    options: &'a TrackOptions,
}

impl<S: System> Vectorized for InLanes<'_, S> {
    type Output = Vec<PathResult>;

    #[inline(always)]
    fn run<const FUSED: bool>(self) -> Vec<PathResult> {
        Batch::<S, Lanes<FUSED>>::new(self.system, self.options).run(self.starts)
    }
}
