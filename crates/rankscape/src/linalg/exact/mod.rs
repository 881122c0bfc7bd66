//! Linear algebra over the rationals: ranks, signs of determinants and inertias that are proved.

mod dyadic;
mod elimination;
mod inertia;
mod matrix;
pub(crate) mod modular;

pub(crate) use dyadic::Dyadic;
pub(crate) use matrix::sum_of_products;
pub use matrix::{Rational, RationalMatrix, rational_from_f64, rational_to_f64, root_to_f64};
