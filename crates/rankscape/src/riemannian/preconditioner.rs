//! Approximate inverses of the blocks of a Hessian.

use crate::linalg::Matrix;
use crate::loss::Loss;
use crate::network::Network;

/// Largest number of inputs of the last layer for which the block of every output is factored.
const LARGEST: usize = 128;
/// What is added to a block, as a part of the largest.
const RIDGE: f64 = 1e-8;

/// A symmetric positive definite approximation of the Gauss-Newton matrix, block by block. With `C` the diagonal of the Hessian
/// of `l`, that of the last layer is `Phi diag(C_i) Phi'` for output `i`, `Phi` the inputs of the layer: exact where `l` is a sum over
/// entries. For another layer `C` is replaced by a product of means over its rows and columns, `a_i b_j`, and the block by
/// `(M' diag(a) M) x diag(Phi diag(b) Phi')`, with `M` the product of the layers behind.
pub(super) struct Preconditioner(Vec<Block>);

enum Block {
    /// A matrix for every row.
    Rows(Vec<Cholesky>),
    /// A matrix from the left, and numbers that divide the columns.
    Scaled(Cholesky, Vec<f64>),
}

impl Preconditioner {
    /// `None` where the loss does not tell the diagonal of its Hessian, or a block is not definite.
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

    /// The inverse of the approximation, times these blocks.
    pub(super) fn solve(&self, blocks: &[Matrix]) -> Vec<Matrix> {
        self.0.iter().zip(blocks).map(|(approximation, block)| approximation.solve(block)).collect()
    }
}

impl Block {
    fn by_rows(curvature: &Matrix, features: &Matrix) -> Option<Self> {
        let (rows, columns) = curvature.shape();
        let mut weights = vec![0.0; columns];
        let mut gram = |row: usize| {
            weights.iter_mut().enumerate().for_each(|(j, weight)| *weight = curvature[(row, j)]);
            features.scale_columns(&weights).times_transpose(features)
        };
        let grams: Vec<Matrix> = (0..rows).map(&mut gram).collect();
        let ridge = RIDGE * grams.iter().map(Matrix::max_abs).fold(0.0, f64::max);
        grams.iter().map(|gram| Cholesky::new(gram, ridge)).collect::<Option<_>>().map(Self::Rows)
    }

    fn scaled(curvature: &Matrix, behind: Option<&Matrix>, features: Option<&Matrix>) -> Option<Self> {
        let (rows, columns) = curvature.shape();
        let of_columns: Vec<f64> = (0..columns).map(|j| curvature.column(j).iter().sum()).collect();
        let total: f64 = of_columns.iter().sum();
        let mut of_rows = vec![0.0; rows];
        for j in 0..columns {
            of_rows.iter_mut().zip(curvature.column(j)).for_each(|(sum, entry)| *sum += entry / total);
        }
        let mut scales = match features {
            None => of_columns,
            Some(features) => {
                let mut sums = vec![0.0; features.nrows()];
                for (j, weight) in of_columns.iter().enumerate() {
                    sums.iter_mut().zip(features.column(j)).for_each(|(sum, entry)| *sum += weight * entry * entry);
                }
                sums
            }
        };
        let gram = match behind {
            Some(behind) => behind.transpose().scale_columns(&of_rows).times_transpose(&behind.transpose()),
            None => Matrix::from_diagonal(rows, rows, &of_rows),
        };
        let largest = scales.iter().copied().fold(0.0, f64::max);
        scales.iter_mut().for_each(|scale| *scale += RIDGE * largest);
        let left = Cholesky::new(&gram, RIDGE * gram.max_abs())?;
        (largest > 0.0).then_some(Self::Scaled(left, scales))
    }

    fn solve(&self, block: &Matrix) -> Matrix {
        match self {
            Self::Scaled(left, scales) => {
                let mut out = block.clone();
                for (j, scale) in scales.iter().enumerate() {
                    let column = out.column_mut(j);
                    left.solve(column);
                    column.iter_mut().for_each(|entry| *entry /= scale);
                }
                out
            }
            Self::Rows(factors) => {
                let mut out = block.transpose();
                for (i, factor) in factors.iter().enumerate() {
                    factor.solve(out.column_mut(i));
                }
                out.transpose()
            }
        }
    }
}

/// A symmetric positive definite matrix as `C C'`, for the many small ones above.
struct Cholesky {
    size: usize,
    /// `C` row by row, the reciprocals of its diagonal in place of that.
    lower: Vec<f64>,
}

impl Cholesky {
    /// Of a matrix with a number added to its diagonal; `None` where that is not definite.
    fn new(gram: &Matrix, ridge: f64) -> Option<Self> {
        let size = gram.nrows();
        let mut lower = vec![0.0; size * size];
        for i in 0..size {
            for j in 0..=i {
                let (before_i, before_j) = (&lower[i * size..i * size + j], &lower[j * size..j * size + j]);
                let known: f64 = before_i.iter().zip(before_j).map(|(a, b)| a * b).sum();
                let rest = gram[(i, j)] - known;
                lower[i * size + j] = if i > j {
                    rest * lower[j * size + j]
                } else {
                    let pivot = rest + ridge;
                    (pivot > 0.0 && pivot.is_finite()).then(|| pivot.sqrt().recip())?
                };
            }
        }
        Some(Self { size, lower })
    }

    fn solve(&self, x: &mut [f64]) {
        let size = self.size;
        for i in 0..size {
            let known: f64 = self.lower[i * size..i * size + i].iter().zip(&*x).map(|(a, b)| a * b).sum();
            x[i] = (x[i] - known) * self.lower[i * size + i];
        }
        for i in (0..size).rev() {
            x[i] *= self.lower[i * size + i];
            let (before, at) = x.split_at_mut(i);
            before.iter_mut().zip(&self.lower[i * size..i * size + i]).for_each(|(entry, a)| *entry -= a * at[0]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::{Entry, EntrywiseLoss};
    use crate::random::Stream;

    #[test]
    fn the_block_of_the_last_layer_is_that_of_the_hessian() {
        let mut stream = Stream::new(11, 0);
        let loss = EntrywiseLoss::new(Entry::LogCosh, stream.normal_matrix(3, 20), None);
        let layers = vec![stream.normal_matrix(2, 4), stream.normal_matrix(3, 2)];
        let network = Network::with_loss(layers, None, Some(stream.normal_matrix(4, 20)), loss);
        let preconditioner = Preconditioner::new(&network).unwrap();
        let step = vec![Matrix::zeros(2, 4), stream.normal_matrix(3, 2)];
        let image = network.hessian_times(&step);
        let back = preconditioner.solve(&image);
        assert!((&back[1] - &step[1]).frobenius_norm() < 1e-6 * step[1].frobenius_norm());
    }

    #[test]
    fn the_block_of_an_inner_layer_is_that_of_the_hessian_for_product_metrics() {
        let mut stream = Stream::new(12, 0);
        let weights = Matrix::from_fn(3, 4, |i, j| (1.0 + i as f64) * (2.0 + j as f64));
        let loss = EntrywiseLoss::new(Entry::Square, stream.normal_matrix(3, 4), Some(weights));
        let layers = vec![stream.normal_matrix(2, 4), stream.normal_matrix(3, 2)];
        let network = Network::with_loss(layers, None, None, loss);
        let preconditioner = Preconditioner::new(&network).unwrap();
        let step = vec![stream.normal_matrix(2, 4), Matrix::zeros(3, 2)];
        let image = network.hessian_times(&step);
        let back = preconditioner.solve(&image);
        assert!((&back[0] - &step[0]).frobenius_norm() < 1e-6 * step[0].frobenius_norm());
    }
}
