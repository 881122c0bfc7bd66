//! The Hessian with respect to one layer.

use super::findings::{HessianFindings, InertiaMethod, LARGEST_LISTED, SpectrumMethod};
use super::operator::HessianOperator;
use crate::error::{InputError, Result};
use crate::evidence::{Evidence, Grade, Quantity, RankDecision};
use crate::linalg::{Inertia, Matrix, spectral_norm};
use crate::problem::Problem;

/// The diagonal block of a layer is `(P(h,k)' P(h,k)) (x) (F F')` with `F = P(k-1,0) X`: its eigenvalues are products of
/// squared singular values, at any point and any size, and none is negative.
pub(super) fn layer_block(problem: &Problem, operator: &HessianOperator<'_>, layer: usize) -> Result<HessianFindings> {
    let depth = problem.factors().depth();
    if !(1..=depth).contains(&layer) {
        return Err(InputError::new("there is no layer of this number").value(layer).hint(format!("1 to {depth}")));
    }
    let block = layer - 1;
    let (left, right) = operator.block_spectrum(block);
    let mut values: Vec<f64> = left.iter().flat_map(|x| right.iter().map(move |y| (x * y) * (x * y))).collect();
    values.sort_by(f64::total_cmp);
    let size = values.len();
    let start: usize = operator.shapes()[..block].iter().map(|(rows, cols)| rows * cols).sum();
    let diagonal = operator.diagonal()[start..start + size].to_vec();
    let (after, before, mut evidence) = match problem.exact() {
        Some(exact) => {
            let (after, before) = exact.ranks_around(layer);
            (RankDecision::exact(after), RankDecision::exact(before), Evidence::new(Grade::Exact))
        }
        None => {
            let (after, before) = layer_ranks(problem, operator.scale(block), layer, &left, &right);
            (after, before, Evidence::new(Grade::Numerical))
        }
    };
    evidence.rest_on(Quantity::After { depth, layer }, after);
    evidence.rest_on(Quantity::Before { layer }, before);
    let positive = after.rank * before.rank;
    let inertia = Inertia { negative: 0, zero: size - positive, positive };
    Ok(HessianFindings {
        size,
        ends: (values.first().copied(), values.last().copied()),
        eigenvalues: (size <= LARGEST_LISTED).then_some(values),
        spectrum: None,
        residual: Some(0.0),
        inertia: evidence.is_clear().then_some(inertia),
        inertia_method: InertiaMethod::ClosedForm,
        spectrum_method: SpectrumMethod::ClosedForm,
        evidence,
        trace: diagonal.iter().sum(),
        diagonal,
        vectors: Vec::new(),
        orbit: None,
    })
}

/// Ranks of the two sides of a layer from their singular values; the first list carries `scale`.
fn layer_ranks(
    problem: &Problem,
    scale: f64,
    layer: usize,
    left: &[f64],
    right: &[f64],
) -> (RankDecision, RankDecision) {
    let (given, tolerances) = (problem.given().given(), problem.tolerances());
    let layers = given.layers();
    let widest = layers.iter().map(Matrix::larger_dimension).max().unwrap_or(1);
    let relative = tolerances.relative_rounding(problem.unit_roundoff(), widest);
    let norms = |range: &[Matrix]| range.iter().map(spectral_norm).product::<f64>();
    let decide = |values: &[f64], size: f64| {
        let size = size.max(values.first().copied().unwrap_or(0.0));
        RankDecision::from_singular_values(values, relative * size, tolerances.rank_gap, size)
    };
    let inputs = given.inputs().map_or(1.0, spectral_norm);
    let unscaled: Vec<f64> = left.iter().map(|s| s / scale).collect();
    (decide(&unscaled, norms(&layers[layer..])), decide(right, norms(&layers[..layer - 1]) * inputs))
}
