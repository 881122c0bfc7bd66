//! Samples pass by in portions, into whatever takes them.

use super::array::ElementType;
use rankscape::error::Result;
use rankscape::linalg::exact::RationalMatrix;

/// What samples are put into as they pass by.
pub(super) trait Sink {
    /// Exact values are of use beside it.
    const KEEPS_EXACT: bool;

    /// Takes samples, row by row.
    fn push(&mut self, x: &[f64], y: &[f64]) -> Result<()>;
}

/// What took all samples, with what was seen of them.
pub(super) struct Passed<S> {
    pub(super) sink: S,
    /// Types of the numbers of X and Y.
    pub(super) types: [ElementType; 2],
    /// Exact X and Y with their digest.
    pub(super) exact: Option<((RationalMatrix, RationalMatrix), String)>,
    /// What the reader decided and the user should know.
    pub(super) notes: Vec<String>,
}
