//! The result of checking a certificate as a document.
#![allow(missing_docs, reason = "the fields are those of the JSON schema, which documents them")]

use serde::Serialize;

use super::RunDocument;
use rankscape::certificate::Verification;

/// `rankscape.verify/1`.
#[derive(Debug, Clone, Serialize)]
pub struct VerifyDocument {
    pub schema: &'static str,
    pub seed: u64,
    pub valid: Option<bool>,
    pub what: String,
    pub not_compared: Vec<&'static str>,
    pub warnings: Vec<String>,
    pub evidence: VerifyEvidence,
    pub run: RunDocument,
}

/// How the claims were evaluated, and each of them.
#[derive(Debug, Clone, Serialize)]
pub struct VerifyEvidence {
    pub grade: &'static str,
    pub checks: Vec<CheckDocument>,
}

/// One claim.
#[derive(Debug, Clone, Serialize)]
pub struct CheckDocument {
    pub claim: &'static str,
    pub holds: Option<bool>,
    pub grade: &'static str,
    pub found: String,
}

impl VerifyDocument {
    /// The document; `what` is the statement of the certificate, `not_compared` names the files that it was made from and that
    /// were not given.
    pub fn new(found: &Verification, what: &str, not_compared: Vec<&'static str>, seed: u64) -> Self {
        let checks = found.checks.iter().map(|check| CheckDocument {
            claim: check.claim,
            holds: check.holds,
            grade: check.grade.name(),
            found: check.found.clone(),
        });
        Self {
            schema: "rankscape.verify/1",
            seed,
            valid: found.valid(),
            what: what.to_owned(),
            not_compared,
            warnings: found.warnings.clone(),
            evidence: VerifyEvidence { grade: found.grade().name(), checks: checks.collect() },
            run: RunDocument::default(),
        }
    }
}
