//! Losses on matrix space. They know no network.

mod square;

pub use square::SquareLoss;
