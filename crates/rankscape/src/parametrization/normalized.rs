//! Normalized networks `nu(theta) = W_h W_{h-1}/||W_{h-1}|| ... W_1/||W_1||` (`[@TKB]`, 3.4).
//!
//! With `p(theta) = (W_1/||W_1||, ..., W_{h-1}/||W_{h-1}||, W_h)`, `nu = mu o p`, defined where no factor before the last is zero. The
//! image of `dp` leaves out the radial directions of these factors, which `d mu` maps to the product, as it does that of the last factor: so
//! `rank d nu(theta) = rank d mu(theta)`.

use super::layered::LinearMap;
use super::map::Parametrization;
use crate::linalg::{Matrix, power_of_two_near};

/// The normalized network on data.
#[derive(Debug, Clone)]
pub struct NormalizedMap(LinearMap);

/// `||W_k||_F` of the factors before the last; `None` where one is zero.
pub fn norms_before_last(point: &[Matrix]) -> Option<Vec<f64>> {
    let (_, before) = point.split_last()?;
    let norms: Vec<f64> = before.iter().map(Matrix::frobenius_norm).collect();
    norms.iter().all(|norm| *norm > 0.0).then_some(norms)
}

/// `p(theta)`: the factors before the last divided by their norms. The product of these factors is `nu(theta)`, and `theta` is critical for
/// `l o nu` exactly where `p(theta)` is for `l o mu` (`docs/predictor.md`). `None` where a factor before the last is zero.
pub fn to_linear(point: &[Matrix]) -> Option<Vec<Matrix>> {
    let (last, before) = point.split_last()?;
    let unit = |block: &Matrix| {
        let scaled = block.scaled(1.0 / power_of_two_near(block.max_abs()));
        let norm = scaled.frobenius_norm();
        (norm > 0.0).then(|| scaled.scaled(1.0 / norm))
    };
    let mut layers: Vec<Matrix> = before.iter().map(unit).collect::<Option<_>>()?;
    layers.push(last.clone());
    Some(layers)
}

/// `q(theta)`: the factors before the last divided by their norms and the last multiplied by all of them, so that
/// `nu(q(theta)) = mu(theta)`: it takes critical points of `l o mu` to critical points of `l o nu` with the same function (`[@TKB]`,
/// Prop. 14). `None` where a factor before the last is zero.
pub fn from_linear(point: &[Matrix]) -> Option<Vec<Matrix>> {
    let norms = norms_before_last(point)?;
    let mut layers = to_linear(point)?;
    let last = layers.pop()?;
    layers.push(norms.iter().fold(last, |last, norm| last.scaled(*norm)));
    Some(layers)
}

/// Whether a normalized network of these widths has critical points with the function zero, `rank_of_target` the rank of the whitened target.
///
/// There `W_h = 0`, as no other factor is zero, and the gradient of the last factor is `-Z P(h-1,0)'`: a chain of non-zero factors with
/// `Z P(h-1,0)' = 0` is needed. One product before the last can vanish where two factors meet in a width of two or more; else all of them are
/// onto one direction, which `Z` must not see.
///
/// ```
/// use rankscape::parametrization::has_zero_rung;
/// assert!(!has_zero_rung(&[2, 2, 2], 2) && has_zero_rung(&[3, 2, 2], 2));
/// assert!(has_zero_rung(&[2, 2, 2, 2], 2) && !has_zero_rung(&[1, 1, 1, 1], 1));
/// ```
pub fn has_zero_rung(widths: &[usize], rank_of_target: usize) -> bool {
    let depth = widths.len().saturating_sub(1);
    match depth {
        0 | 1 => rank_of_target == 0,
        _ => rank_of_target < widths[0] || widths[1..depth - 1].iter().any(|&width| width >= 2),
    }
}

/// The part of `along` that is orthogonal to the unit matrix `unit`, divided by `norm`: the derivative of `W/||W||`, which is symmetric.
fn tangential(along: &Matrix, unit: &Matrix, norm: f64) -> Matrix {
    let mut out = along.clone();
    out.add_scaled(-along.dot(unit), unit);
    out.scaled(1.0 / norm)
}

impl NormalizedMap {
    /// Of these widths on `X`.
    pub fn new(widths: Vec<usize>, inputs: Matrix) -> Self {
        Self(LinearMap::new(widths, inputs))
    }

    /// `dp`, which is its own transpose.
    fn derivative(point: &[Matrix], layers: &[Matrix], blocks: &[Matrix]) -> Option<Vec<Matrix>> {
        let norms = norms_before_last(point)?;
        let tangential =
            blocks.iter().zip(layers).zip(&norms).map(|((block, unit), norm)| tangential(block, unit, *norm));
        Some(tangential.chain(blocks.last().cloned()).collect())
    }
}

impl Parametrization for NormalizedMap {
    fn blocks(&self) -> Vec<(usize, usize)> {
        self.0.blocks()
    }

    fn shape(&self) -> (usize, usize) {
        self.0.shape()
    }

    fn value(&self, point: &[Matrix]) -> Option<Matrix> {
        self.0.value(&to_linear(point)?)
    }

    fn times(&self, point: &[Matrix], direction: &[Matrix]) -> Option<Matrix> {
        let layers = to_linear(point)?;
        self.0.times(&layers, &Self::derivative(point, &layers, direction)?)
    }

    fn transposed_times(&self, point: &[Matrix], cotangent: &Matrix) -> Option<Vec<Matrix>> {
        let layers = to_linear(point)?;
        Self::derivative(point, &layers, &self.0.transposed_times(&layers, cotangent)?)
    }
}
