//! Test support that does not depend on the library it tests: slow, obviously right references, generators with known
//! answers, the loader of independent answers, and the rules that keep the workspace tidy.
//!
//! - [`grid`]: row-major matrices over `f64` or the rationals, with the few operations that the rest needs;
//! - [`jacobi`]: eigenvalues and singular values by Jacobi rotations;
//! - [`exact`]: rank and inertia over the rationals;
//! - [`reference`](mod@reference): value, gradient and dense Hessian of a linear network, with or without biases;
//! - [`barcode`], [`planted`]: factors with a prescribed rank profile; critical points of the square loss of every class;
//! - [`nearest`](mod@nearest), [`disturbed`]: the nearest critical points by a slow search; planted points with noise;
//! - [`inertia`]: index and nullity of a critical point from ranks, the formula of `docs/inertia.md`;
//! - [`oracles`]: the files under `oracles/`; [`files`]: bytes of files to be read, good and bad;
//! - [`tidy`]: the rules on layers, documents and citations.
//!
//! Everything random takes a seed and a stream, so a failing case can be named by two numbers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod barcode;
pub mod disturbed;
pub mod exact;
pub mod files;
pub mod grid;
pub mod inertia;
pub mod jacobi;
pub mod nearest;
pub mod oracles;
pub mod planted;
pub mod random;
pub mod random_matrix;
pub mod reference;
pub mod scalar;
pub mod strings;
pub mod tidy;

pub use grid::{Dense, Grid};
pub use random::Draw;
pub use random_matrix::RandomMatrix;
pub use scalar::{Rational, Scalar};
