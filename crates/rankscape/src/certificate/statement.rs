//! What a certificate states: a point, a path out of it, and claims about both.

use crate::critical::CriticalClass;
use crate::data::ExactMoments;
use crate::data::Whitening;
use crate::escape::EscapePath;
use crate::evidence::Quantity;
use crate::linalg::Matrix;
use crate::linalg::exact::{Rational, RationalMatrix};
use crate::multiplication::{ExactFactors, Factors};
use crate::problem::Reduction;
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

/// Whether the loss falls or rises along a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sense {
    /// It falls.
    Descent,
    /// It rises.
    Ascent,
}

impl Sense {
    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Descent => "descent",
            Self::Ascent => "ascent",
        }
    }
}

/// What is claimed about a path.
#[derive(Debug, Clone, PartialEq)]
pub struct PathClaim<F, N> {
    /// The coefficients `A_k`.
    pub path: EscapePath<F>,
    /// Whether the loss falls or rises.
    pub sense: Sense,
    /// Lowest power of `t` at which the loss changes.
    pub order: usize,
    /// The coefficient there: negative for a descent.
    pub coefficient: N,
    /// A step along the path.
    pub t: N,
    /// `L(theta) - L(theta(t))`: positive for a descent.
    pub decrease: N,
}

/// When a gradient in double precision counts as zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Criticality {
    /// Unit roundoff of the type in which the weights were stored.
    pub unit_roundoff: f64,
    /// A point is critical when `gradient.relative` is at most this.
    pub threshold: f64,
    /// Or when every block is at most this times the product of the norms of the factors that it is made of.
    pub rounding: f64,
    /// A product counts with the norms of its factors in `gradient.relative` when it is at most this times them.
    pub vanishing: f64,
    /// A rank is clear when no singular value lies between its tolerance and this times the tolerance.
    pub rank_gap: f64,
}

impl Criticality {
    /// What the tolerances say of a network.
    pub fn of(point: &Factors, unit_roundoff: f64, tolerances: &Tolerances) -> Self {
        let widest = point.architecture().widths().iter().copied().max().unwrap_or(1);
        Self {
            unit_roundoff,
            threshold: tolerances.critical_threshold(unit_roundoff),
            rounding: tolerances.rank * UNIT_ROUNDOFF * (widest as f64).sqrt(),
            vanishing: tolerances.vanishing_product(unit_roundoff, widest),
            rank_gap: tolerances.rank_gap,
        }
    }
}

/// A quantity whose rank a certificate states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatedQuantity {
    /// One that verdicts rest on.
    Known(Quantity),
    /// The words of a file that name none.
    Unknown(String),
}

impl StatedQuantity {
    /// The quantity; `None` where the words name none.
    pub fn known(&self) -> Option<Quantity> {
        match self {
            Self::Known(quantity) => Some(*quantity),
            Self::Unknown(_) => None,
        }
    }
}

/// A rank that a class rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct StatedRank {
    /// What was decided.
    pub quantity: StatedQuantity,
    /// The rank.
    pub rank: usize,
    /// Singular values up to this count as zero, relative to the norms of the factors; 0 over the rationals.
    pub tolerance: f64,
}

/// A point, and what is claimed about it.
#[derive(Debug, Clone)]
pub struct Statement<F, D, N> {
    /// The factors.
    pub point: F,
    /// What the loss needs of the data.
    pub data: D,
    /// The class.
    pub class: CriticalClass,
    /// The ranks that the class rests on.
    pub rests_on: Vec<StatedRank>,
    /// When the gradient counts as zero; `None` over the rationals, where it must be zero.
    pub criticality: Option<Criticality>,
    /// How the problem came from weights and data.
    pub reduction: Reduction,
    /// The path.
    pub path: Option<PathClaim<F, N>>,
}

/// A statement in which every number is rational and every claim is about these numbers.
pub type ExactStatement = Statement<ExactFactors, ExactMoments, Rational>;

/// A statement with numbers in double precision.
pub type FloatingStatement = Statement<Factors, ReducedData, f64>;

/// Data in double precision, reduced to `L = 1/2 ||W A - Z||^2 + floor`.
#[derive(Debug, Clone)]
pub struct ReducedData {
    /// `A`, of shape `d_0 x rank X`.
    pub inputs: Matrix,
    /// `Z`, of shape `d_h x rank X`.
    pub target: Matrix,
    /// The part of the loss that no product reaches.
    pub floor: f64,
    /// `||Y||`.
    pub norm: f64,
}

/// A statement that can be checked.
#[derive(Debug, Clone)]
pub enum Certificate {
    /// Every number is rational and every claim is about these numbers.
    Exact(Box<ExactStatement>),
    /// Numbers in double precision.
    Floating(Box<FloatingStatement>),
}

impl Certificate {
    /// Whether some matrix has loss zero, as for data that are a target alone.
    pub fn has_no_floor(&self) -> bool {
        match self {
            Self::Exact(statement) => {
                let data = &statement.data;
                let squares: Rational = data.yx.entries().iter().map(|x| x * x).sum();
                data.xx == RationalMatrix::identity(data.xx.nrows()) && data.yy == squares
            }
            Self::Floating(statement) => statement.data.floor == 0.0,
        }
    }

    /// The class that is claimed.
    pub fn class(&self) -> CriticalClass {
        match self {
            Self::Exact(statement) => statement.class,
            Self::Floating(statement) => statement.class,
        }
    }

    /// When the gradient counts as zero; `None` over the rationals.
    pub fn criticality(&self) -> Option<Criticality> {
        match self {
            Self::Exact(_) => None,
            Self::Floating(statement) => statement.criticality,
        }
    }

    /// What is claimed of the path, if there is one.
    pub fn sense_and_order(&self) -> Option<(Sense, usize)> {
        match self {
            Self::Exact(statement) => statement.path.as_ref().map(|claim| (claim.sense, claim.order)),
            Self::Floating(statement) => statement.path.as_ref().map(|claim| (claim.sense, claim.order)),
        }
    }

    /// How the problem came from weights and data.
    pub fn reduction(&self) -> Reduction {
        match self {
            Self::Exact(statement) => statement.reduction,
            Self::Floating(statement) => statement.reduction,
        }
    }

    /// The ranks that the class rests on.
    pub fn rests_on(&self) -> &[StatedRank] {
        match self {
            Self::Exact(statement) => &statement.rests_on,
            Self::Floating(statement) => &statement.rests_on,
        }
    }
}

impl ReducedData {
    /// What the loss needs of whitened data.
    pub fn of(whitening: &Whitening) -> Self {
        Self {
            inputs: whitening.inputs(),
            target: whitening.target.clone(),
            floor: whitening.floor,
            norm: whitening.target_norm,
        }
    }
}
