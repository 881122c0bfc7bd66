//! `rankscape verify`: reads a certificate, asks the library to check it, prints the answer.

use std::time::Instant;

use rankscape::InputError;
use rankscape::certificate::Check;
use rankscape::io::documents::{VerifyDocument, certificate_says};
use rankscape::io::{
    CertificateFile, Convention, SampleOptions, WeightOptions, read_certificate, read_samples, read_target,
    read_weights,
};
use rankscape::report::verify_text;

use crate::arguments::{ConventionName, Task, VerifyOptions};
use crate::diagnose::tolerances;
use crate::output::{ANSWERED, FAILED_CHECK, Outcome, UNDECIDED, finish, run_document};

pub(crate) fn run(options: &VerifyOptions, started: Instant) -> Result<Outcome, InputError> {
    let common = &options.common;
    let file = read_certificate(&options.certificate)?;
    let mut found = file.certificate.verify(&tolerances(&options.tolerances)?);
    found.checks.extend(digest_checks(options, &file)?);
    let mut document = VerifyDocument::new(&found, &certificate_says(&file.certificate), common.seed);
    document.run = run_document(common, started);
    let code = match document.valid {
        Some(true) => ANSWERED,
        Some(false) => FAILED_CHECK,
        None => UNDECIDED,
    };
    let text = verify_text(&document);
    finish(common, "verify.json", &document, text, code)
}

/// The digests of the files that are given are those of the certificate.
fn digest_checks(options: &VerifyOptions, file: &CertificateFile) -> Result<Vec<Check>, InputError> {
    let mut checks = Vec::new();
    let same = |claim, found: String, expected: &str| Check { claim, holds: Some(found == expected), found };
    if let Some(path) = &options.weights {
        let convention = match options.convention {
            ConventionName::Torch => Convention::Torch,
            ConventionName::Flax => Convention::Flax,
        };
        let weights = read_weights(path, &WeightOptions { layers: options.layers.clone(), convention })?;
        checks.push(same("the digest of the weights", weights.digest, &file.digest.weights));
    }
    if let Some(path) = &options.target {
        checks.push(same("the digest of the target", read_target(path)?.digest, &file.digest.data));
    }
    if let Some(data) = &options.data {
        let sample_options = SampleOptions {
            autoencoder: options.task == Task::Autoencoder,
            inputs: options.inputs,
            sample_weights: options.sample_weights.clone(),
            threads: options.common.thread_count(),
            ..SampleOptions::default()
        };
        checks.push(same("the digest of the data", read_samples(data, &sample_options)?.digest, &file.digest.data));
    }
    Ok(checks)
}
