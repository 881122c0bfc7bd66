//! Exact answers, with evidence, about the loss landscape of products of matrices.
//!
//! A deep linear network is the map `W = W_h ... W_1`; its loss landscape is decided by ranks of partial products, by
//! the singular values of the target and by where the residual meets the factors. This crate computes those decisions
//! from real weights and real data and says what each one rests on.
//!
//! The modules form layers, listed in `ARCHITECTURE.md`; a module uses only lower layers.

pub mod architecture;
pub mod critical;
pub mod data;
pub mod determinantal;
pub mod diagnosis;
pub mod error;
pub mod escape;
pub mod evidence;
pub mod hessian;
pub mod homotopy;
pub mod io;
pub mod linalg;
pub mod loss;
pub mod multiplication;
pub mod parallel;
pub mod quadratic;
pub mod random;
pub mod report;
pub mod sweep;
pub mod tolerance;

pub use error::InputError;
pub use linalg::Matrix;
pub use tolerance::Tolerances;
