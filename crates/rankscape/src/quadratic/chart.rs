//! Charts of the rank-`r` matrices: an orthonormal frame `[X_0, N]`, centred at any point, for the tracker; zeros and ones, which
//! are exact, for certificates.

use num_traits::Zero;

use super::kernel::{Shape, add_product, dot_strided};
use crate::homotopy::Point;
use crate::linalg::scalar::{C64, Ring};

fn modulus_squared(z: C64) -> f64 {
    z.re * z.re + z.im * z.im
}

/// `a* b` of two columns.
fn inner(a: &[C64], b: &[C64]) -> C64 {
    a.iter().zip(b).fold(C64::zero(), |sum, (&a, &b)| sum.add_product(a.conjugate(), b))
}

fn remove(from: &mut [C64], direction: &[C64]) {
    let along = inner(direction, from);
    from.iter_mut().zip(direction).for_each(|(x, &d)| *x = x.add_product(-along, d));
}

fn normalize(column: &mut [C64]) {
    let norm = column.iter().map(|&z| modulus_squared(z)).sum::<f64>().sqrt();
    column.iter_mut().for_each(|z| *z = C64::new(z.re / norm, z.im / norm));
}

/// Orthonormal frame of `C^m` (a list of columns) whose first columns span those of `x` (`m x r`, row by row). Real if `x`
/// is.
fn frame(x: &[C64], m: usize, r: usize) -> Vec<Vec<C64>> {
    let mut columns: Vec<Vec<C64>> = Vec::with_capacity(m);
    for a in 0..r {
        let mut column: Vec<C64> = (0..m).map(|i| x[i * r + a]).collect();
        // Twice is enough: the second pass removes what rounding left in the first.
        (0..2).for_each(|_| columns.iter().for_each(|q| remove(&mut column, q)));
        normalize(&mut column);
        columns.push(column);
    }
    while columns.len() < m {
        // The unit vector with the largest part outside the span so far.
        let outside = |i: usize| 1.0 - columns.iter().map(|q| modulus_squared(q[i])).sum::<f64>();
        let best = (0..m).max_by(|&i, &j| outside(i).total_cmp(&outside(j))).unwrap_or(0);
        let mut column = vec![C64::zero(); m];
        column[best].re = 1.0;
        (0..2).for_each(|_| columns.iter().for_each(|q| remove(&mut column, q)));
        normalize(&mut column);
        columns.push(column);
    }
    columns
}

/// A basis (`m x (m - r)`, row by row) of the vectors `v` with `v' X = 0`, without conjugation.
pub(super) fn complement(x: &[C64], m: usize, r: usize) -> Vec<C64> {
    let conjugate: Vec<C64> = x.iter().map(|z| z.conjugate()).collect();
    let frame = frame(&conjugate, m, r);
    (0..m).flat_map(|i| frame[r..].iter().map(move |column| column[i])).collect()
}

/// The point `W = X Y` in a chart centred at it.
pub(super) fn point(shape: Shape, x: &[C64], y: &[C64]) -> Point {
    let Shape { m, n, r } = shape;
    let frame = frame(x, m, r);
    let mut chart = Vec::with_capacity(m * m);
    (0..m).for_each(|i| chart.extend((0..r).map(|a| frame[a][i])));
    (0..m).for_each(|i| chart.extend((r..m).map(|c| frame[c][i])));
    let mut at = vec![C64::zero(); shape.dimension()];
    // W = X_0 (X_0* X) Y.
    for (a, column) in frame.iter().take(r).enumerate() {
        let row: Vec<C64> = (0..r)
            .map(|b| (0..m).fold(C64::zero(), |sum, i| sum.add_product(column[i].conjugate(), x[i * r + b])))
            .collect();
        for j in 0..n {
            at[shape.slopes() + a * n + j] = dot_strided(C64::zero(), &row, y, j, n);
        }
    }
    Point { chart, x: at }
}

/// `X` and `Y` of a point.
pub(super) fn factors(shape: Shape, chart: &[C64], at: &[C64]) -> (Vec<C64>, Vec<C64>) {
    let Shape { m, r, .. } = shape;
    let (xi, y) = at.split_at(shape.slopes());
    let mut x = chart[..m * r].to_vec();
    add_product(&chart[m * r..], xi, &mut x, (m, m - r, r));
    (x, y.to_vec())
}

/// `W` of a point, row by row.
pub(super) fn product(shape: Shape, point: &Point) -> Vec<C64> {
    let (x, y) = factors(shape, &point.chart, &point.x);
    let mut w = vec![C64::zero(); shape.entries()];
    add_product(&x, &y, &mut w, (shape.m, shape.r, shape.n));
    w
}

pub(super) fn recentre(shape: Shape, chart: &mut [C64], at: &mut [C64]) {
    let (x, y) = factors(shape, chart, at);
    let centred = point(shape, &x, &y);
    chart.copy_from_slice(&centred.chart);
    at.copy_from_slice(&centred.x);
}

/// The point in a chart of zeros and ones: `X` is the identity on `r` pivot rows, chosen by complete pivoting, so that the
/// other rows are of moderate size.
pub(super) fn in_pivot_chart(shape: Shape, point: &Point) -> Point {
    let Shape { m, n, r } = shape;
    let (mut x, y) = factors(shape, &point.chart, &point.x);
    let original = x.clone();
    let mut pivots = vec![usize::MAX; r];
    for _ in 0..r {
        let free = |i: usize, a: usize, pivots: &[usize]| !pivots.contains(&i) && pivots[a] == usize::MAX;
        let best = (0..m * r)
            .filter(|&e| free(e / r, e % r, &pivots))
            .max_by(|&e, &f| x[e].norm_one().total_cmp(&x[f].norm_one()))
            .unwrap_or(0);
        let (row, col) = (best / r, best % r);
        pivots[col] = row;
        let inverse = x[best].reciprocal();
        (0..m).for_each(|i| x[i * r + col] = x[i * r + col] * inverse);
        for other in (0..r).filter(|&a| a != col) {
            let factor = -x[row * r + other];
            (0..m).for_each(|i| x[i * r + other] = x[i * r + other].add_product(factor, x[i * r + col]));
        }
    }
    let one = C64::new(1.0, 0.0);
    let mut chart = vec![C64::zero(); m * m];
    pivots.iter().enumerate().for_each(|(a, &row)| chart[row * r + a] = one);
    let rest: Vec<usize> = (0..m).filter(|i| !pivots.contains(i)).collect();
    rest.iter().enumerate().for_each(|(c, &row)| chart[m * r + row * (m - r) + c] = one);
    let mut at = Vec::with_capacity(shape.dimension());
    rest.iter().for_each(|&row| at.extend_from_slice(&x[row * r..][..r]));
    let mut new_y = vec![C64::zero(); r * n];
    let top: Vec<C64> = pivots.iter().flat_map(|&row| original[row * r..][..r].to_vec()).collect();
    add_product(&top, &y, &mut new_y, (r, r, n));
    at.extend(new_y);
    Point { chart, x: at }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn recentring_keeps_the_matrix() {
        let shape = Shape { m: 4, n: 5, r: 2 };
        let mut stream = Stream::new(3, 0);
        let mut draw =
            |len: usize| -> Vec<C64> { (0..len).map(|_| C64::new(stream.normal(), stream.normal())).collect() };
        let (x, y) = (draw(8), draw(10));
        let mut moved = point(shape, &x, &y);
        let before = product(shape, &moved);
        moved.x.iter_mut().take(4).for_each(|z| *z = C64::new(3.0, -1.0));
        let far = product(shape, &moved);
        recentre(shape, &mut moved.chart, &mut moved.x);
        let near = |a: &[C64], b: &[C64]| a.iter().zip(b).all(|(&a, &b)| (a - b).norm_one() < 1e-12);
        assert!(near(&far, &product(shape, &moved)) && !near(&far, &before));
        assert!(moved.x[..4].iter().all(|z| z.norm_one() == 0.0));
    }
}
