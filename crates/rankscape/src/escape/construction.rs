//! The constructions of the literature by name, and what each says about the loss along its path.

use super::change::Steps;
use crate::linalg::Matrix;

/// A construction of the literature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Construction {
    /// Rotates a captured singular direction towards a larger omitted one; the rank stays (`[@ZL]`, Proposition 3.1).
    Rotation,
    /// Raises the rank by one, with `eps_2 = eps_1^2` (`[@ZL]`, Proposition 3.2).
    RankOne,
    /// The rotation at some level of a deep network (`[@ZL]`, Theorem 4.1).
    DeepRotation,
    /// The rank-one step in the last two layers of a deep network (`[@ZL]`, Theorem 4.2).
    DeepRankOne,
    /// A second-order path of a degenerate point of two layers (`[@LO]`, Theorem 8).
    SecondOrder,
    /// A chain through null vectors of the single layers (`[@LO]`, Lemma 19).
    Chain,
    /// Through the kernels of the partial products (`[@TKB]`, Proposition 9).
    Kernels,
    /// An ascent: a row of the last layer grows, or, where the output is zero, as few layers as make it non-zero move
    /// (`[@ZL]`, Proposition 3.3, and beyond it).
    Ascent,
}

impl Construction {
    /// The descents, in the order in which they are tried.
    pub const DESCENTS: [Self; 7] = [
        Self::Rotation,
        Self::RankOne,
        Self::DeepRotation,
        Self::DeepRankOne,
        Self::SecondOrder,
        Self::Chain,
        Self::Kernels,
    ];

    /// Name on the command line and in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rotation => "zl-3.1",
            Self::RankOne => "zl-3.2",
            Self::DeepRotation => "zl-4.1",
            Self::DeepRankOne => "zl-4.2",
            Self::SecondOrder => "lo-8",
            Self::Chain => "lo-19",
            Self::Kernels => "tkb-9",
            Self::Ascent => "ascent",
        }
    }

    /// The descent with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::DESCENTS.into_iter().find(|construction| construction.name() == name)
    }
}

/// What a construction says about the loss along its path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// Order of the first change, in the parameter of the construction.
    pub order: usize,
    /// Its coefficient.
    pub coefficient: f64,
    /// Change of the loss at the end of the path, where the construction states all of it.
    pub change: Option<f64>,
    /// The largest order that the construction can have, where it states one.
    pub order_bound: Option<usize>,
}

/// A construction in whitened coordinates, before it is scaled.
pub(super) struct Draft {
    pub steps: Steps<Matrix>,
    pub prediction: Prediction,
    /// The end of the path where the construction fixes it.
    pub end: Option<f64>,
    /// The steps are those of the end only.
    pub curved: bool,
}
