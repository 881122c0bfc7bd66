//! The matrices by which two factors are seen to be open: perturbations that the other factor hides.
//!
//! For `A` (`m x k`) and `B` (`k x n`) these are `S` with `S B = 0` and `T` with `A T = 0` such that `A + alpha S` and `B + alpha T` have the largest
//! rank possible, `min(m, rho + k - rank B)` and `min(n, rho + k - rank A)` with `rho = rank A B`, for every `alpha != 0`. Where `k >= min(m, n)` the product is
//! open at the pair iff `A + alpha S` is onto or `B + alpha T` one-to-one (`[@LO]` Proposition 4, `[@MML]` Theorem 3.5 (iii), after `[@Behrends]`); where `k`
//! is smaller and `rank A = rank B`, iff `A + alpha S` is one-to-one, iff `B + alpha T` is onto (`[@LO]` Theorem 5 i), ii)).

use super::factors::Factors;
use super::frames::null_basis;
use super::rank_profile::RankProfile;
use crate::linalg::{Matrix, svd};

/// The two perturbations of a pair `A = W_2`, `B = W_1`.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// `S`, with `S B = 0`.
    pub left: Matrix,
    /// Rank of `A + alpha S` for every `alpha != 0`.
    pub left_rank: usize,
    /// `T`, with `A T = 0`.
    pub right: Matrix,
    /// Rank of `B + alpha T` for every `alpha != 0`.
    pub right_rank: usize,
}

impl Completion {
    /// The perturbations at a point of two factors; `None` for another number of factors or ranks that are not clear.
    ///
    /// On the complement of `Col B` write `A` modulo `A Col B` as `N = U diag(s) V'`. Then `S = U_0 V_0'` on the directions with `s = 0`: `N + alpha S` has
    /// all its singular values, and none of them vanishes for `alpha != 0`.
    pub fn new(factors: &Factors, profile: &RankProfile) -> Option<Self> {
        let [b, a] = factors.matrices() else { return None };
        if !profile.is_clear() {
            return None;
        }
        let (s, t, rho) = (profile.rank(1, 2), profile.rank(0, 1), profile.product_rank());
        let (left, left_rank) = hidden(a, b, s, t, rho);
        let (right, right_rank) = hidden(&b.transpose(), &a.transpose(), t, s, rho);
        Some(Self { left, left_rank, right: right.transpose(), right_rank })
    }
}

/// `S` and the rank of `A + alpha S`.
fn hidden(a: &Matrix, b: &Matrix, s: usize, t: usize, rho: usize) -> (Matrix, usize) {
    let (m, k) = a.shape();
    let inside = svd(b).u.columns(0, t);
    let (outside, free) = (null_basis(&inside), null_basis(&svd(&(a * &inside)).u.columns(0, rho)));
    let rank = m.min(rho + k - t);
    let added = rank - s;
    if added == 0 {
        return (Matrix::zeros(m, k), rank);
    }
    let seen = svd(&(&free.transpose_times(a) * &outside));
    let used = s - rho;
    let (u, v) = (null_basis(&seen.u.columns(0, used)), null_basis(&seen.v.columns(0, used)));
    let step = u.columns(0, added).times_transpose(&v.columns(0, added));
    ((&free * &step).times_transpose(&outside), rank)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Truth;
    use crate::linalg::rank;
    use crate::multiplication::Openness;
    use crate::random::Stream;
    use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

    /// All pairs with `A = P D Q`, `B = Q^-1 E R` for diagonal patterns of ones, up to sizes of 4.
    #[test]
    fn perturbations_are_hidden_complete_and_decide_openness() {
        let tolerances = Tolerances::default();
        let mut seen = [0; 4];
        for code in 0..4_usize.pow(3) {
            let [m, k, n] = [code % 4 + 1, code / 4 % 4 + 1, code / 16 + 1];
            for s in 0..=m.min(k) {
                for t in 0..=k.min(n) {
                    for shift in 0..=k - t {
                        let mut stream = Stream::new(101, (code * 100 + s * 25 + t * 5 + shift) as u64);
                        let one = |hit: bool| f64::from(u8::from(hit));
                        let q = stream.normal_matrix(k, k);
                        let back = crate::linalg::inverse(&q).unwrap();
                        let d = Matrix::from_fn(m, k, |i, j| one(i == j && i < s));
                        let e = Matrix::from_fn(k, n, |i, j| one(i == j + shift && j < t));
                        let a = &(&stream.normal_matrix(m, m) * &d) * &q;
                        let b = &(&back * &e) * &stream.normal_matrix(n, n);
                        let factors = Factors::new(vec![b.clone(), a.clone()]).unwrap();
                        let profile = RankProfile::new(&factors, UNIT_ROUNDOFF, &tolerances);
                        let Some(found) = Completion::new(&factors, &profile) else { continue };
                        assert!((&found.left * &b).max_abs() < 1e-9 && (&a * &found.right).max_abs() < 1e-9);
                        for alpha in [-3.0, 0.25, 1.0] {
                            let (mut moved_a, mut moved_b) = (a.clone(), b.clone());
                            moved_a.add_scaled(alpha, &found.left);
                            moved_b.add_scaled(alpha, &found.right);
                            assert_eq!(rank(&moved_a, &tolerances).rank, found.left_rank);
                            assert_eq!(rank(&moved_b, &tolerances).rank, found.right_rank);
                        }
                        let open = Openness::new(&profile).verdict.holds == Truth::Yes;
                        if k >= m.min(n) {
                            assert_eq!(
                                open,
                                found.left_rank == m || found.right_rank == n,
                                "{m} {k} {n} {s} {t} {shift}"
                            );
                        } else if s == t {
                            assert_eq!(open, found.left_rank == k, "{m} {k} {n} {s} {t} {shift}");
                            assert_eq!(open, found.right_rank == k);
                        }
                        seen[usize::from(open) + 2 * usize::from(k >= m.min(n))] += 1;
                    }
                }
            }
        }
        assert!(seen.iter().all(|&count| count > 20), "{seen:?}");
    }
}
