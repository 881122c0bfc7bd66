//! Damped least squares by Householder reflections.

use crate::grid::Dense;

/// The `x` that minimises `||A x + b||^2 + sum (damping_j x_j)^2`; every `damping_j` is positive.
///
/// By orthogonal reflections of the stacked matrix, so that directions on which `A` is 10^-8 of its largest still count.
pub(super) fn damped(a: &Dense, b: &[f64], damping: &[f64]) -> Vec<f64> {
    let (m, n) = (a.rows(), a.cols());
    let rows = m + n;
    let mut columns: Vec<Vec<f64>> = (0..n)
        .map(|j| {
            let mut column: Vec<f64> = (0..m).map(|i| a[(i, j)]).collect();
            column.resize(rows, 0.0);
            column[m + j] = damping[j];
            column
        })
        .collect();
    let mut right: Vec<f64> = b.iter().map(|entry| -entry).collect();
    right.resize(rows, 0.0);
    for k in 0..n {
        // Below row m + k column k is still zero: only the first k + 1 damping rows take part.
        let end = m + k + 1;
        let (done, rest) = columns.split_at_mut(k + 1);
        let pivot = &mut done[k];
        let norm = pivot[k..end].iter().map(|entry| entry * entry).sum::<f64>().sqrt();
        let alpha = if pivot[k] > 0.0 { -norm } else { norm };
        let mut mirror: Vec<f64> = pivot[k..end].to_vec();
        mirror[0] -= alpha;
        let square: f64 = mirror.iter().map(|entry| entry * entry).sum();
        pivot[k] = alpha;
        if square == 0.0 {
            continue;
        }
        for column in rest.iter_mut().chain(std::iter::once(&mut right)) {
            let target = &mut column[k..end];
            let along: f64 = mirror.iter().zip(target.iter()).map(|(v, entry)| v * entry).sum();
            let factor = 2.0 * along / square;
            target.iter_mut().zip(&mirror).for_each(|(entry, v)| *entry -= factor * v);
        }
    }
    let mut x = vec![0.0; n];
    for i in (0..n).rev() {
        let sum: f64 = (i + 1..n).map(|j| columns[j][i] * x[j]).sum();
        x[i] = (right[i] - sum) / columns[i][i];
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Draw;

    #[test]
    fn the_normal_equations_hold() {
        let mut draw = Draw::new(5, 0);
        let (a, b) = (Dense::draw(&mut draw, 4, 6), Dense::draw(&mut draw, 4, 1));
        let damping: Vec<f64> = (0..6).map(|j| 0.1 + j as f64).collect();
        let x = damped(&a, b.entries(), &damping);
        let column = Dense::from_fn(6, 1, |i, _| x[i]);
        let normal = a.transpose().matmul(&a.matmul(&column).add(&b));
        for j in 0..6 {
            assert!((normal[(j, 0)] + damping[j].powi(2) * x[j]).abs() < 1e-12);
        }
    }
}
