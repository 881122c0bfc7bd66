//! Checking a certificate: every number that it claims is computed again from the point, the data and the path.

use super::Certificate;
use super::claim::Verification;
use super::exact::verify_exact;
use super::floating::verify_floating;
use crate::tolerance::Tolerances;

impl Certificate {
    /// Checks every claim.
    pub fn verify(&self, tolerances: &Tolerances) -> Verification {
        match self {
            Self::Exact(statement) => verify_exact(statement),
            Self::Floating(statement) => verify_floating(statement, tolerances),
        }
    }
}
