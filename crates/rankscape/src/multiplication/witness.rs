//! Witnesses: losses and targets that show where a property of the product map fails.

use super::factors::Factors;
use super::frames::null_basis;
use super::image::DifferentialImage;
use super::lift::LiftProperties;
use super::openness::Openness;
use super::rank_profile::RankProfile;
use crate::linalg::{Matrix, svd, symmetric_eigenvalues};
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

/// The loss `l(M) = <G, M - W> + c/2 ||M - W||_F^2`, whose gradient at `W` is `G`.
#[derive(Debug, Clone, PartialEq)]
pub struct QuadraticWitness {
    /// `G`, not zero: `W` is not stationary.
    pub gradient: Matrix,
    /// `c >= 0`.
    pub curvature: f64,
}

/// Numbers of parameters up to which the curvature of a second-order witness is found.
const MOST_PARAMETERS: usize = 400;

/// Largest curvature tried, as a power of two: beyond, rounding errors hide a negative direction of the other form.
const DOUBLINGS: i32 = 24;

/// Where first-order critical does not imply stationary: a linear loss whose gradient is normal to the image of the
/// differential. `None` where the implication holds or is undecided.
pub fn first_order_witness(factors: &Factors, profile: &RankProfile) -> Option<QuadraticWitness> {
    if LiftProperties::new(profile).one_1.holds != Some(false) {
        return None;
    }
    hidden_gradient(factors, profile).map(|gradient| QuadraticWitness { gradient, curvature: 0.0 })
}

/// Where second-order critical does not imply stationary: `G = u v'` out of sight of every pair of layers, and a
/// curvature that makes the second-order form non-negative. `None` where the implication holds or is undecided, and for
/// more than 400 parameters.
pub fn second_order_witness(
    factors: &Factors,
    profile: &RankProfile,
    tolerances: &Tolerances,
) -> Option<QuadraticWitness> {
    if LiftProperties::new(profile).two_1.holds != Some(false) || factors.architecture().parameters() > MOST_PARAMETERS
    {
        return None;
    }
    let gradient = hidden_gradient(factors, profile)?;
    let (bent, flat, size) = second_order_forms(factors, &gradient);
    let largest = flat.max_abs();
    let unit = if largest > 0.0 && size > 0.0 { size / largest } else { 1.0 };
    (0..=DOUBLINGS).map(|k| unit * 2.0_f64.powi(k)).find_map(|curvature| {
        let mut form = bent.clone();
        form.add_scaled(curvature, &flat);
        let lowest = symmetric_eigenvalues(&form)?.first().copied().unwrap_or(0.0);
        let rounding = tolerances.witness * UNIT_ROUNDOFF * flat.nrows() as f64 * (size + curvature * largest);
        (lowest >= -rounding).then(|| QuadraticWitness { gradient: gradient.clone(), curvature })
    })
}

/// `u v'` with `u` orthogonal to every column space `Col P(h,k)` that is not everything, `v` likewise.
fn hidden_gradient(factors: &Factors, profile: &RankProfile) -> Option<Matrix> {
    let image = DifferentialImage::new(factors, profile);
    let (a, b) = (image.left_grades.len().checked_sub(1)?, image.right_grades.len().checked_sub(1)?);
    (!image.contains(a, b)).then(|| image.direction(a, b))
}

/// The forms `D -> 2 <G, C_2(D)>` and `D -> ||C_1(D)||^2` of the Taylor coefficients of the product map, as matrices, and
/// the size of the terms that the first is made of.
fn second_order_forms(factors: &Factors, gradient: &Matrix) -> (Matrix, Matrix, f64) {
    let h = factors.depth();
    let count = factors.architecture().parameters();
    let mut units = Vec::with_capacity(count);
    for (k, matrix) in factors.matrices().iter().enumerate() {
        for i in 0..matrix.nrows() {
            units.extend((0..matrix.ncols()).map(|j| (k + 1, i, j)));
        }
    }
    let left: Vec<Matrix> = (0..=h).map(|k| factors.partial(h, k)).collect();
    let right: Vec<Matrix> = (0..=h).map(|k| factors.partial(k, 0)).collect();
    // Entry (i, j) of W_k contributes u v' with u a column of P(h,k), v a row of P(k-1,0).
    let inner = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let rows: Vec<Matrix> = right.iter().map(Matrix::transpose).collect();
    let flat = Matrix::from_fn(count, count, |a, b| {
        let ((k, i, j), (l, p, q)) = (units[a], units[b]);
        inner(left[k].column(i), left[l].column(p)) * inner(rows[k - 1].column(j), rows[l - 1].column(q))
    });
    let bent = Matrix::from_fn(count, count, |a, b| {
        let (low, high) = if units[a].0 < units[b].0 { (units[a], units[b]) } else { (units[b], units[a]) };
        if low.0 == high.0 {
            return 0.0;
        }
        let seen = gradient.transpose_times(&left[high.0].columns(high.1, high.1 + 1));
        let middle = factors.partial(high.0 - 1, low.0)[(high.2, low.1)];
        middle * inner(seen.column(0), rows[low.0 - 1].column(low.2))
    });
    let norms: Vec<f64> = factors.matrices().iter().map(Matrix::frobenius_norm).collect();
    let without = |i: usize, j: usize| (0..h).filter(|&k| k != i && k != j).map(|k| norms[k]).product::<f64>();
    let size = (0..h).flat_map(|j| (0..j).map(move |i| (i, j))).map(|(i, j)| without(i, j)).fold(0.0, f64::max);
    (bent, flat, size)
}

/// Where the map is not open: a unit direction `D` such that `W + eps D` has rank at most `r` and yet, for small
/// `eps != 0`, is the product of no factors near the point.
///
/// At a failing node `i` write `A = P(h,i)`, `B = P(i,0)`, `f = d_i - s_i - t_i + rho`. Take `D = U V'` with `f + 1` orthonormal
/// columns each, `U` orthogonal to `Col A` and `B V = 0`. Suppose `A' B' = W + eps D` with `A'` near `A` and `B'` near `B`, and
/// let `E` span `Row B`, `F` span `Col A`. Then `F'A'` keeps rank `s` and `B'E` rank `t`, while
/// `F'A'B'E = F'WE` has rank `rho`, `F'A'(B'V) = 0` and `(U'A')(B'E) = 0`. So `B'V` lies in `Ker F'A'`, of dimension
/// `d_i - s`, and `U'A'` kills its subspace `Ker F'A' n Col B'E`, of dimension `t - rho`: the product
/// `(U'A')(B'V) = eps I` would have rank at most `d_i - s - (t - rho) = f`, a contradiction.
pub fn unreachable_direction(factors: &Factors, profile: &RankProfile) -> Option<Matrix> {
    let openness = Openness::new(profile);
    if openness.verdict.holds != Some(false) {
        return None;
    }
    let node = openness.nodes.iter().find(|node| !node.passes())?;
    let count = usize::try_from(node.have).ok()? + 1;
    let (i, h) = (node.node, factors.depth());
    let left = svd(&factors.partial(h, i)).u.columns(0, profile.rank(i, h));
    let right = svd(&factors.partial(i, 0)).v.columns(0, profile.rank(0, i));
    let (u, v) = (null_basis(&left), null_basis(&right));
    let scale = 1.0 / (count as f64).sqrt();
    Some(u.columns(0, count).times_transpose(&v.columns(0, count)).scaled(scale))
}
