//! Two layers and identity data: what an orbit of critical points has in common (`[@VLR]`).
//!
//! The point is `(W, S)`, `W` of shape `m x k`, `S` of shape `k x n`, and the loss `1/2 ||W S - Z||^2`; as a network the
//! factors are `W_1 = S`, `W_2 = W`. The orbit consists of `L_A(W, S) = (W A, A^{-1} S)`. `docs/spectra.md` has proofs.

use crate::linalg::{
    Matrix, Svd, inverse, orthonormal_complement, pseudo_inverse, rank, singular_values, spectral_norm, svd,
    symmetric_eigen, symmetric_eigenvalues,
};
use crate::problem::Problem;
use crate::tolerance::Tolerances;

/// The canonical point on the orbit of a critical point, and the way back.
#[derive(Debug, Clone)]
pub struct CanonicalPoint {
    /// `[Ubar, 0]`: left singular vectors of `Z`, then zero columns.
    pub w: Matrix,
    /// `[Lambda Vbar'; C_0' V_0']`.
    pub s: Matrix,
    /// `A` with `(W, S) = (w A, A^{-1} s)`.
    pub a: Matrix,
    /// The kept singular values, non-increasing, zeros among them; as many as `W` has rank.
    pub kept: Vec<f64>,
    /// Squared singular values of `C_0`, one for each spare unit, non-increasing.
    pub spare: Vec<f64>,
}

/// The canonical point of a critical point (`[@VLR]`, Theorem 3.1(b)), `W = 0` included; `None` if the singular values of
/// `W` leave its rank unclear or an iteration fails. The result means nothing off critical points.
pub fn canonical_point(w: &Matrix, s: &Matrix, z: &Matrix, tolerances: &Tolerances) -> Option<CanonicalPoint> {
    let decision = rank(w, tolerances);
    let (q, k) = (decision.rank, w.ncols());
    let Svd { u, v, .. } = svd(w);
    let range = u.columns(0, q);
    // Left singular vectors of Z in the range of W, by decreasing value.
    let image = range.transpose_times(z);
    let order = symmetric_eigen(&image.times_transpose(&image).scaled(-1.0))?.vectors;
    let left = &range * &order;
    let kept_rows = left.transpose_times(z);
    let kept: Vec<f64> = (0..q).map(|i| kept_rows.block(i, 0, 1, z.ncols()).frobenius_norm()).collect();
    let top = left.transpose_times(w);
    // Units that W does not read, corrected so that what they carry is orthogonal to the kept directions.
    let null = orthonormal_complement(&v.columns(0, q)).transpose();
    let zero = tolerances.tie_threshold(z.larger_dimension(), spectral_norm(z));
    let positive = kept.iter().filter(|&&value| value > zero).count();
    let correction = &(&(&null * s) * &pseudo_inverse(&kept_rows, positive)) * &top;
    let mut a = Matrix::zeros(k, k);
    a.set_block(0, 0, &top);
    a.set_block(q, 0, &(&null - &correction));
    let canonical = &a * s;
    let mut spare: Vec<f64> = singular_values(&canonical.block(q, 0, k - q, s.ncols())).iter().map(|c| c * c).collect();
    spare.resize(k - q, 0.0);
    let mut point = Matrix::zeros(w.nrows(), k);
    point.set_block(0, 0, &left);
    decision.clear.then_some(CanonicalPoint { w: point, s: canonical, a, kept, spare })
}

/// `||L_A|| = max(||A||_2, ||A^{-1}||_2)`; infinite for a singular `A`.
pub fn orbit_norm(a: &Matrix) -> f64 {
    let values = singular_values(a);
    let smallest = values.last().copied().unwrap_or(1.0);
    values.first().copied().unwrap_or(1.0).max(1.0 / smallest)
}

/// `L_A(W, S) = (W A, A^{-1} S)`: the [`gauge_action`](crate::multiplication::gauge_action) of `A^{-1}`; `None` if `A` is
/// singular.
pub fn on_orbit(w: &Matrix, s: &Matrix, a: &Matrix) -> Option<(Matrix, Matrix)> {
    Some((w * a, &inverse(a)? * s))
}

/// Where the smallest eigenvalue at `L_A(W, S)` lies if it is `lambda <= 0` at the critical point `(W, S)`:
/// `[||L_A||^2 lambda, lambda / ||L_A||^2]` (the right end is `[@VLR]`, Theorem 2.1(d)).
pub fn interval_on_orbit(lambda: f64, a: &Matrix) -> (f64, f64) {
    let square = orbit_norm(a).powi(2);
    (square * lambda, lambda / square)
}

/// `-||W S - Z||_2`, an upper bound of the smallest eigenvalue on the whole orbit where `rank W + rank S < k`: some unit
/// is then neither read nor written. `None` otherwise.
pub fn bound_on_orbit(w: &Matrix, s: &Matrix, z: &Matrix, tolerances: &Tolerances) -> Option<f64> {
    let (read, written) = (rank(w, tolerances), rank(s, tolerances));
    let unused = read.clear && written.clear && read.rank + written.rank < w.ncols();
    unused.then(|| -spectral_norm(&(&(w * s) - z)))
}

/// An upper bound of the smallest eigenvalue at a critical point: `mu/2 - ||W S - Z||_2`, with `mu` the smallest
/// eigenvalue of `W'W + S S'`. With `delta = ||W'W - S S'||_2` it is at most `lambda_k - ||W S - Z||_2 + delta/2`, where
/// `lambda_k` is the smallest singular value of `W S` among `k`: it degrades by half the distance from balance.
pub fn bound_near_balance(w: &Matrix, s: &Matrix, z: &Matrix) -> Option<f64> {
    let sum = &w.transpose_times(w) + &s.times_transpose(s);
    let smallest = symmetric_eigenvalues(&sum)?.first().copied()?;
    Some(0.5 * smallest - spectral_norm(&(&(w * s) - z)))
}

/// `||W'W - S S'||_2`, zero on balanced points; [`balance_defect`](crate::multiplication::balance_defect) is relative.
pub fn imbalance(w: &Matrix, s: &Matrix) -> f64 {
    spectral_norm(&(&w.transpose_times(w) - &s.times_transpose(s)))
}

/// The balanced strict saddle of least curvature.
#[derive(Debug, Clone, PartialEq)]
pub struct BalancedCurvature {
    /// Its smallest eigenvalue: at every balanced strict saddle the smallest eigenvalue is at most this.
    pub value: f64,
    /// The singular values that it keeps, as 1-based positions in the spectrum.
    pub captured: Vec<usize>,
}

/// The largest value of the smallest eigenvalue over balanced strict saddles, for a target with these singular values
/// (non-increasing) and `units` hidden units; `None` if there is no strict saddle. Values that differ by at most `tie` are
/// equal.
///
/// A balanced critical point that keeps fewer values than there are units has `-(largest omitted)`; one that keeps as
/// many has `(smallest kept) - (largest omitted)`. So the answer is `-s_{min(k,r)}` or, where `k < r`, minus the smallest
/// difference `s_i - s_j > 0` with `i <= k < j`, whichever is larger.
///
/// ```
/// use rankscape::hessian::orbit::balanced_curvature_bound;
/// // Two of 3, 2.9 and 1 are kept: the difference of 3 and 2.9 is met by no point, that of 2.9 and 1 is.
/// let found = balanced_curvature_bound(&[3.0, 2.9, 1.0], 2, 0.0).unwrap();
/// assert!((found.value + 1.9).abs() < 1e-15 && found.captured == [1, 3]);
/// ```
pub fn balanced_curvature_bound(spectrum: &[f64], units: usize, tie: f64) -> Option<BalancedCurvature> {
    let positive = spectrum.iter().take_while(|&&s| s > tie).count();
    if positive == 0 || units == 0 {
        return None;
    }
    let last = units.min(positive);
    let fewer = BalancedCurvature { value: -spectrum[last - 1], captured: (1..last).collect() };
    // The pair of distinct values that straddle position k most closely; the values above the pair are kept.
    let pairs = (0..last).flat_map(|i| (units..positive).map(move |j| (i, j)));
    let apart = pairs.filter(|&(i, j)| spectrum[i] - spectrum[j] > tie);
    let closest = apart.min_by(|a, b| (spectrum[a.0] - spectrum[a.1]).total_cmp(&(spectrum[b.0] - spectrum[b.1])));
    let as_many = closest.map(|(i, j)| BalancedCurvature {
        value: spectrum[j] - spectrum[i],
        captured: (0..units + 1).filter(|&p| p != i).map(|p| if p == units { j + 1 } else { p + 1 }).collect(),
    });
    Some(as_many.filter(|other| other.value > fewer.value).unwrap_or(fewer))
}

/// What is known along the orbit of a critical point of two layers whose data are the identity up to scale and rotation.
#[derive(Debug, Clone)]
pub struct OrbitFindings {
    /// `||W_2' W_2 - W_1 W_1'||_2`.
    pub imbalance: f64,
    /// Upper bound of the smallest eigenvalue here; sharp at balanced points.
    pub bound_near_balance: Option<f64>,
    /// Upper bound of the smallest eigenvalue on the whole orbit, where there is one.
    pub bound_on_orbit: Option<f64>,
    /// The balanced strict saddle of least curvature.
    pub balanced: Option<BalancedCurvature>,
}

/// Facts about the orbit of a critical point: two layers without biases and metric, `X X' = c^2 I`.
pub fn orbit_findings(problem: &Problem) -> Option<OrbitFindings> {
    let (white, tolerances) = (problem.whitening(), problem.tolerances());
    let [first, second] = problem.factors().matrices() else { return None };
    let (scale, smallest) = (*white.scales.first()?, *white.scales.last()?);
    let tie = |largest| tolerances.tie_threshold(first.ncols(), largest);
    let plain = problem.is_plain() && white.rank.rank == first.ncols();
    if !plain || scale - smallest > tie(scale) {
        return None;
    }
    // L = c^2/2 ||W_2 W_1 - Z||^2 plus a constant.
    let target = white.target.scaled(1.0 / scale).times_transpose(&white.basis);
    let values: Vec<f64> = white.spectrum.s.iter().map(|s| s / scale).collect();
    let size = values.first().copied().unwrap_or(0.0);
    let square = scale * scale;
    let times = |value: f64| square * value;
    Some(OrbitFindings {
        imbalance: imbalance(second, first),
        bound_near_balance: bound_near_balance(second, first, &target).map(times),
        bound_on_orbit: bound_on_orbit(second, first, &target, tolerances).map(times),
        balanced: balanced_curvature_bound(&values, first.nrows(), tie(size))
            .map(|found| BalancedCurvature { value: square * found.value, captured: found.captured }),
    })
}
