//! The Hessian as an operator on vectors of parameters.

use super::network::SquareNetwork;
use crate::linalg::{Matrix, SymmetricOperator};

/// `D H D`, where `H` is the Hessian of a [`SquareNetwork`] and `D` multiplies every block of parameters by a number.
/// Vectors list `W_1` first, each matrix row by row, and the biases last.
#[derive(Debug, Clone)]
pub struct HessianOperator<'a> {
    network: &'a SquareNetwork,
    scales: Vec<f64>,
    output_factor: Option<&'a Matrix>,
}

impl<'a> HessianOperator<'a> {
    /// The operator with one number a block.
    pub fn new(network: &'a SquareNetwork, scales: Vec<f64>) -> Self {
        Self { network, scales, output_factor: None }
    }

    /// The Hessian where the parameters of the last layer (factor and bias) are `V` with `W_h = C V`.
    #[must_use]
    pub fn with_output_factor(mut self, output_factor: Option<&'a Matrix>) -> Self {
        self.output_factor = output_factor;
        self
    }

    /// `C` if `block` belongs to the last layer.
    fn factor_of(&self, block: usize) -> Option<&'a Matrix> {
        let depth = self.network.layers().len();
        let layer = block.checked_sub(depth).map_or(block, |bias| self.network.biased_layers()[bias]);
        self.output_factor.filter(|_| layer + 1 == depth)
    }

    /// The dense matrix, of size `parameters x parameters`.
    pub fn to_dense(&self) -> Matrix {
        let n = self.dimension();
        let mut dense = Matrix::zeros(n, n);
        let mut unit = vec![0.0; n];
        for j in 0..n {
            unit[j] = 1.0;
            dense.column_mut(j).copy_from_slice(&self.apply(&unit));
            unit[j] = 0.0;
        }
        dense
    }

    fn split(&self, x: &[f64]) -> Vec<Matrix> {
        let mut offset = 0;
        self.network
            .blocks()
            .into_iter()
            .zip(&self.scales)
            .enumerate()
            .map(|(block, ((rows, cols), &scale))| {
                let part = &x[offset..offset + rows * cols];
                offset += rows * cols;
                let step = Matrix::from_fn(rows, cols, |i, j| scale * part[i * cols + j]);
                self.factor_of(block).map_or(step.clone(), |c| c * &step)
            })
            .collect()
    }
}

impl SymmetricOperator for HessianOperator<'_> {
    fn dimension(&self) -> usize {
        self.network.blocks().iter().map(|(rows, cols)| rows * cols).sum()
    }

    fn apply(&self, x: &[f64]) -> Vec<f64> {
        let image = self.network.hessian_times(&self.split(x));
        let mut out = Vec::with_capacity(x.len());
        for (at, (block, &scale)) in image.iter().zip(&self.scales).enumerate() {
            let transformed = self.factor_of(at).map(|c| c.transpose_times(block));
            let block = transformed.as_ref().unwrap_or(block);
            for i in 0..block.nrows() {
                out.extend((0..block.ncols()).map(|j| scale * block[(i, j)]));
            }
        }
        out
    }
}
