//! Partial products, each formed once.

use crate::linalg::Algebra;

/// The partial products `P(j, i) = W_j ... W_{i+1}` of some layers, as they are asked for.
pub(super) struct Products<'a, M> {
    layers: &'a [M],
    /// `P(i+1, i), P(i+2, i), ...` at index `i`.
    known: Vec<Vec<M>>,
}

impl<'a, M: Algebra> Products<'a, M> {
    pub(super) fn new(layers: &'a [M]) -> Self {
        Self { layers, known: vec![Vec::new(); layers.len()] }
    }

    /// `P(j, i)` for `i < j`.
    pub(super) fn partial(&mut self, j: usize, i: usize) -> &M {
        let row = &mut self.known[i];
        for k in i + row.len()..j {
            let next = row.last().map_or_else(|| self.layers[k].clone(), |product| self.layers[k].times(product));
            row.push(next);
        }
        &row[j - i - 1]
    }
}
