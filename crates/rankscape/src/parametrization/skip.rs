//! Skip connections.

use super::layered::LinearMap;
use super::map::Parametrization;
use crate::linalg::Matrix;

/// `(I + V_h) ... (I + V_1) X`, all layers square.
#[derive(Debug, Clone)]
pub struct Residual(LinearMap);

impl Residual {
    /// With `depth` layers on `X`.
    pub fn new(depth: usize, inputs: Matrix) -> Self {
        Self(LinearMap::new(vec![inputs.nrows(); depth + 1], inputs))
    }

    /// `I + V_k`.
    pub fn layers(point: &[Matrix]) -> Vec<Matrix> {
        point.iter().map(|block| block + &Matrix::identity(block.nrows())).collect()
    }
}

impl Parametrization for Residual {
    fn blocks(&self) -> Vec<(usize, usize)> {
        self.0.blocks()
    }

    fn shape(&self) -> (usize, usize) {
        self.0.shape()
    }

    fn value(&self, point: &[Matrix]) -> Option<Matrix> {
        self.0.value(&Self::layers(point))
    }

    fn times(&self, point: &[Matrix], direction: &[Matrix]) -> Option<Matrix> {
        self.0.times(&Self::layers(point), direction)
    }

    fn transposed_times(&self, point: &[Matrix], cotangent: &Matrix) -> Option<Vec<Matrix>> {
        self.0.transposed_times(&Self::layers(point), cotangent)
    }
}

/// `(I + W_h ... W_1) X`, as many outputs as inputs.
#[derive(Debug, Clone)]
pub struct IdentityPlusProduct(LinearMap);

impl IdentityPlusProduct {
    /// With a product of these widths on `X`.
    pub fn new(widths: Vec<usize>, inputs: Matrix) -> Self {
        Self(LinearMap::new(widths, inputs))
    }
}

impl Parametrization for IdentityPlusProduct {
    fn blocks(&self) -> Vec<(usize, usize)> {
        self.0.blocks()
    }

    fn shape(&self) -> (usize, usize) {
        self.0.shape()
    }

    fn value(&self, point: &[Matrix]) -> Option<Matrix> {
        Some(self.0.inputs() + &self.0.value(point)?)
    }

    fn times(&self, point: &[Matrix], direction: &[Matrix]) -> Option<Matrix> {
        self.0.times(point, direction)
    }

    fn transposed_times(&self, point: &[Matrix], cotangent: &Matrix) -> Option<Vec<Matrix>> {
        self.0.transposed_times(point, cotangent)
    }
}

/// `(W_{h-1} ... W_1 + W_h) X`, the last matrix beside the product of the others.
#[derive(Debug, Clone)]
pub struct ProductPlusMatrix(LinearMap);

impl ProductPlusMatrix {
    /// With a product of these widths on `X`.
    pub fn new(widths: Vec<usize>, inputs: Matrix) -> Self {
        Self(LinearMap::new(widths, inputs))
    }
}

impl Parametrization for ProductPlusMatrix {
    fn blocks(&self) -> Vec<(usize, usize)> {
        let mut blocks = self.0.blocks();
        blocks.push((self.0.shape().0, self.0.inputs().nrows()));
        blocks
    }

    fn shape(&self) -> (usize, usize) {
        self.0.shape()
    }

    fn value(&self, point: &[Matrix]) -> Option<Matrix> {
        let (matrix, product) = point.split_last()?;
        Some(&self.0.value(product)? + &(matrix * self.0.inputs()))
    }

    fn times(&self, point: &[Matrix], direction: &[Matrix]) -> Option<Matrix> {
        let ((_, product), (matrix, along)) = (point.split_last()?, direction.split_last()?);
        Some(&self.0.times(product, along)? + &(matrix * self.0.inputs()))
    }

    fn transposed_times(&self, point: &[Matrix], cotangent: &Matrix) -> Option<Vec<Matrix>> {
        let mut blocks = self.0.transposed_times(point.split_last()?.1, cotangent)?;
        blocks.push(cotangent.times_transpose(self.0.inputs()));
        Some(blocks)
    }
}
