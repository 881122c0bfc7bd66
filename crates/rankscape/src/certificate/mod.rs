//! Certificates: a point, a path out of it and what is claimed about both, in a form that is checked without trusting how
//! it was found.
//!
//! A certificate holds all that the statement is about: the factors, what the loss needs of the data, the coefficients
//! `A_k` of the path. [`Certificate::verify`] evaluates the loss anew: over the rationals for exact input; for numbers in
//! double precision, each of which is a rational too, exactly where the size permits and with intervals beyond.
//!
//! `statement` is what is claimed, `make` takes it from a diagnosis, `claim` has what a check found. What is checked shares nothing
//! with what made the certificate: `words` has the products that a class rests on and reads it from their ranks, `exact` decides
//! those by the eliminations of `elimination`, `class` by the singular values of `point`, which `enclosure` bounds from the matrices
//! of `precise`. Paths are expanded by `path` over the rationals and by `floating` in double precision, as the polynomials of
//! `series` in the matrices of `sparse`. `files` compares with the files that a certificate was made from.

mod claim;
mod class;
mod elimination;
mod enclosure;
mod exact;
mod files;
mod floating;
mod make;
mod path;
mod point;
mod precise;
mod series;
mod sparse;
mod statement;
mod verify;
mod words;

pub use claim::{CheckedClaim, Finding, Verification};
pub use files::{same_data, same_point};
pub use statement::{
    Certificate, Criticality, ExactStatement, FloatingStatement, PathClaim, ReducedData, Sense, StatedQuantity,
    StatedRank, Statement,
};

pub use crate::problem::{BiasKind, Reduction};
