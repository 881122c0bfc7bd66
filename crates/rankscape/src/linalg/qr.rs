//! Orthogonal factorizations: orthonormal range and complement.

use super::matrix::Matrix;

/// Thin QR factorization of a matrix with at least as many rows as columns.
pub(crate) fn thin_qr(a: &Matrix) -> (Matrix, Matrix) {
    let found = a.as_ref().qr();
    (Matrix::from_faer(found.compute_thin_Q()), Matrix::from_faer(found.thin_R().to_owned()))
}

/// Orthonormal basis of the orthogonal complement of the span of orthonormal columns `q`.
pub fn orthonormal_complement(q: &Matrix) -> Matrix {
    let (rows, cols) = q.shape();
    if cols == 0 {
        return Matrix::identity(rows);
    }
    let full = Matrix::from_faer(q.as_ref().qr().compute_Q());
    full.columns(cols, rows)
}

/// Orthonormal basis of the span of the `rank` leading left singular vectors.
pub fn orthonormal_range(a: &Matrix, rank: usize) -> Matrix {
    super::svd(a).u.columns(0, rank)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn complement_is_orthonormal() {
        let q = orthonormal_range(&Stream::new(2, 0).normal_matrix(7, 3), 3);
        let c = orthonormal_complement(&q);
        assert_eq!(c.shape(), (7, 4));
        assert!(q.transpose_times(&c).max_abs() < 1e-14);
        assert!((&c.transpose_times(&c) - &Matrix::identity(4)).max_abs() < 1e-14);
    }
}
