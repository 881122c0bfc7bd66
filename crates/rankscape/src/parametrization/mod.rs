//! Maps from parameters to predictions beyond the plain product, with value, Jacobian product and transposed product, and the rank of
//! their Jacobians beside the rank at generic parameters.
//!
//! `map` is what a map is and the check that its Jacobian agrees with its values, `layered` the passes through layers that all maps here
//! are made of. Where the rank follows from ranks of partial products (`structure`), no Jacobian is formed; elsewhere it is (`dense`).
//! `docs/predictor.md` has formulas and limits.

mod activation;
mod dense;
mod filters;
mod layered;
mod map;
mod normalized;
mod skip;
mod structure;

pub use activation::Activation;
pub(crate) use activation::check_count;
pub use dense::{DenseRank, criticality, dense_rank, generic_rank};
pub use filters::{ExactFilters, FilterLayer, FilterMap, Filters};
pub use layered::{LinearMap, PyramidalMap};
pub use map::{Parametrization, PlainProduct, check_parametrization, is_saddle_by_rank, jacobian};
pub use normalized::{NormalizedMap, from_linear, has_zero_rung, norms_before_last, to_linear};
pub use skip::{IdentityPlusProduct, ProductPlusMatrix, Residual};
pub use structure::{ChainPoint, ChainRank, is_critical_without_bound};
