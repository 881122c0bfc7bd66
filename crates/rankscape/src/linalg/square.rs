//! Square systems and pseudo-inverses of small dense matrices.

use super::matrix::{Matrix, power_of_two_near};
use super::svd::svd;

/// Inverse of a square matrix by elimination with row exchanges; `None` when a pivot is exactly zero.
pub fn inverse(a: &Matrix) -> Option<Matrix> {
    let n = a.nrows();
    let scale = power_of_two_near(a.max_abs());
    let mut work = a.scaled(1.0 / scale);
    let mut out = Matrix::identity(n);
    for k in 0..n {
        let pivot = pivot_row(&work, k)?;
        exchange_rows(&mut work, k, pivot);
        exchange_rows(&mut out, k, pivot);
        let lead = work[(k, k)];
        for i in (0..n).filter(|&i| i != k) {
            let factor = work[(i, k)] / lead;
            add_row(&mut work, i, -factor, k);
            add_row(&mut out, i, -factor, k);
        }
    }
    Some(Matrix::from_fn(n, n, |i, j| out[(i, j)] / work[(i, i)] / scale))
}

/// Sign of the determinant of a square matrix by elimination with row exchanges: -1, 0 or 1; 1 for size 0.
///
/// ```
/// use rankscape::{Matrix, linalg::determinant_sign};
/// assert_eq!(determinant_sign(&Matrix::from_rows(&[vec![0.0, 2.0], vec![3.0, 1.0]])), -1);
/// ```
pub fn determinant_sign(a: &Matrix) -> i8 {
    let mut work = a.scaled(1.0 / power_of_two_near(a.max_abs()));
    let mut sign = 1;
    for k in 0..work.nrows() {
        let Some(pivot) = pivot_row(&work, k) else { return 0 };
        if pivot != k {
            exchange_rows(&mut work, k, pivot);
            sign = -sign;
        }
        if work[(k, k)] < 0.0 {
            sign = -sign;
        }
        for i in k + 1..work.nrows() {
            let factor = work[(i, k)] / work[(k, k)];
            add_row(&mut work, i, -factor, k);
        }
    }
    sign
}

/// `A^+` of a matrix whose rank is `rank`: singular values beyond it are dropped.
pub fn pseudo_inverse(a: &Matrix, rank: usize) -> Matrix {
    let found = svd(a);
    let rank = rank.min(found.s.iter().filter(|&&s| s > 0.0).count());
    let reciprocals: Vec<f64> = found.s[..rank].iter().map(|s| 1.0 / s).collect();
    found.v.columns(0, rank).scale_columns(&reciprocals).times_transpose(&found.u.columns(0, rank))
}

fn pivot_row(work: &Matrix, k: usize) -> Option<usize> {
    (k..work.nrows())
        .max_by(|&i, &j| work[(i, k)].abs().total_cmp(&work[(j, k)].abs()))
        .filter(|&i| work[(i, k)] != 0.0)
}

fn exchange_rows(a: &mut Matrix, i: usize, j: usize) {
    for k in 0..a.ncols() {
        a.column_mut(k).swap(i, j);
    }
}

fn add_row(a: &mut Matrix, target: usize, factor: f64, source: usize) {
    if factor != 0.0 {
        for j in 0..a.ncols() {
            let step = factor * a[(source, j)];
            a[(target, j)] += step;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn inverse_and_determinant_sign_agree_with_products_of_known_factors() {
        let mut stream = Stream::new(41, 0);
        for n in 0..8 {
            let a = stream.normal_matrix(n, n).scaled(1e-120);
            let found = inverse(&a).unwrap();
            assert!((&(&a * &found) - &Matrix::identity(n)).max_abs() < 1e-12);
            let b = stream.normal_matrix(n, n);
            let product = &a.scaled(1e120) * &b;
            assert_eq!(determinant_sign(&product), determinant_sign(&a) * determinant_sign(&b));
        }
        assert!(inverse(&Matrix::zeros(2, 2)).is_none());
        assert_eq!(determinant_sign(&Matrix::zeros(2, 2)), 0);
    }

    #[test]
    fn pseudo_inverse_solves_the_normal_equations() {
        let mut stream = Stream::new(42, 0);
        let a = &stream.normal_matrix(6, 2) * &stream.normal_matrix(2, 4);
        let inverse = pseudo_inverse(&a, 2);
        assert!((&(&(&a * &inverse) * &a) - &a).max_abs() < 1e-13);
        assert!((&(&(&inverse * &a) * &inverse) - &inverse).max_abs() < 1e-13);
    }
}
