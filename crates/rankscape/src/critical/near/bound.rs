//! Lower bounds of the distance to the points where a word is zero.
//!
//! A product of layers whose value must change by `v` needs a movement of the layers: expanded in the changes, the change of the
//! product is at most a polynomial in the distance with the norms of the partial products as coefficients. A single layer
//! that must lose rank moves at least by the tail of its singular values (Eckart and Young).

use std::collections::BTreeMap;

use super::rung::{Coordinates, Rung};
use super::word::Word;
use crate::linalg::{Matrix, singular_values, spectral_norm};

pub(super) struct Bounds<'a> {
    coordinates: &'a Coordinates,
    /// `P(j, i)` at `[i][j - i]`, and the spectral norms.
    partials: Vec<Vec<Matrix>>,
    norms: Vec<Vec<f64>>,
    /// Singular values of the layers.
    spectra: Vec<Vec<f64>>,
}

impl<'a> Bounds<'a> {
    pub(super) fn new(coordinates: &'a Coordinates) -> Self {
        let layers = &coordinates.start;
        let depth = layers.len();
        let row = |i: usize| {
            let mut row: Vec<Matrix> = layers.get(i).cloned().into_iter().collect();
            for layer in layers.iter().skip(i + 1) {
                row.push(layer * &row[row.len() - 1]);
            }
            row
        };
        let partials: Vec<Vec<Matrix>> = (0..depth).map(row).collect();
        let spectra: Vec<Vec<f64>> = layers.iter().map(singular_values).collect();
        let norms = partials.iter().map(|row| row.iter().map(spectral_norm).collect()).collect();
        Self { coordinates, partials, norms, spectra }
    }

    fn norm(&self, j: usize, i: usize) -> f64 {
        if j == i { 1.0 } else { self.norms[i][j - i - 1] }
    }

    /// The distance at which a critical point of the rung is reached at the earliest: its product, and every
    /// `P(k-1,0) G' P(h,k) = 0`. Nothing is said of a family of products.
    pub(super) fn rung(&self, rung: &Rung) -> f64 {
        if !rung.ties.is_empty() {
            return 0.0;
        }
        let depth = self.partials.len();
        let product = &self.partials[0][depth - 1];
        let product = self.movement(spectral_norm(&(product - &rung.target)), 0, depth);
        (1..=depth).map(|k| self.around(rung, k)).fold(product, f64::max)
    }

    /// The distance at which `P(k-1,0) G' P(h,k)` can be zero at the earliest.
    fn around(&self, rung: &Rung, k: usize) -> f64 {
        let depth = self.partials.len();
        let mut value = if k > 1 { &self.partials[0][k - 2] * &rung.wrap_left } else { rung.wrap_left.clone() };
        value = &value * &rung.wrap_right;
        if k < depth {
            value = &value * &self.partials[k][depth - k - 1];
        }
        self.earliest(spectral_norm(&value) / rung.wrap_norm, |distance| {
            let before = self.largest_change(distance, 0, k - 1);
            let after = self.largest_change(distance, k, depth);
            before * self.norm(depth, k) + self.norm(k - 1, 0) * after + before * after
        })
    }

    /// The distance at which all of these words are zero on the spare parts at the earliest; `known` keeps what is found of
    /// single words of the rung.
    pub(super) fn pattern(&self, rung: &Rung, words: &[Word], known: &mut BTreeMap<Word, f64>) -> f64 {
        let single: f64 = words.iter().filter_map(|&word| self.tail(rung, word)).fold(0.0, f64::hypot);
        words.iter().map(|&word| *known.entry(word).or_insert_with(|| self.word(rung, word))).fold(single, f64::max)
    }

    /// A layer of its own that must lose rank.
    fn tail(&self, rung: &Rung, word: Word) -> Option<f64> {
        match word {
            Word::Straight { to, from } if to == from + 1 => {
                let tail = self.spectra[from].iter().skip(rung.rank());
                Some(self.coordinates.weights[from] * tail.copied().fold(0.0, f64::hypot))
            }
            _ => None,
        }
    }

    fn word(&self, rung: &Rung, word: Word) -> f64 {
        match word {
            Word::Straight { to, from } => {
                let values = singular_values(&self.partials[from][to - from - 1]);
                self.movement(values.get(rung.rank()).copied().unwrap_or(0.0), from, to)
            }
            // A wrapped word of one straight piece.
            Word::Wrapped { to: 0, from } => {
                let after = self.after(rung, from);
                self.movement(spectral_norm(&after) / rung.wrap_norm, from, self.partials.len())
            }
            Word::Wrapped { to, from } if from == self.partials.len() => {
                self.movement(spectral_norm(&self.before(rung, to)) / rung.wrap_norm, 0, to)
            }
            Word::Wrapped { .. } => 0.0,
        }
    }

    /// `G' P(h, from)` and `P(to, 0) G'`.
    fn after(&self, rung: &Rung, from: usize) -> Matrix {
        &rung.wrap_left * &(&rung.wrap_right * &self.partials[from][self.partials.len() - from - 1])
    }

    fn before(&self, rung: &Rung, to: usize) -> Matrix {
        &(&self.partials[0][to - 1] * &rung.wrap_left) * &rung.wrap_right
    }

    /// The smallest distance at which `P(to, from)` can have changed by `value` in the spectral norm.
    fn movement(&self, value: f64, from: usize, to: usize) -> f64 {
        self.earliest(value, |distance| self.largest_change(distance, from, to))
    }

    /// The smallest distance at which this bound of a change reaches `value`.
    fn earliest(&self, value: f64, change: impl Fn(f64) -> f64) -> f64 {
        if value <= 0.0 || !value.is_finite() {
            return 0.0;
        }
        let (mut low, mut high) = (0.0, self.coordinates.size());
        if change(high) < value {
            return high;
        }
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if change(middle) < value { low = middle } else { high = middle }
        }
        low
    }

    /// By how much `P(to, from)` changes at most in a ball: the first-order terms share the distance, the others may each
    /// take all of it.
    fn largest_change(&self, distance: f64, from: usize, to: usize) -> f64 {
        let step = |k: usize| distance / self.coordinates.weights[k - 1];
        let first = |k: usize| step(k) * self.norm(k - 1, from);
        let linear = (from + 1..=to).map(|k| first(k) * self.norm(to, k)).fold(0.0, f64::hypot);
        let mut higher = 0.0;
        // Terms of at least two changes whose last one is in layer k.
        let mut ending: Vec<(usize, f64)> = Vec::new();
        for k in from + 1..=to {
            let chained: f64 = ending.iter().map(|&(l, size)| size * self.norm(k - 1, l)).sum::<f64>() * step(k);
            higher += chained * self.norm(to, k);
            ending.push((k, first(k) + chained));
        }
        linear + higher
    }
}
