//! Small matrices in double-double precision.
//!
//! A direction that is known by parts of the size of the noise, say 1e-8, has an error of 1e-8 in double precision; a large
//! factor makes of it what cannot be told from the noise. In double-double it is 1e-24.

use num_traits::Zero;

use crate::linalg::Matrix;
use crate::linalg::scalar::{DoubleDouble, Real, Ring};

#[derive(Clone)]
pub(super) struct Wide {
    rows: usize,
    /// Column by column.
    entries: Vec<DoubleDouble>,
    columns: usize,
}

impl Wide {
    fn from_fn(rows: usize, columns: usize, entry: impl Fn(usize, usize) -> DoubleDouble) -> Self {
        let entry = &entry;
        Self { rows, columns, entries: (0..columns).flat_map(|j| (0..rows).map(move |i| entry(i, j))).collect() }
    }

    pub(super) fn identity(size: usize) -> Self {
        Self::from(&Matrix::identity(size))
    }

    pub(super) fn nrows(&self) -> usize {
        self.rows
    }

    pub(super) fn ncols(&self) -> usize {
        self.columns
    }

    pub(super) fn rounded(&self) -> Matrix {
        Matrix::from_fn(self.rows, self.columns, |i, j| self.at(i, j).get(0))
    }

    pub(super) fn frobenius_norm(&self) -> f64 {
        self.entries.iter().map(|x| x.get(0)).fold(0.0, f64::hypot)
    }

    fn at(&self, i: usize, j: usize) -> DoubleDouble {
        self.entries[i + j * self.rows]
    }

    fn column(&self, j: usize) -> &[DoubleDouble] {
        &self.entries[j * self.rows..(j + 1) * self.rows]
    }

    pub(super) fn transpose(&self) -> Self {
        Self::from_fn(self.columns, self.rows, |i, j| self.at(j, i))
    }

    pub(super) fn times(&self, other: &Self) -> Self {
        let mut out = Self::from_fn(self.rows, other.columns, |_, _| DoubleDouble::zero());
        for j in 0..other.columns {
            for k in 0..self.columns {
                let factor = other.at(k, j);
                let product = &mut out.entries[j * self.rows..(j + 1) * self.rows];
                product.iter_mut().zip(self.column(k)).for_each(|(sum, &x)| *sum = sum.add_product(x, factor));
            }
        }
        out
    }

    pub(super) fn transpose_times(&self, other: &Self) -> Self {
        self.transpose().times(other)
    }

    pub(super) fn times_transpose(&self, other: &Self) -> Self {
        self.times(&other.transpose())
    }

    pub(super) fn minus(&self, other: &Self) -> Self {
        Self::from_fn(self.rows, self.columns, |i, j| self.at(i, j) - other.at(i, j))
    }

    pub(super) fn zeros_like(&self) -> Self {
        Self::from_fn(self.rows, self.columns, |_, _| DoubleDouble::zero())
    }

    /// Columns that are orthonormal to double precision, to all digits.
    pub(super) fn orthonormal(&self) -> Self {
        self.gram_schmidt(|rest| rest.iter().position(|norm| norm.is_some()))
    }

    /// Orthonormal basis of what is left of the range without parts of at most this size: by Gram and Schmidt's method, longest
    /// rest first.
    pub(super) fn range(&self, threshold: f64) -> Self {
        self.gram_schmidt(|rest| {
            let longest = (0..rest.len()).max_by(|&a, &b| rest[a].unwrap_or(-1.0).total_cmp(&rest[b].unwrap_or(-1.0)));
            longest.filter(|&j| rest[j].is_some_and(|norm| norm > threshold))
        })
    }

    /// `next` chooses a column by the lengths of what is left of them.
    fn gram_schmidt(&self, next: impl Fn(&[Option<f64>]) -> Option<usize>) -> Self {
        let mut columns: Vec<Vec<DoubleDouble>> = (0..self.columns).map(|j| self.column(j).to_vec()).collect();
        let mut lengths: Vec<Option<f64>> = columns.iter().map(|column| Some(length(column).get(0))).collect();
        let mut basis: Vec<Vec<DoubleDouble>> = Vec::new();
        while basis.len() < self.rows
            && let Some(j) = next(&lengths)
        {
            let mut unit = std::mem::take(&mut columns[j]);
            lengths[j] = None;
            for _ in 0..2 {
                basis.iter().for_each(|other| take_away(&mut unit, other));
                let size = length(&unit);
                if size.get(0) > 0.0 {
                    unit.iter_mut().for_each(|x| *x = *x / size);
                }
            }
            for (column, norm) in columns.iter_mut().zip(&mut lengths).filter(|(_, norm)| norm.is_some()) {
                take_away(column, &unit);
                *norm = Some(length(column).get(0));
            }
            basis.push(unit);
        }
        Self { rows: self.rows, columns: basis.len(), entries: basis.concat() }
    }
}

impl From<&Matrix> for Wide {
    fn from(a: &Matrix) -> Self {
        Self::from_fn(a.nrows(), a.ncols(), |i, j| DoubleDouble::splat(a[(i, j)]))
    }
}

fn dot(a: &[DoubleDouble], b: &[DoubleDouble]) -> DoubleDouble {
    a.iter().zip(b).fold(DoubleDouble::zero(), |sum, (&x, &y)| sum.add_product(x, y))
}

/// One step of Newton's method doubles the digits of the root.
fn length(a: &[DoubleDouble]) -> DoubleDouble {
    let square = dot(a, a);
    let root = DoubleDouble::splat(square.get(0).max(0.0).sqrt());
    if root.get(0) == 0.0 { root } else { (root + square / root) * DoubleDouble::splat(0.5) }
}

fn take_away(from: &mut [DoubleDouble], unit: &[DoubleDouble]) {
    let minus = -dot(from, unit);
    from.iter_mut().zip(unit).for_each(|(x, &y)| *x = x.add_product(minus, y));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn small_directions_have_all_digits() {
        let mut stream = Stream::new(1, 0);
        let strong = Wide::from(&stream.normal_matrix(5, 2));
        let weak = Wide::from(&stream.normal_matrix(2, 3).scaled(1e-8));
        let both = strong.times(&Wide::from(&stream.normal_matrix(2, 3)));
        assert_eq!(both.range(1e-13).ncols(), 2);
        // A rank of three: the third direction is of size 1e-8.
        let third = Wide::from(&stream.normal_matrix(5, 1)).times(&Wide::from(&weak.rounded().block(0, 0, 1, 3)));
        let sum = both.minus(&third);
        let basis = sum.range(1e-13);
        assert_eq!(basis.ncols(), 3);
        let defect = basis.transpose_times(&basis).minus(&Wide::identity(3));
        assert!(defect.frobenius_norm() < 1e-29);
        let rest = third.minus(&basis.times(&basis.transpose_times(&third)));
        assert!(rest.frobenius_norm() < 1e-28, "{}", rest.frobenius_norm());
    }
}
