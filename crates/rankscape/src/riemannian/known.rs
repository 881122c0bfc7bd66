//! The infimum on matrices of bounded rank, where it is known.

use super::convex::ConvexBound;
use super::space::FunctionSpace;
use crate::evidence::Grade;
use crate::linalg::{Matrix, singular_values};
use crate::loss::SharedLoss;
use crate::problem::eckart_young;

/// A singular value of a minimiser up to this part of the largest counts as zero.
const NO_VALUE: f64 = 1e-9;

/// What is known of the infimum on matrices of bounded rank.
#[derive(Debug, Clone, Copy, Default)]
pub struct KnownInfimum {
    /// The infimum; `None` where it is not known.
    pub value: Option<(f64, Grade)>,
    /// It is the loss of a matrix; `None` where undecided.
    pub attained: Option<bool>,
}

impl KnownInfimum {
    /// The smallest value, where it is known and attained.
    pub fn minimum(self) -> Option<(f64, Grade)> {
        self.value.filter(|_| self.attained == Some(true))
    }

    pub(super) fn attained(value: f64, grade: Grade) -> Self {
        Self { value: Some((value, grade)), attained: Some(true) }
    }
}

/// A value is that of a lower bound when it exceeds it by no more than this part of itself,
const REACHED: f64 = 1e-9;
/// plus this part of the loss of the zero matrix.
const ROUNDING: f64 = 1e-14;

impl ConvexBound {
    /// A value that the loss takes is this bound, up to rounding errors.
    pub(super) fn is_reached_by(&self, value: f64, space: &FunctionSpace) -> bool {
        let rounding = REACHED * value.abs() + ROUNDING * space.value_at_zero();
        self.lower_bound.is_some_and(|(lower, _)| value - lower <= rounding)
    }

    /// The smallest value over all matrices, where it is attained: the bound itself where rounding errors are all that is between.
    fn least(&self, space: &FunctionSpace) -> KnownInfimum {
        let exact = self.lower_bound.filter(|(lower, _)| self.value - lower <= ROUNDING * space.value_at_zero());
        KnownInfimum::attained(exact.map_or(self.value, |(lower, _)| lower), Grade::Numerical)
    }
}

/// What theorems say of the infimum on matrices of rank at most `rank`: Eckart and Young for a metric on rows times one on columns;
/// the infimum over all matrices where the rank is no bound on what the loss can see, or a minimiser has that rank. `loss` and
/// `inputs` are those that `space` was made of.
pub fn known_infimum(
    space: &FunctionSpace,
    (loss, inputs): (&SharedLoss, Option<&Matrix>),
    rank: usize,
    bound: &ConvexBound,
) -> KnownInfimum {
    if let Some(value) = eckart_young(loss, inputs, rank, space.has_offset()) {
        return KnownInfimum::attained(value, Grade::Numerical);
    }
    match (bound.attained, &bound.minimiser) {
        (Some(true), Some((matrix, _))) => {
            let values = singular_values(matrix);
            let beyond = values.get(rank).copied().unwrap_or(0.0);
            let fits = beyond <= NO_VALUE * values.first().copied().unwrap_or(0.0);
            if fits { bound.least(space) } else { KnownInfimum::default() }
        }
        (Some(false), _) if space.is_filling(rank) => KnownInfimum { value: bound.lower_bound, attained: Some(false) },
        _ => KnownInfimum::default(),
    }
}
