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
    pub(super) fn confirmed_step(&self, whole: &Self, along: &NetworkAlongPath<'_>, order: usize) -> Option<f64> {
        let (start, mut most) = (self.natural_step(order), f64::INFINITY);
        for _shorter in 0..MOST_SHORTER {
            let t = best_step(|t| self.change(t), start, most);
            if along.confirms(t, whole.change(t)) {
                return Some(t);
            }
            most = 0.5 * t;
        }
        None
    }
}

/// Steps that are tried, each at most half the one before.
const MOST_SHORTER: usize = 120;

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

/// The network itself, at the points of a path: what the polynomial of its loss is held against.
pub(super) struct NetworkAlongPath<'a> {
    network: &'a NormalizedNetwork,
    steps: Steps<Matrix>,
    /// The product of the whitened layers at the start, and that of their norms.
    start: (Matrix, f64),
}

/// Relative difference of polynomial and network beyond which the polynomial is wrong.
const AGREEMENT: f64 = 1e-6;

/// Growth of the product of the norms of the layers up to which the rounding errors of the network hide what a step changes.
const GROWTH: f64 = 16.0;

/// Rounding errors of a product of matrices in units of their bound by norms.
const ROUNDING: f64 = 64.0;

impl<'a> NetworkAlongPath<'a> {
    pub(super) fn new(network: &'a NormalizedNetwork, path: &EscapePath) -> Self {
        let start = product_and_size(network.whitened().layers());
        Self { network, steps: white_steps(network, path), start }
    }

    /// Is `change` that of the loss at `theta(t)`? With `D` the change of the product and `R` the residual it is
    /// `<R, D> + 1/2 ||D||^2`, up to the rounding errors of the product.
    pub(super) fn confirms(&self, t: f64, change: f64) -> bool {
        let white = self.network.whitened();
        let mut layers = white.layers().to_vec();
        for (power, steps) in &self.steps {
            let factor = t.powi(*power as i32);
            let pairs = layers.iter_mut().zip(steps);
            pairs.for_each(|(layer, step)| step.iter().for_each(|step| layer.add_scaled(factor, step)));
        }
        let ((product, size), (before, size_before)) = (product_and_size(&layers), &self.start);
        let (residual, moved) = (white.residual(), &product - before);
        let (left, length) = (residual.frobenius_norm(), moved.frobenius_norm());
        let found = residual.inner(&moved) + 0.5 * length.powi(2);
        let expected = change / self.network.target_scale().powi(2);
        let noise = if size <= GROWTH * size_before { size * (left + length) } else { 0.0 };
        let allowed = AGREEMENT * expected.abs() + ROUNDING * UNIT_ROUNDOFF * layers.len() as f64 * noise;
        // No loss is negative.
        let possible = expected >= -0.5 * left.powi(2) * (1.0 + AGREEMENT);
        possible && (found - expected).abs() <= allowed
    }
}

/// The product of layers, and the product of their norms.
fn product_and_size(layers: &[Matrix]) -> (Matrix, f64) {
    let product = layers[1..].iter().fold(layers[0].clone(), |product, layer| layer * &product);
    (product, layers.iter().map(Matrix::frobenius_norm).product())
}

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
