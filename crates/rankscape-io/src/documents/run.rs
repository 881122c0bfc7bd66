//! The block of a document that two runs of the same question may differ in.

use serde::Serialize;

/// What differs between two runs that answer the same.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RunDocument {
    /// Version of the program.
    pub version: String,
    /// Wall-clock seconds.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub seconds: f64,
    /// Threads that were allowed.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub threads: usize,
}
