//! The self-test as a document.

use serde::Serialize;

use super::RunDocument;

/// One check of the self-test.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// What holds.
    pub name: String,
    /// Whether it held.
    pub ok: bool,
    /// The number that was compared.
    pub detail: String,
}

/// `rankscape.doctor/1`.
#[derive(Debug, Clone, Serialize)]
pub struct DoctorDocument {
    /// `rankscape.doctor/1`.
    pub schema: &'static str,
    /// Every check held.
    pub ok: bool,
    /// Instruction sets of the processor that the arithmetic can use.
    pub features: Vec<String>,
    /// The checks.
    pub checks: Vec<Check>,
    /// Times and facts of the host.
    pub run: RunDocument,
}
