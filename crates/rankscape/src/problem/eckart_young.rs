//! Losses whose minimum on bounded rank is that of Eckart and Young.

use crate::linalg::{Matrix, singular_values, svd};
use crate::loss::{Loss, QuadraticForm, SharedLoss};
use crate::tolerance::UNIT_ROUNDOFF;

/// The smallest value of `1/2 sum_ij a_i b_j (F_ij - Y_ij)^2` with `F = W X` (plus `c 1'` with an offset) and `rank W <= rank`:
/// `1/2 (||Z||^2 - ||T||^2) + 1/2 sum_{i > r} sigma_i(T)^2`, with `Z_ij = sqrt(a_i b_j) Y_ij`, `T = Z Q` and `Q` an orthonormal
/// basis of the rows of `X diag(sqrt b)`. `None` for other losses.
pub(crate) fn eckart_young(loss: &SharedLoss, inputs: Option<&Matrix>, rank: usize, offset: bool) -> Option<f64> {
    let (targets, rows, columns) = product_metric(loss)?;
    let root = |weights: &[f64]| weights.iter().map(|weight| weight.sqrt()).collect::<Vec<f64>>();
    let (rows, columns) = (root(&rows), root(&columns));
    let scaled = Matrix::from_fn(targets.nrows(), targets.ncols(), |i, j| {
        let weight = rows[i] * columns[j];
        if weight == 0.0 { 0.0 } else { weight * targets[(i, j)] }
    });
    let inputs = match inputs {
        Some(inputs) => inputs.scale_columns(&columns),
        None => Matrix::from_diagonal(columns.len(), columns.len(), &columns),
    };
    let (scaled, inputs) = if offset {
        let length = columns.iter().fold(0.0_f64, |sum, value| sum.hypot(*value));
        let unit = Matrix::from_fn(columns.len(), 1, |j, _| columns[j] / length);
        let without = |matrix: &Matrix| matrix - &(matrix * &unit).times_transpose(&unit);
        (without(&scaled), without(&inputs))
    } else {
        (scaled, inputs)
    };
    let found = svd(&inputs);
    let largest = found.s.first().copied().unwrap_or(0.0);
    let zero = 8.0 * UNIT_ROUNDOFF * (inputs.larger_dimension() as f64).sqrt() * largest;
    let kept = found.s.iter().take_while(|&&value| value > zero).count();
    let basis = found.v.columns(0, kept);
    let seen = &scaled * &basis;
    let unseen = &scaled - &seen.times_transpose(&basis);
    let tail: f64 = singular_values(&seen).iter().skip(rank).map(|value| value * value).sum();
    Some(0.5 * (unseen.frobenius_norm().powi(2) + tail))
}

/// Targets `Y` with weights `a_i` of rows and `b_j` of columns where the loss is `1/2 sum a_i b_j (F_ij - Y_ij)^2`: every weight is
/// that of its row times that of its column, up to rounding errors.
fn product_metric(loss: &SharedLoss) -> Option<(&Matrix, Vec<f64>, Vec<f64>)> {
    let QuadraticForm::Entries { target, weights } = loss.quadratic_form()? else { return None };
    let (rows, columns) = target.shape();
    let Some(weights) = weights else { return Some((target, vec![1.0; rows], vec![1.0; columns])) };
    let largest = weights.max_abs();
    let (p, q) = (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j))).find(|&at| weights[at] == largest)?;
    let of_rows: Vec<f64> = (0..rows).map(|i| weights[(i, q)] / largest).collect();
    let of_columns: Vec<f64> = (0..columns).map(|j| weights[(p, j)]).collect();
    let fits = |i: usize, j: usize| {
        let product = of_rows[i] * of_columns[j];
        (product - weights[(i, j)]).abs() <= 4.0 * f64::EPSILON * product
    };
    let is_product = largest > 0.0 && (0..rows).all(|i| (0..columns).all(|j| fits(i, j)));
    is_product.then_some((target, of_rows, of_columns))
}
