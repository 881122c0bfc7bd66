//! Descents on factors from spread starts: a list of critical points that may be incomplete must not lie above their ends.

use super::chart;
use super::kernel::Shape;
use super::loss::QuadraticLoss;
use crate::homotopy::Point;
use crate::linalg::scalar::C64;
use crate::linalg::{Matrix, inverse, singular_values};
use crate::random::Stream;
use crate::tolerance::Tolerances;

/// Descents of one loss.
const STARTS: u64 = 16;
/// Stream of their starts, apart from those of the loops.
const STREAM: u64 = u64::MAX - 3;
/// Steps without the second derivatives of the product, which keep far from saddles, and in all.
const GAUSS_NEWTON_STEPS: usize = 40;
const STEPS: usize = 240;

/// Where a descent ended, in the solver's coordinates.
#[derive(Debug, Clone)]
pub(super) struct Descent {
    x: Matrix,
    y: Matrix,
    /// The gradient vanishes up to the tolerance `near_gradient`.
    pub(super) converged: bool,
}

/// `f = w' A w - 2 b' w` on factors `W = X Y`.
struct Factored {
    shape: Shape,
    form: Matrix,
    linear: Matrix,
}

impl Descent {
    /// Numerical rank of the end.
    pub(super) fn rank(&self, tolerances: &Tolerances) -> usize {
        let values = singular_values(&(&self.x * &self.y));
        let zero = tolerances.same_solution * values.first().copied().unwrap_or(0.0);
        values.iter().filter(|&&value| value > zero).count()
    }

    /// The end as a matrix, row by row.
    pub(super) fn matrix(&self) -> Vec<f64> {
        by_rows(&(&self.x * &self.y))
    }

    /// The end as a point of the tracker.
    pub(super) fn point(&self, shape: Shape) -> Point {
        let complex =
            |matrix: &Matrix| by_rows(matrix).into_iter().map(|value| C64::new(value, 0.0)).collect::<Vec<_>>();
        chart::point(shape, &complex(&self.x), &complex(&self.y))
    }
}

fn by_rows(matrix: &Matrix) -> Vec<f64> {
    let cols = matrix.ncols();
    (0..matrix.nrows() * cols).map(|e| matrix[(e / cols, e % cols)]).collect()
}

/// Ends of descents from starts of sizes that are powers of four, around the size of least squares.
pub(super) fn descents(loss: &QuadraticLoss, seed: u64, tolerances: &Tolerances) -> Vec<Descent> {
    let Shape { m, n, r } = loss.shape();
    let problem = Factored::new(loss);
    let descend = |start: u64| {
        let mut stream = Stream::new(seed, STREAM - start);
        let size = 2.0_f64.powi((start % 4) as i32 - 2);
        let (x, y) = (stream.normal_matrix(m, r).scaled(size), stream.normal_matrix(r, n).scaled(size));
        problem.descend(x, y, tolerances)
    };
    (0..STARTS).map(descend).collect()
}

impl Factored {
    fn new(loss: &QuadraticLoss) -> Self {
        let (shape, entries) = (loss.shape(), loss.shape().entries());
        let middle = loss.as_complex();
        let form = Matrix::from_fn(entries, entries, |i, j| middle.form[i * entries + j].re);
        let linear = Matrix::from_fn(entries, 1, |i, _| middle.linear[i].re);
        Self { shape, form, linear }
    }

    /// `f` and `G = A w - b`.
    fn value(&self, x: &Matrix, y: &Matrix) -> (f64, Matrix) {
        let w = by_rows(&(x * y));
        let column = Matrix::from_fn(w.len(), 1, |e, _| w[e]);
        let mut residual = &self.form * &column;
        residual.add_scaled(-1.0, &self.linear);
        // w' A w - 2 b' w = w' (G - b)
        (column.dot(&residual) - column.dot(&self.linear), residual)
    }

    /// The derivative of `vec(X Y)`: columns for the rows of `X`, then for those of `Y`.
    fn differential(&self, x: &Matrix, y: &Matrix) -> Matrix {
        let Shape { m, n, r } = self.shape;
        Matrix::from_fn(m * n, r * (m + n), |e, parameter| {
            let (i, j) = (e / n, e % n);
            if parameter < m * r {
                if parameter / r == i { y[(parameter % r, j)] } else { 0.0 }
            } else {
                let (a, column) = ((parameter - m * r) / n, (parameter - m * r) % n);
                if column == j { x[(i, a)] } else { 0.0 }
            }
        })
    }

    /// Adds the second derivatives of the product, contracted with `G`.
    fn add_curvature(&self, residual: &Matrix, hessian: &mut Matrix) {
        let Shape { m, n, r } = self.shape;
        for (i, j, a) in (0..m * n * r).map(|e| (e / (n * r), e / r % n, e % r)) {
            let (first, second) = (i * r + a, m * r + a * n + j);
            hessian[(first, second)] += residual[(i * n + j, 0)];
            hessian[(second, first)] += residual[(i * n + j, 0)];
        }
    }

    /// Newton steps with a damping that grows until the loss falls; the first ones are those of Gauss and Newton.
    fn descend(&self, mut x: Matrix, mut y: Matrix, tolerances: &Tolerances) -> Descent {
        let Shape { m, n, r } = self.shape;
        let (mut value, mut residual) = self.value(&x, &y);
        let mut damping = 1.0;
        let mut converged = false;
        for step in 0..STEPS {
            let differential = self.differential(&x, &y);
            let gradient = differential.transpose_times(&residual);
            let size = differential.max_abs() * (residual.max_abs() + self.linear.max_abs());
            converged = gradient.max_abs() <= tolerances.near_gradient * size;
            if gradient.max_abs() <= tolerances.critical_floor * size {
                break;
            }
            let mut hessian = differential.transpose_times(&(&self.form * &differential));
            if step >= GAUSS_NEWTON_STEPS {
                self.add_curvature(&residual, &mut hessian);
            }
            let (scale, rounding) = (hessian.max_abs(), f64::EPSILON * value.abs());
            let moved = |damping: f64| {
                let mut damped = hessian.clone();
                (0..r * (m + n)).for_each(|k| damped[(k, k)] += damping * scale);
                let change = &inverse(&damped)? * &gradient;
                let moved = (
                    Matrix::from_fn(m, r, |i, a| x[(i, a)] - change[(i * r + a, 0)]),
                    Matrix::from_fn(r, n, |a, j| y[(a, j)] - change[(m * r + a * n + j, 0)]),
                );
                let (lower, residual) = self.value(&moved.0, &moved.1);
                (lower <= value + rounding).then_some((moved, lower, residual))
            };
            let tries = std::iter::successors(Some(damping), |damping| Some(4.0 * damping));
            let found = tries.take_while(|&damping| damping < 1.0 / f64::EPSILON).find_map(|d| Some((d, moved(d)?)));
            let Some((taken, ((next_x, next_y), lower, next))) = found else { break };
            (x, y, value, residual) = (next_x, next_y, lower, next);
            damping = (taken / 8.0).max(f64::EPSILON);
        }
        Descent { x, y, converged }
    }
}
