//! `rankscape hessian`: the spectrum of the Hessian at a point.

use rankscape::InputError;
use rankscape::answers::{Answer, hessian, hessian_with_decay};
use rankscape::hessian::{Part, SpectrumRequest};
use rankscape_io::documents::HessianSpectrumDocument;
use rankscape_io::report::hessian_text;

use crate::arguments::{HessianOptions, PartName};
use crate::decay::weight_decay;
use crate::run::{Outcome, Run, code_of};

pub(crate) fn run(options: &HessianOptions, run: &Run<'_>) -> Result<Outcome, InputError> {
    let (read, inputs) = options.point.read(run)?;
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
