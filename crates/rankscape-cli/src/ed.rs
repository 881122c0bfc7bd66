//! `rankscape ed`: degrees of the matrices of bounded rank.

use std::time::Instant;

use rankscape::InputError;
use rankscape::determinantal::degrees;
use rankscape::homotopy::Workers;
use rankscape::quadratic::{Shape, cost, weighted_degree};
use rankscape_io::documents::{CostsDocument, EdDocument};
use rankscape_io::instances::read_weighted_instance;
use rankscape_io::report::{cost_text, ed_text};

use crate::output::{ANSWERED, Outcome, UNDECIDED, finish, run_document};
use crate::problem::tolerances;
use crate::quadratic_arguments::EdOptions;

pub(crate) fn run(options: &EdOptions, started: Instant) -> Result<Outcome, InputError> {
    let tolerances = tolerances(&options.tolerances)?;
    let common = &options.common;
    let size = (options.rows, options.cols, options.rank);
    let mut document = EdDocument::new(size, &degrees(options.rows, options.cols, options.rank)?, common.seed);
    let weights = options.weights.as_ref().map(|path| Ok((path, read_weighted_instance(path, size)?))).transpose()?;
    if options.dry_run {
        let shapes: Vec<(Shape, u64)> = weights.iter().map(|(_, (instance, _))| (instance.shape(), 1)).collect();
        let mut document = CostsDocument::new(&shapes, cost)?;
        document.run = run_document(common, started);
        return finish(common, "cost.json", &document, cost_text(&document), ANSWERED);
    }
    if let Some((path, (instance, digest))) = weights {
        let workers = Workers::new(common.thread_count())?;
        let found = weighted_degree(&instance, common.seed, &tolerances, &workers)
            .map_err(|error| error.file(path.display()))?;
        document = document.with_weights(&instance, digest, &found);
    }
    document.run = run_document(common, started);
    let code = if document.is_undecided() { UNDECIDED } else { ANSWERED };
    finish(common, "ed.json", &document, ed_text(&document), code)
}
