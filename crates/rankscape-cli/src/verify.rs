//! `rankscape verify`: reads a certificate, asks the library to check it, prints the answer.

use std::time::Instant;

use rankscape::InputError;
use rankscape::certificate::Check;
use rankscape::evidence::Grade;
use rankscape::io::documents::{VerifyDocument, certificate_says};
use rankscape::io::{CertificateFile, read_certificate, read_weights};
use rankscape::report::verify_text;

use crate::arguments::VerifyOptions;
use crate::output::{ANSWERED, FAILED_CHECK, Outcome, UNDECIDED, finish, run_document};
use crate::problem::{Source, tolerances};

pub(crate) fn run(options: &VerifyOptions, started: Instant) -> Result<Outcome, InputError> {
    let common = &options.common;
    let file = read_certificate(&options.certificate)?;
    let mut found = file.certificate.verify(&tolerances(&options.tolerances)?);
    found.checks.extend(digest_checks(options, &file)?);
    let says = certificate_says(&file.certificate);
    found.checks.push(exactly("the statement in words", says == file.says, says.clone()));
    let mut document = VerifyDocument::new(&found, &says, not_compared(options), common.seed);
    document.run = run_document(common, started);
    let code = match document.valid {
        Some(true) => ANSWERED,
        Some(false) => FAILED_CHECK,
        None => UNDECIDED,
    };
    let text = verify_text(&document);
    finish(common, "verify.json", &document, text, code)
}

/// What the certificate was made from and was not given.
fn not_compared(options: &VerifyOptions) -> Vec<&'static str> {
    let data = options.data.data.is_some() || options.data.target.is_some();
    let missing = [("weights", options.weights.is_some()), ("data", data)];
    missing.into_iter().filter(|(_, given)| !given).map(|(name, _)| name).collect()
}

fn exactly(claim: &'static str, holds: bool, found: String) -> Check {
    Check { claim, holds: Some(holds), grade: Grade::Exact, found }
}

/// The digests of the files that are given are those of the certificate.
fn digest_checks(options: &VerifyOptions, file: &CertificateFile) -> Result<Vec<Check>, InputError> {
    let mut checks = Vec::new();
    let same = |claim, found: String, expected: &str| exactly(claim, found == expected, found);
    if let Some(path) = &options.weights {
        let weights = read_weights(path, &options.reading.weight_options())?;
        checks.push(same("the digest of the weights", weights.digest, &file.digest.weights));
    }
    if options.data.data.is_some() || options.data.target.is_some() {
        let source = Source::new(None, None, &options.data)?;
        let (_, digest, _) = source.read_data(&options.data, &[], &options.common)?;
        let claim = if options.data.target.is_some() { "the digest of the target" } else { "the digest of the data" };
        checks.push(same(claim, digest, &file.digest.data));
    }
    Ok(checks)
}
