//! Blocks of equal eigenvalues of a rational positive semidefinite matrix, decided exactly.

use std::ops::Range;

use num_bigint::BigInt;
use num_traits::One;

use crate::linalg::exact::{Rational, RationalMatrix, rational_from_f64};

/// Largest matrix whose powers are compared.
const LARGEST: usize = 24;

/// Index ranges of the equal ones of the positive eigenvalues of `gram`, largest first, where `values` are their square
/// roots in double precision; `None` if the matrix is too large or the values do not separate them.
///
/// The number of distinct eigenvalues is the number of independent powers `I, K, K^2, ...`. So it is enough to find as
/// many clusters and to show, by signatures of `K - c I` at numbers `c` between the clusters, that each of them holds
/// as many eigenvalues as it has members.
pub(super) fn blocks(gram: &RationalMatrix, values: &[f64]) -> Option<Vec<Range<usize>>> {
    let (size, positive) = (gram.nrows(), values.len());
    if size > LARGEST {
        return None;
    }
    let distinct = distinct_eigenvalues(gram, positive) - usize::from(positive < size);
    if distinct == 0 {
        return Some(Vec::new());
    }
    // The widest relative gaps separate.
    let mut cuts: Vec<usize> = (1..positive).collect();
    cuts.sort_by(|&a, &b| (values[a] / values[a - 1]).total_cmp(&(values[b] / values[b - 1])));
    cuts.truncate(distinct - 1);
    cuts.sort_unstable();
    for &cut in &cuts {
        let between = rational_from_f64(0.5 * (values[cut - 1] + values[cut]))?;
        let square = &between * &between;
        let shifted =
            RationalMatrix::from_fn(
                size,
                size,
                |i, j| {
                    if i == j { &gram[(i, j)] - &square } else { gram[(i, j)].clone() }
                },
            );
        let inertia = shifted.inertia();
        if (inertia.positive, inertia.zero) != (cut, 0) {
            return None;
        }
    }
    let ends = cuts.iter().copied().chain([positive]);
    let starts = std::iter::once(0).chain(cuts.iter().copied());
    Some(starts.zip(ends).map(|(start, end)| start..end).collect())
}

/// Rank of `{I, K, ..., K^positive}`: at most one eigenvalue is not among the positive ones.
fn distinct_eigenvalues(gram: &RationalMatrix, positive: usize) -> usize {
    let common = gram.entries().iter().fold(BigInt::one(), |d, x| num_integer::lcm(d, x.denom().clone()));
    let common = Rational::from_integer(common);
    let size = gram.nrows();
    let whole = RationalMatrix::from_fn(size, size, |i, j| &gram[(i, j)] * &common);
    let mut powers = vec![RationalMatrix::identity(size)];
    for k in 0..positive {
        powers.push(&powers[k] * &whole);
    }
    let products = RationalMatrix::from_fn(positive + 1, positive + 1, |i, j| powers[i].dot(&powers[j]));
    products.rank()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diagonal(entries: &[i64], scale: i64) -> RationalMatrix {
        let size = entries.len();
        RationalMatrix::from_fn(size, size, |i, j| {
            let entry = if i == j { entries[i] } else { 0 };
            Rational::new(entry.into(), scale.into())
        })
    }

    #[test]
    fn values_closer_than_rounding_are_told_apart_or_left_open() {
        let far = diagonal(&[9, 4, 4, 1, 0], 1);
        assert_eq!(blocks(&far, &[3.0, 2.0, 2.0, 1.0]), Some(vec![0..1, 1..3, 3..4]));
        // 4 + 1e-12 and 4: apart by 2.5e-13 in the root, seen by the powers and by one signature.
        let near = diagonal(&[4_000_000_000_001, 4_000_000_000_000], 1_000_000_000_000);
        let root = 4.000_000_000_001_f64.sqrt();
        assert_eq!(blocks(&near, &[root, 2.0]), Some(vec![0..1, 1..2]));
        // Double precision does not see 1e-18: no claim.
        let unseen = diagonal(&[4_000_000_000_000_000_001, 4_000_000_000_000_000_000], 1_000_000_000_000_000_000);
        assert_eq!(blocks(&unseen, &[2.0, 2.0]), None);
        assert_eq!(blocks(&diagonal(&[0, 0], 1), &[]), Some(vec![]));
    }
}
