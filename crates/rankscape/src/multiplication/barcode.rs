//! The barcode of a tuple of factors: its decomposition into intervals.
//!
//! Up to changes of basis in every space the tuple is a direct sum of intervals `[i, j]` (a linear quiver has no other
//! indecomposables). The multiplicity of `[i, j]` is `r_ij - r_{i-1,j} - r_{i,j+1} + r_{i-1,j+1}` with zero out of range.

use super::rank_profile::RankProfile;

/// An interval `[from, to]` of nodes, both ends included, with its multiplicity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bar {
    /// First node.
    pub from: usize,
    /// Last node.
    pub to: usize,
    /// How often the interval occurs; positive.
    pub multiplicity: usize,
}

/// The intervals of a tuple, longest-living first; a complete invariant under changes of basis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Barcode {
    /// Number of factors; nodes run from 0 to `depth`.
    pub depth: usize,
    /// The bars, by first node, then by last node.
    pub bars: Vec<Bar>,
}

impl Barcode {
    /// Barcode of a rank profile; `None` when a multiplicity is negative, that is when the rank decisions contradict
    /// one another.
    ///
    /// ```
    /// use rankscape::multiplication::{Barcode, ExactFactors, RankProfile};
    /// use rankscape::linalg::exact::RationalMatrix;
    /// let zero = RationalMatrix::zeros(1, 1);
    /// let one = RationalMatrix::identity(1);
    /// let profile = RankProfile::exact(&ExactFactors::new(vec![one, zero]).unwrap());
    /// let bars = Barcode::new(&profile).unwrap().bars;
    /// assert_eq!(bars.iter().map(|b| (b.from, b.to, b.multiplicity)).collect::<Vec<_>>(), [(0, 1, 1), (2, 2, 1)]);
    /// ```
    pub fn new(profile: &RankProfile) -> Option<Self> {
        let depth = profile.depth();
        let rank = |i: Option<usize>, j: usize| match i {
            Some(i) if j <= depth => profile.rank(i, j) as i64,
            _ => 0,
        };
        let mut bars = Vec::new();
        for from in 0..=depth {
            for to in from..=depth {
                let before = from.checked_sub(1);
                let count = rank(Some(from), to) - rank(before, to) - rank(Some(from), to + 1) + rank(before, to + 1);
                let multiplicity = usize::try_from(count).ok()?;
                if multiplicity > 0 {
                    bars.push(Bar { from, to, multiplicity });
                }
            }
        }
        Some(Self { depth, bars })
    }
}
