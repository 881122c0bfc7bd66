//! Products of consecutive layers with a seed at one end, their derivatives, and the adjoints of these.

use crate::linalg::Matrix;

/// `P(k, from) R` for `k = from..to`: the seed on the right.
pub(super) struct RightChain {
    from: usize,
    values: Vec<Matrix>,
}

/// `L P(to, k)` for `k = from..to`, at index `k - from`: the seed on the left.
pub(super) struct LeftChain {
    from: usize,
    values: Vec<Matrix>,
}

impl RightChain {
    pub(super) fn new(layers: &[Matrix], from: usize, to: usize, seed: Matrix) -> Self {
        let mut values = vec![seed];
        for layer in &layers[from..to] {
            values.push(layer * &values[values.len() - 1]);
        }
        Self { from, values }
    }

    pub(super) fn at(&self, k: usize) -> &Matrix {
        &self.values[k - self.from]
    }

    pub(super) fn from(&self) -> usize {
        self.from
    }

    /// `d (P(to, from) R)` along a direction; `None` for no factors at all.
    pub(super) fn derivative(&self, layers: &[Matrix], direction: &[Matrix], to: usize) -> Option<Matrix> {
        let mut found: Option<Matrix> = None;
        for k in self.from..to {
            let mut next = &direction[k] * self.at(k);
            if let Some(before) = &found {
                next.add_scaled(1.0, &(&layers[k] * before));
            }
            found = Some(next);
        }
        found
    }

    /// Adds the adjoint of the derivative applied to `matrix`.
    pub(super) fn adjoint(&self, layers: &[Matrix], out: &mut [Matrix], to: usize, matrix: Matrix) {
        let mut back = matrix;
        for k in (self.from..to).rev() {
            out[k].add_scaled(1.0, &back.times_transpose(self.at(k)));
            if k > self.from {
                back = layers[k].transpose_times(&back);
            }
        }
    }
}

impl LeftChain {
    pub(super) fn new(layers: &[Matrix], from: usize, to: usize, seed: Matrix) -> Self {
        let mut values = vec![seed];
        for layer in layers[from..to].iter().rev() {
            values.push(&values[values.len() - 1] * layer);
        }
        values.reverse();
        Self { from, values }
    }

    pub(super) fn at(&self, k: usize) -> &Matrix {
        &self.values[k - self.from]
    }

    pub(super) fn to(&self) -> usize {
        self.from + self.values.len() - 1
    }

    /// `d (L P(to, from))` along a direction, `from` at least that of the chain; `None` for no factors at all.
    pub(super) fn derivative(&self, layers: &[Matrix], direction: &[Matrix], from: usize) -> Option<Matrix> {
        let mut found: Option<Matrix> = None;
        for k in (from..self.to()).rev() {
            let mut next = self.at(k + 1) * &direction[k];
            if let Some(before) = &found {
                next.add_scaled(1.0, &(before * &layers[k]));
            }
            found = Some(next);
        }
        found
    }

    /// Adds the adjoint of the derivative applied to `matrix`.
    pub(super) fn adjoint(&self, layers: &[Matrix], out: &mut [Matrix], from: usize, matrix: Matrix) {
        let (mut back, to) = (matrix, self.to());
        for k in from..to {
            out[k].add_scaled(1.0, &self.at(k + 1).transpose_times(&back));
            if k + 1 < to {
                back = back.times_transpose(&layers[k]);
            }
        }
    }
}
