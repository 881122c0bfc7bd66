//! What gradient flow conserves: `C_k = W_{k+1}' W_{k+1} - W_k W_k' - b_k b_k'`.

use crate::linalg::Matrix;
use crate::loss::Loss;
use crate::network::Network;

/// `C_1, ..., C_{h-1}` at a point, and `||W_{k+1}||_F^2 + ||W_k||_F^2` there.
#[derive(Debug, Clone)]
pub struct Imbalance {
    matrices: Vec<Matrix>,
    sizes: Vec<f64>,
}

impl Imbalance {
    /// Of these blocks: as many layers as `depth`, then the biases of the layers `biased`, counted from 0.
    pub fn new(blocks: &[Matrix], depth: usize, biased: &[usize]) -> Self {
        let pair = |k: usize| {
            let (layer, next) = (&blocks[k], &blocks[k + 1]);
            let mut matrix = &next.transpose_times(next) - &layer.times_transpose(layer);
            let mut size = next.frobenius_norm().powi(2) + layer.frobenius_norm().powi(2);
            if let Some(at) = biased.iter().position(|&layer| layer == k) {
                let bias = &blocks[depth + at];
                matrix = &matrix - &bias.times_transpose(bias);
                size += bias.frobenius_norm().powi(2);
            }
            (matrix, size)
        };
        let (matrices, sizes) = (0..depth - 1).map(pair).unzip();
        Self { matrices, sizes }
    }
}

/// What a run keeps, measured as it goes.
pub(super) struct Conserved {
    start: Imbalance,
    depth: usize,
    biased: Vec<usize>,
    decay: f64,
    max: f64,
}

impl Conserved {
    /// From the start of a run.
    pub(super) fn new<L: Loss>(start: &Network<L>, decay: f64) -> Self {
        let (depth, biased) = (start.layers().len(), start.biased_layers());
        Self { start: Imbalance::new(&start.parameter_blocks(), depth, &biased), depth, biased, decay, max: 0.0 }
    }

    /// Looks at the blocks of a later time.
    pub(super) fn measure(&mut self, blocks: &[Matrix], time: f64) {
        let now = Imbalance::new(blocks, self.depth, &self.biased);
        self.max = self.max.max(max_drift(&self.start, &now, self.decay, time));
    }

    /// The largest drift; `None` where layers decay and biases before the last layer do not, so that nothing is kept.
    pub(super) fn max_drift(&self) -> Option<f64> {
        let keeps = self.decay == 0.0 || self.biased.iter().all(|&k| k + 1 == self.depth);
        keeps.then_some(self.max)
    }
}

/// `max_k ||C_k(t) - exp(-2 l t) C_k(0)||_F / (||W_{k+1}(0)||_F^2 + ||W_k(0)||_F^2 + ||b_k(0)||^2)`, 0/0 = 0: with weight decay `l`
/// the flow shrinks what it conserves without, where no layer before the last has a bias, which does not decay.
pub fn max_drift(start: &Imbalance, now: &Imbalance, decay: f64, time: f64) -> f64 {
    let kept = (-2.0 * decay * time).exp();
    let one = |k: usize| {
        let drift = (&now.matrices[k] - &start.matrices[k].scaled(kept)).frobenius_norm();
        if drift == 0.0 { 0.0 } else { drift / start.sizes[k] }
    };
    (0..start.matrices.len()).map(one).fold(0.0, f64::max)
}
