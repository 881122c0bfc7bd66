//! The Hessian as an operator on vectors of parameters.

use super::network::SquareNetwork;
use crate::linalg::{Matrix, SymmetricOperator};

/// `D H D`, where `H` is the Hessian of a [`SquareNetwork`] and `D` multiplies every block of a factor by a number.
/// Vectors list `W_1` first, each matrix row by row.
#[derive(Debug, Clone)]
pub struct HessianOperator<'a> {
    network: &'a SquareNetwork,
    scales: Vec<f64>,
}

impl<'a> HessianOperator<'a> {
    /// The operator with one number a factor.
    pub fn new(network: &'a SquareNetwork, scales: Vec<f64>) -> Self {
        Self { network, scales }
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
            .layers()
            .iter()
            .zip(&self.scales)
            .map(|(layer, &scale)| {
                let (rows, cols) = layer.shape();
                let part = &x[offset..offset + rows * cols];
                offset += rows * cols;
                Matrix::from_fn(rows, cols, |i, j| scale * part[i * cols + j])
            })
            .collect()
    }
}

impl SymmetricOperator for HessianOperator<'_> {
    fn dimension(&self) -> usize {
        self.network.layers().iter().map(|layer| layer.nrows() * layer.ncols()).sum()
    }

    fn apply(&self, x: &[f64]) -> Vec<f64> {
        let image = self.network.hessian_times(&self.split(x));
        let mut out = Vec::with_capacity(x.len());
        for (block, &scale) in image.iter().zip(&self.scales) {
            for i in 0..block.nrows() {
                out.extend((0..block.ncols()).map(|j| scale * block[(i, j)]));
            }
        }
        out
    }
}
