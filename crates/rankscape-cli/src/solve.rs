//! `rankscape solve`: all critical points of quadratic losses on matrices of bounded rank.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use rankscape::homotopy::{TrackOptions, Workers};
use rankscape::quadratic::{Instance, SegmentOptions, Shape, Solver, cost};
use rankscape::{InputError, Tolerances};
use rankscape_io::documents::{CostsDocument, SegmentDocument, SolutionDocument, SolveDigestDocument, SolveDocument};
use rankscape_io::instances::{instances_digest, read_instance_file, read_sized};
use rankscape_io::report::{cost_text, solve_text};
use rankscape_io::start_set::start_set_at;

use crate::output::{ANSWERED, Outcome, UNDECIDED, finish, run_document};
use crate::problem::tolerances;
use crate::progress::Progress;
use crate::quadratic_arguments::SolveOptions;

/// Instances solved between two looks at the progress.
const BATCH: usize = 64;

pub(crate) fn run(options: &SolveOptions, started: Instant) -> Result<Outcome, InputError> {
    let tolerances = tolerances(&options.tolerances)?;
    let common = &options.common;
    let instances = read_instance_file(&options.instances)?;
    let mut groups: BTreeMap<(usize, usize, usize), Vec<usize>> = BTreeMap::new();
    for (at, instance) in instances.iter().enumerate() {
        let Shape { m, n, r } = instance.shape();
        groups.entry((m, n, r)).or_default().push(at);
    }
    let groups: Vec<(Shape, Vec<usize>)> =
        groups.into_iter().map(|((m, n, r), list)| (Shape { m, n, r }, list)).collect();
    if options.dry_run {
        let shapes: Vec<(Shape, u64)> = groups.iter().map(|(shape, list)| (*shape, list.len() as u64)).collect();
        let mut document =
            CostsDocument::new(&shapes, cost).map_err(|error| error.file(options.instances.display()))?;
        document.run = run_document(common, started);
        return finish(common, "cost.json", &document, cost_text(&document), ANSWERED);
    }
    if let (Some(path), true) = (&options.start, groups.len() > 1) {
        return Err(InputError::new("a start set is for one size and rank, and the instances have several")
            .array("--start")
            .value(format!("{} sizes and ranks", groups.len()))
            .hint("split the instances by m, n and r")
            .file(path.display()));
    }
    let mut task = Task { options, tolerances, workers: Workers::new(common.thread_count())? };
    let mut document = match &options.segment {
        Some(ends) => task.segments(&instances, &groups, ends)?,
        None => {
            let found = task.solve(&instances, &groups)?;
            let digest = SolveDigestDocument { instances: instances_digest(&instances), segment: None };
            SolveDocument::new(found, common.seed, digest)
        }
    };
    document.run = run_document(common, started);
    let code = if document.is_undecided() { UNDECIDED } else { ANSWERED };
    finish(common, "solve.json", &document, solve_text(&document), code)
}

struct Task<'a> {
    options: &'a SolveOptions,
    tolerances: Tolerances,
    workers: Workers,
}

impl Task<'_> {
    fn solver(&self, shape: Shape) -> Result<Solver, InputError> {
        let (seed, path) = (self.options.common.seed, self.options.start.as_deref());
        let file = path.unwrap_or(&self.options.instances).display();
        let start = start_set_at(path, shape, seed, &TrackOptions::new(&self.tolerances), &self.workers);
        start.and_then(|start| Solver::new(start, self.tolerances, seed)).map_err(|error| error.file(file))
    }

    fn named(&self, error: InputError, instance: &Instance) -> InputError {
        let field = error.array.clone().map_or_else(String::new, |array| format!(", {array}"));
        let array = Some(format!("instance {}{field}", instance.id));
        InputError { array, ..error }.file(self.options.instances.display())
    }

    /// Answers in the order of the instances.
    fn solve(
        &mut self,
        instances: &[Instance],
        groups: &[(Shape, Vec<usize>)],
    ) -> Result<Vec<SolutionDocument>, InputError> {
        for instance in instances {
            instance.prepare(&self.tolerances).map_err(|error| self.named(error, instance))?;
        }
        let mut progress = Progress::new(&self.options.common, instances.len() as u64);
        let mut found: Vec<(usize, SolutionDocument)> = Vec::with_capacity(instances.len());
        for (shape, list) in groups {
            let solver = self.solver(*shape)?;
            for batch in list.chunks(BATCH) {
                let chosen: Vec<Instance> = batch.iter().map(|&at| instances[at].clone()).collect();
                let solutions = if let [only] = chosen.as_slice() {
                    vec![solver.solve(only, &self.workers)]
                } else {
                    solver.solve_all(&chosen, &self.workers)
                };
                for ((&at, instance), solution) in batch.iter().zip(&chosen).zip(solutions) {
                    let solution = solution.map_err(|error| self.named(error, instance))?;
                    found.push((at, SolutionDocument::new(&solution, instance)));
                }
                progress.set(found.len() as u64);
            }
        }
        found.sort_by_key(|(at, _)| *at);
        Ok(found.into_iter().map(|(_, document)| document).collect())
    }

    /// Every instance with its target moving between the two matrices.
    fn segments(
        &mut self,
        instances: &[Instance],
        groups: &[(Shape, Vec<usize>)],
        ends: &[PathBuf],
    ) -> Result<SolveDocument, InputError> {
        let mut found: Vec<(usize, SegmentDocument)> = Vec::with_capacity(instances.len());
        let mut digests = None;
        for (shape, list) in groups {
            let solver = self.solver(*shape)?;
            for &at in list {
                let instance = &instances[at];
                let moved = |k: usize| {
                    let (target, digest) = read_sized(&ends[k], "Q", (instance.rows, instance.cols))?;
                    Ok::<_, InputError>((Instance { target, ..instance.clone() }, digest))
                };
                let ((start, from), (end, to)) = (moved(0)?, moved(1)?);
                let segment = solver
                    .segment(&start, &end.target, SegmentOptions::default())
                    .map_err(|error| self.named(error, instance))?;
                digests = Some([from, to]);
                found.push((at, SegmentDocument::new(&segment, &start, &end)));
            }
        }
        found.sort_by_key(|(at, _)| *at);
        let digest = SolveDigestDocument { instances: instances_digest(instances), segment: digests };
        // Both ends are instances like any other.
        let ends = found.iter().flat_map(|(_, segment)| {
            [("0", &segment.start), ("1", &segment.end)]
                .map(|(t, one)| SolutionDocument { id: format!("{}, t = {t}", one.id), ..one.clone() })
        });
        let mut document = SolveDocument::new(ends.collect(), self.options.common.seed, digest);
        document.segments = Some(found.into_iter().map(|(_, segment)| segment).collect());
        Ok(document)
    }
}
