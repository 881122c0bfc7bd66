//! Dense linear algebra: the only module that knows which library does it.
//!
//! Inputs of the decompositions are scaled by a power of two first and the results scaled back, so no intermediate
//! result overflows or loses accuracy at scales from 1e-300 to 1e300.
//!
//! Decompositions, inverses, norms and iterations are approximations: right to rounding errors, or to the residual that they
//! report, without a proved bound of either. What is proved comes from [`exact`], [`interval`] and [`scalar::Ball`].

mod algebra;
pub mod exact;
mod householder;
mod inertia;
pub mod interval;
mod krylov;
mod lanczos;
mod large;
mod leading;
mod matrix;
mod narrow;
mod qr;
mod row_basis;
pub mod scalar;
mod small;
mod square;
mod svd;
mod triangular;
mod tridiagonal;

pub use algebra::{Algebra, Linear};
pub use inertia::{Inertia, SymmetricEigen, symmetric_eigen, symmetric_eigenvalues};
pub use krylov::{LinearOperator, SymmetricOperator, least_squares, vector_norm};
pub use lanczos::{End, Extreme, extreme_eigenpairs};
pub use large::LargeMatrix;
pub use leading::{Leading, leading_singular};
pub use matrix::{Matrix, power_of_two_near};
pub(crate) use qr::thin_qr;
pub use qr::{orthonormal_complement, orthonormal_completion};
pub(crate) use row_basis::pivoted as pivoted_rows;
pub use row_basis::{RowBasis, bounded_row_basis};
pub use small::LaneLu;
pub use square::{determinant_sign, inverse, pseudo_inverse};
pub use svd::{Svd, graded_svd, orthonormal_range, rank, singular_values, spectral_norm, svd};
pub(crate) use triangular::triangular_factor_of_rows;
pub use triangular::{merge_triangular, triangular_factor, triangular_factor_of};
