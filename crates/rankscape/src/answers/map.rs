//! The product map at a point, without data.

use super::Answer;
use crate::evidence::{Evidence, Quantity};
use crate::linalg::Matrix;
use crate::linalg::exact::{Rational, RationalMatrix};
use crate::multiplication::{
    Barcode, ComponentLabel, Differential, Fiber, LearningCoefficient, LiftProperties, LocalLearning, MapPoint,
    Openness, QuadraticWitness, balance_defect, first_order_witness, second_order_witness, unreachable_direction,
};

/// Witnesses have the shape of the product; they are found up to this many entries.
const MOST_WITNESS_ENTRIES: usize = 2500;

/// Over the rationals they are found up to this many entries, whose digits grow with the widths; beyond, in double precision.
const MOST_EXACT_WITNESS_ENTRIES: usize = 400;

/// What the product map is at a point.
#[derive(Debug, Clone)]
pub struct MapAnswer {
    /// The barcode; `None` where the rank decisions contradict one another.
    pub barcode: Option<Barcode>,
    /// Its differential.
    pub differential: Differential,
    /// All factorizations of the product, and the component of this one; `None` where the ranks are not clear.
    pub fiber: Option<(Fiber, ComponentLabel)>,
    /// Local openness.
    pub openness: Openness,
    /// What the map guarantees about losses composed with it.
    pub lift: LiftProperties,
    /// Matrices that show why a verdict is no.
    pub witnesses: Witnesses,
    /// `max_k ||W_{k+1}' W_{k+1} - W_k W_k'||_F`, relative.
    pub balance_defect: f64,
    /// Learning coefficient of the fiber; `None` where the rank of the product is not clear.
    pub global_learning: Option<LearningCoefficient>,
    /// Learning coefficient at the point.
    pub local_learning: LocalLearning,
    /// Every rank that a verdict rests on.
    pub evidence: Evidence,
}

/// A witness of local openness, and of the lift of points critical to first and to second order; `None` where the verdict is
/// not no, or the product is too large.
#[derive(Debug, Clone)]
pub enum Witnesses {
    /// Over the rationals.
    Exact(Witness<RationalMatrix, Rational>),
    /// In double precision.
    Double(Witness<Matrix, f64>),
}

/// Matrices that show why a verdict is no, for anyone to check again.
#[derive(Debug, Clone)]
pub struct Witness<M, N> {
    /// A direction in which no products of nearby factors lie.
    pub unreachable: Option<M>,
    /// A loss that is not critical at the product, while its composition is.
    pub first_order: Option<QuadraticWitness<M, N>>,
    /// The same to second order.
    pub second_order: Option<QuadraticWitness<M, N>>,
}

/// The product map at a point.
pub fn map(point: &MapPoint) -> MapAnswer {
    let profile = point.profile();
    let clear = profile.decision(0, profile.depth()).clear;
    MapAnswer {
        barcode: Barcode::new(profile),
        differential: Differential::new(profile),
        fiber: point.label().map(|label| (Fiber::new(profile), label)),
        openness: Openness::new(profile),
        lift: LiftProperties::new(profile),
        witnesses: witnesses(point),
        balance_defect: balance_defect(point.factors()),
        global_learning: LearningCoefficient::new(profile.widths(), profile.product_rank()).filter(|_| clear),
        local_learning: LocalLearning::new(profile),
        evidence: evidence(point),
    }
}

fn witnesses(point: &MapPoint) -> Witnesses {
    let (factors, profile) = (point.factors(), point.profile());
    let entries = factors.architecture().inputs() * factors.architecture().outputs();
    if let Some(exact) = point.rational().filter(|_| entries <= MOST_EXACT_WITNESS_ENTRIES) {
        return Witnesses::Exact(Witness {
            unreachable: unreachable_direction(exact, profile),
            first_order: first_order_witness(exact, profile),
            second_order: second_order_witness(exact, profile),
        });
    }
    let small = entries <= MOST_WITNESS_ENTRIES;
    Witnesses::Double(Witness {
        unreachable: small.then(|| unreachable_direction(factors, profile)).flatten(),
        first_order: small.then(|| first_order_witness(factors, profile)).flatten(),
        second_order: small.then(|| second_order_witness(factors, profile)).flatten(),
    })
}

/// Every rank that a verdict on the product map rests on.
pub(super) fn evidence(point: &MapPoint) -> Evidence {
    let mut evidence = Evidence::new(point.grade());
    for ((i, j), decision) in point.profile().decisions() {
        evidence.rest_on(Quantity::Product { i, j }, *decision);
    }
    evidence
}

impl Answer for MapAnswer {
    fn is_undecided(&self) -> bool {
        self.barcode.is_none() || !self.evidence.is_clear()
    }
}
