//! Factors near a point whose product is a given matrix near its product.
//!
//! The part that carries the product is split off: with singular bases of `W` the target is
//! `L diag(Z_11, N) R` with unipotent `L`, `R` near the identity, `N = Z_22 - Z_21 Z_11^{-1} Z_12` small, and what is
//! left is to write `N` as a product of factors near a tuple whose product is zero. Two factors: `reach_two`, in the
//! spirit of `[@LO]` Proposition 18. More: `reach_deep`.

use super::factors::Factors;
use super::frames::{Frames, null_basis, product_svd};
use super::point::MapPoint;
use super::rank_profile::{RankProfile, rounding_of_product};
use super::reach_deep::reach_deep;
use crate::error::{InputError, Result};
use crate::evidence::Grade;
use crate::linalg::exact::RationalMatrix;
use crate::linalg::{Matrix, inverse, orthonormal_complement, pseudo_inverse, singular_values, svd};
use crate::tolerance::Tolerances;

/// The answer to "are there factors near these with this product?".
#[derive(Debug, Clone, PartialEq)]
pub struct Reach {
    /// Factors with that product, if the construction succeeded.
    pub factors: Option<Factors>,
    /// `||Z - W||_F`.
    pub distance_target: f64,
    /// Euclidean distance of the two tuples of factors.
    pub distance_factors: Option<f64>,
    /// `||mu(theta') - Z||_F`.
    pub product_error: Option<f64>,
    /// `||mu(theta') - Z||_F / ||Z||_F`; `None` for `Z = 0`.
    pub relative_error: Option<f64>,
    /// Why, when nothing was found.
    pub reason: String,
    /// Exact where ranks over the rationals leave no such factors; otherwise what was found, or not, is numerical.
    pub grade: Grade,
    /// Nothing was found, and ranks do not exclude that there is something.
    pub undecided: bool,
}

/// Constructs factors near a point with product `target`; `exact` is the target over the rationals, where it is known.
///
/// Ranks of the point are those of its profile. The rank of the target is decided over the rationals where both are known
/// there. The construction is in double precision.
///
/// At an open point the distance of the factors tends to zero with that of the target: linearly at submersion points,
/// like its square root at other open points of two factors, at any depth like a root of order at most the number of
/// scales that the intervals need.
///
/// # Errors
/// If the shape of `target` is not `d_h x d_0`, or an entry is not finite.
pub fn reach(
    point: &MapPoint,
    target: &Matrix,
    exact: Option<&RationalMatrix>,
    tolerances: &Tolerances,
) -> Result<Reach> {
    let (factors, profile) = (point.factors(), point.profile());
    let shape = (factors.architecture().outputs(), factors.architecture().inputs());
    if target.shape() != shape || !target.is_finite() {
        return Err(InputError::new("the target must be a finite matrix of the product's shape")
            .value(format!("{:?}, expected {shape:?}", target.shape())));
    }
    let r = factors.architecture().bottleneck_rank();
    let exact = exact.filter(|_| point.rational().is_some());
    let wanted = exact.map_or_else(|| target_rank(point, target, tolerances), RationalMatrix::rank);
    let mut out = Reach {
        factors: None,
        distance_target: (target - &point.product()).frobenius_norm(),
        distance_factors: None,
        product_error: None,
        relative_error: None,
        reason: String::new(),
        grade: Grade::Numerical,
        undecided: false,
    };
    if wanted > r {
        out.reason = format!("the target has rank {wanted}, and no product of these widths has rank above {r}");
        out.grade = if exact.is_some() { Grade::Exact } else { Grade::Numerical };
        return Ok(out);
    }
    out.undecided = true;
    if !profile.is_clear() {
        out.reason = "the ranks of the partial products are not clear".into();
        return Ok(out);
    }
    match construct(factors, target, profile, wanted, tolerances) {
        Ok(found) => {
            let error = (&found.product() - target).frobenius_norm();
            let widest = profile.widths().iter().copied().max().unwrap_or(1) as f64;
            let size: f64 = found.matrices().iter().map(Matrix::frobenius_norm).product();
            let rounding = tolerances.same_product * point.unit_roundoff() * widest.sqrt();
            // What rounding explains counts as long as it is small beside the target; a target of zero has no size.
            let wanted_size = target.frobenius_norm();
            let small = tolerances.reach_product.max(rounding) * wanted_size;
            let allowed = if wanted_size > 0.0 { (rounding * size).min(small) } else { rounding * size };
            out.product_error = Some(error);
            out.relative_error = (wanted_size > 0.0).then(|| error / wanted_size);
            if error > tolerances.reach_product * out.distance_target + allowed {
                out.reason = "this construction does not give the target; others may".into();
                return Ok(out);
            }
            out.distance_factors = Some(found.moved(-1.0, factors).norm());
            out.factors = Some(found);
            out.undecided = false;
        }
        Err(reason) => out.reason = reason,
    }
    Ok(out)
}

/// Rank of a target in double precision. It was made by changing the product, so it is decided at the coarser of the two
/// scales.
fn target_rank(point: &MapPoint, target: &Matrix, tolerances: &Tolerances) -> usize {
    let profile = point.profile();
    let product = match point.rational() {
        Some(_) => rounding_of_product(point.factors(), tolerances),
        None => profile.decision(0, profile.depth()).tolerance,
    };
    let noise = product.max(crate::linalg::rank(target, tolerances).tolerance);
    singular_values(target).iter().take_while(|&&value| value > noise).count()
}

/// Measured order of the distance of the factors in that of the target: the slope of `log ||theta' - theta||` against `log ||Z - W||` over targets on the
/// way from `target` to the product, each half as far as the one before and cut to the bottleneck rank. 1 at submersion
/// points, 1/2 at other open points of two factors, down to `1/h`. `None` where a target is not reached, or nothing moves.
///
/// # Errors
/// As [`reach`].
pub fn reach_order(point: &MapPoint, target: &Matrix, tolerances: &Tolerances) -> Result<Option<f64>> {
    let (product, r) = (point.product(), point.factors().architecture().bottleneck_rank());
    let mut points = Vec::with_capacity(HALVINGS);
    for k in 0..HALVINGS {
        let mut nearer = product.clone();
        nearer.add_scaled(0.5_f64.powi(k as i32), &(target - &product));
        let found = reach(point, &svd(&nearer).truncated(r), None, tolerances)?;
        match found.distance_factors {
            Some(distance) if distance > 0.0 && found.distance_target > 0.0 => {
                points.push((found.distance_target.ln(), distance.ln()));
            }
            _ => return Ok(None),
        }
    }
    let count = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0 / count, y + point.1 / count));
    let (along, across) =
        points.iter().fold((0.0, 0.0), |(a, b), point| (a + (point.0 - x) * (point.1 - y), b + (point.0 - x).powi(2)));
    Ok((across > 0.0).then(|| along / across))
}

/// Targets that a measured order rests on.
const HALVINGS: usize = 5;

fn construct(
    factors: &Factors,
    target: &Matrix,
    profile: &RankProfile,
    target_rank: usize,
    tolerances: &Tolerances,
) -> std::result::Result<Factors, String> {
    let h = factors.depth();
    if h == 1 {
        return Ok(factors.with_matrices(vec![target.clone()]));
    }
    let e = profile.product_rank();
    let product = product_svd(factors, e);
    let degenerate = || "the frames of the product are numerically dependent".to_owned();
    let frames = Frames::new(factors, &product).ok_or_else(degenerate)?;
    let split = Split::new(target, &product.u, &product.v)
        .ok_or("the target is not near the product: its leading block is singular")?;
    let mut spaces = vec![(split.v2.clone(), split.v2.transpose())];
    for i in 1..h {
        spaces.push(frames.complement(i).ok_or_else(degenerate)?);
    }
    spaces.push((split.u2.clone(), split.u2.transpose()));
    let reduced: Vec<Matrix> = (1..=h).map(|k| &(&spaces[k].1 * factors.layer(k)) * &spaces[k - 1].0).collect();
    let solved = if target_rank <= e {
        reduced
    } else if h == 2 {
        reach_two(&reduced[1], &reduced[0], &split.rest, profile)
    } else {
        reach_deep(&reduced, &split.rest, profile, tolerances)
            .ok_or("the intervals have no bases in double precision")?
    };
    let root: Vec<f64> = product.s.iter().map(|s| s.sqrt()).collect();
    let back: Vec<f64> = root.iter().map(|s| 1.0 / s).collect();
    let mut matrices: Vec<Matrix> = Vec::with_capacity(h);
    for k in 1..=h {
        let x = if k == h { split.left.scale_columns(&back) } else { frames.x[k].clone() };
        let y = if k == 1 { split.right.transpose().scale_columns(&root).transpose() } else { frames.y[k - 1].clone() };
        let rest = &(&spaces[k].0 * &solved[k - 1]) * &spaces[k - 1].1;
        matrices.push(&(&x * &y) + &rest);
    }
    Ok(factors.with_matrices(matrices))
}

/// `Z = left right + U_2 N V_2'` in singular bases of `W`.
struct Split {
    u2: Matrix,
    v2: Matrix,
    /// `(U_1 + U_2 Z_21 Z_11^{-1}) Z_11`.
    left: Matrix,
    /// `V_1' + Z_11^{-1} Z_12 V_2'`.
    right: Matrix,
    /// `N`.
    rest: Matrix,
}

impl Split {
    fn new(target: &Matrix, u1: &Matrix, v1: &Matrix) -> Option<Self> {
        let (u2, v2) = (orthonormal_complement(u1), orthonormal_complement(v1));
        let (top, bottom) = (&u1.transpose_times(target), &u2.transpose_times(target));
        let lead = inverse(&(top * v1))?;
        let (z12, z21) = (top * &v2, bottom * v1);
        let across = &lead * &z12;
        let rest = &(bottom * &v2) - &(&z21 * &across);
        let left = &(u1 * &(top * v1)) + &(&u2 * &z21);
        let right = &v1.transpose() + &across.times_transpose(&v2);
        Some(Self { u2, v2, left, right, rest })
    }
}

/// Factors near `(b, a)`, `a b = 0`, with `a' b' = n`. Directions in which `b` is onto (`V_1`) take their columns from a
/// change of `a`, directions in which `a` is one-to-one (`U_1`) their rows from a change of `b`, and what is left,
/// `U_2 U_2' n V_2 V_2'`, goes through the spare directions of the middle, half the singular values' size to either side.
fn reach_two(a: &Matrix, b: &Matrix, n: &Matrix, profile: &RankProfile) -> Vec<Matrix> {
    let e = profile.product_rank();
    let (s, t) = (profile.rank(1, 2) - e, profile.rank(0, 1) - e);
    let (fa, fb) = (svd(a), svd(b));
    let (row_a, u1) = (fa.v.columns(0, s), fa.u.columns(0, s));
    let (col_b, v1) = (fb.u.columns(0, t), fb.v.columns(0, t));
    let mut used = Matrix::zeros(a.ncols(), s + t);
    used.set_block(0, 0, &row_a);
    used.set_block(0, s, &col_b);
    let spare = null_basis(&used);
    let by_rows = &pseudo_inverse(&a.clone(), s) * n;
    let rest = n - &(&u1 * &u1.transpose_times(n));
    let by_columns = &rest * &pseudo_inverse(b, t);
    let hidden = &rest - &(&rest * &v1).times_transpose(&v1);
    let found = svd(&hidden);
    let count = found.s.len().min(spare.ncols());
    let root: Vec<f64> = found.s[..count].iter().map(|s| s.sqrt()).collect();
    let middle = spare.columns(0, count);
    let a_new = &(a + &by_columns) + &found.u.columns(0, count).scale_columns(&root).times_transpose(&middle);
    let b_new = &(b + &by_rows) + &(&middle * &found.v.columns(0, count).scale_columns(&root).transpose());
    vec![b_new, a_new]
}
