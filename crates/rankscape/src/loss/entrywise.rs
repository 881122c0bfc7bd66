//! Weighted sums over the entries of the outputs.

use std::sync::Arc;

use super::entry::Entry;
use super::{Convexity, Infimum, Loss, Margins, QuadraticForm, SharedLoss};
use crate::linalg::Matrix;

/// `l(F) = sum_ij M_ij phi(F_ij, Y_ij)` with weights `M_ij >= 0`, all 1 where there are none.
///
/// An entry of weight 0 is not observed: its target is never looked at.
///
/// ```
/// use rankscape::Matrix;
/// use rankscape::loss::{Entry, EntrywiseLoss, Loss};
///
/// let targets = Matrix::from_rows(&[vec![1.0, -1.0]]);
/// let loss = EntrywiseLoss::new(Entry::Logistic, targets, None);
/// assert_eq!(loss.value(&Matrix::zeros(1, 2)), 2.0 * std::f64::consts::LN_2);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct EntrywiseLoss {
    entry: Entry,
    targets: Matrix,
    weights: Option<Matrix>,
}

impl EntrywiseLoss {
    /// The sum over the entries of `targets`, with `weights` of the same shape.
    pub fn new(entry: Entry, targets: Matrix, weights: Option<Matrix>) -> Self {
        Self { entry, targets, weights }
    }

    /// The function of one entry.
    pub fn entry(&self) -> Entry {
        self.entry
    }

    /// `Y`.
    pub fn targets(&self) -> &Matrix {
        &self.targets
    }

    /// `M`.
    pub fn weights(&self) -> Option<&Matrix> {
        self.weights.as_ref()
    }

    fn weight(&self, i: usize, j: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |weights| weights[(i, j)])
    }

    fn map(&self, outputs: &Matrix, of: impl Fn(f64, f64) -> f64) -> Matrix {
        let mut image = outputs.clone();
        for j in 0..image.ncols() {
            let entries = image.column_mut(j).iter_mut().zip(self.targets.column(j));
            match &self.weights {
                None => entries.for_each(|(f, y)| *f = of(*f, *y)),
                Some(weights) => entries.zip(weights.column(j)).for_each(|((f, y), weight)| {
                    *f = if *weight == 0.0 { 0.0 } else { weight * of(*f, *y) };
                }),
            }
        }
        image
    }

    fn sum(&self, other: &Matrix, mut of: impl FnMut(f64, f64, f64) -> f64) -> f64 {
        let mut sum = 0.0;
        for j in 0..self.targets.ncols() {
            let mut column = 0.0;
            for i in 0..self.targets.nrows() {
                let weight = self.weight(i, j);
                if weight != 0.0 {
                    column += of(weight, other[(i, j)], self.targets[(i, j)]);
                }
            }
            sum += column;
        }
        sum
    }
}

impl Loss for EntrywiseLoss {
    fn value(&self, outputs: &Matrix) -> f64 {
        self.sum(outputs, |weight, f, y| weight * self.entry.value(f, y))
    }

    fn gradient(&self, outputs: &Matrix) -> Matrix {
        self.map(outputs, |f, y| self.entry.slope(f, y))
    }

    fn hessian_times(&self, outputs: &Matrix, direction: &Matrix) -> Matrix {
        self.curved(&self.curvature(outputs), direction)
    }

    /// The second derivatives of the entries.
    fn curvature(&self, outputs: &Matrix) -> Matrix {
        self.map(outputs, |f, y| self.entry.curvature(f, y))
    }

    fn curved(&self, curvature: &Matrix, direction: &Matrix) -> Matrix {
        let mut image = direction.clone();
        for j in 0..image.ncols() {
            image.column_mut(j).iter_mut().zip(curvature.column(j)).for_each(|(entry, curvature)| *entry *= curvature);
        }
        image
    }

    fn diagonal(&self, outputs: &Matrix) -> Option<Matrix> {
        Some(self.curvature(outputs))
    }

    fn is_coercive(&self) -> bool {
        let observed = self.weights.as_ref().is_none_or(|weights| weights.entries().all(|weight| weight > 0.0));
        observed && self.entry.attains_its_infimum()
    }

    /// The targets, with 0 for entries that are not observed.
    fn best_outputs(&self) -> Option<Matrix> {
        let (rows, columns) = self.targets.shape();
        let observed = |i: usize, j: usize| if self.weight(i, j) == 0.0 { 0.0 } else { self.targets[(i, j)] };
        self.entry.attains_its_infimum().then(|| Matrix::from_fn(rows, columns, observed))
    }

    fn smoothness(&self, outputs: &Matrix) -> f64 {
        match self.entry.largest_curvature() {
            Some(bound) => bound * self.weights.as_ref().map_or(1.0, Matrix::max_abs),
            None => self.curvature(outputs).max_abs(),
        }
    }

    fn hessian_lipschitz(&self, outputs: &Matrix, radius: f64) -> Option<f64> {
        let mut bound = Some(0.0);
        self.sum(outputs, |weight, f, y| {
            let here = self.entry.curvature_slope(f, y, radius);
            bound = bound.zip(here).map(|(bound, here)| f64::max(bound, weight * here));
            0.0
        });
        bound
    }

    /// The norm of the observed targets; 1 where that is zero, and for margins.
    fn output_size(&self) -> f64 {
        let norm = self.best_outputs().map_or(0.0, |targets| targets.frobenius_norm());
        if norm == 0.0 { 1.0 } else { norm }
    }

    fn is_twice_differentiable(&self, outputs: &Matrix, margin: f64) -> bool {
        let Some(kink) = self.entry.kink() else { return true };
        let smooth = |(i, j): (usize, usize)| {
            let (f, y) = (outputs[(i, j)], self.targets[(i, j)]);
            self.weight(i, j) == 0.0 || ((f - y).abs() - kink).abs() > margin * (f.abs() + y.abs() + kink)
        };
        (0..outputs.ncols()).all(|j| (0..outputs.nrows()).all(|i| smooth((i, j))))
    }

    fn convexity(&self) -> Convexity {
        let least = || match &self.weights {
            Some(weights) => weights.entries().fold(f64::INFINITY, f64::min),
            None => 1.0,
        };
        match self.entry {
            Entry::Square | Entry::Power(2.0) if least() > 0.0 => Convexity::Strong(least()),
            _ => Convexity::Convex,
        }
    }

    fn infimum(&self) -> Infimum {
        if self.entry.attains_its_infimum() { Infimum::Attained(0.0) } else { Infimum::AtLeast(0.0) }
    }

    fn infimum_beside(&self, slopes: &Matrix) -> Option<f64> {
        let unobserved = |i: usize, j: usize| self.weight(i, j) == 0.0 && slopes[(i, j)] != 0.0;
        if (0..slopes.ncols()).any(|j| (0..slopes.nrows()).any(|i| unobserved(i, j))) {
            return Some(f64::NEG_INFINITY);
        }
        Some(self.sum(slopes, |weight, v, y| weight * self.entry.infimum_beside(v / weight, y)))
    }

    fn observed(&self) -> Option<Vec<Vec<bool>>> {
        let weights = self.weights.as_ref()?;
        Some(weights.to_rows().iter().map(|row| row.iter().map(|&weight| weight != 0.0).collect()).collect())
    }

    fn restricted(&self, rows: &[usize], columns: &[usize]) -> Option<SharedLoss> {
        let part = |matrix: &Matrix| matrix.selected(rows, columns);
        Some(Arc::new(Self::new(self.entry, part(&self.targets), self.weights.as_ref().map(part))))
    }

    fn quadratic_form(&self) -> Option<QuadraticForm<'_>> {
        let quadratic = matches!(self.entry, Entry::Square | Entry::Power(2.0));
        quadratic.then_some(QuadraticForm::Entries { target: &self.targets, weights: self.weights.as_ref() })
    }

    fn margins(&self, outputs: &Matrix) -> Option<Margins> {
        if self.entry != Entry::Logistic {
            return None;
        }
        let mut values = Vec::new();
        self.sum(outputs, |_, f, y| {
            values.push(y * f);
            0.0
        });
        Some(Margins { values, strict: true })
    }

    fn without(&self, settled: &[bool]) -> Option<SharedLoss> {
        let mut settled = settled.iter();
        let mut weights = Matrix::zeros(self.targets.nrows(), self.targets.ncols());
        for j in 0..self.targets.ncols() {
            for i in 0..self.targets.nrows() {
                let weight = self.weight(i, j);
                let stays = weight != 0.0 && settled.next() == Some(&false);
                weights[(i, j)] = if stays { weight } else { 0.0 };
            }
        }
        Some(Arc::new(Self::new(self.entry, self.targets.clone(), Some(weights))))
    }
}
