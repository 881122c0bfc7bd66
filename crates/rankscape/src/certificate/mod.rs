//! Certificates: a point, a path out of it and what is claimed about both, in a form that is checked without trusting how
//! it was found.
//!
//! A certificate holds all that the statement is about: the factors, what the loss needs of the data, the coefficients
//! `A_k` of the path. [`Certificate::verify`] evaluates the loss anew: over the rationals for exact input; for numbers in
//! double precision, each of which is a rational too, exactly where the size permits and with intervals beyond.
//!
//! What is checked shares nothing with what made the certificate: `words` names the products that a class rests on and reads it
//! from their ranks, `exact` decides those by the eliminations of `elimination`, `class` by the singular values of `point`, which
//! `enclosure` bounds from the matrices of `precise`. Paths are expanded by `path` over the rationals and by `floating` in double precision,
//! with the numbers of `ring` and the matrices of `table`. `files` compares with the files that a certificate was made from.

mod class;
mod elimination;
mod enclosure;
mod exact;
mod files;
mod floating;
mod path;
mod point;
mod precise;
mod ring;
mod table;
mod verify;
mod words;

pub use files::{same_data, same_point};

pub use verify::{Check, Verification};

pub use crate::problem::{BiasKind, Reduction};

use crate::critical::{CriticalClass, classify};
use crate::data::ExactMoments;
use crate::data::Whitening;
use crate::diagnosis::Diagnosis;
use crate::error::{InputError, Result};
use crate::escape::{Escape, EscapeKind, EscapePath};
use crate::evidence::{Evidence, Grade, RankDecision};
use crate::linalg::Matrix;
use crate::linalg::exact::{Rational, RationalMatrix};
use crate::multiplication::{ExactFactors, Factors};
use crate::problem::Problem;
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

/// A rank that a class rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct StatedRank {
    /// What was decided, for example `rank W X`.
    pub quantity: String,
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
    Exact(Box<Statement<ExactFactors, ExactMoments, Rational>>),
    /// Numbers in double precision.
    Floating(Box<Statement<Factors, ReducedData, f64>>),
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

    /// The certificate of a diagnosis: of the class and, where there is one, of the path that leaves.
    ///
    /// # Errors
    /// If the way out is a step of the output bias, which is not a path of factors.
    pub fn new(problem: &Problem, found: &Diagnosis, tolerances: &Tolerances) -> Result<Self> {
        if found.escape.as_ref().is_some_and(|escape| escape.kind == EscapeKind::OutputBias) {
            return Err(InputError::new("a step of the output bias is not certified")
                .hint("set the output bias first to the mean over the samples, with their weights, of Y less the output without that bias"));
        }
        Ok(Self::of(problem, found, found.escape.as_ref(), Sense::Descent, tolerances))
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

    /// The certificate of a point and a path out of it; the class is that of the diagnosis, made with these tolerances.
    pub fn of(
        problem: &Problem,
        found: &Diagnosis,
        escape: Option<&Escape>,
        sense: Sense,
        tolerances: &Tolerances,
    ) -> Self {
        let (class, reduction) = (found.class, problem.reduction());
        let exact = escape.and_then(|escape| escape.exact.as_ref());
        if let (Some(network), true) = (problem.exact(), exact.is_some() || escape.is_none()) {
            let path = exact.map(|found| PathClaim {
                path: found.path.clone(),
                sense,
                order: found.order,
                coefficient: found.change[found.order - 1].clone(),
                t: found.t.clone(),
                decrease: found.decrease.clone(),
            });
            let (point, data) = (network.factors().clone(), network.data().clone());
            let rests_on = over_the_rationals(&found.evidence);
            return Self::Exact(Box::new(Statement {
                point,
                data,
                class,
                rests_on,
                criticality: None,
                reduction,
                path,
            }));
        }
        let data = ReducedData::of(problem.whitening());
        let path = escape.map(|found| PathClaim {
            path: found.path.clone(),
            sense,
            order: found.order,
            coefficient: found.coefficient,
            t: found.t,
            decrease: found.decrease,
        });
        let criticality = Some(criticality(problem, found, tolerances));
        let rests_on = stated(&in_double_precision(problem, found, tolerances));
        let point = problem.factors().clone();
        let mut statement = Statement { point, data, class, rests_on, criticality, reduction, path };
        if let Some(coefficient) = floating::coefficient(&statement)
            && let Some(claim) = &mut statement.path
        {
            claim.coefficient = coefficient;
        }
        Self::Floating(Box::new(statement))
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

/// The ranks that a certificate over the rationals states; those of other quantities are decided again without being stated.
fn over_the_rationals(evidence: &Evidence) -> Vec<StatedRank> {
    let own = |name: &str| name == "rank X" || name == "rank W X" || name.ends_with(" as given");
    let ranks = evidence.rests_on.iter().filter(|support| own(&support.quantity));
    ranks
        .map(|support| StatedRank { quantity: support.quantity.clone(), rank: support.decision.rank, tolerance: 0.0 })
        .collect()
}

/// The decisions of the diagnosis; of an exact point with a path in double precision those that double precision takes.
fn in_double_precision(problem: &Problem, found: &Diagnosis, tolerances: &Tolerances) -> Evidence {
    if problem.exact().is_none() {
        return found.evidence.clone();
    }
    let mut evidence = Evidence::new(Grade::Numerical);
    if found.critical {
        evidence = classify(problem.network(), problem.whitening(), found.unit_roundoff, tolerances).evidence;
    } else {
        evidence.rest_on("rank X", problem.whitening().rank);
    }
    problem.stored_rank_profile(found.critical).rest_as_given(&mut evidence);
    evidence
}

fn stated(evidence: &Evidence) -> Vec<StatedRank> {
    let relative =
        |decision: &RankDecision| if decision.scale > 0.0 { decision.tolerance / decision.scale } else { 0.0 };
    let supports = evidence.rests_on.iter();
    supports
        .map(|support| StatedRank {
            quantity: support.quantity.clone(),
            rank: support.decision.rank,
            tolerance: relative(&support.decision),
        })
        .collect()
}

/// The thresholds of the diagnosis. With an output bias the terms of the gradient are larger than those of the centred
/// problem, and a point that is critical beside them is so there at a larger threshold.
fn criticality(problem: &Problem, found: &Diagnosis, tolerances: &Tolerances) -> Criticality {
    let mut stated = Criticality::of(problem.factors(), found.unit_roundoff, tolerances);
    stated.threshold = found.gradient_threshold;
    if found.critical && problem.has_biases() {
        stated.threshold = stated.threshold.max(problem.network().relative_gradient(found.unit_roundoff, tolerances));
    }
    stated
}
