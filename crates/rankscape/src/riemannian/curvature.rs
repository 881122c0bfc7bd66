//! The Hessian of a loss on the manifold of matrices of fixed rank, in the metric of the matrices as given.

use super::space::FunctionSpace;
use crate::linalg::{Matrix, orthonormal_complement, svd, symmetric_eigenvalues};
use crate::loss::{Loss, SharedLoss};
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

/// Largest dimension of the manifold at which the Hessian is formed.
const LARGEST: usize = 600;

/// Eigenvalues of the Hessian on matrices of rank `r` at a critical point `P Q` of rank `r`.
///
/// For `W = U S V'` a tangent vector is `U M V' + U_o B V' + U C V_o'`; the second derivative along it is that of `l` along it plus
/// `2 <G, U_o B S^-1 C V_o'>`, with `G` the gradient in `W`. `None` where the manifold is too large.
pub(super) fn spectrum_on_manifold(
    space: &FunctionSpace,
    product: &Matrix,
    offset: Option<&Matrix>,
    rank: usize,
) -> Option<Vec<f64>> {
    let (rows, columns) = product.shape();
    let extra = if offset.is_some() { rows } else { 0 };
    let size = rank * (rows + columns - rank) + extra;
    if size > LARGEST || rank == 0 {
        return None;
    }
    let (matrix, features) = space.in_given_metric(product);
    let outputs = space.outputs_of(product, offset);
    let slopes = space.loss().gradient(&outputs).times_transpose(&features);
    let found = svd(&matrix);
    let (u, v) = (found.u.columns(0, rank), found.v.columns(0, rank));
    let (u_other, v_other) = (orthonormal_complement(&u), orthonormal_complement(&v));
    let inverse: Vec<f64> = found.s[..rank].iter().map(|value| 1.0 / value).collect();
    // U_o' G V_o, the part of the gradient that bends the manifold.
    let normal = &u_other.transpose_times(&slopes) * &v_other;
    let mut basis = Vec::with_capacity(size);
    for k in 0..rank {
        let left = u.columns(k, k + 1);
        for j in 0..rank {
            basis.push(Tangent::along(left.times_transpose(&v.columns(j, j + 1))));
        }
        for j in 0..columns - rank {
            basis.push(Tangent {
                right: Some((k, j)),
                ..Tangent::along(left.times_transpose(&v_other.columns(j, j + 1)))
            });
        }
        for i in 0..rows - rank {
            let direction = u_other.columns(i, i + 1).times_transpose(&v.columns(k, k + 1));
            basis.push(Tangent { left: Some((i, k)), ..Tangent::along(direction) });
        }
    }
    let ones = space.offset_row();
    let mut images: Vec<Matrix> = basis.iter().map(|tangent| &tangent.direction * &features).collect();
    if let Some(ones) = ones.filter(|_| offset.is_some()) {
        for i in 0..rows {
            images.push(&Matrix::from_fn(rows, 1, |a, _| f64::from(u8::from(a == i))) * ones);
            basis.push(Tangent::along(Matrix::zeros(0, 0)));
        }
    }
    let mut hessian = curved_products(space.loss(), &outputs, &images);
    for (a, x) in basis.iter().enumerate() {
        for (b, y) in basis.iter().enumerate() {
            if let (Some((i, k)), Some((l, j))) = (x.left, y.right)
                && k == l
            {
                let bend = normal[(i, j)] * inverse[k];
                hessian[(a.max(b), a.min(b))] += bend;
            }
        }
    }
    symmetric_eigenvalues(&hessian)
}

/// `<x, l''(F) y>` for all pairs of these changes of the outputs.
pub(super) fn curved_products(loss: &SharedLoss, outputs: &Matrix, changes: &[Matrix]) -> Matrix {
    let curvature = loss.curvature(outputs);
    let length = outputs.nrows() * outputs.ncols();
    let stacked = |matrices: &mut dyn Iterator<Item = Matrix>| {
        let entries: Vec<f64> = matrices.flat_map(|matrix| matrix.entries().collect::<Vec<f64>>()).collect();
        Matrix::from_column_major(length, changes.len(), &entries)
    };
    let curved = stacked(&mut changes.iter().map(|change| loss.curved(&curvature, change)));
    stacked(&mut changes.iter().cloned()).transpose_times(&curved)
}

/// Whether `V`, of this rank, is an isolated local minimum on matrices of its rank; the offset is that of `W` as given. `None` where
/// the manifold is too large.
pub fn is_isolated_minimum(
    space: &FunctionSpace,
    matrix: &Matrix,
    offset: Option<&(Matrix, Matrix)>,
    rank: usize,
    tolerances: &Tolerances,
) -> Option<bool> {
    let offset = offset.and_then(|(product, offset)| space.reduced_offset(product, offset));
    let spectrum = spectrum_on_manifold(space, matrix, offset.as_ref(), rank)?;
    let least = spectrum.first().copied()?;
    Some(least > zero_of(&spectrum, tolerances))
}

/// A unit tangent vector and its place among those that move the column space (`left`) or the row space (`right`).
struct Tangent {
    direction: Matrix,
    left: Option<(usize, usize)>,
    right: Option<(usize, usize)>,
}

impl Tangent {
    fn along(direction: Matrix) -> Self {
        Self { direction, left: None, right: None }
    }
}

/// Eigenvalues up to this count as zero.
pub(super) fn zero_of(spectrum: &[f64], tolerances: &Tolerances) -> f64 {
    let largest = spectrum.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    tolerances.flat_curvature.max(tolerances.zero_curvature * UNIT_ROUNDOFF * (spectrum.len() as f64).sqrt()) * largest
}
