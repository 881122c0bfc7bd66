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

/// Straight pieces `(from, to)` of the strings, those of a wrapping one apart.
fn pieces(strands: &[Strand], h: usize) -> Vec<(usize, usize)> {
    let of = |strand: &Strand| match *strand {
        Strand::Segment { from, to } => vec![(from, to)],
        Strand::Wrapping { start, end } => vec![(0, end), (start, h)],
    };
    strands.iter().flat_map(of).collect()
}

/// The order of a gap by walking from node to node through it: into a piece, along it or over to another one, and out again;
/// the fewest changes of piece, the first and the last included. Walks with three changes count four if both pieces
/// reach their end of the chain, whichever walk is taken. `None` where no piece holds a node of the gap. The strings are those other than the full ones.
pub fn order_of_gap(strands: &[Strand], h: usize, (first, last): (usize, usize)) -> Option<usize> {
    if first > last {
        return Some(1);
    }
    let pieces = pieces(strands, h);
    let holds = |p: usize, node: usize| pieces[p].0 <= node && node <= pieces[p].1;
    let mut changes: Vec<Option<usize>> = (0..pieces.len()).map(|p| holds(p, first).then_some(1)).collect();
    for node in first + 1..=last {
        let fewest = changes.iter().flatten().min().copied()?;
        let step = |p: usize| holds(p, node).then(|| changes[p].map_or(fewest + 1, |stay| stay.min(fewest + 1)));
        changes = (0..pieces.len()).map(step).collect();
    }
    let order = changes.iter().flatten().min()? + 1;
    let bound = |p: usize, q: usize| pieces[p].0 == 0 && pieces[q].1 == h;
    let walks = |p: usize, q: usize| {
        (first..last).any(|node| (first..=node).all(|n| holds(p, n)) && (node + 1..=last).all(|n| holds(q, n)))
    };
    let free = (0..pieces.len()).any(|p| (0..pieces.len()).any(|q| walks(p, q) && !bound(p, q)));
    Some(if order == 3 && !free { 4 } else { order })
}

/// The lowest order of a descent out of a non-strict saddle: the least over the gaps of all wrapping strings.
pub fn lowest_order(strands: &[Strand], h: usize) -> Option<usize> {
    strands.iter().filter_map(|strand| strand.gap()).filter_map(|gap| order_of_gap(strands, h, gap)).min()
}
