//! From an instance to all its critical points, with the proof that none is missing where there is one.

use std::cell::OnceCell;

use super::certified::{Admission, CertifiedSet};
use super::descent::{Descent, descents};
use super::family::Family;
use super::instance::Instance;
use super::loss::{MetricKind, QuadraticLoss};
use super::outcome::{Completeness, ComplexPoint, PathCounts, RealPoint, Solution, alternating_sum};
use super::special::{Special, special_set};
use super::start::{StartSet, expected_count};
use super::whitened::{WhiteCoordinates, WhitenedTarget};
use crate::error::{InputError, Result};
use crate::homotopy::{PathOutcome, Point, TrackOptions, TrackWork, Workers, track_in_double_double};
use crate::linalg::interval::certified_inertia;
use crate::tolerance::Tolerances;

/// Starts from other phases before the count is given up.
const ROUNDS: usize = 4;
/// The same for a singular metric, which can keep whole families of critical points that paths run to.
const SINGULAR_ROUNDS: usize = 2;

/// A start set and everything else that instances of one shape share.
#[derive(Debug)]
pub struct Solver {
    start: StartSet,
    tolerances: Tolerances,
    tracking: TrackOptions,
    seed: u64,
}

impl Solver {
    /// A solver for instances of the shape of `start`.
    ///
    /// # Errors
    /// If the start set does not have as many points as the generic ED degree: it is incomplete, stale or foreign.
    pub fn new(start: StartSet, tolerances: Tolerances, seed: u64) -> Result<Self> {
        let expected = expected_count(start.loss.shape)?;
        if start.points.len() != expected {
            return Err(InputError::new(format!("a start set of this shape must have {expected} points"))
                .array("start")
                .value(start.points.len())
                .hint("make it anew, if need be with another seed"));
        }
        Ok(Self { start, tolerances, tracking: TrackOptions::new(&tolerances), seed })
    }

    /// The same solver with other options of the tracker.
    #[must_use]
    pub fn with_tracking(mut self, tracking: TrackOptions) -> Self {
        self.tracking = tracking;
        self
    }

    /// The tolerances.
    pub fn tolerances(&self) -> &Tolerances {
        &self.tolerances
    }

    /// The options of the tracker.
    pub fn tracking(&self) -> &TrackOptions {
        &self.tracking
    }

    /// The start set.
    pub fn start(&self) -> &StartSet {
        &self.start
    }

    /// All critical points of one instance.
    ///
    /// # Errors
    /// If the instance is bad or of another shape than the start set. Everything else is part of the [`Solution`].
    pub fn solve(&self, instance: &Instance, workers: &Workers) -> Result<Solution> {
        self.solve_with(instance, &OnceCell::new(), workers)
    }

    /// As [`Self::solve`], for instances of one metric that share the monodromy of that metric.
    pub(super) fn solve_with(
        &self,
        instance: &Instance,
        special: &OnceCell<Special>,
        workers: &Workers,
    ) -> Result<Solution> {
        let loss = instance.prepare(&self.tolerances)?;
        let shape = self.start.loss.shape;
        if loss.shape() != shape {
            return Err(InputError::new("the start set is for another size or rank")
                .array("start")
                .value(format!("{} x {} of rank {}", shape.m, shape.n, shape.r)));
        }
        Ok(self.solve_loss(&loss, special, workers))
    }

    /// Many instances, spread over the threads; answers in the order of the instances.
    pub fn solve_all(&self, instances: &[Instance], workers: &Workers) -> Vec<Result<Solution>> {
        workers.map(instances, |instance| self.solve(instance, &Workers::none()))
    }

    fn solve_loss(&self, loss: &QuadraticLoss, special: &OnceCell<Special>, workers: &Workers) -> Solution {
        let mut search = Search::new(self, loss, special);
        let expected = loss.bound(self.start.points.len());
        if loss.is_full_rank() {
            return search.full_rank(workers);
        }
        if loss.kind == (MetricKind::Product { exact: true }) {
            return search.eckart_young(expected);
        }
        // Known to fall short: the metric, not the target, is special.
        if let Some(expected) = expected.filter(|&count| special.get().is_none_or(|special| special.generic >= count)) {
            search.follow_rounds(expected, workers);
        }
        search.conclude(expected, workers)
    }
}

/// Certified points of one loss, and the work done for them.
struct Search<'a> {
    solver: &'a Solver,
    loss: &'a QuadraticLoss,
    set: CertifiedSet<'a>,
    special: &'a OnceCell<Special>,
    whitened: Option<WhitenedTarget>,
    descents: Vec<Descent>,
    paths: PathCounts,
    work: TrackWork,
}

impl<'a> Search<'a> {
    fn new(solver: &'a Solver, loss: &'a QuadraticLoss, special: &'a OnceCell<Special>) -> Self {
        let set = CertifiedSet::new(loss, &solver.tolerances);
        let (paths, work) = (PathCounts::default(), TrackWork::default());
        Self { solver, loss, set, special, whitened: None, descents: Vec::new(), paths, work }
    }

    /// Definite, but so nearly singular that points may be lost to rounding errors.
    fn is_badly_scaled(&self) -> bool {
        let singular = matches!(self.loss.kind, MetricKind::Singular { .. });
        !singular && self.loss.condition > self.solver.tolerances.metric_condition
    }

    fn is_complete(&self, expected: usize) -> bool {
        self.set.points.len() == expected
    }

    fn follow_rounds(&mut self, expected: usize, workers: &Workers) {
        let singular = matches!(self.loss.kind, MetricKind::Singular { .. });
        for round in 0..if singular { SINGULAR_ROUNDS } else { ROUNDS } {
            if self.is_complete(expected) {
                break;
            }
            self.follow_generic(round, workers);
        }
    }

    /// For a product metric all isolated critical points are known in closed form, and need only be certified.
    fn eckart_young(mut self, expected: Option<usize>) -> Solution {
        let shape = self.loss.shape();
        let coordinates = WhiteCoordinates::new(self.loss);
        if let Some(coordinates) = &coordinates {
            self.set.admit(&coordinates.points(shape));
        }
        // Beyond that the singular values would be rounding errors.
        let reliable = coordinates.filter(|_| !self.is_badly_scaled());
        self.whitened = reliable.map(|found| WhitenedTarget::new(self.loss, &found, &self.solver.tolerances));
        self.descend(expected);
        let found = self.set.points.len();
        let complete = if expected == Some(found) {
            Completeness::Proved { theorem: generic_theorem(self.loss) }
        } else {
            let degenerate = self.whitened.as_ref().and_then(|whitened| whitened.degenerate_reason(found, shape.r));
            let reason = degenerate.unwrap_or_else(|| self.unknown_reason(expected, None));
            Completeness::Unknown { reason, trace: None, generic: expected }
        };
        self.solution(expected, complete)
    }

    /// One point solves a linear system; that its Jacobian is proved nonsingular proves that it is the only one.
    fn full_rank(mut self, workers: &Workers) -> Solution {
        let singular = matches!(self.loss.kind, MetricKind::Singular { .. });
        if !singular && self.loss.target_is_proved_deficient() {
            let theorem = "linear least squares: the one critical point is the target, whose rank is lower";
            return self.solution(Some(0), Completeness::Proved { theorem });
        }
        if !singular {
            self.follow_rounds(1, workers);
        }
        self.descend(Some(1));
        let complete = if !singular && self.is_complete(1) {
            Completeness::Proved { theorem: "linear least squares: one critical point" }
        } else {
            Completeness::Unknown { reason: self.loss.full_rank_reason(), trace: None, generic: None }
        };
        self.solution((!singular).then_some(1), complete)
    }

    /// Follows the whole start set; later rounds turn the start loss by another phase, so that other paths are taken.
    fn follow_generic(&mut self, round: usize, workers: &Workers) {
        let start = &self.solver.start;
        let turned = start.loss.turned(2.0 * round as f64);
        let family = Family::new(&turned, &self.loss.as_complex());
        self.follow(&family, &start.points, start.points.len(), workers);
    }

    /// Follows paths, looks again with care at those that stalled or met another, and certifies the endpoints.
    fn follow(&mut self, family: &Family, starts: &[Point], expected: usize, workers: &Workers) {
        let tracking = &self.solver.tracking;
        let results = workers.track(family, starts, tracking);
        results.iter().for_each(|result| self.work += result.work);
        let mut again: Vec<usize> = Vec::new();
        let mut endpoints = Vec::with_capacity(starts.len());
        let mut origin = Vec::with_capacity(starts.len());
        for (index, result) in results.into_iter().enumerate() {
            if result.outcome == PathOutcome::Arrived {
                endpoints.push(result.point);
                origin.push(index);
            } else {
                again.push(index);
            }
        }
        let admissions = self.set.admit(&endpoints);
        self.set.close_under_conjugation();
        let count = |which: Admission| admissions.iter().filter(|&&found| found == which).count();
        self.paths.rounds += 1;
        self.paths.followed = starts.len();
        self.paths.stalled = again.len();
        self.paths.uncertified = count(Admission::Uncertified);
        if self.is_complete(expected) {
            return;
        }
        let suspicious = |&(_, found): &(&usize, &Admission)| *found != Admission::New;
        again.extend(origin.iter().zip(&admissions).filter(suspicious).map(|(index, _)| *index));
        self.look_again(family, starts, &again);
    }

    fn look_again(&mut self, family: &Family, starts: &[Point], again: &[usize]) {
        let careful = self.solver.tracking.careful();
        let chosen: Vec<Point> = again.iter().map(|&index| starts[index].clone()).collect();
        let mut results = Workers::none().track(family, &chosen, &careful);
        for (result, start) in results.iter_mut().zip(&chosen) {
            self.work += result.work;
            // Near a singular point more digits help; a path to infinity only costs time, so a few steps must do.
            if result.outcome == PathOutcome::Stalled && result.t > 0.9 && chosen.len() <= 8 {
                let options = if self.is_badly_scaled() {
                    TrackOptions { smallest_step: careful.smallest_step * 1e-6, ..careful }
                } else {
                    TrackOptions { most_steps: 400, ..careful }
                };
                if let Some(better) = track_in_double_double(family, std::slice::from_ref(start), &options).pop() {
                    self.work += better.work;
                    *result = better;
                }
            }
        }
        let arrived = results.into_iter().filter(|result| result.outcome == PathOutcome::Arrived);
        let endpoints: Vec<Point> = arrived.map(|result| result.point).collect();
        self.set.admit(&endpoints);
        self.set.close_under_conjugation();
    }

    /// States what was found; where the count of the theorem was not reached, looks for what the metric itself allows.
    fn conclude(mut self, expected: Option<usize>, workers: &Workers) -> Solution {
        let reached = |search: &Self| expected.is_some_and(|expected| search.is_complete(expected));
        if !reached(&self) && !self.is_badly_scaled() {
            self.follow_special(workers);
        }
        self.descend(expected);
        let complete = if reached(&self) {
            Completeness::Proved { theorem: generic_theorem(self.loss) }
        } else {
            self.unknown(expected)
        };
        self.solution(expected, complete)
    }

    /// Monodromy in the target alone, with the metric of the instance, and a trace test of what it finds.
    fn follow_special(&mut self, workers: &Workers) {
        let loss = self.loss.as_complex();
        let limit = self.solver.start.points.len();
        let (seed, tools) = (self.solver.seed, (&self.solver.tracking, &self.solver.tolerances));
        let special = self.special.get_or_init(|| {
            let set = special_set(&loss, seed, 2 * limit, tools.0, workers);
            Special::new(set, self.loss, tools, workers)
        });
        self.work += special.set.found.work;
        let count = special.set.found.points.len();
        let family = Family::new(&special.set.loss, &loss);
        self.follow(&family, &special.set.found.points, count, workers);
    }

    /// Certifies the ends of descents, where it is not proved already which point is lowest.
    fn descend(&mut self, expected: Option<usize>) {
        let complete = expected.is_some_and(|expected| self.is_complete(expected));
        if complete && self.loss.is_proved_definite() {
            return;
        }
        self.descents = descents(self.loss, self.solver.seed, &self.solver.tolerances);
        let shape = self.loss.shape();
        let resting = self.descents.iter().filter(|end| end.converged && end.rank(&self.solver.tolerances) == shape.r);
        let ends: Vec<Point> = resting.map(|end| end.point(shape)).collect();
        self.set.admit(&ends);
    }

    /// What is known without a proof. A count of monodromy below that of the certified points, or a trace test of other points than
    /// those, would say nothing about the list.
    fn unknown(&self, expected: Option<usize>) -> Completeness {
        let found = self.set.points.len();
        let special = self.special.get().filter(|special| special.generic >= found);
        let reason = self.unknown_reason(expected, special.map(|special| special.set.found.points.len()));
        let trace = special.filter(|special| special.generic == found).and_then(|special| special.trace);
        Completeness::Unknown { reason, trace, generic: special.map(|special| special.generic) }
    }

    /// The same without its evidence if the indices contradict it: then a real point is missing, or the target is special.
    fn agreeing(&self, complete: Completeness, real: &[RealPoint]) -> Completeness {
        let singular = matches!(self.loss.kind, MetricKind::Singular { .. });
        let sum = alternating_sum(real);
        match complete {
            Completeness::Unknown { reason, generic, .. }
                if !singular && sum.is_some_and(|sum| sum != self.loss.shape().alternating_sum()) =>
            {
                Completeness::Unknown { reason, trace: None, generic }
            }
            complete => complete,
        }
    }

    fn unknown_reason(&self, expected: Option<usize>, count: Option<usize>) -> String {
        let found = self.set.points.len();
        let of = expected.map_or_else(String::new, |expected| format!(" of at most {expected}"));
        match self.loss.kind {
            MetricKind::Singular { kernel } => format!(
                "{found}{of} critical points are certified; the metric is singular (its kernel has dimension {kernel}) and the \
                 metric or the target is not generic, so that others may run towards infinity or into families{}",
                found_by_monodromy(count)
            ),
            _ if self.is_badly_scaled() => format!(
                "{found} critical points are certified{of}; the metric is badly scaled (condition number {:.1e} after scaling rows \
                 and columns), so others may have been lost to rounding errors",
                self.loss.condition
            ),
            MetricKind::Product { exact: true } => {
                format!("{found}{of} critical points are certified; the target is nearly degenerate for this metric")
            }
            MetricKind::Product { exact: false } => format!(
                "{found}{of} critical points are certified; the metric is a product of one on rows and one on columns only up \
                 to rounding, so other critical points may lie far out"
            ),
            MetricKind::Definite => format!(
                "{found}{of} critical points are certified; the metric or the target is not generic{}",
                found_by_monodromy(count)
            ),
        }
    }

    fn solution(self, expected: Option<usize>, complete: Completeness) -> Solution {
        let mut real = Vec::new();
        let mut complex = Vec::new();
        for certified in &self.set.points {
            let centre = self.set.centre(certified);
            let re: Vec<f64> = self.loss.to_user(&centre.iter().map(|z| z.re).collect::<Vec<_>>());
            if certified.enclosure.is_real {
                let size = self.loss.shape().dimension();
                let hessian = certified.enclosure.jacobian.as_ref();
                let inertia = hessian.and_then(|(mid, radius)| certified_inertia(mid, radius, size));
                let radii = self.loss.to_user(&certified.w.iter().map(|ball| ball.radius).collect::<Vec<_>>());
                let radius = radii.into_iter().fold(0.0f64, f64::max);
                real.push(RealPoint {
                    value: self.loss.instance().value(&re),
                    index: inertia.map(|inertia| inertia.negative),
                    w: re,
                    radius,
                });
            } else {
                let im = self.loss.to_user(&centre.iter().map(|z| z.im).collect::<Vec<_>>());
                complex.push(ComplexPoint { re, im });
            }
        }
        real.sort_by(|a, b| a.value.total_cmp(&b.value));
        let is_lowest_proved = complete.is_proved() && self.descents.is_empty();
        let minimum = self
            .loss
            .target_as_minimum()
            .or_else(|| self.loss.minimum_of(real.first(), &self.descents, is_lowest_proved, &self.solver.tolerances));
        let complete = self.agreeing(complete, &real);
        Solution {
            id: self.loss.instance().id.clone(),
            kind: self.loss.kind,
            expected,
            n_complex: self.set.points.len(),
            certified: complete.is_proved() && real.iter().all(|point| point.index.is_some()),
            complete,
            real,
            minimum,
            complex,
            whitened: self.whitened,
            paths: self.paths,
            work: self.work,
        }
    }
}

fn found_by_monodromy(count: Option<usize>) -> String {
    count.map_or_else(String::new, |count| format!("; monodromy in the linear term found {count} for generic ones"))
}

fn generic_theorem(loss: &QuadraticLoss) -> &'static str {
    match loss.kind {
        MetricKind::Product { exact: true } => "Eckart and Young: at most C(min(m, n), r) isolated critical points",
        _ if loss.vanishes_on_families() => {
            "a sum of polar degrees bounds the isolated critical points; all others have loss zero and lie in families"
        }
        _ => "at most the generic ED degree of nondegenerate critical points",
    }
}
