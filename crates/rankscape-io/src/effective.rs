//! The matrix by which a layer multiplies, where the file holds the parts that it is computed from.

use super::array::{Array, shape_text};
use super::layers::{Layer, Source};
use rankscape::error::{InputError, Result};

/// The matrix of a layer as it is stored: an array of the file, or what its parts make.
pub(super) fn effective(layer: &Layer, load: &mut dyn FnMut(&str) -> Result<Array>) -> Result<Array> {
    let array = match &layer.source {
        Source::Plain(name) => return load(name),
        Source::Spectral { original, u, v } => divided_by_norm(&load(original)?, &load(u)?, &load(v)?)?,
        Source::WeightNorm { gain, direction } => with_lengths(&load(direction)?, &load(gain)?)?,
    };
    let named = Array { name: layer.name.clone(), exact: None, ..array };
    named.check_finite()?;
    Ok(named)
}

/// `W / (u' W v)`: what `torch.nn.utils.spectral_norm` multiplies by in evaluation mode.
fn divided_by_norm(matrix: &Array, u: &Array, v: &Array) -> Result<Array> {
    let (rows, cols) = matrix.rows_and_columns()?;
    for (vector, length) in [(u, rows), (v, cols)] {
        fits(vector, vector.values.len() == length, &matrix.shape)?;
    }
    let row = |i: usize| -> f64 { (0..cols).map(|j| matrix.values[i * cols + j] * v.values[j]).sum() };
    let norm: f64 = (0..rows).map(|i| u.values[i] * row(i)).sum();
    if norm == 0.0 {
        return Err(InputError::new("the spectral norm is zero, so the weight is not defined")
            .array(&matrix.name)
            .hint("run the network once in training mode, which finds u and v, and save it again"));
    }
    Ok(Array { values: matrix.values.iter().map(|value| value / norm).collect(), ..matrix.clone() })
}

/// `g * V / |V|`: what `torch.nn.utils.weight_norm` multiplies by, with the norms of rows, of columns or of the whole, as the
/// shape of `g` says.
fn with_lengths(direction: &Array, gain: &Array) -> Result<Array> {
    let (rows, cols) = direction.rows_and_columns()?;
    let group: fn(usize, usize) -> usize = match gain.shape[..] {
        [g, 1] if g == rows => |i, _| i,
        [1, g] if g == cols => |_, j| j,
        [] | [1] => |_, _| 0,
        _ => return fits(gain, false, &direction.shape).map(|()| direction.clone()),
    };
    let place = |at: usize| group(at / cols, at % cols);
    // Scaled by the largest entry, no square is lost.
    let mut scales = vec![0.0_f64; gain.values.len()];
    for (at, value) in direction.values.iter().enumerate() {
        scales[place(at)] = scales[place(at)].max(value.abs());
    }
    let mut squares = vec![0.0; gain.values.len()];
    for (at, value) in direction.values.iter().enumerate().filter(|(_, value)| **value != 0.0) {
        squares[place(at)] += (value / scales[place(at)]).powi(2);
    }
    if let Some(zero) = squares.iter().position(|&square| square == 0.0) {
        return Err(InputError::new("the direction of a weight is zero, so the weight is not defined")
            .array(&direction.name)
            .value(format!("row or column {zero}, counted from 0")));
    }
    let values = direction.values.iter().enumerate().map(|(at, value)| {
        let at = place(at);
        gain.values[at] * (value / scales[at] / squares[at].sqrt())
    });
    Ok(Array { values: values.collect(), ..direction.clone() })
}

fn fits(part: &Array, fits: bool, shape: &[usize]) -> Result<()> {
    if fits {
        return Ok(());
    }
    Err(InputError::new("a part of the weight does not fit the other").array(&part.name).value(format!(
        "shape {}, the matrix is {}",
        shape_text(&part.shape),
        shape_text(shape)
    )))
}

#[cfg(test)]
mod tests {
    use super::super::array::ElementType;
    use super::*;

    fn array(shape: &[usize], values: &[f64]) -> Array {
        let (shape, values) = (shape.to_vec(), values.to_vec());
        Array { name: "A".to_owned(), shape, values, element: ElementType::F32, exact: None }
    }

    #[test]
    fn the_spectral_norm_is_that_of_the_stored_vectors() {
        let matrix = array(&[2, 3], &[3.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
        let (u, v) = (array(&[2], &[1.0, 0.0]), array(&[3], &[1.0, 0.0, 0.0]));
        assert_eq!(divided_by_norm(&matrix, &u, &v).unwrap().values[..5], [1.0, 0.0, 0.0, 0.0, 1.0 / 3.0]);
        assert!(divided_by_norm(&matrix, &v, &u).is_err());
        assert!(divided_by_norm(&array(&[2, 3], &[0.0; 6]), &u, &v).is_err());
    }

    #[test]
    fn lengths_are_those_of_rows_columns_or_the_whole() {
        let direction = array(&[2, 2], &[3.0, 4.0, 0.0, 2e-200]);
        let of = |shape: &[usize], gain: &[f64]| with_lengths(&direction, &array(shape, gain)).unwrap().values;
        let close =
            |found: Vec<f64>, expected: [f64; 4]| found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15);
        assert!(close(of(&[1, 2], &[6.0, 2.0]), [6.0, 2.0, 0.0, 1e-200]));
        assert!(close(of(&[], &[10.0]), [6.0, 8.0, 0.0, 4e-200]));
        assert!(close(of(&[2, 1], &[10.0, 7.0]), [6.0, 8.0, 0.0, 7.0]));
        assert!(with_lengths(&direction, &array(&[3], &[1.0; 3])).is_err());
    }
}
