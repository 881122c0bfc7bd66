//! `rankscape hessian`: the spectrum of the Hessian at a point.

use std::time::Instant;

use rankscape::InputError;
use rankscape::diagnosis::hessian_at;
use rankscape::hessian::{Part, SpectrumRequest};
use rankscape_io::documents::HessianSpectrumDocument;
use rankscape_io::report::hessian_text;

use crate::arguments::{HessianOptions, PartName};
use crate::output::{ANSWERED, Outcome, UNDECIDED, finish, run_document};
use crate::problem::ReadPoint;

pub(crate) fn run(options: &HessianOptions, started: Instant) -> Result<Outcome, InputError> {
    let common = &options.common;
    let read = ReadPoint::new(&options.point, common)?;
    let request = SpectrumRequest {
        part: match options.part {
            PartName::Full => Part::Full,
            PartName::GaussNewton => Part::GaussNewton,
            PartName::Residual => Part::Residual,
        },
        layer: options.layer,
        all: options.all,
        vectors: options.vectors.unwrap_or(0),
    };
    let (class, found) = hessian_at(&read.problem, request, read.settings(common))
        .map_err(|error| read.name_file(error, &options.point))?;
    let architecture = read.problem.factors().architecture();
    let mut document =
        HessianSpectrumDocument::new((class, &found), architecture, request, options.diagonal, &read.inputs);
    document.run = run_document(common, started);
    let code = if document.is_undecided() { UNDECIDED } else { ANSWERED };
    finish(common, "hessian.json", &document, hessian_text(&document), code)
}
