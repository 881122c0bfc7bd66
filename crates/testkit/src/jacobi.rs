//! Eigenvalues and singular values by Jacobi rotations: slow, and accurate to a few units in the last place of the
//! largest.

use crate::grid::Dense;

/// Eigenvalues in ascending order and the matrix whose columns are the eigenvectors.
pub fn eigen(symmetric: &Dense) -> (Vec<f64>, Dense) {
    let n = symmetric.rows();
    assert_eq!(n, symmetric.cols(), "not square");
    let mut a = symmetric.add(&symmetric.transpose()).scale(&0.5);
    let mut vectors = Dense::identity(n);
    let scale = a.norm();
    for _ in 0..60 {
        let off: f64 = (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).map(|at| a[at] * a[at]).sum::<f64>().sqrt();
        if off <= 1e-17 * scale {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut a, &mut vectors, p, q, 1e-19 * scale);
            }
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| a[(i, i)].total_cmp(&a[(j, j)]));
    (order.iter().map(|&i| a[(i, i)]).collect(), vectors.columns(&order))
}

/// One rotation in the plane of `p` and `q` that makes the entry `(p, q)` vanish.
fn rotate(a: &mut Dense, vectors: &mut Dense, p: usize, q: usize, negligible: f64) {
    if a[(p, q)].abs() <= negligible {
        return;
    }
    let n = a.rows();
    let theta = (a[(q, q)] - a[(p, p)]) / (2.0 * a[(p, q)]);
    let t = if theta >= 0.0 { 1.0 } else { -1.0 } / (theta.abs() + theta.hypot(1.0));
    let c = 1.0 / t.hypot(1.0);
    let s = t * c;
    for k in 0..n {
        let (x, y) = (a[(k, p)], a[(k, q)]);
        a[(k, p)] = c * x - s * y;
        a[(k, q)] = s * x + c * y;
    }
    for k in 0..n {
        let (x, y) = (a[(p, k)], a[(q, k)]);
        a[(p, k)] = c * x - s * y;
        a[(q, k)] = s * x + c * y;
    }
    for k in 0..n {
        let (x, y) = (vectors[(k, p)], vectors[(k, q)]);
        vectors[(k, p)] = c * x - s * y;
        vectors[(k, q)] = s * x + c * y;
    }
}

/// Eigenvalues in ascending order.
pub fn eigenvalues(symmetric: &Dense) -> Vec<f64> {
    eigen(symmetric).0
}

/// Singular values in non-increasing order and the right singular vectors (all `cols` of them), by one-sided Jacobi.
/// There are `cols` values; those beyond `min(rows, cols)` are zero up to rounding.
pub fn right_singular(matrix: &Dense) -> (Vec<f64>, Dense) {
    let (m, n) = (matrix.rows(), matrix.cols());
    let mut a = matrix.clone();
    let mut v = Dense::identity(n);
    for _ in 0..60 {
        let mut moved = false;
        for p in 0..n {
            for q in p + 1..n {
                let mut gram = (0.0, 0.0, 0.0);
                for k in 0..m {
                    gram.0 += a[(k, p)] * a[(k, p)];
                    gram.1 += a[(k, q)] * a[(k, q)];
                    gram.2 += a[(k, p)] * a[(k, q)];
                }
                if gram.2.abs() <= 1e-16 * (gram.0 * gram.1).sqrt() {
                    continue;
                }
                moved = true;
                let theta = (gram.1 - gram.0) / (2.0 * gram.2);
                let t = if theta >= 0.0 { 1.0 } else { -1.0 } / (theta.abs() + theta.hypot(1.0));
                let c = 1.0 / t.hypot(1.0);
                for grid in [&mut a, &mut v] {
                    for k in 0..grid.rows() {
                        let (x, y) = (grid[(k, p)], grid[(k, q)]);
                        grid[(k, p)] = c * (x - t * y);
                        grid[(k, q)] = c * (t * x + y);
                    }
                }
            }
        }
        if !moved {
            break;
        }
    }
    let norms: Vec<f64> = (0..n).map(|j| (0..m).map(|k| a[(k, j)] * a[(k, j)]).sum::<f64>().sqrt()).collect();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| norms[j].total_cmp(&norms[i]));
    (order.iter().map(|&j| norms[j]).collect(), v.columns(&order))
}

/// The `min(rows, cols)` singular values in non-increasing order.
pub fn singular_values(matrix: &Dense) -> Vec<f64> {
    let tall = if matrix.rows() < matrix.cols() { matrix.transpose() } else { matrix.clone() };
    right_singular(&tall).0
}

/// Number of singular values above `tolerance`, an absolute bound.
pub fn rank(matrix: &Dense, tolerance: f64) -> usize {
    singular_values(matrix).iter().filter(|&&value| value > tolerance).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Draw;

    #[test]
    fn eigenvectors_diagonalize() {
        let half = Dense::draw(&mut Draw::new(3, 0), 7, 7);
        let matrix = half.add(&half.transpose());
        let (values, vectors) = eigen(&matrix);
        let diagonal = Dense::diagonal(7, 7, &values);
        assert!(matrix.matmul(&vectors).sub(&vectors.matmul(&diagonal)).norm() < 1e-12);
        assert!(values.is_sorted());
    }

    #[test]
    fn singular_values_are_roots_of_the_eigenvalues_of_the_gram_matrix() {
        let matrix = Dense::draw(&mut Draw::new(3, 1), 4, 6);
        let squares: Vec<f64> = singular_values(&matrix).iter().rev().map(|s| s * s).collect();
        let gram = eigenvalues(&matrix.matmul(&matrix.transpose()));
        assert!(squares.iter().zip(&gram).all(|(a, b)| (a - b).abs() < 1e-12));
    }

    #[test]
    fn rank_of_a_product_through_a_narrow_space_is_its_dimension() {
        let mut draw = Draw::new(3, 2);
        let product = Dense::draw(&mut draw, 6, 2).matmul(&Dense::draw(&mut draw, 2, 5));
        assert_eq!(rank(&product, 1e-12), 2);
        assert_eq!(rank(&Dense::zeros(3, 0), 1e-12), 0);
    }
}
