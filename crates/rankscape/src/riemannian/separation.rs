//! Whether samples can be separated: then the infimum of a loss of margins is not attained.
//!
//! The loss of margins falls along a direction `D` without end iff no margin of `D` is negative and one is positive. Stiemke: there
//! is none iff positive numbers, one a margin, make a combination of the margins that vanishes on all `D`; the probabilities of wrong
//! answers at a minimum are such numbers.

use crate::linalg::Matrix;

/// How far samples can be separated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeparabilityKind {
    /// Some matrix answers all samples right: the infimum is not attained.
    Strict,
    /// Some matrix answers some samples right and leaves the others undecided: the infimum is not attained, and larger.
    Partial,
    /// Neither: the infimum is attained.
    None,
}

impl SeparabilityKind {
    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Partial => "partial",
            Self::None => "none",
        }
    }
}

/// How far samples can be separated, with a matrix that does it.
#[derive(Debug, Clone)]
pub struct Separability {
    /// How far.
    pub kind: SeparabilityKind,
    /// A matrix `W` (with the offset, where there is one) whose margins are not negative, and as many of them as can be positive.
    pub witness: Option<(Matrix, Option<Matrix>)>,
    /// The smallest positive margin of the witness, relative to the largest.
    pub margin: Option<f64>,
}
