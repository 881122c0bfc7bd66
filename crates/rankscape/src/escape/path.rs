//! Paths `theta(t) = theta + sum_k t^k A_k` and the loss along them.

use super::change::{Landscape, Steps};
use crate::linalg::{Algebra as _, Linear as _, Matrix};
use crate::multiplication::Factors;
use crate::network::NormalizedNetwork;
use crate::tolerance::UNIT_ROUNDOFF;

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
        let (white, steps) = (network.whitened(), white_steps(network, path));
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
        best_step(|t| self.change(t), start, f64::INFINITY)
    }

    /// The same among the steps at which the terms of the polynomial do not cancel beyond its digits: there the network itself
    /// has that loss. `None` if there is no such step.
    ///
    /// `whole` is the polynomial with the rounding errors that `self` has as zeros.
    pub(super) fn confirmed_step(
        &self,
        whole: &Self,
        (network, path): (&NormalizedNetwork, &EscapePath),
        order: usize,
    ) -> Option<f64> {
        let (start, steps) = (self.natural_step(order), white_steps(network, path));
        let mut most = f64::INFINITY;
        for _shorter in 0..MOST_SHORTER {
            let t = best_step(|t| self.change(t), start, most);
            if agrees(network, &steps, t, whole.change(t)) {
                return Some(t);
            }
            most = 0.5 * t;
        }
        None
    }
}

/// Steps that are tried, each at most half the one before.
const MOST_SHORTER: usize = 120;

/// Relative difference of polynomial and network beyond which the polynomial is wrong.
const AGREEMENT: f64 = 1e-6;

/// The steps of a path in whitened coordinates.
fn white_steps(network: &NormalizedNetwork, path: &EscapePath) -> Steps<Matrix> {
    let given = network.given();
    path.terms
        .iter()
        .map(|(power, step)| {
            let scaled = step.matrices().iter().zip(network.layer_scales()).enumerate().map(|(k, (step, scale))| {
                let step = step.scaled(1.0 / scale);
                let inputs = given.inputs().filter(|_| k == 0);
                let step = inputs.map_or(step.clone(), |inputs| step.times(inputs));
                (step.max_abs() != 0.0).then_some(step)
            });
            (*power, scaled.collect())
        })
        .collect()
}

/// Is `change` that of the loss at `theta(t)`? With `D` the change of the product and `R` the residual it is
/// `<R, D> + 1/2 ||D||^2`, up to the rounding errors of the product.
fn agrees(network: &NormalizedNetwork, steps: &Steps<Matrix>, t: f64, change: f64) -> bool {
    let white = network.whitened();
    let moved = |k: usize| {
        steps.iter().fold(white.layers()[k].clone(), |mut layer, (power, step)| {
            step[k].iter().for_each(|step| layer.add_scaled(t.powi(*power as i32), step));
            layer
        })
    };
    let product = |layers: &[Matrix]| layers[1..].iter().fold(layers[0].clone(), |product, layer| layer * &product);
    let layers: Vec<Matrix> = (0..white.layers().len()).map(moved).collect();
    let (residual, moved) = (white.residual(), &product(&layers) - &product(white.layers()));
    let found = residual.inner(&moved) + 0.5 * moved.frobenius_norm().powi(2);
    let size = |layers: &[Matrix]| layers.iter().map(Matrix::frobenius_norm).product::<f64>();
    let (left, size, before) = (residual.frobenius_norm(), size(&layers), size(white.layers()));
    // Where the layers have grown, rounding errors are no excuse.
    let rounding = if size <= GROWTH * before { size * (left + moved.frobenius_norm()) } else { 0.0 };
    let z = network.target_scale();
    let expected = change / (z * z);
    let possible = expected >= -0.5 * left * left * (1.0 + AGREEMENT);
    let allowed = AGREEMENT * expected.abs() + ROUNDING * UNIT_ROUNDOFF * layers.len() as f64 * rounding;
    possible && (found - expected).abs() <= allowed
}

/// Growth of the product of the norms of the layers up to which a step counts as small.
const GROWTH: f64 = 16.0;

/// Rounding errors of a product of matrices in units of their bound by norms.
const ROUNDING: f64 = 64.0;

/// The step of largest decrease of any function `change` of it, at most `most`.
pub(super) fn best_step(change: impl Fn(f64) -> f64, start: f64, most: f64) -> f64 {
    let steps = (-60..=60).map(|k| start * 2.0_f64.powi(k)).filter(|&step| step <= most);
    let best = steps.min_by(|a, b| finite(change(*a)).total_cmp(&finite(change(*b)))).unwrap_or(start.min(most));
    let (mut low, mut high) = (0.5 * best, (2.0 * best).min(most));
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
