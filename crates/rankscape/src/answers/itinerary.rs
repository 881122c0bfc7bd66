//! The critical points that a stored run visited.

use super::{Answer, Settings};
use crate::critical::CriticalClass;
use crate::error::{InputError, Result};
use crate::itinerary::{Checkpoint, Visit, checkpoint, visits};
use crate::problem::Problem;

/// A run as its checkpoints come in; only what they say is kept.
///
/// ```
/// use rankscape::Matrix;
/// use rankscape::answers::{ItineraryAnswer, Settings};
/// use rankscape::problem::{Data, Problem};
///
/// let at = |a: f64, b: f64| vec![Matrix::from_diagonal(2, 2, &[a, b]); 3];
/// let problem = Problem::new(at(0.0, 0.0), Data::target(Matrix::from_diagonal(2, 2, &[8.0, 1.0])))?;
/// let mut run = ItineraryAnswer::default();
/// run.push(0, &problem, Settings::default())?;
/// run.push(900, &problem.at(at(2.0, 1e-6))?, Settings::default())?;
/// let visits = run.visits();
/// let captured: Vec<_> = visits.iter().map(|visit| visit.captured.clone()).collect();
/// assert_eq!(captured, [vec![], vec![1]]);
/// assert_eq!(visits[0].ahead.map(|ahead| ahead.learn), Some(1));
/// # Ok::<(), rankscape::InputError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct ItineraryAnswer {
    points: Vec<(u64, Checkpoint)>,
}

impl ItineraryAnswer {
    /// The next checkpoint: its step, and the problem at its weights ([`Problem::at`] has the data of another one).
    ///
    /// # Errors
    /// If steps do not ascend, or the loss is not representable.
    pub fn push(&mut self, step: u64, problem: &Problem, settings: Settings) -> Result<()> {
        if self.points.last().is_some_and(|(last, _)| *last >= step) {
            return Err(InputError::new("the steps of a run must ascend").array("step").value(step));
        }
        self.points.push((step, checkpoint(problem, settings.seed)?));
        Ok(())
    }

    /// Step and state of every checkpoint.
    pub fn points(&self) -> &[(u64, Checkpoint)] {
        &self.points
    }

    /// The critical points that were visited, in order.
    pub fn visits(&self) -> Vec<Visit> {
        visits(&self.points)
    }
}

impl Answer for ItineraryAnswer {
    fn is_undecided(&self) -> bool {
        let undecided = |point: &Checkpoint| point.nearest.is_some_and(|near| near.felt == CriticalClass::Undecided);
        self.points.iter().any(|(_, point)| undecided(point))
    }
}
