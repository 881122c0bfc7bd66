//! The ED discriminant of `M_r` for the Eckart-Young metric: targets with coinciding singular values.

use crate::linalg::{Matrix, singular_values};

/// How far a target is from the nearest one with two equal singular values.
#[derive(Debug, Clone, PartialEq)]
pub struct EckartYoungDiscriminant {
    /// Frobenius distance to the real discriminant, `min_i (s_i - s_{i+1}) / sqrt 2`; infinite when `min(m, n) = 1`.
    pub distance: f64,
    /// The two singular values (1-based, non-increasing order) that meet first.
    pub pair: Option<(usize, usize)>,
    /// Singular values of the target, non-increasing.
    pub spectrum: Vec<f64>,
    /// Distance to the part where the best rank-`r` approximation stops being unique: `(s_r - s_{r+1}) / sqrt 2`.
    pub minimum_distance: f64,
}

/// Distance of `target` to the ED discriminant of `M_r` for `||W - Q||_F^2`.
///
/// For this metric the discriminant is the set of targets with two equal singular values, of real codimension two
/// `[@TKB, appendix A.2]`. Moving `s_i` and `s_{i+1}` to their mean costs `(s_i - s_{i+1}) / sqrt 2`, and by Mirsky's
/// inequality nothing is cheaper.
///
/// ```
/// use rankscape::{Matrix, determinantal::eckart_young_discriminant};
/// let found = eckart_young_discriminant(&Matrix::from_diagonal(3, 3, &[7.0, 4.0, 3.0]), 1);
/// assert_eq!(found.pair, Some((2, 3)));
/// assert!((found.distance - 0.5f64.sqrt()).abs() < 1e-14);
/// ```
pub fn eckart_young_discriminant(target: &Matrix, rank: usize) -> EckartYoungDiscriminant {
    let spectrum = singular_values(target);
    let gap = |i: usize| (spectrum[i] - spectrum[i + 1]) / std::f64::consts::SQRT_2;
    let closest = (0..spectrum.len().saturating_sub(1)).min_by(|&i, &j| gap(i).total_cmp(&gap(j)));
    let minimum_distance = if rank >= 1 && rank < spectrum.len() { gap(rank - 1) } else { f64::INFINITY };
    EckartYoungDiscriminant {
        distance: closest.map_or(f64::INFINITY, gap),
        pair: closest.map(|i| (i + 1, i + 2)),
        minimum_distance,
        spectrum,
    }
}
