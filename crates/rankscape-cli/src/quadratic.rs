//! `rankscape ed` and `solve`: degrees of matrices of bounded rank, and all critical points of quadratic losses on them.

use std::path::Path;

use rankscape::InputError;
use rankscape::answers::{self, Answer, ed, segments, shapes};
use rankscape::homotopy::{TrackOptions, Workers};
use rankscape::quadratic::{Instance, Shape, Solver, cost};
use rankscape_io::documents::{CostsDocument, EdDocument, SolveDocument};
use rankscape_io::instances::{
    MetricFile, instances_digest, read_instance, read_instance_file, read_sized, read_weighted_instance,
};
use rankscape_io::report::{cost_text, ed_text, solve_text};
use rankscape_io::start_set::start_set_at;
use rankscape_io::{check_points_file, write_points};

use crate::input::tolerances;
use crate::quadratic_arguments::{EdOptions, SolveOptions};
use crate::run::{ANSWERED, Outcome, Run, code_of};

pub(crate) fn run_ed(options: &EdOptions, run: &Run<'_>) -> Result<Outcome, InputError> {
    let tolerances = tolerances(&options.tolerances)?;
    let size = (options.rows, options.cols, options.rank);
    let workers = Workers::new(run.threads())?;
    let plain = ed(size, None, (run.seed(), &tolerances), &workers)?;
    let weights = options.weights.as_ref().map(|path| Ok((path, read_weighted_instance(path, size)?))).transpose()?;
    if options.dry_run {
        let shapes: Vec<(Shape, u64)> = weights.iter().map(|(_, (instance, _))| (instance.shape(), 1)).collect();
        return run.finish(CostsDocument::new(&shapes, cost)?, cost_text, ANSWERED);
    }
    let Some((path, (instance, digest))) = weights else {
        return run.finish(EdDocument::new(&plain, None, run.seed()), ed_text, ANSWERED);
    };
    let found =
        ed(size, Some(instance), (run.seed(), &tolerances), &workers).map_err(|error| error.file(path.display()))?;
    run.finish(EdDocument::new(&found, Some(digest), run.seed()), ed_text, code_of(found.is_undecided()))
}

pub(crate) fn run_solve(options: &SolveOptions, run: &Run<'_>) -> Result<Outcome, InputError> {
    options.save.as_deref().map_or(Ok(()), check_points_file)?;
    let tolerances = tolerances(&options.tolerances)?;
    let (instances, file) = read(options)?;
    let named = |error: InputError| error.file(file.display());
    let groups = shapes(&instances);
    if options.dry_run {
        let counts: Vec<(Shape, u64)> = groups.iter().map(|(shape, list)| (*shape, list.len() as u64)).collect();
        return run.finish(CostsDocument::new(&counts, cost).map_err(named)?, cost_text, ANSWERED);
    }
    if let (Some(path), true) = (&options.start, groups.len() > 1) {
        return Err(InputError::new("a start set is for one size and rank, and the instances have several")
            .array("--start")
            .value(format!("{} sizes and ranks", groups.len()))
            .hint("split the instances by m, n and r")
            .file(path.display()));
    }
    let workers = Workers::new(run.threads())?;
    let start = options.start.as_deref();
    let solver = |shape: Shape| {
        let found = start_set_at(start, shape, run.seed(), &TrackOptions::new(&tolerances), &workers);
        let solver = found.and_then(|found| Solver::new(found, tolerances, run.seed()));
        solver.map_err(|error| error.file(start.unwrap_or(file).display()))
    };
    let document = match &options.segment {
        None => {
            let mut progress = run.progress(instances.len() as u64);
            let done = |count: usize| progress.set(count as u64);
            let found = answers::solve(&instances, &tolerances, &workers, solver, done).map_err(named)?;
            SolveDocument::new(&instances, &found, run.seed(), instances_digest(&instances))
        }
        Some(paths) => {
            let mut digests = None;
            let ends = |instance: &Instance| {
                let size = (instance.rows, instance.cols);
                let ((start, from), (end, to)) = (read_sized(&paths[0], "Q", size)?, read_sized(&paths[1], "Q", size)?);
                digests = Some([from, to]);
                Ok([start, end])
            };
            let found = segments(&instances, solver, ends).map_err(named)?;
            SolveDocument::of_segments(&found, run.seed(), instances_digest(&instances), digests)
        }
    };
    if let Some(path) = &options.save {
        write_points(path, &document)?;
    }
    let undecided = document.is_undecided();
    run.finish(document, solve_text, code_of(undecided))
}

/// The instances, and the file that errors about them name.
fn read(options: &SolveOptions) -> Result<(Vec<Instance>, &Path), InputError> {
    match (&options.instances, &options.target) {
        (Some(file), _) => Ok((read_instance_file(file)?, file)),
        (None, Some(target)) => {
            let metric = match (&options.weights, &options.phi) {
                (Some(file), _) => MetricFile::Weights(file),
                (None, Some(file)) => MetricFile::Map(file),
                (None, None) => MetricFile::Unit,
            };
            Ok((vec![read_instance(metric, target, options.rank.unwrap_or_default())?], target))
        }
        (None, None) => Err(InputError::new("no instance was given")
            .hint("give --instances FILE, or --target FILE with --rank R and, if need be, --weights or --phi")),
    }
}
