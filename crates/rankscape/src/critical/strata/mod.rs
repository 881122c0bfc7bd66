//! Strata of critical points: all decompositions into strings that are possible over a rung.
//!
//! `docs/inertia.md` shows that the whitened factors and the transposed residual at a critical point are a direct sum of
//! strings on a cycle; `docs/construct.md` shows which sums occur and how large the set of points of each is.

mod family;
mod stratum;
mod walk;

pub use family::{CapturedFamily, StratumFacts};
pub use stratum::{CyclicBar, Stratum};
