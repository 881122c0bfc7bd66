//! A point of the parameter space with the square loss: value, gradient, second derivatives.

use crate::linalg::{Matrix, spectral_norm, triangular_factor};

/// `L(W_1, ..., W_h) = 1/2 ||W_h ... W_1 A - Z||^2` at one point, with the partial products that all derivatives use.
///
/// `A` is `d_0 x rho` (the identity when absent) and `Z` is `d_h x rho`. The product `W_h ... W_1` is never formed.
#[derive(Debug, Clone)]
pub struct SquareNetwork {
    layers: Vec<Matrix>,
    inputs: Option<Matrix>,
    target: Matrix,
    /// `F_k = W_k ... W_1 A`, for `k = 1..h` at index `k - 1`.
    forward: Vec<Matrix>,
    /// `B_k = (W_h ... W_{k+1})' (F_h - Z)`, for `k = 1..h` at index `k - 1`.
    backward: Vec<Matrix>,
}

impl SquareNetwork {
    /// The network at the point `layers` (shapes must chain with `inputs` and `target`).
    pub fn new(layers: Vec<Matrix>, inputs: Option<Matrix>, target: Matrix) -> Self {
        let mut forward: Vec<Matrix> = Vec::with_capacity(layers.len());
        for layer in &layers {
            let next = match (forward.last(), &inputs) {
                (Some(previous), _) => layer * previous,
                (None, Some(inputs)) => layer * inputs,
                (None, None) => layer.clone(),
            };
            forward.push(next);
        }
        let residual = &forward[layers.len() - 1] - &target;
        let mut backward = vec![residual];
        for layer in layers[1..].iter().rev() {
            backward.push(layer.transpose_times(&backward[backward.len() - 1]));
        }
        backward.reverse();
        Self { layers, inputs, target, forward, backward }
    }

    /// The factors, `W_1` first.
    pub fn layers(&self) -> &[Matrix] {
        &self.layers
    }

    /// `Z`.
    pub fn target(&self) -> &Matrix {
        &self.target
    }

    /// `W_h ... W_1 A`.
    pub fn output(&self) -> &Matrix {
        &self.forward[self.layers.len() - 1]
    }

    /// `W_h ... W_1 A - Z`.
    pub fn residual(&self) -> &Matrix {
        &self.backward[self.layers.len() - 1]
    }

    /// `1/2 ||W_h ... W_1 A - Z||^2`.
    pub fn value(&self) -> f64 {
        0.5 * self.residual().frobenius_norm().powi(2)
    }

    /// Gradient with respect to every factor: `B_k F_{k-1}'`.
    pub fn gradient(&self) -> Vec<Matrix> {
        (0..self.layers.len()).map(|k| self.times_forward_transposed(&self.backward[k], k)).collect()
    }

    /// `max_k ||grad_k||_F / (||P(h,k)||_2 ||P(k-1,0) A||_2 (||W A||_F + target_norm))`, with `0/0 = 0`.
    pub fn relative_gradient(&self, target_norm: f64) -> f64 {
        let size = self.output().frobenius_norm() + target_norm;
        let after = self.norms_after();
        let mut largest = 0.0_f64;
        for (k, block) in self.gradient().iter().enumerate() {
            let norm = block.frobenius_norm();
            if norm > 0.0 {
                let before = match (k, &self.inputs) {
                    (0, None) => 1.0,
                    (0, Some(inputs)) => spectral_norm(inputs),
                    _ => spectral_norm(&self.forward[k - 1]),
                };
                largest = largest.max(norm / (after[k] * before * size));
            }
        }
        largest
    }

    /// `||W_h ... W_{k+1}||_2` for `k = 1..h`, at index `k - 1`.
    fn norms_after(&self) -> Vec<f64> {
        let depth = self.layers.len();
        let mut norms = vec![1.0; depth];
        let mut core: Option<Matrix> = None;
        for k in (1..depth).rev() {
            let product = core.map_or_else(|| self.layers[k].clone(), |p| &p * &self.layers[k]);
            let thin = if product.nrows() > product.ncols() { triangular_factor(product) } else { product };
            norms[k - 1] = spectral_norm(&thin);
            core = Some(thin);
        }
        norms
    }

    /// The Hessian times a direction, one matrix a factor.
    pub fn hessian_times(&self, direction: &[Matrix]) -> Vec<Matrix> {
        let depth = self.layers.len();
        let mut d_forward: Vec<Matrix> = Vec::with_capacity(depth);
        for k in 0..depth {
            let mut next = match (k, &self.inputs) {
                (0, None) => direction[0].clone(),
                (0, Some(inputs)) => &direction[0] * inputs,
                _ => &direction[k] * &self.forward[k - 1],
            };
            if k > 0 {
                next = &next + &(&self.layers[k] * &d_forward[k - 1]);
            }
            d_forward.push(next);
        }
        let mut d_backward = d_forward[depth - 1].clone();
        let mut out = Vec::with_capacity(depth);
        for k in (0..depth).rev() {
            let mut block = self.times_forward_transposed(&d_backward, k);
            if k > 0 {
                block = &block + &self.backward[k].times_transpose(&d_forward[k - 1]);
                d_backward =
                    &direction[k].transpose_times(&self.backward[k]) + &self.layers[k].transpose_times(&d_backward);
            }
            out.push(block);
        }
        out.reverse();
        out
    }

    /// `M F_{k-1}'`, `k` counted from 0 here.
    fn times_forward_transposed(&self, matrix: &Matrix, k: usize) -> Matrix {
        match (k, &self.inputs) {
            (0, None) => matrix.clone(),
            (0, Some(inputs)) => matrix.times_transpose(inputs),
            _ => matrix.times_transpose(&self.forward[k - 1]),
        }
    }

    /// `F_k = W_k ... W_1 A` for `k >= 1`.
    pub fn forward(&self, k: usize) -> &Matrix {
        &self.forward[k - 1]
    }

    /// `A`; the identity when absent.
    pub fn inputs(&self) -> Option<&Matrix> {
        self.inputs.as_ref()
    }
}
