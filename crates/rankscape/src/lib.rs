//! Exact answers, with evidence, about the loss landscape of products of matrices.
//!
//! A deep linear network is the map `W = W_h ... W_1`; its loss landscape is decided by ranks of partial products, by
//! the singular values of the target and by where the residual meets the factors. This crate computes those decisions
//! from real weights and real data and says what each one rests on.
//!
//! ```
//! use rankscape::{Data, Matrix, Problem, Settings, diagnose};
//!
//! # fn main() -> Result<(), rankscape::InputError> {
//! let weights = [Matrix::from_diagonal(2, 2, &[2.0, 0.0]), Matrix::from_diagonal(2, 2, &[1.0, 0.0])];
//! let (x, y) = (Matrix::identity(2), Matrix::from_diagonal(2, 2, &[2.0, 1.0])); // a sample a row
//! let problem = Problem::new(weights, Data::samples(&x, &y)?)?;
//! let found = diagnose(&problem, Settings::default())?;
//! println!("{}, captured {:?}, index {:?}", found.class, found.captured, found.inertia.map(|i| i.negative));
//! // The network captures the first direction of diag(2, 1) and misses the second.
//! # assert_eq!(found.class.name(), "strict_saddle");
//! # assert_eq!(found.captured, Some(vec![1]));
//! # assert_eq!(found.inertia.map(|inertia| inertia.negative), Some(1));
//! # assert!((found.loss - found.global_minimum - 0.5).abs() < 1e-15);
//! # Ok(())
//! # }
//! ```
//!
//! Every verb is a function of [`answers`]: a request in, a typed answer out. The modules form layers, listed in
//! `ARCHITECTURE.md`; a module uses only lower layers.

pub mod answers;
pub mod architecture;
pub mod certificate;
pub mod critical;
pub mod data;
pub mod determinantal;
pub mod diagnosis;
pub mod error;
pub mod escape;
pub mod evidence;
pub mod flow;
pub mod hessian;
pub mod homotopy;
pub mod itinerary;
pub mod linalg;
pub mod loss;
pub mod multiplication;
pub mod network;
pub mod parallel;
pub mod parametrization;
pub mod problem;
pub mod pyramidal;
pub mod quadratic;
pub mod random;
pub mod riemannian;
pub mod sweep;
pub mod tolerance;
pub mod work;

#[doc(inline)]
pub use answers::{
    adapter, balance, connect, construct, critical, diagnose, doctor, ed, escape, hessian, lift, map, parse, reach,
    segments, solve, strata,
};
pub use diagnosis::Settings;
pub use error::InputError;
pub use linalg::Matrix;
pub use problem::{Data, Problem};
pub use tolerance::{Storage, Tolerances};
