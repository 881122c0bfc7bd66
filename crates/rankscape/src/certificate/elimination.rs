//! Eliminations over the rationals, for the check of certificates alone: ranks without fractions, signatures by congruence.

use crate::linalg::Linear;
use num_bigint::BigInt;
use num_integer::lcm;
use num_traits::{One, Signed, Zero};

use super::sparse::SparseMatrix;
use crate::linalg::Inertia;
use crate::linalg::exact::Rational;

/// Rank of a matrix.
pub(super) fn rank(m: &SparseMatrix<Rational>) -> usize {
    independent_columns(m).len()
}

/// The leftmost columns that span the column space. Rows are brought to integers, and every division is exact (Bareiss).
pub(super) fn independent_columns(m: &SparseMatrix<Rational>) -> Vec<usize> {
    let (rows, cols) = m.shape();
    let mut work: Vec<Vec<BigInt>> = (0..rows).map(|i| integers((0..cols).map(|j| m.at(i, j)))).collect();
    let mut divisor = BigInt::one();
    let mut found = Vec::new();
    for col in 0..cols {
        let top = found.len();
        let smallest = (top..rows).filter(|&i| !work[i][col].is_zero()).min_by_key(|&i| work[i][col].bits());
        let Some(pivot) = smallest else { continue };
        work.swap(top, pivot);
        let lead = work[top].clone();
        for row in &mut work[top + 1..] {
            let factor = row[col].clone();
            for j in col..cols {
                row[j] = (&row[j] * &lead[col] - &factor * &lead[j]) / &divisor;
            }
        }
        divisor = lead[col].clone();
        found.push(col);
    }
    found
}

/// A row times its common denominator.
fn integers<'a>(row: impl Iterator<Item = Option<&'a Rational>> + Clone) -> Vec<BigInt> {
    let common = row.clone().flatten().fold(BigInt::one(), |common, x| lcm(common, x.denom().clone()));
    row.map(|x| x.map_or_else(BigInt::zero, |x| x.numer() * (&common / x.denom()))).collect()
}

/// A symmetric matrix under congruence.
pub(super) struct Symmetric(Vec<Vec<Rational>>);

impl Symmetric {
    pub(super) fn from_fn(size: usize, entry: impl Fn(usize, usize) -> Rational) -> Self {
        Self((0..size).map(|i| (0..size).map(|j| entry(i, j)).collect()).collect())
    }

    /// `[s c'; c 0]`.
    pub(super) fn bordered(s: &SparseMatrix<Rational>, c: &SparseMatrix<Rational>) -> Self {
        let size = s.shape().0;
        Self::from_fn(size + c.shape().0, |i, j| {
            let entry = match (i < size, j < size) {
                (true, true) => s.at(i, j),
                (true, false) => c.at(j - size, i),
                (false, true) => c.at(i - size, j),
                (false, false) => None,
            };
            entry.cloned().unwrap_or_else(Rational::zero)
        })
    }

    /// `m - shift I`.
    pub(super) fn shifted(m: &SparseMatrix<Rational>, shift: &Rational) -> Self {
        Self::from_fn(m.shape().0, |i, j| {
            let entry = m.at(i, j).cloned().unwrap_or_else(Rational::zero);
            if i == j { entry - shift } else { entry }
        })
    }

    pub(super) fn inertia(mut self) -> Inertia {
        let size = self.0.len();
        self.eliminate(size)
    }

    /// Signs of the leading block of this size; what is left of the others is its Schur complement.
    pub(super) fn eliminate(&mut self, size: usize) -> Inertia {
        let mut signs = Inertia::default();
        let mut open: Vec<usize> = (0..size).collect();
        while let Some(pivot) = self.pivot(&open) {
            if self.0[pivot][pivot].is_positive() {
                signs.positive += 1;
            } else {
                signs.negative += 1;
            }
            self.clear(pivot);
            open.retain(|&k| k != pivot);
        }
        signs.zero = open.len();
        signs
    }

    /// A row whose diagonal entry is not zero; where there is none, one is made of two rows.
    fn pivot(&mut self, open: &[usize]) -> Option<usize> {
        if let Some(&pivot) = open.iter().find(|&&k| !self.0[k][k].is_zero()) {
            return Some(pivot);
        }
        let pair = |&i: &usize| open.iter().find(|&&j| !self.0[i][j].is_zero()).map(|&j| (i, j));
        let (i, j) = open.iter().find_map(pair)?;
        for k in 0..self.0.len() {
            let other = self.0[j][k].clone();
            self.0[i][k] += other;
        }
        for row in &mut self.0 {
            let other = row[j].clone();
            row[i] += other;
        }
        Some(i)
    }

    fn clear(&mut self, pivot: usize) {
        let lead = std::mem::take(&mut self.0[pivot]);
        for (i, row) in self.0.iter_mut().enumerate().filter(|(i, _)| *i != pivot && !lead[*i].is_zero()) {
            let factor = &lead[i] / &lead[pivot];
            for (x, y) in row.iter_mut().zip(&lead).filter(|(_, y)| !y.is_zero()) {
                *x -= &factor * y;
            }
        }
        self.0[pivot] = vec![Rational::zero(); lead.len()];
    }

    /// Nothing is left of the leading rows.
    pub(super) fn is_spent(&self, size: usize) -> bool {
        self.0[..size].iter().flatten().all(Zero::is_zero)
    }

    /// Trace of the block that follows the leading one.
    pub(super) fn trace_from(&self, size: usize) -> Rational {
        (size..self.0.len()).map(|k| self.0[k][k].clone()).sum()
    }

    /// That block times a number.
    pub(super) fn rest(&self, size: usize, factor: i32) -> SparseMatrix<Rational> {
        let rows = self.0.len() - size;
        let factor = Rational::from_integer(factor.into());
        SparseMatrix::from_fn(rows, rows, |i, j| Some(&self.0[size + i][size + j] * &factor).filter(|x| !x.is_zero()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::exact::RationalMatrix;
    use crate::random::Stream;

    fn random(rows: usize, cols: usize, stream: &mut Stream) -> RationalMatrix {
        RationalMatrix::from_fn(rows, cols, |_, _| {
            Rational::new(stream.integer(-4, 4).into(), stream.integer(1, 3).into())
        })
    }

    fn table(m: &RationalMatrix) -> SparseMatrix<Rational> {
        SparseMatrix::from_fn(m.nrows(), m.ncols(), |i, j| Some(m[(i, j)].clone()).filter(|x| !x.is_zero()))
    }

    #[test]
    fn ranks_and_signatures_are_those_of_the_library() {
        for trial in 0..200 {
            let mut stream = Stream::new(151, trial);
            let (n, k) = (1 + trial as usize % 5, trial as usize % 4);
            let m = &random(n, k, &mut stream) * &random(k, 4, &mut stream);
            assert_eq!(rank(&table(&m)), m.rank(), "{trial}");
            assert_eq!(independent_columns(&table(&m)), m.independent_columns(), "{trial}");
            let half = random(n, n, &mut stream);
            let s = if trial % 3 == 0 { &half + &half.transpose() } else { &m * &m.transpose() };
            let found = Symmetric::shifted(&table(&s), &Rational::zero()).inertia();
            assert_eq!(found, s.inertia(), "{trial}");
        }
    }

    #[test]
    fn a_schur_complement_is_that_of_the_generalized_inverse() {
        for trial in 0..60 {
            let mut stream = Stream::new(152, trial);
            let x = &random(4, trial as usize % 4, &mut stream) * &random(trial as usize % 4, 5, &mut stream);
            let y = random(2, 5, &mut stream);
            let (s, c) = (&x * &x.transpose(), &y * &x.transpose());
            let mut joint = Symmetric::bordered(&table(&s), &table(&c));
            assert_eq!(joint.eliminate(4).negative, 0);
            assert!(joint.is_spent(4), "{trial}");
            let expected = &(&c * &s.generalized_inverse().unwrap()) * &c.transpose();
            let rest = joint.rest(4, -1);
            let at = |i, j| rest.at(i, j).cloned().unwrap_or_else(Rational::zero);
            assert_eq!(RationalMatrix::from_fn(2, 2, at), expected, "{trial}");
        }
    }
}
