//! Enclosures of norms and of the smallest value of the loss, by intervals. Nothing about the accuracy of the decompositions
//! that they start from is assumed.

use super::table::Table;
use crate::linalg::interval::Interval;
use crate::linalg::{Matrix, Svd, svd};

/// A matrix whose entries are intervals.
pub(super) type Enclosed = Table<Interval>;

/// The matrix itself.
pub(super) fn enclosed(m: &Matrix) -> Enclosed {
    Table::from_fn(m.nrows(), m.ncols(), |i, j| Some(m[(i, j)]).filter(|x| *x != 0.0).map(Interval::point))
}

/// A matrix inside.
fn middle(m: &Enclosed) -> Matrix {
    let (rows, cols) = m.shape();
    Matrix::from_fn(rows, cols, |i, j| m.at(i, j).map_or(0.0, |x| 0.5 * x.low + 0.5 * x.high))
}

/// `sqrt`; what is below zero counts as zero.
pub(super) fn root(square: Interval) -> Interval {
    let low = if square.low > 0.0 { square.low.sqrt().next_down() } else { 0.0 };
    let high = if square.high == 0.0 { 0.0 } else { square.high.sqrt().next_up() };
    Interval { low, high }
}

/// `a / b` for `a >= 0` and `b >= 0`, where `0 / 0 = 0`.
pub(super) fn ratio(a: Interval, b: Interval) -> Interval {
    if a.high == 0.0 {
        return Interval::point(0.0);
    }
    let low = (a.low / b.high).next_down();
    let high = (a.high / b.low).next_up();
    Interval { low: if low > 0.0 { low } else { 0.0 }, high: if b.low > 0.0 { high } else { f64::INFINITY } }
}

/// The larger of two numbers that are not negative.
pub(super) fn larger(a: Interval, b: Interval) -> Interval {
    // An undefined end must not be lost in the maximum.
    let high = if a.high.is_nan() || b.high.is_nan() { f64::INFINITY } else { a.high.max(b.high) };
    Interval { low: a.low.max(b.low), high }
}

/// `||m||_F^2`.
pub(super) fn squared_norm(m: &Enclosed) -> Interval {
    m.entries().fold(Interval::point(0.0), |sum, x| {
        let outer = x.magnitude();
        let inner = if x.contains(0.0) || outer.is_nan() { 0.0 } else { x.low.abs().min(x.high.abs()) };
        let square = Interval { low: (inner * inner).next_down().max(0.0), high: (outer * outer).next_up() };
        let sum = sum + square;
        Interval { low: sum.low.max(0.0), high: sum.high }
    })
}

/// `||m||_F`.
pub(super) fn norm(m: &Enclosed) -> Interval {
    root(squared_norm(m))
}

/// `||m||_2`: at least `||m v|| / ||v||` for a vector `v` that is close to the leading one, at most `||m||_F` and
/// `(||m||_1 ||m||_inf)^{1/2}`.
pub(super) fn spectral(m: &Enclosed) -> Interval {
    let frobenius = norm(m);
    let (rows, cols) = m.shape();
    if rows == 0 || cols == 0 || frobenius.high == 0.0 {
        return Interval::point(0.0);
    }
    let leading = svd(&middle(m)).v;
    let low = if leading.ncols() > 0 {
        let v = enclosed(&leading.columns(0, 1));
        ratio(norm(&m.times(&v)), norm(&v)).low
    } else {
        0.0
    };
    let magnitude = |i: usize, j: usize| m.at(i, j).map_or(0.0, |x| x.magnitude());
    let sum = |terms: &mut dyn Iterator<Item = f64>| terms.fold(0.0, |sum: f64, x| (sum + x).next_up());
    let largest = |sums: &mut dyn Iterator<Item = f64>| sums.fold(0.0, |top: f64, x| if top >= x { top } else { x });
    let one = largest(&mut (0..cols).map(|j| sum(&mut (0..rows).map(|i| magnitude(i, j)))));
    let all = largest(&mut (0..rows).map(|i| sum(&mut (0..cols).map(|j| magnitude(i, j)))));
    let mixed = (one * all).next_up().sqrt().next_up();
    Interval { low, high: if mixed < frobenius.high { mixed } else { frobenius.high } }
}

/// The distance of `z` from the matrices of rank at most `rank`.
///
/// With a computed decomposition `U S V'` and `E = z - U S V'` it differs by at most `||E||_F` from that of `U S V'`, which lies
/// between `s_min(U) s_min(V)` and `s_max(U) s_max(V)` times `(sum_{i > rank} S_i^2)^{1/2}`; the squares of these singular values
/// differ from 1 by at most `||U'U - I||_F` and `||V'V - I||_F`.
pub(super) fn distance_from_rank(z: &Enclosed, rank: usize) -> Interval {
    let (rows, cols) = z.shape();
    if rank >= rows.min(cols) {
        return Interval::point(0.0);
    }
    let Svd { u, s, v } = svd(&middle(z));
    let mut sizes = s.clone();
    sizes.sort_by(|a, b| b.total_cmp(a));
    let square = |s: &f64| Interval::point(*s) * Interval::point(*s);
    let tail = sizes.iter().skip(rank).fold(Interval::point(0.0), |sum, s| sum + square(s));
    let stretch = |basis: &Matrix| {
        let basis = enclosed(basis);
        let gram = basis.transpose().times(&basis);
        let off = norm(&gram.minus(&enclosed(&Matrix::identity(gram.shape().0)))).high;
        root(Interval { low: (1.0 - off).next_down(), high: (1.0 + off).next_up() })
    };
    let diagonal = enclosed(&Matrix::from_diagonal(s.len(), s.len(), &s));
    let rebuilt = enclosed(&u).times(&diagonal).times(&enclosed(&v).transpose());
    let error = norm(&z.minus(&rebuilt)).high;
    let found = stretch(&u) * stretch(&v) * root(tail) + Interval { low: -error, high: error };
    Interval { low: if found.low > 0.0 { found.low } else { 0.0 }, high: found.high }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn norms_and_distances_are_enclosed() {
        let mut stream = Stream::new(91, 0);
        for (rows, cols) in [(1, 1), (3, 5), (6, 2), (4, 4)] {
            let (p, q) = (stream.normal_matrix(rows, rows), stream.normal_matrix(cols, cols));
            let orthogonal = |m: &Matrix| svd(m).u;
            let size = rows.min(cols);
            let values: Vec<f64> = (0..size).map(|k| (size - k) as f64).collect();
            let m = &(&orthogonal(&p) * &Matrix::from_diagonal(rows, cols, &values)) * &orthogonal(&q);
            let table = enclosed(&m);
            let found = spectral(&table);
            assert!(found.low <= size as f64 + 1e-13 && found.low > size as f64 - 1e-12, "{found:?}");
            assert!(found.high >= size as f64 - 1e-13 && found.high <= 3.0 * size as f64, "{found:?}");
            for rank in 0..=size {
                let exact = values[rank..].iter().map(|s| s * s).sum::<f64>().sqrt();
                let Interval { low, high } = distance_from_rank(&table, rank);
                assert!(low <= exact + 1e-13 && low >= exact - 1e-12, "{rank} {low} {exact}");
                assert!(high >= exact - 1e-13 && high <= exact + 1e-12, "{rank} {high} {exact}");
            }
        }
    }

    #[test]
    fn an_undefined_entry_proves_nothing() {
        let m = Table::from_fn(1, 1, |_, _| Some(Interval::point(f64::NAN)));
        let found = spectral(&m);
        assert!(found.low == 0.0 && (found.high.is_nan() || found.high == f64::INFINITY), "{found:?}");
        assert_eq!(ratio(Interval::point(1.0), Interval::point(0.0)).high, f64::INFINITY);
        assert_eq!(ratio(Interval::point(0.0), Interval::point(0.0)), Interval::point(0.0));
    }
}
