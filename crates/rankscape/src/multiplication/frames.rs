//! Frames: the part of a factorization that carries the product, node by node.
//!
//! Let `W = U S V'` be the thin decomposition of the product, of rank `e`. At node `i` put
//! `X_i = P(i,0) V S^{-1/2}` (`d_i x e`) and `Y_i = S^{-1/2} U' P(h,i)` (`e x d_i`); then `Y_i X_i = I`. The space of the node is
//! the direct sum of `V_i = Col X_i` and `C_i = Ker Y_i`, both respected by the factors, so
//! `W_k = X_k Y_{k-1} + (a part on the C_i whose product is zero)`. The group of the inner nodes acts by
//! `X_i -> G_i X_i`, `Y_i -> Y_i G_i^{-1}`.

use super::factors::Factors;
use crate::linalg::{Matrix, Svd, inverse, svd, thin_qr};

/// Leading `rank` singular triples of the product, from factors of its narrowest node; the product is not formed.
pub(crate) fn product_svd(factors: &Factors, rank: usize) -> Svd {
    let widths = factors.architecture().widths();
    let h = factors.depth();
    let node = (0..=h).min_by_key(|&i| widths[i]).unwrap_or(0);
    let (q_left, r_left) = thin_qr(&left_product(factors, node));
    let (q_right, r_right) = thin_qr(&right_product(factors, node).transpose());
    let core = svd(&r_left.times_transpose(&r_right));
    Svd { u: &q_left * &core.u.columns(0, rank), s: core.s[..rank].to_vec(), v: &q_right * &core.v.columns(0, rank) }
}

/// `P(h, node)`, multiplied from the narrow side.
fn left_product(factors: &Factors, node: usize) -> Matrix {
    factors.partial(factors.depth(), node)
}

/// `P(node, 0)`, multiplied from the narrow side.
fn right_product(factors: &Factors, node: usize) -> Matrix {
    let mut product = Matrix::identity(factors.architecture().widths()[node]);
    for matrix in factors.matrices()[..node].iter().rev() {
        product = &product * matrix;
    }
    product
}

/// `X_i` and `Y_i` at every node.
#[derive(Debug, Clone)]
pub(super) struct Frames {
    /// `X_0, ..., X_h`.
    pub(super) x: Vec<Matrix>,
    /// `Y_0, ..., Y_h`, with `Y_i X_i = I` at inner nodes.
    pub(super) y: Vec<Matrix>,
}

impl Frames {
    /// Frames of `factors` in singular bases of a product that they share with another factorization. `None` when the
    /// factors do not have that product, even roughly, or its singular values vanish in double precision.
    pub(super) fn new(factors: &Factors, product: &Svd) -> Option<Self> {
        let h = factors.depth();
        let root: Vec<f64> = product.s.iter().map(|s| s.sqrt()).collect();
        let reciprocal: Vec<f64> = root.iter().map(|s| 1.0 / s).collect();
        let mut x = vec![product.v.scale_columns(&reciprocal)];
        for matrix in &factors.matrices()[..h - 1] {
            x.push(matrix * &x[x.len() - 1]);
        }
        x.push(product.u.scale_columns(&root));
        let mut y = vec![product.u.scale_columns(&reciprocal).transpose()];
        for matrix in factors.matrices()[1..].iter().rev() {
            y.push(&y[y.len() - 1] * matrix);
        }
        y.push(product.v.scale_columns(&root).transpose());
        y.reverse();
        for i in 1..h {
            y[i] = &inverse(&(&y[i] * &x[i]))? * &y[i];
        }
        x.iter().chain(&y).all(Matrix::is_finite).then_some(Self { x, y })
    }

    /// The factors `X_k Y_{k-1}`, shaped like `like`.
    pub(super) fn factors(&self) -> Vec<Matrix> {
        self.x[1..].iter().zip(&self.y).map(|(x, y)| x * y).collect()
    }

    /// `C_i` with coordinates: an orthonormal basis `K` (`d_i x (d_i - e)`) of `Ker Y_i` and the `K*` with `K* K = I`,
    /// `K* X_i = 0`. `None` when the frames are numerically dependent.
    pub(super) fn complement(&self, i: usize) -> Option<(Matrix, Matrix)> {
        let (kernel, left) = (null_basis(&self.y[i].transpose()), null_basis(&self.x[i]));
        let pairing = left.transpose_times(&kernel);
        Some((kernel, inverse(&pairing)?.times_transpose(&left)))
    }
}

/// Orthonormal basis of the complement of the span of independent columns.
pub(super) fn null_basis(columns: &Matrix) -> Matrix {
    crate::linalg::orthonormal_complement(&svd(columns).u)
}

/// `||mu(a) - mu(b)||_F` for tuples of equal widths, from the cores of `[L_a, -L_b] [R_a; R_b]` at the narrowest node.
pub fn product_difference(a: &Factors, b: &Factors) -> f64 {
    let widths = a.architecture().widths();
    let node = (0..widths.len()).min_by_key(|&i| widths[i]).unwrap_or(0);
    let narrow = widths[node];
    let (m, n) = (a.architecture().outputs(), a.architecture().inputs());
    if 2 * narrow > m.min(n) {
        return (&a.product() - &b.product()).frobenius_norm();
    }
    let mut left = Matrix::zeros(m, 2 * narrow);
    left.set_block(0, 0, &left_product(a, node));
    left.set_block(0, narrow, &left_product(b, node).scaled(-1.0));
    let mut right = Matrix::zeros(n, 2 * narrow);
    right.set_block(0, 0, &right_product(a, node).transpose());
    right.set_block(0, narrow, &right_product(b, node).transpose());
    thin_qr(&left).1.times_transpose(&thin_qr(&right).1).frobenius_norm()
}
