//! Lower bounds of the distance to the points of a rung, and to those where a word is zero.
//!
//! A product of layers whose value must change by `v` needs a movement of the layers: expanded in the changes, the change of the
//! product is at most a polynomial in the distance with the norms of the partial products as coefficients. A single layer
//! that must lose rank moves at least by the tail of its singular values (Eckart and Young).

use std::collections::BTreeMap;

use super::rung::{Coordinates, Rung};
use super::word::Word;
use crate::linalg::{Matrix, orthonormal_complement, singular_values, spectral_norm, thin_qr};

pub(super) struct Bounds<'a> {
    coordinates: &'a Coordinates,
    chain: Chain,
    /// The chain of the transposed layers, last one first.
    reversed: Chain,
    /// Singular values of the layers.
    spectra: Vec<Vec<f64>>,
}

impl<'a> Bounds<'a> {
    pub(super) fn new(coordinates: &'a Coordinates) -> Self {
        let chain = Chain::new(&coordinates.start, coordinates);
        let spectra = coordinates.start.iter().map(singular_values).collect();
        Self { coordinates, reversed: chain.reversed(), chain, spectra }
    }

    /// The distance at which a critical point of the rung is reached at the earliest: its product, and every
    /// `P(k-1,0) G' P(h,k) = 0`.
    pub(super) fn rung(&self, rung: &Rung) -> f64 {
        let (depth, g) = (self.chain.depth(), rung.wrap_left.ncols());
        let product = self.product(rung);
        if g == 0 || depth == 1 {
            return product;
        }
        let before = self.chain.arriving(&rung.spare_inputs);
        let after = self.reversed.arriving(&rung.spare_outputs);
        let lost_before = self.chain.losses(&before, &rung.right, g);
        let lost_after = self.reversed.losses(&after, &rung.left, g);
        let words = (1..=depth).map(|k| self.around(rung, &before, &after, k));
        words.fold(product.max(self.cuts(&lost_before, &lost_after, g)), f64::max)
    }

    /// The product must become `T`; of a family of products what all of them omit must vanish.
    fn product(&self, rung: &Rung) -> f64 {
        let depth = self.chain.depth();
        let product = self.chain.partial(depth, 0);
        let change = match &rung.never_captured {
            None => product - &rung.target,
            Some((inputs, outputs)) => &outputs.transpose_times(product) * inputs,
        };
        self.chain.movement(spectral_norm(&change), 0, depth)
    }

    /// The distance at which `P(k-1,0) G' P(h,k)` can be zero at the earliest: changes of the two pieces by `a` and `b` change it
    /// by at most `||G'|| (a ||G' P(h,k)|| + ||P(k-1,0) G'|| b + a b)`, with the orthonormal bases of `G'` for it inside the norms.
    /// Nothing is said of a family of products.
    fn around(&self, rung: &Rung, before: &[Matrix], after: &[Matrix], k: usize) -> f64 {
        if rung.never_captured.is_some() {
            return 0.0;
        }
        let depth = self.chain.depth();
        let (into, out) = (spectral_norms(before), spectral_norms(after));
        let wrap = &rung.spare_inputs.transpose_times(&rung.wrap_left) * &(&rung.wrap_right * &rung.spare_outputs);
        let value = &(&before[k - 1] * &wrap) * &after[depth - k].transpose();
        let value = spectral_norm(&value) / rung.wrap_norm;
        if !value.is_finite() {
            return 0.0;
        }
        let all = |chain: &'_ Chain, to: usize, distance: f64, into: &[f64]| {
            chain.largest_change(distance, 0, to, |k| into[k], |k| chain.norm(to, k))
        };
        self.chain.earliest(|distance| {
            let a = all(&self.chain, k - 1, distance, &into);
            let b = all(&self.reversed, depth - k, distance, &out);
            a * out[depth - k] + into[k - 1] * b + a * b >= value
        })
    }

    /// With the rank `g` of `G'`, by Sylvester's inequality, `rank P(k-1,0) G' + rank G' P(h,k) <= g`. Over all ranks
    /// `g = p_0 >= ... >= p_(h-1) = 0` of `P(k,0) G'`, the least distance at which every `P(j,0) G'` and, for `k >= j`, every `G' P(h,k)`
    /// on other layers can have lost so many ranks.
    fn cuts(&self, arriving: &[Vec<f64>], leaving: &[Vec<f64>], g: usize) -> f64 {
        let nodes = arriving.len();
        // Whether a point at this distance is not ruled out; `least[p]`: the least square that the layers before the node
        // need where `p` ranks arrive.
        let reachable = |distance: f64| {
            let square = distance * distance;
            let mut least = vec![f64::INFINITY; g + 1];
            least[g] = 0.0;
            for k in 0..nodes {
                let most = if k + 1 == nodes { 0 } else { g };
                let mut next = vec![f64::INFINITY; g + 1];
                for (before, &needed) in least.iter().enumerate() {
                    let left_over = square - leaving[nodes - 1 - k][g - before].powi(2);
                    for p in 0..=before.min(most) {
                        let needed = needed.max(arriving[k][p].powi(2));
                        if needed <= left_over && needed < next[p] {
                            next[p] = needed;
                        }
                    }
                }
                least = next;
            }
            least[0].is_finite()
        };
        self.chain.earliest(reachable)
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
        let depth = self.chain.depth();
        match word {
            Word::Straight { to, from } => {
                let values = singular_values(self.chain.partial(to, from));
                self.chain.movement(values.get(rung.rank()).copied().unwrap_or(0.0), from, to)
            }
            // A wrapped word of one straight piece.
            Word::Wrapped { to: 0, from } => {
                let after = rung.spare_outputs.transpose_times(self.chain.partial(depth, from));
                self.chain.movement(spectral_norm(&after), from, depth)
            }
            Word::Wrapped { to, from } if from == depth => {
                let before = self.chain.partial(to, 0) * &rung.spare_inputs;
                self.chain.movement(spectral_norm(&before), 0, to)
            }
            Word::Wrapped { .. } => 0.0,
        }
    }
}

/// Layers with the norms of their partial products.
struct Chain {
    /// `P(j, i)` at `[i][j - i - 1]`, and the spectral norms.
    partials: Vec<Vec<Matrix>>,
    norms: Vec<Vec<f64>>,
    /// How much a change of each layer weighs.
    weights: Vec<f64>,
    /// No distance is larger.
    size: f64,
}

impl Chain {
    fn new(layers: &[Matrix], coordinates: &Coordinates) -> Self {
        let depth = layers.len();
        let row = |i: usize| {
            let mut row: Vec<Matrix> = layers.get(i).cloned().into_iter().collect();
            for layer in layers.iter().skip(i + 1) {
                row.push(layer * &row[row.len() - 1]);
            }
            row
        };
        let partials: Vec<Vec<Matrix>> = (0..depth).map(row).collect();
        let norms = partials.iter().map(|row| row.iter().map(spectral_norm).collect()).collect();
        Self { partials, norms, weights: coordinates.weights.clone(), size: coordinates.size() }
    }

    fn reversed(&self) -> Self {
        let depth = self.depth();
        let nodes = |i: usize| (i + 1..=depth).map(move |j| (depth - i, depth - j));
        let transposed = |i: usize| nodes(i).map(|(to, from)| self.partial(to, from).transpose()).collect();
        Self {
            partials: (0..depth).map(transposed).collect(),
            norms: (0..depth).map(|i| nodes(i).map(|(to, from)| self.norm(to, from)).collect()).collect(),
            weights: self.weights.iter().rev().copied().collect(),
            size: self.size,
        }
    }

    fn depth(&self) -> usize {
        self.partials.len()
    }

    fn partial(&self, to: usize, from: usize) -> &Matrix {
        &self.partials[from][to - from - 1]
    }

    fn norm(&self, to: usize, from: usize) -> f64 {
        if to == from { 1.0 } else { self.norms[from][to - from - 1] }
    }

    /// `P(j,0)` on the span of these columns, for all nodes but the last.
    fn arriving(&self, inputs: &Matrix) -> Vec<Matrix> {
        std::iter::once(inputs.clone()).chain((1..self.depth()).map(|j| self.partial(j, 0) * inputs)).collect()
    }

    /// For every inner node `j` the distances at which `P(j,0)` can have the ranks `0..=rank` at the earliest on a subspace of
    /// that dimension of the span of the inputs of `arriving`. Ranks are counted off the image of `captured`: parts of fixed
    /// subspaces have no larger ranks, and there the partial products are small.
    fn losses(&self, arriving: &[Matrix], captured: &Matrix, rank: usize) -> Vec<Vec<f64>> {
        let unknown = arriving[0].ncols() - rank;
        let into = spectral_norms(arriving);
        let lost = |j: usize| {
            let off = orthonormal_complement(&thin_qr(&(self.partial(j, 0) * captured)).0);
            let mut out: Vec<f64> = (1..j).map(|k| spectral_norm(&off.transpose_times(self.partial(j, k)))).collect();
            out.push(1.0);
            // A subspace of codimension `unknown` keeps all but the largest `unknown` singular values.
            let values = singular_values(&off.transpose_times(&arriving[j]));
            let all = singular_values(&arriving[j]);
            let lost = |p: usize| {
                let value = values.get(p + unknown).copied().unwrap_or(0.0);
                let change = |distance| self.largest_change(distance, 0, j, |k| into[k], |k| out[k - 1]);
                let moved = if value > 0.0 && value.is_finite() {
                    self.earliest(|distance| change(distance) >= value)
                } else {
                    0.0
                };
                let tail = if j == 1 { all.iter().skip(p + unknown).copied().fold(0.0, f64::hypot) } else { 0.0 };
                moved.max(self.weights[0] * tail)
            };
            (0..=rank).map(lost).collect()
        };
        (1..self.depth()).map(lost).collect()
    }

    /// The smallest distance at which `P(to, from)` can have changed by `value` in the spectral norm.
    fn movement(&self, value: f64, from: usize, to: usize) -> f64 {
        if value <= 0.0 || !value.is_finite() {
            return 0.0;
        }
        let (into, out) = (|k: usize| self.norm(k, from), |k: usize| self.norm(to, k));
        self.earliest(|distance| self.largest_change(distance, from, to, into, out) >= value)
    }

    /// The smallest distance at which this is true, once true always true.
    fn earliest(&self, reached: impl Fn(f64) -> bool) -> f64 {
        let (mut low, mut high) = (0.0, self.size);
        if !reached(high) {
            return high;
        }
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if reached(middle) { high = middle } else { low = middle }
        }
        low
    }

    /// By how much `P(to, from)`, between fixed matrices, changes at most in a ball: the first-order terms share the distance,
    /// the others may each take all of it. `into` and `out` are the norms of `P(k, from)` and `P(to, k)` with these matrices.
    fn largest_change(
        &self,
        distance: f64,
        from: usize,
        to: usize,
        into: impl Fn(usize) -> f64,
        out: impl Fn(usize) -> f64,
    ) -> f64 {
        let step = |k: usize| distance / self.weights[k - 1];
        let first = |k: usize| step(k) * into(k - 1);
        let linear = (from + 1..=to).map(|k| first(k) * out(k)).fold(0.0, f64::hypot);
        let mut higher = 0.0;
        // Terms of at least two changes whose last one is in layer k.
        let mut ending: Vec<(usize, f64)> = Vec::new();
        for k in from + 1..=to {
            let chained: f64 = ending.iter().map(|&(l, size)| size * self.norm(k - 1, l)).sum::<f64>() * step(k);
            higher += chained * out(k);
            ending.push((k, first(k) + chained));
        }
        linear + higher
    }
}

fn spectral_norms(matrices: &[Matrix]) -> Vec<f64> {
    matrices.iter().map(spectral_norm).collect()
}
