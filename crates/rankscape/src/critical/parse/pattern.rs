//! How a subspace lies in the blocks of equal singular values of a target.

use std::ops::Range;

use crate::linalg::{Matrix, orthonormal_complement, svd};

/// A subspace that is a direct sum of parts of the blocks: which part of each.
#[derive(Debug, Clone)]
pub(super) struct BlockPattern {
    /// Dimension of the part in each block.
    pub counts: Vec<usize>,
    /// Dimension of the part in the space of zero singular values.
    pub zero: usize,
    /// Orthonormal bases of the parts in the coordinates of their blocks, the zero block last: `m_i x p_i`.
    pub parts: Vec<Matrix>,
    /// Orthonormal bases of what the parts leave of their blocks: `m_i x (m_i - p_i)`.
    pub rests: Vec<Matrix>,
}

/// The pattern of the span of the orthonormal columns of `subspace`, in the orthonormal basis `basis` of the whole space
/// whose columns are grouped in `blocks`, the others belonging to zero; `None` unless every overlap `||U_i' Q||_F^2` is
/// an integer up to `rounding` and they add up.
pub(super) fn block_pattern(
    basis: &Matrix,
    blocks: &[Range<usize>],
    subspace: &Matrix,
    rounding: f64,
) -> Option<BlockPattern> {
    let positive = blocks.last().map_or(0, |block| block.end);
    let mut found = BlockPattern { counts: Vec::new(), zero: 0, parts: Vec::new(), rests: Vec::new() };
    let mut total = 0;
    for block in blocks.iter().cloned().chain(std::iter::once(positive..basis.ncols())) {
        let overlap = basis.columns(block.start, block.end).transpose_times(subspace);
        let share = overlap.frobenius_norm().powi(2);
        let count = share.round() as usize;
        if (share - share.round()).abs() > rounding || count > block.len().min(subspace.ncols()) {
            return None;
        }
        let part = svd(&overlap).u.columns(0, count);
        found.rests.push(orthonormal_complement(&part));
        found.parts.push(part);
        found.counts.push(count);
        total += count;
    }
    found.zero = found.counts.pop()?;
    (total == subspace.ncols()).then_some(found)
}

impl BlockPattern {
    /// Block diagonal matrix of the parts: `V` of `[@ZL]` without its zero columns.
    pub(super) fn diagonal(&self) -> Matrix {
        block_diagonal(&self.parts)
    }

    /// Block diagonal matrix of the rests.
    pub(super) fn diagonal_of_rests(&self) -> Matrix {
        block_diagonal(&self.rests)
    }

    /// Captures a smaller value while a larger one is not fully captured.
    pub(super) fn skips(&self) -> bool {
        let first_open = (0..self.counts.len()).find(|&i| self.counts[i] < self.parts[i].nrows());
        first_open.is_some_and(|i| self.counts[i + 1..].iter().any(|&p| p > 0))
    }
}

fn block_diagonal(blocks: &[Matrix]) -> Matrix {
    let rows = blocks.iter().map(Matrix::nrows).sum();
    let cols = blocks.iter().map(Matrix::ncols).sum();
    let mut out = Matrix::zeros(rows, cols);
    let (mut row, mut col) = (0, 0);
    for block in blocks {
        out.set_block(row, col, block);
        row += block.nrows();
        col += block.ncols();
    }
    out
}
