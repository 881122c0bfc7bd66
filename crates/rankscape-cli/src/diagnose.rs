//! `rankscape diagnose`: reads weights and data, asks the library, prints the answer.

use std::time::Instant;

use rankscape::InputError;
use rankscape::certificate::Certificate;
use rankscape::diagnosis::diagnose;
use rankscape::io::documents::DiagnoseDocument;
use rankscape::io::write_certificate;
use rankscape::report::diagnose_text;

use crate::arguments::DiagnoseOptions;
use crate::output::{ANSWERED, Outcome, UNDECIDED, finish, run_document};
use crate::problem::ReadPoint;

pub(crate) fn run(options: &DiagnoseOptions, started: Instant) -> Result<Outcome, InputError> {
    let common = &options.common;
    let read = ReadPoint::new(&options.point, common)?;
    let found = diagnose(&read.point, read.settings(common)).map_err(|error| read.name_file(error, &options.point))?;
    if let Some(path) = &options.leave {
        let escape = found.escape.as_ref().ok_or_else(|| no_path(found.class.name()))?;
        read.write(path, &escape.path.at(&read.point.factors, escape.t))?;
    }
    if let Some(path) = &options.certificate {
        write_certificate(path, &Certificate::new(&read.point, &found)?, read.digest())?;
    }
    let mut document = DiagnoseDocument::new(&found, &read.inputs);
    if let (Some(escape), Some(path)) = (&mut document.escape, &options.certificate) {
        escape.certificate = path.display().to_string().into();
    }
    document.run = run_document(common, started);
    let leave = options.leave.as_ref().map(|path| path.display().to_string());
    let text = diagnose_text(&document, leave.as_deref());
    let code = if document.is_undecided() { UNDECIDED } else { ANSWERED };
    finish(common, "diagnose.json", &document, text, code)
}

fn no_path(class: &str) -> InputError {
    let why = match class {
        "global_minimum" => "nothing is lower",
        "non_strict_saddle" => "no path was found that rounding errors allow",
        _ => "the class is undecided",
    };
    InputError::new(format!("--leave has no path to follow: {why}")).value(format!("class {class}"))
}
