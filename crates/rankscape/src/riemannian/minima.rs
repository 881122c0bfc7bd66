//! Local minima on matrices of bounded rank, by descents from many starts.

use std::sync::Arc;

use super::certified::AllCriticalPoints;
use super::convex::{ConvexBound, convex_bound};
use super::known::{KnownInfimum, known_infimum};
use super::search::{AtInfinity, Found, LocalMinimum, Search};
use super::space::FunctionSpace;
use crate::error::{InputError, Result};
use crate::evidence::Grade;
use crate::linalg::Matrix;
use crate::loss::{Infimum, Loss, LossKind};
use crate::problem::{LossData, eckart_young};
use crate::tolerance::Tolerances;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinimaRequest {
    /// `r`.
    pub rank: usize,
    /// Number of starts.
    pub starts: usize,
    /// Outputs are `W X + c 1'` with any `c`.
    pub offset: bool,
}

impl MinimaRequest {
    /// Refuses a rank that the matrices cannot have, and an offset without samples.
    ///
    /// # Errors
    /// If they are asked for.
    pub(crate) fn check(&self, data: &LossData) -> Result<()> {
        let (outputs, inputs) = (data.outputs(), data.input_count());
        if self.rank == 0 || self.rank > outputs.min(inputs) {
            return Err(InputError::new("the rank is not one of matrices of this shape")
                .array("rank")
                .value(format!("{}, the matrices are {outputs} x {inputs}", self.rank))
                .hint(format!("give a rank from 1 to {}", outputs.min(inputs))));
        }
        if self.offset && data.is_target() {
            return Err(InputError::new("an offset needs samples, but the data are a target matrix"));
        }
        Ok(())
    }
}

/// Local minima that are not global.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadMinima {
    /// There are none.
    Impossible,
    /// Nothing excludes them, and none was found.
    Possible,
    /// One was found.
    Exists,
}

impl BadMinima {
    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Impossible => "impossible",
            Self::Possible => "possible",
            Self::Exists => "exists",
        }
    }
}

/// The verdict on local minima that are not global.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLocalMinima {
    /// The verdict.
    pub verdict: BadMinima,
    /// Why.
    pub reason: &'static str,
    /// The place of a bad one among the minima.
    pub witness: Option<usize>,
}

/// What was found on matrices of bounded rank.
#[derive(Debug, Clone)]
pub struct Minima {
    /// What was asked for.
    pub request: MinimaRequest,
    /// The rank is no bound on what the loss can see.
    pub effective_filling: bool,
    /// Distinct local minima, lowest first.
    pub minima: Vec<LocalMinimum>,
    /// The infimum over all matrices.
    pub bound: ConvexBound,
    /// The smallest value on matrices of bounded rank, where it is known.
    pub global_minimum: Option<(f64, Grade)>,
    /// The infimum on matrices of bounded rank and whether it is attained, where known.
    pub infimum: Option<f64>,
    /// See `infimum`.
    pub infimum_attained: Option<bool>,
    /// Descents that left for infinity, by the value that they approach.
    pub at_infinity: Vec<AtInfinity>,
    /// Descents that did not end within their steps.
    pub unfinished: usize,
    /// The verdict on local minima that are not global.
    pub bad_local_minima: BadLocalMinima,
    /// The loss of the zero matrix.
    pub value_at_zero: f64,
}

/// Local minima by descents from `request.starts` starts: the best approximation of the minimiser over all matrices, then normal
/// factors of several sizes.
///
/// # Errors
/// If the rank is zero or more than the smaller side, or the loss does not depend on the matrix.
pub fn minima(
    data: &Arc<LossData>,
    request: &MinimaRequest,
    tolerances: &Tolerances,
    seed: u64,
    threads: usize,
) -> Result<Minima> {
    request.check(data)?;
    let shape = (data.outputs(), data.samples());
    let space = FunctionSpace::new(data.loss(), data.inputs(), shape, request.offset, tolerances);
    let nothing = |space: &FunctionSpace| {
        let zero = space.outputs_of(&Matrix::zeros(space.shape().0, space.shape().1), None);
        space.loss().quadratic_form().is_some() && space.loss().smoothness(&zero) == 0.0
    };
    if space.shape().0 == 0 || space.shape().1 == 0 || nothing(&space) {
        return Err(InputError::new(
            "the loss does not depend on the matrix: all inputs, all weights or the whole metric are zero",
        )
        .array(match data.kind() {
            LossKind::FullQuadratic { .. } => "metric_rowmajor_vec",
            _ if data.is_target() => "weights",
            _ => "X",
        }));
    }
    let value_at_zero = space.value_at_zero();
    if !value_at_zero.is_finite() {
        return Err(InputError::new("the loss is too large for double precision")
            .value(value_at_zero)
            .hint("scale X and Y"));
    }
    let bound = convex_bound(&space);
    let search = Search { space: &space, inputs: data.inputs(), rank: request.rank, bound: &bound, tolerances, seed };
    let ends = search.ends(request.starts, threads);
    let mut found = search.distinct(ends);
    let all = AllCriticalPoints::new(data, request.rank, tolerances, seed);
    if let Some(all) = &all {
        search.certify(&mut found.minima, all);
    }
    let known = infimum(data, &space, request.rank, &bound, &found, all.as_ref());
    let bad_local_minima = verdict(data, &space, request, &found, all.as_ref(), tolerances);
    Ok(Minima {
        request: *request,
        effective_filling: space.is_filling(request.rank),
        value_at_zero,
        minima: found.minima,
        global_minimum: known.minimum(),
        infimum: known.value.map(|(value, _)| value),
        infimum_attained: known.attained,
        bound,
        at_infinity: found.at_infinity,
        unfinished: found.unfinished,
        bad_local_minima,
    })
}

/// What is known of the infimum: the least of a complete list, what theorems say, a lower bound that a minimum reaches, or samples that
/// a matrix of this rank separates.
fn infimum(
    data: &LossData,
    space: &FunctionSpace,
    rank: usize,
    bound: &ConvexBound,
    found: &Found,
    all: Option<&AllCriticalPoints>,
) -> KnownInfimum {
    if let Some((all, lowest)) = all.and_then(|all| Some((all, all.lowest()?))) {
        return KnownInfimum::attained(lowest, if all.exact { Grade::Certified } else { Grade::Numerical });
    }
    let known = known_infimum(space, (data.loss(), data.inputs()), rank, bound);
    if known.attained.is_some() {
        return known;
    }
    if let (true, Infimum::AtLeast(value)) = (found.separated > 0, space.loss().infimum()) {
        return KnownInfimum { value: Some((value, Grade::Numerical)), attained: Some(false) };
    }
    match found.minima.first().filter(|minimum| bound.is_reached_by(minimum.value, space)) {
        Some(lowest) => KnownInfimum::attained(lowest.value, Grade::Numerical),
        None => KnownInfimum::default(),
    }
}

/// A convex loss has none where the rank is no bound, nor has a product metric on bounded rank, nor a loss whose list of critical
/// points is complete with minima of one value.
fn verdict(
    data: &LossData,
    space: &FunctionSpace,
    request: &MinimaRequest,
    found: &Found,
    all: Option<&AllCriticalPoints>,
    tolerances: &Tolerances,
) -> BadLocalMinima {
    let convex = data.loss().convexity().is_convex();
    let none = |reason| BadLocalMinima { verdict: BadMinima::Impossible, reason, witness: None };
    if convex && space.is_filling(request.rank) {
        let plain = request.rank == data.outputs().min(data.input_count());
        return none(if plain {
            "the loss is convex and every matrix is a product"
        } else {
            "the loss is convex and every matrix that it can tell apart is a product"
        });
    }
    if eckart_young(data.loss(), data.inputs(), request.rank, request.offset).is_some() {
        return none("the loss is a metric on rows times one on columns: Eckart and Young");
    }
    let lowest = found.minima.first().map_or(f64::INFINITY, |minimum| minimum.value);
    let lowest = found.at_infinity.first().map_or(lowest, |away| lowest.min(away.value));
    let rounding = NO_DIFFERENCE * space.value_at_zero();
    let differ = |a: f64, b: f64| a - b > tolerances.same_value * a.abs().max(b.abs()) + rounding;
    let witness = found.minima.iter().position(|minimum| minimum.isolated && differ(minimum.value, lowest));
    let one_value = all.is_some_and(|all| {
        let values: Vec<f64> = all.minima().map(|(value, _)| value).collect();
        values.first().zip(values.last()).is_some_and(|(first, last)| !differ(*last, *first))
    });
    match witness {
        Some(_) => BadLocalMinima {
            verdict: BadMinima::Exists,
            reason: "a local minimum was found above another point",
            witness,
        },
        None if one_value => none("all critical points are known, and the local minima have one value"),
        None => BadLocalMinima {
            verdict: BadMinima::Possible,
            reason: "the rank is a bound, and no start ended in one",
            witness: None,
        },
    }
}

/// Values that differ by no more than this part of the loss of the zero matrix are the same.
const NO_DIFFERENCE: f64 = 1e-12;
