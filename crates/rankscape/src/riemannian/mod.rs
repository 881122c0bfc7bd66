//! Minima of a loss on matrices of bounded rank, and its infimum over all matrices.
//!
//! `space` is the problem that is left once what the loss cannot see is taken away; `newton` a trust region on the factors;
//! `curvature` the Hessian on a manifold of fixed rank;
//! `convex` the minimum over all matrices with a bound from the dual problem; `separation` says whether it is attained; `minima` has
//! the local minima on bounded rank, which `search` finds, `known` what theorems say of the infimum there,
//! `enclosure` proves that there is a minimum near a point, `certified` finds all of them for small quadratic losses. `docs/losses.md` has
//! definitions and proofs.

mod certified;
mod convex;
mod curvature;
mod enclosure;
mod known;
mod minima;
mod newton;
mod preconditioner;
mod search;
mod separation;
mod space;

pub use convex::{ConvexBound, convex_bound};
pub use curvature::is_isolated_minimum;
pub use known::{KnownInfimum, known_infimum};
pub use minima::{BadLocalMinima, BadMinima, Minima, MinimaRequest, minima};
pub(crate) use newton::in_blocks;
pub use newton::{Descent, End, descend};
pub use search::{AtInfinity, LocalMinimum};
pub use separation::{Separability, SeparabilityKind};
pub use space::FunctionSpace;
