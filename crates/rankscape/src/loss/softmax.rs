//! Cross-entropy of the softmax of every column.

use std::f64::consts::SQRT_2;
use std::sync::Arc;

use super::entry::{LARGEST_SKEW, entropy};
use super::{Convexity, Infimum, Loss, Margins, SharedLoss};
use crate::linalg::Matrix;

/// `l(F) = sum_j sum_k T_kj (log sum_c exp F_cj - F_kj)`: the cross-entropy between columns `T_j >= 0` and the softmax of the
/// columns of `F`. A column of labels is one of the unit vectors; one that sums to `w` has the weight `w`.
///
/// It is convex, and constant along `F + 1 c'`.
///
/// ```
/// use rankscape::Matrix;
/// use rankscape::loss::{Loss, SoftmaxLoss};
///
/// let loss = SoftmaxLoss::new(Matrix::from_rows(&[vec![1.0], vec![0.0]]));
/// assert_eq!(loss.value(&Matrix::zeros(2, 1)), std::f64::consts::LN_2);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SoftmaxLoss {
    targets: Matrix,
    /// Sums of the columns of the targets.
    masses: Vec<f64>,
    /// Classes that a column has settled against, which count no more: 0, or minus infinity to be added to the outputs.
    settled: Option<Matrix>,
}

impl SoftmaxLoss {
    /// The cross-entropy of these columns, which have no negative entry.
    pub fn new(targets: Matrix) -> Self {
        let masses = (0..targets.ncols()).map(|j| targets.column(j).iter().sum()).collect();
        Self { targets, masses, settled: None }
    }

    /// `T`.
    pub fn targets(&self) -> &Matrix {
        &self.targets
    }

    /// Softmax of a column.
    fn probabilities(column: &[f64], into: &mut Vec<f64>) {
        let largest = column.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        into.clear();
        into.extend(column.iter().map(|f| (f - largest).exp()));
        let sum: f64 = into.iter().sum();
        into.iter_mut().for_each(|p| *p /= sum);
    }

    /// The outputs of the classes that count.
    fn open(&self, outputs: &Matrix, j: usize) -> Vec<f64> {
        let mut column = outputs.column(j).to_vec();
        if let Some(settled) = &self.settled {
            column.iter_mut().zip(settled.column(j)).for_each(|(f, away)| *f += away);
        }
        column
    }

    /// Calls `of` with every class `k` of positive target beside every other class `c` that counts.
    fn pairs(&self, mut of: impl FnMut(usize, usize, usize)) {
        for j in 0..self.masses.len() {
            let counts = |c: usize| self.settled.as_ref().is_none_or(|settled| settled[(c, j)] == 0.0);
            let column = self.targets.column(j);
            for k in (0..column.len()).filter(|&k| column[k] > 0.0) {
                (0..column.len()).filter(|&c| c != k && counts(c)).for_each(|c| of(j, k, c));
            }
        }
    }

    fn by_columns(&self, outputs: &Matrix, mut of: impl FnMut(usize, &[f64], &mut [f64])) -> Matrix {
        let mut out = Matrix::zeros(outputs.nrows(), outputs.ncols());
        let mut probabilities = Vec::new();
        for j in 0..outputs.ncols() {
            Self::probabilities(&self.open(outputs, j), &mut probabilities);
            of(j, &probabilities, out.column_mut(j));
        }
        out
    }
}

/// `sum_k t_k (log sum_c exp f_c - f_k)`, without cancellation beside the largest output.
fn cross_entropy(targets: &[f64], mass: f64, column: &[f64]) -> f64 {
    let largest = column.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let top = column.iter().position(|&f| f == largest).unwrap_or(0);
    let rest: f64 = column.iter().enumerate().filter(|&(k, _)| k != top).map(|(_, f)| (f - largest).exp()).sum();
    let behind: f64 = targets.iter().zip(column).map(|(t, f)| if *t == 0.0 { 0.0 } else { t * (largest - f) }).sum();
    mass * rest.ln_1p() + behind
}

impl Loss for SoftmaxLoss {
    fn value(&self, outputs: &Matrix) -> f64 {
        (0..outputs.ncols())
            .map(|j| cross_entropy(self.targets.column(j), self.masses[j], &self.open(outputs, j)))
            .sum()
    }

    fn gradient(&self, outputs: &Matrix) -> Matrix {
        self.by_columns(outputs, |j, probabilities, out| {
            let targets = self.targets.column(j);
            for (k, slope) in out.iter_mut().enumerate() {
                // (1 - p) t of a label would cancel beside p = 1: the others have what is missing.
                let others = || {
                    let rest = probabilities.iter().enumerate().filter(|&(c, _)| c != k).map(|(_, p)| p).sum::<f64>();
                    -self.masses[j] * rest
                };
                *slope = if targets[k] == self.masses[j] {
                    others()
                } else {
                    self.masses[j] * probabilities[k] - targets[k]
                };
            }
        })
    }

    fn hessian_times(&self, outputs: &Matrix, direction: &Matrix) -> Matrix {
        self.curved(&self.curvature(outputs), direction)
    }

    /// The probabilities of the classes.
    fn curvature(&self, outputs: &Matrix) -> Matrix {
        self.by_columns(outputs, |_, probabilities, out| out.copy_from_slice(probabilities))
    }

    fn curved(&self, curvature: &Matrix, direction: &Matrix) -> Matrix {
        let mut image = direction.clone();
        for (j, mass) in self.masses.iter().enumerate() {
            let (probabilities, column) = (curvature.column(j), image.column_mut(j));
            let mean: f64 = probabilities.iter().zip(&*column).map(|(p, d)| p * d).sum();
            column.iter_mut().zip(probabilities).for_each(|(d, p)| *d = mass * p * (*d - mean));
        }
        image
    }

    fn diagonal(&self, outputs: &Matrix) -> Option<Matrix> {
        Some(self.by_columns(outputs, |j, probabilities, out| {
            out.iter_mut().zip(probabilities).for_each(|(entry, p)| *entry = self.masses[j] * p * (1.0 - p));
        }))
    }

    fn smoothness(&self, _outputs: &Matrix) -> f64 {
        0.5 * self.masses.iter().copied().fold(0.0, f64::max)
    }

    /// The third derivative along `d` is the third cumulant of its entries, `p (1 - p) (1 - 2 p)` times the cube of their range at most; the
    /// range is at most `sqrt 2 ||d||`.
    fn hessian_lipschitz(&self, _outputs: &Matrix, _radius: f64) -> Option<f64> {
        Some(SQRT_2.powi(3) * LARGEST_SKEW * self.masses.iter().copied().fold(0.0, f64::max))
    }

    fn convexity(&self) -> Convexity {
        Convexity::Convex
    }

    /// No column costs less than the entropy of its targets.
    fn infimum(&self) -> Infimum {
        let column = |j: usize| {
            let mass = self.masses[j];
            if mass == 0.0 { 0.0 } else { self.targets.column(j).iter().map(|t| mass * entropy(t / mass)).sum() }
        };
        Infimum::AtLeast((0..self.masses.len()).map(column).sum())
    }

    fn infimum_beside(&self, slopes: &Matrix) -> Option<f64> {
        let mut sum = 0.0;
        for (j, &mass) in self.masses.iter().enumerate() {
            for (v, t) in slopes.column(j).iter().zip(self.targets.column(j)) {
                let p = v + t;
                if !(p >= 0.0) || (mass == 0.0 && p != 0.0) {
                    return Some(f64::NEG_INFINITY);
                }
                if mass > 0.0 {
                    sum += mass * entropy(p / mass);
                }
            }
        }
        Some(sum)
    }

    fn ignores_shifts(&self) -> bool {
        true
    }

    fn observed(&self) -> Option<Vec<Vec<bool>>> {
        let column: Vec<bool> = self.masses.iter().map(|&mass| mass != 0.0).collect();
        column.contains(&false).then(|| vec![column; self.targets.nrows()])
    }

    fn restricted(&self, rows: &[usize], columns: &[usize]) -> Option<SharedLoss> {
        let part = |matrix: &Matrix| matrix.selected(rows, columns);
        let settled = self.settled.as_ref().map(part);
        Some(Arc::new(Self { settled, ..Self::new(part(&self.targets)) }))
    }

    /// `F_kj - F_cj` for every class `k` of positive target and every other class `c`.
    fn margins(&self, outputs: &Matrix) -> Option<Margins> {
        let mut values = Vec::new();
        let mut strict = true;
        self.pairs(|j, k, c| {
            values.push(outputs[(k, j)] - outputs[(c, j)]);
            strict &= self.targets[(c, j)] == 0.0;
        });
        Some(Margins { values, strict })
    }

    fn without(&self, settled: &[bool]) -> Option<SharedLoss> {
        let mut away =
            self.settled.clone().unwrap_or_else(|| Matrix::zeros(self.targets.nrows(), self.targets.ncols()));
        let mut settled = settled.iter();
        self.pairs(|j, _, c| {
            if settled.next() == Some(&true) {
                away[(c, j)] = f64::NEG_INFINITY;
            }
        });
        Some(Arc::new(Self { settled: Some(away), ..self.clone() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn derivatives_are_those_of_the_value() {
        let mut stream = Stream::new(3, 0);
        let targets = Matrix::from_rows(&[vec![1.0, 0.2, 0.0], vec![0.0, 0.3, 0.0], vec![0.0, 0.5, 2.0]]);
        let loss = SoftmaxLoss::new(targets);
        let (outputs, direction) = (stream.normal_matrix(3, 3), stream.normal_matrix(3, 3));
        let step = 1e-6;
        let moved = |t: f64| &outputs + &direction.scaled(t);
        let slope = (loss.value(&moved(step)) - loss.value(&moved(-step))) / (2.0 * step);
        assert!((slope - loss.gradient(&outputs).dot(&direction)).abs() < 1e-8);
        let curved = (&loss.gradient(&moved(step)) - &loss.gradient(&moved(-step))).scaled(0.5 / step);
        let found = loss.hessian_times(&outputs, &direction);
        assert!((&curved - &found).frobenius_norm() < 1e-8);
        let slopes = loss.gradient(&outputs);
        let reached = loss.value(&outputs) - slopes.dot(&outputs);
        assert!((loss.infimum_beside(&slopes).unwrap() - reached).abs() < 1e-12);
    }

    #[test]
    fn confident_outputs_keep_their_accuracy() {
        let loss = SoftmaxLoss::new(Matrix::from_rows(&[vec![1.0], vec![0.0]]));
        let outputs = Matrix::from_rows(&[vec![40.0], vec![0.0]]);
        let tail = (-40.0_f64).exp();
        assert!((loss.value(&outputs) / tail - 1.0).abs() < 1e-12);
        assert!((loss.gradient(&outputs)[(0, 0)] / -tail - 1.0).abs() < 1e-12);
    }
}
