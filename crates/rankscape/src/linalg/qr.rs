//! Orthogonal factorizations: triangular factor, orthonormal range and complement.

use faer::Mat;
use faer::Par;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::qr::no_pivoting::factor::{qr_in_place, qr_in_place_scratch, recommended_block_size};

use super::matrix::Matrix;

/// Upper triangular (or trapezoidal) factor of a QR factorization, with a non-negative diagonal; `min(rows, cols)`
/// rows. The orthogonal factor is not formed.
pub fn triangular_factor(a: Matrix) -> Matrix {
    let mut a = a.into_faer();
    factor_in_place(&mut a);
    let size = a.nrows().min(a.ncols());
    let r =
        Mat::from_fn(
            size,
            a.ncols(),
            |i, j| if i <= j { if a[(i, i)] < 0.0 { -a[(i, j)] } else { a[(i, j)] } } else { 0.0 },
        );
    Matrix::from_faer(r)
}

fn factor_in_place(a: &mut Mat<f64>) {
    let (rows, cols) = a.shape();
    let size = rows.min(cols);
    if size == 0 {
        return;
    }
    let block = recommended_block_size::<f64>(rows, cols);
    let mut coefficients = Mat::zeros(block, size);
    let mut buffer = MemBuffer::new(qr_in_place_scratch::<f64>(rows, cols, block, Par::Seq, Default::default()));
    qr_in_place(a.as_mut(), coefficients.as_mut(), Par::Seq, MemStack::new(&mut buffer), Default::default());
}

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
    fn triangular_factor_has_the_gram_matrix_and_a_non_negative_diagonal() {
        for (rows, cols) in [(1, 1), (3, 7), (50, 9), (9, 9), (4, 0), (0, 4)] {
            let a = Stream::new(1, 0).normal_matrix(rows, cols);
            let r = triangular_factor(a.clone());
            assert_eq!(r.shape(), (rows.min(cols), cols));
            assert!((&r.transpose_times(&r) - &a.transpose_times(&a)).max_abs() < 1e-12);
            for i in 0..r.nrows() {
                assert!(r[(i, i)] >= 0.0 && (0..i).all(|j| r[(i, j)] == 0.0));
            }
        }
    }

    #[test]
    fn complement_is_orthonormal() {
        let q = orthonormal_range(&Stream::new(2, 0).normal_matrix(7, 3), 3);
        let c = orthonormal_complement(&q);
        assert_eq!(c.shape(), (7, 4));
        assert!(q.transpose_times(&c).max_abs() < 1e-14);
        assert!((&c.transpose_times(&c) - &Matrix::identity(4)).max_abs() < 1e-14);
    }
}
