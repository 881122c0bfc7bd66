//! Degrees of matrices of bounded rank, and all critical points of quadratic losses on them.

use std::collections::BTreeMap;

use super::Answer;
use crate::determinantal::{DeterminantalDegrees, degrees};
use crate::error::{InputError, Result};
use crate::homotopy::Workers;
use crate::quadratic::{Instance, Segment, SegmentOptions, Shape, Solution, Solver, WeightedDegree, weighted_degree};
use crate::tolerance::Tolerances;

/// Instances solved between two looks at the progress.
const BATCH: usize = 64;

/// Degrees of the matrices of bounded rank.
#[derive(Debug, Clone)]
pub struct DegreeAnswer {
    /// Rows, columns, largest rank.
    pub size: (usize, usize, usize),
    /// Degree, unit and generic ED degree, polar degrees.
    pub degrees: DeterminantalDegrees,
    /// The instance whose weights were counted too, and that count.
    pub weighted: Option<(Instance, WeightedDegree)>,
}

/// Degrees of the matrices of bounded rank, and the count for the weights of an instance.
///
/// # Errors
/// If there are no such matrices, the instance is bad, or its count is not affordable.
pub fn ed(
    size: (usize, usize, usize),
    weighted: Option<Instance>,
    (seed, tolerances): (u64, &Tolerances),
    workers: &Workers,
) -> Result<DegreeAnswer> {
    let degrees = degrees(size.0, size.1, size.2)?;
    let count = |instance: Instance| {
        let found = weighted_degree(&instance, seed, tolerances, workers)?;
        Ok::<_, InputError>((instance, found))
    };
    Ok(DegreeAnswer { size, degrees, weighted: weighted.map(count).transpose()? })
}

impl Answer for DegreeAnswer {
    fn is_undecided(&self) -> bool {
        self.weighted.as_ref().is_some_and(|(_, found)| found.is_lower_bound)
    }
}

/// The sizes and ranks of instances, each with the places of those that have it.
pub fn shapes(instances: &[Instance]) -> Vec<(Shape, Vec<usize>)> {
    let mut groups: BTreeMap<(usize, usize, usize), Vec<usize>> = BTreeMap::new();
    for (at, instance) in instances.iter().enumerate() {
        let Shape { m, n, r } = instance.shape();
        groups.entry((m, n, r)).or_default().push(at);
    }
    groups.into_iter().map(|((m, n, r), places)| (Shape { m, n, r }, places)).collect()
}

/// The error about one instance, under its name.
fn named(error: InputError, instance: &Instance) -> InputError {
    let field = error.array.clone().map_or_else(String::new, |array| format!(", {array}"));
    InputError { array: Some(format!("instance {}{field}", instance.id)), ..error }
}

/// All critical points of every instance, in their order. `solver` makes that of a size and rank; `progress` is told how many
/// are done.
///
/// # Errors
/// If an instance is bad; the message names it.
pub fn solve(
    instances: &[Instance],
    tolerances: &Tolerances,
    workers: &Workers,
    mut solver: impl FnMut(Shape) -> Result<Solver>,
    mut progress: impl FnMut(usize),
) -> Result<Vec<Solution>> {
    for instance in instances {
        instance.prepare(tolerances).map_err(|error| named(error, instance))?;
    }
    let mut found: Vec<(usize, Solution)> = Vec::with_capacity(instances.len());
    for (shape, places) in shapes(instances) {
        let solver = solver(shape)?;
        for batch in places.chunks(BATCH) {
            let chosen: Vec<Instance> = batch.iter().map(|&at| instances[at].clone()).collect();
            let solutions = match chosen.as_slice() {
                [only] => vec![solver.solve(only, workers)],
                _ => solver.solve_all(&chosen, workers),
            };
            for (&at, solution) in batch.iter().zip(solutions) {
                found.push((at, solution.map_err(|error| named(error, &instances[at]))?));
            }
            progress(found.len());
        }
    }
    found.sort_by_key(|(at, _)| *at);
    Ok(found.into_iter().map(|(_, solution)| solution).collect())
}

/// The real critical points of every instance while its target moves from the first to the second of the pair that `ends`
/// gives for it; the answers are in the order of the instances, each with the instance at both ends.
///
/// # Errors
/// If an instance or a target is bad; the message names it.
pub fn segments(
    instances: &[Instance],
    mut solver: impl FnMut(Shape) -> Result<Solver>,
    mut ends: impl FnMut(&Instance) -> Result<[Vec<f64>; 2]>,
) -> Result<Vec<(Instance, Instance, Segment)>> {
    let mut found = Vec::with_capacity(instances.len());
    for (shape, places) in shapes(instances) {
        let solver = solver(shape)?;
        for at in places {
            let instance = &instances[at];
            let [start, end] = ends(instance)?.map(|target| Instance { target, ..instance.clone() });
            let segment = solver
                .segment(&start, &end.target, SegmentOptions::default())
                .map_err(|error| named(error, instance))?;
            found.push((at, (start, end, segment)));
        }
    }
    found.sort_by_key(|(at, _)| *at);
    Ok(found.into_iter().map(|(_, answer)| answer).collect())
}
