//! Metrics for which the generic count is not reached: monodromy in the target alone, and the trace test.

use num_traits::Zero;

use super::chart::product;
use super::family::{ComplexLoss, Family};
use super::generic::{RandomLoops, Varies, critical_by_construction, random_in_range, random_linear};
use super::instance::Metric;
use super::kernel::Shape;
use super::loss::{MetricKind, QuadraticLoss};
use super::outcome::TraceTest;
use crate::homotopy::{Monodromy, MonodromyOptions, PathOutcome, Point, TrackOptions, Workers, monodromy};
use crate::linalg::exact::RationalMatrix;
use crate::linalg::scalar::C64;
use crate::linalg::{Matrix, singular_values};
use crate::random::Stream;
use crate::tolerance::Tolerances;

/// Loops without a new point after which monodromy is taken to have found all.
const QUIET_LOOPS: u64 = 12;

/// The critical points, for one generic complex target, of the metric of an instance.
pub(super) struct SpecialSet {
    pub(super) loss: ComplexLoss,
    pub(super) found: Monodromy,
    seed: u64,
}

/// Pairs of a rank-`r` matrix and a normal vector there form an irreducible variety, and `b = A w - G` is generic on it,
/// so loops of `b` alone join all critical points that occur for generic `b`. Every nondegenerate critical point of any
/// loss with this `A` persists for nearby `b`, so it is the end of a path from one of them; for a singular metric other
/// paths may run away, since targets only give those `b` that lie in the range of `A`.
pub(super) fn special_set(
    loss: &ComplexLoss,
    seed: u64,
    limit: usize,
    tracking: &TrackOptions,
    workers: &Workers,
) -> SpecialSet {
    let mut stream = Stream::new(seed, 0);
    let (base, start) = critical_by_construction(loss.shape, loss.form.clone(), &mut stream);
    let loops = RandomLoops { base: base.clone(), varies: Varies::Linear, seed };
    let options =
        MonodromyOptions { expected: None, quiet_loops: QUIET_LOOPS, most_solutions: limit, same: tracking.same };
    let found = monodromy(&loops, vec![start], options, &tracking.careful(), workers);
    SpecialSet { loss: base, found, seed }
}

/// A special set and the evidence that it is all; a property of the metric, not of the target.
pub(super) struct Special {
    pub(super) set: SpecialSet,
    pub(super) trace: Option<TraceTest>,
    /// Critical points of generic targets.
    pub(super) generic: usize,
}

impl Special {
    /// `loss` is any with the metric of the set.
    pub(super) fn new(
        set: SpecialSet,
        loss: &QuadraticLoss,
        (tracking, tolerances): (&TrackOptions, &Tolerances),
        workers: &Workers,
    ) -> Self {
        let singular = matches!(loss.kind, MetricKind::Singular { .. });
        let separated = !is_nearly_special(loss, tolerances);
        let trace = set.trace(tracking, tolerances, workers);
        let trace = trace.map(|test| TraceTest { passed: test.passed && separated, ..test });
        let generic = if singular { set.count_in_range(tracking, workers) } else { set.found.points.len() };
        Self { set, trace, generic }
    }
}

impl SpecialSet {
    /// How many of the points survive on the way to a generic `b` in the range of `A`, where those of all targets lie. Paths
    /// may end on curves of critical points: those end points do not come back from another such `b`, isolated ones do.
    fn count_in_range(&self, tracking: &TrackOptions, workers: &Workers) -> usize {
        let mut stream = Stream::new(self.seed, u64::MAX - 1);
        let mut inside = || ComplexLoss { linear: random_in_range(&self.loss, &mut stream), ..self.loss.clone() };
        let (here, there) = (inside(), inside());
        let arrived = |from: &ComplexLoss, to: &ComplexLoss, points: &[Point]| -> Vec<Point> {
            let results = workers.track(&Family::new(from, to), points, &tracking.careful());
            let reached = results.into_iter().filter(|result| result.outcome == PathOutcome::Arrived);
            reached.map(|result| result.point).collect()
        };
        let ends = arrived(&self.loss, &here, &self.found.points);
        let back = arrived(&there, &here, &arrived(&here, &there, &ends));
        let same = |a: &Point, b: &Point| {
            let (a, b) = (product(self.loss.shape, a), product(self.loss.shape, b));
            let largest = a.iter().fold(0.0_f64, |size, z| size.max(z.norm_one()));
            a.iter().zip(&b).all(|(&a, &b)| (a - b).norm_one() <= tracking.same * largest)
        };
        ends.iter().filter(|end| back.iter().any(|returned| same(end, returned))).count()
    }

    /// Sums the points at three equidistant targets on a random complex line; `None` if a path is lost.
    fn trace(&self, tracking: &TrackOptions, tolerances: &Tolerances, workers: &Workers) -> Option<TraceTest> {
        let shape = self.loss.shape;
        let direction = random_linear(shape, &mut Stream::new(self.seed, u64::MAX));
        let moved = |steps: f64| ComplexLoss {
            linear: self.loss.linear.iter().zip(&direction).map(|(&b, &d)| b.add_scaled(steps, d)).collect(),
            ..self.loss.clone()
        };
        let mut points = self.found.points.clone();
        let mut sums = Vec::new();
        let mut largest = 0.0f64;
        for step in 0..3 {
            let mut sum = vec![C64::zero(); shape.entries()];
            for point in &points {
                for (sum, w) in sum.iter_mut().zip(product(shape, point)) {
                    *sum = *sum + w;
                    largest = largest.max(w.norm_one());
                }
            }
            sums.push(sum);
            if step < 2 {
                let leg = Family::new(&moved(f64::from(step)), &moved(f64::from(step + 1)));
                let results = workers.track(&leg, &points, &tracking.careful());
                if results.iter().any(|result| result.outcome != PathOutcome::Arrived) {
                    return None;
                }
                points = results.into_iter().map(|result| result.point).collect();
            }
        }
        let second = |e: usize| (sums[0][e] + sums[2][e]).add_scaled(-2.0, sums[1][e]).norm_one();
        let residual = (0..shape.entries()).fold(0.0f64, |acc, e| acc.max(second(e))) / largest;
        Some(TraceTest { residual, passed: residual <= tolerances.trace, points: points.len() })
    }
}

/// Weights are special where minors vanish. If one is small and not zero, double precision cannot tell them from special ones
/// nearby, and points far out are lost on the way; for a general `phi` nothing is known.
pub(super) fn is_nearly_special(loss: &QuadraticLoss, tolerances: &Tolerances) -> bool {
    let Metric::Weights(_) = &loss.instance().metric else { return true };
    let Shape { m, n, .. } = loss.shape();
    let weight = |i: usize, j: usize| loss.form[(i * n + j) * (m * n + 1)].low;
    let small = |rows: &[usize], cols: &[usize]| {
        let minor = Matrix::from_fn(rows.len(), rows.len(), |a, b| weight(rows[a], cols[b]));
        let norm = |a: &usize| cols.iter().map(|&j| weight(*a, j).powi(2)).sum::<f64>().sqrt();
        let norms: f64 = rows.iter().map(norm).product();
        let size: f64 = singular_values(&minor).iter().product();
        // Weights are scaled by powers of two, so the rank is theirs.
        let regular = || RationalMatrix::from_matrix(&minor).is_some_and(|exact| exact.rank() == rows.len());
        size <= tolerances.weights_minor * norms && regular()
    };
    (2..=m).any(|k| {
        let cols = subsets(n, k);
        subsets(m, k).iter().any(|rows| cols.iter().any(|cols| small(rows, cols)))
    })
}

/// All sets of `count` numbers below `size`, in increasing order.
fn subsets(size: usize, count: usize) -> Vec<Vec<usize>> {
    (0..count).fold(vec![Vec::new()], |sets: Vec<Vec<usize>>, _| {
        let longer = |set: &Vec<usize>| {
            let set = set.clone();
            (set.last().map_or(0, |last| last + 1)..size).map(move |next| [set.as_slice(), &[next]].concat())
        };
        sets.iter().flat_map(longer).collect()
    })
}
