//! The smaller size as rank: every matrix is allowed, and the critical points solve a linear system.

use super::loss::{MetricKind, QuadraticLoss};
use crate::linalg::interval::{Interval, certified_inertia};

impl QuadraticLoss {
    /// The rank is the smaller size, so it bounds nothing.
    pub(super) fn is_full_rank(&self) -> bool {
        self.shape.r == self.shape.m
    }

    /// Proves that no critical point has full rank: the metric is definite, so the only one is the target, and the target
    /// has a lower rank over the rationals.
    pub(super) fn target_is_proved_deficient(&self) -> bool {
        self.target_as_minimum().is_some_and(|target| target.rank < self.shape.r) && self.is_proved_definite()
    }

    /// An interval inertia says so.
    pub(super) fn is_proved_definite(&self) -> bool {
        let entries = self.shape.entries();
        let mid = |x: &Interval| 0.5 * x.low + 0.5 * x.high;
        let radius = |x: &Interval| if x.low == x.high { 0.0 } else { (x.high - x.low).next_up() };
        let (mid, radius): (Vec<f64>, Vec<f64>) = self.form.iter().map(|x| (mid(x), radius(x))).unzip();
        certified_inertia(&mid, &radius, entries).is_some_and(|found| found.positive == entries)
    }

    /// The kind, where singular or not is proved: by an interval inertia, or over the rationals.
    pub(super) fn proved_kind(&self) -> MetricKind {
        if self.is_proved_definite() {
            return self.kind;
        }
        match self.instance().kernel_dimension() {
            0 => self.kind,
            kernel => MetricKind::Singular { kernel },
        }
    }

    /// Why the count of critical points of full rank is not proved.
    pub(super) fn full_rank_reason(&self) -> String {
        match self.kind {
            MetricKind::Singular { kernel } => affine_space(kernel),
            _ => "the one critical point, that of linear least squares, is not proved to have full rank".to_owned(),
        }
    }
}

/// What linear least squares leaves undefined when the metric has a kernel.
pub(super) fn affine_space(kernel: usize) -> String {
    format!(
        "linear least squares with a singular metric: the critical points are the minimizers, an affine space of dimension \
         {kernel}, none of them isolated, so the count is undefined"
    )
}
