//! Enclosures of norms, of singular values and of the smallest value of the loss. Nothing about the accuracy of the
//! decompositions that they start from is assumed.

use super::precise::Precise;
use crate::linalg::interval::Interval;
use crate::linalg::{Linear, Matrix, Svd, svd};

/// The singular values of `m`, non-increasing, `min(rows, columns)` of them.
///
/// With a computed decomposition `U S V'` and `E = m - U S V'` they differ by at most `||E||_F` from those of `U S V'` (Weyl),
/// which lie between `s_min(U) s_min(V)` and `s_max(U) s_max(V)` times `S_i` (Ostrowski); the squares of these factors differ
/// from 1 by at most `||U'U - I||_F` and `||V'V - I||_F`.
pub(super) fn singular_values(m: &Precise) -> Vec<Interval> {
    let (rows, cols) = m.shape();
    let size = rows.min(cols);
    let norm = m.norm();
    let nothing = || vec![Interval { low: 0.0, high: norm.high }; size];
    // An error of the products that is all there is has no decomposition.
    if size == 0 || m.middle().max_abs() == 0.0 || !m.middle().is_finite() {
        return nothing();
    }
    if let Some(values) = of_orthogonal_columns(m) {
        return values;
    }
    let Svd { u, s, v } = svd(m.middle());
    if s.len() < size || !(u.is_finite() && v.is_finite()) {
        return nothing();
    }
    let rebuilt = Precise::scaled_columns(&u, &s).times(&Precise::new(&v).transposed());
    let error = m.minus(&rebuilt).norm().high;
    let stretch = stretch(&u) * stretch(&v);
    let value = |s: &f64| {
        let near = Interval::point(*s) * stretch;
        let low = (near.low - error).next_down();
        Interval { low: if low > 0.0 { low } else { 0.0 }, high: (near.high + error).next_up().min(norm.high) }
    };
    let mut values: Vec<Interval> = s.iter().take(size).map(value).collect();
    values.sort_by(|a, b| b.high.total_cmp(&a.high));
    values
}

/// Those of a matrix with nearly orthogonal columns: with `m = Q D`, `D` the lengths of the columns, they lie between `s_min(Q)`
/// and `s_max(Q)` times these. One product instead of three, and small columns are known as well as large ones.
fn of_orthogonal_columns(m: &Precise) -> Option<Vec<Interval>> {
    let (rows, cols) = m.shape();
    let (mut lengths, off) = if cols <= rows { m.defect_of_columns()? } else { return None };
    lengths.sort_by(|a, b| b.total_cmp(a));
    let stretch = Interval::around(1.0, off).root();
    // The computed lengths are right to a few units in the last place.
    Some(lengths.iter().map(|x| Interval::relatively_around(*x, 1e-15) * stretch).collect())
}

/// Contains the singular values of a basis that is nearly orthonormal.
fn stretch(basis: &Matrix) -> Interval {
    let basis = Precise::new(basis);
    let gram = basis.transposed().times(&basis);
    let off = gram.minus(&Precise::new(&Matrix::identity(gram.shape().0))).norm().high;
    Interval::around(1.0, off).root()
}

/// The square of the distance of a matrix with these singular values from the matrices of rank at most `rank`.
pub(super) fn squared_distance_from_rank(values: &[Interval], rank: usize) -> Interval {
    values.iter().skip(rank).fold(Interval::point(0.0), |sum, value| {
        let sum = sum + value.squared();
        Interval { low: sum.low.max(0.0), high: sum.high }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn singular_values_are_enclosed_to_the_last_digits() {
        let mut stream = Stream::new(91, 0);
        for (rows, cols) in [(1, 1), (3, 5), (6, 2), (4, 4)] {
            let (p, q) = (stream.normal_matrix(rows, rows), stream.normal_matrix(cols, cols));
            let orthogonal = |m: &Matrix| svd(m).u;
            let size = rows.min(cols);
            let exact: Vec<f64> = (0..size).map(|k| (size - k) as f64).collect();
            let m = &(&orthogonal(&p) * &Matrix::from_diagonal(rows, cols, &exact)) * &orthogonal(&q);
            let found = singular_values(&Precise::new(&m));
            assert_eq!(found.len(), size);
            for (value, exact) in found.iter().zip(&exact) {
                assert!(value.low <= exact + 1e-13 && value.low >= exact - 1e-12, "{value:?} {exact}");
                assert!(value.high >= exact - 1e-13 && value.high <= exact + 1e-12, "{value:?} {exact}");
            }
            for rank in 0..=size {
                let square = exact[rank..].iter().map(|s| s * s).sum::<f64>();
                let Interval { low, high } = squared_distance_from_rank(&found, rank);
                assert!(low <= square + 1e-12 && high >= square - 1e-12 && high - low < 1e-11, "{rank} {low} {square}");
            }
        }
    }

    #[test]
    fn diagonal_matrices_have_their_entries_as_singular_values() {
        let found = singular_values(&Precise::new(&Matrix::from_diagonal(3, 4, &[2.0, 0.5, 0.0])));
        for (value, exact) in found.iter().zip([2.0, 0.5, 0.0]) {
            assert!(value.contains(exact), "{value:?}");
        }
    }

    #[test]
    fn an_undefined_entry_proves_nothing() {
        let found = singular_values(&Precise::new(&Matrix::from_rows(&[vec![f64::NAN]])));
        assert!(found[0].low == 0.0 && !found[0].high.is_finite(), "{found:?}");
    }
}
