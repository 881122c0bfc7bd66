//! The shipped examples, embedded: `example:digits/plateau.safetensors` stands for a file.

use rankscape::error::{InputError, Result};

macro_rules! examples {
    ($($name:literal),+ $(,)?) => {
        /// Names of the embedded files.
        pub const EXAMPLE_FILES: &[&str] = &[$($name),+];

        fn bytes(name: &str) -> Option<&'static [u8]> {
            match name {
                $($name => Some(include_bytes!(concat!("../shipped/", $name))),)+
                _ => None,
            }
        }
    };
}

examples!(
    "digits/digits.npz",
    "digits/plateau.safetensors",
    "digits/early.safetensors",
    "digits/converged.safetensors",
    "digits/classifier-plateau.safetensors",
    "digits/classifier-passing.safetensors",
    "digits/classifier-early.safetensors",
    "digits/classifier-converged.safetensors",
);

/// The bytes of an embedded file.
pub(super) fn find(name: &str) -> Result<&'static [u8]> {
    bytes(name).ok_or_else(|| {
        InputError::new("there is no such example")
            .value(name)
            .hint(format!("the examples are {}", EXAMPLE_FILES.join(", ")))
    })
}
