//! Whitening from moments over the rationals: every entry is accurate, whatever the condition of the data.

use num_traits::{Signed, Zero};

use crate::linalg::exact::{Rational, RationalMatrix, rational_to_f64, root_to_f64};
use crate::linalg::{Matrix, graded_svd};

/// Most inputs for which the moments are eliminated.
const LARGEST: usize = 64;

/// Second moments of the data over the rationals.
#[derive(Debug, Clone)]
pub struct ExactMoments {
    /// `X X'`, `d_0 x d_0`.
    pub xx: RationalMatrix,
    /// `Y X'`, `d_h x d_0`.
    pub yx: RationalMatrix,
    /// `||Y||_F^2`.
    pub yy: Rational,
}

/// `X = U S V'` and `Z = Y V` in double precision.
pub(super) struct ExactWhitening {
    pub(super) basis: Matrix,
    pub(super) scales: Vec<f64>,
    pub(super) target: Matrix,
    /// `(||Y||^2 - ||Z||^2)^{1/2}`
    pub(super) rest: f64,
}

impl ExactMoments {
    /// From samples as rows: `X` is `n x d_0`, `Y` is `n x d_h`.
    pub fn new(x: &RationalMatrix, y: &RationalMatrix) -> Self {
        Self { xx: &x.transpose() * x, yx: &y.transpose() * x, yy: y.squared_norm() }
    }

    /// Of the data for which the loss is `1/2 ||W - target||^2`.
    pub fn of_target(target: &RationalMatrix) -> Self {
        Self { xx: RationalMatrix::identity(target.ncols()), yx: target.clone(), yy: target.squared_norm() }
    }

    /// `g S^- g'` for `g = M X'`, with `S = X X'`: the Gram matrix of the whitened `M`.
    pub(crate) fn whitened_gram(&self, g: &RationalMatrix) -> RationalMatrix {
        let size = self.xx.nrows();
        let inverse = self.xx.generalized_inverse().unwrap_or_else(|| RationalMatrix::zeros(size, size));
        &(g * &inverse) * &g.transpose()
    }

    /// Symmetric elimination with the largest pivots, `X X' = L D L'`, so that `X = L D^{1/2} Q` with orthonormal rows of `Q`
    /// and `Y Q' = K D^{1/2}` with `K` from the same elimination of `Y X'`. Its columns are rounded once each, and rotations
    /// that keep the relative accuracy of graded columns lead from `L D^{1/2}` to `U S`. `None` where the elimination would be
    /// too large, or a number is not representable.
    pub(super) fn whitened(&self) -> Option<ExactWhitening> {
        let (inputs, outputs) = (self.xx.nrows(), self.yx.nrows());
        if inputs > LARGEST {
            return None;
        }
        let entry =
            |i: usize, j: usize| if i < inputs { self.xx[(i, j)].clone() } else { self.yx[(i - inputs, j)].clone() };
        let mut moments = RationalMatrix::from_fn(inputs + outputs, inputs, entry);
        let mut rest = self.yy.clone();
        let (mut columns, mut targets) = (Vec::new(), Vec::new());
        while let Some(pivot) = (0..inputs).max_by(|&a, &b| moments[(a, a)].cmp(&moments[(b, b)])) {
            let size = moments[(pivot, pivot)].clone();
            if !size.is_positive() {
                break;
            }
            let column: Vec<Rational> = (0..inputs + outputs).map(|i| &moments[(i, pivot)] / &size).collect();
            rest -= column[inputs..].iter().map(|k| k * k).sum::<Rational>() * &size;
            let root = root_to_f64(&size);
            let rounded: Vec<f64> = column.iter().map(|k| rational_to_f64(k) * root).collect();
            for i in 0..inputs + outputs {
                for j in 0..inputs {
                    if !column[i].is_zero() && !column[j].is_zero() {
                        let step = &column[i] * &column[j] * &size;
                        moments[(i, j)] -= step;
                    }
                }
            }
            targets.push(rounded[inputs..].to_vec());
            columns.push(rounded[..inputs].to_vec());
        }
        let stacked = |parts: &[Vec<f64>], rows: usize| Matrix::from_fn(rows, parts.len(), |i, j| parts[j][i]);
        let found = graded_svd(&stacked(&columns, inputs))?;
        let target = &stacked(&targets, outputs) * &found.v;
        let rest = root_to_f64(&rest);
        (target.is_finite() && rest.is_finite()).then_some(ExactWhitening {
            basis: found.u,
            scales: found.s,
            target,
            rest,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_singular_values_keep_their_digits() {
        let large = 1_000_000_000_000_000;
        let x = RationalMatrix::from_integers(&[vec![large, large + 1, 0], vec![0, 1, 0]]);
        let y = RationalMatrix::from_integers(&[vec![1, 0, 0], vec![0, 1, 2]]);
        let (xx, yx, yy) = (&x * &x.transpose(), &y * &x.transpose(), y.squared_norm());
        let found = ExactMoments { xx, yx, yy }.whitened().unwrap();
        // The product of the singular values is the determinant.
        assert!((found.scales[0] * found.scales[1] - 1e15).abs() < 1.0, "{:?}", found.scales);
        assert!((found.scales[1] - 0.5_f64.sqrt()).abs() < 1e-12, "{:?}", found.scales);
        assert!((found.target.frobenius_norm() - 2.0_f64.sqrt()).abs() < 1e-12 && (found.rest - 2.0).abs() < 1e-15);
    }
}
