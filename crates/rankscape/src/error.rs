//! Input errors: what is wrong, where, with which number, and what to do.

use std::fmt;

/// Result of an operation that can only fail on bad input.
pub type Result<T> = std::result::Result<T, InputError>;

/// Kind of bad input, for a caller that treats one kind apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ErrorKind {
    /// What no other kind says: a shape, a name, a choice, a number out of its range.
    #[default]
    Invalid,
    /// A number that is NaN or infinite.
    NotFinite,
    /// A value that is not there: an empty cell, null, a field left out.
    Missing,
    /// A name that occurs twice.
    Repeated,
}

/// Bad input, described so that the reader can mend it.
///
/// An `InputError` is only ever about what the caller gave. Outcomes such as *not converged*, *singular* or
/// *undecided* are values of result types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputError {
    /// Kind of what is wrong.
    pub kind: ErrorKind,
    /// What is wrong, in one sentence without the final full stop.
    pub problem: String,
    /// File the input came from.
    pub file: Option<String>,
    /// Name of the array or field.
    pub array: Option<String>,
    /// The offending number, shape or text.
    pub value: Option<String>,
    /// What the caller can do.
    pub hint: Option<Box<str>>,
}

impl InputError {
    /// An error that says what is wrong; add the place and the remedy with the other methods.
    pub fn new(problem: impl Into<String>) -> Self {
        Self { kind: ErrorKind::default(), problem: problem.into(), file: None, array: None, value: None, hint: None }
    }

    /// Says of which kind the error is.
    #[must_use]
    pub fn kind(self, kind: ErrorKind) -> Self {
        Self { kind, ..self }
    }

    /// Names the file, unless a more specific place is already named.
    #[must_use]
    pub fn file(mut self, file: impl fmt::Display) -> Self {
        self.file.get_or_insert_with(|| file.to_string());
        self
    }

    /// Names the array, unless one is already named.
    #[must_use]
    pub fn array(mut self, array: impl fmt::Display) -> Self {
        self.array.get_or_insert_with(|| array.to_string());
        self
    }

    /// Quotes the number, shape or text that is wrong.
    #[must_use]
    pub fn value(mut self, value: impl fmt::Display) -> Self {
        self.value.get_or_insert_with(|| value.to_string());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hint.get_or_insert_with(|| hint.to_string().into());
        self
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}: ")?;
        }
        if let Some(array) = &self.array {
            write!(f, "array {array}: ")?;
        }
        write!(f, "{}", self.problem)?;
        if let Some(value) = &self.value {
            write!(f, " (found {value})")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for InputError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_names_file_array_value_and_remedy() {
        let error =
            InputError::new("entry is not finite").file("w.npz").array("W2").value("NaN at (0, 3)").hint("mend it");
        assert_eq!(error.to_string(), "w.npz: array W2: entry is not finite (found NaN at (0, 3)); mend it");
    }
}
