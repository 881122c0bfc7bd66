//! Rank, determinant and inverse by fraction-free elimination (Bareiss).

use num_bigint::BigInt;
use num_traits::{One, Signed, Zero};

use super::matrix::{Rational, RationalMatrix};
use super::modular;

impl RationalMatrix {
    /// Rank over the rationals.
    ///
    /// The rank modulo a prime is a lower bound; when it is full nothing else is needed.
    ///
    /// ```
    /// use rankscape::linalg::exact::RationalMatrix;
    /// assert_eq!(RationalMatrix::from_integers(&[vec![1, 2], vec![2, 4]]).rank(), 1);
    /// ```
    pub fn rank(&self) -> usize {
        let rows = self.integer_rows();
        let full = self.nrows().min(self.ncols());
        if modular::PRIMES.iter().any(|&prime| modular::rank(&rows, prime) == full) {
            return full;
        }
        eliminate(rows).0.len()
    }

    /// Indices of the leftmost maximal independent set of columns.
    pub fn independent_columns(&self) -> Vec<usize> {
        eliminate(self.integer_rows()).0
    }

    /// Basis of the null space as columns: integers without a common factor.
    ///
    /// ```
    /// use rankscape::linalg::exact::RationalMatrix;
    /// let kernel = RationalMatrix::from_integers(&[vec![1, 2], vec![2, 4]]).kernel();
    /// assert_eq!(kernel, RationalMatrix::from_integers(&[vec![-2], vec![1]]));
    /// ```
    pub fn kernel(&self) -> Self {
        let cols = self.ncols();
        let pivots = self.independent_columns();
        let free: Vec<usize> = (0..cols).filter(|j| !pivots.contains(j)).collect();
        // Of rows that span the row space the pivot columns are an invertible block.
        let rows = self.transpose().independent_columns();
        let part =
            |columns: &[usize]| Self::from_fn(rows.len(), columns.len(), |i, j| self[(rows[i], columns[j])].clone());
        let solved = match part(&pivots).inverse() {
            Some(inverse) => &inverse * &part(&free),
            None => Self::zeros(pivots.len(), free.len()),
        };
        let mut basis = Self::zeros(cols, free.len());
        for (j, &column) in free.iter().enumerate() {
            let mut entries: Vec<(usize, Rational)> = vec![(column, Rational::one())];
            entries.extend(pivots.iter().enumerate().map(|(i, &pivot)| (pivot, -solved[(i, j)].clone())));
            let common = entries.iter().fold(BigInt::one(), |d, (_, x)| num_integer::lcm(d, x.denom().clone()));
            for (row, x) in entries {
                basis[(row, j)] = x * &common;
            }
        }
        basis
    }

    /// Sign of the determinant of a square matrix: -1, 0 or 1.
    ///
    /// ```
    /// use rankscape::linalg::exact::RationalMatrix;
    /// assert_eq!(RationalMatrix::from_integers(&[vec![0, 1], vec![1, 0]]).determinant_sign(), -1);
    /// ```
    pub fn determinant_sign(&self) -> i8 {
        let (pivots, odd, last) = eliminate(self.integer_rows());
        if pivots.len() < self.nrows() || self.nrows() != self.ncols() {
            return 0;
        }
        let positive = last.is_positive() != odd;
        if positive { 1 } else { -1 }
    }

    /// `A^-` with `A A^- A = A`: the inverse of the block of the first independent rows and columns, in their places, and zero
    /// elsewhere. Symmetric for symmetric `A`. The block of as many rows as the rank is never singular; `None` if it were.
    ///
    /// ```
    /// use rankscape::linalg::exact::RationalMatrix;
    /// let a = RationalMatrix::from_integers(&[vec![0, 0, 0], vec![0, 1, 2]]);
    /// assert_eq!(a.generalized_inverse().unwrap(), RationalMatrix::from_integers(&[vec![0, 0], vec![0, 1], vec![0, 0]]));
    /// ```
    pub fn generalized_inverse(&self) -> Option<Self> {
        let (rows, columns) = (self.transpose().independent_columns(), self.independent_columns());
        let block = Self::from_fn(rows.len(), columns.len(), |i, j| self[(rows[i], columns[j])].clone());
        let block = block.inverse()?;
        let mut inverse = Self::zeros(self.ncols(), self.nrows());
        for (i, &column) in columns.iter().enumerate() {
            for (j, &row) in rows.iter().enumerate() {
                inverse[(column, row)] = block[(i, j)].clone();
            }
        }
        Some(inverse)
    }

    /// Inverse of a square matrix; `None` when it is singular.
    pub fn inverse(&self) -> Option<Self> {
        let n = self.nrows();
        let mut work = Self::from_fn(n, 2 * n, |i, j| {
            if j < n {
                self[(i, j)].clone()
            } else if j - n == i {
                Rational::one()
            } else {
                Rational::zero()
            }
        });
        for k in 0..n {
            let pivot = (k..n).find(|&i| !work[(i, k)].is_zero())?;
            for j in 0..2 * n {
                let (a, b) = (work[(k, j)].clone(), work[(pivot, j)].clone());
                work[(pivot, j)] = a;
                work[(k, j)] = b;
            }
            let lead = work[(k, k)].clone();
            for j in 0..2 * n {
                work[(k, j)] = &work[(k, j)] / &lead;
            }
            for i in (0..n).filter(|&i| i != k) {
                let factor = work[(i, k)].clone();
                if !factor.is_zero() {
                    for j in 0..2 * n {
                        work[(i, j)] = &work[(i, j)] - &factor * &work[(k, j)];
                    }
                }
            }
        }
        Some(Self::from_fn(n, n, |i, j| work[(i, n + j)].clone()))
    }
}

/// Bareiss elimination: the pivot columns, whether an odd number of rows was exchanged, and the last pivot, which for a
/// square matrix of full rank is its determinant up to that sign.
fn eliminate(mut rows: Vec<Vec<BigInt>>) -> (Vec<usize>, bool, BigInt) {
    let cols = rows.first().map_or(0, Vec::len);
    let mut pivots = Vec::new();
    let mut odd = false;
    let mut previous = BigInt::one();
    for col in 0..cols {
        let top = pivots.len();
        let Some(found) = (top..rows.len()).filter(|&i| !rows[i][col].is_zero()).min_by_key(|&i| rows[i][col].bits())
        else {
            continue;
        };
        if found != top {
            rows.swap(top, found);
            odd = !odd;
        }
        let (done, rest) = rows.split_at_mut(top + 1);
        let lead = &done[top];
        for row in rest {
            let factor = std::mem::take(&mut row[col]);
            for (x, p) in row[col + 1..].iter_mut().zip(&lead[col + 1..]) {
                *x = (&*x * &lead[col] - &factor * p) / &previous;
            }
        }
        previous = rows[top][col].clone();
        pivots.push(col);
    }
    (pivots, odd, previous)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    fn random(rows: usize, cols: usize, stream: &mut Stream) -> RationalMatrix {
        RationalMatrix::from_fn(rows, cols, |_, _| {
            Rational::new(stream.integer(-5, 5).into(), stream.integer(1, 4).into())
        })
    }

    fn determinant(a: &RationalMatrix) -> Rational {
        if a.nrows() == 0 {
            return Rational::one();
        }
        (0..a.ncols()).fold(Rational::zero(), |sum, k| {
            let minor = RationalMatrix::from_fn(a.nrows() - 1, a.ncols() - 1, |i, j| {
                a[(i + 1, j + usize::from(j >= k))].clone()
            });
            let term = &a[(0, k)] * determinant(&minor);
            if k % 2 == 0 { sum + term } else { sum - term }
        })
    }

    #[test]
    fn generalized_inverse_solves_systems_of_any_rank() {
        let mut stream = Stream::new(2, 0);
        for trial in 0..60 {
            let (size, rank) = (trial % 5, trial % 4);
            let root = random(size, rank, &mut stream);
            let s = &root * &root.transpose();
            let inverse = s.generalized_inverse().unwrap();
            assert_eq!(&(&s * &inverse) * &s, s);
            assert_eq!(inverse, inverse.transpose());
            let a = &root * &random(rank, 4, &mut stream);
            assert_eq!(&(&a * &a.generalized_inverse().unwrap()) * &a, a);
        }
    }

    #[test]
    fn determinant_sign_agrees_with_cofactor_expansion() {
        let mut stream = Stream::new(1, 0);
        for trial in 0..200 {
            let n = trial % 5 + 1;
            let a = random(n, n, &mut stream);
            let d = determinant(&a);
            let sign = if d.is_zero() {
                0
            } else if d.is_positive() {
                1
            } else {
                -1
            };
            assert_eq!(a.determinant_sign(), sign);
            assert_eq!(a.inverse().map(|inverse| &a * &inverse), (sign != 0).then(|| RationalMatrix::identity(n)));
        }
    }

    #[test]
    fn kernel_has_the_complementary_dimension_and_is_mapped_to_zero() {
        let mut stream = Stream::new(3, 0);
        for trial in 0..60 {
            let a = &random(trial % 5, trial % 4, &mut stream) * &random(trial % 4, 6, &mut stream);
            let kernel = a.kernel();
            assert_eq!((kernel.shape(), kernel.rank()), ((6, 6 - a.rank()), 6 - a.rank()));
            assert!((&a * &kernel).is_zero());
        }
    }

    #[test]
    fn rank_of_a_product_through_a_narrow_space() {
        let mut stream = Stream::new(2, 0);
        for trial in 0..50 {
            let k = trial % 4;
            let a = &random(5, k, &mut stream) * &random(k, 6, &mut stream);
            assert!(a.rank() <= k);
            assert_eq!(a.rank(), crate::linalg::rank(&a.to_matrix(), &crate::Tolerances::default()).rank);
            assert_eq!(a.rank(), a.independent_columns().len());
            assert_eq!(a.rank(), a.transpose().rank());
        }
    }

    #[test]
    fn rank_is_exact_where_a_prime_divides_a_pivot() {
        let prime = modular::PRIMES[0] as i64;
        assert_eq!(RationalMatrix::from_integers(&[vec![prime, 0], vec![0, 1]]).rank(), 2);
    }
}
