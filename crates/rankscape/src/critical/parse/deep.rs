//! The deep form: `W_h = [U_S, U_Q Z_h] D_{h-1}`, `W_k = D_k^{-1} diag(I_e, Z_k) D_{k-1}`, `W_1 = D_1^{-1} [U_S' Z ; Z_1]`, whitened.
//!
//! The first `e` rows of `D_k` are `U_S' P(h,k)`; the others are an orthonormal basis of the complement of
//! `A_k = P(k,0) Row W`. `docs/construct.md` proves that then every factor has the form.

use super::level::{common_size, relative};
use super::pattern::block_pattern;
use crate::critical::blocks::TargetBlocks;
use crate::data::Whitening;
use crate::linalg::{Matrix, inverse, orthonormal_complement, orthonormal_completion, orthonormal_range};
use crate::multiplication::partial_product;
use crate::network::NormalizedNetwork;
use crate::tolerance::Tolerances;

/// The deep form of a critical point, in the scale of the parameters as given; `h >= 2`.
#[derive(Debug, Clone)]
pub struct DeepForm {
    /// `S`, 1-based, lowest indices inside a block of equal values.
    pub captured: Vec<usize>,
    /// `[U_S, U_Q]`, `d_h x d_h`: the omitted directions of `U_Q` by non-increasing singular value, zero last.
    pub u: Matrix,
    /// `D_1, ..., D_{h-1}`.
    pub d: Vec<Matrix>,
    /// `Z_1, ..., Z_h`; `Z_1` is `(d_1 - e) x rank X`, `Z_k` is `(d_k - e) x (d_{k-1} - e)`.
    pub z: Vec<Matrix>,
    /// Largest error of a whitened factor rebuilt from these, relative to the size of a factor, when all are scaled to
    /// about equal norms.
    pub error: f64,
    /// Largest of `||Z_h ... Z_1||` and `||Z_{k-1} ... Z_1 Z' U_Q Z_h ... Z_{k+1}||`, each relative to the product of the
    /// norms of its factors where every `Z_k` counts like a whole factor: the conditions for a critical point.
    pub condition: f64,
}

impl DeepForm {
    /// The form of a critical point whose product has rank `rank`; `None` where the captured set is not clear.
    pub(super) fn new(
        network: &NormalizedNetwork,
        whitening: &Whitening,
        rank: usize,
        tolerances: &Tolerances,
    ) -> Option<Self> {
        let point = network.whitened();
        let (layers, h) = (point.layers(), point.layers().len());
        if h < 2 {
            return None;
        }
        let target = point.target();
        let blocks = TargetBlocks::new(whitening, tolerances).blocks;
        let positive = blocks.last().map_or(0, |block| block.end);
        let basis = orthonormal_completion(&whitening.spectrum.u.columns(0, positive));
        let columns = orthonormal_range(point.output(), rank);
        let pattern = block_pattern(&basis, &blocks, &columns, tolerances.projection)?;
        if pattern.zero > 0 {
            return None;
        }
        let kept = &basis * &pattern.diagonal();
        let omitted = &basis * &pattern.diagonal_of_rests();
        let counts = pattern.counts.iter().zip(&blocks);
        let captured = counts.flat_map(|(count, block)| block.start + 1..=block.start + count).collect();

        let product_rows = kept.transpose_times(target);
        let mut through = product_rows.transpose();
        let mut d = Vec::new();
        for k in 1..h {
            through = &layers[k - 1] * &through;
            let top = kept.transpose_times(&partial_product(layers, h, k));
            let bottom = orthonormal_complement(&orthonormal_range(&through, rank)).transpose();
            d.push(stacked(&top, &bottom));
        }
        let inverses = d.iter().map(inverse).collect::<Option<Vec<_>>>()?;
        let size = |k: usize| layers[k - 1].nrows() - rank;
        let mut z = vec![&d[0].block(rank, 0, size(1), d[0].ncols()) * &layers[0]];
        for k in 2..h {
            let moved = &(&d[k - 1] * &layers[k - 1]) * &inverses[k - 2];
            z.push(moved.block(rank, rank, size(k), size(k - 1)));
        }
        let moved = &omitted.transpose_times(&layers[h - 1]) * &inverses[h - 2];
        z.push(moved.block(0, rank, size(h), size(h - 1)));

        let size_of_all = common_size(layers, network.target_norm());
        let error = (1..=h)
            .map(|k| {
                relative(&rebuilt(k, &d, &inverses, &z, &kept, &omitted, &product_rows), &layers[k - 1], size_of_all)
            })
            .fold(0.0, f64::max);
        let wrap = target.transpose_times(&omitted);
        let condition = conditions(&z, &wrap, size_of_all, network.target_norm());
        let mut u = Matrix::zeros(target.nrows(), target.nrows());
        u.set_block(0, 0, &kept);
        u.set_block(0, rank, &omitted);
        let scales = network.layer_scales();
        // The whitened first factor is divided by the scale of the data too.
        let scale_of = |k: usize| if k == 0 { scales[0] * network.input_scale() } else { scales[k] };
        for k in 1..h {
            let stretch: f64 = scales[k..].iter().product();
            let top = d[k - 1].block(0, 0, rank, d[k - 1].ncols()).scaled(stretch);
            d[k - 1].set_block(0, 0, &top);
        }
        let z = z.iter().enumerate().map(|(k, block)| block.scaled(scale_of(k))).collect();
        Some(Self { captured, u, d, z, error, condition })
    }
}

fn stacked(top: &Matrix, bottom: &Matrix) -> Matrix {
    let mut out = Matrix::zeros(top.nrows() + bottom.nrows(), bottom.ncols().max(top.ncols()));
    out.set_block(0, 0, top);
    out.set_block(top.nrows(), 0, bottom);
    out
}

/// `W_k` from its form.
fn rebuilt(
    k: usize,
    d: &[Matrix],
    inverses: &[Matrix],
    z: &[Matrix],
    kept: &Matrix,
    omitted: &Matrix,
    product_rows: &Matrix,
) -> Matrix {
    let (h, e) = (z.len(), kept.ncols());
    if k == 1 {
        return &inverses[0] * &stacked(product_rows, &z[0]);
    }
    if k == h {
        let mut middle = Matrix::zeros(kept.nrows(), e + z[h - 1].ncols());
        middle.set_block(0, 0, kept);
        middle.set_block(0, e, &(omitted * &z[h - 1]));
        return &middle * &d[h - 2];
    }
    let mut middle = Matrix::zeros(e + z[k - 1].nrows(), e + z[k - 1].ncols());
    middle.set_block(0, 0, &Matrix::identity(e));
    middle.set_block(e, e, &z[k - 1]);
    &(&inverses[k - 1] * &middle) * &d[k - 2]
}

/// The largest relative norm of the products that have to vanish; `wrap` is `Z' U_Q`, `size` the norm of
/// a factor, `target` that of `Y`.
fn conditions(z: &[Matrix], wrap: &Matrix, size: f64, target: f64) -> f64 {
    let chain = |factors: Vec<&Matrix>, size: f64| {
        let mut factors = factors.into_iter();
        let first = factors.next().cloned();
        let norm = first.map_or(0.0, |first| factors.fold(first, |product, factor| factor * &product).frobenius_norm());
        if norm == 0.0 { 0.0 } else { norm / size }
    };
    let h = z.len();
    let mut largest = chain(z.iter().collect(), size.powi(h as i32));
    let around = size.powi(h as i32 - 1) * target;
    for k in 1..=h {
        let factors = z[k..].iter().chain(std::iter::once(wrap)).chain(&z[..k - 1]).collect();
        largest = largest.max(chain(factors, around));
    }
    largest
}
