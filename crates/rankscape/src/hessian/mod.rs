//! The Hessian of the square loss after the product map: operator, extremes and exact inertia.

mod extremes;
mod inertia;
mod network;
mod normalized;
mod operator;
mod strings;

pub use extremes::{Extremes, extremes};
pub use inertia::{PairCounts, inertia_at_critical_point};
pub use network::{Biases, SquareNetwork};
pub use normalized::NormalizedNetwork;
pub use operator::HessianOperator;
pub use strings::StringRanks;
