//! The Hessian of the square loss after the product map.
//!
//! `operator` applies the Hessian at a point ([`crate::network`]) without forming it, out of `pieces`, for many vectors at once in `batch`, by diagonal blocks in `blocks`; `slopes` checks derivatives.
//!
//! Three ways to its spectrum: the two ends by iteration (`extremes`); index and nullity at critical points from ranks
//! alone (`strings`, `inertia`; `docs/inertia.md`); all eigenvalues where everything is diagonal ([`aligned`];
//! `docs/spectra.md`). [`orbit`] has what critical points of two layers share along an orbit.

pub mod aligned;
mod batch;
mod blocks;
mod decay;
mod descent;
mod exact;
mod extremes;
mod findings;
mod inertia;
mod layer;
mod operator;
pub mod orbit;
mod parts;
mod pieces;
mod reduced;
mod slopes;
mod spectrum;
mod strings;
mod subspace;

pub use descent::GradientDescent;
pub use extremes::{Extremes, extremes, rounding_of_eigenvalues};
pub use findings::{
    Eigenvector, EigenvectorShape, HessianFindings, InertiaMethod, LARGEST_DENSE, LARGEST_LISTED, SpectrumMethod,
    SpectrumRequest,
};
pub use inertia::{PairCounts, inertia_at_critical_point};
pub use operator::{HessianOperator, Part};
pub use parts::LARGEST_RATIONAL;
pub use slopes::{TaylorSlope, check_gradient, check_hessian};
pub use spectrum::{spectrum_at, spectrum_of};
pub use strings::StringRanks;
