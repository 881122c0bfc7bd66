//! Starts: small normal weights, balanced ones, and balanced ones in the directions of the target.

use crate::error::{InputError, Result};
use crate::linalg::{Matrix, determinant_sign, orthonormal_range, svd};
use crate::random::Stream;

/// How a run starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartKind {
    /// Independent normal entries times the scale.
    Normal,
    /// `W_k = s U_k U_{k-1}'` with random orthonormal columns: balanced, all singular values `s`.
    Balanced,
    /// Balanced, with the singular vectors of the target at both ends.
    Spectral,
}

/// Layers of these widths at this scale; `target` is a matrix with the shape of the product, for [`StartKind::Spectral`].
///
/// # Errors
/// If the scale is not a positive number.
pub fn start(kind: StartKind, widths: &[usize], scale: f64, target: &Matrix, seed: u64) -> Result<Vec<Matrix>> {
    if !(scale > 0.0 && scale.is_finite()) {
        return Err(InputError::new("the scale of a start must be a positive number").array("scale").value(scale));
    }
    let mut stream = Stream::new(seed, 0);
    if kind == StartKind::Normal {
        return Ok(widths.windows(2).map(|pair| stream.normal_matrix(pair[1], pair[0]).scaled(scale)).collect());
    }
    let rank = widths.iter().copied().min().unwrap_or(0);
    let mut frames: Vec<Matrix> =
        widths.iter().map(|&width| orthonormal_range(&stream.normal_matrix(width, rank), rank)).collect();
    if kind == StartKind::Spectral {
        let found = svd(target);
        let last = frames.len() - 1;
        frames[0] = found.v.columns(0, rank);
        frames[last] = found.u.columns(0, rank);
    }
    Ok(frames.windows(2).map(|pair| pair[1].times_transpose(&pair[0]).scaled(scale)).collect())
}

/// From a balanced start the flow keeps the sign of `det W`, where all widths are at least `d_0 = d_h`: if the target has the other
/// sign, the flow ends in the saddle without the smallest direction and never at the minimum.
pub fn sign_obstruction(layers: &[Matrix], target: &Matrix) -> bool {
    let (outputs, inputs) = target.shape();
    let wide = layers.iter().all(|layer| layer.nrows() >= inputs);
    if outputs != inputs || !wide {
        return false;
    }
    let Some(product) = layers.iter().cloned().reduce(|product, layer| &layer * &product) else { return false };
    let signs = determinant_sign(&product) * determinant_sign(target);
    signs < 0
}
