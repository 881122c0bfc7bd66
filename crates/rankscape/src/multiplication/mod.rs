//! The matrix multiplication map `(W_1, ..., W_h) -> W_h ... W_1`, without any loss.
//!
//! `P(j, i) = W_j ... W_{i+1}` is a partial product, `P(i, i) = I`, and `r_ij = rank P(j, i)`.

mod adapter;
mod barcode;
mod completion;
mod connect;
mod conserved;
mod differential;
mod factors;
mod fiber;
mod frames;
mod gap;
mod image;
mod intervals;
mod learning;
mod lift;
mod motion;
mod openness;
mod orbit;
mod original;
mod overlap;
mod path;
mod point;
mod rank_profile;
mod reach;
mod reach_deep;
mod reduction;
mod taylor;
mod update;
mod verdict;
mod witness;

pub use adapter::{Adapter, entropy_rank, stable_rank};
pub use barcode::{Bar, Barcode};
pub use completion::Completion;
pub use connect::{Connection, connect, lift_path};
pub use conserved::{conserved_laws, conserved_laws_of_two};
pub use differential::Differential;
pub(crate) use factors::partial_product;
pub use factors::{ExactFactors, Factors};
pub use fiber::{ComponentLabel, Fiber};
pub use frames::product_difference;
pub(crate) use frames::product_svd;
pub use gap::{Covering, Gap};
pub use image::DifferentialImage;
pub use learning::{LearningCoefficient, LocalLearning};
pub use lift::LiftProperties;
pub use motion::Motion;
pub use openness::{NodeOpenness, Openness};
pub use orbit::{Balance, Transport, balance, balance_defect, gauge_action, group_element, toward_balance, transport};
pub use original::{DENSE_LIMIT, Lengths, Removed, change_of_original};
pub use overlap::{Overlap, overlap_by_chance};
pub use path::{Path, Piece};
pub use point::MapPoint;
pub use rank_profile::RankProfile;
pub use reach::{Reach, reach, reach_order};
pub use reduction::{ReducedChain, nullity_indices, reduced_widths};
pub use taylor::{exact_taylor_coefficients, taylor_coefficients};
pub use update::{Spectrum, Update};
pub use verdict::Verdict;
pub use witness::{
    QuadraticWitness, exact_first_order_witness, exact_second_order_witness, exact_unreachable_direction,
    first_order_witness, second_order_witness, unreachable_direction,
};
