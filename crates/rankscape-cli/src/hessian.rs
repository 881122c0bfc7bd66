//! `rankscape hessian`: the spectrum of the Hessian at a point.

use rankscape::InputError;
use rankscape::answers::{Answer, hessian, hessian_loss, hessian_with_decay};
use rankscape::hessian::{Part, SpectrumRequest};
use rankscape_io::documents::HessianSpectrumDocument;
use rankscape_io::loss::{AnyPoint, ReadLossPoint};
use rankscape_io::report::hessian_text;

use crate::arguments::{HessianOptions, PartName};
use crate::decay::weight_decay;
use crate::loss::{check_decay, check_normalization};
use crate::run::{Outcome, Run, code_of};

pub(crate) fn run(options: &HessianOptions, run: &Run<'_>) -> Result<Outcome, InputError> {
    let read = options.point.read_any(options.loss.read()?.as_ref(), run)?;
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
    let decay = weight_decay(options.weight_decay.as_deref())?;
    if decay.is_some() {
        check_decay(options.loss.read()?.as_ref())?;
    }
    let read = match read {
        AnyPoint::Square(read) => read,
        AnyPoint::Loss(read) => return of_loss(options, &read, request, run),
    };
    let inputs = read.inputs(options.point.normalization.into(), run.seed());
    let found = match &decay {
        Some(decay) => hessian_with_decay(&read.problem, decay, request, run.settings()),
        None => hessian(&read.problem, request, run.settings()),
    };
    let found = found.map_err(|error| read.files.name_file(error))?;
    let architecture = read.problem.factors().architecture();
    let document = HessianSpectrumDocument::new(&found, architecture, options.diagonal, &inputs);
    let document = HessianSpectrumDocument { weight_decay: decay.map(|decay| decay.strength()), ..document };
    run.finish(document, hessian_text, code_of(found.is_undecided()))
}

/// `hessian --loss`.
fn of_loss(
    options: &HessianOptions,
    read: &ReadLossPoint,
    request: SpectrumRequest,
    run: &Run<'_>,
) -> Result<Outcome, InputError> {
    let normalization = options.point.normalization.into();
    check_normalization(read.problem.data().kind().name(), normalization)?;
    let inputs = read.inputs(normalization, run.seed());
    let found = hessian_loss(&read.problem, request, run.settings()).map_err(|error| read.files.name_file(error))?;
    let architecture = read.problem.factors().architecture();
    let document = HessianSpectrumDocument::new(&found, architecture, options.diagonal, &inputs);
    run.finish(document, hessian_text, code_of(found.is_undecided()))
}
