//! Exact answers, with evidence, about the loss landscape of products of matrices.
//!
//! A deep linear network is the map `W = W_h ... W_1`; its loss landscape is decided by ranks of partial products, by
//! the singular values of the target and by where the residual meets the factors. This crate computes those decisions
//! from real weights and real data and says what each one rests on.
//!
//! ```
//! use rankscape::data::SampleAccumulator;
//! use rankscape::diagnosis::{Data, Parameters, Point, Settings, diagnose};
//! use rankscape::tolerance::UNIT_ROUNDOFF;
//! use rankscape::{Matrix, Tolerances};
//!
//! # fn main() -> Result<(), rankscape::InputError> {
//! // Two samples, a row each: x, then y.
//! let mut samples = SampleAccumulator::new(2, 2);
//! samples.push_rows(&[1.0, 0.0, 2.0, 0.0, 0.0, 1.0, 0.0, 1.0], None)?;
//! let data = Data::Samples(Box::new(samples.finish()?), None);
//!
//! // The network captures the first direction of diag(2, 1) and misses the second.
//! let parameters = Parameters {
//!     matrices: vec![Matrix::from_diagonal(2, 2, &[2.0, 0.0]), Matrix::from_diagonal(2, 2, &[1.0, 0.0])],
//!     biases: vec![None, None],
//!     exact: None,
//!     output_metric: None,
//! };
//! let tolerances = Tolerances::default();
//! let point = Point::new(parameters, data, &tolerances)?;
//! let found = diagnose(&point, Settings { unit_roundoff: UNIT_ROUNDOFF, tolerances: &tolerances, seed: 0, threads: 1 })?;
//! assert_eq!(found.class.name(), "strict_saddle");
//! assert_eq!(found.captured, Some(vec![1]));
//! assert_eq!(found.inertia.map(|inertia| inertia.negative), Some(1));
//! assert!((found.loss - found.global_minimum - 0.5).abs() < 1e-15);
//! # Ok(())
//! # }
//! ```
//!
//! The modules form layers, listed in `ARCHITECTURE.md`; a module uses only lower layers.

pub mod architecture;
pub mod certificate;
pub mod critical;
pub mod data;
pub mod determinantal;
pub mod diagnosis;
pub mod error;
pub mod escape;
pub mod evidence;
pub mod hessian;
pub mod homotopy;
pub mod linalg;
pub mod loss;
pub mod multiplication;
pub mod parallel;
pub mod quadratic;
pub mod random;
pub mod sweep;
pub mod tolerance;
pub mod work;

pub use error::InputError;
pub use linalg::Matrix;
pub use tolerance::{Storage, Tolerances};
