//! How small the gradient of the first layer makes the gradient in the predictions.
//!
//! `grad_1 = B_1 X'` with `B_h = sigma_h' . G` and `B_{k-1} = sigma_{k-1}' . (W_k' B_k)`, so `||B_{k-1}|| >= min |sigma_{k-1}'| smin(W_k) ||B_k||`, where `W_k`
//! has full row rank, and `||grad_1|| >= smin(X) ||B_1||`, where `X` has full column rank:
//!
//! ```text
//! ||G||_F <= ||grad_1||_F / (smin(X) prod_{k >= 2} smin(W_k) prod_k min |sigma_k'|)
//! ```

use crate::evidence::Truth;
use crate::linalg::{Matrix, singular_values};
use crate::parametrization::{Parametrization, PyramidalMap};
use crate::problem::LossData;

/// Loss and gradients at the weights.
#[derive(Debug, Clone, PartialEq)]
pub struct GradientBound {
    /// The loss.
    pub loss: f64,
    /// `||grad_k||_F`.
    pub layers: Vec<f64>,
    /// `||G||_F`, the norm of the gradient in the predictions.
    pub output: f64,
    /// The least `|sigma_k'|` of every layer.
    pub least_slopes: Vec<f64>,
    /// The bound of `||G||_F`; `None` where a hypothesis that it rests on fails or a slope is zero.
    pub bound: Option<f64>,
}

/// Loss, gradients and the bound; `None` at a kink.
pub fn gradient_bound(map: &PyramidalMap, layers: &[Matrix], data: &LossData, open: Truth) -> Option<GradientBound> {
    let output = map.value(layers)?;
    let gradient = data.loss().gradient(&output);
    let blocks = map.transposed_times(layers, &gradient)?;
    let norms: Vec<f64> = blocks.iter().map(Matrix::frobenius_norm).collect();
    let least_slopes = map.least_slopes(layers)?;
    let smallest = |matrix: &Matrix| singular_values(matrix).last().copied().unwrap_or(0.0);
    let after = layers[1..].iter().map(smallest);
    let logs = std::iter::once(smallest(map.inputs())).chain(after).chain(least_slopes.iter().copied()).map(f64::ln);
    // A sum of logarithms neither overflows nor vanishes.
    let bound = (norms[0].ln() - logs.sum::<f64>()).exp();
    Some(GradientBound {
        loss: data.loss().value(&output),
        output: gradient.frobenius_norm(),
        layers: norms,
        least_slopes,
        bound: Some(bound).filter(|bound| open == Truth::Yes && bound.is_finite()),
    })
}
