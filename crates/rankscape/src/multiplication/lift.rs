//! What the product map guarantees at a point about losses that are composed with it (lift properties).
//!
//! Stationarity of `W` means first-order stationarity on the matrices of rank at most `r`, with the tangent cone at
//! singular points: at `rank W < r` it asks for a vanishing gradient. Names and the general theory are those of
//! `[@LevinKileelBoumal2022]`; the criteria for products of matrices are stated at each field.

use super::differential::Differential;
use super::openness::Openness;
use super::rank_profile::RankProfile;
use super::verdict::Verdict;

/// The lift properties at a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiftProperties {
    /// Every local minimum of `l o mu` at the point is one of `l` at `W`: iff the map is locally open there.
    pub local_local: Verdict,
    /// Local minimum implies `W` stationary, for every differentiable `l`: always.
    pub local_1: Verdict,
    /// Local minimum implies that the gradient of `l` at `W` vanishes in the whole matrix space: iff filling or
    /// `rank W < r`.
    pub local_ambient: Verdict,
    /// First-order critical implies `W` stationary: iff `rank d mu = dim M_r`.
    pub one_1: Verdict,
    /// Second-order critical implies `W` stationary, for every twice differentiable `l`: iff `rank W = r`, or there are
    /// `1 <= i <= j <= h` with `rank P(i-1,0) = d_0`, `rank P(h,j) = d_h` and (`i = j` or not
    /// `rank P(h,i) = rank P(j-1,i) = rank P(j-1,0)`).
    pub two_1: Verdict,
    /// Third-order critical implies `W` stationary: holds where `two_1` does; fails where `<G, mu>` has no term of order
    /// at most three for some `G != 0`; otherwise undecided.
    pub three_1: Verdict,
}

impl LiftProperties {
    /// Evaluates all criteria on the ranks of the partial products.
    pub fn new(profile: &RankProfile) -> Self {
        let h = profile.depth();
        let product = [(0, h)];
        let outer = || (1..h).flat_map(move |i| [(0, i), (i, h)]).chain([(0, h)]);
        let all = || (0..h).flat_map(move |i| (i + 1..=h).map(move |j| (i, j)));
        // No rank can change the answer of up to two factors, and none that of the filling case for the gradient.
        let two_1 = match h {
            ..=2 if !profile.is_clear() => Verdict::yes("holds for up to two factors"),
            ..=2 => second_order(profile),
            _ => Verdict::guarded(profile, all(), || second_order(profile)),
        };
        let three_1 = Verdict::guarded(profile, all(), || third_order(profile, &two_1));
        Self {
            local_local: Openness::new(profile).verdict,
            local_1: Verdict::yes("holds for all widths, all depths and every differentiable loss"),
            local_ambient: match is_filling(profile) {
                true => ambient(profile),
                false => Verdict::guarded(profile, product, || ambient(profile)),
            },
            one_1: Verdict::guarded(profile, outer(), || first_order(profile)),
            two_1,
            three_1,
        }
    }
}

fn bottleneck(profile: &RankProfile) -> usize {
    profile.widths().iter().copied().min().unwrap_or(0)
}

fn is_filling(profile: &RankProfile) -> bool {
    let widths = profile.widths();
    bottleneck(profile) == widths[0].min(widths[profile.depth()])
}

fn ambient(profile: &RankProfile) -> Verdict {
    let r = bottleneck(profile);
    if is_filling(profile) {
        return Verdict::yes("filling: every matrix is a product");
    }
    let e = profile.product_rank();
    Verdict::of(
        e < r,
        format!("the product has rank {e} < {r}: the tangent cone spans all matrices"),
        format!("not filling and the product has rank {r}: the gradient may be normal to the matrices of rank {r}"),
    )
}

fn first_order(profile: &RankProfile) -> Verdict {
    let Differential { rank, max_rank, submersion } = Differential::new(profile);
    Verdict::of(
        submersion,
        format!("the differential has full rank {max_rank}: a submersion"),
        format!("the differential has rank {rank} < {max_rank}"),
    )
}

/// Pairs `i <= j` for which `P(h,j)` is onto and `P(i-1,0)` is one-to-one: no rank-one `G` hides from all of them.
pub(super) fn full_pairs(profile: &RankProfile) -> Vec<(usize, usize)> {
    let (widths, h) = (profile.widths(), profile.depth());
    (1..=h)
        .flat_map(|i| (i..=h).map(move |j| (i, j)))
        .filter(|&(i, j)| profile.rank(0, i - 1) == widths[0] && profile.rank(j, h) == widths[h])
        .collect()
}

fn second_order(profile: &RankProfile) -> Verdict {
    let h = profile.depth();
    if profile.product_rank() == bottleneck(profile) {
        return Verdict::yes("the product has the bottleneck rank: a submersion");
    }
    let works = |&(i, j): &(usize, usize)| {
        let middle = profile.rank(i, j - 1);
        i == j || !(profile.rank(i, h) == middle && profile.rank(0, j - 1) == middle)
    };
    match full_pairs(profile).into_iter().find(works) {
        Some((i, j)) if i == j => Verdict::yes(format!("changing W{i} alone reaches every direction")),
        Some((i, j)) => {
            Verdict::yes(format!("changing W{i} and W{j} together reaches every direction at second order"))
        }
        None => Verdict::no("no pair of layers reaches every direction at second order"),
    }
}

/// A term of order at most three in layers from `i` to `j` is not zero.
fn has_low_order_term(profile: &RankProfile, i: usize, j: usize) -> bool {
    let links = |a: usize, b: usize| profile.rank(a, b - 1) > 0;
    i == j || links(i, j) || (i + 1..j).any(|l| links(i, l) && links(l, j))
}

fn third_order(profile: &RankProfile, two_1: &Verdict) -> Verdict {
    if two_1.holds == Some(true) {
        return Verdict::yes("implied by the second order");
    }
    if full_pairs(profile).into_iter().any(|(i, j)| has_low_order_term(profile, i, j)) {
        return Verdict::undecided("not implied by the second order; no exact criterion of third order is known");
    }
    Verdict::no("for some gradient the composed loss has no term of order one, two or three")
}
