//! Bad input as a document.

use serde::Serialize;

use rankscape::error::InputError;

/// Bad usage or bad input (exit code 2): one message.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ErrorDocument {
    /// Name and version of this format.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "rankscape.error/1")))]
    pub schema: &'static str,
    /// What is wrong, in one sentence.
    #[cfg_attr(feature = "schema", schemars(extend("minLength" = 1)))]
    pub problem: String,
    /// Which file; null if the problem is not in a file.
    pub file: Option<String>,
    /// Which array, field or option.
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
            hint: error.hint.as_deref().map(str::to_owned),
        }
    }
}
