//! A basis among the rows of a matrix in which all other rows have small coefficients.

use super::matrix::Matrix;
use super::square::inverse;
use super::svd::svd;

/// Rows that span the row space, and the other rows in terms of them.
#[derive(Debug, Clone, PartialEq)]
pub struct RowBasis {
    /// The chosen rows, increasing.
    pub rows: Vec<usize>,
    /// The other rows, increasing.
    pub others: Vec<usize>,
    /// `A` with `V_others = A V_rows`.
    pub coefficients: Matrix,
}

/// Chooses `rank` rows of `v` so that every other row is a combination of them with coefficients at most 1 in absolute value.
///
/// `[@LO]` Lemma 13 has the bound `2^(m - r - 1)`; rows whose minor is largest give 1, by Cramer's rule. From pivoted rows, a row with a
/// larger coefficient is exchanged for the one that it belongs to, which multiplies the minor by that coefficient; there are at most
/// `rows * rank` exchanges, so the bound is 1 up to rounding unless that many do not suffice. `None` if the rows of rank `rank` are
/// dependent in double precision.
pub fn bounded_row_basis(v: &Matrix, rank: usize) -> Option<RowBasis> {
    let range = svd(v).u.columns(0, rank);
    let mut rows = pivoted(range.clone());
    let of = |rows: &[usize]| Matrix::from_fn(rows.len(), rank, |i, j| range[(rows[i], j)]);
    let mut exchanges = v.nrows() * rank;
    loop {
        let others: Vec<usize> = (0..v.nrows()).filter(|i| !rows.contains(i)).collect();
        let coefficients = &of(&others) * &inverse(&of(&rows))?;
        let places = (0..others.len()).flat_map(|i| (0..rank).map(move |j| (i, j)));
        let largest = places.max_by(|&a, &b| coefficients[a].abs().total_cmp(&coefficients[b].abs()));
        match largest {
            Some((i, j)) if coefficients[(i, j)].abs() > 1.0 && exchanges > 0 => {
                rows[j] = others[i];
                rows.sort_unstable();
                exchanges -= 1;
            }
            _ => return Some(RowBasis { rows, others, coefficients }),
        }
    }
}

/// As many independent rows as there are columns: the largest remaining row again and again, the others made
/// orthogonal to it.
pub(crate) fn pivoted(mut basis: Matrix) -> Vec<usize> {
    let mut picked = Vec::new();
    for _ in 0..basis.ncols() {
        let size = |i: usize| (0..basis.ncols()).map(|j| basis[(i, j)].powi(2)).sum::<f64>();
        let Some(best) = (0..basis.nrows()).max_by(|&i, &j| size(i).total_cmp(&size(j)).then(j.cmp(&i))) else { break };
        let norm = size(best).sqrt();
        let unit = Matrix::from_fn(basis.ncols(), 1, |j, _| basis[(best, j)] / norm);
        let along = &basis * &unit;
        basis = &basis - &along.times_transpose(&unit);
        picked.push(best);
    }
    picked.sort_unstable();
    picked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn other_rows_are_small_combinations_of_the_chosen_ones() {
        for case in 0..200 {
            let mut stream = Stream::new(103, case);
            let (m, r, n) = (2 + case as usize % 9, 1 + case as usize % 4, 1 + case as usize % 6);
            let r = r.min(m).min(n);
            let v = &stream.normal_matrix(m, r) * &stream.normal_matrix(r, n);
            let found = bounded_row_basis(&v, r).unwrap();
            assert_eq!((found.rows.len(), found.others.len()), (r, m - r));
            assert!(found.coefficients.max_abs() <= 1.0 + 1e-9, "{:?}", found.coefficients);
            let of = |rows: &[usize]| Matrix::from_fn(rows.len(), n, |i, j| v[(rows[i], j)]);
            let off = &of(&found.others) - &(&found.coefficients * &of(&found.rows));
            assert!(off.max_abs() < 1e-9 * v.max_abs().max(1.0));
        }
        assert_eq!(bounded_row_basis(&Matrix::zeros(3, 2), 0).unwrap().coefficients.shape(), (3, 0));
    }
}
