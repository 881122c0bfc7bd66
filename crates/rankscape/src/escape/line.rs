//! The loss along a line of parameters, a polynomial of degree `2 h`.

use crate::hessian::NormalizedNetwork;
use crate::linalg::Matrix;
use crate::multiplication::Factors;

/// Coefficients of `t -> L(theta + t A)`.
#[derive(Debug, Clone, PartialEq)]
pub struct LossOnLine {
    /// Constant first; `2 h + 1` of them.
    pub coefficients: Vec<f64>,
}

impl LossOnLine {
    /// Expands the loss along `direction`, given in the parameters as given; the floor of the data is not included in
    /// the constant.
    pub fn new(network: &NormalizedNetwork, direction: &Factors) -> Self {
        let given = network.given();
        let depth = given.layers().len();
        let steps = direction.matrices().iter().zip(network.layer_scales());
        let steps: Vec<Matrix> = steps.map(|(step, scale)| step.scaled(1.0 / scale)).collect();
        let mut product: Vec<Matrix> = Vec::new();
        for (k, (layer, step)) in given.layers().iter().zip(&steps).enumerate() {
            product = if k == 0 {
                let inputs = |m: &Matrix| given.inputs().map_or_else(|| m.clone(), |a| m * a);
                vec![inputs(layer), inputs(step)]
            } else {
                times_linear(layer, step, &product)
            };
        }
        product[0] = given.residual().clone();
        let mut coefficients = vec![0.0; 2 * depth + 1];
        for (i, a) in product.iter().enumerate() {
            for (j, b) in product.iter().enumerate() {
                coefficients[i + j] += 0.5 * a.dot(b);
            }
        }
        let z = network.target_scale();
        Self { coefficients: coefficients.into_iter().map(|c| c * z * z).collect() }
    }

    /// `L(theta + t A) - L(theta)`.
    pub fn change(&self, t: f64) -> f64 {
        self.coefficients[1..].iter().rev().fold(0.0, |sum, c| (sum + c) * t)
    }

    /// The step `t > 0` of largest decrease, by a scan over powers of two and a golden-section search.
    pub fn best_step(&self, start: f64) -> f64 {
        let steps = (-60..=60).map(|k| start * 2.0_f64.powi(k));
        let best = steps.min_by(|a, b| finite(self.change(*a)).total_cmp(&finite(self.change(*b)))).unwrap_or(start);
        let (mut low, mut high) = (0.5 * best, 2.0 * best);
        let golden = 0.5 * (5.0_f64.sqrt() - 1.0);
        for _step in 0..60 {
            let (a, b) = (high - golden * (high - low), low + golden * (high - low));
            if self.change(a) < self.change(b) {
                high = b;
            } else {
                low = a;
            }
        }
        0.5 * (low + high)
    }
}

fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::INFINITY }
}

/// `(W + t V) * (p_0 + t p_1 + ...)`.
fn times_linear(layer: &Matrix, step: &Matrix, product: &[Matrix]) -> Vec<Matrix> {
    let mut out: Vec<Matrix> = product.iter().map(|p| layer * p).collect();
    out.push(step * &product[product.len() - 1]);
    for (k, p) in product[..product.len() - 1].iter().enumerate() {
        out[k + 1].add_scaled(1.0, &(step * p));
    }
    out
}
