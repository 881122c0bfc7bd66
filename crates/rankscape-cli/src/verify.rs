//! `rankscape verify`: reads a certificate, asks the library to check it, prints the answer.

use rankscape::InputError;
use rankscape_io::documents::{VerifyDocument, certificate_says};
use rankscape_io::report::verify_text;
use rankscape_io::{PointFiles, read_certificate};

use crate::arguments::VerifyOptions;
use crate::input::tolerances;
use crate::run::{ANSWERED, FAILED_CHECK, Outcome, Run, UNDECIDED};

pub(crate) fn run(options: &VerifyOptions, run: &Run<'_>) -> Result<Outcome, InputError> {
    let file = read_certificate(&options.certificate)?;
    let files = PointFiles {
        weights: options.weights.clone(),
        reading: options.reading.weight_options(),
        data: options.data.files(run),
    };
    let found = file.verify(&files, &tolerances(&options.tolerances)?)?;
    let data = files.data.samples.is_some() || files.data.target.is_some();
    let missing = [("weights", files.weights.is_some()), ("data", data)];
    let not_compared = missing.into_iter().filter(|(_, given)| !given).map(|(name, _)| name).collect();
    let document = VerifyDocument::new(&found, &certificate_says(&file.certificate), not_compared, run.seed());
    let code = match document.valid {
        Some(true) => ANSWERED,
        Some(false) => FAILED_CHECK,
        None => UNDECIDED,
    };
    run.finish(document, verify_text, code)
}
