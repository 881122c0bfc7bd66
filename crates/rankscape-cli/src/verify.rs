//! `rankscape verify`: reads a certificate, asks the library to check it, prints the answer.

use rankscape::InputError;
use rankscape::certificate::{Certificate, CheckedClaim, same_data, same_point};
use rankscape_io::documents::{VerifyDocument, certificate_says};
use rankscape_io::report::verify_text;
use rankscape_io::{CertificateFile, read_certificate, read_weights};

use crate::arguments::VerifyOptions;
use crate::input::{Source, tolerances};
use crate::run::{ANSWERED, FAILED_CHECK, Outcome, Run, UNDECIDED};

pub(crate) fn run(options: &VerifyOptions, run: &Run<'_>) -> Result<Outcome, InputError> {
    let file = read_certificate(&options.certificate)?;
    let mut found = file.certificate.verify(&tolerances(&options.tolerances)?);
    found.extend(file.checks());
    found.extend(weights_checks(options, &file)?);
    found.extend(data_checks(options, &file, run)?);
    let says = certificate_says(&file.certificate);
    let document = VerifyDocument::new(&found, &says, not_compared(options), run.seed());
    let code = match document.valid {
        Some(true) => ANSWERED,
        Some(false) => FAILED_CHECK,
        None => UNDECIDED,
    };
    run.finish(document, verify_text, code)
}

/// What the certificate was made from and was not given.
fn not_compared(options: &VerifyOptions) -> Vec<&'static str> {
    let data = options.data.data.is_some() || options.data.target.is_some();
    let missing = [("weights", options.weights.is_some()), ("data", data)];
    missing.into_iter().filter(|(_, given)| !given).map(|(name, _)| name).collect()
}

/// The point is that of the weights that are given.
fn weights_checks(options: &VerifyOptions, file: &CertificateFile) -> Result<Vec<CheckedClaim>, InputError> {
    let Some(path) = &options.weights else { return Ok(Vec::new()) };
    let weights = read_weights(path, &options.reading.weight_options())?;
    let same = weights.digest == file.digest.weights;
    let mut checks = vec![CheckedClaim::exact("the digest of the weights given", same, weights.digest.clone())];
    let parameters = weights.parameters().with_output_metric(options.data.output_metric()?);
    let (factors, reduction) = parameters.reduced().map_err(|error| error.file(path.display()))?;
    let exact = weights.exact.as_deref();
    checks.extend(same_point(&file.certificate, &factors, exact, weights.unit_roundoff, reduction));
    Ok(checks)
}

/// The data are those that are given.
fn data_checks(
    options: &VerifyOptions,
    file: &CertificateFile,
    run: &Run<'_>,
) -> Result<Vec<CheckedClaim>, InputError> {
    let target = options.data.target.is_some();
    if options.data.data.is_none() && !target {
        return Ok(Vec::new());
    }
    let widths = match &file.certificate {
        Certificate::Exact(statement) => statement.point.architecture().widths(),
        Certificate::Floating(statement) => statement.point.architecture().widths(),
    };
    let source = Source::new(None, None, &options.data)?;
    let (data, digest, _) = source.read_data(&options.data, &[], run)?;
    let claim = if target { "the digest of the target given" } else { "the digest of the data given" };
    let kind = if target { "target" } else { "samples" };
    let mut checks = vec![
        CheckedClaim::exact(claim, digest == file.digest.data, digest),
        CheckedClaim::exact("data or a target", kind == file.made_from.data, kind.to_owned()),
    ];
    let biases = file.certificate.reduction().biases;
    // Data of other widths fail the check; they are no error of their own.
    let tolerances = tolerances(&options.tolerances)?;
    match data.whiten_for(biases, options.data.output_metric()?.as_ref(), &tolerances) {
        Ok(whitened) => checks.push(same_data(&file.certificate, &whitened, &tolerances)),
        Err(error) => checks.push(CheckedClaim::exact(
            "the data are those of the files",
            false,
            format!("widths {widths:?}: {error}"),
        )),
    }
    Ok(checks)
}
