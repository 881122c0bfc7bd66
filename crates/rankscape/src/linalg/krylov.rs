//! Operators that are never formed, and least squares of minimal norm on them.

/// A symmetric linear operator.
pub trait SymmetricOperator {
    /// Size of the vectors.
    fn dimension(&self) -> usize;
    /// The operator times `x`.
    fn apply(&self, x: &[f64]) -> Vec<f64>;
}

/// A linear operator with its transpose.
pub trait LinearOperator {
    /// The operator times `x`.
    fn apply(&self, x: &[f64]) -> Vec<f64>;
    /// The transposed operator times `y`.
    fn apply_transpose(&self, y: &[f64]) -> Vec<f64>;
}

/// Approximate solution of minimal norm of the least-squares problem `min ||A x - b||` by LSQR (Paige and Saunders), with the
/// number of iterations used.
pub fn least_squares(operator: &impl LinearOperator, b: &[f64], tolerance: f64, budget: usize) -> (Vec<f64>, usize) {
    let mut u = b.to_vec();
    let mut beta = normalize(&mut u);
    let mut v = operator.apply_transpose(&u);
    let mut alpha = normalize(&mut v);
    let mut x = vec![0.0; v.len()];
    if alpha * beta == 0.0 {
        return (x, 0);
    }
    let mut w = v.clone();
    let (mut phi_bar, mut rho_bar) = (beta, alpha);
    let first = alpha * beta;
    for iteration in 1..=budget {
        u = axpy(operator.apply(&v), -alpha, &u);
        beta = normalize(&mut u);
        v = axpy(operator.apply_transpose(&u), -beta, &v);
        alpha = normalize(&mut v);
        let rho = rho_bar.hypot(beta);
        let (c, s) = (rho_bar / rho, beta / rho);
        let (theta, phi) = (s * alpha, c * phi_bar);
        rho_bar = -c * alpha;
        phi_bar *= s;
        add_scaled(&mut x, phi / rho, &w);
        w = axpy(v.clone(), -theta / rho, &w);
        if phi_bar * alpha * c.abs() <= tolerance * first || phi_bar == 0.0 {
            return (x, iteration);
        }
    }
    (x, budget)
}

/// Inner product in eight independent sums, so that it vectorizes.
pub(super) fn dot(x: &[f64], y: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (x_parts, y_parts) = (x.chunks_exact(8), y.chunks_exact(8));
    let rest: f64 = x_parts.remainder().iter().zip(y_parts.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in x_parts.zip(y_parts) {
        for k in 0..8 {
            sums[k] += a[k] * b[k];
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// Euclidean norm, safe against overflow and underflow of the squares.
pub fn vector_norm(x: &[f64]) -> f64 {
    let squares = dot(x, x);
    // Neither overflow nor a square below the normal numbers that counts.
    if (1e-280..1e280).contains(&squares) {
        return squares.sqrt();
    }
    let largest = x.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    let scale = super::matrix::power_of_two_near(largest);
    scale * x.iter().map(|v| (v / scale).powi(2)).sum::<f64>().sqrt()
}

pub(super) fn normalize(x: &mut [f64]) -> f64 {
    let size = vector_norm(x);
    if size > 0.0 {
        for value in x.iter_mut() {
            *value /= size;
        }
    }
    size
}

pub(super) fn scale_vector(mut x: Vec<f64>, factor: f64) -> Vec<f64> {
    for value in &mut x {
        *value *= factor;
    }
    x
}

pub(super) fn add_scaled(x: &mut [f64], factor: f64, y: &[f64]) {
    for (a, b) in x.iter_mut().zip(y) {
        *a += factor * b;
    }
}

/// `x += sum_k factors_k vectors_k`, four vectors a pass over `x`, added one after the other: the bits are those of single passes.
pub(super) fn add_combination(x: &mut [f64], factors: &[f64], vectors: &[Vec<f64>]) {
    let (factors_of_four, vectors_of_four) = (factors.chunks_exact(4), vectors.chunks_exact(4));
    let rest = vectors_of_four.remainder();
    let done = vectors.len() - rest.len();
    for (c, v) in factors_of_four.zip(vectors_of_four) {
        for ((((x, a), b), d), e) in x.iter_mut().zip(&v[0]).zip(&v[1]).zip(&v[2]).zip(&v[3]) {
            *x = (((*x + c[0] * a) + c[1] * b) + c[2] * d) + c[3] * e;
        }
    }
    rest.iter().zip(&factors[done..]).for_each(|(vector, &c)| add_scaled(x, c, vector));
}

pub(super) fn axpy(mut x: Vec<f64>, factor: f64, y: &[f64]) -> Vec<f64> {
    add_scaled(&mut x, factor, y);
    x
}

#[cfg(test)]
mod tests {
    use super::super::matrix::Matrix;
    use super::*;
    use crate::random::Stream;

    impl SymmetricOperator for Matrix {
        fn dimension(&self) -> usize {
            self.nrows()
        }

        fn apply(&self, x: &[f64]) -> Vec<f64> {
            let column = Matrix::from_fn(x.len(), 1, |i, _| x[i]);
            (self * &column).column(0).to_vec()
        }
    }

    impl LinearOperator for Matrix {
        fn apply(&self, x: &[f64]) -> Vec<f64> {
            SymmetricOperator::apply(self, x)
        }

        fn apply_transpose(&self, y: &[f64]) -> Vec<f64> {
            SymmetricOperator::apply(&self.transpose(), y)
        }
    }

    #[test]
    fn least_squares_has_minimal_norm() {
        let mut stream = Stream::new(9, 0);
        let a = &stream.normal_matrix(12, 4) * &stream.normal_matrix(4, 9);
        let b = stream.normal_vector(12);
        let (x, _) = least_squares(&a, &b, 1e-14, 200);
        let svd = super::super::svd(&a);
        let inverse: Vec<f64> = svd.s.iter().map(|s| if *s > 1e-10 { 1.0 / s } else { 0.0 }).collect();
        let pseudo = svd.v.scale_columns(&inverse).times_transpose(&svd.u);
        let expected = SymmetricOperator::apply(&pseudo, &b);
        assert!(x.iter().zip(&expected).all(|(p, q)| (p - q).abs() < 1e-9));
    }
}
