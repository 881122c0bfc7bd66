//! Which singular directions of the target a product captures.

use super::blocks::distinct_blocks;
use crate::data::Whitening;
use crate::linalg::{Matrix, Svd, svd};

/// Directions captured by a product that is a spectral projection `P_S Z` of the whitened target.
#[derive(Debug, Clone, PartialEq)]
pub struct Captured {
    /// 1-based indices into the non-increasing singular values; lowest indices inside a block of equal values.
    pub indices: Vec<usize>,
    /// `||W - P_S Z||_F / ||Z||_F` (0 for `Z = 0`).
    pub distance: f64,
    /// `P_S Z`.
    pub projection: Matrix,
}

/// Reads off the captured directions of a whitened product `w` of rank `rank`, scaled like `whitening.target / scale`.
///
/// The column space of `w` is compared with every block of equal singular values of the target: the squared overlap
/// `||U_i' U_w||_F^2` must be an integer up to `rounding`, and the integers must add up to the rank. Values up to `zero` count as
/// zero, neighbours that differ by at most `tie` as equal.
pub fn captured_directions(
    w: &Matrix,
    rank: usize,
    whitening: &Whitening,
    scale: f64,
    (zero, tie): (f64, f64),
    rounding: f64,
) -> Option<Captured> {
    let spectrum = &whitening.spectrum;
    let values: Vec<f64> = spectrum.s.iter().map(|s| s / scale).collect();
    let Svd { u, .. } = svd(w);
    if rank > u.ncols() {
        // A rank over the rationals that double precision does not see.
        return None;
    }
    let column_space = u.columns(0, rank);
    let mut indices = Vec::new();
    let mut basis = Matrix::zeros(w.nrows(), rank);
    for block in distinct_blocks(&values, zero, tie) {
        let directions = spectrum.u.columns(block.start, block.end);
        let overlap = directions.transpose_times(&column_space);
        let share = overlap.frobenius_norm().powi(2);
        if (share - share.round()).abs() > rounding {
            return None;
        }
        let count = share.round() as usize;
        if indices.len() + count > rank {
            return None;
        }
        let inside = &directions * &svd(&overlap).u.columns(0, count);
        basis.set_block(0, indices.len(), &inside);
        indices.extend((block.start..block.start + count).map(|k| k + 1));
    }
    if indices.len() != rank {
        return None;
    }
    let target = whitening.target.scaled(1.0 / scale);
    let projection = &basis * &basis.transpose_times(&target);
    let size = target.frobenius_norm();
    let gap = (w - &projection).frobenius_norm();
    let distance = if gap == 0.0 { 0.0 } else { gap / size };
    Some(Captured { indices, distance, projection })
}
