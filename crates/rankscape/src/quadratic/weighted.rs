//! The ED degree of the rank-`r` matrices for one given metric.

use num_traits::ToPrimitive;

use super::full_rank::affine_space;
use super::instance::{Instance, Metric, MetricKind};
use super::kernel::Shape;
use super::outcome::TraceTest;
use super::special::{Special, special_set};
use super::start::expected_count;
use crate::determinantal::degrees;
use crate::error::Result;
use crate::evidence::Grade;
use crate::homotopy::{TrackOptions, Workers};
use crate::tolerance::Tolerances;

/// Number of critical points of a metric for generic targets, and what it rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightedDegree {
    /// The count; `None` where none is defined, since no critical point is isolated.
    pub count: Option<usize>,
    /// `Exact` where a theorem gives the count, `Numerical` where monodromy and the trace test do.
    pub grade: Grade,
    /// The theorem or the procedure, in one sentence.
    pub reason: String,
    /// The trace test, where one was made; the count is a lower bound if it did not pass.
    pub trace: Option<TraceTest>,
    /// Definite, product or singular.
    pub kind: MetricKind,
}

/// The ED degree of the metric of `instance`; its target is not looked at.
///
/// For a metric on rows times a metric on columns it is `C(min(m, n), r)`. For others it is found by monodromy in the
/// target, and judged by the trace test; it is at most the generic ED degree if the metric is definite. At full rank it is
/// 1, by linear least squares, and undefined if the metric is singular.
///
/// # Errors
/// If the instance is bad or the generic count not affordable.
pub fn weighted_degree(
    instance: &Instance,
    seed: u64,
    tolerances: &Tolerances,
    workers: &Workers,
) -> Result<WeightedDegree> {
    let loss = instance.prepare(tolerances)?;
    let Shape { m, n, r } = loss.shape();
    if loss.is_full_rank() {
        return Ok(least_squares(loss.kind, instance));
    }
    if loss.kind == (MetricKind::Product { exact: true }) {
        let count = degrees(m, n, r)?.unit.to_usize();
        let reason = "product metric: Eckart and Young".to_owned();
        return Ok(WeightedDegree { count, grade: Grade::Exact, reason, trace: None, kind: loss.kind });
    }
    let generic = expected_count(loss.shape())?;
    let tracking = TrackOptions::new(tolerances);
    let singular = matches!(loss.kind, MetricKind::Singular { .. });
    let set = special_set(&loss.as_complex(), seed, (None, 2 * generic), &tracking, workers);
    let Special { set, trace, generic } = Special::new(set, singular, (&tracking, tolerances), workers);
    let everywhere = set.found.points.len();
    let verdict = match trace {
        Some(TraceTest { passed: true, .. }) => "the trace test passes",
        Some(_) => "the trace test does not pass, so the count is a lower bound",
        None => "the trace test could not be made, so the count is a lower bound",
    };
    let reason = format!(
        "monodromy in the linear term over {} loops found {everywhere}, {generic} of them for generic targets; {verdict}",
        set.found.loops
    );
    Ok(WeightedDegree { count: Some(generic), grade: Grade::Numerical, reason, trace, kind: loss.kind })
}

/// At full rank every matrix is allowed. Whether a weight is zero is exact; the kernel of a general `phi` is not.
fn least_squares(kind: MetricKind, instance: &Instance) -> WeightedDegree {
    let (count, reason) = match kind {
        MetricKind::Singular { kernel } => (None, affine_space(kernel)),
        _ => (Some(1), "linear least squares: every matrix is allowed and the metric is definite".to_owned()),
    };
    let grade = if matches!(instance.metric, Metric::Weights(_)) { Grade::Exact } else { Grade::Numerical };
    WeightedDegree { count, grade, reason, trace: None, kind }
}
