//! Rungs in order of value, one after the other.
//!
//! A pattern is a way to put `r` pegs on the levels `1, ..., q` and a level of value zero, at most `m_i` on level `i`.
//! The lowest rung has them as high as they fit. Every other pattern is reached in exactly one way by moving pegs down,
//! one level at a time, the last peg first and each to its final place before an earlier one starts; no move lowers the
//! value. That is a tree in which a node has at most three children, so a heap yields the next rung for at most three
//! pushes.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};

use super::Ladder;
use super::rung::Rung;

impl Ladder {
    /// All rungs, lowest value first. Equal values come in a fixed order.
    pub fn rungs(&self) -> Rungs<'_> {
        Rungs::new(self)
    }

    /// Up to `most` rungs of lowest value, sorted by value and, where values are equal, by pattern.
    pub fn lowest(&self, most: usize) -> Vec<Rung> {
        let mut rungs: Vec<Rung> = self.rungs().take(most).collect();
        rungs.sort_by(|a, b| a.value.total_cmp(&b.value).then_with(|| b.pattern.cmp(&a.pattern)));
        rungs
    }
}

/// Iterator over the rungs of a ladder, lowest value first.
#[derive(Debug, Clone)]
pub struct Rungs<'a> {
    ladder: &'a Ladder,
    /// How many pegs a level holds; the last one is the level of value zero.
    capacity: Vec<usize>,
    /// `s_i^2` by level, then 0.
    squares: Vec<f64>,
    /// Level of every peg in the lowest rung.
    start: Vec<usize>,
    nodes: Vec<Node>,
    heap: BinaryHeap<Entry>,
    known: BTreeMap<usize, usize>,
}

/// The last move on the way to a pattern.
#[derive(Debug, Clone, Copy)]
struct Node {
    parent: usize,
    /// The peg that moved and the level it is on now.
    peg: usize,
    level: usize,
    /// Level of the next peg and how many pegs are on it.
    next: usize,
    on_next: usize,
    /// Squares omitted beyond those of the lowest rung.
    key: f64,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    key: f64,
    node: usize,
}

impl Ord for Entry {
    /// The heap yields its largest entry: the smallest key, then the oldest node.
    fn cmp(&self, other: &Self) -> Ordering {
        other.key.total_cmp(&self.key).then(other.node.cmp(&self.node))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

impl<'a> Rungs<'a> {
    pub(super) fn new(ladder: &'a Ladder) -> Self {
        let several = ladder.architecture.depth() > 1;
        let pegs = if several { ladder.effective_bottleneck } else { ladder.levels.rank() };
        let mut capacity: Vec<usize> = ladder.levels.multiplicities().collect();
        capacity.push(pegs);
        let mut squares = ladder.levels.relative_squares();
        squares.push(0.0);
        let places = capacity.iter().enumerate().flat_map(|(level, &m)| std::iter::repeat_n(level, m));
        let start: Vec<usize> = places.take(pegs).collect();
        // With one layer there is nothing but the lowest rung: no peg may move.
        let last = squares.len();
        let root = Node { parent: 0, peg: pegs, level: last, next: last + 1, on_next: 0, key: 0.0 };
        let mut rungs = Self {
            ladder,
            capacity,
            squares,
            start: if several { start } else { Vec::new() },
            nodes: vec![root],
            heap: BinaryHeap::new(),
            known: BTreeMap::new(),
        };
        rungs.heap.push(Entry { key: 0.0, node: 0 });
        rungs
    }

    /// How many entries the heap was given so far: at most three for each rung, and one.
    pub fn pushes(&self) -> usize {
        self.nodes.len()
    }

    /// Moves `peg` to `level`, one below where it is, if there is room.
    fn push(&mut self, parent: usize, peg: usize, level: usize, next: usize, on_next: usize) {
        let there = if level == next { on_next } else { 0 };
        if level > next || level >= self.squares.len() || there >= self.capacity[level] {
            return;
        }
        let key = self.nodes[parent].key + (self.squares[level - 1] - self.squares[level]);
        let node = self.nodes.len();
        self.nodes.push(Node { parent, peg, level, next, on_next, key });
        self.heap.push(Entry { key, node });
    }

    fn push_children(&mut self, at: usize) {
        let Node { peg, level, next, on_next, .. } = self.nodes[at];
        // The same peg, one level further.
        if at > 0 {
            self.push(at, peg, level + 1, next, on_next);
        }
        // The peg before it leaves its place.
        let Some(before) = peg.checked_sub(1).filter(|&before| before < self.start.len()) else { return };
        let home = self.start[before];
        let on_level = if level == next { on_next + 1 } else { 1 };
        self.push(at, before, home + 1, level, on_level);
        // Or the last peg of the level above joins those that stay.
        if at == 0 || self.start[peg] == home {
            let first = self.start.partition_point(|&place| place < home);
            if let Some(above) = first.checked_sub(1) {
                self.push(at, above, home, home, peg - first);
            }
        }
    }

    fn pattern(&self, mut node: usize) -> Vec<usize> {
        let levels = self.capacity.len() - 1;
        let mut pattern = self.ladder.top(if self.start.is_empty() { self.capacity[levels] } else { self.start.len() });
        pattern.push(self.capacity[levels]);
        while node > 0 {
            let Node { parent, level, .. } = self.nodes[node];
            // The last move comes first here, so a count may be negative in between.
            pattern[level - 1] = pattern[level - 1].wrapping_sub(1);
            pattern[level] = pattern[level].wrapping_add(1);
            node = parent;
        }
        pattern.truncate(levels);
        pattern
    }
}

impl Iterator for Rungs<'_> {
    type Item = Rung;

    fn next(&mut self) -> Option<Rung> {
        let Entry { node, .. } = self.heap.pop()?;
        self.push_children(node);
        let pattern = self.pattern(node);
        Some(Rung::new(self.ladder, pattern, &mut self.known))
    }
}
