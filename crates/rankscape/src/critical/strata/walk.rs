//! All ways to fill the nodes with strings of which a given number wraps: visited one by one, or counted.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use num_bigint::BigUint;
use num_traits::Zero;

use super::stratum::CyclicBar;

/// Types of strings, in the order in which their multiplicities are chosen: those that wrap, then segments by first node;
/// the last of each group is forced, since the nodes it takes are taken by no later choice.
fn string_types(depth: usize) -> Vec<CyclicBar> {
    let bar = |from, to| CyclicBar { from, to, multiplicity: 0 };
    let wrapping = (0..depth).rev().flat_map(|to| (to + 2..=depth).map(move |from| bar(from, to)));
    let segments = (0..=depth).flat_map(|from| (from..=depth).rev().map(move |to| bar(from, to)));
    wrapping.chain(segments.filter(|segment| segment.to - segment.from < depth)).collect()
}

/// Choices of a multiplicity for each type of string, one type after the other.
pub(super) struct Walk {
    depth: usize,
    types: Vec<CyclicBar>,
}

type Memory = BTreeMap<(usize, usize, Vec<usize>), BigUint>;

impl Walk {
    pub(super) fn new(depth: usize) -> Self {
        Self { depth, types: string_types(depth) }
    }

    /// Shows every choice for `wraps` strings that wrap and `room[k]` strings through node `k`.
    pub(super) fn visit(
        &self,
        wraps: usize,
        mut room: Vec<usize>,
        mut show: impl FnMut(&[CyclicBar]) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        self.visit_from(0, wraps, &mut room, &mut Vec::new(), &mut show)
    }

    /// Number of choices; `None` when more than `states` partial sums would have to be remembered.
    pub(super) fn count(&self, wraps: usize, mut room: Vec<usize>, states: usize) -> Option<BigUint> {
        self.count_from(0, wraps, &mut room, &mut BTreeMap::new(), states)
    }

    /// Multiplicities that type number `at` may have with `room` left at the nodes and `wraps` strings still to wrap.
    fn choices(&self, at: usize, wraps: usize, room: &[usize]) -> std::ops::RangeInclusive<usize> {
        let bar = self.types[at];
        let free = (0..=self.depth).filter(|&node| bar.contains(node)).map(|node| room[node]).min().unwrap_or(0);
        if bar.wraps() {
            let forced = (bar.from, bar.to) == (self.depth, 0);
            if forced { wraps..=wraps.min(free) } else { 0..=wraps.min(free) }
        } else if bar.from == bar.to {
            free..=free
        } else {
            0..=free
        }
    }

    fn take(&self, at: usize, count: usize, room: &mut [usize], back: bool) {
        for node in (0..=self.depth).filter(|&node| self.types[at].contains(node)) {
            room[node] = if back { room[node] + count } else { room[node] - count };
        }
    }

    fn visit_from(
        &self,
        at: usize,
        wraps: usize,
        room: &mut [usize],
        chosen: &mut Vec<CyclicBar>,
        show: &mut impl FnMut(&[CyclicBar]) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Some(&bar) = self.types.get(at) else {
            return if wraps == 0 { show(chosen) } else { ControlFlow::Continue(()) };
        };
        for multiplicity in self.choices(at, wraps, room) {
            self.take(at, multiplicity, room, false);
            chosen.push(CyclicBar { multiplicity, ..bar });
            let left = if bar.wraps() { wraps - multiplicity } else { wraps };
            let flow = self.visit_from(at + 1, left, room, chosen, show);
            chosen.pop();
            self.take(at, multiplicity, room, true);
            flow?;
        }
        ControlFlow::Continue(())
    }

    fn count_from(
        &self,
        at: usize,
        wraps: usize,
        room: &mut [usize],
        memory: &mut Memory,
        states: usize,
    ) -> Option<BigUint> {
        let Some(&bar) = self.types.get(at) else { return Some(BigUint::from(usize::from(wraps == 0))) };
        let key = (at, wraps, room.to_vec());
        if let Some(known) = memory.get(&key) {
            return Some(known.clone());
        }
        let mut total = BigUint::zero();
        for multiplicity in self.choices(at, wraps, room) {
            self.take(at, multiplicity, room, false);
            let left = if bar.wraps() { wraps - multiplicity } else { wraps };
            let found = self.count_from(at + 1, left, room, memory, states);
            self.take(at, multiplicity, room, true);
            total += found?;
        }
        if memory.len() >= states {
            return None;
        }
        memory.insert(key, total.clone());
        Some(total)
    }
}
