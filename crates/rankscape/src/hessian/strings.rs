//! The ranks that decide the Hessian's inertia at a critical point.
//!
//! At a critical point the factors together with the transposed residual `G' : R^{d_h} -> R^{d_0}` are a nilpotent
//! representation of a cyclic quiver and therefore a direct sum of strings. A string that passes through `G'` runs
//! `s -> ... -> h -> 0 -> ... -> t` with `t <= s - 2`; the ranks of the wrapped products `P(t,0) G' P(h,s)` count them.

use crate::evidence::RankDecision;
use crate::multiplication::RankProfile;

/// Ranks of the whitened partial products and of the wrapped products at a critical point.
#[derive(Debug, Clone)]
pub struct StringRanks {
    profile: RankProfile,
    /// Entry `[t][s - t - 2]` for `t + 2 <= s <= h`.
    wrapped: Vec<Vec<RankDecision>>,
}

impl StringRanks {
    /// From the profile of the whitened factors and the rank of `P(t,0) G' P(h,s)` for every `0 <= t`, `t + 2 <= s <= h`.
    pub fn new(profile: RankProfile, mut wrapped: impl FnMut(usize, usize) -> RankDecision) -> Self {
        let depth = profile.depth();
        let wrapped = (0..depth.saturating_sub(1)).map(|t| (t + 2..=depth).map(|s| wrapped(s, t)).collect()).collect();
        Self { profile, wrapped }
    }

    /// Ranks of the whitened partial products.
    pub fn profile(&self) -> &RankProfile {
        &self.profile
    }

    /// The decisions behind the wrapped ranks, as `((s, t), decision)`.
    pub fn wrapped_decisions(&self) -> impl Iterator<Item = ((usize, usize), &RankDecision)> {
        self.wrapped
            .iter()
            .enumerate()
            .flat_map(|(t, row)| row.iter().enumerate().map(move |(k, d)| ((t + 2 + k, t), d)))
    }

    /// `w(s, t) = rank P(t,0) G' P(h,s)`; zero for `t >= s - 1`, where criticality makes the product vanish.
    pub fn wrapped(&self, s: usize, t: usize) -> i64 {
        if s < t + 2 || s > self.profile.depth() { 0 } else { self.wrapped[t][s - t - 2].rank as i64 }
    }

    /// `r_ij` as a signed number.
    pub(super) fn rank(&self, i: usize, j: usize) -> i64 {
        self.profile.rank(i, j) as i64
    }

    /// Number of strings `[s .. h, 0 .. t]` through `G'`.
    pub fn wrapping(&self, s: usize, t: usize) -> i64 {
        let before = |t: usize| if s == 0 { 0 } else { self.wrapped(s - 1, t) };
        self.wrapped(s, t) - before(t) - self.wrapped(s, t + 1) + before(t + 1)
    }

    /// Number of strings `[0 .. t]`, `t < h`, that do not come through `G'`.
    pub(super) fn starting(&self, t: usize) -> i64 {
        let depth = self.profile.depth();
        let through = |t: usize| self.rank(0, t) - self.wrapped(depth, t);
        through(t) - through(t + 1)
    }

    /// Number of strings `[s .. h]`, `s > 0`, that do not go on through `G'`.
    pub(super) fn ending(&self, s: usize) -> i64 {
        let through = |s: usize| self.rank(s, self.profile.depth()) - self.wrapped(s, 0);
        through(s) - through(s - 1)
    }

    /// All decisions are clear.
    pub fn is_clear(&self) -> bool {
        self.profile.is_clear() && self.wrapped.iter().flatten().all(|decision| decision.clear)
    }
}
