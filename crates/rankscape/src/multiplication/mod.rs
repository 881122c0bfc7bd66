//! The matrix multiplication map `(W_1, ..., W_h) -> W_h ... W_1`, without any loss.
//!
//! `P(j, i) = W_j ... W_{i+1}` is a partial product, `P(i, i) = I`, and `r_ij = rank P(j, i)`.

mod barcode;
mod connect;
mod differential;
mod factors;
mod fiber;
mod frames;
mod intervals;
mod learning;
mod lift;
mod motion;
mod openness;
mod path;
mod rank_profile;
mod reach;
mod reach_deep;
mod verdict;

pub use barcode::{Bar, Barcode};
pub use connect::{Connection, connect, lift_path};
pub use differential::Differential;
pub use factors::{ExactFactors, Factors};
pub use fiber::{ComponentLabel, Fiber};
pub use learning::{LearningCoefficient, LocalLearning};
pub use lift::LiftProperties;
pub use motion::Motion;
pub use openness::{NodeOpenness, Openness};
pub use path::{Path, Piece};
pub use rank_profile::RankProfile;
pub use reach::{Reach, reach};
pub use verdict::Verdict;
