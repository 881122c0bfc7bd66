//! Triangular factors: of one matrix, of rows as they lie in memory, and of two triangles on top of each other.

use faer::{Mat, MatMut};

use super::householder::{PANEL, Reflectors, factor_panels};
use super::matrix::Matrix;
use super::narrow::absorb;

/// Up to this many columns, a matrix in memory is factored a slice of rows at a time.
const NARROW: usize = 64;

/// Rows of such a slice.
const SLICE: usize = 256;

/// Rows that are absorbed together, so that a panel stays in the cache.
const CHUNK: usize = 1024;

/// Upper triangular (or trapezoidal) factor of a QR factorization, with a non-negative diagonal; `min(rows, cols)`
/// rows. The orthogonal factor is not formed.
pub fn triangular_factor(a: Matrix) -> Matrix {
    let mut a = a.into_faer();
    Matrix::from_faer(with_non_negative_diagonal(factor_dense(a.as_mut())))
}

/// Triangular factor of a tall matrix, or of the transpose of a wide one, without a copy of the whole: a few rows at a time
/// join the factor of those before.
pub fn triangular_factor_of(a: &Matrix) -> Matrix {
    let transposed = a.nrows() < a.ncols();
    let (rows, cols) = if transposed { (a.ncols(), a.nrows()) } else { a.shape() };
    if cols > NARROW || rows < SLICE {
        return triangular_factor(if transposed { a.transpose() } else { a.clone() });
    }
    let mut factor = Mat::<f64>::zeros(cols, cols);
    let mut slice = Mat::zeros(SLICE, cols);
    for from in (0..rows).step_by(SLICE) {
        let mut slice = slice.as_mut().subrows_mut(0, SLICE.min(rows - from));
        if transposed {
            slice.copy_from(a.as_ref().subcols(from, slice.nrows()).transpose());
        } else {
            slice.copy_from(a.as_ref().subrows(from, slice.nrows()));
        }
        absorb(factor.as_mut(), slice);
    }
    Matrix::from_faer(with_non_negative_diagonal(factor))
}

/// Triangular factor of `[scale_0 a_0, scale_1 a_1, ...]`, where the rows of `a` follow each other in `rows`.
pub(crate) fn triangular_factor_of_rows(rows: &[f64], scales: &[f64]) -> Matrix {
    let cols = scales.len();
    let chunk = CHUNK.max(2 * cols);
    let mut factor: Option<Mat<f64>> = None;
    for part in rows.chunks(chunk * cols.max(1)) {
        let mut part = scaled_columns(part, scales);
        factor = Some(match factor {
            None => factor_dense(part.as_mut()),
            Some(top) => stack_and_factor(top, part, Shape::Dense),
        });
    }
    Matrix::from_faer(with_non_negative_diagonal(factor.unwrap_or_else(|| Mat::zeros(0, cols))))
}

/// Triangular factor of `[top; bottom]` for two triangular factors of equally many columns.
pub fn merge_triangular(top: Matrix, bottom: Matrix) -> Matrix {
    let merged = stack_and_factor(top.into_faer(), bottom.into_faer(), Shape::Triangular);
    Matrix::from_faer(with_non_negative_diagonal(merged))
}

/// What is known of the lower part of a stack.
#[derive(Clone, Copy)]
enum Shape {
    Dense,
    Triangular,
}

fn stack_and_factor(mut top: Mat<f64>, mut bottom: Mat<f64>, shape: Shape) -> Mat<f64> {
    let cols = top.ncols();
    if top.nrows() == cols {
        eliminate(top.as_mut(), bottom.as_mut(), shape);
        return top;
    }
    let (above, below) = (top.nrows(), bottom.nrows());
    let mut stack = Mat::zeros(above + below, cols);
    stack.as_mut().subrows_mut(0, above).copy_from(top.as_ref());
    stack.as_mut().subrows_mut(above, below).copy_from(bottom.as_ref());
    factor_dense(stack.as_mut())
}

/// Turns `[top; bottom]` with a square upper triangle on top into `[R; 0]`, with R left in `top`.
///
/// A panel of columns of a triangular `bottom` has no entries below its last column, so the cost is `2/3 n^3`.
fn eliminate(mut top: MatMut<'_, f64>, mut bottom: MatMut<'_, f64>, shape: Shape) {
    let cols = top.ncols();
    for from in (0..cols).step_by(PANEL) {
        let width = PANEL.min(cols - from);
        let (to, rest) = (from + width, cols - from - width);
        let below = match shape {
            Shape::Dense => bottom.nrows(),
            Shape::Triangular => bottom.nrows().min(to),
        };
        let mut panel = Mat::zeros(width + below, width);
        panel.as_mut().subrows_mut(0, width).copy_from(top.as_ref().submatrix(from, from, width, width));
        panel.as_mut().subrows_mut(width, below).copy_from(bottom.as_ref().submatrix(0, from, below, width));
        let found = Reflectors::of(panel);
        top.as_mut().submatrix_mut(from, from, width, width).copy_from(&found.r);
        let trailing = top.as_mut().submatrix_mut(from, to, width, rest);
        found.apply_transpose(trailing, bottom.as_mut().submatrix_mut(0, to, below, rest));
    }
}

/// The `min(rows, cols)` rows of R.
fn factor_dense(a: MatMut<'_, f64>) -> Mat<f64> {
    factor_panels(a, drop)
}

fn with_non_negative_diagonal(mut r: Mat<f64>) -> Mat<f64> {
    let signs: Vec<f64> = (0..r.nrows()).map(|i| if r[(i, i)] < 0.0 { -1.0 } else { 1.0 }).collect();
    for j in 0..r.ncols() {
        for (entry, sign) in r.col_as_slice_mut(j).iter_mut().zip(&signs) {
            *entry = *entry * sign + 0.0;
        }
    }
    r
}

/// The matrix with the given rows, column `j` times `scales[j]`.
fn scaled_columns(rows: &[f64], scales: &[f64]) -> Mat<f64> {
    let cols = scales.len();
    let count = rows.len().checked_div(cols).unwrap_or(0);
    let mut out = Mat::zeros(count, cols);
    const TILE: usize = 16;
    for from in (0..cols).step_by(TILE) {
        let to = (from + TILE).min(cols);
        for j in from..to {
            let column = out.col_as_slice_mut(j);
            for (entry, row) in column.iter_mut().zip(rows.chunks_exact(cols)) {
                *entry = row[j] * scales[j];
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    fn assert_is_factor(r: &Matrix, a: &Matrix) {
        assert_eq!(r.shape(), (a.nrows().min(a.ncols()), a.ncols()));
        let scale = a.frobenius_norm().powi(2).max(1.0);
        assert!((&r.transpose_times(r) - &a.transpose_times(a)).max_abs() < 1e-14 * scale);
        for i in 0..r.nrows() {
            assert!(r[(i, i)] >= 0.0 && (0..i).all(|j| r[(i, j)] == 0.0));
        }
    }

    #[test]
    fn triangular_factor_has_the_gram_matrix_and_a_non_negative_diagonal() {
        for (rows, cols) in [(1, 1), (3, 7), (50, 9), (9, 9), (4, 0), (0, 4), (300, 130), (100, 130)] {
            let a = Stream::new(1, 0).normal_matrix(rows, cols);
            assert_is_factor(&triangular_factor(a.clone()), &a);
        }
    }

    #[test]
    fn factor_in_slices_is_that_of_the_whole_or_of_the_transpose() {
        for (rows, cols) in [(1024, 16), (1500, 3), (2049, 64), (1100, 80), (40, 7), (5, 5)] {
            let a = Stream::new(4, 0).normal_matrix(rows, cols);
            assert_is_factor(&triangular_factor_of(&a), &a);
            if rows > cols {
                assert_is_factor(&triangular_factor_of(&a.transpose()), &a);
            }
        }
    }

    #[test]
    fn rows_in_chunks_have_the_factor_of_the_whole() {
        for (rows, cols) in [(0, 3), (1, 3), (2500, 5), (2500, 70), (1024, 1), (1025, 2)] {
            let a = Stream::new(2, 0).normal_matrix(rows, cols);
            let flat: Vec<f64> = a.to_rows().concat();
            assert_is_factor(&triangular_factor_of_rows(&flat, &vec![1.0; cols]), &a);
        }
    }

    #[test]
    fn merged_triangles_have_the_sum_of_the_gram_matrices() {
        for (above, below, cols) in [(9, 9, 9), (200, 150, 150), (3, 2, 7), (150, 20, 150), (0, 4, 3)] {
            let a = Stream::new(3, 0).normal_matrix(above, cols);
            let b = Stream::new(3, 1).normal_matrix(below, cols);
            let mut stack = Matrix::zeros(above + below, cols);
            stack.set_block(0, 0, &a);
            stack.set_block(above, 0, &b);
            assert_is_factor(&merge_triangular(triangular_factor(a), triangular_factor(b)), &stack);
        }
    }

    #[test]
    fn a_column_that_is_small_beside_its_dependence_is_kept() {
        for rows in [100, 1000] {
            let a = Matrix::from_fn(rows, 2, |i, j| if j == 1 && i == 1 { 1.0 + 1e-12 } else { 1.0 });
            for r in [triangular_factor(a.clone()), triangular_factor_of(&a)] {
                assert!((r[(1, 1)] - 1e-12).abs() < 0.05e-12, "{}", r[(1, 1)]);
            }
        }
    }
}
