//! Orthogonal factorizations and orthonormal complements.

use faer::Mat;

use super::householder::{Reflectors, apply_panels, factor_panels};
use super::matrix::Matrix;

/// Thin QR factorization of a matrix with at least as many rows as columns.
pub(crate) fn thin_qr(a: &Matrix) -> (Matrix, Matrix) {
    let mut panels = Vec::new();
    let r = factor_panels(a.clone().into_faer().as_mut(), |panel| panels.push(panel));
    (columns_of_q(&panels, a.nrows(), 0, a.ncols()), Matrix::from_faer(r))
}

/// Orthonormal basis of the orthogonal complement of the span of orthonormal columns `q`.
pub fn orthonormal_complement(q: &Matrix) -> Matrix {
    let (rows, cols) = q.shape();
    let mut panels = Vec::new();
    factor_panels(q.clone().into_faer().as_mut(), |panel| panels.push(panel));
    columns_of_q(&panels, rows, cols, rows)
}

/// Orthogonal matrix whose leading columns are the orthonormal columns `q`.
pub fn orthonormal_completion(q: &Matrix) -> Matrix {
    let (rows, cols) = q.shape();
    let mut basis = Matrix::zeros(rows, rows);
    basis.set_block(0, 0, q);
    basis.set_block(0, cols, &orthonormal_complement(q));
    basis
}

/// Columns `from..to` of the orthogonal factor.
fn columns_of_q(panels: &[Reflectors], rows: usize, from: usize, to: usize) -> Matrix {
    let mut q = Mat::from_fn(rows, to - from, |i, j| f64::from(u8::from(i == from + j)));
    apply_panels(panels, q.as_mut());
    Matrix::from_faer(q)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn thin_factorization_of_every_shape_has_orthonormal_columns() {
        for (rows, cols) in [(0, 0), (3, 0), (1, 1), (9, 4), (70, 66), (200, 130), (130, 130)] {
            let a = Stream::new(3, 0).normal_matrix(rows, cols);
            let (q, r) = thin_qr(&a);
            assert!((&q.transpose_times(&q) - &Matrix::identity(cols)).max_abs() < 1e-13);
            assert!((&(&q * &r) - &a).max_abs() < 1e-13);
        }
    }

    #[test]
    fn a_column_that_nearly_depends_on_another_still_has_an_orthogonal_remainder() {
        let a = Matrix::from_fn(100, 2, |i, j| if j == 1 && i == 1 { 1.0 + 1e-13 } else { 1.0 });
        let (q, r) = thin_qr(&a);
        assert!((r[(1, 1)].abs() - 1e-13 * 0.99_f64.sqrt()).abs() < 0.05e-13);
        assert!(q.transpose_times(&q)[(0, 1)].abs() < 1e-15);
    }

    #[test]
    fn complement_is_orthonormal() {
        let (q, _) = thin_qr(&Stream::new(2, 0).normal_matrix(7, 3));
        let c = orthonormal_complement(&q);
        assert_eq!(c.shape(), (7, 4));
        assert!(q.transpose_times(&c).max_abs() < 1e-14);
        assert!((&c.transpose_times(&c) - &Matrix::identity(4)).max_abs() < 1e-14);
    }
}
