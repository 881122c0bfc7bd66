//! Dimension, strata, projection.

use crate::error::{InputError, Result};
use crate::linalg::{Matrix, singular_values, svd};

/// The matrices of shape `rows x cols` and rank at most `rank`.
///
/// ```
/// use rankscape::determinantal::DeterminantalVariety;
/// let variety = DeterminantalVariety::new(3, 4, 2).unwrap();
/// assert_eq!((variety.dimension(), variety.codimension()), (10, 2));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeterminantalVariety {
    rows: usize,
    cols: usize,
    rank: usize,
}

/// The matrices of one rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RankStratum {
    /// The rank.
    pub rank: usize,
    /// `rank (rows + cols - rank)`.
    pub dimension: usize,
    /// The variety is singular along the stratum.
    pub singular: bool,
}

impl DeterminantalVariety {
    /// The variety.
    ///
    /// # Errors
    /// If a side is zero or the rank exceeds the smaller side.
    pub fn new(rows: usize, cols: usize, rank: usize) -> Result<Self> {
        if rows == 0 || cols == 0 || rank > rows.min(cols) {
            return Err(InputError::new("the rank must be at most the smaller side, and no side zero")
                .value(format!("{rows} x {cols}, rank {rank}")));
        }
        Ok(Self { rows, cols, rank })
    }

    /// Rows and columns.
    pub fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    /// The bound on the rank.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// `r (m + n - r)`.
    pub fn dimension(&self) -> usize {
        self.rank * (self.rows + self.cols - self.rank)
    }

    /// `(m - r) (n - r)`.
    pub fn codimension(&self) -> usize {
        (self.rows - self.rank) * (self.cols - self.rank)
    }

    /// The variety is all of matrix space.
    pub fn is_everything(&self) -> bool {
        self.rank == self.rows.min(self.cols)
    }

    /// The strata by rank, from 0 to `r`; all below `r` are singular unless the variety is everything.
    pub fn strata(&self) -> Vec<RankStratum> {
        (0..=self.rank)
            .map(|rank| RankStratum {
                rank,
                dimension: rank * (self.rows + self.cols - rank),
                singular: rank < self.rank && !self.is_everything(),
            })
            .collect()
    }

    /// A nearest point of the variety: the `r` leading singular triples. Unique iff `s_r > s_{r+1}` or `s_{r+1} = 0`.
    pub fn project(&self, matrix: &Matrix) -> Matrix {
        svd(matrix).truncated(self.rank)
    }

    /// Frobenius distance to the variety, the norm of the singular values beyond the `r`-th.
    pub fn distance(&self, matrix: &Matrix) -> f64 {
        tail(&singular_values(matrix), self.rank)
    }

    /// Distance to the stratum below, that is to the matrices of rank at most `r - 1`; `None` when `r = 0`.
    pub fn distance_to_singular(&self, matrix: &Matrix) -> Option<f64> {
        Some(tail(&singular_values(matrix), self.rank.checked_sub(1)?))
    }
}

fn tail(values: &[f64], from: usize) -> f64 {
    values.iter().skip(from).fold(0.0, |norm: f64, &value| norm.hypot(value))
}
