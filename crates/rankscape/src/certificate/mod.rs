//! Certificates: a point, a path out of it and what is claimed about both, in a form that is checked without trusting how
//! it was found.
//!
//! A certificate holds all that the statement is about: the factors, what the loss needs of the data, the coefficients
//! `A_k` of the path. [`Certificate::verify`] evaluates the loss anew: over the rationals for exact input; for numbers in
//! double precision, each of which is a rational too, exactly where the size permits and with intervals beyond.
//!
//! `verify` has the checks and those of exact input, `floating` those of a path in double precision, `class` those of its
//! point. `ring` and `table` evaluate, `enclosure` bounds norms and the smallest value of the loss.

mod class;
mod enclosure;
mod floating;
mod ring;
mod table;
mod verify;

pub use verify::{Check, Verification};

use crate::critical::{CriticalClass, ExactData};
use crate::diagnosis::{Diagnosis, Point};
use crate::error::{InputError, Result};
use crate::escape::{Escape, EscapeKind, EscapePath};
use crate::hessian::NormalizedNetwork;
use crate::linalg::Matrix;
use crate::linalg::exact::Rational;
use crate::multiplication::{ExactFactors, Factors};
use crate::tolerance::Tolerances;

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
    /// The ranks that the class rests on, by name.
    pub rests_on: Vec<(String, usize)>,
    /// When the gradient counts as zero; `None` over the rationals, where it must be zero.
    pub criticality: Option<Criticality>,
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
}

/// A statement that can be checked.
#[derive(Debug, Clone)]
pub enum Certificate {
    /// Every number is rational and every claim is about these numbers.
    Exact(Box<Statement<ExactFactors, ExactData, Rational>>),
    /// Numbers in double precision.
    Floating(Box<Statement<Factors, ReducedData, f64>>),
}

impl Certificate {
    /// The certificate of a diagnosis: of the class and, where there is one, of the path that leaves.
    ///
    /// # Errors
    /// If the way out is a step of the output bias, which is not a path of factors.
    pub fn new(point: &Point, found: &Diagnosis) -> Result<Self> {
        if found.escape.as_ref().is_some_and(|escape| escape.kind == EscapeKind::OutputBias) {
            return Err(InputError::new("a step of the output bias is not certified")
                .hint("move the output bias to its best value first: --leave FILE does"));
        }
        Ok(Self::of(point, found, found.escape.as_ref(), Sense::Descent))
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

    /// The certificate of a point and a path out of it; the class is that of the diagnosis.
    pub fn of(point: &Point, found: &Diagnosis, escape: Option<&Escape>, sense: Sense) -> Self {
        let class = found.class;
        let supports = found.evidence.rests_on.iter();
        let rests_on = supports.map(|support| (support.quantity.clone(), support.decision.rank)).collect();
        let exact = escape.and_then(|escape| escape.exact.as_ref());
        if let (Some((factors, data)), true) = (point.exact(), exact.is_some() || escape.is_none()) {
            let path = exact.map(|found| PathClaim {
                path: found.path.clone(),
                sense,
                order: found.order,
                coefficient: found.change[found.order - 1].clone(),
                t: found.t.clone(),
                decrease: found.decrease.clone(),
            });
            let (point, data) = (factors.clone(), data.clone());
            return Self::Exact(Box::new(Statement { point, data, class, rests_on, criticality: None, path }));
        }
        let whitening = &point.whitening;
        let data = ReducedData { inputs: whitening.inputs(), target: whitening.target.clone(), floor: whitening.floor };
        let path = escape.map(|found| PathClaim {
            path: found.path.clone(),
            sense,
            order: found.order,
            coefficient: found.coefficient,
            t: found.t,
            decrease: found.decrease,
        });
        let criticality = Some(criticality(point, found));
        Self::Floating(Box::new(Statement { point: point.factors.clone(), data, class, rests_on, criticality, path }))
    }
}

/// The threshold of the diagnosis. With an output bias the terms of the gradient are larger than those of the centred
/// problem, and a point that is critical beside them is so there at a larger threshold.
fn criticality(point: &Point, found: &Diagnosis) -> Criticality {
    let mut threshold = found.gradient_threshold;
    if found.critical && point.has_biases() {
        let network = NormalizedNetwork::new(&point.factors, &point.whitening);
        threshold = threshold.max(network.relative_gradient(found.unit_roundoff, &Tolerances::default()));
    }
    Criticality { unit_roundoff: found.unit_roundoff, threshold }
}
