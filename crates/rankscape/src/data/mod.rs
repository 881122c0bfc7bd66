//! Data enter once, as a triangular factor; nothing after that depends on the number of samples.

mod whitening;

pub use whitening::Whitening;
