//! A large matrix in the type of its file: half the memory and half the time of double precision where that is single.
//!
//! It is only ever multiplied by thin blocks. Products of a single-precision matrix are formed in single precision, with relative
//! errors of about `2^-24`; what needs more takes [`LargeMatrix::to_matrix`].

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par};
use rayon::prelude::*;

use super::matrix::{Matrix, power_of_two_near};

/// A dense matrix, row by row as files store it, times a power of two.
#[derive(Debug, Clone)]
pub struct LargeMatrix {
    /// As stored.
    rows: usize,
    cols: usize,
    /// The matrix meant is the transpose of the stored one.
    transposed: bool,
    /// The largest entry is about 1, so that no product of single-precision numbers overflows or vanishes.
    entries: Entries,
    scale: f64,
}

#[derive(Debug, Clone)]
enum Entries {
    Single(Vec<f32>),
    Double(Vec<f64>),
}

/// Rows of the result that one task computes: the same for any number of threads, and so is the result.
const CHUNK: usize = 512;

impl LargeMatrix {
    /// From numbers of single precision or less, row by row. Not finite entries stay as they are.
    pub fn single(rows: usize, cols: usize, mut entries: Vec<f32>) -> Self {
        debug_assert_eq!(entries.len(), rows * cols, "one entry a place");
        let largest = entries.iter().fold(0.0_f32, |most, x| if x.abs() > most { x.abs() } else { most });
        let scale = power_of_two_near(f64::from(largest));
        // Both are exact unless an entry is below 2^-126 of the largest.
        if !(MODERATE.recip()..MODERATE).contains(&scale) {
            for x in &mut entries {
                *x = (f64::from(*x) / scale) as f32;
            }
            return Self { rows, cols, transposed: false, entries: Entries::Single(entries), scale };
        }
        Self { rows, cols, transposed: false, entries: Entries::Single(entries), scale: 1.0 }
    }

    /// From numbers of double precision, row by row.
    pub fn double(rows: usize, cols: usize, entries: Vec<f64>) -> Self {
        debug_assert_eq!(entries.len(), rows * cols, "one entry a place");
        Self { rows, cols, transposed: false, entries: Entries::Double(entries), scale: 1.0 }
    }

    /// The transpose, without moving an entry.
    #[must_use]
    pub fn transposed(mut self) -> Self {
        self.transposed = !self.transposed;
        self
    }

    /// Rows and columns.
    pub fn shape(&self) -> (usize, usize) {
        if self.transposed { (self.cols, self.rows) } else { (self.rows, self.cols) }
    }

    /// The first stored entry that is not finite, with its index row by row.
    pub fn first_not_finite(&self) -> Option<(usize, f64)> {
        match &self.entries {
            Entries::Single(entries) => {
                entries.iter().position(|x| !x.is_finite()).map(|at| (at, f64::from(entries[at])))
            }
            Entries::Double(entries) => entries.iter().position(|x| !x.is_finite()).map(|at| (at, entries[at])),
        }
    }

    /// Unit roundoff of products.
    pub fn unit_roundoff(&self) -> f64 {
        match self.entries {
            Entries::Single(_) => f64::from(f32::EPSILON) / 2.0,
            Entries::Double(_) => f64::EPSILON / 2.0,
        }
    }

    /// `A X`.
    pub fn times(&self, x: &Matrix) -> Matrix {
        self.product(x, self.transposed)
    }

    /// `A' X`.
    pub fn transpose_times(&self, x: &Matrix) -> Matrix {
        self.product(x, !self.transposed)
    }

    /// In double precision, exactly.
    pub fn to_matrix(&self) -> Matrix {
        let at = |i: usize, j: usize| match &self.entries {
            Entries::Single(entries) => f64::from(entries[i * self.cols + j]) * self.scale,
            Entries::Double(entries) => entries[i * self.cols + j] * self.scale,
        };
        let (rows, cols) = self.shape();
        Matrix::from_fn(rows, cols, |i, j| if self.transposed { at(j, i) } else { at(i, j) })
    }

    /// Columns `from..to`, exactly.
    pub fn columns(&self, from: usize, to: usize) -> Matrix {
        let at = |i: usize, j: usize| match &self.entries {
            Entries::Single(entries) => f64::from(entries[i * self.cols + j]) * self.scale,
            Entries::Double(entries) => entries[i * self.cols + j] * self.scale,
        };
        Matrix::from_fn(
            self.shape().0,
            to - from,
            |i, j| {
                if self.transposed { at(from + j, i) } else { at(i, from + j) }
            },
        )
    }

    /// The stored matrix or its transpose times `x`, rows of the result in chunks of fixed size.
    fn product(&self, x: &Matrix, transpose: bool) -> Matrix {
        let result = match &self.entries {
            Entries::Single(entries) => {
                let x = Mat::from_fn(x.nrows(), x.ncols(), |i, j| x[(i, j)] as f32);
                let stored = MatRef::from_row_major_slice(entries, self.rows, self.cols);
                let chunks = chunked(stored, transpose, x.as_ref());
                assemble(&chunks, x.ncols(), |x: f32| f64::from(x))
            }
            Entries::Double(entries) => {
                let stored = MatRef::from_row_major_slice(entries, self.rows, self.cols);
                let chunks = chunked(stored, transpose, x.as_ref());
                assemble(&chunks, x.ncols(), |x: f64| x)
            }
        };
        if self.scale == 1.0 { result } else { result.scaled(self.scale) }
    }
}

/// Single-precision entries of this size have products and sums far from overflow and underflow.
const MODERATE: f64 = 1e6;

fn chunked<T>(stored: MatRef<'_, T>, transpose: bool, x: MatRef<'_, T>) -> Vec<Mat<T>>
where
    T: faer::traits::ComplexField + Copy + Send + Sync,
{
    let left = if transpose { stored.transpose() } else { stored };
    let rows = left.nrows();
    let one = |first: usize| {
        let count = CHUNK.min(rows - first);
        let mut out = Mat::zeros(count, x.ncols());
        matmul(out.as_mut(), Accum::Replace, left.subrows(first, count), x, T::one_impl(), Par::Seq);
        out
    };
    let starts: Vec<usize> = (0..rows).step_by(CHUNK).collect();
    match rayon::current_thread_index() {
        Some(_) => starts.into_par_iter().map(one).collect(),
        None => starts.into_iter().map(one).collect(),
    }
}

fn assemble<T: faer::traits::ComplexField + Copy>(chunks: &[Mat<T>], cols: usize, wide: impl Fn(T) -> f64) -> Matrix {
    let rows = chunks.iter().map(Mat::nrows).sum();
    let mut out = Matrix::zeros(rows, cols);
    for j in 0..cols {
        let column = out.column_mut(j);
        let mut at = 0;
        for chunk in chunks {
            let part = chunk.col(j);
            for i in 0..chunk.nrows() {
                column[at + i] = wide(part[i]);
            }
            at += chunk.nrows();
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn products_are_those_of_the_dense_matrix() {
        let mut stream = Stream::new(7, 0);
        for (rows, cols) in [(5, 3), (700, 40), (1, 600)] {
            let (m, x, y) =
                (stream.normal_matrix(rows, cols), stream.normal_matrix(cols, 3), stream.normal_matrix(rows, 2));
            let m = m.map(|x| f64::from(x as f32));
            for scale in [1.0, 2.0_f64.powi(-90), 2.0_f64.powi(100)] {
                let entries: Vec<f64> = m.to_rows().concat().iter().map(|x| x * scale).collect();
                let single = LargeMatrix::single(rows, cols, entries.iter().map(|&x| x as f32).collect());
                let double = LargeMatrix::double(rows, cols, entries);
                for (large, error) in [(&single, 1e-5), (&double, 1e-13)] {
                    assert!(large.to_matrix() == m.scaled(scale));
                    assert!(large.columns(1, cols) == m.scaled(scale).columns(1, cols));
                    let turned = large.clone().transposed();
                    assert_eq!((large.shape(), turned.shape()), ((rows, cols), (cols, rows)));
                    assert!(turned.to_matrix() == m.scaled(scale).transpose());
                    for (found, expected) in [
                        (large.times(&x), &m * &x),
                        (turned.transpose_times(&x), &m * &x),
                        (large.transpose_times(&y), m.transpose_times(&y)),
                        (turned.times(&y), m.transpose_times(&y)),
                    ] {
                        let off = (&found.scaled(1.0 / scale) - &expected).frobenius_norm();
                        assert!(off <= error * expected.frobenius_norm(), "{rows} {cols} {scale} {off}");
                    }
                }
            }
        }
        let infinite = LargeMatrix::single(1, 3, vec![0.0, f32::INFINITY, 1.0]);
        assert_eq!(infinite.first_not_finite(), Some((1, f64::INFINITY)));
    }
}
