//! Approximate inverses of the blocks of a Hessian.

use crate::linalg::{Matrix, inverse};
use crate::loss::Loss;
use crate::network::Network;

/// Largest number of inputs of the last layer for which the block of every output is inverted.
const LARGEST: usize = 128;
/// What is added to a block, as a part of the largest.
const RIDGE: f64 = 1e-8;

/// A symmetric positive definite approximation of the inverse of the Gauss-Newton matrix, block by block. With `C` the diagonal of the
/// Hessian of `l`, that of the last layer is `Phi diag(C_i) Phi'` for output `i`, `Phi` the inputs of the layer: exact where `l` is a
/// sum over entries. For another layer `C` is replaced by a product of means over its rows and columns, `a_i b_j`, and the block by
/// `(M' diag(a) M) x diag(Phi diag(b) Phi')`, with `M` the product of the layers behind.
pub(super) struct Preconditioner(Vec<Block>);

enum Block {
    /// A matrix a row, applied from the right.
    Rows(Vec<Matrix>),
    /// A matrix applied from the left, and numbers that multiply the columns.
    Scaled(Matrix, Vec<f64>),
}

impl Preconditioner {
    /// `None` where the loss does not tell the diagonal of its Hessian, or a block is not finite.
    pub(super) fn new<L: Loss>(network: &Network<L>) -> Option<Self> {
        let curvature = network.loss().diagonal(network.output())?;
        let mut blocks = Vec::new();
        let mut behind: Option<Matrix> = None;
        let layers = network.layers();
        for k in (0..layers.len()).rev() {
            let features = network.feature(k);
            blocks.push(match (&behind, features) {
                (None, Some(features)) if features.nrows() <= LARGEST => Block::by_rows(&curvature, features)?,
                (behind, features) => Block::scaled(&curvature, behind.as_ref(), features)?,
            });
            behind = Some(behind.map_or_else(|| layers[k].clone(), |behind| &behind * &layers[k]));
        }
        blocks.reverse();
        let last = network.biased_layers().iter().all(|&k| k + 1 == layers.len());
        for block in layers.len()..network.blocks().len() {
            let features = network.feature(block).filter(|_| last)?;
            blocks.push(Block::by_rows(&curvature, features)?);
        }
        Some(Self(blocks))
    }

    /// The approximate inverse times these blocks.
    pub(super) fn times(&self, blocks: &[Matrix]) -> Vec<Matrix> {
        self.0.iter().zip(blocks).map(|(inverse, block)| inverse.times(block)).collect()
    }
}

impl Block {
    fn by_rows(curvature: &Matrix, features: &Matrix) -> Option<Self> {
        let gram = |row: usize| {
            let weights: Vec<f64> = (0..curvature.ncols()).map(|j| curvature[(row, j)]).collect();
            features.scale_columns(&weights).times_transpose(features)
        };
        let grams: Vec<Matrix> = (0..curvature.nrows()).map(gram).collect();
        let largest = grams.iter().map(Matrix::max_abs).fold(0.0, f64::max);
        grams.iter().map(|gram| inverse_of(gram, largest)).collect::<Option<_>>().map(Self::Rows)
    }

    fn scaled(curvature: &Matrix, behind: Option<&Matrix>, features: Option<&Matrix>) -> Option<Self> {
        let (rows, columns) = curvature.shape();
        let of_columns: Vec<f64> = (0..columns).map(|j| curvature.column(j).iter().sum::<f64>()).collect();
        let total: f64 = of_columns.iter().sum();
        let of_rows: Vec<f64> =
            (0..rows).map(|i| (0..columns).map(|j| curvature[(i, j)]).sum::<f64>() / total).collect();
        let scales = match features {
            None => of_columns,
            Some(features) => (0..features.nrows())
                .map(|k| (0..columns).map(|j| of_columns[j] * features[(k, j)] * features[(k, j)]).sum())
                .collect(),
        };
        let gram = match behind {
            Some(behind) => behind.transpose().scale_columns(&of_rows).times_transpose(&behind.transpose()),
            None => Matrix::from_diagonal(rows, rows, &of_rows),
        };
        let largest = scales.iter().copied().fold(0.0, f64::max);
        let inverses = scales.iter().map(|scale| 1.0 / (scale + RIDGE * largest)).collect();
        let left = inverse_of(&gram, gram.max_abs())?;
        (largest > 0.0).then_some(Self::Scaled(left, inverses))
    }

    fn times(&self, block: &Matrix) -> Matrix {
        match self {
            Self::Scaled(left, scales) => (left * block).scale_columns(scales),
            Self::Rows(inverses) => {
                let mut out = Matrix::zeros(block.nrows(), block.ncols());
                for (i, inverse) in inverses.iter().enumerate() {
                    for k in 0..block.ncols() {
                        let entry = block[(i, k)];
                        inverse.column(k).iter().enumerate().for_each(|(j, x)| out[(i, j)] += x * entry);
                    }
                }
                out
            }
        }
    }
}

/// The inverse of a semidefinite matrix with a part of `largest` on its diagonal.
fn inverse_of(gram: &Matrix, largest: f64) -> Option<Matrix> {
    let ridge = Matrix::identity(gram.nrows()).scaled(RIDGE * largest);
    inverse(&(gram + &ridge)).filter(Matrix::is_finite)
}
