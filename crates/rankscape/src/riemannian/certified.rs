//! Quadratic losses of few entries: all critical points, certified, beside what the starts found.

use crate::homotopy::Workers;
use crate::linalg::{Matrix, symmetric_eigen};
use crate::loss::{Loss, QuadraticForm};
use crate::problem::LossData;
use crate::quadratic::{Instance, Metric, Shape, Solution, Solver, StartSet, TargetSpace, expected_count};
use crate::tolerance::Tolerances;

/// Most critical points that are followed beside the descents.
const MOST_PATHS: usize = 300;

/// All critical points of a quadratic loss of the entries of `W`, where they are few, with the proof that none is missing.
pub(super) struct AllCriticalPoints {
    solution: Solution,
    columns: usize,
    /// The metric that was solved is the one given, to the last digit.
    pub(super) exact: bool,
}

impl AllCriticalPoints {
    /// `None` for other losses, those with samples, metrics that are not definite, and lists that are not proved.
    pub(super) fn new(data: &LossData, rank: usize, tolerances: &Tolerances, seed: u64) -> Option<Self> {
        if !data.is_target() {
            return None;
        }
        let form = data.loss().quadratic_form()?;
        let (target, metric, exact) = match form {
            QuadraticForm::Entries { target, weights: Some(weights) } => {
                let weights: Vec<f64> = weights.transpose().entries().collect();
                let definite = weights.iter().all(|&weight| weight > 0.0);
                (target, Metric::Weights(weights), definite.then_some(true)?)
            }
            QuadraticForm::Full { target, metric } => (target, Metric::Map(root_of(metric)?), false),
            QuadraticForm::Entries { weights: None, .. } => return None,
        };
        let (rows, cols) = target.shape();
        let shape = Shape { m: rows, n: cols, r: rank };
        let few = expected_count(shape).is_ok_and(|count| count <= MOST_PATHS);
        let start = few.then(|| StartSet::shipped(shape)).flatten()?;
        let solver = Solver::new(start, *tolerances, seed).ok()?;
        let instance = Instance {
            id: String::new(),
            rows,
            cols,
            rank,
            metric,
            target: target.transpose().entries().collect(),
            convention: TargetSpace::Metric,
        };
        let solution = solver.solve(&instance, &Workers::none()).ok()?;
        (solution.complete.is_proved() && solution.certified).then_some(Self { solution, columns: cols, exact })
    }

    /// Local minima by value, with the matrix; the loss is half of that of the solver.
    pub(super) fn minima(&self) -> impl Iterator<Item = (f64, Matrix)> + '_ {
        let Solution { real, .. } = &self.solution;
        real.iter().filter(|point| point.index == Some(0)).map(|point| (0.5 * point.value, self.matrix(&point.w)))
    }

    /// The smallest value: that of the lowest critical point, as the metric is definite.
    pub(super) fn lowest(&self) -> Option<f64> {
        self.minima().map(|(value, _)| value).next()
    }

    fn matrix(&self, entries: &[f64]) -> Matrix {
        Matrix::from_fn(entries.len() / self.columns, self.columns, |i, j| entries[i * self.columns + j])
    }
}

/// A square root of a definite metric, row by row.
fn root_of(metric: &Matrix) -> Option<Vec<f64>> {
    let eigen = symmetric_eigen(metric)?;
    let largest = eigen.values.last().copied()?;
    let definite = eigen.values.iter().all(|&value| value > 1e-10 * largest);
    let roots: Vec<f64> = eigen.values.iter().map(|value| value.max(0.0).sqrt()).collect();
    let root = eigen.vectors.scale_columns(&roots).times_transpose(&eigen.vectors);
    definite.then(|| root.transpose().entries().collect())
}
