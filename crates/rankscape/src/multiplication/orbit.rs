//! The group of the inner nodes, `prod_{0<i<h} GL(d_i)`, on the fiber; balanced factorizations.
//!
//! The group acts by `W_k -> G_k W_k G_{k-1}^{-1}` with `G_0 = I`, `G_h = I`. A point is balanced when
//! `W_{k+1}' W_{k+1} = W_k W_k'` at every inner node. Its orbit contains a balanced point iff every factor has the rank of the
//! product; then `W_k = X_k Y_{k-1}` and moving the frames to orthonormal ones, `W_k = Q_k S^{1/h} Q_{k-1}'` with
//! `Q_0 = V`, `Q_h = U`, balances it (`[@VLR]` Theorem 4.2 for two factors). Otherwise only the closure of the orbit does.

use super::factors::Factors;
use super::frames::{Frames, null_basis, product_difference, product_svd};
use super::rank_profile::RankProfile;
use super::verdict::Verdict;
use crate::error::{InputError, Result};
use crate::evidence::Truth;
use crate::linalg::{Matrix, Svd, inverse, singular_values, svd};

/// `max_k ||W_{k+1}' W_{k+1} - W_k W_k'||_F / (||W_{k+1}||_F^2 + ||W_k||_F^2)`; 0 for one factor, 0/0 = 0.
pub fn balance_defect(factors: &Factors) -> f64 {
    let scale = factors.matrices().iter().map(Matrix::max_abs).fold(0.0, f64::max);
    if scale == 0.0 {
        return 0.0;
    }
    let scale = crate::linalg::power_of_two_near(scale);
    if (MODERATE.recip()..MODERATE).contains(&scale) {
        return largest_defect(factors.matrices());
    }
    let scaled: Vec<Matrix> = factors.matrices().iter().map(|w| w.scaled(1.0 / scale)).collect();
    largest_defect(&scaled)
}

/// Entries of this size have squares that neither overflow nor vanish.
const MODERATE: f64 = 1e100;

fn largest_defect(matrices: &[Matrix]) -> f64 {
    matrices.windows(2).map(|pair| defect_of(&pair[0], &pair[1])).fold(0.0, f64::max)
}

/// Squared norms are traces of the Gram matrices at the common node.
fn defect_of(below: &Matrix, above: &Matrix) -> f64 {
    let (gram, other) = (above.transpose_times(above), below.times_transpose(below));
    let size: f64 = (0..gram.nrows()).map(|i| gram[(i, i)] + other[(i, i)]).sum();
    if size > 0.0 { (&gram - &other).frobenius_norm() / size } else { 0.0 }
}

/// The answer to "is there a balanced factorization in the orbit?".
#[derive(Debug, Clone, PartialEq)]
pub struct Balance {
    /// Whether the orbit contains a balanced point.
    pub possible: Verdict,
    /// The balanced point, in the orbit and in the component of the fiber of the point.
    pub factors: Option<Factors>,
    /// Defect of the point.
    pub defect_before: f64,
    /// Defect of the balanced point.
    pub defect_after: Option<f64>,
    /// `||mu(balanced) - mu||_F`.
    pub product_error: Option<f64>,
}

impl Balance {
    /// The same answer for the balanced point as it is stored, rounded to a shorter type; `given` is the point asked about.
    #[must_use]
    pub fn stored(self, rounded: Factors, given: &Factors) -> Self {
        Self {
            defect_after: Some(balance_defect(&rounded)),
            product_error: Some(product_difference(&rounded, given)),
            factors: Some(rounded),
            ..self
        }
    }
}

/// Moves a point along its orbit to a balanced one, where there is one.
pub fn balance(factors: &Factors, profile: &RankProfile) -> Balance {
    let h = factors.depth();
    let e = profile.product_rank();
    let used = (0..h).map(|i| (i, i + 1)).chain([(0, h)]);
    let possible = Verdict::guarded(profile, used, || match (1..=h).find(|&k| profile.rank(k - 1, k) != e) {
        None => Verdict::yes(format!("every factor has the rank of the product, {e}")),
        Some(k) => Verdict::no(format!(
            "W{k} has rank {} and the product has rank {e}: only the closure of the orbit contains a balanced point, and balancing along the orbit diverges",
            profile.rank(k - 1, k)
        )),
    });
    let found = if possible.holds == Truth::Yes { toward_balance(factors, profile, 0.0) } else { None };
    Balance {
        possible,
        defect_before: balance_defect(factors),
        defect_after: found.as_ref().map(balance_defect),
        product_error: found.as_ref().map(|f| product_difference(f, factors)),
        factors: found,
    }
}

/// The point with balanced carrying part and the rest scaled by `epsilon`: for `epsilon > 0` in the orbit (of the point
/// with the same product), for `epsilon = 0` the balanced point in the closure of the orbit.
pub fn toward_balance(factors: &Factors, profile: &RankProfile, epsilon: f64) -> Option<Factors> {
    let h = factors.depth();
    let product = product_svd(factors, profile.product_rank());
    let frames = Frames::new(factors, &product)?;
    if h == 1 {
        return Some(factors.clone());
    }
    let bases: Vec<Matrix> = (0..=h).map(|i| orthonormal_frame(&frames, &product, i, h)).collect();
    let root: Vec<f64> = product.s.iter().map(|s| s.powf(1.0 / h as f64)).collect();
    let mut matrices: Vec<Matrix> =
        (1..=h).map(|k| bases[k].scale_columns(&root).times_transpose(&bases[k - 1])).collect();
    if epsilon != 0.0 {
        for k in 1..=h {
            let mut rest = factors.layer(k) - &(&frames.x[k] * &frames.y[k - 1]);
            if k > 1 {
                rest = (&rest * &frames.complement(k - 1)?.0).times_transpose(&null_basis(&bases[k - 1]));
            }
            if k < h {
                rest = &null_basis(&bases[k]) * &(&frames.complement(k)?.1 * &rest);
            }
            matrices[k - 1].add_scaled(epsilon, &rest);
        }
    }
    Some(factors.with_matrices(matrices))
}

/// `V`, `U` at the ends; the orthogonal polar factor of `X_i` inside, which keeps the sign of its determinant.
fn orthonormal_frame(frames: &Frames, product: &Svd, i: usize, h: usize) -> Matrix {
    if i == 0 {
        return product.v.clone();
    }
    if i == h {
        return product.u.clone();
    }
    let found = svd(&frames.x[i]);
    found.u.times_transpose(&found.v)
}

/// `W_k -> G_k W_k G_{k-1}^{-1}` for invertible `G_1, ..., G_{h-1}`.
///
/// # Errors
/// If there are not `h - 1` matrices of sizes `d_1, ..., d_{h-1}`, or one is singular.
pub fn gauge_action(factors: &Factors, group: &[Matrix]) -> Result<Factors> {
    let (widths, h) = (factors.architecture().widths(), factors.depth());
    if group.len() != h - 1 {
        return Err(InputError::new("there must be one group element for each inner node").value(format!(
            "{}, expected {}",
            group.len(),
            h - 1
        )));
    }
    let mut matrices = factors.matrices().to_vec();
    for (i, g) in group.iter().enumerate() {
        if g.shape() != (widths[i + 1], widths[i + 1]) {
            return Err(InputError::new("a group element has the wrong shape").array(format!("G{}", i + 1)));
        }
        let back =
            inverse(g).ok_or_else(|| InputError::new("a group element is singular").array(format!("G{}", i + 1)))?;
        matrices[i] = g * &matrices[i];
        matrices[i + 1] = &matrices[i + 1] * &back;
    }
    Ok(factors.with_matrices(matrices))
}

/// A point moved along its orbit.
#[derive(Debug, Clone, PartialEq)]
pub struct Transport {
    /// The point `G theta`, with the same product.
    pub factors: Factors,
    /// `max_k ||G_k^{-1}||_2 ||G_{k-1}||_2`: the gradient of `W_k` becomes `G_k^{-T} grad_k G_{k-1}'`, so no block of the gradient grows by more
    /// than this, for any loss. Critical points stay critical; what is zero up to rounding is so up to this factor.
    pub condition: f64,
}

/// Moves a point by a group element, and says how much a small gradient can grow.
///
/// # Errors
/// As [`gauge_action`].
pub fn transport(factors: &Factors, group: &[Matrix]) -> Result<Transport> {
    let moved = gauge_action(factors, group)?;
    let ends = |g: Option<&Matrix>| match g.map(singular_values) {
        Some(values) => (values.first().copied().unwrap_or(1.0), values.last().copied().unwrap_or(1.0)),
        None => (1.0, 1.0),
    };
    let condition = (0..factors.depth()).map(|k| {
        let below = k.checked_sub(1).and_then(|i| group.get(i));
        ends(below).0 / ends(group.get(k)).1
    });
    Ok(Transport { factors: moved, condition: condition.fold(0.0, f64::max) })
}

/// The group element that carries `first` to `second` when every inner width equals the rank of their common product
/// (`[@TKB]` Proposition 22): `G_i = X_i(second) Y_i(first)`. It is unique, and depends continuously on `second`; with
/// [`gauge_action`] it is the homeomorphism of Corollary 23 and its inverse. `None` where a width differs.
pub fn group_element(first: &Factors, second: &Factors, profile: &RankProfile) -> Option<Vec<Matrix>> {
    let (widths, h) = (profile.widths(), profile.depth());
    let e = profile.product_rank();
    if widths != second.architecture().widths() || widths[1..h].iter().any(|&d| d != e) {
        return None;
    }
    let product = product_svd(first, e);
    let (a, b) = (Frames::new(first, &product)?, Frames::new(second, &product)?);
    Some((1..h).map(|i| &b.x[i] * &a.y[i]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn gradients_grow_at_most_by_the_condition_of_the_transport() {
        let widths = [3, 2, 4, 2];
        let mut attained: f64 = 0.0;
        for case in 0..100 {
            let mut stream = Stream::new(104, case);
            let matrices = widths.windows(2).map(|d| stream.normal_matrix(d[1], d[0])).collect();
            let factors = Factors::new(matrices).unwrap();
            let group = [stream.normal_matrix(2, 2), stream.normal_matrix(4, 4)];
            let found = transport(&factors, &group).unwrap();
            assert!((&found.factors.product() - &factors.product()).max_abs() < 1e-9 * found.condition.powi(2));
            let g = stream.normal_matrix(2, 3);
            let block = |theta: &Factors, k: usize| {
                (&theta.partial(3, k).transpose() * &g).times_transpose(&theta.partial(k - 1, 0)).frobenius_norm()
            };
            for k in 1..=3 {
                let ratio = block(&found.factors, k) / block(&factors, k);
                assert!(ratio <= found.condition * (1.0 + 1e-9), "case {case} layer {k}");
                attained = attained.max(ratio / found.condition);
            }
        }
        assert!(attained > 0.5, "the bound is not idle: {attained}");
        let one = Factors::new(vec![Matrix::identity(2)]).unwrap();
        assert_eq!(transport(&one, &[]).unwrap().condition, 1.0);
    }
}
