//! What gradient flow conserves: `C_k = W_{k+1}' W_{k+1} - W_k W_k'`.

use crate::linalg::Matrix;

/// `C_1, ..., C_{h-1}` at a point, and `||W_{k+1}||_F^2 + ||W_k||_F^2` there.
#[derive(Debug, Clone)]
pub struct Imbalance {
    matrices: Vec<Matrix>,
    sizes: Vec<f64>,
}

impl Imbalance {
    /// Of these layers.
    pub fn new(layers: &[Matrix]) -> Self {
        let pairs = || layers.iter().zip(layers.iter().skip(1));
        Self {
            matrices: pairs().map(|(w, next)| &next.transpose_times(next) - &w.times_transpose(w)).collect(),
            sizes: pairs().map(|(w, next)| next.frobenius_norm().powi(2) + w.frobenius_norm().powi(2)).collect(),
        }
    }
}

/// `max_k ||C_k(t) - exp(-2 l t) C_k(0)||_F / (||W_{k+1}(0)||_F^2 + ||W_k(0)||_F^2)`, 0/0 = 0: with weight decay `l` the flow shrinks
/// what it conserves without.
pub fn max_drift(start: &Imbalance, layers: &[Matrix], decay: f64, time: f64) -> f64 {
    let now = Imbalance::new(layers);
    let kept = (-2.0 * decay * time).exp();
    let one = |k: usize| {
        let drift = (&now.matrices[k] - &start.matrices[k].scaled(kept)).frobenius_norm();
        if drift == 0.0 { 0.0 } else { drift / start.sizes[k] }
    };
    (0..start.matrices.len()).map(one).fold(0.0, f64::max)
}
