//! What counts as zero at a point in double precision.

use crate::problem::Problem;
use crate::tolerance::Tolerances;

/// How a point in double precision is judged.
#[derive(Debug, Clone, Copy)]
pub struct Judgement<'a> {
    /// Unit roundoff of the type in which the weights were stored.
    pub unit_roundoff: f64,
    /// Tolerances.
    pub tolerances: &'a Tolerances,
    /// Seed of the random combinations of null vectors.
    pub seed: u64,
}

impl<'a> Judgement<'a> {
    /// As the point of a problem is.
    pub fn of(problem: &'a Problem, seed: u64) -> Self {
        Self { unit_roundoff: problem.unit_roundoff(), tolerances: problem.tolerances(), seed }
    }
}
