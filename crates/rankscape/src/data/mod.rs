//! Data enters once: samples become a triangular factor, and nothing after that depends on how many there were.
//!
//! The factor is that of the stacked rows `[1, x', y']`. With the constant column first, the trailing block belongs to
//! the centred data, so centring is free. `X X'` is never formed: that would square the condition number.

mod accumulator;
mod exact;
mod factor;
mod movement;
mod tree;
mod whitening;

pub use accumulator::SampleAccumulator;
pub use exact::ExactMoments;
pub use factor::{BLOCK_ROWS, SampleFactor, StoredArray, TriangularFactor};
pub use whitening::Whitening;
