//! Making a certificate of a diagnosis.

use super::floating;
use super::statement::{
    Certificate, Criticality, PathClaim, ReducedData, Sense, StatedQuantity, StatedRank, Statement,
};
use crate::critical::classify;
use crate::diagnosis::Diagnosis;
use crate::error::{InputError, Result};
use crate::escape::{Escape, EscapeKind};
use crate::evidence::{Evidence, Grade, Quantity, RankDecision, Support};
use crate::problem::Problem;
use crate::tolerance::Tolerances;

impl Certificate {
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

/// The ranks that a certificate over the rationals states; those of other quantities are decided again without being stated.
fn over_the_rationals(evidence: &Evidence) -> Vec<StatedRank> {
    let own = |at: Quantity| matches!(at, Quantity::Inputs | Quantity::Output | Quantity::Given { .. });
    let ranks = evidence.rests_on.iter().filter(|support| own(support.quantity));
    ranks.map(|support| stated_rank(support, 0.0)).collect()
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
        evidence.rest_on(Quantity::Inputs, problem.whitening().rank);
    }
    problem.stored_rank_profile(found.critical).rest_as_given(&mut evidence);
    evidence
}

fn stated(evidence: &Evidence) -> Vec<StatedRank> {
    let relative =
        |decision: &RankDecision| if decision.scale > 0.0 { decision.tolerance / decision.scale } else { 0.0 };
    evidence.rests_on.iter().map(|support| stated_rank(support, relative(&support.decision))).collect()
}

fn stated_rank(support: &Support, tolerance: f64) -> StatedRank {
    StatedRank { quantity: StatedQuantity::Known(support.quantity), rank: support.decision.rank, tolerance }
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
