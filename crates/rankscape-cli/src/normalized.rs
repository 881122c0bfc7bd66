//! `diagnose --parametrization normalized`.

use rankscape::InputError;
use rankscape::answers::{Answer, diagnose_normalized};
use rankscape_io::documents::DiagnoseDocument;
use rankscape_io::loss::LossSpec;
use rankscape_io::report::normalized_text;

use crate::arguments::DiagnoseOptions;
use crate::run::{Outcome, Run, code_of};

/// The diagnosis of a normalized network with the square loss.
pub(crate) fn run_diagnose(
    options: &DiagnoseOptions,
    spec: Option<&LossSpec>,
    run: &Run<'_>,
) -> Result<Outcome, InputError> {
    let unsupported = [
        ("--weight-decay", options.weight_decay.is_some()),
        ("--loss", spec.is_some_and(|spec| !spec.is_square())),
        ("--leave", options.leave.is_some()),
        ("--near", options.near.is_some()),
        ("--certificate", options.certificate.is_some()),
        ("--learning-rate", options.learning_rate.is_some()),
        ("--details", options.details),
    ];
    if let Some((name, _)) = unsupported.iter().find(|(_, given)| *given) {
        return Err(InputError::new(format!("{name} is not answered for normalized networks"))
            .array("--parametrization")
            .value("normalized")
            .hint(format!("leave {name} out, or ask without --parametrization")));
    }
    let (read, inputs) = options.point.read(run)?;
    let found = diagnose_normalized(&read.problem, run.settings()).map_err(|error| read.files.name_file(error))?;
    run.finish(DiagnoseDocument::normalized(&found, &inputs), normalized_text, code_of(found.is_undecided()))
}
