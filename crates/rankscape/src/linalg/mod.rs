//! Dense linear algebra: the only module that knows which library does it.
//!
//! Inputs of the decompositions are scaled by a power of two first and the results scaled back, so no intermediate
//! result overflows or loses accuracy at scales from 1e-300 to 1e300.

pub mod exact;
mod inertia;
pub mod interval;
mod krylov;
mod matrix;
mod qr;
pub mod scalar;
mod small;
mod svd;

pub use inertia::{Inertia, SymmetricEigen, symmetric_eigen, symmetric_eigenvalues};
pub use krylov::{Extreme, LinearOperator, SymmetricOperator, least_squares, smallest_eigenpair};
pub use matrix::Matrix;
pub use qr::{orthonormal_complement, orthonormal_range, triangular_factor};
pub use small::LaneLu;
pub use svd::{Svd, rank, singular_values, spectral_norm, svd};
