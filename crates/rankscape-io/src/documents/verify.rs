//! The result of checking a certificate as a document.
#![allow(missing_docs, reason = "the fields are those of the JSON schema, which documents them")]

use serde::Serialize;

use super::RunDocument;
use super::quantity::{quantity_words, stated_quantity_words};
use rankscape::certificate::{Finding, Verification};

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
    pub checks: Vec<ClaimDocument>,
}

/// One claim.
#[derive(Debug, Clone, Serialize)]
pub struct ClaimDocument {
    pub claim: &'static str,
    pub holds: Option<bool>,
    pub grade: &'static str,
    pub found: String,
}

impl VerifyDocument {
    /// The document; `what` is the statement of the certificate, `not_compared` names the files that it was made from and that
    /// were not given.
    pub fn new(found: &Verification, what: &str, not_compared: Vec<&'static str>, seed: u64) -> Self {
        let checks = found.claims().iter().map(|claim| ClaimDocument {
            claim: claim.claim(),
            holds: claim.holds(),
            grade: claim.grade().name(),
            found: finding_words(claim.found()),
        });
        Self {
            schema: "rankscape.verify/1",
            seed,
            valid: found.valid(),
            what: what.to_owned(),
            not_compared,
            warnings: found.warnings().to_vec(),
            evidence: VerifyEvidence { grade: found.grade().name(), checks: checks.collect() },
            run: RunDocument::default(),
        }
    }
}

fn finding_words(found: &Finding) -> String {
    match found {
        Finding::Text(text) => text.clone(),
        Finding::NotStated(quantity) => format!("the {} is not stated", quantity_words(*quantity)),
        Finding::Unfounded(quantity) => format!("the class does not rest on {}", stated_quantity_words(quantity)),
        Finding::Rank { quantity, least, most } if least == most => format!("{} = {least}", quantity_words(*quantity)),
        Finding::Rank { quantity, least, most } => format!("{} = {least} to {most}", quantity_words(*quantity)),
        Finding::NotEnclosed(quantity) => format!("{} is not enclosed", quantity_words(*quantity)),
    }
}
