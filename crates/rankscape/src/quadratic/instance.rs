//! A quadratic loss on matrices as its user gives it, checked.

use super::kernel::Shape;
use crate::error::{InputError, Result};

/// The inner product in which distance is measured.
#[derive(Debug, Clone, PartialEq)]
pub enum Metric {
    /// `phi`, `k x mn` for any `k`, row by row; `vec` takes the rows of a matrix one after the other.
    Map(Vec<f64>),
    /// `h = sum_ij weights_ij (P - Q)_ij^2`, `m x n`, row by row; zeros mean that an entry is not observed.
    Weights(Vec<f64>),
}

/// What `phi` is applied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetSpace {
    /// `h(P) = ||phi vec(P - Q)||^2`.
    Metric,
    /// `h(P) = ||phi vec(P) - q||^2`.
    Image,
}

/// One problem: all critical points of `h` on the `rows x cols` matrices of rank `rank`.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// Name that comes back with the answer.
    pub id: String,
    /// Rows `m`.
    pub rows: usize,
    /// Columns `n`.
    pub cols: usize,
    /// Rank `r`, at most `min(m, n)`.
    pub rank: usize,
    /// The metric.
    pub metric: Metric,
    /// `Q`, `mn` numbers, or `q`, one for each row of `phi`.
    pub target: Vec<f64>,
    /// What `phi` is applied to.
    pub convention: TargetSpace,
}

fn bad(array: &str, problem: impl Into<String>) -> InputError {
    InputError::new(problem).array(array)
}

fn check_list(name: &str, list: &[f64], expected: usize, formula: &str) -> Result<()> {
    if list.len() != expected {
        return Err(bad(name, format!("the list must have {formula} = {expected} numbers")).value(list.len()));
    }
    check_finite(name, list)
}

fn check_finite(name: &str, list: &[f64]) -> Result<()> {
    match list.iter().position(|x| !x.is_finite()) {
        Some(at) => Err(bad(name, "every number must be finite").value(format!("{} at position {at}", list[at]))),
        None => Ok(()),
    }
}

impl Instance {
    /// Checks sizes, rank, lengths and numbers.
    ///
    /// # Errors
    /// Names the field that is wrong.
    pub fn check(&self) -> Result<()> {
        let (m, n) = (self.rows, self.cols);
        if m == 0 || n == 0 || m * n > 144 {
            return Err(bad("m, n", "a matrix must have between 1 and 144 entries").value(format!("{m} x {n}")));
        }
        if self.rank == 0 || self.rank > m.min(n) {
            return Err(bad("r", "the rank must lie between 1 and the smaller size").value(self.rank));
        }
        match &self.metric {
            Metric::Map(phi) => {
                let (rows, over) = (phi.len() / (m * n), phi.len() % (m * n));
                if rows == 0 || over > 0 {
                    return Err(bad("phi", format!("the list must have k rows of m*n = {} numbers", m * n))
                        .value(format!("{} numbers: {rows} rows and {over} more", phi.len())));
                }
                check_finite("phi", phi)?;
                match self.convention {
                    TargetSpace::Metric => check_list("q", &self.target, m * n, "m*n"),
                    TargetSpace::Image => check_list("q", &self.target, rows, "one for each row of phi, k"),
                }
            }
            Metric::Weights(weights) => {
                check_list("q", &self.target, m * n, "m*n")?;
                check_list("weights", weights, m * n, "m*n")?;
                if let Some(at) = weights.iter().position(|&w| w < 0.0) {
                    return Err(bad("weights", "weights must not be negative")
                        .value(format!("{} at position {at}", weights[at])));
                }
                if self.convention == TargetSpace::Image {
                    return Err(bad("convention", "weights go with the convention `metric`")
                        .value("image")
                        .hint("give phi, or write the target in the units of the matrix"));
                }
                Ok(())
            }
        }
    }

    /// Sizes with the smaller one first, as start sets have them, and the rank.
    pub fn shape(&self) -> Shape {
        Shape { m: self.rows.min(self.cols), n: self.rows.max(self.cols), r: self.rank }
    }

    /// Number of entries of a matrix.
    pub(super) fn entries(&self) -> usize {
        self.rows * self.cols
    }

    /// `h(P)`, without a factor 1/2, for `P` row by row.
    pub fn value(&self, point: &[f64]) -> f64 {
        let entries = self.entries();
        match (&self.metric, self.convention) {
            (Metric::Weights(weights), _) => {
                weights.iter().zip(point).zip(&self.target).map(|((w, p), q)| w * (p - q) * (p - q)).sum()
            }
            (Metric::Map(phi), TargetSpace::Metric) => {
                let difference: Vec<f64> = point.iter().zip(&self.target).map(|(p, q)| p - q).collect();
                let row = |row: &[f64]| row.iter().zip(&difference).map(|(a, d)| a * d).sum::<f64>().powi(2);
                phi.chunks(entries).map(row).sum()
            }
            (Metric::Map(phi), TargetSpace::Image) => {
                let row = |row: &[f64]| row.iter().zip(point).map(|(a, p)| a * p).sum::<f64>();
                phi.chunks(entries).zip(&self.target).map(|(a, q)| (row(a) - q).powi(2)).sum()
            }
        }
    }
}
