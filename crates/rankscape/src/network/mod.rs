//! A point of the parameter space of a network, with its loss: value, gradient, and what second derivatives are made of.
//!
//! [`SquareNetwork`] holds factors, data and target; [`NormalizedNetwork`] scales and whitens them; [`ExactSquareNetwork`] is
//! the same point over the rationals.

mod exact;
mod normalized;
mod square;

pub use exact::ExactSquareNetwork;
pub use normalized::NormalizedNetwork;
pub use square::{Biases, SquareNetwork};
