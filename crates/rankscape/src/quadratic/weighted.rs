//! The ED degree of the rank-`r` matrices for one given metric.

use std::cell::OnceCell;

use num_traits::ToPrimitive;

use super::certified::CertifiedSet;
use super::family::Family;
use super::full_rank::affine_space;
use super::instance::{Instance, TargetSpace};
use super::kernel::Shape;
use super::loss::MetricKind;
use super::outcome::{Completeness, TraceTest};
use super::solve::Solver;
use super::special::{Special, is_nearly_special, special_set};
use super::start::{StartSet, expected_count};
use crate::determinantal::degrees;
use crate::error::Result;
use crate::evidence::Grade;
use crate::homotopy::{PathOutcome, Point, TrackOptions, Workers};
use crate::random::Stream;
use crate::tolerance::Tolerances;

/// Entries of the random target at which points are certified.
const LARGEST_ENTRY: i64 = 99;
/// Stream of that target, apart from those of the loops.
const TARGET_STREAM: u64 = u64::MAX - 2;

/// Number of critical points of a metric for generic targets, and what it rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightedDegree {
    /// The count; `None` where none is defined, since no critical point is isolated.
    pub count: Option<usize>,
    /// More points are not excluded, neither by a theorem nor by a trace test.
    pub is_lower_bound: bool,
    /// `Exact` where a theorem gives the count, `Certified` where as many points are certified as a theorem allows,
    /// `Numerical` where monodromy and the trace test find it.
    pub grade: Grade,
    /// The theorem or the procedure, in one sentence.
    pub reason: String,
    /// The trace test, where one was made.
    pub trace: Option<TraceTest>,
    /// Definite, product or singular.
    pub kind: MetricKind,
}

/// The ED degree of the metric of `instance`; its target is not looked at.
///
/// For a metric on rows times a metric on columns it is `C(min(m, n), r)`. For other definite metrics it is at most the
/// generic ED degree, and proved to be that if as many critical points are certified at one target, since
/// nondegenerate ones persist. In general it is found by monodromy in the target and judged by the trace test, and at a random
/// target the points are certified one by one. At full rank it is 1, by linear least squares, and undefined if the metric is
/// singular.
///
/// # Errors
/// If the instance is bad or the generic count not affordable.
pub fn weighted_degree(
    instance: &Instance,
    seed: u64,
    tolerances: &Tolerances,
    workers: &Workers,
) -> Result<WeightedDegree> {
    let mut stream = Stream::new(seed, TARGET_STREAM);
    let target = instance.target.iter().map(|_| stream.integer(-LARGEST_ENTRY, LARGEST_ENTRY) as f64).collect();
    let at = Instance { target, convention: TargetSpace::Metric, ..instance.clone() };
    let loss = at.prepare(tolerances)?;
    if loss.is_full_rank() {
        return Ok(least_squares(loss.proved_kind()));
    }
    let Shape { m, n, r } = loss.shape();
    match loss.kind {
        MetricKind::Product { exact: true } => Ok(WeightedDegree {
            count: degrees(m, n, r)?.unit.to_usize(),
            is_lower_bound: false,
            grade: Grade::Exact,
            reason: "product metric: Eckart and Young".to_owned(),
            trace: None,
            kind: loss.kind,
        }),
        MetricKind::Definite => definite_degree(&at, seed, tolerances, workers),
        MetricKind::Product { exact: false } | MetricKind::Singular { .. } => {
            let tracking = TrackOptions::new(tolerances);
            let limit = 2 * expected_count(loss.shape())?;
            let set = special_set(&loss.as_complex(), seed, limit, &tracking, workers);
            let special = Special::new(set, &loss, (&tracking, tolerances), workers);
            let family = Family::new(&special.set.loss, &loss.as_complex());
            let results = workers.track(&family, &special.set.found.points, &tracking.careful());
            let arrived = results.into_iter().filter(|result| result.outcome == PathOutcome::Arrived);
            let ends: Vec<Point> = arrived.map(|result| result.point).collect();
            let mut certified = CertifiedSet::new(&loss, tolerances);
            certified.admit(&ends);
            certified.close_under_conjugation();
            let doubtful = is_nearly_special(&loss, tolerances);
            Ok(by_monodromy(&special, (certified.points.len(), doubtful), loss.kind))
        }
    }
}

/// As many certified points as the generic ED degree allows prove the count; else monodromy must do.
fn definite_degree(at: &Instance, seed: u64, tolerances: &Tolerances, workers: &Workers) -> Result<WeightedDegree> {
    let start = StartSet::obtain(at.shape(), seed, &TrackOptions::new(tolerances), workers)?;
    let special = OnceCell::new();
    let solution = Solver::new(start, *tolerances, seed)?.solve_with(at, &special, workers)?;
    let count = solution.n_complex;
    match (&solution.complete, special.get()) {
        (Completeness::Proved { .. }, _) => Ok(WeightedDegree {
            count: Some(count),
            is_lower_bound: false,
            grade: Grade::Certified,
            reason: format!(
                "{count} nondegenerate critical points are certified at a random target, as many as the generic ED degree \
                 allows; they persist for nearby targets"
            ),
            trace: None,
            kind: solution.kind,
        }),
        (Completeness::Unknown { .. }, Some(special)) => {
            let doubtful = is_nearly_special(&at.prepare(tolerances)?, tolerances);
            Ok(by_monodromy(special, (count, doubtful), solution.kind))
        }
        (Completeness::Unknown { reason, .. }, None) => Ok(WeightedDegree {
            count: Some(count),
            is_lower_bound: true,
            grade: Grade::Certified,
            reason: format!("a lower bound, at a random target: {reason}"),
            trace: None,
            kind: solution.kind,
        }),
    }
}

/// What monodromy found, beside the points certified at a random target; `doubtful` if the metric may be generic in truth.
fn by_monodromy(special: &Special, (certified, doubtful): (usize, bool), kind: MetricKind) -> WeightedDegree {
    let everywhere = special.set.found.points.len();
    let found = special.generic;
    let verdict = match special.trace {
        Some(TraceTest { passed: true, .. }) => "the trace test passes",
        Some(_) => "the trace test does not pass",
        None => "the trace test could not be made",
    };
    let agrees = certified == found && !doubtful;
    let is_lower_bound = !(agrees && special.trace.is_some_and(|trace| trace.passed));
    let bound = match (is_lower_bound, doubtful) {
        (true, true) => {
            ", but the metric is within rounding errors of a special one or cannot be compared with those, so the count is a \
             lower bound"
        }
        (true, false) => ", so the count is a lower bound",
        _ => "",
    };
    let reason = format!(
        "monodromy in the linear term over {} loops found {everywhere}, {found} of them for generic targets; {certified} are \
         certified at a random target; {verdict}{bound}",
        special.set.found.loops
    );
    // What is certified at one target persists for nearby ones.
    WeightedDegree {
        count: Some(certified),
        is_lower_bound,
        grade: if is_lower_bound { Grade::Certified } else { Grade::Numerical },
        reason,
        trace: special.trace,
        kind,
    }
}

/// At full rank every matrix is allowed; whether the metric is singular is proved.
fn least_squares(kind: MetricKind) -> WeightedDegree {
    let (count, reason) = match kind {
        MetricKind::Singular { kernel } => (None, affine_space(kernel)),
        _ => (Some(1), "linear least squares: every matrix is allowed and the metric is definite".to_owned()),
    };
    WeightedDegree { count, is_lower_bound: false, grade: Grade::Exact, reason, trace: None, kind }
}
