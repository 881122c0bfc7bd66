//! Singular values and vectors, with scaling and fallbacks; rank with its gap.

use super::matrix::{Matrix, power_of_two_near};
use super::qr::thin_qr;
use crate::evidence::RankDecision;
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};
use crate::work::{Step, count};

/// Thin singular value decomposition `A = U diag(s) V'` with non-increasing `s` of length `min(rows, cols)`.
#[derive(Debug, Clone)]
pub struct Svd {
    /// Left singular vectors, one a column.
    pub u: Matrix,
    /// Singular values, non-increasing.
    pub s: Vec<f64>,
    /// Right singular vectors, one a column.
    pub v: Matrix,
}

impl Svd {
    /// `U_k diag(s_k) V_k'`, the best approximation of rank at most `rank` (Eckart and Young).
    pub fn truncated(&self, rank: usize) -> Matrix {
        let kept = rank.min(self.s.len());
        self.u.columns(0, kept).scale_columns(&self.s[..kept]).times_transpose(&self.v.columns(0, kept))
    }
}

/// Thin singular value decomposition of a finite matrix of any scale.
///
/// Tall or wide matrices (more than twice as long in one direction) are reduced by a QR factorization first. When the
/// library's iteration does not converge, the transpose, and then one-sided Jacobi rotations, are tried.
pub fn svd(a: &Matrix) -> Svd {
    count(Step::Decomposition);
    let largest = a.max_abs();
    if largest == 0.0 || !largest.is_finite() {
        return zero_svd(a.nrows(), a.ncols());
    }
    let scale = power_of_two_near(largest);
    let mut result = svd_of_scaled(&a.scaled(1.0 / scale));
    for value in &mut result.s {
        *value *= scale;
    }
    result
}

/// Singular values alone, non-increasing, each to rounding errors of the largest; nothing is proved of them.
pub fn singular_values(a: &Matrix) -> Vec<f64> {
    count(Step::Decomposition);
    let largest = a.max_abs();
    if largest == 0.0 || !largest.is_finite() {
        return vec![0.0; a.nrows().min(a.ncols())];
    }
    let scale = power_of_two_near(largest);
    let mut scaled = a.scaled(1.0 / scale);
    if scaled.nrows() < scaled.ncols() {
        scaled = scaled.transpose();
    }
    if scaled.nrows() > 2 * scaled.ncols() {
        scaled = super::triangular::triangular_factor(scaled);
    }
    let values = scaled.as_ref().singular_values().unwrap_or_else(|_| svd_of_scaled(&scaled).s);
    values.into_iter().map(|value| value * scale).collect()
}

/// Orthonormal basis of the span of the `rank` leading left singular vectors.
pub fn orthonormal_range(a: &Matrix, rank: usize) -> Matrix {
    svd(a).u.columns(0, rank)
}

/// Largest singular value to rounding errors: no upper bound.
pub fn spectral_norm(a: &Matrix) -> f64 {
    singular_values(a).first().copied().unwrap_or(0.0)
}

/// Rank of a matrix given in double precision, relative to its largest singular value.
///
/// A singular value counts as zero when it is at most
/// `tolerances.rank * 2^-53 * sqrt(max(rows, cols)) * largest`.
pub fn rank(a: &Matrix, tolerances: &Tolerances) -> RankDecision {
    let values = singular_values(a);
    let scale = values.first().copied().unwrap_or(0.0);
    let zero = tolerances.relative_rounding(UNIT_ROUNDOFF, a.larger_dimension()) * scale;
    RankDecision::from_singular_values(&values, zero, tolerances.rank_gap, scale)
}

fn zero_svd(rows: usize, cols: usize) -> Svd {
    let size = rows.min(cols);
    let basis = |len: usize| Matrix::from_fn(len, size, |i, j| f64::from(u8::from(i == j)));
    Svd { u: basis(rows), s: vec![0.0; size], v: basis(cols) }
}

fn svd_of_scaled(a: &Matrix) -> Svd {
    if a.nrows() < a.ncols() {
        let Svd { u, s, v } = svd_of_scaled(&a.transpose());
        return Svd { u: v, s, v: u };
    }
    if a.nrows() > 2 * a.ncols() {
        let (q, r) = thin_qr(a);
        let Svd { u, s, v } = svd_of_scaled(&r);
        return Svd { u: &q * &u, s, v };
    }
    library_svd(a)
        .or_else(|| library_svd(&a.transpose()).map(|t| Svd { u: t.v, s: t.s, v: t.u }))
        .unwrap_or_else(|| jacobi_svd(a))
}

fn library_svd(a: &Matrix) -> Option<Svd> {
    let found = a.as_ref().thin_svd().ok()?;
    let s = found.S().column_vector().iter().copied().collect();
    Some(Svd { u: Matrix::from_faer(found.U().to_owned()), s, v: Matrix::from_faer(found.V().to_owned()) })
}

/// One-sided Jacobi rotations on the triangular factor: slow, always convergent, high relative accuracy.
fn jacobi_svd(a: &Matrix) -> Svd {
    let (q, r) = thin_qr(a);
    let size = r.ncols();
    let mut work = r;
    let mut v = Matrix::identity(size);
    for _sweep in 0..60 {
        let mut rotated = false;
        for p in 0..size {
            for q in p + 1..size {
                rotated |= rotate(&mut work, &mut v, p, q);
            }
        }
        if !rotated {
            break;
        }
    }
    let norms: Vec<f64> = (0..size).map(|j| column_norm(&work, j)).collect();
    let mut order: Vec<usize> = (0..size).collect();
    order.sort_by(|&i, &j| norms[j].total_cmp(&norms[i]));
    let left = left_vectors(&work, &norms, &order);
    Svd {
        u: &q * &left,
        s: order.iter().map(|&j| norms[j]).collect(),
        v: Matrix::from_fn(size, size, |i, j| v[(i, order[j])]),
    }
}

/// The same for a matrix with at least as many rows as columns that is well conditioned but for the sizes of its columns, largest
/// first: small singular values keep their relative accuracy. `None` if an entry is not finite.
pub fn graded_svd(a: &Matrix) -> Option<Svd> {
    let largest = a.max_abs();
    if !largest.is_finite() || a.nrows() < a.ncols() {
        return None;
    }
    let scale = power_of_two_near(largest);
    let mut found = jacobi_svd(&a.scaled(1.0 / scale));
    found.s.iter_mut().for_each(|value| *value *= scale);
    Some(found)
}

fn column_norm(a: &Matrix, j: usize) -> f64 {
    a.column(j).iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn rotate(work: &mut Matrix, v: &mut Matrix, p: usize, q: usize) -> bool {
    let dot = |i: usize, j: usize| -> f64 { work.column(i).iter().zip(work.column(j)).map(|(x, y)| x * y).sum() };
    let (alpha, beta, gamma) = (dot(p, p), dot(q, q), dot(p, q));
    if gamma.abs() <= f64::EPSILON * (alpha * beta).sqrt() || gamma == 0.0 {
        return false;
    }
    let zeta = (beta - alpha) / (2.0 * gamma);
    let t = zeta.signum() / (zeta.abs() + zeta.hypot(1.0));
    let c = 1.0 / t.hypot(1.0);
    for matrix in [work, v] {
        for i in 0..matrix.nrows() {
            let (x, y) = (matrix[(i, p)], matrix[(i, q)]);
            matrix[(i, p)] = c * (x - t * y);
            matrix[(i, q)] = c * (t * x + y);
        }
    }
    true
}

/// Normalized columns in the given order; columns of norm zero are replaced by an orthonormal completion.
fn left_vectors(work: &Matrix, norms: &[f64], order: &[usize]) -> Matrix {
    let size = work.ncols();
    let kept = order.iter().take_while(|&&j| norms[j] > 0.0).count();
    let mut left = Matrix::zeros(work.nrows(), size);
    for (k, &j) in order[..kept].iter().enumerate() {
        for i in 0..work.nrows() {
            left[(i, k)] = work[(i, j)] / norms[j];
        }
    }
    let completion = super::qr::orthonormal_complement(&left.columns(0, kept));
    left.set_block(0, kept, &completion.columns(0, size - kept));
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    fn check(a: &Matrix, found: &Svd) {
        let scale = found.s.first().copied().unwrap_or(0.0).max(f64::MIN_POSITIVE);
        let rebuilt = found.u.scale_columns(&found.s).times_transpose(&found.v);
        assert!((&rebuilt - a).scaled(1.0 / scale).max_abs() < 1e-13);
        let size = found.s.len();
        for q in [&found.u, &found.v] {
            assert!((&q.transpose_times(q) - &Matrix::identity(size)).max_abs() < 1e-13);
        }
        assert!(found.s.windows(2).all(|pair| pair[0] >= pair[1]));
    }

    #[test]
    fn svd_rebuilds_matrices_of_every_shape_and_scale() {
        for (k, &(rows, cols)) in [(1, 1), (1, 7), (7, 1), (5, 5), (40, 6), (6, 40), (9, 8)].iter().enumerate() {
            for scale in [1e-300, 1e-160, 1.0, 1e155, 1e300] {
                let a = Stream::new(1, k as u64).normal_matrix(rows, cols).scaled(scale);
                let found = svd(&a);
                check(&a, &found);
                let values = singular_values(&a);
                assert!(values.iter().zip(&found.s).all(|(x, y)| (x - y).abs() <= 1e-13 * found.s[0]));
            }
        }
    }

    #[test]
    fn jacobi_agrees_and_completes_the_basis_of_a_singular_matrix() {
        let mut stream = Stream::new(2, 0);
        let a = &stream.normal_matrix(8, 3) * &stream.normal_matrix(3, 6);
        check(&a, &jacobi_svd(&a));
        check(&Matrix::zeros(4, 3), &jacobi_svd(&Matrix::zeros(4, 3)));
    }

    #[test]
    fn rank_reports_the_gap() {
        let mut stream = Stream::new(3, 0);
        let a = &stream.normal_matrix(8, 3) * &stream.normal_matrix(3, 6);
        let decision = rank(&a, &Tolerances::default());
        assert_eq!((decision.rank, decision.clear), (3, true));
        assert!(decision.above.unwrap() > 0.1 && decision.below.unwrap() < 1e-13);
        assert_eq!(rank(&Matrix::zeros(3, 2), &Tolerances::default()).rank, 0);
    }
}
