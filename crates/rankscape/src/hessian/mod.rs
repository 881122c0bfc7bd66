//! The Hessian of the square loss after the product map: operator, extremes and exact inertia.

pub mod aligned;
mod batch;
mod blocks;
mod extremes;
mod inertia;
mod network;
mod normalized;
mod operator;
pub mod orbit;
mod pieces;
mod reduced;
mod slopes;
mod strings;

pub use extremes::{Extremes, extremes};
pub use inertia::{PairCounts, inertia_at_critical_point};
pub use network::{Biases, SquareNetwork};
pub use normalized::NormalizedNetwork;
pub use operator::{HessianOperator, Part};
pub use slopes::{TaylorSlope, check_gradient, check_hessian};
pub use strings::StringRanks;
