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

/// Shipped examples: name, weights, whether it is an autoencoder; the data are `digits/digits.npz`.
const EXAMPLES: [(&str, &str, bool); 7] = [
    ("digits", "example:digits/plateau.safetensors", true),
    ("digits-early", "example:digits/early.safetensors", true),
    ("digits-converged", "example:digits/converged.safetensors", true),
    ("digits-classifier", "example:digits/classifier-plateau.safetensors", false),
    ("digits-classifier-passing", "example:digits/classifier-passing.safetensors", false),
    ("digits-classifier-early", "example:digits/classifier-early.safetensors", false),
    ("digits-classifier-converged", "example:digits/classifier-converged.safetensors", false),
];

/// Names of the shipped examples.
pub const EXAMPLE_NAMES: [&str; EXAMPLES.len()] = {
    let mut names = [""; EXAMPLES.len()];
    let mut at = 0;
    while at < EXAMPLES.len() {
        names[at] = EXAMPLES[at].0;
        at += 1;
    }
    names
};

/// The weights of a shipped example, and whether it is an autoencoder.
pub(super) fn example(name: &str) -> Option<(&'static str, bool)> {
    EXAMPLES.iter().find(|example| example.0 == name).map(|&(_, weights, autoencoder)| (weights, autoencoder))
}

/// The bytes of an embedded file.
pub(super) fn find(name: &str) -> Result<&'static [u8]> {
    bytes(name).ok_or_else(|| {
        InputError::new("there is no such example")
            .value(name)
            .hint(format!("the examples are {}", EXAMPLE_FILES.join(", ")))
    })
}
