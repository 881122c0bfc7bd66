//! Square systems and pseudo-inverses of small dense matrices.

use faer::linalg::solvers::{DenseSolveCore as _, PartialPivLu};

use super::matrix::{Matrix, power_of_two_near};
use super::svd::svd;

/// Approximate inverse of a square matrix by elimination with row exchanges: right to rounding errors times the condition number.
/// `None` when a pivot is exactly zero or an entry not finite.
pub fn inverse(a: &Matrix) -> Option<Matrix> {
    let scale = power_of_two_near(a.max_abs());
    let found = pivoted(a, scale)?.inverse();
    Some(Matrix::from_faer(found).map(|x| x / scale))
}

/// Sign of the determinant of a square matrix by elimination with row exchanges: -1, 0 or 1; 1 for size 0, and 0 where an
/// entry is not finite. Not proved: rounding errors can change the sign of a nearly singular matrix.
///
/// ```
/// use rankscape::{Matrix, linalg::determinant_sign};
/// assert_eq!(determinant_sign(&Matrix::from_rows(&[vec![0.0, 2.0], vec![3.0, 1.0]])), -1);
/// ```
pub fn determinant_sign(a: &Matrix) -> i8 {
    let Some(found) = pivoted(a, power_of_two_near(a.max_abs())) else { return 0 };
    let negative = (0..a.nrows()).filter(|&k| found.U()[(k, k)] < 0.0).count();
    if (negative + exchanges(found.P().arrays().0)).is_multiple_of(2) { 1 } else { -1 }
}

/// `P A = L U` of `A / scale`; `None` when a pivot is exactly zero or an entry not finite.
fn pivoted(a: &Matrix, scale: f64) -> Option<PartialPivLu<f64>> {
    let found = a.is_finite().then(|| a.scaled(1.0 / scale).as_ref().partial_piv_lu())?;
    (0..a.nrows()).all(|k| found.U()[(k, k)] != 0.0).then_some(found)
}

/// Exchanges of two that make up a permutation.
fn exchanges(order: &[usize]) -> usize {
    let mut order = order.to_vec();
    let mut count = 0;
    for k in 0..order.len() {
        while order[k] != k {
            let at = order[k];
            order.swap(k, at);
            count += 1;
        }
    }
    count
}

/// Approximately `A^+` of a matrix whose rank is `rank`: singular values beyond it are dropped.
pub fn pseudo_inverse(a: &Matrix, rank: usize) -> Matrix {
    let found = svd(a);
    let rank = rank.min(found.s.iter().filter(|&&s| s > 0.0).count());
    let reciprocals: Vec<f64> = found.s[..rank].iter().map(|s| 1.0 / s).collect();
    found.v.columns(0, rank).scale_columns(&reciprocals).times_transpose(&found.u.columns(0, rank))
}

#[cfg(test)]
mod tests {
    use super::super::svd::spectral_norm;
    use super::*;
    use crate::linalg::exact::RationalMatrix;
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
    }

    #[test]
    fn inverses_are_accurate_at_every_scale() {
        for (k, scale) in [1e-300, 1e-150, 1.0, 1e150, 1e300].into_iter().enumerate() {
            for n in 1..40 {
                let a = Stream::new(43, (40 * k + n) as u64).normal_matrix(n, n).scaled(scale);
                let found = inverse(&a).unwrap();
                let condition = spectral_norm(&a) * spectral_norm(&found);
                let rest = (&(&a * &found) - &Matrix::identity(n)).max_abs();
                assert!(rest < 1e-14 * condition, "{n} {scale:e}: {rest:e} {condition:e}");
            }
        }
    }

    #[test]
    fn signs_are_those_of_rational_arithmetic_at_every_scale() {
        for (k, scale) in [1e-150, 1.0, 1e150].into_iter().enumerate() {
            for n in 1..9 {
                let mut stream = Stream::new(44, (9 * k + n) as u64);
                let mut whole = Matrix::from_fn(n, n, |_, _| stream.integer(-3, 3) as f64);
                let exact = |m: &Matrix| RationalMatrix::from_matrix(m).unwrap().determinant_sign();
                if exact(&whole) != 0 {
                    assert_eq!(determinant_sign(&whole.scaled(scale)), exact(&whole), "{n} {scale:e}");
                }
                (0..n).for_each(|i| whole[(i, 0)] = 0.0);
                assert_eq!((determinant_sign(&whole.scaled(scale)), inverse(&whole.scaled(scale))), (0, None), "{n}");
            }
        }
    }

    #[test]
    fn matrices_without_an_inverse_have_none() {
        let equal = Matrix::from_rows(&[vec![1.0, 2.0], vec![2.0, 4.0]]);
        let undefined = Matrix::from_rows(&[vec![1.0, f64::NAN], vec![2.0, 4.0]]);
        let infinite = Matrix::from_rows(&[vec![1.0, f64::INFINITY], vec![2.0, 4.0]]);
        for a in [Matrix::zeros(2, 2), equal, undefined, infinite] {
            assert_eq!((determinant_sign(&a), inverse(&a)), (0, None), "{a:?}");
        }
        assert_eq!(
            (determinant_sign(&Matrix::zeros(0, 0)), inverse(&Matrix::zeros(0, 0))),
            (1, Some(Matrix::zeros(0, 0)))
        );
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
