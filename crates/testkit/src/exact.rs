//! Rank and inertia over the rationals.

use num_traits::{Signed, Zero};

use crate::grid::Grid;
use crate::inertia::Inertia;
use crate::scalar::Rational;

/// Rank by elimination.
pub fn rank(matrix: &Grid<Rational>) -> usize {
    let mut rows = matrix.to_rows();
    let mut rank = 0;
    for col in 0..matrix.cols() {
        let Some(pivot) = (rank..rows.len()).find(|&i| !rows[i][col].is_zero()) else { continue };
        rows.swap(rank, pivot);
        let top = rows[rank].clone();
        for row in rows.iter_mut().skip(rank + 1) {
            let factor = &row[col] / &top[col];
            if !factor.is_zero() {
                for (entry, above) in row.iter_mut().zip(&top) {
                    *entry -= &factor * above;
                }
            }
        }
        rank += 1;
    }
    rank
}

/// Inertia of a symmetric matrix by congruence: a non-zero diagonal entry is a pivot of one; when all diagonal entries
/// are zero, a non-zero entry off the diagonal is added to it first (row and column `j` onto `i`).
pub fn inertia(matrix: &Grid<Rational>) -> Inertia {
    assert_eq!(matrix, &matrix.transpose(), "not symmetric");
    let mut work = matrix.to_rows();
    let mut inertia = Inertia { negative: 0, zero: 0, positive: 0 };
    while !work.is_empty() {
        let n = work.len();
        let pivot = (0..n).find(|&i| !work[i][i].is_zero()).or_else(|| make_pivot(&mut work));
        let Some(pivot) = pivot else {
            inertia.zero += n;
            return inertia;
        };
        let top = work.remove(pivot);
        let corner = top[pivot].clone();
        if corner.is_positive() {
            inertia.positive += 1;
        } else {
            inertia.negative += 1;
        }
        for row in &mut work {
            let factor = &row[pivot] / &corner;
            if !factor.is_zero() {
                for (entry, above) in row.iter_mut().zip(&top) {
                    *entry -= &factor * above;
                }
            }
            row.remove(pivot);
        }
    }
    inertia
}

fn make_pivot(work: &mut [Vec<Rational>]) -> Option<usize> {
    let n = work.len();
    let (i, j) = (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).find(|&(i, j)| !work[i][j].is_zero())?;
    let added = work[j].clone();
    for (entry, extra) in work[i].iter_mut().zip(&added) {
        *entry += extra;
    }
    for row in work.iter_mut() {
        let extra = row[j].clone();
        row[i] += extra;
    }
    Some(i)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalar::Scalar;

    fn grid(rows: &[&[i64]]) -> Grid<Rational> {
        Grid::from_fn(rows.len(), rows[0].len(), |i, j| Rational::integer(rows[i][j]))
    }

    #[test]
    fn hyperbolic_plane_has_one_eigenvalue_of_each_sign() {
        let form = grid(&[&[0, 1, 0], &[1, 0, 0], &[0, 0, 0]]);
        assert_eq!(inertia(&form), Inertia { negative: 1, zero: 1, positive: 1 });
    }

    #[test]
    fn rank_counts_independent_rows() {
        assert_eq!(rank(&grid(&[&[1, 2, 3], &[2, 4, 6], &[0, 1, 1]])), 2);
        assert_eq!(rank(&Grid::zeros(0, 3)), 0);
    }
}
