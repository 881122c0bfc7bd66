//! `rankscape map`: the product map at a point, without data.

use std::path::Path;
use std::time::Instant;

use rankscape::multiplication::{ExactFactors, Factors, MapPoint};
use rankscape::{InputError, Tolerances};
use rankscape_io::documents::MapDocument;
use rankscape_io::report::map_text;
use rankscape_io::{Weights, read_weights};

use crate::arguments::{MapOptions, WeightFileOptions};
use crate::output::{ANSWERED, Outcome, UNDECIDED, finish, run_document};
use crate::problem::tolerances;

pub(crate) fn run(options: &MapOptions, started: Instant) -> Result<Outcome, InputError> {
    let common = &options.common;
    let tolerances = tolerances(&options.point.tolerances)?;
    let (weights, point) = read_point(&options.point.weights, &options.point, &tolerances)?;
    let mut document = MapDocument::new(&point, &weights, common.seed, &tolerances);
    document.run = run_document(common, started);
    let code = if document.is_undecided() { UNDECIDED } else { ANSWERED };
    finish(common, "map.json", &document, map_text(&document), code)
}

/// The point of a weight file.
pub(crate) fn read_point(
    path: &Path,
    options: &WeightFileOptions,
    tolerances: &Tolerances,
) -> Result<(Weights, MapPoint), InputError> {
    let weights = read_weights(path, &options.reading.weight_options())?;
    let point = match &weights.exact {
        Some(exact) => ExactFactors::new(exact.clone()).and_then(MapPoint::exact),
        None => Factors::new(weights.matrices.clone())
            .map(|factors| MapPoint::stored(factors, weights.unit_roundoff, tolerances)),
    };
    let point = point.map_err(|error| error.file(path.display()))?;
    Ok((weights, point))
}
