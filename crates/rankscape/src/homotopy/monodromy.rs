//! Monodromy: all solutions of one generic system from a single one, by loops in the space of parameters.

use super::path::{PathOutcome, TrackOptions, TrackWork};
use super::system::{Point, System};
use super::workers::Workers;
use crate::linalg::scalar::C64;

/// Loops through one base system.
pub trait Loops {
    /// The systems along one leg.
    type Leg: System;

    /// Loop number `index` as consecutive legs, from the base system back to it.
    fn legs(&self, index: u64) -> Vec<Self::Leg>;

    /// Numbers that tell solutions apart and do not depend on the chart.
    fn invariant(&self, point: &Point) -> Vec<C64>;
}

/// When to stop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MonodromyOptions {
    /// Stop as soon as this many solutions are known.
    pub expected: Option<usize>,
    /// Stop after this many loops in a row without a new solution.
    pub quiet_loops: u64,
    /// Stop when more solutions than this are known.
    pub most_solutions: usize,
    /// Two solutions whose invariants agree to this, relative to the largest entry, count as one.
    pub same: f64,
}

/// Why the search stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MonodromyEnd {
    /// The expected number was reached.
    Reached,
    /// The loops found nothing new for a while; a trace test must say whether that is all.
    Quiet,
    /// More solutions than the limit.
    TooMany,
}

/// What monodromy found.
#[derive(Debug, Clone)]
pub struct Monodromy {
    /// Distinct solutions, in the order of discovery.
    pub points: Vec<Point>,
    /// Why the search stopped.
    pub end: MonodromyEnd,
    /// Loops made.
    pub loops: u64,
    /// Paths that did not arrive; a generic loop loses none.
    pub lost: u64,
    /// Scratch of all paths.
    pub work: TrackWork,
}

/// Collects the solutions that loops through the base system reach from the given ones.
pub fn monodromy(
    loops: &impl Loops,
    known_points: Vec<Point>,
    options: MonodromyOptions,
    tracking: &TrackOptions,
    workers: &Workers,
) -> Monodromy {
    let mut known = Known { same: options.same, sorted: Vec::new() };
    let points = known_points.into_iter().filter(|point| known.insert(loops.invariant(point))).collect();
    let mut found = Monodromy { points, end: MonodromyEnd::Quiet, loops: 0, lost: 0, work: TrackWork::default() };
    let mut quiet = 0;
    loop {
        if options.expected.is_some_and(|expected| found.points.len() >= expected) {
            found.end = MonodromyEnd::Reached;
            return found;
        }
        if found.points.len() > options.most_solutions {
            found.end = MonodromyEnd::TooMany;
            return found;
        }
        if quiet >= options.quiet_loops {
            return found;
        }
        let before = found.points.len();
        let mut moving = found.points.clone();
        for leg in loops.legs(found.loops) {
            let results = workers.track(&leg, &moving, tracking);
            results.iter().for_each(|result| found.work += result.work);
            let arrived = results.into_iter().filter(|result| result.outcome == PathOutcome::Arrived);
            let count = moving.len();
            moving = arrived.map(|result| result.point).collect();
            found.lost += (count - moving.len()) as u64;
        }
        for point in moving {
            if known.insert(loops.invariant(&point)) {
                found.points.push(point);
            }
        }
        found.loops += 1;
        quiet = if found.points.len() > before { 0 } else { quiet + 1 };
    }
}

/// Solutions seen so far, sorted by one coordinate.
struct Known {
    same: f64,
    sorted: Vec<(f64, Vec<C64>)>,
}

impl Known {
    /// Adds a solution unless it is known; says whether it was new.
    fn insert(&mut self, invariant: Vec<C64>) -> bool {
        let size = invariant.iter().fold(0.0f64, |acc, z| acc.max(z.norm_one()));
        // A generic combination, so that different solutions rarely come close.
        let weigh = |(i, z): (usize, &C64)| z.re * (1.3 + 0.7 * i as f64).sin() + z.im * (0.4 + 1.1 * i as f64).cos();
        let key: f64 = invariant.iter().enumerate().map(weigh).sum();
        let width = self.same * size * 2.0 * invariant.len() as f64;
        let from = self.sorted.partition_point(|entry| entry.0 < key - width);
        let near = self.sorted[from..].iter().take_while(|entry| entry.0 <= key + width);
        let same = |other: &[C64]| other.iter().zip(&invariant).all(|(&a, &b)| (a - b).norm_one() <= self.same * size);
        if near.into_iter().any(|(_, other)| same(other)) {
            return false;
        }
        let at = self.sorted.partition_point(|entry| entry.0 < key);
        self.sorted.insert(at, (key, invariant));
        true
    }
}
