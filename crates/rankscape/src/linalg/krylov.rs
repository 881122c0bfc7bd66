//! Krylov methods on operators that are never formed: extreme eigenvalues and least squares of minimal norm.

use super::inertia::symmetric_eigen;
use super::matrix::Matrix;
use crate::random::Stream;

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

/// An eigenpair at one end of the spectrum, with its residual as evidence.
#[derive(Debug, Clone)]
pub struct Extreme {
    /// Rayleigh quotient of `vector`; by Courant and Fischer an upper bound of the smallest eigenvalue.
    pub value: f64,
    /// Unit vector.
    pub vector: Vec<f64>,
    /// `||A v - value v||`: an eigenvalue lies within this distance of `value`.
    pub residual: f64,
    /// Largest absolute Ritz value seen, the scale of the operator.
    pub scale: f64,
    /// The residual met the tolerance.
    pub converged: bool,
    /// Number of applications of the operator.
    pub applications: usize,
}

const BASIS: usize = 100;
const KEPT: usize = 30;

/// Smallest eigenvalue of `operator` (or of minus it, for the largest) by Lanczos with full reorthogonalization and
/// thick restarts, from a random start drawn from `seed`.
///
/// Stops when the residual is at most `tolerance` times the scale of the operator, or after `budget` applications.
/// A Krylov method alone cannot tell whether a zero eigenvalue was missed: combine it with a known inertia.
pub fn smallest_eigenpair(
    operator: &impl SymmetricOperator,
    sign: f64,
    tolerance: f64,
    budget: usize,
    seed: u64,
) -> Extreme {
    let n = operator.dimension();
    let mut lanczos = Lanczos::new(Stream::new(seed, 0).normal_vector(n));
    let mut applications = 0;
    loop {
        let limit = BASIS.min(n);
        let broke_down = lanczos.extend(limit, &mut applications, |x| scale_vector(operator.apply(x), sign));
        let mut extreme = lanczos.extreme(applications);
        let done = broke_down || limit == n;
        extreme.converged = done || extreme.residual <= tolerance * extreme.scale;
        if extreme.converged || applications >= budget {
            let image = operator.apply(&extreme.vector);
            extreme.value = dot(&extreme.vector, &image);
            extreme.residual = vector_norm(&axpy(image, -extreme.value, &extreme.vector));
            extreme.converged = extreme.residual <= (10.0 * tolerance).max(1e-12) * extreme.scale;
            return extreme;
        }
        lanczos.restart();
    }
}

/// Orthonormal basis and the projected operator.
struct Lanczos {
    basis: Vec<Vec<f64>>,
    next: Option<Vec<f64>>,
    coupling: Vec<f64>,
    projected: Vec<Vec<f64>>,
}

impl Lanczos {
    fn new(mut start: Vec<f64>) -> Self {
        normalize(&mut start);
        Self { basis: Vec::new(), next: Some(start), coupling: Vec::new(), projected: Vec::new() }
    }

    /// Grows the basis to `limit` vectors; true if the space is invariant.
    fn extend(&mut self, limit: usize, applications: &mut usize, apply: impl Fn(&[f64]) -> Vec<f64>) -> bool {
        while self.basis.len() < limit {
            let Some(vector) = self.next.take() else { return true };
            let mut image = apply(&vector);
            *applications += 1;
            let size = vector_norm(&image);
            self.basis.push(vector);
            let mut coefficients = vec![0.0; self.basis.len()];
            for _pass in 0..2 {
                for (q, total) in self.basis.iter().zip(&mut coefficients) {
                    let c = dot(q, &image);
                    *total += c;
                    add_scaled(&mut image, -c, q);
                }
            }
            for row in &mut self.projected {
                row.push(0.0);
            }
            let last = coefficients.len() - 1;
            for (i, row) in self.projected.iter_mut().enumerate() {
                row[last] = coefficients[i];
            }
            self.projected.push(coefficients);
            let rest = vector_norm(&image);
            self.coupling = vec![0.0; self.basis.len()];
            self.coupling[last] = rest;
            if rest <= 1e-14 * size || rest == 0.0 {
                return true;
            }
            self.next = Some(scale_vector(image, 1.0 / rest));
        }
        false
    }

    fn ritz(&self) -> (Vec<f64>, Matrix) {
        let size = self.basis.len();
        let projected = Matrix::from_fn(size, size, |i, j| 0.5 * (self.projected[i][j] + self.projected[j][i]));
        symmetric_eigen(&projected).map_or_else(|| (vec![0.0; size], Matrix::identity(size)), |e| (e.values, e.vectors))
    }

    fn combine(&self, vectors: &Matrix, k: usize) -> Vec<f64> {
        let mut out = vec![0.0; self.basis[0].len()];
        for (q, &c) in self.basis.iter().zip(vectors.column(k)) {
            add_scaled(&mut out, c, q);
        }
        out
    }

    fn residual(&self, vectors: &Matrix, k: usize) -> f64 {
        self.coupling.iter().zip(vectors.column(k)).map(|(b, s)| b * s).sum::<f64>().abs()
    }

    fn extreme(&self, applications: usize) -> Extreme {
        let (values, vectors) = self.ritz();
        let scale = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
        let mut vector = self.combine(&vectors, 0);
        normalize(&mut vector);
        Extreme {
            value: values[0],
            vector,
            residual: self.residual(&vectors, 0),
            scale,
            converged: false,
            applications,
        }
    }

    /// Keeps the lowest Ritz vectors and the direction of the residual.
    fn restart(&mut self) {
        let (values, vectors) = self.ritz();
        let kept = KEPT.min(values.len());
        let basis: Vec<Vec<f64>> = (0..kept).map(|k| self.combine(&vectors, k)).collect();
        self.projected = (0..kept).map(|i| (0..kept).map(|j| if i == j { values[i] } else { 0.0 }).collect()).collect();
        self.basis = basis;
    }
}

/// Solution of minimal norm of the least-squares problem `min ||A x - b||` by LSQR (Paige and Saunders), with the
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
fn dot(x: &[f64], y: &[f64]) -> f64 {
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
    let largest = x.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    let scale = super::matrix::power_of_two_near(largest);
    scale * x.iter().map(|v| (v / scale).powi(2)).sum::<f64>().sqrt()
}

fn normalize(x: &mut [f64]) -> f64 {
    let size = vector_norm(x);
    if size > 0.0 {
        for value in x.iter_mut() {
            *value /= size;
        }
    }
    size
}

fn scale_vector(mut x: Vec<f64>, factor: f64) -> Vec<f64> {
    for value in &mut x {
        *value *= factor;
    }
    x
}

fn add_scaled(x: &mut [f64], factor: f64, y: &[f64]) {
    for (a, b) in x.iter_mut().zip(y) {
        *a += factor * b;
    }
}

fn axpy(mut x: Vec<f64>, factor: f64, y: &[f64]) -> Vec<f64> {
    add_scaled(&mut x, factor, y);
    x
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn extremes_agree_with_the_dense_eigenvalues() {
        for n in [1, 2, 10, 200] {
            let a = Stream::new(n as u64, 1).normal_matrix(n, n);
            let a = &a + &a.transpose();
            let dense = super::super::symmetric_eigenvalues(&a).unwrap();
            for (sign, expected) in [(1.0, dense[0]), (-1.0, dense[n - 1])] {
                let found = smallest_eigenpair(&a, sign, 1e-11, 3000, 4);
                assert!(found.converged, "{n} {found:?}");
                assert!((found.value - expected).abs() < 1e-9 * found.scale, "{n}: {} {expected}", found.value);
            }
        }
    }

    #[test]
    fn lanczos_stops_on_an_invariant_space() {
        let a = Matrix::from_diagonal(100, 100, &[1.0; 100]);
        let found = smallest_eigenpair(&a, 1.0, 1e-10, 1000, 4);
        assert!(found.converged && (found.value - 1.0).abs() < 1e-14 && found.applications <= 2);
        assert_eq!(smallest_eigenpair(&Matrix::zeros(5, 5), 1.0, 1e-10, 1000, 4).value, 0.0);
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
