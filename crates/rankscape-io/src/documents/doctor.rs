//! The self-test as a document.

use serde::Serialize;

use super::RunDocument;

/// One check of the self-test.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Check {
    /// What holds.
    pub name: String,
    /// Whether it held.
    pub ok: bool,
    /// The number that was compared.
    pub detail: String,
}

/// Is this build sound on this machine? (exit code 0 if it is, 1 otherwise)
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DoctorDocument {
    /// Name and version of this format.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "rankscape.doctor/1")))]
    pub schema: &'static str,
    /// Every check held.
    pub ok: bool,
    /// Instruction sets of the processor that the arithmetic can use.
    pub features: Vec<String>,
    /// The checks.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub checks: Vec<Check>,
    /// What differs between two runs with the same answer: everything outside this block is the same, byte for byte.
    pub run: RunDocument,
}
