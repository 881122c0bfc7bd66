//! Which way out of the point, and in which arithmetic.

use super::biases::OutputBias;
use super::{Context, Near, Point, Settings};
use crate::critical::CriticalClass;
use crate::escape::{
    Escape, EscapeKind, EscapePath, ExactPoint, Judgement, LossOnPath, leave, leave_non_strict_saddle,
    leave_through_kernels,
};
use crate::hessian::{Extremes, HessianOperator, NormalizedNetwork, extremes};
use crate::linalg::{Inertia, vector_norm};
use crate::multiplication::Factors;
use crate::tolerance::UNIT_ROUNDOFF;

impl Context<'_> {
    /// The path that leaves; over the rationals for exact input.
    pub(super) fn escape(
        &self,
        class: CriticalClass,
        inertia: Option<Inertia>,
        found: &Extremes,
        near: Option<&Near>,
    ) -> Option<Escape> {
        let found = self.path_out(class, inertia, found, near)?;
        let lowest_order = match class {
            CriticalClass::NotCritical => Some(1),
            CriticalClass::StrictSaddle => Some(2),
            _ => found.lowest_order,
        };
        Some(Escape { lowest_order, ..found })
    }

    fn path_out(
        &self,
        class: CriticalClass,
        inertia: Option<Inertia>,
        found: &Extremes,
        near: Option<&Near>,
    ) -> Option<Escape> {
        let exact = self.exact.zip(self.point.exact());
        let exact = exact.map(|(network, (factors, data))| ExactPoint::new(factors, data, network));
        match (exact, class) {
            (Some(exact), CriticalClass::NonStrictSaddle) => exact.of_least_order(),
            (Some(exact), _) => {
                let found = self.numerical_escape(class, inertia, found, near);
                let downhill = || if class == CriticalClass::NotCritical { exact.downhill() } else { None };
                found.as_ref().and_then(|escape| exact.rounded(escape)).or_else(downhill).or(found)
            }
            (None, _) => {
                let escape = self.numerical_escape(class, inertia, found, near)?;
                (class == CriticalClass::NotCritical || self.is_realised(&escape)).then_some(escape)
            }
        }
    }

    fn numerical_escape(
        &self,
        class: CriticalClass,
        inertia: Option<Inertia>,
        found: &Extremes,
        near: Option<&Near>,
    ) -> Option<Escape> {
        let Settings { unit_roundoff, tolerances, seed, .. } = self.settings;
        let Point { factors, whitening, output_bias, output_factor, .. } = self.point;
        let judgement = Judgement { unit_roundoff, tolerances, seed };
        let as_given = output_bias.is_none() && output_factor.is_none();
        let curvature_at = |theta: &Factors, inertia| {
            let there = NormalizedNetwork::new(theta, whitening);
            extremes(&there.hessian(), inertia, tolerances, seed).smallest.vector
        };
        match (class, as_given) {
            (CriticalClass::StrictSaddle, given) => {
                let leave = |vector: &[f64]| leave(factors, self.network, whitening, true, Some(vector), tolerances);
                let kernels = || leave_through_kernels(self.network, whitening, judgement);
                if self.is_unbalanced() {
                    return leave(&self.balanced_curvature(inertia)).or_else(kernels);
                }
                let vector = if given { found.smallest.vector.clone() } else { curvature_at(factors, inertia) };
                leave(&vector).or_else(kernels)
            }
            (CriticalClass::NonStrictSaddle, _) => leave_non_strict_saddle(self.network, whitening, judgement),
            (CriticalClass::NotCritical, _) => {
                let strict = near.filter(|near| near.found.nearest.class == CriticalClass::StrictSaddle);
                let curvature = strict.map(|near| {
                    near.strict_curvature.clone().unwrap_or_else(|| curvature_at(&near.found.nearest.factors, None))
                });
                let path = leave(factors, self.network, whitening, false, curvature.as_deref(), tolerances);
                let bias = output_bias.as_ref().and_then(|bias| bias_step(bias, factors));
                path.into_iter().chain(bias).max_by(|a, b| a.decrease.total_cmp(&b.decrease))
            }
            _ => None,
        }
    }

    /// The weights at the end of the path, rounded to double precision, have the decrease that the path claims: a step may be
    /// lost beside a much larger weight. The decrease is that along the straight step which is left after rounding, so that it
    /// is known where it is much smaller than the loss.
    fn is_realised(&self, escape: &Escape) -> bool {
        let factors = &self.point.factors;
        let rounded = escape.path.at(factors, escape.t).moved(-1.0, factors);
        let decrease = -LossOnPath::new(self.network, &EscapePath::line(rounded)).change(1.0);
        (decrease - escape.decrease).abs() <= self.settings.tolerances.certificate_lower * escape.decrease
    }

    pub(super) fn bias_decrease(&self, escape: &Escape) -> f64 {
        let bias = self.point.output_bias.as_ref().filter(|_| escape.kind != EscapeKind::OutputBias);
        let step = bias.and_then(|bias| bias_step(bias, &self.point.factors));
        step.map_or(0.0, |step| step.decrease)
    }

    /// The sizes of the layers differ so much that half of the digits of the Hessian's smaller blocks are lost in the larger.
    fn is_unbalanced(&self) -> bool {
        let scales = self.network.layer_scales();
        let (low, high) = scales.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), &s| (low.min(s), high.max(s)));
        high * UNIT_ROUNDOFF.sqrt() > low
    }

    /// An eigenvector of the most negative curvature in coordinates in which all layers have the same size, as a direction in
    /// the parameters as given: where sizes differ by many orders the eigenvalue there drowns in rounding errors.
    fn balanced_curvature(&self, inertia: Option<Inertia>) -> Vec<f64> {
        let Settings { tolerances, seed, .. } = self.settings;
        let scales = self.network.layer_scales();
        let operator = HessianOperator::new(self.network.given(), vec![1.0; scales.len()]);
        let vector = extremes(&operator, inertia, tolerances, seed).smallest.vector;
        let sizes = self.point.factors.matrices().iter().map(|w| w.nrows() * w.ncols());
        let factors = sizes.zip(scales).flat_map(|(size, &scale)| std::iter::repeat_n(scale, size));
        vector.iter().zip(factors).map(|(x, scale)| x * scale).collect()
    }
}

/// `b_h` moves towards `b*`: the loss falls by `n/2 ||b_h - b*||^2`.
fn bias_step(bias: &OutputBias, factors: &Factors) -> Option<Escape> {
    let distance = vector_norm(&bias.defect(factors));
    let direction = factors.moved(-1.0, factors);
    let loss = LossOnPath { coefficients: vec![0.0, -bias.count * distance, 0.5 * bias.count] };
    (distance > 0.0).then(|| Escape {
        order: 1,
        lowest_order: None,
        coefficient: loss.coefficients[1],
        t: distance,
        decrease: 0.5 * bias.count * distance * distance,
        path: EscapePath::line(direction),
        loss,
        kind: EscapeKind::OutputBias,
        exact: None,
    })
}
