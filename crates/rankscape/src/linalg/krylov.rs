//! Krylov methods on operators that are never formed: extreme eigenvalues and least squares of minimal norm.

use super::inertia::symmetric_eigen;
use super::matrix::Matrix;

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

/// Vectors of the basis before a restart.
const BASIS: usize = 120;
/// Ritz vectors at each wanted end that a restart keeps.
const KEPT: usize = 30;

/// Ritz vectors kept at an end that has been found.
const FOUND: usize = 4;

/// An end of the spectrum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The smallest eigenvalue.
    Smallest,
    /// The largest eigenvalue.
    Largest,
}

/// Eigenpairs at the wanted `ends` of the spectrum, in their order, from one Lanczos iteration with full
/// reorthogonalization and thick restarts.
///
/// Stops when every residual is at most `tolerance` times the scale of the operator, or after `budget` applications. The
/// starting vector should have a random part: a Krylov space never leaves an invariant space that contains its start.
/// A Krylov method alone cannot tell whether a zero eigenvalue was missed: combine it with a known inertia.
pub fn extreme_eigenpairs<const N: usize>(
    operator: &impl SymmetricOperator,
    ends: [End; N],
    tolerance: f64,
    budget: usize,
    start: Vec<f64>,
) -> [Extreme; N] {
    let n = operator.dimension();
    let mut lanczos = Lanczos::new(start, BASIS.min(n));
    let mut applications = 0;
    loop {
        let invariant = lanczos.extend(&mut applications, |x| operator.apply(x));
        let ritz = lanczos.ritz();
        let done = invariant || lanczos.size == n;
        let small = ends.iter().all(|&end| ritz.residual(end, lanczos.rest) <= tolerance * ritz.scale());
        if done || small || applications >= budget {
            return ends.map(|end| lanczos.extreme(&ritz, end, applications).measured(operator, tolerance));
        }
        if lanczos.is_full() {
            lanczos.restart(&ritz, &ends, tolerance);
        }
    }
}

impl Extreme {
    /// With value and residual of the vector as they are.
    #[must_use]
    pub fn measured(mut self, operator: &impl SymmetricOperator, tolerance: f64) -> Self {
        let image = operator.apply(&self.vector);
        self.value = dot(&self.vector, &image);
        self.residual = vector_norm(&axpy(image, -self.value, &self.vector));
        self.converged = self.residual <= (10.0 * tolerance).max(1e-12) * self.scale;
        self
    }
}

/// Orthonormal basis and the projected operator.
struct Lanczos {
    /// The first `size` columns are the basis.
    basis: Matrix,
    size: usize,
    next: Option<Vec<f64>>,
    /// Norm of the part of the last image outside the basis.
    rest: f64,
    projected: Vec<Vec<f64>>,
}

/// Eigenvalues and eigenvectors of the projected operator.
struct Ritz {
    values: Vec<f64>,
    vectors: Matrix,
}

impl Ritz {
    fn position(&self, end: End) -> usize {
        if end == End::Smallest { 0 } else { self.values.len() - 1 }
    }

    fn residual(&self, end: End, rest: f64) -> f64 {
        (rest * self.vectors[(self.values.len() - 1, self.position(end))]).abs()
    }

    /// The largest absolute value.
    fn scale(&self) -> f64 {
        self.values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()))
    }
}

impl Lanczos {
    fn new(mut start: Vec<f64>, limit: usize) -> Self {
        normalize(&mut start);
        let basis = Matrix::zeros(start.len(), limit);
        Self { basis, size: 0, next: Some(start), rest: 0.0, projected: Vec::new() }
    }

    fn is_full(&self) -> bool {
        self.size == self.basis.ncols()
    }

    /// Grows the basis by an eighth, but at least by ten vectors, up to its limit; true if the space is invariant.
    fn extend(&mut self, applications: &mut usize, apply: impl Fn(&[f64]) -> Vec<f64>) -> bool {
        let goal = (self.size + (self.size / 8).max(10)).min(self.basis.ncols());
        while self.size < goal {
            let Some(vector) = self.next.take() else { return true };
            let mut image = apply(&vector);
            *applications += 1;
            let length = vector_norm(&image);
            self.basis.column_mut(self.size).copy_from_slice(&vector);
            self.size += 1;
            let coefficients = self.orthogonalize(&mut image);
            for (row, &c) in self.projected.iter_mut().zip(&coefficients) {
                row.push(c);
            }
            self.projected.push(coefficients);
            self.rest = vector_norm(&image);
            if self.rest <= 1e-14 * length || self.rest == 0.0 {
                return true;
            }
            self.next = Some(scale_vector(image, 1.0 / self.rest));
        }
        false
    }

    /// Takes the projections on the basis off; gives the coefficients. The last two vectors first: then the others have next
    /// to nothing left to take, and one pass over the basis is enough unless the norm still falls.
    fn orthogonalize(&self, image: &mut [f64]) -> Vec<f64> {
        let mut coefficients = vec![0.0; self.size];
        for k in (self.size.saturating_sub(2)..self.size).rev() {
            let column = self.basis.column(k);
            coefficients[k] = dot(column, image);
            add_scaled(image, -coefficients[k], column);
        }
        for _pass in 0..3 {
            let before = vector_norm(image);
            let found = self.basis.project_out(self.size, image);
            coefficients.iter_mut().zip(&found).for_each(|(total, c)| *total += c);
            let taken = vector_norm(&found);
            if taken <= ENOUGH * before || taken.is_nan() {
                break;
            }
        }
        coefficients
    }

    fn ritz(&self) -> Ritz {
        let projected =
            Matrix::from_fn(self.size, self.size, |i, j| 0.5 * (self.projected[i][j] + self.projected[j][i]));
        let found = symmetric_eigen(&projected).map(|e| Ritz { values: e.values, vectors: e.vectors });
        found.unwrap_or_else(|| Ritz { values: vec![0.0; self.size], vectors: Matrix::identity(self.size) })
    }

    fn extreme(&self, ritz: &Ritz, end: End, applications: usize) -> Extreme {
        let at = ritz.position(end);
        let mut vector = (&self.basis.columns(0, self.size) * &ritz.vectors.columns(at, at + 1)).column(0).to_vec();
        normalize(&mut vector);
        let residual = ritz.residual(end, self.rest);
        Extreme { value: ritz.values[at], vector, residual, scale: ritz.scale(), converged: false, applications }
    }

    /// Keeps the Ritz vectors at the wanted ends and the direction of the residual.
    fn restart(&mut self, ritz: &Ritz, ends: &[End], tolerance: f64) {
        let kept = |end: End| match ends.contains(&end) {
            false => 0,
            true if ritz.residual(end, self.rest) <= tolerance * ritz.scale() => FOUND,
            true => (self.size / 3).min(KEPT),
        };
        let (low, high) = (kept(End::Smallest), kept(End::Largest));
        let chosen: Vec<usize> = (0..low).chain(self.size - high..self.size).collect();
        let coefficients = Matrix::from_fn(self.size, chosen.len(), |i, j| ritz.vectors[(i, chosen[j])]);
        let vectors = &self.basis.columns(0, self.size) * &coefficients;
        self.basis.set_block(0, 0, &vectors);
        let value = |i: usize, j: usize| if i == j { ritz.values[chosen[i]] } else { 0.0 };
        self.projected = (0..chosen.len()).map(|i| (0..chosen.len()).map(|j| value(i, j)).collect()).collect();
        self.size = chosen.len();
    }
}

/// A second pass over the basis is due when the first took off more than this part: what it leaves along the basis is of the
/// order of rounding errors times what it took. Where nothing but rounding is left, passes change nothing.
const ENOUGH: f64 = 0.5;

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
    fn extremes_agree_with_the_dense_eigenvalues() {
        for n in [1, 2, 10, 200] {
            let a = Stream::new(n as u64, 1).normal_matrix(n, n);
            let a = &a + &a.transpose();
            let dense = super::super::symmetric_eigenvalues(&a).unwrap();
            let start = Stream::new(4, 0).normal_vector(n);
            let pairs = extreme_eigenpairs(&a, [End::Smallest, End::Largest], 1e-11, 3000, start);
            for (found, expected) in pairs.iter().zip([dense[0], dense[n - 1]]) {
                assert!(found.converged, "{n} {found:?}");
                assert!((found.value - expected).abs() < 1e-9 * found.scale, "{n}: {} {expected}", found.value);
            }
        }
    }

    #[test]
    fn lanczos_stops_on_an_invariant_space() {
        let a = Matrix::from_diagonal(100, 100, &[1.0; 100]);
        let smallest = |a: &Matrix| {
            let start = Stream::new(4, 0).normal_vector(a.ncols());
            let [found] = extreme_eigenpairs(a, [End::Smallest], 1e-10, 1000, start);
            found
        };
        let found = smallest(&a);
        assert!(found.converged && (found.value - 1.0).abs() < 1e-14 && found.applications <= 2);
        assert_eq!(smallest(&Matrix::zeros(5, 5)).value, 0.0);
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
