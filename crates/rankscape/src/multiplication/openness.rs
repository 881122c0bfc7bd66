//! Local openness of the product map, relative to the matrices of rank at most the bottleneck rank.
//!
//! Write `t_i = rank P(i,0)`, `s_i = rank P(h,i)`, `rho = rank W` and `r = min d_i`. The map is open at the point iff at
//! every inner node `i`
//!
//! ```text
//! need_i = min(r - rho, d_0 - t_i, d_h - s_i)  <=  d_i - s_i - t_i + rho = have_i.
//! ```
//!
//! `have_i` counts the intervals of the barcode through `i` that meet neither end; `need_i` is the largest rank of the
//! part of a nearby target that the intervals meeting an end cannot carry. For two factors this is `[@Behrends]`
//! Theorem 2.5 where the image is everything and `[@LO]` Theorem 5 where it is not. That it is necessary at any depth is
//! proved in `unreachable_direction`; that it suffices is constructed by `reach`.

use super::rank_profile::RankProfile;
use super::verdict::Verdict;

/// The two sides of the criterion at an inner node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeOpenness {
    /// The inner node, `0 < i < h`.
    pub node: usize,
    /// `min(r - rho, d_0 - t_i, d_h - s_i)`.
    pub need: i64,
    /// `d_i - s_i - t_i + rho`.
    pub have: i64,
}

impl NodeOpenness {
    /// The node lets every nearby target through.
    pub fn passes(&self) -> bool {
        self.need <= self.have
    }
}

/// Whether the product map is locally open at a point, with the reason at each inner node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Openness {
    /// Open at the point, relative to the matrices of rank at most `r`.
    pub verdict: Verdict,
    /// One entry for each inner node.
    pub nodes: Vec<NodeOpenness>,
}

impl Openness {
    /// Applies the criterion.
    ///
    /// ```
    /// use rankscape::evidence::{RankDecision, Truth};
    /// use rankscape::multiplication::{Openness, RankProfile};
    /// // W_1 = 0, W_2 of full rank: targets whose column space is not that of W_2 are out of reach.
    /// let profile = RankProfile::from_decisions(&[2, 1, 2], |i, _| RankDecision::exact(i));
    /// assert_eq!(Openness::new(&profile).verdict.holds, Truth::No);
    /// ```
    pub fn new(profile: &RankProfile) -> Self {
        let (widths, h) = (profile.widths(), profile.depth());
        let of = |i: usize, j: usize| profile.rank(i, j) as i64;
        let rho = of(0, h);
        let r = widths.iter().copied().min().unwrap_or(0) as i64;
        let nodes: Vec<NodeOpenness> = (1..h)
            .map(|i| {
                let (t, s) = (of(0, i), of(i, h));
                let need = (r - rho).min(widths[0] as i64 - t).min(widths[h] as i64 - s);
                NodeOpenness { node: i, need, have: widths[i] as i64 - s - t + rho }
            })
            .collect();
        let used = (1..h).flat_map(|i| [(0, i), (i, h)]).chain([(0, h)]);
        let verdict = Verdict::guarded(profile, used, || verdict_of(&nodes));
        Self { verdict, nodes }
    }
}

fn verdict_of(nodes: &[NodeOpenness]) -> Verdict {
    let failing: Vec<String> = nodes
        .iter()
        .filter(|node| !node.passes())
        .map(|n| format!("node {} needs {} spare directions and has {}", n.node, n.need, n.have))
        .collect();
    match (failing.is_empty(), nodes.is_empty()) {
        (true, true) => Verdict::yes("one factor: the product map is the identity"),
        (true, false) => Verdict::yes("every inner node has the spare directions it needs"),
        _ => Verdict::no(failing.join("; ")),
    }
}
