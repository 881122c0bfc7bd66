//! Index and nullity of the Hessian at every critical point of the square loss, in closed form.
//!
//! The theorem and its proof are in `docs/inertia.md`. It needs integers only: ranks of partial products, ranks of
//! wrapped products, and how many omitted singular values exceed how many captured ones.

use super::strings::StringRanks;
use crate::linalg::Inertia;

/// How the captured singular values compare with the omitted positive ones, over all pairs (captured, omitted).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PairCounts {
    /// Pairs in which the omitted value is larger.
    pub omitted_larger: usize,
    /// Pairs of equal values.
    pub equal: usize,
}

impl PairCounts {
    /// Counts over captured values `kept` and omitted values `omitted`; two values are equal when they differ by at
    /// most `tolerance`.
    pub fn new(kept: &[f64], omitted: &[f64], tolerance: f64) -> Self {
        let mut counts = Self::default();
        for a in kept {
            for b in omitted {
                if (a - b).abs() <= tolerance {
                    counts.equal += 1;
                } else if b > a {
                    counts.omitted_larger += 1;
                }
            }
        }
        counts
    }
}

/// Inertia of the Hessian in the whitened coordinates at a critical point of a network with at least two factors.
///
/// With `e = rank W`, `m(s,t)` strings through `G'`, `a(t)` strings `[0..t]` and `b(s)` strings `[s..h]` that avoid `G'`:
///
/// - `p = sum_{t <= s-2} m(s,t) (r_{t+1,s-1} - e) - #{unordered pairs of strings through G' that contain each other's gap}`
/// - `index = #{(kept, omitted): omitted > kept} + p`
/// - `positive = e^2 + e (rho + d_h - 2 e) - #{(kept, omitted): omitted >= kept} + p + sum_{s <= t+1} a(t) b(s)`
///
/// `None` when the ranks contradict one another (a negative number of strings).
pub fn inertia_at_critical_point(ranks: &StringRanks, pairs: PairCounts) -> Option<Inertia> {
    let widths = ranks.profile().widths();
    let depth = ranks.profile().depth();
    let e = ranks.rank(0, depth);
    let strings = wrapping_strings(ranks)?;
    let crossing: i64 = strings.iter().map(|&(s, t, m)| m * (ranks.rank(t + 1, s - 1) - e)).sum();
    let hyperbolic = crossing - mutual_pairs(&strings);
    let mut free = 0;
    for t in 0..depth {
        for s in 1..=(t + 1).min(depth) {
            free += non_negative(ranks.starting(t))? * non_negative(ranks.ending(s))?;
        }
    }
    let larger = pairs.omitted_larger as i64;
    let ends = e * (widths[0] as i64 + widths[depth] as i64 - 2 * e);
    let negative = larger + hyperbolic;
    let positive = e * e + ends - larger - pairs.equal as i64 + hyperbolic + free;
    let total: usize = widths.windows(2).map(|pair| pair[0] * pair[1]).sum();
    let zero = total as i64 - negative - positive;
    let count = |n: i64| usize::try_from(n).ok();
    Some(Inertia { negative: count(negative)?, zero: count(zero)?, positive: count(positive)? })
}

/// Strings `(s, t, multiplicity)` through `G'`.
fn wrapping_strings(ranks: &StringRanks) -> Option<Vec<(usize, usize, i64)>> {
    let depth = ranks.profile().depth();
    let mut strings = Vec::new();
    for t in 0..depth {
        for s in t + 2..=depth {
            let multiplicity = non_negative(ranks.wrapping(s, t))?;
            if multiplicity > 0 {
                strings.push((s, t, multiplicity));
            }
        }
    }
    Some(strings)
}

/// Unordered pairs of strings through `G'` each of which contains the gap `[t+1 .. s-1]` of the other.
fn mutual_pairs(strings: &[(usize, usize, i64)]) -> i64 {
    let mut pairs = 0;
    for (k, &(s, t, m)) in strings.iter().enumerate() {
        for &(s2, t2, m2) in &strings[k + 1..] {
            if t2 + 1 >= s || s2 <= t + 1 {
                pairs += m * m2;
            }
        }
    }
    pairs
}

fn non_negative(n: i64) -> Option<i64> {
    (n >= 0).then_some(n)
}
