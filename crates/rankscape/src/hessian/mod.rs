//! The Hessian of the square loss after the product map.
//!
//! `network` holds factors, data and target, `normalized` scales them; `operator` applies the Hessian without forming it,
//! out of `pieces`, for many vectors at once in `batch`, by diagonal blocks in `blocks`; `slopes` checks derivatives.
//!
//! Three ways to its spectrum: the two ends by iteration (`extremes`); index and nullity at critical points from ranks
//! alone (`strings`, `inertia`; `docs/inertia.md`); all eigenvalues where everything is diagonal ([`aligned`];
//! `docs/spectra.md`). [`orbit`] has what critical points of two layers share along an orbit.

pub mod aligned;
mod batch;
mod blocks;
mod descent;
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
mod subspace;

pub use descent::GradientDescent;
pub use extremes::{Extremes, extremes, rounding_of_eigenvalues};
pub use inertia::{PairCounts, inertia_at_critical_point};
pub use network::{Biases, SquareNetwork};
pub use normalized::NormalizedNetwork;
pub use operator::{HessianOperator, Part};
pub use slopes::{TaylorSlope, check_gradient, check_hessian};
pub use strings::StringRanks;
