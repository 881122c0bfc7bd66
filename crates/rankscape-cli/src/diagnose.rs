//! `rankscape diagnose`: reads weights and data, asks the library, prints the answer.

use std::path::Path;

use rankscape::InputError;
use rankscape::answers::{Answer, diagnose};
use rankscape::certificate::Certificate;
use rankscape::critical::CriticalClass;
use rankscape::escape::Destination;
use rankscape_io::documents::{DiagnoseDocument, DiagnoseInputs};
use rankscape_io::loss::AnyPoint;
use rankscape_io::report::{DiagnoseText, diagnose_text};
use rankscape_io::write_certificate;

use crate::arguments::{DestinationName, DiagnoseOptions};
use crate::decay;
use crate::decay::weight_decay;
use crate::loss::{check_decay, run_diagnose};
use crate::map_arguments::ParametrizationOption;
use crate::normalized;
use crate::outputs::why_no_path;
use crate::run::{Outcome, Run, code_of, command_without};

pub(crate) fn run(options: &DiagnoseOptions, run: &Run<'_>) -> Result<Outcome, InputError> {
    let spec = options.loss.read()?;
    if options.parametrization == ParametrizationOption::Normalized {
        return normalized::run_diagnose(options, spec.as_ref(), run);
    }
    if let Some(decay) = weight_decay(options.weight_decay.as_deref())? {
        check_decay(spec.as_ref())?;
        return decay::run_diagnose(options, &decay, run);
    }
    let read = match options.point.read_any(spec.as_ref(), run)? {
        AnyPoint::Loss(read) => return run_diagnose(options, &read, run),
        AnyPoint::Square(read) => read,
    };
    let inputs = read.inputs(options.point.normalization.into(), run.seed());
    let inputs = DiagnoseInputs { learning_rate: options.learning_rate, ..inputs };
    let found = diagnose(&read.problem, run.settings()).map_err(|error| read.files.name_file(error))?;
    let to = match options.to {
        DestinationName::Next => Destination::Next,
        DestinationName::Minimum => Destination::Minimum,
    };
    let left = options.leave.as_ref().map(|path| read.leave(path, &found, to, run.settings())).transpose()?.flatten();
    let (left, mut written) = left.map_or((None, Vec::new()), |(left, notes)| (Some(left), notes));
    if let (Some(path), Some(near)) = (&options.near, &found.near) {
        written.extend(read.write_near(path, &near.found.nearest.factors)?);
    }
    if let Some(path) = &options.certificate {
        let certificate = Certificate::new(&read.problem, &found, &inputs.tolerances)?;
        write_certificate(path, &certificate, read.digest(), read.is_target())?;
    }
    let mut document = DiagnoseDocument::new(&found, &inputs);
    if let (Some(escape), Some(path)) = (&mut document.escape, &options.certificate) {
        escape.certificate = path.display().to_string().into();
    }
    let leave = options.leave.as_ref().map(|path| path.display().to_string());
    if let (Some(left), Some(file)) = (&left, &leave) {
        document = document.with_leave(left, &inputs, file.clone());
    }
    document.notes.extend(written);
    let stays = leave.as_ref().filter(|_| left.is_none());
    document.notes.extend(stays.map(|path| format!("{path} was not written: {}", why_no_path(found.class))));
    let missing = options.near.as_ref().filter(|_| found.near.is_none());
    let not_near = missing.map(|path| format!("{} was not written: {}", path.display(), why_not_near(found.critical)));
    document.notes.extend(not_near);
    document.notes.extend(options.certificate.as_ref().and_then(|_| document.scale_note()));
    let undecided = found.is_undecided() || (stays.is_some() && found.class != CriticalClass::GlobalMinimum);
    let text = |document: &DiagnoseDocument| {
        let without = ["--leave", "--to", "--learning-rate", "--certificate", "--save", "--near", "--out"];
        let [next, best] = ["next", "best"].map(|stem| free_name(stem, options.point.weights.as_deref()));
        let command = command_without(&without);
        let text = DiagnoseText { command: &command, next: &next, best: &best, details: options.details };
        diagnose_text(document, text)
    };
    run.finish(document, text, code_of(undecided))
}

/// A name that no file has yet, with the ending of the weights where files with it can be written.
fn free_name(stem: &str, weights: Option<&str>) -> String {
    let ending = [".npz", ".json"].into_iter().find(|ending| weights.is_some_and(|file| file.ends_with(ending)));
    let ending = ending.unwrap_or(".safetensors");
    let names = (2..).map(|count| format!("{stem}-{count}{ending}"));
    std::iter::once(format!("{stem}{ending}")).chain(names).find(|name| !Path::new(name).exists()).unwrap_or_default()
}

fn why_not_near(critical: bool) -> &'static str {
    if critical { "the point is critical itself" } else { "no critical point is near" }
}
