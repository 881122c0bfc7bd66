//! Evaluation of the change of the loss, written for any ring and sharing nothing with the code that finds paths.

use num_traits::Zero as _;

use crate::linalg::Linear;
use crate::linalg::exact::{Rational, RationalMatrix};
use crate::linalg::scalar::Ring;

/// A matrix whose entries are `None` where they are exactly zero.
#[derive(Debug, Clone)]
pub(super) struct SparseMatrix<T> {
    rows: usize,
    cols: usize,
    entries: Vec<Option<T>>,
}

impl<T: Ring> SparseMatrix<T> {
    pub(super) fn from_fn(rows: usize, cols: usize, mut entry: impl FnMut(usize, usize) -> Option<T>) -> Self {
        Self { rows, cols, entries: (0..rows * cols).map(|at| entry(at / cols, at % cols)).collect() }
    }

    /// Every entry that is not zero through `map`.
    pub(super) fn map<U: Ring>(&self, map: impl Fn(&T) -> U) -> SparseMatrix<U> {
        SparseMatrix {
            rows: self.rows,
            cols: self.cols,
            entries: self.entries.iter().map(|x| x.as_ref().map(&map)).collect(),
        }
    }

    /// The entries that are not exactly zero.
    pub(super) fn entries(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().flatten()
    }

    pub(super) fn at(&self, i: usize, j: usize) -> Option<&T> {
        self.entries[i * self.cols + j].as_ref()
    }

    fn plus(&self, other: &Self) -> Self {
        Self::from_fn(self.rows, self.cols, |i, j| add(self.at(i, j).cloned(), other.at(i, j).cloned()))
    }

    pub(super) fn minus(&self, other: &Self) -> Self {
        Self::from_fn(self.rows, self.cols, |i, j| match (self.at(i, j), other.at(i, j)) {
            (Some(a), Some(b)) => Some(a.clone() - b.clone()),
            (None, Some(b)) => Some(-b.clone()),
            (a, None) => a.cloned(),
        })
    }

    /// The sum of the diagonal.
    pub(super) fn trace(&self) -> T {
        (0..self.rows.min(self.cols)).filter_map(|k| self.at(k, k).cloned()).fold(T::zero(), |sum, x| sum + x)
    }

    /// `tr(self' other)`.
    fn inner(&self, other: &Self) -> Option<T> {
        let pairs = self.entries.iter().zip(&other.entries);
        pairs.fold(None, |sum, (a, b)| add(sum, product(a.as_ref(), b.as_ref())))
    }
}

impl<T: Ring> Linear for SparseMatrix<T> {
    fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    fn times(&self, other: &Self) -> Self {
        Self::from_fn(self.rows, other.cols, |i, j| {
            (0..self.cols).fold(None, |sum, k| add(sum, product(self.at(i, k), other.at(k, j))))
        })
    }

    fn transposed(&self) -> Self {
        Self::from_fn(self.cols, self.rows, |i, j| self.at(j, i).cloned())
    }
}

impl SparseMatrix<Rational> {
    /// A matrix over the rationals.
    pub(super) fn of_rational(m: &RationalMatrix) -> Self {
        Self::from_fn(m.nrows(), m.ncols(), |i, j| Some(m[(i, j)].clone()).filter(|x| !x.is_zero()))
    }
}

fn product<T: Ring>(a: Option<&T>, b: Option<&T>) -> Option<T> {
    Some(a?.clone() * b?.clone())
}

fn add<T: Ring>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a + b),
        (a, b) => a.or(b),
    }
}

/// The square loss up to a constant: `1/2 <F S, F> - <F, C>` with `F = W_h ... W_1 A`.
pub(super) struct MatrixLoss<T> {
    /// `W_1, ..., W_h`.
    pub layers: Vec<SparseMatrix<T>>,
    /// `A`; the identity when absent.
    pub inputs: Option<SparseMatrix<T>>,
    /// `S`; the identity when absent.
    pub gram: Option<SparseMatrix<T>>,
    /// `C`.
    pub target: SparseMatrix<T>,
}

impl<T: Ring> MatrixLoss<T> {
    /// Twice the change of the loss when `steps` are added to the layers, by `D_k = (W_k + E_k) D_{k-1} + E_k F_{k-1}`;
    /// `None` for zero.
    pub(super) fn twice_change(&self, steps: &[SparseMatrix<T>]) -> Option<T> {
        let mut forward: Option<SparseMatrix<T>> = self.inputs.clone();
        let mut change: Option<SparseMatrix<T>> = None;
        for (layer, step) in self.layers.iter().zip(steps) {
            let fresh = forward.as_ref().map_or_else(|| step.clone(), |before| step.times(before));
            change = Some(match &change {
                Some(change) => layer.plus(step).times(change).plus(&fresh),
                None => fresh,
            });
            forward = Some(forward.map_or_else(|| layer.clone(), |before| layer.times(&before)));
        }
        let (forward, change) = (forward?, change?);
        let image = |m: &SparseMatrix<T>| self.gram.as_ref().map_or_else(|| m.clone(), |gram| m.times(gram));
        let slope = image(&forward).minus(&self.target).inner(&change);
        add(add(slope.clone(), slope), image(&change).inner(&change))
    }
}
