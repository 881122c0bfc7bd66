//! The variety `M_r` of `m x n` matrices of rank at most `r`, in matrix space: its degrees and its discriminant for
//! the Eckart-Young metric. Knows no network.

mod degree;
mod discriminant;
mod modular;

pub use degree::{DeterminantalDegrees, catanese_trifogli, degrees, degrees_by_localization};
pub use discriminant::{EckartYoungDiscriminant, eckart_young_discriminant};
