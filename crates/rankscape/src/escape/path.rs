//! Paths `theta(t) = theta + sum_k t^k A_k` and the loss along them.

use super::change::{Landscape, Steps};
use crate::linalg::Linear as _;
use crate::linalg::Matrix;
use crate::multiplication::Factors;
use crate::network::NormalizedNetwork;

/// The coefficients `A_k` of a path that starts at `theta`.
#[derive(Debug, Clone, PartialEq)]
pub struct EscapePath<F = Factors> {
    /// `(k, A_k)`, by ascending powers, each at least 1.
    pub terms: Vec<(usize, F)>,
}

impl<F> EscapePath<F> {
    /// `theta + t A`.
    pub fn line(direction: F) -> Self {
        Self { terms: vec![(1, direction)] }
    }
}

impl EscapePath {
    /// `theta(t)`.
    #[must_use]
    pub fn at(&self, theta: &Factors, t: f64) -> Factors {
        self.terms.iter().fold(theta.clone(), |at, (power, step)| at.moved(t.powi(*power as i32), step))
    }
}

/// Coefficients of `t -> L(theta(t))`.
#[derive(Debug, Clone, PartialEq)]
pub struct LossOnPath {
    /// Constant first, without the part of the loss that no product reaches.
    pub coefficients: Vec<f64>,
}

impl LossOnPath {
    /// Expands the loss along a path, given in the parameters as given.
    pub fn new(network: &NormalizedNetwork, path: &EscapePath) -> Self {
        let (given, white) = (network.given(), network.whitened());
        let steps: Steps<Matrix> = path
            .terms
            .iter()
            .map(|(power, step)| {
                let scaled =
                    step.matrices().iter().zip(network.layer_scales()).enumerate().map(|(k, (step, scale))| {
                        let step = step.scaled(1.0 / scale);
                        let inputs = given.inputs().filter(|_| k == 0);
                        let step = inputs.map_or(step.clone(), |inputs| step.times(inputs));
                        (step.max_abs() != 0.0).then_some(step)
                    });
                (*power, scaled.collect())
            })
            .collect();
        let landscape = Landscape { layers: white.layers(), gram: None, gradient: white.residual() };
        let mut coefficients = landscape.change(&steps);
        let z = network.target_scale();
        coefficients[0] = white.value();
        Self { coefficients: coefficients.into_iter().map(|c| c * z * z).collect() }
    }

    /// `L(theta(t)) - L(theta)`.
    pub fn change(&self, t: f64) -> f64 {
        self.coefficients[1..].iter().rev().fold(0.0, |sum, c| (sum + c) * t)
    }

    /// Where the first higher coefficient balances that of `order`: the scale of the path.
    pub fn natural_step(&self, order: usize) -> f64 {
        let first = self.coefficients[order].abs();
        let steps = self.coefficients.iter().enumerate().skip(order + 1).filter(|(_, c)| **c > 0.0);
        let step = steps.map(|(k, c)| (first / c).powf(1.0 / (k - order) as f64)).fold(f64::INFINITY, f64::min);
        if step.is_finite() && step > 0.0 { step } else { 1.0 }
    }

    /// The step `t > 0` of largest decrease, by a scan over powers of two and a golden-section search.
    pub fn best_step(&self, start: f64) -> f64 {
        best_step(|t| self.change(t), start)
    }
}

/// The same for any function `change` of the step.
pub(super) fn best_step(change: impl Fn(f64) -> f64, start: f64) -> f64 {
    let steps = (-60..=60).map(|k| start * 2.0_f64.powi(k));
    let best = steps.min_by(|a, b| finite(change(*a)).total_cmp(&finite(change(*b)))).unwrap_or(start);
    let (mut low, mut high) = (0.5 * best, 2.0 * best);
    let golden = 0.5 * (5.0_f64.sqrt() - 1.0);
    for _step in 0..60 {
        let (a, b) = (high - golden * (high - low), low + golden * (high - low));
        if change(a) < change(b) {
            high = b;
        } else {
            low = a;
        }
    }
    0.5 * (low + high)
}

fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::INFINITY }
}
