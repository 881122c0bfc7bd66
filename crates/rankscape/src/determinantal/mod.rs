//! Matrices of bounded rank, `M_r = {W : rank W <= r}` in `R^{m x n}`: strata, tangent and normal spaces and cones,
//! projection, critical points of the distance. Knows matrix space, not networks.

mod eckart_young;
mod tangent;
mod variety;

pub use eckart_young::{DistanceCriticalPoint, EckartYoung};
pub use tangent::PointOnVariety;
pub use variety::{DeterminantalVariety, Stratum};
