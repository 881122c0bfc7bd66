//! The matrix multiplication map `(W_1, ..., W_h) -> W_h ... W_1`, without any loss.
//!
//! `P(j, i) = W_j ... W_{i+1}` is a partial product, `P(i, i) = I`, and `r_ij = rank P(j, i)`.

mod barcode;
mod differential;
mod factors;
mod rank_profile;

pub use barcode::{Bar, Barcode};
pub use differential::Differential;
pub use factors::{ExactFactors, Factors};
pub use rank_profile::RankProfile;
