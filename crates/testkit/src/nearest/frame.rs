//! The singular coordinates of a problem: the target is diagonal, the captured directions are coordinates.

use crate::grid::Dense;
use crate::jacobi;
use crate::reference::{self, Network};

/// A network without biases in the coordinates of the singular vectors of its whitened target.
///
/// With `X = U_x S_x V_x'` and `Z = Y V_x = U diag(sigma) V'` the factors are `W_1 U_x S_x V, W_2, ..., U' W_h`.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    /// Singular values of the target that are not negligible, non-increasing.
    pub values: Vec<f64>,
    /// Share of each direction in the product, `u_i' W v_i / sigma_i`.
    pub shares: Vec<f64>,
    /// `blocks[i]`: the first index of the block of equal values that `i` belongs to.
    pub blocks: Vec<usize>,
    /// The factors in these coordinates.
    pub factors: Vec<Dense>,
    /// `V' S_x^{-1} U_x'`: a step `D` of the first factor here is the step `D` times this of `W_1`.
    pub unwhiten: Dense,
    /// `U`: a step `D` of the last factor here is the step `U D` of `W_h`.
    pub left: Dense,
}

impl Frame {
    /// Coordinates of `network`; singular values below `negligible` times the largest are zero. Inside a block of equal
    /// singular values the vectors are those of `aligned`, another list of weights, whose product decides the shares.
    ///
    /// `None` if `X` or the whitened target is zero.
    pub(super) fn new(network: &Network<f64>, aligned: &[Dense], negligible: f64) -> Option<Self> {
        let (x, y) = (&network.x, &network.y);
        let (scales, inputs) = jacobi::right_singular(&x.transpose());
        let rho = scales.iter().filter(|&&s| s > 1e-10 * scales[0]).count();
        let inputs = inputs.columns(&(0..rho).collect::<Vec<_>>());
        let inverse: Vec<f64> = scales[..rho].iter().map(|s| 1.0 / s).collect();
        let shrink = Dense::diagonal(rho, rho, &inverse);
        let target = y.matmul(&x.transpose()).matmul(&inputs).matmul(&shrink);
        let (mut values, mut right) = jacobi::right_singular(&target);
        let largest = values.first().copied().filter(|&value| value > 0.0)?;
        values.retain(|&value| value > negligible * largest);

        let whiten = inputs.matmul(&Dense::diagonal(rho, rho, &scales[..rho]));
        let product = reference::product(aligned).matmul(&whiten);
        let (blocks, shares) = align(&mut right, &values, &target, &product, negligible);
        let left = left_vectors(&target, &right, &values);
        let mut factors = network.weights.clone();
        factors[0] = factors[0].matmul(&whiten).matmul(&right);
        let last = factors.len() - 1;
        factors[last] = left.transpose().matmul(&factors[last]);
        let unwhiten = right.transpose().matmul(&shrink).matmul(&inputs.transpose());
        Some(Self { values, shares, blocks, factors, unwhiten, left })
    }

    /// Weights of the same shapes in these coordinates.
    pub(super) fn enter(&self, network: &Network<f64>, weights: &[Dense]) -> Vec<Dense> {
        let steps: Vec<Dense> = weights.iter().zip(&network.weights).map(|(a, b)| a.sub(b)).collect();
        let whiten = right_inverse(&self.unwhiten);
        let last = steps.len() - 1;
        let step = |k: usize| {
            let inner = if k == 0 { steps[k].matmul(&whiten) } else { steps[k].clone() };
            if k == last { self.left.transpose().matmul(&inner) } else { inner }
        };
        (0..steps.len()).map(|k| self.factors[k].add(&step(k))).collect()
    }

    /// The weights of a point in these coordinates that differ from those of `network` only where the data see it.
    pub(super) fn leave(&self, network: &Network<f64>, point: &[Dense]) -> Vec<Dense> {
        let last = point.len() - 1;
        let weight = |k: usize| {
            let step = point[k].sub(&self.factors[k]);
            let inner = if k == 0 { step.matmul(&self.unwhiten) } else { step };
            network.weights[k].add(&if k == last { self.left.matmul(&inner) } else { inner })
        };
        (0..point.len()).map(weight).collect()
    }

    /// The captured sets to try: directions with a share of at least one half, those in `[0.1, 0.9]` both ways. Inside a
    /// block of equal values the directions of the largest shares are captured.
    pub(super) fn rungs(&self) -> Vec<Vec<usize>> {
        let mut sets = vec![Vec::new()];
        for (i, &share) in self.shares.iter().enumerate() {
            let with = |set: &Vec<usize>| set.iter().copied().chain([i]).collect::<Vec<_>>();
            let possible = |set: &&Vec<usize>| self.blocks[i] == i || set.contains(&(i - 1));
            let extended: Vec<Vec<usize>> = sets.iter().filter(possible).map(with).collect();
            if share > 0.9 {
                sets = extended;
            } else if share >= 0.1 {
                sets.extend(extended);
            }
        }
        let smallest = self.smallest_width();
        sets.retain(|set| set.len() <= smallest);
        sets
    }

    /// Widths of nodes `0..=h`.
    pub(super) fn widths(&self) -> Vec<usize> {
        std::iter::once(self.factors[0].cols()).chain(self.factors.iter().map(Dense::rows)).collect()
    }

    /// Largest rank of the product.
    pub(super) fn smallest_width(&self) -> usize {
        self.widths().into_iter().min().unwrap_or(0)
    }
}

/// Turns `right` inside the blocks of equal values so that `product` is diagonal there, largest shares first; the
/// first index of each block, and the shares.
fn align(
    right: &mut Dense,
    values: &[f64],
    target: &Dense,
    product: &Dense,
    negligible: f64,
) -> (Vec<usize>, Vec<f64>) {
    let (mut blocks, mut shares) = (Vec::new(), Vec::new());
    while blocks.len() < values.len() {
        let first = blocks.len();
        let tied = |value: f64| values[first] - value <= 10.0 * negligible * values[0];
        let size = values[first..].iter().take_while(|&&value| tied(value)).count();
        let block = right.columns(&(first..first + size).collect::<Vec<_>>());
        // U_b = Z V_b / sigma, so U_b' W V_b / sigma = V_b' Z' W V_b / sigma^2.
        let inner = target.matmul(&block).transpose().matmul(product).matmul(&block);
        let (found, vectors) = jacobi::eigen(&inner.scale(&values[first].powi(-2)));
        let turned = block.matmul(&vectors.columns(&(0..size).rev().collect::<Vec<_>>()));
        for i in 0..right.rows() {
            for j in 0..size {
                right[(i, first + j)] = turned[(i, j)];
            }
        }
        blocks.extend(std::iter::repeat_n(first, size));
        shares.extend(found.into_iter().rev());
    }
    (blocks, shares)
}

/// `U`: the columns `Z v_i / sigma_i`, completed to an orthonormal basis.
fn left_vectors(target: &Dense, right: &Dense, values: &[f64]) -> Dense {
    let image = target.matmul(right);
    let known = Dense::from_fn(target.rows(), values.len(), |i, j| image[(i, j)] / values[j]);
    known.beside(&kernel(&known.transpose(), target.rows() - values.len()))
}

/// An orthonormal basis of the kernel, whose dimension is known.
pub(super) fn kernel(matrix: &Dense, dimension: usize) -> Dense {
    let n = matrix.cols();
    jacobi::right_singular(matrix).1.columns(&(n - dimension..n).collect::<Vec<_>>())
}

/// `A' (A A')^{-1}` of a matrix of full row rank.
fn right_inverse(matrix: &Dense) -> Dense {
    let gram = matrix.matmul(&matrix.transpose());
    matrix.transpose().matmul(&gram.inverse().expect("full row rank"))
}
