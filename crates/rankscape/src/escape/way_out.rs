//! Which way out of the point of a problem, and in which arithmetic.

use super::directions::{leave, leave_non_strict_saddle, leave_through_kernels};
use super::exact::ExactPoint;
use super::judgement::Judgement;
use super::path::{EscapePath, LossOnPath};
use super::{Escape, EscapeKind};
use crate::critical::{Analysis, CriticalClass, Near};
use crate::hessian::{Extremes, HessianOperator, extremes};
use crate::linalg::{Inertia, vector_norm};
use crate::multiplication::Factors;
use crate::network::NormalizedNetwork;
use crate::problem::{OutputBias, Problem};
use crate::tolerance::UNIT_ROUNDOFF;

/// The path that leaves the point of a problem, over the rationals for exact input; `None` where nothing is lower or the class
/// is undecided. `ends` are those of the Hessian, `near` the critical points next to a point that is not critical.
pub fn way_out(
    problem: &Problem,
    analysis: &Analysis<'_>,
    ends: &Extremes,
    near: Option<&Near>,
    seed: u64,
) -> Option<Escape> {
    let search = Search { problem, class: analysis.class(), inertia: analysis.inertia(), ends, near, seed };
    let found = search.path()?;
    let lowest_order = match search.class {
        CriticalClass::NotCritical => Some(1),
        CriticalClass::StrictSaddle => Some(2),
        _ => found.lowest_order,
    };
    Some(Escape { lowest_order, ..found })
}

/// What the loss falls by in addition when a path of weights is followed, as the output bias goes to its best value:
/// `n/2 ||b_h - b*||^2`; 0 where the path is that of the bias itself.
pub fn bias_decrease(problem: &Problem, escape: &Escape) -> f64 {
    let bias = problem.output_bias().filter(|_| escape.kind != EscapeKind::OutputBias);
    bias.and_then(|bias| bias_step(bias, problem.factors())).map_or(0.0, |step| step.decrease)
}

struct Search<'a> {
    problem: &'a Problem,
    class: CriticalClass,
    inertia: Option<Inertia>,
    ends: &'a Extremes,
    near: Option<&'a Near>,
    seed: u64,
}

impl Search<'_> {
    fn path(&self) -> Option<Escape> {
        match (self.problem.exact().map(ExactPoint::new), self.class) {
            (Some(exact), CriticalClass::NonStrictSaddle) => exact.of_least_order(),
            (Some(exact), class) => {
                let found = self.numerical();
                let downhill = || if class == CriticalClass::NotCritical { exact.downhill() } else { None };
                found.as_ref().and_then(|escape| exact.rounded(escape)).or_else(downhill).or(found)
            }
            (None, class) => {
                let escape = self.numerical()?;
                (class == CriticalClass::NotCritical || self.is_realised(&escape)).then_some(escape)
            }
        }
    }

    fn numerical(&self) -> Option<Escape> {
        let problem = self.problem;
        let (factors, whitening, network) = (problem.factors(), problem.whitening(), problem.network());
        let (tolerances, seed) = (problem.tolerances(), self.seed);
        let judgement = Judgement::of(problem, seed);
        let curvature_at = |theta: &Factors, inertia| {
            let there = NormalizedNetwork::new(theta, whitening);
            extremes(&there.hessian(), inertia, tolerances, seed).smallest.vector
        };
        match self.class {
            CriticalClass::StrictSaddle => {
                let leave = |vector: &[f64]| leave(factors, network, whitening, true, Some(vector), tolerances);
                let kernels = || leave_through_kernels(network, whitening, judgement);
                if self.is_unbalanced() {
                    return leave(&self.balanced_curvature()).or_else(kernels);
                }
                let vector = if problem.is_plain() {
                    self.ends.smallest.vector.clone()
                } else {
                    curvature_at(factors, self.inertia)
                };
                leave(&vector).or_else(kernels)
            }
            CriticalClass::NonStrictSaddle => leave_non_strict_saddle(network, whitening, judgement),
            CriticalClass::NotCritical => {
                let strict = self.near.filter(|near| near.found.nearest.class == CriticalClass::StrictSaddle);
                let curvature = strict.map(|near| {
                    near.strict_curvature.clone().unwrap_or_else(|| curvature_at(&near.found.nearest.factors, None))
                });
                let path = leave(factors, network, whitening, false, curvature.as_deref(), tolerances);
                let bias = problem.output_bias().and_then(|bias| bias_step(bias, factors));
                path.into_iter().chain(bias).max_by(|a, b| a.decrease.total_cmp(&b.decrease))
            }
            _ => None,
        }
    }

    /// The weights at the end of the path, rounded to double precision, have the decrease that the path claims: a step may be
    /// lost beside a much larger weight. The decrease is that along the straight step which is left after rounding, so that it
    /// is known where it is much smaller than the loss.
    fn is_realised(&self, escape: &Escape) -> bool {
        let factors = self.problem.factors();
        let rounded = escape.path.at(factors, escape.t).moved(-1.0, factors);
        let decrease = -LossOnPath::new(self.problem.network(), &EscapePath::line(rounded)).change(1.0);
        (decrease - escape.decrease).abs() <= self.problem.tolerances().certificate_lower * escape.decrease
    }

    /// The sizes of the layers differ so much that half of the digits of the Hessian's smaller blocks are lost in the larger.
    fn is_unbalanced(&self) -> bool {
        let scales = self.problem.network().layer_scales();
        let (low, high) = scales.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), &s| (low.min(s), high.max(s)));
        high * UNIT_ROUNDOFF.sqrt() > low
    }

    /// An eigenvector of the most negative curvature in coordinates in which all layers have the same size, as a direction in
    /// the parameters as given: where sizes differ by many orders the eigenvalue there drowns in rounding errors.
    fn balanced_curvature(&self) -> Vec<f64> {
        let network = self.problem.network();
        let scales = network.layer_scales();
        let operator = HessianOperator::new(network.given(), vec![1.0; scales.len()]);
        let vector = extremes(&operator, self.inertia, self.problem.tolerances(), self.seed).smallest.vector;
        let sizes = self.problem.factors().matrices().iter().map(|w| w.nrows() * w.ncols());
        let factors = sizes.zip(scales).flat_map(|(size, &scale)| std::iter::repeat_n(scale, size));
        vector.iter().zip(factors).map(|(x, scale)| x * scale).collect()
    }
}

/// `b_h` moves towards `b*`: the loss falls by `n/2 ||b_h - b*||^2`.
fn bias_step(bias: OutputBias<'_>, factors: &Factors) -> Option<Escape> {
    let distance = vector_norm(&bias.defect(factors));
    let direction = factors.moved(-1.0, factors);
    let loss = LossOnPath { coefficients: vec![0.0, -bias.count() * distance, 0.5 * bias.count()] };
    (distance > 0.0).then(|| Escape {
        order: 1,
        lowest_order: None,
        coefficient: loss.coefficients[1],
        t: distance,
        decrease: 0.5 * bias.count() * distance * distance,
        path: EscapePath::line(direction),
        loss,
        kind: EscapeKind::OutputBias,
        exact: None,
    })
}
