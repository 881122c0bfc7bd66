//! The dense real matrix of the public interface.

use std::ops::{Add, Mul, Sub};

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par};

use crate::random::Stream;
use crate::work::{Step, count};

/// A dense real matrix in double precision.
///
/// ```
/// use rankscape::Matrix;
/// let a = Matrix::from_rows(&[vec![1.0, 2.0], vec![3.0, 4.0]]);
/// assert_eq!((&a * &a)[(1, 0)], 15.0);
/// ```
#[derive(Clone, PartialEq)]
pub struct Matrix(Mat<f64>);

impl std::fmt::Debug for Matrix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.to_rows()).finish()
    }
}

impl Matrix {
    /// The `rows x cols` matrix of zeros.
    pub fn zeros(rows: usize, cols: usize) -> Self {
        Self(Mat::zeros(rows, cols))
    }

    /// The identity of size `size`.
    pub fn identity(size: usize) -> Self {
        Self(Mat::identity(size, size))
    }

    /// The matrix whose entry (i, j) is `entry(i, j)`.
    pub fn from_fn(rows: usize, cols: usize, entry: impl FnMut(usize, usize) -> f64) -> Self {
        Self(Mat::from_fn(rows, cols, entry))
    }

    /// The matrix with the given rows; a missing entry of a short row is zero.
    pub fn from_rows(rows: &[Vec<f64>]) -> Self {
        let cols = rows.iter().map(Vec::len).max().unwrap_or(0);
        Self::from_fn(rows.len(), cols, |i, j| rows[i].get(j).copied().unwrap_or(0.0))
    }

    /// The `rows x cols` matrix whose entries are listed column by column; there must be `rows * cols` of them.
    pub(crate) fn from_column_major(rows: usize, cols: usize, entries: &[f64]) -> Self {
        Self(MatRef::from_column_major_slice(entries, rows, cols).to_owned())
    }

    /// The Kronecker product: entry `((i, p), (j, q))` is `self[i, j] * other[p, q]`.
    #[must_use]
    pub fn kronecker(&self, other: &Self) -> Self {
        let (rows, cols) = other.shape();
        let mut out = Self::zeros(self.nrows() * rows, self.ncols() * cols);
        for j in 0..out.ncols() {
            let (left, right) = (self.column(j / cols), other.column(j % cols));
            for (part, &factor) in out.column_mut(j).chunks_exact_mut(rows.max(1)).zip(left) {
                part.iter_mut().zip(right).for_each(|(entry, &value)| *entry = factor * value);
            }
        }
        out
    }

    /// The `rows x cols` diagonal matrix with the given diagonal.
    pub fn from_diagonal(rows: usize, cols: usize, diagonal: &[f64]) -> Self {
        Self::from_fn(rows, cols, |i, j| if i == j { diagonal.get(i).copied().unwrap_or(0.0) } else { 0.0 })
    }

    /// Number of rows.
    pub fn nrows(&self) -> usize {
        self.0.nrows()
    }

    /// Number of columns.
    pub fn ncols(&self) -> usize {
        self.0.ncols()
    }

    /// Rows and columns.
    pub fn shape(&self) -> (usize, usize) {
        (self.nrows(), self.ncols())
    }

    /// The rows as nested vectors.
    pub fn to_rows(&self) -> Vec<Vec<f64>> {
        (0..self.nrows()).map(|i| (0..self.ncols()).map(|j| self.0[(i, j)]).collect()).collect()
    }

    /// Column `j` as a slice.
    pub fn column(&self, j: usize) -> &[f64] {
        self.0.col_as_slice(j)
    }

    /// Column `j` as a mutable slice.
    pub fn column_mut(&mut self, j: usize) -> &mut [f64] {
        self.0.col_as_slice_mut(j)
    }

    /// All entries, column by column.
    pub fn entries(&self) -> impl Iterator<Item = f64> + '_ {
        (0..self.ncols()).flat_map(move |j| self.column(j).iter().copied())
    }

    /// The transpose.
    #[must_use]
    pub fn transpose(&self) -> Self {
        Self(self.0.transpose().to_owned())
    }

    /// The block of `rows x cols` entries whose first entry is (row, col).
    #[must_use]
    pub fn block(&self, row: usize, col: usize, rows: usize, cols: usize) -> Self {
        Self(self.0.submatrix(row, col, rows, cols).to_owned())
    }

    /// Columns `from..to`.
    #[must_use]
    pub fn columns(&self, from: usize, to: usize) -> Self {
        self.block(0, from, self.nrows(), to - from)
    }

    /// Writes `block` with its first entry at (row, col).
    pub fn set_block(&mut self, row: usize, col: usize, block: &Self) {
        self.0.submatrix_mut(row, col, block.nrows(), block.ncols()).copy_from(block.as_ref());
    }

    /// Every entry through `map`.
    #[must_use]
    pub fn map(&self, mut map: impl FnMut(f64) -> f64) -> Self {
        Self::from_fn(self.nrows(), self.ncols(), |i, j| map(self.0[(i, j)]))
    }

    /// Times a number.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        let mut out = self.clone();
        (0..out.ncols()).for_each(|j| out.column_mut(j).iter_mut().for_each(|entry| *entry *= factor));
        out
    }

    /// Column `j` times `factors[j]`.
    #[must_use]
    pub fn scale_columns(&self, factors: &[f64]) -> Self {
        let mut out = self.clone();
        for (j, factor) in factors.iter().enumerate().take(self.ncols()) {
            out.column_mut(j).iter_mut().for_each(|entry| *entry *= factor);
        }
        out
    }

    /// These rows and columns, in this order.
    pub(crate) fn selected(&self, rows: &[usize], columns: &[usize]) -> Self {
        Self::from_fn(rows.len(), columns.len(), |i, j| self.0[(rows[i], columns[j])])
    }

    /// These columns, in this order.
    pub(crate) fn selected_columns(&self, columns: &[usize]) -> Self {
        Self::from_fn(self.nrows(), columns.len(), |i, j| self.0[(i, columns[j])])
    }

    /// `self += factor * other`.
    pub fn add_scaled(&mut self, factor: f64, other: &Self) {
        for j in 0..self.ncols() {
            for (entry, &step) in self.0.col_as_slice_mut(j).iter_mut().zip(other.column(j)) {
                *entry += factor * step;
            }
        }
    }

    /// `self += a * b`.
    pub fn add_product(&mut self, a: &Self, b: &Self) {
        multiply(&mut self.0, Accum::Add, a.as_ref(), b.as_ref());
    }

    /// `self += a * b'`, without forming the transpose.
    pub fn add_product_transposed(&mut self, a: &Self, b: &Self) {
        multiply(&mut self.0, Accum::Add, a.as_ref(), b.0.transpose());
    }

    /// `self' * other`, without forming the transpose.
    #[must_use]
    pub fn transpose_times(&self, other: &Self) -> Self {
        Self(product(self.0.transpose(), other.as_ref()))
    }

    /// `self * other'`, without forming the transpose.
    #[must_use]
    pub fn times_transpose(&self, other: &Self) -> Self {
        Self(product(self.as_ref(), other.0.transpose()))
    }

    /// Takes the part of every column of `x` in the span of the first `count` orthonormal columns off.
    pub(super) fn project_out_block(&self, count: usize, x: &mut Self) {
        let columns = self.0.as_ref().subcols(0, count);
        let c = product(columns.transpose(), x.as_ref());
        matmul(x.0.as_mut(), Accum::Add, columns, c.as_ref(), -1.0, Par::Seq);
    }

    /// Sum of the products of the entries, `tr(self' other)`.
    pub fn dot(&self, other: &Self) -> f64 {
        let mut sum = 0.0;
        for j in 0..self.ncols() {
            self.column(j).iter().zip(other.column(j)).for_each(|(a, b)| sum += a * b);
        }
        sum
    }

    /// Frobenius norm, safe against overflow and underflow of the squares.
    pub fn frobenius_norm(&self) -> f64 {
        let largest = self.max_abs();
        if largest == 0.0 || !largest.is_finite() {
            return largest;
        }
        let scale = power_of_two_near(largest);
        scale * self.entries().map(|entry| (entry / scale).powi(2)).sum::<f64>().sqrt()
    }

    /// The larger of the numbers of rows and columns.
    pub fn larger_dimension(&self) -> usize {
        self.nrows().max(self.ncols())
    }

    /// Largest absolute entry; NaN if there is one.
    pub fn max_abs(&self) -> f64 {
        (0..self.ncols()).map(|j| largest_of(self.column(j))).fold(0.0, |largest: f64, entry| {
            if largest.is_nan() || entry.is_nan() { f64::NAN } else { largest.max(entry) }
        })
    }

    /// Whether every entry is finite.
    pub fn is_finite(&self) -> bool {
        (0..self.ncols()).all(|j| largest_of(self.column(j)).is_finite())
    }

    pub(crate) fn as_ref(&self) -> MatRef<'_, f64> {
        self.0.as_ref()
    }

    pub(crate) fn from_faer(matrix: Mat<f64>) -> Self {
        Self(matrix)
    }

    pub(crate) fn into_faer(self) -> Mat<f64> {
        self.0
    }
}

fn product(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Mat<f64> {
    let mut out = Mat::zeros(a.nrows(), b.ncols());
    multiply(&mut out, Accum::Replace, a, b);
    out
}

fn multiply(out: &mut Mat<f64>, how: Accum, a: MatRef<'_, f64>, b: MatRef<'_, f64>) {
    count(Step::Product);
    matmul(out.as_mut(), how, a, b, 1.0, Par::Seq);
}

/// Largest absolute value; NaN if there is one. Eight running maxima, which the compiler turns into vector code.
fn largest_of(values: &[f64]) -> f64 {
    let (body, tail) = values.as_chunks::<8>();
    let (mut most, mut doubt) = ([0.0_f64; 8], [false; 8]);
    for chunk in body {
        for k in 0..8 {
            let size = chunk[k].abs();
            most[k] = if size > most[k] { size } else { most[k] };
            doubt[k] |= size.is_nan();
        }
    }
    let rest = tail.iter().chain(&most).map(|x| x.abs());
    let nan = doubt.contains(&true) || tail.iter().any(|x| x.is_nan());
    if nan { f64::NAN } else { rest.fold(0.0, f64::max) }
}

/// A power of two within a factor of two of `value`; 1 for zero. Exact to multiply and divide by.
pub fn power_of_two_near(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 1.0;
    }
    2.0_f64.powi(value.abs().log2().round().clamp(-1021.0, 1022.0) as i32)
}

impl std::ops::Index<(usize, usize)> for Matrix {
    type Output = f64;

    fn index(&self, at: (usize, usize)) -> &f64 {
        &self.0[at]
    }
}

impl std::ops::IndexMut<(usize, usize)> for Matrix {
    fn index_mut(&mut self, at: (usize, usize)) -> &mut f64 {
        &mut self.0[at]
    }
}

impl Mul for &Matrix {
    type Output = Matrix;

    fn mul(self, other: &Matrix) -> Matrix {
        Matrix(product(self.as_ref(), other.as_ref()))
    }
}

impl Add for &Matrix {
    type Output = Matrix;

    fn add(self, other: &Matrix) -> Matrix {
        Matrix(&self.0 + &other.0)
    }
}

impl Sub for &Matrix {
    type Output = Matrix;

    fn sub(self, other: &Matrix) -> Matrix {
        Matrix(&self.0 - &other.0)
    }
}

impl Stream {
    /// A `rows x cols` matrix of independent standard normal entries, drawn row by row.
    pub fn normal_matrix(&mut self, rows: usize, cols: usize) -> Matrix {
        let entries: Vec<f64> = (0..rows * cols).map(|_| self.normal()).collect();
        Matrix::from_fn(rows, cols, |i, j| entries[i * cols + j])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frobenius_norm_survives_extreme_scales() {
        for scale in [1e-200, 1.0, 1e200] {
            let matrix = Matrix::from_rows(&[vec![3.0 * scale, 0.0], vec![0.0, 4.0 * scale]]);
            assert!((matrix.frobenius_norm() / (5.0 * scale) - 1.0).abs() < 1e-15);
        }
    }
}
