//! The least value on the matrices of rank at most `r`.
//!
//! At a minimum `W` of rank below `r` every rank-one direction is allowed, so the gradient vanishes: `W` minimizes the loss over all
//! matrices. If the metric is definite and the list of critical points is complete, there is no such `W` but the target itself:
//! a target nearby would have a minimum of rank `r` near `W`, one critical point more than there can be.

use super::descent::Descent;
use super::instance::TargetSpace;
use super::loss::QuadraticLoss;
use super::outcome::{Minimum, RealPoint};
use crate::evidence::Grade;
use crate::linalg::Matrix;
use crate::linalg::exact::RationalMatrix;
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

impl QuadraticLoss {
    /// The target as the minimum, if it has rank at most `r` over the rationals.
    pub(super) fn target_as_minimum(&self) -> Option<Minimum> {
        let instance = self.instance();
        // `phi vec(Q) = 0` for `Q = 0`; other targets in the image are not taken back.
        if instance.convention == TargetSpace::Image && instance.target.iter().any(|&q| q != 0.0) {
            return None;
        }
        let target = Matrix::from_fn(instance.rows, instance.cols, |i, j| instance.target[i * instance.cols + j]);
        let rank = RationalMatrix::from_matrix(&target)?.rank();
        let minimum = Minimum { value: 0.0, rank, w: instance.target.clone(), attained: true, grade: Grade::Exact };
        (rank <= instance.rank).then_some(minimum)
    }

    /// The lowest certified point, unless a descent ended clearly below it.
    pub(super) fn minimum_of(
        &self,
        lowest: Option<&RealPoint>,
        descents: &[Descent],
        is_proved: bool,
        tolerances: &Tolerances,
    ) -> Option<Minimum> {
        let grade = if is_proved { Grade::Certified } else { Grade::Sampled };
        let certified = lowest.map(|point| Minimum {
            value: point.value,
            rank: self.shape().r,
            w: point.w.clone(),
            attained: true,
            grade,
        });
        let ends = descents.iter().map(|end| {
            let w = self.to_user(&end.matrix());
            Minimum {
                value: self.instance().value(&w),
                rank: end.rank(tolerances),
                w,
                attained: end.converged,
                grade: Grade::Sampled,
            }
        });
        let best = ends.filter(|end| end.value.is_finite()).min_by(|a, b| a.value.total_cmp(&b.value));
        let rounding =
            tolerances.metric_rank * UNIT_ROUNDOFF * self.instance().value(&vec![0.0; self.shape().entries()]);
        match (certified, best) {
            (Some(point), Some(end)) => {
                let slack = tolerances.same_solution * point.value + rounding;
                Some(if end.value < point.value - slack { end } else { point })
            }
            (point, end) => point.or(end),
        }
    }
}
