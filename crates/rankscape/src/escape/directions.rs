//! Directions that leave a point, and the choice among them.

use super::numerical::{Judgement, through_kernels};
use super::{Escape, EscapeKind, EscapePath, LossOnPath};
use crate::data::Whitening;
use crate::hessian::NormalizedNetwork;
use crate::linalg::{Matrix, svd, vector_norm};
use crate::multiplication::Factors;

/// The best path out of a point.
///
/// At a critical point (`critical`) the direction is an eigenvector `curvature` of negative curvature, and the order is
/// 2. Elsewhere the order is 1, and the direction of largest decrease is chosen among minus the gradient, `curvature`
/// (that of a critical point nearby) and the one that feeds the largest omitted singular direction of the target.
pub fn leave(
    factors: &Factors,
    network: &NormalizedNetwork,
    whitening: &Whitening,
    critical: bool,
    curvature: Option<&[f64]>,
) -> Option<Escape> {
    let eigenvector = curvature.filter(|vector| !vector.is_empty()).map(|vector| factors.with_vector(vector));
    if critical {
        return along(network, eigenvector?, EscapeKind::NegativeCurvature, 2);
    }
    let gradient = Factors::new(network.gradient().iter().map(|block| block.scaled(-1.0)).collect()).ok()?;
    let mut candidates = vec![(normalized(&gradient)?, EscapeKind::Gradient)];
    candidates.extend(eigenvector.map(|direction| (direction, EscapeKind::NegativeCurvature)));
    candidates.extend(omitted_direction(factors, network, whitening).map(|d| (d, EscapeKind::OmittedDirection)));
    candidates
        .into_iter()
        .filter_map(|(direction, kind)| along(network, direction, kind, 1))
        .max_by(|a, b| a.decrease.total_cmp(&b.decrease))
}

fn normalized(direction: &Factors) -> Option<Factors> {
    let entries = direction.to_vector();
    let size = vector_norm(&entries);
    (size > 0.0 && size.is_finite())
        .then(|| direction.with_vector(&entries.iter().map(|x| x / size).collect::<Vec<_>>()))
}

/// The path along `direction`, or its opposite when the loss rises at first order; `None` when the loss does not fall
/// at the given order.
fn along(network: &NormalizedNetwork, direction: Factors, kind: EscapeKind, order: usize) -> Option<Escape> {
    let forward = EscapePath::line(direction);
    let loss = LossOnPath::new(network, &forward);
    if order == 1 && loss.coefficients[1] > 0.0 {
        let (_, direction) = &forward.terms[0];
        let back = direction.with_vector(&direction.to_vector().iter().map(|x| -x).collect::<Vec<_>>());
        let path = EscapePath::line(back);
        return Escape::new(LossOnPath::new(network, &path), path, kind, order);
    }
    Escape::new(loss, forward, kind, order)
}

/// The path of lowest order through the kernels of the layers, out of a non-strict saddle.
pub fn leave_non_strict_saddle(
    network: &NormalizedNetwork,
    whitening: &Whitening,
    judgement: Judgement<'_>,
) -> Option<Escape> {
    let (path, order) = through_kernels(network, whitening, judgement)?;
    Escape::new(LossOnPath::new(network, &path), path, EscapeKind::Kernels, order)
}

/// `W_k += t w_k w_{k-1}'` with `w_0 = v`, `w_h = u` the leading singular pair of minus the residual and `w_k` the unit
/// vector along `W_k w_{k-1}`: what little of the direction the layers carry already is amplified in all of them.
fn omitted_direction(factors: &Factors, network: &NormalizedNetwork, whitening: &Whitening) -> Option<Factors> {
    let white = network.whitened();
    let residual = svd(&white.residual().scaled(-1.0));
    let depth = factors.depth();
    if depth < 2 || residual.s.first().is_none_or(|s| *s == 0.0) {
        return None;
    }
    let (u, v) = (residual.u.columns(0, 1), residual.v.columns(0, 1));
    let mut units = vec![v];
    for layer in &white.layers()[..depth - 1] {
        let image = layer * &units[units.len() - 1];
        let size = image.frobenius_norm();
        if size == 0.0 {
            return None;
        }
        units.push(image.scaled(1.0 / size));
    }
    units.push(u);
    let mut steps: Vec<Matrix> = (0..depth).map(|k| units[k + 1].times_transpose(&units[k])).collect();
    let inverse: Vec<f64> = whitening.scales.iter().map(|s| network.input_scale() / s).collect();
    steps[0] = steps[0].scale_columns(&inverse).times_transpose(&whitening.basis);
    let steps = steps.iter().zip(network.layer_scales()).map(|(step, scale)| step.scaled(*scale)).collect();
    Factors::new(steps).ok()
}
