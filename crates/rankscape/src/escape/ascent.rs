//! Directions along which the loss rises: no point is a local maximum unless `X = 0`.
//!
//! Where the output is not zero, a row of the last layer is scaled (`[@ZL]`, Proposition 3.3). Where it is zero: along steps
//! `s_k A_k` with signs `s_k`, the product is affine in each `s_k`, so its average over all signs is the product at the point.
//! The loss is strictly convex in `W X`: its average over the signs is therefore larger than its value at the point, unless all
//! those products agree on `X`, which they do for all `A` only where `X = 0`. So some signs rise, at a point of any output.

use super::construction::{Draft, Prediction};
use super::path::LossOnPath;
use crate::linalg::Matrix;
use crate::network::SquareNetwork;
use crate::random::Stream;

/// The ascent at a point, critical or not; what is at most `zero` of its natural size counts as zero.
pub(super) fn ascent(white: &SquareNetwork, zero: f64, seed: u64) -> Result<Draft, &'static str> {
    let size = white.output().frobenius_norm();
    let product: f64 = white.layers().iter().map(Matrix::frobenius_norm).product();
    if size > zero * product { Ok(larger_row(white, zero)) } else { from_zero(white, zero, seed) }
}

/// Row `i` of the last layer, the one with the largest output `a`, grows or shrinks: the loss changes by
/// `t a.(a - z) + 1/2 t^2 ||a||^2` for `W_h <- W_h + t e_i e_i' W_h`, and the sign of `t` is free.
fn larger_row(white: &SquareNetwork, zero: f64) -> Draft {
    let (output, residual) = (white.output(), white.residual());
    let row = |m: &Matrix, i: usize| m.block(i, 0, 1, m.ncols());
    let sizes: Vec<f64> = (0..output.nrows()).map(|i| row(output, i).frobenius_norm()).collect();
    let i = (0..sizes.len()).max_by(|&a, &b| sizes[a].total_cmp(&sizes[b])).unwrap_or(0);
    let a = row(output, i);
    let slope = a.dot(&row(residual, i));
    let sign = if slope < 0.0 { -1.0 } else { 1.0 };
    let last = &white.layers()[white.layers().len() - 1];
    let step = Matrix::from_fn(last.nrows(), last.ncols(), |r, c| if r == i { sign * last[(r, c)] } else { 0.0 });
    let mut steps = vec![None; white.layers().len()];
    steps[white.layers().len() - 1] = Some(step);
    let second = 0.5 * a.dot(&a);
    let critical = slope.abs() <= zero * second.max(f64::MIN_POSITIVE);
    let (order, coefficient) = if critical { (2, second) } else { (1, slope.abs()) };
    let prediction = Prediction { order, coefficient, change: Some(slope.abs() + second), order_bound: Some(2) };
    Draft { steps: vec![(1, steps)], prediction, end: Some(1.0), curved: false }
}

/// Random steps in as few layers as make the product move, which is then `t^m D` with `m` the number of layers:
/// `t^m <G, D> + 1/2 t^{2m} ||D||^2`, and one sign of `D` rises.
fn from_zero(white: &SquareNetwork, zero: f64, seed: u64) -> Result<Draft, &'static str> {
    let layers = white.layers();
    let mut stream = Stream::new(seed, 1);
    let steps: Vec<Matrix> = layers
        .iter()
        .map(|w| {
            let step = stream.normal_matrix(w.nrows(), w.ncols());
            step.scaled(1.0 / step.frobenius_norm())
        })
        .collect();
    let moved = |used: &[bool]| {
        let factor = |k: usize| if used[k] { &layers[k] + &steps[k] } else { layers[k].clone() };
        (1..layers.len()).fold(factor(0), |product, k| &factor(k) * &product)
    };
    let mut used = vec![true; layers.len()];
    for k in 0..layers.len() {
        used[k] = false;
        if moved(&used).frobenius_norm() <= zero.sqrt() {
            used[k] = true;
        }
    }
    let change = moved(&used);
    let count = used.iter().filter(|used| **used).count();
    if change.max_abs() == 0.0 {
        return Err("the output does not depend on the weights: X is zero");
    }
    let slope = white.residual().dot(&change);
    let second = 0.5 * change.dot(&change);
    let flat = slope.abs() <= zero * white.residual().frobenius_norm() * change.frobenius_norm();
    let (order, coefficient) = if flat { (2 * count, second) } else { (count, slope.abs()) };
    let mut signed: Vec<Option<Matrix>> =
        steps.into_iter().zip(&used).map(|(step, used)| used.then_some(step)).collect();
    if slope < 0.0
        && let Some(first) = signed.iter_mut().flatten().next()
    {
        *first = first.scaled(-1.0);
    }
    let prediction =
        Prediction { order, coefficient, change: Some(slope.abs() + second), order_bound: Some(2 * layers.len()) };
    Ok(Draft { steps: vec![(1, signed)], prediction, end: Some(1.0), curved: false })
}

/// The largest power of two up to 1 at which the loss has risen.
pub(super) fn end(loss: &LossOnPath) -> f64 {
    (0..60).map(|k| 2.0_f64.powi(-k)).find(|&t| loss.change(t) > 0.0).unwrap_or(1.0)
}
