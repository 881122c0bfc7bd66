//! What is asked of a path and what is said of it: options, outcome, counts of work.

use super::system::Point;
use crate::tolerance::Tolerances;

/// What a step must satisfy. See `docs/accuracy.md` for what none of these promises.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackOptions {
    /// Order of the predictor's power series, at least 2.
    pub order: usize,
    /// Estimated relative error of the prediction that a step is chosen for.
    pub prediction: f64,
    /// Longest step in units of the estimated radius of convergence of the series.
    pub radius_fraction: f64,
    /// Largest relative Newton correction after the prediction.
    pub correction: f64,
    /// Largest ratio of the second Newton correction to the first.
    pub contraction: f64,
    /// A second correction below this passes whatever the ratio is.
    pub accuracy: f64,
    /// Smallest step; below it the path is given up as heading for a singular point.
    pub smallest_step: f64,
    /// Beyond this distance from its centre the chart is changed.
    pub chart_radius: f64,
    /// Two endpoints that agree to this, relative to the largest entry, count as one.
    pub same: f64,
    /// Most steps of one path.
    pub most_steps: u32,
}

impl TrackOptions {
    /// The defaults of `tolerances`.
    pub fn new(tolerances: &Tolerances) -> Self {
        Self {
            order: 4,
            prediction: tolerances.path_prediction,
            radius_fraction: 0.7,
            correction: tolerances.path_correction,
            contraction: tolerances.path_contraction,
            accuracy: tolerances.path_accuracy,
            smallest_step: tolerances.path_smallest_step,
            chart_radius: 2.0,
            same: tolerances.same_solution,
            most_steps: 2_000,
        }
    }

    /// Shorter steps and a stricter acceptance, for a second look at a suspicious path.
    #[must_use]
    pub fn careful(self) -> Self {
        Self {
            prediction: self.prediction * 1e-2,
            correction: self.correction * 1e-1,
            contraction: self.contraction * 0.3,
            smallest_step: self.smallest_step * 1e-2,
            most_steps: self.most_steps * 4,
            ..self
        }
    }
}

/// How a path ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathOutcome {
    /// Reached `t = 1` with both Newton corrections accepted.
    Arrived,
    /// The step fell below its limit: a singular point, or a point at infinity, at or near the `t` reached.
    Stalled,
    /// The limit on the number of steps was reached.
    Exhausted,
}

/// Integer counts of work; the same for every number of threads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TrackWork {
    /// Accepted steps.
    pub steps: u64,
    /// Rejected steps.
    pub rejected: u64,
    /// Changes of chart.
    pub recentred: u64,
    /// Evaluations of value and Jacobian.
    pub jacobians: u64,
}

impl std::ops::AddAssign for TrackWork {
    fn add_assign(&mut self, other: Self) {
        self.steps += other.steps;
        self.rejected += other.rejected;
        self.recentred += other.recentred;
        self.jacobians += other.jacobians;
    }
}

/// One path: where it ended and what it cost.
#[derive(Debug, Clone, PartialEq)]
pub struct PathResult {
    /// How it ended.
    pub outcome: PathOutcome,
    /// Last accepted point.
    pub point: Point,
    /// Path parameter of that point.
    pub t: f64,
    /// What it cost.
    pub work: TrackWork,
}
