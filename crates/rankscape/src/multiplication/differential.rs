//! Rank of the differential of the product map.

use super::rank_profile::RankProfile;

/// Rank of `d mu(theta)(dW) = sum_k P(h,k) dW_k P(k-1,0)`.
///
/// `rank = sum_{k=1}^{h} r_kh r_{0,k-1} - sum_{k=1}^{h-1} r_kh r_0k` (`[@TKB]`, Lemma 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Differential {
    /// Rank at this point.
    pub rank: usize,
    /// Dimension of the matrices of rank at most the bottleneck rank.
    pub max_rank: usize,
    /// The map is a submersion onto that variety here: `rank = max_rank`.
    pub submersion: bool,
}

impl Differential {
    /// Rank from the ranks of the partial products.
    ///
    /// ```
    /// use rankscape::evidence::RankDecision;
    /// use rankscape::multiplication::{Differential, RankProfile};
    /// let origin = RankProfile::from_decisions(&[2, 2, 2], |_, _| RankDecision::exact(0));
    /// assert_eq!(Differential::new(&origin), Differential { rank: 0, max_rank: 4, submersion: false });
    /// ```
    pub fn new(profile: &RankProfile) -> Self {
        let depth = profile.depth();
        let terms: usize = (1..=depth).map(|k| profile.rank(k, depth) * profile.rank(0, k - 1)).sum();
        let overlaps: usize = (1..depth).map(|k| profile.rank(k, depth) * profile.rank(0, k)).sum();
        let widths = profile.widths();
        let r = widths.iter().copied().min().unwrap_or(0);
        let max_rank = r * (widths[0] + widths[depth] - r);
        let rank = terms.saturating_sub(overlaps);
        Self { rank, max_rank, submersion: rank == max_rank }
    }
}
