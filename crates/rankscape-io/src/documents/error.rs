//! Bad input as a document.

use serde::Serialize;

use rankscape::error::InputError;

/// `rankscape.error/1`: one clear message.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorDocument {
    /// `rankscape.error/1`.
    pub schema: &'static str,
    /// What is wrong.
    pub problem: String,
    /// Which file.
    pub file: Option<String>,
    /// Which array or field.
    pub array: Option<String>,
    /// The number, shape or text that is wrong.
    pub value: Option<String>,
    /// What to do.
    pub hint: Option<String>,
}

impl From<&InputError> for ErrorDocument {
    fn from(error: &InputError) -> Self {
        Self {
            schema: "rankscape.error/1",
            problem: error.problem.clone(),
            file: error.file.clone(),
            array: error.array.clone(),
            value: error.value.clone(),
            hint: error.hint.clone(),
        }
    }
}
