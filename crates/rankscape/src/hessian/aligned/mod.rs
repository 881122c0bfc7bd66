//! Aligned points: all factors, the data and the target are diagonal in one set of orthonormal bases.
//!
//! There the Hessian splits over pairs of basis directions into blocks of size at most `2 h` (at most `h`, and mostly of
//! rank two, at critical points), so that all eigenvalues are known with their multiplicities at any size.
//! `docs/spectra.md` has the derivation.

mod alignment;
mod pair;
mod spectrum;

pub use alignment::{Alignment, Strand};
pub use spectrum::{AlignedSpectrum, Family, RankOne, SpectralVector, SpectrumKind};
