//! What the solver says about an instance.

use super::loss::MetricKind;
use super::whitened::WhitenedTarget;
use crate::evidence::Grade;
use crate::homotopy::TrackWork;

/// Is the list of critical points the whole list?
#[derive(Debug, Clone, PartialEq)]
pub enum Completeness {
    /// Proved: as many distinct certified critical points as the theorem named allows.
    Proved {
        /// The bound that was reached.
        theorem: &'static str,
    },
    /// Not proved.
    Unknown {
        /// Why, in one sentence.
        reason: String,
        /// Trace test of the set that was followed, where one was made and as many points are certified as it speaks of.
        trace: Option<TraceTest>,
        /// How many critical points monodromy found for generic targets of this metric, where it was run and did not find fewer
        /// than are certified.
        generic: Option<usize>,
    },
}

impl Completeness {
    /// Proved.
    pub fn is_proved(&self) -> bool {
        matches!(self, Self::Proved { .. })
    }
}

/// The sum of all critical points is a linear function of `b` along a line, unless some are missing. Numerical evidence,
/// not a proof.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TraceTest {
    /// Largest second difference of the sum along the line, relative to the largest of the points.
    pub residual: f64,
    /// The residual is at most the tolerance `trace`, and the metric is not so near to special ones that points could be missing in
    /// spite of that: all small minors of the weights vanish exactly, and the metric is given by weights.
    pub passed: bool,
    /// Number of points summed.
    pub points: usize,
}

/// How a path ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PathCounts {
    /// Paths of the (last) start set.
    pub followed: usize,
    /// Paths that stalled: towards infinity, a point of lower rank or a degenerate point.
    pub stalled: usize,
    /// Endpoints that no certificate could be found for.
    pub uncertified: usize,
    /// Rounds: 1, and one more for every start from another phase.
    pub rounds: usize,
}

/// A certified real critical point of rank `r`.
#[derive(Debug, Clone, PartialEq)]
pub struct RealPoint {
    /// `h` there, without a factor 1/2.
    pub value: f64,
    /// Negative eigenvalues of the Hessian on the rank-`r` matrices; `None` if interval arithmetic could not decide.
    pub index: Option<usize>,
    /// The matrix, row by row.
    pub w: Vec<f64>,
    /// Largest proved error of an entry of `w`, not counting the rounding of `w` itself.
    pub radius: f64,
}

/// The least value found on the matrices of rank at most `r`.
#[derive(Debug, Clone, PartialEq)]
pub struct Minimum {
    /// `h` there, without a factor 1/2.
    pub value: f64,
    /// Rank of the matrix, at most `r`.
    pub rank: usize,
    /// The matrix, row by row.
    pub w: Vec<f64>,
    /// False if the descent did not come to rest: then lower values are found further along, and there may be no minimum.
    pub attained: bool,
    /// `Exact` where the target itself has rank at most `r`, `Certified` where the list of critical points is complete and the
    /// metric definite, `Sampled` where only descents from a few starts say that nothing is lower.
    pub grade: Grade,
}

/// A critical point that is not real, certified.
#[derive(Debug, Clone, PartialEq)]
pub struct ComplexPoint {
    /// Real parts, row by row.
    pub re: Vec<f64>,
    /// Imaginary parts.
    pub im: Vec<f64>,
}

/// All critical points of one instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution {
    /// Name of the instance.
    pub id: String,
    /// Definite, product or singular.
    pub kind: MetricKind,
    /// Most isolated complex critical points that there can be, where a theorem says so.
    pub expected: Option<usize>,
    /// Distinct certified complex critical points of rank `r`.
    pub n_complex: usize,
    /// Is that all?
    pub complete: Completeness,
    /// The count is proved, and so are realness and index of every real point.
    pub certified: bool,
    /// Real critical points, by value.
    pub real: Vec<RealPoint>,
    /// The least value found on the matrices of rank at most `r`; `None` if nothing was found.
    pub minimum: Option<Minimum>,
    /// The others, in the order found.
    pub complex: Vec<ComplexPoint>,
    /// The singular values of the target where the metric is a product, and what they say about the critical points.
    pub whitened: Option<WhitenedTarget>,
    /// What happened to the paths.
    pub paths: PathCounts,
    /// Work of all paths.
    pub work: TrackWork,
}

impl Solution {
    /// Number of real critical points.
    pub fn n_real(&self) -> usize {
        self.real.len()
    }

    /// How sure it is that none is missing: `Certified` where proved; `Numerical` where as many are certified as monodromy
    /// finds for generic targets of the same metric, the trace test passes and the indices do not contradict it, which is no
    /// proof; `None` otherwise.
    pub fn completeness_grade(&self) -> Option<Grade> {
        match &self.complete {
            Completeness::Proved { .. } => Some(Grade::Certified),
            Completeness::Unknown { trace: Some(trace), generic: Some(generic), .. } => {
                (trace.passed && *generic == self.n_complex).then_some(Grade::Numerical)
            }
            Completeness::Unknown { .. } => None,
        }
    }

    /// Number of real critical points with index 0; `None` if an index is undecided.
    pub fn n_minima(&self) -> Option<usize> {
        let indices: Option<Vec<usize>> = self.real.iter().map(|point| point.index).collect();
        indices.map(|list| list.iter().filter(|&&index| index == 0).count())
    }

    /// `sum (-1)^index` over the real points ([`crate::quadratic::Shape::alternating_sum`]). `None` if an index is undecided.
    pub fn alternating_sum(&self) -> Option<i64> {
        alternating_sum(&self.real)
    }
}

/// `sum (-1)^index`; `None` if an index is undecided.
pub(super) fn alternating_sum(real: &[RealPoint]) -> Option<i64> {
    real.iter().map(|point| point.index.map(|index| if index % 2 == 0 { 1 } else { -1 })).sum()
}
