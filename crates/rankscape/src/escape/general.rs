//! Ways out for any loss: the paths of the square loss whose gradient in matrix space is the same.
//!
//! At a point whose product `W` has rank below the bottleneck and whose gradient `G` in matrix space is not zero, a path through
//! the kernels of the layers keeps the product up to `W + t^k W_k + ...` with `<G, W_k> < 0`. The loss is differentiable at `W`, so it
//! changes by `t^k <G, W_k> + o(t^k)` whatever the loss is: nothing but `G` enters. `docs/losses.md` has the proof.

use super::construction::Construction;
use super::constructions::construct;
use super::descent::EscapeKind;
use super::judgement::Judgement;
use super::path::best_step;
use super::straight::StraightEscape;
use crate::linalg::Matrix;
use crate::loss::SharedLoss;
use crate::network::Network;
use crate::problem::{Data, LossProblem, Problem};

/// A path along which any loss falls.
#[derive(Debug, Clone)]
pub struct LossEscape {
    /// Lowest `k` at which the loss changes by `t^k`.
    pub order: usize,
    /// That of the lowest of all paths: 1 and 2 are; `None` above.
    pub lowest_order: Option<usize>,
    /// The coefficient of `t^order`; negative.
    pub coefficient: f64,
    /// Where on the path the decrease is measured.
    pub t: f64,
    /// `L(theta) - L(theta(t)) > 0`.
    pub decrease: f64,
    /// `(k, A_k)`, one matrix a block of parameters.
    pub terms: Vec<(usize, Vec<Matrix>)>,
    /// What the path is.
    pub kind: EscapeKind,
}

impl LossEscape {
    /// Along minus the gradient.
    pub fn downhill(problem: &LossProblem) -> Option<Self> {
        StraightEscape::downhill(problem.network()).map(|found| Self::straight(found, EscapeKind::Gradient))
    }

    /// Along a direction of negative curvature.
    pub fn along(problem: &LossProblem, direction: &[Matrix]) -> Option<Self> {
        let found = StraightEscape::along(problem.network(), direction)?;
        Some(Self { order: 2, lowest_order: Some(2), ..Self::straight(found, EscapeKind::NegativeCurvature) })
    }

    fn straight(found: StraightEscape, kind: EscapeKind) -> Self {
        Self {
            order: found.order,
            lowest_order: Some(found.order),
            coefficient: found.coefficient,
            t: found.t,
            decrease: found.decrease,
            terms: vec![(1, found.direction)],
            kind,
        }
    }

    /// The parameters at the end of the path, one matrix a block.
    pub fn end(&self, problem: &LossProblem) -> Vec<Matrix> {
        moved(problem.network(), &self.terms, self.t).parameter_blocks()
    }

    /// Through the kernels of the layers, at a point of rank below the bottleneck with a gradient in matrix space.
    pub fn through_kernels(problem: &LossProblem, seed: u64) -> Option<Self> {
        let network = problem.network();
        let product = problem.factors().product();
        let slopes = network.loss_gradient();
        let gradient = match problem.inputs() {
            Some(inputs) => slopes.times_transpose(&inputs),
            None => slopes.clone(),
        };
        // A gradient as large as the product, so that neither drowns in the target that both make.
        let (size, slope) = (product.frobenius_norm(), gradient.frobenius_norm());
        let scale = if size > 0.0 { size / slope } else { 1.0 / slope };
        if !(scale > 0.0 && scale.is_finite()) {
            return None;
        }
        let target = &product - &gradient.scaled(scale);
        let tolerances = problem.tolerances();
        let like =
            Problem::with_tolerances(problem.factors().matrices().to_vec(), Data::target(target), tolerances).ok()?;
        let judgement = Judgement { unit_roundoff: problem.unit_roundoff(), tolerances, seed };
        let found = construct(Construction::Kernels, like.network(), like.whitening(), judgement).ok()?;
        let biases = network.blocks().split_off(problem.factors().depth());
        let blocks = |matrices: &[Matrix]| -> Vec<Matrix> {
            matrices.iter().cloned().chain(biases.iter().map(|&(rows, columns)| Matrix::zeros(rows, columns))).collect()
        };
        let terms: Vec<(usize, Vec<Matrix>)> =
            found.path.terms.iter().map(|(power, step)| (*power, blocks(step.matrices()))).collect();
        let start = network.value();
        let change = |t: f64| moved(network, &terms, t).value() - start;
        let t = best_step(change, found.t, f64::INFINITY);
        let decrease = -change(t);
        let (order, coefficient) = (found.prediction.order, found.prediction.coefficient / scale);
        let falls = coefficient < 0.0 && decrease > 16.0 * f64::EPSILON * start.abs();
        falls.then_some(Self { order, lowest_order: None, coefficient, t, decrease, terms, kind: EscapeKind::Kernels })
    }
}

/// The network at `t` on a path.
fn moved(network: &Network<SharedLoss>, terms: &[(usize, Vec<Matrix>)], t: f64) -> Network<SharedLoss> {
    let mut sum: Vec<Matrix> = network.blocks().iter().map(|&(rows, columns)| Matrix::zeros(rows, columns)).collect();
    for (power, step) in terms {
        sum.iter_mut().zip(step).for_each(|(sum, step)| sum.add_scaled(t.powi(*power as i32), step));
    }
    network.moved(1.0, &sum)
}
