//! What the product map guarantees at a point about losses that are composed with it (lift properties).
//!
//! Stationarity of `W` means first-order stationarity on the matrices of rank at most `r`, with the tangent cone at
//! singular points: at `rank W < r` it asks for a vanishing gradient. A point is `k`-critical if along every curve through
//! it the first derivative of the loss that is not zero, among those up to order `k`, is positive. Names and the general
//! theory are those of `[@LevinKileelBoumal2022]`; the criteria for products of matrices are stated at each field, and
//! proved in `docs/lift.md`.

use super::barcode::Barcode;
use super::differential::Differential;
use super::gap::{Covering, Gap};
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
    /// Second-order critical implies `W` stationary, for every twice differentiable `l`: fails iff `rank W < r`,
    /// `a <= b` and `rank P(b,a) = rank W`, with `a` the first node with `rank P(a,0) < d_0` and `b` the last with
    /// `rank P(h,b) < d_h`.
    pub two_1: Verdict,
    /// Third-order critical implies `W` stationary, for every `l` that is differentiable three times: iff `least_k <= 3`.
    pub three_1: Verdict,
    /// The least `k` for which `k`-critical implies `W` stationary, for every `l` that is differentiable `k` times: 1 where
    /// `rank W = r`, else the order of the gap `a..b` ([`Barcode::covering`]). `None` where ranks are not clear.
    pub least_k: Option<usize>,
}

impl LiftProperties {
    /// Evaluates all criteria on the ranks of the partial products.
    pub fn new(profile: &RankProfile) -> Self {
        let h = profile.depth();
        let product = [(0, h)];
        let outer = || (1..h).flat_map(move |i| [(0, i), (i, h)]).chain([(0, h)]);
        let all = || (0..h).flat_map(move |i| (i + 1..=h).map(move |j| (i, j)));
        // No rank can change the answer of up to two factors, and none that of the filling case for the gradient.
        let critical = |k: usize| match h {
            ..=2 if !profile.is_clear() => Verdict::yes("holds for up to two factors"),
            ..=2 => up_to_order(profile, k),
            _ => Verdict::guarded(profile, all(), || up_to_order(profile, k)),
        };
        let clear = Verdict::guarded(profile, all(), || Verdict::yes("")).holds.is_decided();
        Self {
            local_local: Openness::new(profile).verdict,
            local_1: Verdict::yes("holds for all widths, all depths and every differentiable loss"),
            local_ambient: match is_filling(profile) {
                true => ambient(profile),
                false => Verdict::guarded(profile, product, || ambient(profile)),
            },
            one_1: Verdict::guarded(profile, outer(), || first_order(profile)),
            two_1: critical(2),
            three_1: critical(3),
            least_k: least_order(profile).filter(|_| clear).map(|(order, _)| order),
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

/// The largest gap and how it is covered, where the product has a rank below `r`; `None` when the ranks contradict one another.
fn hidden_gap(profile: &RankProfile) -> Option<(Gap, Covering)> {
    let gap = Gap::largest(profile)?;
    Some((gap, Barcode::new(profile)?.covering(gap)?))
}

/// The least `k` for which `k`-critical implies stationary, and why.
fn least_order(profile: &RankProfile) -> Option<(usize, String)> {
    if profile.product_rank() == bottleneck(profile) {
        return Some((1, "the product has the bottleneck rank: a submersion".into()));
    }
    let (Gap { first, last }, covering) = hidden_gap(profile)?;
    let order = covering.order();
    let across = format!("across nodes {first} to {last}");
    let reason = match covering.bars.len() {
        0 => format!("changing W{first} alone reaches every direction"),
        1 => format!("one bar leads {across}: every direction shows at order 2 or before"),
        2 if covering.bound => {
            format!("no bar leads {across}, and two only from end to end: some directions show first at order 4")
        }
        bars => format!("{bars} bars, no fewer, lead {across}: some directions show first at order {order}"),
    };
    Some((order, reason))
}

/// `k`-critical implies stationary.
fn up_to_order(profile: &RankProfile, k: usize) -> Verdict {
    match least_order(profile) {
        Some((order, reason)) => Verdict::of(order <= k, reason.clone(), reason),
        None => Verdict::undecided("the rank decisions contradict one another: a node lies in no interval"),
    }
}
