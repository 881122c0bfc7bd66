//! A row-major matrix with the operations that the references need, written for clarity.

use std::ops::{Index, IndexMut};

use crate::random::Draw;
use crate::scalar::{Rational, Scalar};

/// Matrix over `f64`.
pub type Dense = Grid<f64>;

/// Row-major matrix; either side may be 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid<T> {
    rows: usize,
    cols: usize,
    entries: Vec<T>,
}

impl<T> Index<(usize, usize)> for Grid<T> {
    type Output = T;

    fn index(&self, (i, j): (usize, usize)) -> &T {
        assert!(i < self.rows && j < self.cols, "({i}, {j}) is outside {} x {}", self.rows, self.cols);
        &self.entries[i * self.cols + j]
    }
}

impl<T> IndexMut<(usize, usize)> for Grid<T> {
    fn index_mut(&mut self, (i, j): (usize, usize)) -> &mut T {
        assert!(i < self.rows && j < self.cols, "({i}, {j}) is outside {} x {}", self.rows, self.cols);
        &mut self.entries[i * self.cols + j]
    }
}

impl<T: Scalar> Grid<T> {
    /// Entries from a function of row and column, called row by row.
    pub fn from_fn(rows: usize, cols: usize, mut entry: impl FnMut(usize, usize) -> T) -> Self {
        let mut entries = Vec::with_capacity(rows * cols);
        for i in 0..rows {
            for j in 0..cols {
                entries.push(entry(i, j));
            }
        }
        Self { rows, cols, entries }
    }

    /// All zeros.
    pub fn zeros(rows: usize, cols: usize) -> Self {
        Self::from_fn(rows, cols, |_, _| T::zero())
    }

    /// The identity.
    pub fn identity(n: usize) -> Self {
        Self::from_fn(n, n, |i, j| if i == j { T::one() } else { T::zero() })
    }

    /// `rows x cols` with `values` on the diagonal.
    pub fn diagonal(rows: usize, cols: usize, values: &[T]) -> Self {
        Self::from_fn(rows, cols, |i, j| if i == j && i < values.len() { values[i].clone() } else { T::zero() })
    }

    /// Random entries, [`Scalar::draw`].
    pub fn draw(draw: &mut Draw, rows: usize, cols: usize) -> Self {
        Self::from_fn(rows, cols, |_, _| T::draw(draw))
    }

    /// From nested rows, all of one length.
    pub fn from_rows(rows: &[Vec<T>]) -> Self {
        let cols = rows.first().map_or(0, Vec::len);
        assert!(rows.iter().all(|row| row.len() == cols), "rows differ in length");
        Self::from_fn(rows.len(), cols, |i, j| rows[i][j].clone())
    }

    /// As nested rows.
    pub fn to_rows(&self) -> Vec<Vec<T>> {
        (0..self.rows).map(|i| (0..self.cols).map(|j| self[(i, j)].clone()).collect()).collect()
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Entries, row by row.
    pub fn entries(&self) -> &[T] {
        &self.entries
    }

    /// Transpose.
    pub fn transpose(&self) -> Self {
        Self::from_fn(self.cols, self.rows, |i, j| self[(j, i)].clone())
    }

    /// Product.
    pub fn matmul(&self, other: &Self) -> Self {
        assert_eq!(self.cols, other.rows, "shapes do not chain");
        Self::from_fn(self.rows, other.cols, |i, j| {
            (0..self.cols).fold(T::zero(), |sum, k| sum + self[(i, k)].clone() * other[(k, j)].clone())
        })
    }

    /// Sum.
    pub fn add(&self, other: &Self) -> Self {
        assert_eq!((self.rows, self.cols), (other.rows, other.cols), "shapes differ");
        Self::from_fn(self.rows, self.cols, |i, j| self[(i, j)].clone() + other[(i, j)].clone())
    }

    /// Difference.
    pub fn sub(&self, other: &Self) -> Self {
        self.add(&other.scale(&-T::one()))
    }

    /// Multiple.
    pub fn scale(&self, factor: &T) -> Self {
        Self::from_fn(self.rows, self.cols, |i, j| self[(i, j)].clone() * factor.clone())
    }

    /// Sum of the products of corresponding entries.
    pub fn dot(&self, other: &Self) -> T {
        assert_eq!((self.rows, self.cols), (other.rows, other.cols), "shapes differ");
        self.entries.iter().zip(&other.entries).fold(T::zero(), |sum, (a, b)| sum + a.clone() * b.clone())
    }

    /// The given columns, in this order.
    pub fn columns(&self, picked: &[usize]) -> Self {
        Self::from_fn(self.rows, picked.len(), |i, j| self[(i, picked[j])].clone())
    }

    /// `[self, other]`.
    pub fn beside(&self, other: &Self) -> Self {
        assert_eq!(self.rows, other.rows, "heights differ");
        Self::from_fn(self.rows, self.cols + other.cols, |i, j| {
            if j < self.cols { self[(i, j)].clone() } else { other[(i, j - self.cols)].clone() }
        })
    }

    /// Inverse by Gauss and Jordan with partial pivoting; `None` if a pivot is zero.
    pub fn inverse(&self) -> Option<Self> {
        assert_eq!(self.rows, self.cols, "not square");
        let n = self.rows;
        let mut work = self.beside(&Self::identity(n));
        for k in 0..n {
            let best = (k..n).max_by(|&a, &b| work[(a, k)].size().total_cmp(&work[(b, k)].size()))?;
            if work[(best, k)].is_zero() {
                return None;
            }
            for j in 0..2 * n {
                work.entries.swap(k * 2 * n + j, best * 2 * n + j);
            }
            let pivot = work[(k, k)].clone();
            for j in 0..2 * n {
                work[(k, j)] = work[(k, j)].clone() / pivot.clone();
            }
            for i in (0..n).filter(|&i| i != k) {
                let factor = work[(i, k)].clone();
                if factor.is_zero() {
                    continue;
                }
                for j in 0..2 * n {
                    work[(i, j)] = work[(i, j)].clone() - factor.clone() * work[(k, j)].clone();
                }
            }
        }
        Some(work.columns(&(n..2 * n).collect::<Vec<_>>()))
    }
}

impl Grid<f64> {
    /// Frobenius norm.
    pub fn norm(&self) -> f64 {
        self.dot(self).sqrt()
    }
}

impl Grid<Rational> {
    /// The nearest doubles.
    pub fn to_f64(&self) -> Dense {
        use num_traits::ToPrimitive;
        Dense::from_fn(self.rows, self.cols, |i, j| self[(i, j)].to_f64().unwrap_or(f64::NAN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random_matrix::RandomMatrix;

    #[test]
    fn inverse_times_matrix_is_the_identity_in_both_arithmetics() {
        let mut draw = Draw::new(1, 0);
        let float = f64::invertible(&mut draw, 5);
        assert!(float.matmul(&float.inverse().unwrap()).sub(&Grid::identity(5)).norm() < 1e-13);
        let exact = Rational::invertible(&mut draw, 5);
        assert_eq!(exact.matmul(&exact.inverse().unwrap()), Grid::identity(5));
        assert!(Grid::<Rational>::zeros(2, 2).inverse().is_none());
    }
}
