//! Matrices of bounded rank, `M_r = {W : rank W <= r}` in `R^{m x n}`: strata, tangent and normal spaces and cones,
//! projection, degrees, critical points of the distance and their discriminant. Knows matrix space, not networks.

mod degree;
mod discriminant;
mod eckart_young;
mod tangent;
mod variety;

pub use degree::{DeterminantalDegrees, catanese_trifogli, degrees, degrees_by_localization, generic_degree};
pub use discriminant::{EckartYoungDiscriminant, eckart_young_discriminant};
pub use eckart_young::{DistanceCriticalPoint, EckartYoung};
pub use tangent::PointOnVariety;
pub use variety::{DeterminantalVariety, RankStratum};
