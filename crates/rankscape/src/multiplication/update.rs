//! The update of a weight in the form that its file gives it: what is said of it needs no dense matrix where the form is thin.
//!
//! ```text
//! L R                                  a pair, also one made of others: (L1 R1) o (L2 R2) = rows(L1 x L2) columns(R1 x R2)
//! K (x) M                              a Kronecker product: its singular values are the products of those of K and M
//! D                                    a dense difference
//! ```

use super::factors::Factors;
use super::frames::product_svd;
use super::rank_profile::RankProfile;
use crate::error::Result;
use crate::evidence::RankDecision;
use crate::linalg::{Matrix, Svd, singular_values, svd};
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

/// An update `out x in` of a weight.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Update {
    /// `W_2 W_1`.
    LowRank(Factors),
    /// The Kronecker product of the two.
    Kronecker(Matrix, Matrix),
    /// All entries, and the size of the matrices that it is the difference of.
    Dense(Matrix, f64),
}

/// Singular values of an update and its rank.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateSpectrum {
    /// Non-increasing.
    pub values: Vec<f64>,
    /// The decision on the rank.
    pub rank: RankDecision,
}

impl Update {
    /// `L R`.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn low_rank(left: Matrix, right: Matrix) -> Result<Self> {
        Ok(Self::LowRank(Factors::new(vec![right, left])?))
    }

    /// `(L1 R1) o (L2 R2)`, entry by entry, as one pair of rank at most the product of the two.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn hadamard(first: (&Matrix, &Matrix), second: (&Matrix, &Matrix)) -> Result<Self> {
        let (p, q) = (first.0.ncols(), second.0.ncols());
        let left = Matrix::from_fn(first.0.nrows(), p * q, |i, k| first.0[(i, k / q)] * second.0[(i, k % q)]);
        let right = Matrix::from_fn(p * q, first.1.ncols(), |k, j| first.1[(k / q, j)] * second.1[(k % q, j)]);
        Self::low_rank(left, right)
    }

    /// Rows and columns.
    pub fn shape(&self) -> (usize, usize) {
        match self {
            Self::LowRank(factors) => (factors.architecture().outputs(), factors.architecture().inputs()),
            Self::Kronecker(left, right) => (left.nrows() * right.nrows(), left.ncols() * right.ncols()),
            Self::Dense(matrix, _) => matrix.shape(),
        }
    }

    /// All entries.
    pub fn to_matrix(&self) -> Matrix {
        match self {
            Self::LowRank(factors) => factors.product(),
            Self::Kronecker(left, right) => left.kronecker(right),
            Self::Dense(matrix, _) => matrix.clone(),
        }
    }

    /// The update times `factor`.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        match self {
            Self::LowRank(factors) => {
                let mut matrices = factors.matrices().to_vec();
                if let Some(last) = matrices.last_mut() {
                    *last = last.scaled(factor);
                }
                Self::LowRank(factors.with_matrices(matrices))
            }
            Self::Kronecker(left, right) => Self::Kronecker(left.scaled(factor), right.clone()),
            Self::Dense(matrix, size) => Self::Dense(matrix.scaled(factor), size * factor.abs()),
        }
    }

    /// Singular values and rank, where the entries of the parts were stored with this unit roundoff.
    pub fn spectrum(&self, unit_roundoff: f64, tolerances: &Tolerances) -> UpdateSpectrum {
        match self {
            Self::LowRank(factors) => {
                let profile = RankProfile::stored(factors, unit_roundoff, tolerances);
                let mut values = profile.product_singular_values().to_vec();
                values.truncate(factors.architecture().bottleneck_rank());
                UpdateSpectrum { values, rank: *profile.decision(0, factors.depth()) }
            }
            Self::Kronecker(left, right) => {
                let (a, b) = (singular_values(left), singular_values(right));
                let mut values: Vec<f64> = a.iter().flat_map(|x| b.iter().map(move |y| x * y)).collect();
                values.sort_by(|x, y| y.total_cmp(x));
                let top = |values: &[f64]| values.first().copied().unwrap_or(0.0);
                let scale = top(&a) * top(&b);
                let moved = unit_roundoff
                    * (left.frobenius_norm() * top(&b)
                        + top(&a) * right.frobenius_norm()
                        + unit_roundoff * left.frobenius_norm() * right.frobenius_norm());
                decided(values, self.shape(), moved, scale, tolerances)
            }
            Self::Dense(matrix, size) => {
                let values = singular_values(matrix);
                let scale = size.max(values.first().copied().unwrap_or(0.0));
                let moved = unit_roundoff * size.max(matrix.frobenius_norm());
                decided(values, self.shape(), moved, scale, tolerances)
            }
        }
    }

    /// The `rank` leading singular triples.
    pub fn triples(&self, rank: usize) -> Svd {
        let leading =
            |found: Svd| Svd { u: found.u.columns(0, rank), s: found.s[..rank].to_vec(), v: found.v.columns(0, rank) };
        match self {
            Self::LowRank(factors) => product_svd(factors, rank),
            Self::Kronecker(left, right) => kronecker_triples(&svd(left), &svd(right), rank),
            Self::Dense(matrix, _) => leading(svd(matrix)),
        }
    }
}

fn decided(
    values: Vec<f64>,
    (rows, cols): (usize, usize),
    moved: f64,
    scale: f64,
    tolerances: &Tolerances,
) -> UpdateSpectrum {
    let computed = tolerances.relative_rounding(UNIT_ROUNDOFF, rows.max(cols)) * scale;
    let rank = RankDecision::of_stored(&values, computed, moved.into(), scale, tolerances);
    UpdateSpectrum { values, rank }
}

/// Singular vectors of a Kronecker product are Kronecker products of singular vectors.
fn kronecker_triples(a: &Svd, b: &Svd, rank: usize) -> Svd {
    let mut order: Vec<(usize, usize)> = (0..a.s.len()).flat_map(|i| (0..b.s.len()).map(move |j| (i, j))).collect();
    let value = |&(i, j): &(usize, usize)| a.s[i] * b.s[j];
    order.sort_by(|x, y| value(y).total_cmp(&value(x)));
    order.truncate(rank);
    let vectors = |a: &Matrix, b: &Matrix| {
        let rows = b.nrows();
        Matrix::from_fn(a.nrows() * rows, order.len(), |row, k| {
            a[(row / rows, order[k].0)] * b[(row % rows, order[k].1)]
        })
    };
    Svd { u: vectors(&a.u, &b.u), s: order.iter().map(value).collect(), v: vectors(&a.v, &b.v) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn every_form_has_values_and_vectors_of_the_formed_matrix() {
        let mut stream = Stream::new(55, 0);
        let mut draw = |rows, cols| stream.normal_matrix(rows, cols);
        let pair = Update::low_rank(draw(7, 2), draw(2, 9)).unwrap();
        let (l1, r1, l2, r2) = (draw(7, 2), draw(2, 9), draw(7, 3), draw(3, 9));
        let hadamard = Update::hadamard((&l1, &r1), (&l2, &r2)).unwrap();
        let (p, q) = (&l1 * &r1, &l2 * &r2);
        let formed = Matrix::from_fn(7, 9, |i, j| p[(i, j)] * q[(i, j)]);
        assert!((&hadamard.to_matrix() - &formed).frobenius_norm() < 1e-13);
        let kronecker = Update::Kronecker(draw(3, 2), &draw(4, 1) * &draw(1, 5));
        let dense = Update::Dense(draw(6, 4), 1.0);
        for (update, rank) in [(pair, 2), (hadamard, 6), (kronecker, 2), (dense, 4)] {
            let update = update.scaled(-1.5);
            let formed = update.to_matrix();
            assert_eq!(update.shape(), formed.shape());
            let found = update.spectrum(2.0_f64.powi(-24), &Tolerances::default());
            assert_eq!((found.rank.rank, found.rank.clear), (rank, true), "{update:?}");
            let expected = singular_values(&formed);
            for (k, value) in found.values.iter().enumerate() {
                assert!((value - expected.get(k).copied().unwrap_or(0.0)).abs() < 1e-12 * expected[0]);
            }
            let triples = update.triples(rank);
            assert!((&triples.truncated(rank) - &formed).frobenius_norm() < 1e-12 * expected[0]);
        }
    }
}
