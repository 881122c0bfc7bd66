//! A point of the parameter space of a network, with its loss: value, gradient, and what second derivatives are made of.
//!
//! [`Network`] holds factors, data and loss, [`SquareNetwork`] the square loss; [`NormalizedNetwork`] scales and whitens it; [`ExactSquareNetwork`] is
//! the same point over the rationals.

mod decay;
mod exact;
mod normalized;
mod point;
mod spheres;

pub use decay::{DecayedGradient, WeightDecay};
pub use exact::ExactSquareNetwork;
pub use normalized::NormalizedNetwork;
pub use point::{Biases, Network, SquareNetwork};
pub use spheres::SphericalGradient;
