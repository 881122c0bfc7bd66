//! At which order a direction shows that the product hides at first: the order of a gap of the barcode.
//!
//! A direction `u v'` of matrix space with `u' P(h,b) = 0` and `P(a,0) v = 0` is felt by no single layer: between `v` and
//! `u` lie the nodes `a..b`, its *gap*. A change of layers feels it once it strings bars across the gap, one step
//! into each bar and one out of the last. The theorems that count these steps are in `docs/lift.md`.

use super::barcode::{Bar, Barcode};
use super::rank_profile::RankProfile;

/// A run of inner nodes `first..=last`; empty for `first > last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// First node.
    pub first: usize,
    /// Last node.
    pub last: usize,
}

impl Gap {
    /// The largest one at a point: from the first node `a` with `rank P(a,0) < d_0` to the last node `b` with
    /// `rank P(h,b) < d_h`. `None` where the product has rank `d_0` or `d_h`.
    pub fn largest(profile: &RankProfile) -> Option<Self> {
        let (widths, h) = (profile.widths(), profile.depth());
        let first = (0..=h).find(|&k| profile.rank(0, k) < widths[0])?;
        let last = (0..=h).rev().find(|&k| profile.rank(k, h) < widths[h])?;
        Some(Self { first, last })
    }
}

/// The fewest bars that cover a gap, each beginning where the one before it ends, or earlier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Covering {
    /// In the order in which they cover it.
    pub bars: Vec<Bar>,
    /// There are two of them, and whichever two are taken the first starts at node 0 and the second ends at node `h`: the
    /// step between them changes the product, and is taken at second order.
    pub bound: bool,
}

impl Covering {
    /// The lowest order in the steps at which a direction with this gap is felt.
    pub fn order(&self) -> usize {
        if self.bound { 4 } else { self.bars.len() + 1 }
    }
}

impl Barcode {
    /// The bars other than `[0, h]` that cover a gap; `None` when a node of it lies in no such bar.
    ///
    /// ```
    /// use rankscape::multiplication::{Barcode, ExactFactors, Gap, RankProfile};
    /// use rankscape::linalg::exact::RationalMatrix;
    /// // Widths 2, 1, 1, 2: bars [0,0], [0,1], [2,3], [3,3].
    /// let rows = |m: &[Vec<i64>]| RationalMatrix::from_integers(m);
    /// let layers = vec![rows(&[vec![1, 0]]), rows(&[vec![0]]), rows(&[vec![1], vec![0]])];
    /// let profile = RankProfile::exact(&ExactFactors::new(layers).unwrap());
    /// let gap = Gap::largest(&profile).unwrap();
    /// assert_eq!(gap, Gap { first: 1, last: 2 });
    /// let covering = Barcode::new(&profile).unwrap().covering(gap).unwrap();
    /// assert_eq!((covering.bars.len(), covering.bound, covering.order()), (2, true, 4));
    /// ```
    pub fn covering(&self, gap: Gap) -> Option<Covering> {
        let (mut next, mut bars) = (gap.first, Vec::new());
        while next <= gap.last {
            let furthest =
                self.complement().filter(|bar| bar.from <= next && next <= bar.to).max_by_key(|bar| bar.to)?;
            next = furthest.to + 1;
            bars.push(*furthest);
        }
        if bars.len() != 2 {
            return Some(Covering { bars, bound: false });
        }
        let free = self.free_pair(gap);
        Some(Covering { bound: free.is_none(), bars: free.unwrap_or(bars) })
    }

    /// The bars other than `[0, h]`, which carry nothing of the product.
    fn complement(&self) -> impl Iterator<Item = &Bar> {
        self.bars.iter().filter(|bar| (bar.from, bar.to) != (0, self.depth))
    }

    /// Two bars that cover the gap and do not both reach an end of the chain.
    fn free_pair(&self, gap: Gap) -> Option<Vec<Bar>> {
        let holds = |bar: &Bar, node: usize| bar.from <= node && node <= bar.to;
        self.complement().filter(|bar| holds(bar, gap.first)).find_map(|first| {
            let meets = |bar: &&Bar| holds(bar, gap.last) && bar.from <= first.to + 1;
            let free = |last: &&Bar| first.from > 0 || last.to < self.depth;
            self.complement().filter(meets).find(free).map(|last| vec![*first, *last])
        })
    }
}
