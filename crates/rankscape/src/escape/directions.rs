//! Directions that leave a point, and the choice among them.

use super::judgement::Judgement;
use super::numerical::{of_least_order, through_kernels};
use super::{Escape, EscapeKind, EscapePath, LossOnPath};
use crate::data::Whitening;
use crate::linalg::{Matrix, svd, vector_norm};
use crate::multiplication::Factors;
use crate::network::NormalizedNetwork;
use crate::tolerance::Tolerances;

/// Share of minus the gradient that is mixed into a direction along which the loss has no slope.
const TILT: f64 = 0.0625;

/// The best path out of a point.
///
/// At a critical point (`critical`) the direction is an eigenvector `curvature` of negative curvature, and the order is
/// 2. Elsewhere the order is 1, and the direction of largest decrease is chosen among minus the gradient, `curvature`
/// (that of a critical point nearby) and the one that feeds the largest omitted singular direction of the target. Where the
/// slope along one of the last two is nothing but rounding errors, it is tilted against the gradient.
pub fn leave(
    factors: &Factors,
    network: &NormalizedNetwork,
    whitening: &Whitening,
    critical: bool,
    curvature: Option<&[f64]>,
    tolerances: &Tolerances,
) -> Option<Escape> {
    let eigenvector = curvature.filter(|vector| !vector.is_empty()).map(|vector| factors.with_vector(vector));
    if critical {
        return straight(network, eigenvector?, EscapeKind::NegativeCurvature, 2);
    }
    let gradient = Factors::new(network.gradient().iter().map(|block| block.scaled(-1.0)).collect()).ok()?;
    let downhill = normalized(&gradient)?;
    let mut others: Vec<(Factors, EscapeKind)> = Vec::new();
    others.extend(eigenvector.map(|direction| (direction, EscapeKind::NegativeCurvature)));
    others.extend(omitted_direction(factors, network, whitening).map(|d| (d, EscapeKind::OmittedDirection)));
    let rounding = network.gradient_rounding(tolerances);
    let sloping = others
        .into_iter()
        .filter_map(|(direction, kind)| straight(network, down(network, direction, &downhill, &rounding), kind, 1));
    let steepest = straight(network, downhill.clone(), EscapeKind::Gradient, 1);
    steepest.into_iter().chain(sloping).max_by(|a, b| a.decrease.total_cmp(&b.decrease))
}

/// `direction` or its opposite, whichever does not rise; tilted towards the unit vector `downhill` where the slope is nothing but
/// the rounding errors of the gradient, whose blocks have the sizes `rounding`.
fn down(network: &NormalizedNetwork, direction: Factors, downhill: &Factors, rounding: &[f64]) -> Factors {
    let coefficients = LossOnPath::new(network, &EscapePath::line(direction.clone())).coefficients;
    // The loss may not change along it at all.
    let slope = coefficients.get(1).copied().unwrap_or(0.0);
    let sizes: Vec<f64> = direction.matrices().iter().map(Matrix::frobenius_norm).collect();
    let noise: f64 = sizes.iter().zip(rounding).map(|(size, error)| size * error).sum();
    let falling = if slope > 0.0 { opposite(&direction) } else { direction };
    if slope.abs() > noise {
        return falling;
    }
    falling.moved(TILT * vector_norm(&sizes), downhill)
}

fn opposite(direction: &Factors) -> Factors {
    direction.with_vector(&direction.to_vector().iter().map(|x| -x).collect::<Vec<_>>())
}

fn normalized(direction: &Factors) -> Option<Factors> {
    let entries = direction.to_vector();
    let size = vector_norm(&entries);
    (size > 0.0 && size.is_finite())
        .then(|| direction.with_vector(&entries.iter().map(|x| x / size).collect::<Vec<_>>()))
}

/// The straight path along `direction`; `None` when the loss does not fall at the given order.
fn straight(network: &NormalizedNetwork, direction: Factors, kind: EscapeKind, order: usize) -> Option<Escape> {
    let path = EscapePath::line(direction);
    Escape::new(network, path, kind, order)
}

/// A path through the kernels of the layers, which exists wherever `rank W < r` and the residual is not zero.
pub fn leave_through_kernels(
    network: &NormalizedNetwork,
    whitening: &Whitening,
    judgement: Judgement<'_>,
) -> Option<Escape> {
    let (path, order) = through_kernels(network, whitening, judgement)?;
    Escape::new(network, path, EscapeKind::Kernels, order)
}

/// The path of the lowest order out of a non-strict saddle.
pub fn leave_non_strict_saddle(
    network: &NormalizedNetwork,
    whitening: &Whitening,
    judgement: Judgement<'_>,
) -> Option<Escape> {
    let (path, order) = of_least_order(network, whitening, judgement)?;
    let found = Escape::new(network, path, EscapeKind::LeastOrder, order)?;
    Some(Escape { lowest_order: Some(order), ..found })
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
