//! A stored run: what each checkpoint is next to, and the critical points that the run visited.
//!
//! A checkpoint *rests* at the critical point next to it where its loss differs from the critical value by at most a fiftieth of what
//! the next direction is worth, or the last one, and the point is critical, next to a global minimum, or does not move
//! ([`Stall::moving`]): no deviation grows by a factor `e` in less than `1 / (stall kappa)`, `kappa` the largest curvature. That is the
//! minimum duration of a plateau, so a checkpoint that only has the loss of a saddle visits none, unless several in a row have it for
//! a good part of the time that the run is next to these directions. `docs/itinerary.md` has the definitions.

use super::BAND;
use crate::critical::{Analysis, CriticalClass, Stall, global_minimum, near, stall};
use crate::data::Whitening;
use crate::error::{InputError, Result};
use crate::escape::{Outlook, outlook};
use crate::hessian::extremes;
use crate::linalg::svd;
use crate::problem::Problem;

/// Part of the square of a growing direction that has to lie along one singular direction for it to be named.
const CLEAR: f64 = 0.5;

/// A critical point next to a checkpoint, or the checkpoint itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nearest {
    /// The class of the nearest point.
    pub class: CriticalClass,
    /// `non_strict_saddle` where a strict saddle is nearest but a non-strict one over the same directions is about as near; else the
    /// class of the nearest point.
    pub felt: CriticalClass,
    /// `||theta - theta*|| / ||theta||`; 0 at a critical point.
    pub distance: f64,
    /// Smallest eigenvalue of the Hessian at the nearest strict saddle; `None` where there is none or it did not converge.
    pub lambda_min: Option<f64>,
}

/// The direction that grows fastest at a critical point, and where it leads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ahead {
    /// 1-based.
    pub learn: usize,
    /// The critical value with it.
    pub value: f64,
}

/// What one checkpoint of a run is.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// `L`.
    pub loss: f64,
    /// `L` minus its smallest value over the architecture.
    pub gap: f64,
    /// 1-based directions that the nearest critical point captures; where none is near, those of which the product has the share
    /// one up to a half.
    pub captured: Vec<usize>,
    /// The critical value over these directions.
    pub value: f64,
    /// The critical point beside it.
    pub nearest: Option<Nearest>,
    /// Whether training stalls; `None` at critical points and next to minima.
    pub stall: Option<Stall>,
    /// The loss is that of the critical point next to it, within a fiftieth of what the next or the last direction is worth.
    pub at_value: bool,
    /// It stays where it is: see the module.
    pub rests: bool,
    /// The next plateau.
    pub ahead: Option<Ahead>,
}

/// Looks where a checkpoint of a run is.
///
/// # Errors
/// If the loss is not representable.
pub fn checkpoint(problem: &Problem, seed: u64) -> Result<Checkpoint> {
    let analysis = Analysis::new(problem);
    let minimum = global_minimum(problem);
    let loss = problem.loss();
    if !loss.is_finite() {
        return Err(InputError::new("the loss is too large for double precision")
            .value(loss)
            .hint("scale X, Y or the weights"));
    }
    let loss = loss.max(minimum);
    let ends = extremes(&problem.given().hessian(), analysis.inertia(), problem.tolerances(), seed);
    let beside = analysis.point().is_none().then(|| near(problem, seed)).flatten();
    let (known, nearest) = match (&beside, analysis.point()) {
        (Some(near), _) => {
            let found = &near.found;
            let nearest = Nearest {
                class: found.nearest.class,
                felt: found.class,
                distance: found.nearest.distance,
                lambda_min: near.strict_lambda_min,
            };
            (Some(found.nearest.captured.clone()), Some(nearest))
        }
        (None, Some(_)) => {
            let class = analysis.class();
            let strict = class == CriticalClass::StrictSaddle && ends.smallest.converged;
            let lambda_min = strict.then_some(ends.smallest.value);
            let nearest = Nearest { class, felt: class, distance: 0.0, lambda_min };
            (analysis.captured().map(|found| found.indices), Some(nearest))
        }
        (None, None) => (None, None),
    };
    let outlook = outlook(problem, known.as_deref());
    let stall = (!analysis.is_critical()).then(|| stall(problem, &ends, beside.as_ref())).flatten();
    let stays = analysis.is_critical()
        || nearest.is_some_and(|nearest| nearest.class == CriticalClass::GlobalMinimum)
        || stall.is_some_and(|stall| !stall.moving);
    let at_value = (loss - outlook.value).abs() <= BAND * worth(problem.whitening(), &outlook);
    Ok(Checkpoint {
        loss,
        gap: loss - minimum,
        captured: known.unwrap_or_else(|| outlook.captured.iter().map(|index| index + 1).collect()),
        value: outlook.value,
        at_value: nearest.is_some() && at_value,
        rests: nearest.is_some() && stays && at_value,
        nearest,
        stall,
        ahead: ahead(problem, &outlook),
    })
}

/// What the loss changes by with the next direction, or without the least of those captured, whichever is less.
fn worth(whitening: &Whitening, outlook: &Outlook) -> f64 {
    let next = outlook.steps().first().map_or(f64::INFINITY, |&(_, _, gain)| gain);
    let last = outlook.captured.iter().filter_map(|&i| whitening.singular_values().get(i)).copied();
    last.map(|s| 0.5 * s * s).fold(next, f64::min)
}

/// The missing direction that grows fastest at the critical point over the captured ones, if there is room for it. From small parts a
/// map grows along the leading singular pair of `(Z - P_S Z) X'`, which has the whitened directions mixed by the scales of `X`: for
/// `X = diag(1/2, 2)`, `Y = diag(3, 3/2)` the second direction comes first. `None` where that pair is tied, or no single direction has
/// more than half of its left vector.
fn ahead(problem: &Problem, outlook: &Outlook) -> Option<Ahead> {
    if problem.factors().depth() == 1 || outlook.additions.is_empty() {
        return None;
    }
    let whitening = problem.whitening();
    let spectrum = &whitening.spectrum;
    let missing: Vec<f64> =
        (0..spectrum.s.len()).map(|i| if outlook.captured.contains(&i) { 0.0 } else { spectrum.s[i] }).collect();
    let left = spectrum.u.columns(0, missing.len()).scale_columns(&missing);
    let growth = left.times_transpose(&spectrum.v.columns(0, missing.len())).scale_columns(&whitening.scales);
    let pairs = svd(&growth);
    let (first, second) = (pairs.s.first().copied()?, pairs.s.get(1).copied().unwrap_or(0.0));
    if first - second <= problem.tolerances().tie_threshold(growth.larger_dimension(), first) {
        return None;
    }
    let shares = spectrum.u.columns(0, missing.len()).transpose_times(&pairs.u.columns(0, 1));
    let clear = |&i: &usize| missing[i] > 0.0 && shares[(i, 0)].powi(2) > CLEAR;
    let learn = (0..missing.len()).find(clear)?;
    let value = outlook.value - 0.5 * spectrum.s[learn] * spectrum.s[learn];
    Some(Ahead { learn: learn + 1, value: value.max(outlook.minimum) })
}

/// A stay at a critical point: checkpoints that follow one another and are next to the same directions, from the first that rests to the
/// last.
#[derive(Debug, Clone, PartialEq)]
pub struct Visit {
    /// Step of the first checkpoint that rests there.
    pub from_step: u64,
    /// Step of the last.
    pub to_step: u64,
    /// 1-based captured directions.
    pub captured: Vec<usize>,
    /// What the nearest of the checkpoints is next to; see [`Nearest::felt`].
    pub class: CriticalClass,
    /// The critical value.
    pub value: f64,
    /// Smallest eigenvalue of the Hessian at the saddle: 0 at a non-strict one, `None` at a minimum and where it is not known.
    pub lambda_min: Option<f64>,
    /// Where the run goes from here.
    pub ahead: Option<Ahead>,
}

/// The critical points that a run visited, in order; steps ascend.
pub fn visits(run: &[(u64, Checkpoint)]) -> Vec<Visit> {
    let same = |a: &(u64, Checkpoint), b: &(u64, Checkpoint)| {
        a.1.captured == b.1.captured && a.1.nearest.is_some() == b.1.nearest.is_some()
    };
    let of_set = |stretch: &[(u64, Checkpoint)]| {
        let lingers = lingers(stretch);
        stretch.chunk_by(same).filter_map(|part| visit(part, lingers)).collect::<Vec<Visit>>()
    };
    run.chunk_by(|a, b| a.1.captured == b.1.captured).flat_map(of_set).collect()
}

/// Part of the steps with one set that a run must spend at the critical value to have visited it. One that passes steadily spends about
/// the part of the loss that counts as the value, a twenty-fifth.
const LINGERS: f64 = 0.1;

/// At least two checkpoints of those with one set have its critical value, over a good part of their steps.
fn lingers(stretch: &[(u64, Checkpoint)]) -> bool {
    let span = |steps: &[u64]| steps.last().zip(steps.first()).map_or(0, |(last, first)| last - first);
    let all: Vec<u64> = stretch.iter().map(|(step, _)| *step).collect();
    let there: Vec<u64> = stretch.iter().filter(|(_, point)| point.at_value).map(|(step, _)| *step).collect();
    there.len() > 1 && span(&there) as f64 >= LINGERS * span(&all) as f64
}

fn visit(stretch: &[(u64, Checkpoint)], lingers: bool) -> Option<Visit> {
    let resting: Vec<(u64, &Checkpoint, Nearest)> = stretch
        .iter()
        .filter(|(_, point)| point.rests || (lingers && point.at_value))
        .filter_map(|(step, point)| Some((*step, point, point.nearest?)))
        .collect();
    let &(_, point, nearest) = resting.iter().min_by(|a, b| a.2.distance.total_cmp(&b.2.distance))?;
    Some(Visit {
        from_step: resting.first()?.0,
        to_step: resting.last()?.0,
        captured: point.captured.clone(),
        class: nearest.felt,
        value: point.value,
        lambda_min: match nearest.felt {
            CriticalClass::StrictSaddle => nearest.lambda_min,
            CriticalClass::NonStrictSaddle => Some(0.0),
            _ => None,
        },
        ahead: point.ahead,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::Matrix;
    use crate::problem::Data;
    use crate::tolerance::Tolerances;

    /// Sets that two aligned layers visit that start with these values, stored every so many steps of gradient descent; and at how many
    /// checkpoints they have the value of {1}.
    fn visited(start: [f64; 2], every: u64) -> (Vec<Vec<usize>>, usize) {
        let target = Matrix::from_diagonal(2, 2, &[3.0, 0.5]);
        let mut layers = vec![Matrix::from_diagonal(2, 2, &start); 2];
        let mut run = Vec::new();
        for step in 0..=4000 {
            if step % every == 0 {
                let data = Data::target(target.clone());
                let problem = Problem::with_tolerances(layers.clone(), data, &Tolerances::default()).unwrap();
                run.push((step, checkpoint(&problem, 0).unwrap()));
            }
            let residual = &(&layers[1] * &layers[0]) - &target;
            let gradients = [layers[1].transpose_times(&residual), residual.times_transpose(&layers[0])];
            layers.iter_mut().zip(&gradients).for_each(|(layer, gradient)| layer.add_scaled(-0.005, gradient));
        }
        let passes = run.iter().filter(|(_, point)| point.captured == [1] && point.at_value).count();
        (visits(&run).into_iter().map(|visit| visit.captured).collect(), passes)
    }

    #[test]
    fn a_run_that_lingers_at_a_saddle_has_visited_it() {
        for every in [20, 100] {
            assert_eq!(visited([0.01, 0.01], every).0, [vec![], vec![1], vec![1, 2]], "{every}");
        }
    }

    /// The second value is well on its way where the first has come: several checkpoints have the loss of {1}, and none rests there.
    #[test]
    fn a_run_that_passes_the_loss_of_a_saddle_has_not_visited_it() {
        let (found, passes) = visited([0.01, 0.035], 4);
        assert!(passes > 1 && !found.contains(&vec![1]), "{passes}: {found:?}");
    }
}
