//! The digest of an input: SHA-256 over shapes and canonical values, never over the bytes of a file.

use sha2::{Digest as _, Sha256};

use super::array::Array;
use rankscape::linalg::exact::Rational;

/// Digests one array as its numbers pass by.
///
/// The number stream is that of the array row by row, each number as little-endian double precision (`-0` as `0`) or,
/// for exact input, as the text of the reduced fraction; the shape is added at the end.
pub(super) struct ArrayDigest {
    hash: Sha256,
}

impl ArrayDigest {
    pub(super) fn new() -> Self {
        Self { hash: Sha256::new() }
    }

    pub(super) fn numbers(&mut self, values: &[f64]) {
        let mut bytes = [0; 4096];
        for part in values.chunks(512) {
            for (place, value) in bytes.chunks_exact_mut(8).zip(part) {
                place.copy_from_slice(&(value + 0.0).to_le_bytes());
            }
            self.hash.update(&bytes[..8 * part.len()]);
        }
    }

    pub(super) fn fractions(&mut self, values: &[Rational]) {
        for value in values {
            self.hash.update(format!("{}/{};", value.numer(), value.denom()));
        }
    }

    /// The digest of the array with this shape.
    pub(super) fn finish(mut self, shape: &[u64]) -> [u8; 32] {
        for size in shape {
            self.hash.update(size.to_le_bytes());
        }
        self.hash.update((shape.len() as u64).to_le_bytes());
        self.hash.finalize().into()
    }
}

/// The digest of one array; by its exact values if asked for and there.
pub(super) fn array_digest(array: &Array, exactly: bool) -> [u8; 32] {
    let mut digest = ArrayDigest::new();
    match &array.exact {
        Some(exact) if exactly => digest.fractions(exact),
        _ => digest.numbers(&array.values),
    }
    let shape: Vec<u64> = array.shape.iter().map(|&size| size as u64).collect();
    digest.finish(&shape)
}

/// The digest of a list of arrays, in hexadecimal digits. `kind` keeps inputs of different meaning apart.
pub(super) fn combined_digest(kind: &str, parts: &[[u8; 32]]) -> String {
    let mut hash = Sha256::new();
    hash.update(kind);
    for part in parts {
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
