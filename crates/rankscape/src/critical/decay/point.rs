//! A critical point of a rung: the aligned one, every layer diagonal between the singular directions of the target.

use super::DecayLadder;
use super::rung::DecayRung;
use crate::data::Whitening;
use crate::linalg::Matrix;

impl DecayLadder {
    /// `W_1 = sum w_i e_i v_i'`, then diagonal layers with the same values, `W_h = sum w_i u_i e_i'`. `None` where the rung has no
    /// closed form.
    pub fn point(&self, rung: &DecayRung, whitening: &Whitening) -> Option<Vec<Matrix>> {
        let (captured, values) = (rung.captured.as_ref()?, rung.layer_values.as_ref()?);
        let (left, right) = (&whitening.spectrum.u, &whitening.basis * &whitening.spectrum.v);
        let widths = self.without_decay().architecture().widths();
        let depth = widths.len() - 1;
        let mut layers: Vec<Matrix> =
            widths.windows(2).map(|pair| Matrix::from_diagonal(pair[1], pair[0], values)).collect();
        let columns =
            |basis: &Matrix| Matrix::from_fn(basis.nrows(), captured.len(), |i, k| basis[(i, captured[k] - 1)]);
        let inputs = columns(&right).scale_columns(values).transpose();
        let outputs = columns(left);
        if depth == 1 {
            return Some(vec![&outputs * &inputs]);
        }
        layers[0] = padded(&inputs, widths[1], widths[0]);
        layers[depth - 1] = padded(&outputs.scale_columns(values), widths[depth], widths[depth - 1]);
        Some(layers)
    }
}

/// The matrix in the upper left corner of zeros.
fn padded(matrix: &Matrix, rows: usize, cols: usize) -> Matrix {
    let mut out = Matrix::zeros(rows, cols);
    out.set_block(0, 0, matrix);
    out
}
