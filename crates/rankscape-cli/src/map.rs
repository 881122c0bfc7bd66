//! `rankscape map`: the product map at a point, without data.

use std::path::Path;
use std::time::Instant;

use rankscape::io::documents::{MapDocument, MapPoint, to_json};
use rankscape::io::{Weights, read_weights};
use rankscape::report::map_text;
use rankscape::{InputError, Tolerances};

use crate::arguments::{CommonOptions, MapOptions, WeightFileOptions};
use crate::output::{ANSWERED, Outcome, UNDECIDED, run_document, write_document};
use crate::problem::{tolerances, weight_options};

pub(crate) fn run(options: &MapOptions, started: Instant) -> Result<Outcome, InputError> {
    let common = &options.common;
    let tolerances = tolerances(&options.point.tolerances)?;
    let (weights, point) = read_point(&options.point.weights, &options.point, &tolerances)?;
    let mut document = MapDocument::new(&point, &weights, common.seed, &tolerances);
    document.run = run_document(common, started);
    let code = if document.is_undecided() { UNDECIDED } else { ANSWERED };
    finish(common, "map.json", &to_json(&document), || map_text(&document), code)
}

/// The point of a weight file.
pub(crate) fn read_point(
    path: &Path,
    options: &WeightFileOptions,
    tolerances: &Tolerances,
) -> Result<(Weights, MapPoint), InputError> {
    let weights = read_weights(path, &weight_options(options.layers.clone(), options.convention))?;
    let point = MapPoint::new(&weights, tolerances).map_err(|error| error.file(path.display()))?;
    Ok((weights, point))
}

/// Writes the document where asked and picks what is printed.
pub(crate) fn finish(
    common: &CommonOptions,
    name: &str,
    json: &str,
    text: impl FnOnce() -> String,
    code: u8,
) -> Result<Outcome, InputError> {
    let json = format!("{json}\n");
    if let Some(folder) = &common.out {
        write_document(folder, name, &json)?;
    }
    let text = match (common.json, common.quiet) {
        (true, _) => json,
        (false, true) => String::new(),
        (false, false) => text(),
    };
    Ok(Outcome { text, code })
}
