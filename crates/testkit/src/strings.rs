//! Strings: the indecomposable pieces of a chain of matrices, closed to a cycle by the residual.
//!
//! The nodes are `0..=h`, the arrows `W_k` from `k - 1` to `k` and, at a critical point of the square loss, the
//! transposed residual `G'` from `h` back to `0`. A *segment* `[i..j]` uses only factors; a *wrapping* string
//! `[s..h, 0..t]` passes through `G'`. At a critical point `t <= s - 2`, and the nodes `t + 1 ..= s - 1` are its gap.

use crate::random::Draw;

/// One string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strand {
    /// `[from..to]`, both ends included.
    Segment {
        /// First node.
        from: usize,
        /// Last node.
        to: usize,
    },
    /// `[start..h, 0..end]`.
    Wrapping {
        /// First node (`s`).
        start: usize,
        /// Last node (`t`).
        end: usize,
    },
}

impl Strand {
    /// Whether the string passes through `node`.
    pub fn contains(self, node: usize) -> bool {
        match self {
            Self::Segment { from, to } => from <= node && node <= to,
            Self::Wrapping { start, end } => node >= start || node <= end,
        }
    }

    /// Whether the string passes through all of `i..=j` using factors only.
    pub fn spans(self, i: usize, j: usize) -> bool {
        match self {
            Self::Segment { from, to } => from <= i && j <= to,
            Self::Wrapping { start, end } => start <= i || j <= end,
        }
    }

    /// Whether the string passes through `G'`.
    pub fn wraps(self) -> bool {
        matches!(self, Self::Wrapping { .. })
    }

    /// First and last node of the gap of a wrapping string.
    pub fn gap(self) -> Option<(usize, usize)> {
        match self {
            Self::Segment { .. } => None,
            Self::Wrapping { start, end } => Some((end + 1, start - 1)),
        }
    }

    /// A random segment other than the full one `[0..h]`.
    pub fn draw_segment(draw: &mut Draw, h: usize) -> Self {
        loop {
            let (a, b) = (draw.size(0, h), draw.size(0, h));
            let (from, to) = (a.min(b), a.max(b));
            if (from, to) != (0, h) {
                return Self::Segment { from, to };
            }
        }
    }

    /// A random wrapping string; `h >= 2`.
    pub fn draw_wrapping(draw: &mut Draw, h: usize) -> Self {
        assert!(h >= 2, "no string wraps in a network of one layer");
        loop {
            let (start, end) = (draw.size(2, h), draw.size(0, h - 2));
            if end + 2 <= start {
                return Self::Wrapping { start, end };
            }
        }
    }
}

/// Number of strings that contain `node`.
pub fn width(strands: &[Strand], node: usize) -> usize {
    strands.iter().filter(|strand| strand.contains(node)).count()
}

/// Number of strings that pass through all of `i..=j` using factors only: the rank of `W_j ... W_{i+1}`.
pub fn rank(strands: &[Strand], i: usize, j: usize) -> usize {
    strands.iter().filter(|strand| strand.spans(i, j)).count()
}

/// Number of strings that contain `s..=h` and wrap to contain `0..=t`: the rank of `P(t,0) G' P(h,s)`.
pub fn wrapped_rank(strands: &[Strand], s: usize, t: usize) -> usize {
    let through = |strand: &&Strand| matches!(strand, Strand::Wrapping { start, end } if *start <= s && t <= *end);
    strands.iter().filter(through).count()
}

/// Unordered pairs of a wrapping string and a string that spans its gap, counted one by one: the number of negative
/// (and of positive) squares that the complement of the captured part contributes to the Hessian.
pub fn linked_pairs(strands: &[Strand]) -> usize {
    let spans = |a: Strand, b: Strand| a.gap().is_some_and(|(i, j)| b.spans(i, j));
    (0..strands.len())
        .flat_map(|a| (0..a).map(move |b| (a, b)))
        .filter(|&(a, b)| spans(strands[a], strands[b]) || spans(strands[b], strands[a]))
        .count()
}

/// Ordered pairs of a segment `[0..t]` and a segment `[s..h]` with `s <= t + 1`, counted one by one.
pub fn free_pairs(strands: &[Strand], h: usize) -> usize {
    let starts = strands.iter().filter_map(|strand| match strand {
        Strand::Segment { from: 0, to } => Some(*to),
        _ => None,
    });
    let meets = |t: usize| {
        strands
            .iter()
            .filter(|strand| matches!(strand, Strand::Segment { from, to } if *to == h && *from <= t + 1))
            .count()
    };
    starts.map(meets).sum()
}
