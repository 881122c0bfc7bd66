//! One stratum: the strings of a critical point, the ranks they make, and the dimension of the points that have them.

use crate::evidence::RankDecision;
use crate::hessian::StringRanks;
use crate::multiplication::{Bar, Barcode, RankProfile};

/// Strings of one type on the cycle `0 -> 1 -> ... -> h -> 0`, whose last arrow is the transposed residual `G'`.
///
/// `from <= to`: the segment `[from .. to]`. `from >= to + 2`: the string `[from .. h, 0 .. to]` that wraps through `G'`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CyclicBar {
    /// First node.
    pub from: usize,
    /// Last node.
    pub to: usize,
    /// How many strings of this type; positive.
    pub multiplicity: usize,
}

impl CyclicBar {
    /// The string passes through `G'`.
    pub fn wraps(self) -> bool {
        self.from > self.to
    }

    /// The string passes through `node`.
    pub fn contains(self, node: usize) -> bool {
        if self.wraps() { node >= self.from || node <= self.to } else { self.from <= node && node <= self.to }
    }

    /// The string passes through all of `i ..= j` by factors only.
    pub(in crate::critical) fn spans(self, i: usize, j: usize) -> bool {
        if self.wraps() { self.from <= i || j <= self.to } else { self.from <= i && j <= self.to }
    }

    /// Number of nodes, on a cycle of `nodes` nodes.
    fn length(self, nodes: usize) -> usize {
        (self.to + nodes - self.from) % nodes + 1
    }

    /// `dim Hom(self, other)` for the strings as representations of the cycle: 1 if a beginning of `self` is an end of
    /// `other`, else 0. (Strings are uniserial and no longer than the cycle, so there is at most one such piece.)
    fn homomorphisms(self, other: Self, nodes: usize) -> usize {
        let overlap = (other.to + nodes - self.from) % nodes + 1;
        usize::from(overlap <= self.length(nodes).min(other.length(nodes)))
    }
}

/// The strings of a critical point in whitened coordinates: `rank` full ones `[0 .. h]`, one for each captured singular
/// value, and those of the complement, of which as many wrap as positive singular values are omitted.
///
/// Two critical points that capture equally many values of each size are in one stratum when they have the same strings;
/// then all ranks of partial products and of wrapped products agree, and so do class, index and nullity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stratum {
    depth: usize,
    rank: usize,
    strings: Vec<CyclicBar>,
}

impl Stratum {
    /// From the strings of the complement, each type once.
    pub(in crate::critical) fn new(depth: usize, rank: usize, mut strings: Vec<CyclicBar>) -> Self {
        strings.retain(|bar| bar.multiplicity > 0);
        strings.sort_unstable();
        Self { depth, rank, strings }
    }

    /// The strings that ranks make; `None` when the ranks contradict one another.
    pub fn from_ranks(ranks: &StringRanks) -> Option<Self> {
        let (depth, rank) = (ranks.profile().depth(), ranks.profile().product_rank());
        let mut multiplicities = vec![vec![0_i64; depth + 1]; depth + 1];
        for bar in Barcode::new(ranks.profile())?.bars {
            multiplicities[bar.from][bar.to] = bar.multiplicity as i64;
        }
        multiplicities[0][depth] -= rank as i64;
        for to in 0..depth {
            for from in to + 2..=depth {
                let wrapping = ranks.wrapping(from, to);
                multiplicities[from][to] = wrapping;
                multiplicities[from][depth] -= wrapping;
                multiplicities[0][to] -= wrapping;
            }
        }
        let mut strings = Vec::new();
        for (from, row) in multiplicities.iter().enumerate() {
            for (to, &count) in row.iter().enumerate() {
                strings.push(CyclicBar { from, to, multiplicity: usize::try_from(count).ok()? });
            }
        }
        Some(Self::new(depth, rank, strings))
    }

    /// Number of factors.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// `e`, the rank of the whitened product.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// Strings of the complement, by first node, then by last node.
    pub fn strings(&self) -> &[CyclicBar] {
        &self.strings
    }

    /// The strings that wrap through `G'`.
    pub fn wrapped(&self) -> impl Iterator<Item = CyclicBar> {
        self.strings.iter().copied().filter(|bar| bar.wraps())
    }

    /// The full strings and those of the complement.
    fn all(&self) -> Vec<CyclicBar> {
        let full = CyclicBar { from: 0, to: self.depth, multiplicity: self.rank };
        std::iter::once(full).chain(self.strings.iter().copied()).collect()
    }

    /// Width of a node.
    pub fn width(&self, node: usize) -> usize {
        self.all().iter().filter(|bar| bar.contains(node)).map(|bar| bar.multiplicity).sum()
    }

    /// `r_ij`, the rank of `W_j ... W_{i+1}` in whitened coordinates; `r_ii` is the width.
    pub fn partial_rank(&self, i: usize, j: usize) -> usize {
        if i == j {
            return self.width(i);
        }
        self.all().iter().filter(|bar| bar.spans(i, j)).map(|bar| bar.multiplicity).sum()
    }

    /// The rank of `P(t,0) G' P(h,s)`.
    pub fn wrapped_rank(&self, s: usize, t: usize) -> usize {
        self.wrapped().filter(|bar| bar.from <= s && t <= bar.to).map(|bar| bar.multiplicity).sum()
    }

    /// All ranks, as exact decisions.
    pub fn ranks(&self) -> StringRanks {
        let widths: Vec<usize> = (0..=self.depth).map(|node| self.width(node)).collect();
        let profile = RankProfile::from_decisions(&widths, |i, j| RankDecision::exact(self.partial_rank(i, j)));
        StringRanks::new(profile, |s, t| RankDecision::exact(self.wrapped_rank(s, t)))
    }

    /// The barcode of the whitened factors: a string that wraps is cut into `[from .. h]` and `[0 .. to]`.
    pub fn barcode(&self) -> Barcode {
        let mut counts = std::collections::BTreeMap::new();
        for bar in self.all() {
            let pieces: &[(usize, usize)] =
                if bar.wraps() { &[(bar.from, self.depth), (0, bar.to)] } else { &[(bar.from, bar.to)] };
            for &piece in pieces {
                *counts.entry(piece).or_insert(0) += bar.multiplicity;
            }
        }
        let bars = counts.into_iter().filter(|&(_, multiplicity)| multiplicity > 0);
        let bars = bars.map(|((from, to), multiplicity)| Bar { from, to, multiplicity }).collect();
        Barcode { depth: self.depth, bars }
    }

    /// Dimension of the set of whitened factors over one product `W` that have these strings.
    ///
    /// The set is one orbit of the automorphisms of all nodes that fix `W` and `G'`, so its dimension is
    /// `sum_{0<k<h} d_k^2 + dim End(V_0, V_h; W, G') - dim End(V_0, ..., V_h; W_1, ..., W_h, G')`; both are sums over
    /// pairs of strings. Proof: `docs/construct.md`.
    pub fn dimension_over_product(&self) -> usize {
        let inner: usize = (1..self.depth).map(|node| self.width(node).pow(2)).sum();
        let wrapping: usize = self.wrapped().map(|bar| bar.multiplicity).sum();
        let bar = |from, to, multiplicity| CyclicBar { from, to, multiplicity };
        let ends = [
            bar(0, 1, self.rank),
            bar(1, 0, wrapping),
            bar(0, 0, self.width(0) - self.rank - wrapping),
            bar(1, 1, self.width(self.depth) - self.rank - wrapping),
        ];
        inner + endomorphisms(&ends, 2) - endomorphisms(&self.all(), self.depth + 1)
    }
}

/// `dim End` of a direct sum of strings on a cycle of `nodes` nodes.
fn endomorphisms(strings: &[CyclicBar], nodes: usize) -> usize {
    let pairs = strings.iter().flat_map(|a| strings.iter().map(move |b| (a, b)));
    pairs.map(|(a, b)| a.multiplicity * b.multiplicity * a.homomorphisms(*b, nodes)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_of_strings_give_the_strings_back() {
        let bar = |from, to, multiplicity| CyclicBar { from, to, multiplicity };
        let strings = vec![bar(3, 0, 1), bar(3, 1, 2), bar(0, 2, 1), bar(2, 2, 3), bar(1, 3, 1)];
        let stratum = Stratum::new(3, 2, strings);
        assert_eq!(Stratum::from_ranks(&stratum.ranks()), Some(stratum.clone()));
        let through = |node| {
            stratum.barcode().bars.iter().filter(|b| b.from <= node && node <= b.to).fold(0, |n, b| n + b.multiplicity)
        };
        assert!((0..=3).all(|node| through(node) == stratum.width(node)));
    }

    #[test]
    fn origin_of_a_product_of_two_numbers_is_a_point_and_its_other_strata_are_curves() {
        // 1/2 (w2 w1 - 1)^2: the origin, and over w2 w1 = 1 a hyperbola.
        let bar = |from, to, multiplicity| CyclicBar { from, to, multiplicity };
        assert_eq!(Stratum::new(2, 0, vec![bar(2, 0, 1), bar(1, 1, 1)]).dimension_over_product(), 0);
        assert_eq!(Stratum::new(2, 1, vec![]).dimension_over_product(), 1);
        // 1/2 (w2 w1)^2: the origin and the two axes without it.
        let zero = [vec![bar(0, 0, 1), bar(1, 1, 1), bar(2, 2, 1)], vec![bar(0, 1, 1), bar(2, 2, 1)]];
        assert_eq!(zero.map(|strings| Stratum::new(2, 0, strings).dimension_over_product()), [0, 1]);
    }
}
