//! Eigenpairs at the ends of the spectrum of a symmetric tridiagonal matrix.

use super::krylov::normalize;

/// A symmetric tridiagonal matrix without zeros beside the diagonal: its eigenvalues are distinct.
#[derive(Debug, Clone, Default)]
pub(super) struct Tridiagonal {
    diagonal: Vec<f64>,
    /// Entry `k` couples `k - 1` and `k`; the first is zero.
    couplings: Vec<f64>,
}

/// An eigenvalue with a unit eigenvector.
#[derive(Debug, Clone, Default)]
pub(super) struct TridiagonalPair {
    pub value: f64,
    pub vector: Vec<f64>,
}

impl TridiagonalPair {
    /// The last entry of the vector.
    pub(super) fn last(&self) -> f64 {
        self.vector.last().copied().unwrap_or(0.0)
    }
}

/// Steps of inverse iteration; the shift is right to rounding errors, so that the first one does nearly all.
const INVERSE_STEPS: usize = 3;

impl Tridiagonal {
    pub(super) fn size(&self) -> usize {
        self.diagonal.len()
    }

    /// What couples `k - 1` and `k`.
    pub(super) fn coupling(&self, k: usize) -> f64 {
        self.couplings.get(k).copied().unwrap_or(0.0)
    }

    /// One more row and column.
    pub(super) fn push(&mut self, coupling: f64, diagonal: f64) {
        self.couplings.push(coupling);
        self.diagonal.push(diagonal);
    }

    /// The smallest eigenvalue; `before` is that of a leading part, which is no smaller.
    pub(super) fn smallest(&self, before: Option<&TridiagonalPair>) -> TridiagonalPair {
        self.least(1.0, before.map(|pair| pair.value))
    }

    /// The largest eigenvalue; `before` is that of a leading part, which is no larger.
    pub(super) fn largest(&self, before: Option<&TridiagonalPair>) -> TridiagonalPair {
        let negated = self.least(-1.0, before.map(|pair| -pair.value));
        TridiagonalPair { value: -negated.value, ..negated }
    }

    /// The smallest eigenvalue of the matrix times `sign`, at most `above`: by bisection, as the largest shift that leaves the
    /// matrix positive definite. The shift is on that side, so that the solves of inverse iteration need no pivots.
    fn least(&self, sign: f64, above: Option<f64>) -> TridiagonalPair {
        let smallest_entry = self.diagonal.iter().fold(f64::INFINITY, |least, &a| least.min(sign * a));
        let mut high = above.map_or(smallest_entry, |above| above.min(smallest_entry));
        let size = self.diagonal.iter().chain(&self.couplings).fold(0.0_f64, |size, x| size.max(x.abs()));
        if size == 0.0 || !self.diagonal.iter().chain(&self.couplings).all(|x| x.is_finite()) {
            let mut vector = vec![0.0; self.size()];
            vector.iter_mut().take(1).for_each(|first| *first = 1.0);
            return TridiagonalPair { value: 0.0, vector };
        }
        let accuracy = 2.0 * f64::EPSILON * size;
        let mut step = accuracy;
        let mut low = high - step;
        let mut pivots = self.pivots(sign, low);
        while pivots.is_none() {
            (high, step) = (low, 4.0 * step);
            low -= step;
            pivots = self.pivots(sign, low);
        }
        while high - low > accuracy {
            let middle = low + 0.5 * (high - low);
            match self.pivots(sign, middle) {
                Some(found) => (low, pivots) = (middle, Some(found)),
                None => high = middle,
            }
        }
        let vector = self.inverse_iteration(sign, &pivots.unwrap_or_default());
        TridiagonalPair { value: low, vector }
    }

    /// Pivots of the matrix times `sign`, minus `shift`; `None` unless all are positive.
    fn pivots(&self, sign: f64, shift: f64) -> Option<Vec<f64>> {
        let mut out: Vec<f64> = Vec::with_capacity(self.size());
        for (&a, &b) in self.diagonal.iter().zip(&self.couplings) {
            let pivot = (sign * a - shift) - out.last().map_or(0.0, |last| b * (b / last));
            // Not a number counts as not positive.
            if pivot.partial_cmp(&0.0) != Some(std::cmp::Ordering::Greater) {
                return None;
            }
            out.push(pivot);
        }
        Some(out)
    }

    fn inverse_iteration(&self, sign: f64, pivots: &[f64]) -> Vec<f64> {
        let n = pivots.len();
        let mut x: Vec<f64> = (0..n).map(|k| 1.0 + 1.0 / (k + 2) as f64).collect();
        for _step in 0..INVERSE_STEPS {
            for k in 1..n {
                x[k] -= sign * self.couplings[k] / pivots[k - 1] * x[k - 1];
            }
            for k in (0..n).rev() {
                let above = if k + 1 < n { sign * self.couplings[k + 1] * x[k + 1] } else { 0.0 };
                x[k] = (x[k] - above) / pivots[k];
            }
            normalize(&mut x);
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::super::matrix::Matrix;
    use super::*;
    use crate::random::Stream;

    #[test]
    fn ends_agree_with_the_dense_eigenvalues() {
        for (n, scale) in [(1, 1.0), (2, 1e-150), (7, 1e150), (60, 1.0), (300, 1e-3)] {
            let mut stream = Stream::new(11, n as u64);
            let mut t = Tridiagonal::default();
            (0..n).for_each(|k| t.push(if k == 0 { 0.0 } else { scale * stream.normal() }, scale * stream.normal()));
            let dense = Matrix::from_fn(n, n, |i, j| match i.abs_diff(j) {
                0 => t.diagonal[i],
                1 => t.coupling(i.max(j)),
                _ => 0.0,
            });
            let values = crate::linalg::symmetric_eigenvalues(&dense).unwrap();
            for (pair, expected) in [(t.smallest(None), values[0]), (t.largest(None), values[n - 1])] {
                assert!((pair.value - expected).abs() <= 1e-14 * n as f64 * scale, "{n}: {} {expected}", pair.value);
                let vector = Matrix::from_column_major(n, 1, &pair.vector);
                let rest = &(&dense * &vector) - &vector.scaled(pair.value);
                assert!(rest.max_abs() <= 1e-13 * n as f64 * scale, "{n}: {}", rest.max_abs());
            }
        }
    }
}
