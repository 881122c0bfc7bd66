//! The result of checking a certificate as a document.

use serde::Serialize;

use super::RunDocument;
use super::quantity::{quantity_words, stated_quantity_words};
use crate::words::Word;
use rankscape::certificate::{Finding, Verification};
use rankscape::evidence::Grade;

/// The result of checking a certificate. Every number that it claims is computed again.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VerifyDocument {
    /// Name and version of this format.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "rankscape.verify/1")))]
    pub schema: &'static str,
    /// Seed of everything random.
    pub seed: u64,
    /// Every claim holds; false when one fails; null when none fails but one is not decided.
    pub valid: Option<bool>,
    /// The statement in one sentence.
    pub what: String,
    /// Files that the certificate names by digest and that were not given: whether its numbers are theirs was not
    /// compared.
    #[cfg_attr(feature = "schema", schemars(extend("uniqueItems" = true), extend("items" = {"enum": ["weights", "data"]})))]
    pub not_compared: Vec<&'static str>,
    /// What the tolerances that the certificate states leave of its verdict: looser ones than by default, or such that
    /// the verdict has no meaning.
    pub warnings: Vec<String>,
    /// How the claims were evaluated.
    pub evidence: VerifyEvidence,
    /// Times and facts of the host.
    pub run: RunDocument,
}

/// How the claims were evaluated, and each of them.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VerifyEvidence {
    /// The weakest grade among the checks.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["exact", "certified", "numerical"])))]
    pub grade: Word<Grade>,
    /// Every claim.
    pub checks: Vec<ClaimDocument>,
}

/// One claim.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClaimDocument {
    /// What is claimed.
    pub claim: &'static str,
    /// Whether it holds; null where that is not decided.
    pub holds: Option<bool>,
    /// Exact: rational arithmetic. Certified: proved by enclosures. Numerical: at tolerances that the certificate
    /// states, not proved.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["exact", "certified", "numerical"])))]
    pub grade: Word<Grade>,
    /// The numbers found.
    pub found: String,
}

impl VerifyDocument {
    /// The document; `what` is the statement of the certificate, `not_compared` names the files that it was made from and that
    /// were not given.
    pub fn new(found: &Verification, what: &str, not_compared: Vec<&'static str>, seed: u64) -> Self {
        let checks = found.claims().iter().map(|claim| ClaimDocument {
            claim: claim.claim(),
            holds: claim.holds().known(),
            grade: Word(claim.grade()),
            found: finding_words(claim.found()),
        });
        Self {
            schema: "rankscape.verify/1",
            seed,
            valid: found.valid().known(),
            what: what.to_owned(),
            not_compared,
            warnings: found.warnings().to_vec(),
            evidence: VerifyEvidence { grade: Word(found.grade()), checks: checks.collect() },
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
