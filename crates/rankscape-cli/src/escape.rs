//! `rankscape escape`: paths that leave a point, by name.

use rankscape::InputError;
use rankscape::answers::{Answer, EscapeRequest, Wanted, escape};
use rankscape_io::documents::{EscapeInputs, EscapeVerbDocument};
use rankscape_io::loss::AnyPoint;
use rankscape_io::report::escape_text;
use rankscape_io::write_certificate;

use crate::arguments::EscapeOptions;
use crate::loss::run_escape;
use crate::run::{Outcome, Run, code_of};

pub(crate) fn run(options: &EscapeOptions, run: &Run<'_>) -> Result<Outcome, InputError> {
    let wanted = match (options.ascent, options.same_function) {
        (true, _) => Wanted::Ascent,
        (_, true) => Wanted::SameFunction,
        _ => Wanted::from_name(&options.construction)?,
    };
    let read = match options.point.read_any(options.loss.read()?.as_ref(), run)? {
        AnyPoint::Loss(read) => return run_escape(options, wanted, &read, run),
        AnyPoint::Square(read) => read,
    };
    let inputs = read.inputs(options.point.normalization.into(), run.seed());
    let request = EscapeRequest { wanted, certified: options.certificate.is_some() };
    let found = escape(&read.problem, request, run.settings()).map_err(|error| read.files.name_file(error))?;
    let mut notes = inputs.notes;
    if let Some(path) = &options.leave {
        notes.extend(read.write(path, &found.end(&read.problem)?)?);
    }
    if let Some(path) = &options.certificate {
        write_certificate(path, &found.certificate(&read.problem)?, read.digest(), read.is_target())?;
    }
    let inputs = EscapeInputs { digest: read.digest(), seed: run.seed(), tolerances: inputs.tolerances, notes };
    run.finish(EscapeVerbDocument::new(&found, &inputs), escape_text, code_of(found.is_undecided()))
}
