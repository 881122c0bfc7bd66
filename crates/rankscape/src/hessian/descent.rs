//! Plain gradient descent on the square loss, in scaled coordinates.

use crate::data::Whitening;
use crate::linalg::Matrix;
use crate::network::NormalizedNetwork;
use crate::network::SquareNetwork;

/// A run of gradient descent in the parameters as given, `theta <- theta - step grad L`.
///
/// Without biases it runs in whitened coordinates, where a step costs nothing per input: `W_1 U S` moves by
/// `- step (grad) S^2`.
#[derive(Debug, Clone)]
pub struct GradientDescent {
    network: SquareNetwork,
    /// What a step of size one multiplies a block of the scaled gradient by is the square of this.
    factors: Vec<f64>,
    /// Singular values of the scaled `X`, in whitened coordinates.
    inputs: Option<Vec<f64>>,
    output_factor: Option<Matrix>,
    target_scale: f64,
    floor: f64,
}

impl GradientDescent {
    /// From a point; `whitening` is that of the point.
    pub fn new(start: &NormalizedNetwork, whitening: &Whitening) -> Self {
        let biased = !start.given().biased_layers().is_empty();
        let network = if biased { start.given().clone() } else { start.whitened().clone() };
        let scaled = |s: &f64| s / start.input_scale();
        Self {
            network,
            factors: start.block_scales().iter().map(|c| start.target_scale() / c).collect(),
            inputs: (!biased).then(|| whitening.scales.iter().map(scaled).collect()),
            output_factor: start.output_factor().cloned(),
            target_scale: start.target_scale(),
            floor: if biased { 0.0 } else { whitening.floor },
        }
    }

    /// `L` here.
    pub fn loss(&self) -> f64 {
        self.network.value() * self.target_scale * self.target_scale + self.floor
    }

    /// Multiplications of one step, about.
    pub fn cost(&self) -> usize {
        let layers = self.network.layers();
        let parameters: usize = layers.iter().map(|w| w.nrows() * w.ncols()).sum();
        3 * parameters * self.network.target().ncols().min(self.network.target().nrows()).max(layers.len())
    }

    /// One step of size `step`.
    pub fn advance(&mut self, step: f64) {
        let root = step.sqrt();
        let depth = self.network.layers().len();
        let biased = self.network.biased_layers();
        let last = |at: usize| at.checked_sub(depth).map_or(at, |bias| biased[bias]) + 1 == depth;
        let mut blocks = self.network.gradient().to_vec();
        for (at, (block, factor)) in blocks.iter_mut().zip(&self.factors).enumerate() {
            let mut moved = block.scaled(root * factor).scaled(root * factor);
            if let Some(inputs) = self.inputs.as_ref().filter(|_| at == 0) {
                moved = moved.scale_columns(inputs).scale_columns(inputs);
            }
            if let Some(c) = self.output_factor.as_ref().filter(|_| last(at)) {
                moved = c * &c.transpose_times(&moved);
            }
            *block = moved;
        }
        self.network = self.network.moved(-1.0, &blocks);
    }
}
