//! Straight ways out for any loss: along a direction, by the values of the loss itself.

use super::path::best_step;
use crate::linalg::{Matrix, vector_norm};
use crate::loss::Loss;
use crate::network::Network;

/// A straight path `theta + t A` along which the loss falls.
#[derive(Debug, Clone, PartialEq)]
pub struct StraightEscape {
    /// `A`, one matrix a block of parameters, of norm 1.
    pub direction: Vec<Matrix>,
    /// 1 where the loss has a slope along it, else 2.
    pub order: usize,
    /// The coefficient of `t^order`: the slope, or half the curvature; negative.
    pub coefficient: f64,
    /// Where the decrease is measured.
    pub t: f64,
    /// `L(theta) - L(theta + t A) > 0`.
    pub decrease: f64,
}

impl StraightEscape {
    /// Along minus the gradient; `None` where the loss does not fall.
    pub fn downhill<L: Loss + Clone>(network: &Network<L>) -> Option<Self> {
        let opposite: Vec<Matrix> = network.gradient().iter().map(|block| block.scaled(-1.0)).collect();
        Self::along(network, &opposite)
    }

    /// Along `direction` or its opposite, whichever falls. Half the curvature is the coefficient where the slope is no more
    /// than rounding errors beside it; `None` where the loss does not fall.
    pub fn along<L: Loss + Clone>(network: &Network<L>, direction: &[Matrix]) -> Option<Self> {
        let norms: Vec<f64> = direction.iter().map(Matrix::frobenius_norm).collect();
        let size = vector_norm(&norms);
        if !(size > 0.0 && size.is_finite()) {
            return None;
        }
        let slope: f64 = network.gradient().iter().zip(direction).map(|(g, a)| g.dot(a)).sum::<f64>() / size;
        let sign = if slope > 0.0 { -1.0 } else { 1.0 };
        let direction: Vec<Matrix> = direction.iter().map(|block| block.scaled(sign / size)).collect();
        let image = network.hessian_times(&direction);
        let half = 0.5 * image.iter().zip(&direction).map(|(h, a)| h.dot(a)).sum::<f64>();
        let start = network.value();
        let change = |t: f64| network.moved(t, &direction).value() - start;
        let (order, coefficient) =
            if slope.abs() > f64::EPSILON.sqrt() * half.abs() { (1, -slope.abs()) } else { (2, half) };
        let t = best_step(change, 1.0, f64::INFINITY);
        let decrease = -change(t);
        (coefficient < 0.0 && decrease > 0.0).then_some(Self { direction, order, coefficient, t, decrease })
    }
}
