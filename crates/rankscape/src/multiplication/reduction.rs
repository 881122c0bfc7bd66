//! What the ranks say of a chain on the way to its ends: nodes that can be left out, and where the chain first loses rank.

use super::rank_profile::RankProfile;

/// Nodes that remain when factors of full rank are absorbed, and their widths (`[@LO]`, proof of Theorem 12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReducedChain {
    /// The nodes that remain, both ends included.
    pub nodes: Vec<usize>,
    /// Their widths.
    pub widths: Vec<usize>,
}

/// Absorbs factors of full rank: an inner node between the factors `V` (below) and `U` (above) is left out when `U` is onto or `V` is one-to-one, and `U V`
/// takes their place; so on, from the input to the output, until no node can be left out.
///
/// There the product of the two is open onto all matrices of its shape, so a local minimum of the chain is one of the
/// reduced chain, for every loss. `None` where a rank is not clear.
///
/// ```
/// use rankscape::evidence::RankDecision;
/// use rankscape::multiplication::{RankProfile, reduced_widths};
/// // W_1 is one-to-one, W_2 = 0: the node between them is left out.
/// let profile = RankProfile::from_decisions(&[2, 3, 2], |_, j| RankDecision::exact(if j == 1 { 2 } else { 0 }));
/// assert_eq!(reduced_widths(&profile).unwrap().widths, [2, 2]);
/// ```
pub fn reduced_widths(profile: &RankProfile) -> Option<ReducedChain> {
    if !profile.is_clear() {
        return None;
    }
    let widths = profile.widths();
    let mut nodes: Vec<usize> = (0..widths.len()).collect();
    let absorbed = |nodes: &[usize]| {
        nodes
            .windows(3)
            .position(|w| profile.rank(w[1], w[2]) == widths[w[2]] || profile.rank(w[0], w[1]) == widths[w[0]])
    };
    while let Some(at) = absorbed(&nodes) {
        nodes.remove(at + 1);
    }
    Some(ReducedChain { widths: nodes.iter().map(|&i| widths[i]).collect(), nodes })
}

/// The two indices of `[@MML]` Proposition 3.1: `k_1`, the first `k` at which `P(k,0)` is not one-to-one, and `k_2`, the first at which it has the
/// rank of the whole product. `k_1 <= k_2` where `rank W < d_0`; `None` for `k_1` where `W` is one-to-one.
///
/// The proposition concludes that local minima are stationary where `P(h-1,0)` is onto, `rank W = r`, or `k_1 = k_2`. They are stationary
/// everywhere (`lift.local_1` of [`super::LiftProperties`]): the indices say which proof applies, not whether it holds.
pub fn nullity_indices(profile: &RankProfile) -> (Option<usize>, usize) {
    let h = profile.depth();
    let first = (1..=h).find(|&k| profile.rank(0, k) < profile.widths()[0]);
    let second = (1..=h).find(|&k| profile.rank(0, k) == profile.product_rank()).unwrap_or(h);
    (first, second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::RankDecision;
    use crate::linalg::Matrix;
    use crate::multiplication::Factors;
    use crate::random::Stream;
    use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

    fn generic(widths: &[usize], zero: Option<usize>) -> RankProfile {
        let mut stream = Stream::new(102, widths.len() as u64);
        let matrices = widths.windows(2).enumerate().map(|(k, d)| match zero {
            Some(layer) if layer == k + 1 => Matrix::zeros(d[1], d[0]),
            _ => stream.normal_matrix(d[1], d[0]),
        });
        RankProfile::new(&Factors::new(matrices.collect()).unwrap(), UNIT_ROUNDOFF, &Tolerances::default())
    }

    #[test]
    fn full_factors_are_absorbed_and_a_bottleneck_stays() {
        let reduced = |widths: &[usize], zero| reduced_widths(&generic(widths, zero)).unwrap().widths;
        assert_eq!(reduced(&[3, 4, 5, 2], None), [3, 2]);
        assert_eq!(reduced(&[3, 1, 3], None), [3, 1, 3], "neither factor is onto its end or one-to-one");
        assert_eq!(reduced(&[4, 3, 1, 2, 4], None), [4, 1, 4]);
        assert_eq!(reduced(&[2, 2, 2], Some(1)), [2, 2]);
        assert_eq!(reduced(&[3, 2, 2, 3], Some(2)), [3, 2, 2, 3]);
        let doubtful = |_, _| RankDecision { clear: false, ..RankDecision::exact(1) };
        assert!(reduced_widths(&RankProfile::from_decisions(&[1, 1, 1], doubtful)).is_none());
    }

    #[test]
    fn indices_of_the_nullity_conditions() {
        assert_eq!(nullity_indices(&generic(&[3, 4, 5, 3], None)), (None, 1));
        assert_eq!(nullity_indices(&generic(&[3, 4, 2, 3], None)), (Some(2), 2));
        assert_eq!(nullity_indices(&generic(&[3, 2, 4, 1], None)), (Some(1), 3));
        assert_eq!(nullity_indices(&generic(&[2, 2, 2, 2], Some(3))), (Some(3), 3));
    }
}
