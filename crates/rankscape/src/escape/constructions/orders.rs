//! The constructions of `[@ZL]`, which follow the order of the captured singular values.

use super::site::Site;
use crate::escape::construction::{Draft, Prediction};
use crate::linalg::{
    Matrix, SymmetricEigen, orthonormal_complement, orthonormal_range, pseudo_inverse, symmetric_eigen,
};

/// Tangent of the angle of a rotation.
const EPSILON: f64 = 0.125;

/// Squared singular values of `m` and its left singular vectors inside the span of orthonormal columns.
fn spectrum_inside(columns: &Matrix, m: &Matrix) -> Option<SymmetricEigen> {
    let part = columns.transpose_times(m);
    symmetric_eigen(&part.times_transpose(&part))
}

/// At some level `k`, `W_h -> R W_h` with `R` turning a captured direction `u_j` of the columns of `P(h, k+1)` towards an
/// omitted one `u_i` with a larger singular value of `Z P(k,0)^+ P(k,0)`, and `W_{k+1}` following: with
/// `u = (u_j + eps u_i) / sqrt(1 + eps^2)` and `P(h, k+1) a = u_j`, `W_{k+1} += a (u - u_j)' Z P(k,0)^+`.
///
/// The loss falls by `1/2 eps^2 / (1 + eps^2) (sigma_i - sigma_j)`. The paper omits the factor `1/2` of its own loss, and asks
/// for `sigma_j > 0`: a captured direction of the value zero can be turned as well, and must be where `W_h` has full rank
/// through such directions.
pub(super) fn rotation(site: &Site<'_>) -> Result<Draft, &'static str> {
    let factors = &site.ground.factors;
    let (depth, target) = (factors.depth(), site.ground.white.target());
    let levels = (0..=depth - 2).filter_map(|k| {
        let before = factors.partial(k, 0);
        let inverse = pseudo_inverse(&before, site.ranks.rank(0, k));
        let seen = &(target * &inverse) * &before;
        let after = factors.partial(depth, k + 1);
        let e = site.ranks.rank(k + 1, depth);
        let columns = orthonormal_range(&after, e);
        let rest = orthonormal_complement(&columns);
        if e == 0 || rest.ncols() == 0 {
            return None;
        }
        let (kept, omitted) = (spectrum_inside(&columns, &seen)?, spectrum_inside(&rest, &seen)?);
        let last = omitted.values.len() - 1;
        let gain = omitted.values[last] - kept.values[0].max(0.0);
        let u_j = &columns * &kept.vectors.columns(0, 1);
        let u_i = &rest * &omitted.vectors.columns(last, last + 1);
        let a = &pseudo_inverse(&after, e) * &u_j;
        Some((gain, k, u_j, u_i, a, target * &inverse))
    });
    let best = levels.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|found| found.0 > site.zero);
    let (gain, k, u_j, u_i, a, data) = best.ok_or("no captured singular value is smaller than an omitted one")?;
    let cosine = 1.0 / (1.0 + EPSILON * EPSILON).sqrt();
    let turned = &u_j.scaled(cosine) + &u_i.scaled(EPSILON * cosine);
    let shift = &turned - &u_j;
    let mut steps = vec![None; depth];
    steps[depth - 1] = Some(&shift * &u_j.transpose_times(factors.layer(depth)));
    steps[k] = Some(&a * &shift.transpose_times(&data));
    let change = -0.5 * EPSILON * EPSILON * cosine * cosine * gain;
    let prediction = Prediction { order: 2, coefficient: -0.5 * gain, change: Some(change), order_bound: Some(2) };
    Ok(Draft { steps: vec![(1, steps)], prediction, end: Some(1.0), curved: true })
}

/// `W_{h-1} += eps b u_q' Z P(h-2,0)^+` and `W_h += eps^2 u_q b'` with a null vector `b` of `W_h` and the largest direction `u_q`
/// that the columns of `W_h` omit.
///
/// The loss changes by `1/2 eps^4 ||b' W_{h-1} P(h-2,0)||^2 + (1/2 eps^6 - eps^3) sigma_q`.
pub(super) fn rank_one(site: &Site<'_>) -> Result<Draft, &'static str> {
    let factors = &site.ground.factors;
    let (depth, target) = (factors.depth(), site.ground.white.target());
    let last = factors.layer(depth);
    let e = site.ranks.rank(depth - 1, depth);
    if e == last.nrows().min(last.ncols()) {
        return Err("the last layer has full rank");
    }
    let before = factors.partial(depth - 2, 0);
    let inverse = pseudo_inverse(&before, site.ranks.rank(0, depth - 2));
    let seen = &(target * &inverse) * &before;
    let rest = orthonormal_complement(&orthonormal_range(last, e));
    let omitted = spectrum_inside(&rest, &seen).ok_or("the singular values were not found")?;
    let q = omitted.values.len() - 1;
    let sigma = omitted.values[q];
    if sigma <= site.zero {
        return Err("the last layer captures all that the layers before the last two let through");
    }
    let u = &rest * &omitted.vectors.columns(q, q + 1);
    let b = orthonormal_complement(&orthonormal_range(&last.transpose(), e)).columns(0, 1);
    let (mut first, mut second) = (vec![None; depth], vec![None; depth]);
    first[depth - 2] = Some(&b * &u.transpose_times(&(target * &inverse)));
    second[depth - 1] = Some(u.times_transpose(&b));
    let carried = &b.transpose_times(factors.layer(depth - 1)) * &before;
    let fourth = carried.dot(&carried);
    // The end of the path: where eps^3 sigma outweighs the fourth order well.
    let t = (0.75 * sigma / fourth.max(0.75 * sigma)).min(1.0);
    let change = 0.5 * t.powi(4) * fourth + (0.5 * t.powi(6) - t.powi(3)) * sigma;
    let prediction = Prediction { order: 3, coefficient: -sigma, change: Some(change), order_bound: Some(3) };
    Ok(Draft { steps: vec![(1, first), (2, second)], prediction, end: Some(t), curved: false })
}
