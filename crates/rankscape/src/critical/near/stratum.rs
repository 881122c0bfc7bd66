//! The stratum of critical points with given ranks, and Gauss-Newton onto it.
//!
//! Equations: the product equals `P_S Z`; every `P(k-1,0) G' P(h,k)` is zero; and the part of each composite outside its
//! leading singular spaces is zero. Where all ranks are constant the points form a smooth manifold whose tangent space
//! these linearized equations cut out, so the convergence is quadratic.

use std::cell::Cell;

use super::pattern::{Composite, RankPattern, wrapped};
use crate::linalg::{LinearOperator, Matrix, least_squares, svd, vector_norm};
use crate::multiplication::partial_product;
use crate::tolerance::UNIT_ROUNDOFF;

const STEPS: usize = 25;
const KRYLOV_BUDGET: usize = 600;
/// Norm of the defect at which a further step must halve it to be worth taking.
const CONVERGED: f64 = 1e-13;

pub(super) struct RankStratum<'a> {
    pattern: &'a RankPattern,
    projection: &'a Matrix,
    residual: &'a Matrix,
}

/// One matrix equation `L (composite - goal) R = 0` with projectors `L`, `R` off leading singular spaces.
struct Equation {
    composite: Composite,
    /// Orthonormal bases of the spaces that are projected out, left and right.
    kept: Option<(Matrix, Matrix)>,
    goal: Option<Matrix>,
    shape: (usize, usize),
}

impl<'a> RankStratum<'a> {
    pub(super) fn new(pattern: &'a RankPattern, projection: &'a Matrix, residual: &'a Matrix) -> Self {
        Self { pattern, projection, residual }
    }

    /// A point of the stratum near `layers`; `None` if the steps do not converge or a step leaves what `acceptable` allows.
    ///
    /// `budget` is what is left of the iterations of the linear solver. Each step solves its linear problem only as well
    /// as the defect warrants, which keeps the convergence quadratic.
    pub(super) fn project(
        &self,
        mut layers: Vec<Matrix>,
        budget: &Cell<usize>,
        acceptable: &impl Fn(&[Matrix]) -> bool,
    ) -> Option<Vec<Matrix>> {
        let mut previous = f64::INFINITY;
        for _step in 0..STEPS {
            let linearization = Linearization::new(self, &layers);
            let defect = linearization.defect();
            let size = vector_norm(&defect);
            if size <= CONVERGED && size >= 0.5 * previous || size <= UNIT_ROUNDOFF {
                previous = size.min(previous);
                break;
            }
            if !size.is_finite() || size > 10.0 * previous || !acceptable(&layers) {
                return None;
            }
            previous = size.min(previous);
            let allowed = KRYLOV_BUDGET.min(budget.get());
            let (step, used) = least_squares(&linearization, &defect, size.clamp(1e-12, 1e-3), allowed);
            budget.set(budget.get() - used);
            if budget.get() == 0 {
                return None;
            }
            subtract(&mut layers, &step);
        }
        (previous <= 100.0 * CONVERGED && acceptable(&layers)).then_some(layers)
    }

    fn equations(&self, layers: &[Matrix]) -> Vec<Equation> {
        let depth = layers.len();
        let whole = Composite::Straight { j: depth, i: 0 };
        let shape = self.projection.shape();
        let mut out = vec![Equation { composite: whole, kept: None, goal: Some(self.projection.clone()), shape }];
        for k in 1..=depth {
            let composite = Composite::Wrapped { s: k, t: k - 1 };
            out.push(Equation { composite, kept: None, goal: None, shape: (width(layers, k - 1), width(layers, k)) });
        }
        for &(composite, rank) in &self.pattern.ranks {
            let value = evaluate(layers, self.residual, composite);
            let shape = value.shape();
            if rank >= shape.0.min(shape.1) {
                continue;
            }
            let kept = (rank > 0).then(|| {
                let found = svd(&value);
                (found.u.columns(0, rank), found.v.columns(0, rank))
            });
            out.push(Equation { composite, kept, goal: None, shape });
        }
        out
    }
}

fn width(layers: &[Matrix], k: usize) -> usize {
    if k == 0 { layers[0].ncols() } else { layers[k - 1].nrows() }
}

fn evaluate(layers: &[Matrix], residual: &Matrix, composite: Composite) -> Matrix {
    match composite {
        Composite::Straight { j, i } => partial_product(layers, j, i),
        Composite::Wrapped { s, t } => wrapped(layers, residual, s, t),
    }
}

impl Equation {
    fn project(&self, matrix: &Matrix) -> Matrix {
        let Some((left, right)) = &self.kept else { return matrix.clone() };
        let inside = matrix - &(left * &left.transpose_times(matrix));
        &inside - &(&inside * right).times_transpose(right)
    }
}

struct Linearization<'a> {
    layers: &'a [Matrix],
    residual: &'a Matrix,
    equations: Vec<Equation>,
    /// `P(j, i)` at `[i][j - i]`.
    partials: Vec<Vec<Matrix>>,
}

impl<'a> Linearization<'a> {
    fn new(stratum: &RankStratum<'a>, layers: &'a [Matrix]) -> Self {
        let depth = layers.len();
        let partials = (0..=depth)
            .map(|i| {
                let mut row = vec![Matrix::identity(width(layers, i))];
                for layer in &layers[i..] {
                    row.push(layer * &row[row.len() - 1]);
                }
                row
            })
            .collect();
        Self { layers, residual: stratum.residual, equations: stratum.equations(layers), partials }
    }

    fn partial(&self, j: usize, i: usize) -> &Matrix {
        &self.partials[i][j - i]
    }

    fn defect(&self) -> Vec<f64> {
        let mut out = Vec::new();
        for equation in &self.equations {
            let value = evaluate(self.layers, self.residual, equation.composite);
            let difference = equation.goal.as_ref().map_or(value.clone(), |goal| &value - goal);
            out.extend(equation.project(&difference).entries());
        }
        out
    }

    /// `d P(j, i)` along a direction, for every `i <= j`, at `[i][j - i]`.
    fn derivatives(&self, direction: &[Matrix]) -> Vec<Vec<Matrix>> {
        let depth = self.layers.len();
        (0..=depth)
            .map(|i| {
                let mut row = vec![Matrix::zeros(width(self.layers, i), width(self.layers, i))];
                for j in i + 1..=depth {
                    let step = &direction[j - 1];
                    let fresh = if j == i + 1 { step.clone() } else { step * self.partial(j - 1, i) };
                    let carried = &self.layers[j - 1] * &row[j - i - 1];
                    row.push(if j == i + 1 { fresh } else { &fresh + &carried });
                }
                row
            })
            .collect()
    }

    /// Adds the adjoint of `d P(j, i)` applied to `matrix`.
    fn accumulate(&self, out: &mut [Matrix], matrix: &Matrix, j: usize, i: usize) {
        for l in i + 1..=j {
            let block = self.partial(j, l).transpose_times(matrix).times_transpose(self.partial(l - 1, i));
            out[l - 1].add_scaled(1.0, &block);
        }
    }

    fn split(&self, x: &[f64]) -> Vec<Matrix> {
        let mut offset = 0;
        self.layers.iter().map(|layer| take(x, &mut offset, layer.shape())).collect()
    }
}

impl LinearOperator for Linearization<'_> {
    fn apply(&self, x: &[f64]) -> Vec<f64> {
        let derivatives = self.derivatives(&self.split(x));
        let derivative = |j: usize, i: usize| &derivatives[i][j - i];
        let depth = self.layers.len();
        let mut out = Vec::new();
        for equation in &self.equations {
            let change = match equation.composite {
                Composite::Straight { j, i } => derivative(j, i).clone(),
                Composite::Wrapped { s, t } => {
                    let after = self.residual.transpose_times(self.partial(depth, s));
                    let before = self.partial(t, 0).times_transpose(self.residual);
                    &(derivative(t, 0) * &after) + &(&before * derivative(depth, s))
                }
            };
            out.extend(equation.project(&change).entries());
        }
        out
    }

    fn apply_transpose(&self, y: &[f64]) -> Vec<f64> {
        let depth = self.layers.len();
        let mut out: Vec<Matrix> =
            self.layers.iter().map(|layer| Matrix::zeros(layer.nrows(), layer.ncols())).collect();
        let mut offset = 0;
        for equation in &self.equations {
            let matrix = equation.project(&take(y, &mut offset, equation.shape));
            match equation.composite {
                Composite::Straight { j, i } => self.accumulate(&mut out, &matrix, j, i),
                Composite::Wrapped { s, t } => {
                    let after = self.residual.transpose_times(self.partial(depth, s));
                    let before = self.partial(t, 0).times_transpose(self.residual);
                    self.accumulate(&mut out, &matrix.times_transpose(&after), t, 0);
                    self.accumulate(&mut out, &before.transpose_times(&matrix), depth, s);
                }
            }
        }
        out.iter().flat_map(|block| block.entries().collect::<Vec<_>>()).collect()
    }
}

fn take(x: &[f64], offset: &mut usize, (rows, cols): (usize, usize)) -> Matrix {
    let part = &x[*offset..*offset + rows * cols];
    *offset += rows * cols;
    Matrix::from_fn(rows, cols, |i, j| part[j * rows + i])
}

fn subtract(layers: &mut [Matrix], step: &[f64]) {
    let mut offset = 0;
    for layer in layers {
        let block = take(step, &mut offset, layer.shape());
        layer.add_scaled(-1.0, &block);
    }
}
