//! Inertia of a symmetric rational matrix by exact congruence.

use num_traits::{Signed, Zero};

use super::matrix::RationalMatrix;
use crate::linalg::Inertia;

impl RationalMatrix {
    /// Inertia of a symmetric matrix over the rationals.
    ///
    /// ```
    /// use rankscape::linalg::{Inertia, exact::RationalMatrix};
    /// let hyperbolic = RationalMatrix::from_integers(&[vec![0, 1, 0], vec![1, 0, 0], vec![0, 0, 0]]);
    /// assert_eq!(hyperbolic.inertia(), Inertia { negative: 1, zero: 1, positive: 1 });
    /// ```
    pub fn inertia(&self) -> Inertia {
        let mut work = self.clone();
        let mut open: Vec<usize> = (0..self.nrows()).collect();
        let mut found = Inertia::default();
        while let Some(step) = work.next_pivot(&open) {
            if let Pivot::Pair(i, j) = step {
                work.add_row_and_column(i, j, &open);
            }
            let (Pivot::Single(p) | Pivot::Pair(p, _)) = step;
            if work[(p, p)].is_positive() {
                found.positive += 1;
            } else {
                found.negative += 1;
            }
            open.retain(|&k| k != p);
            work.schur(p, &open);
        }
        found.zero = open.len();
        found
    }

    fn next_pivot(&self, open: &[usize]) -> Option<Pivot> {
        if let Some(&p) = open.iter().find(|&&p| !self[(p, p)].is_zero()) {
            return Some(Pivot::Single(p));
        }
        open.iter()
            .flat_map(|&i| open.iter().map(move |&j| (i, j)))
            .find(|&at| !self[at].is_zero())
            .map(|(i, j)| Pivot::Pair(i, j))
    }

    /// Congruence that adds row and column `j` to row and column `i`: makes the diagonal entry `2 a_ij`.
    fn add_row_and_column(&mut self, i: usize, j: usize, open: &[usize]) {
        for &k in open {
            self[(i, k)] = &self[(i, k)] + &self[(j, k)];
        }
        for &k in open {
            self[(k, i)] = &self[(k, i)] + &self[(k, j)];
        }
    }

    fn schur(&mut self, p: usize, open: &[usize]) {
        for &i in open {
            if self[(i, p)].is_zero() {
                continue;
            }
            let factor = &self[(i, p)] / &self[(p, p)];
            for &j in open {
                if !self[(p, j)].is_zero() {
                    self[(i, j)] = &self[(i, j)] - &factor * &self[(p, j)];
                }
            }
        }
    }
}

enum Pivot {
    Single(usize),
    Pair(usize, usize),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::symmetric_eigenvalues;
    use crate::random::Stream;

    #[test]
    fn inertia_agrees_with_eigenvalues() {
        let mut stream = Stream::new(3, 0);
        for trial in 0..100 {
            let n = trial % 6 + 1;
            let a = RationalMatrix::from_fn(n, n, |_, _| {
                crate::linalg::exact::Rational::from_integer(stream.integer(-1, 1).into())
            });
            let form = &a + &a.transpose();
            let values = symmetric_eigenvalues(&form.to_matrix()).unwrap();
            assert_eq!(form.inertia(), Inertia::from_eigenvalues(&values, 1e-10));
        }
    }
}
