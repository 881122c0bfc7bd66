//! Rungs in order of value.
//!
//! A rung is a count for every slot (a level with one of its roots, in order). Once the first slots are filled, the lowest
//! completion is known: of the levels that follow, those that pay, as many as there is room for. So every rung is reached
//! from the lowest one by deviations: at a slot one direction fewer or one more, then the lowest completion again. A heap
//! holds deviations that were not followed yet; those that cannot be among the first `most` are dropped.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::level::DecayLevel;
use super::rung::Taken;

/// A deviation from a listed rung: the same counts before `slot`, then `count` there, and more only if `open`.
#[derive(Debug, Clone, Copy)]
struct Deviation {
    key: f64,
    order: usize,
    parent: usize,
    slot: usize,
    count: usize,
    open: bool,
}

impl Ord for Deviation {
    /// The heap yields its largest entry: the smallest key, then the oldest.
    fn cmp(&self, other: &Self) -> Ordering {
        other.key.total_cmp(&self.key).then(other.order.cmp(&self.order))
    }
}

impl PartialOrd for Deviation {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Deviation {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Deviation {}

/// Where the filling of slots is.
#[derive(Debug, Clone, Copy)]
struct State {
    slot: usize,
    /// Directions in this slot.
    count: usize,
    /// Directions of this level before it, and in all slots.
    in_level: usize,
    used: usize,
    /// Gains so far.
    gain: f64,
}

struct Search<'a> {
    levels: &'a [DecayLevel],
    gains: Vec<[Option<f64>; 2]>,
    most_captured: usize,
    /// First direction of every level.
    starts: Vec<usize>,
    /// Sums of the negative gains of large roots, direction by direction; they come first.
    best: Vec<f64>,
}

/// The first `most` patterns by value, up to rounding errors; `unit` is the size of the singular values.
pub(super) fn lowest(levels: &[DecayLevel], most_captured: usize, most: usize, unit: f64) -> Vec<Vec<Taken>> {
    Search::new(levels, most_captured, unit).run(most)
}

impl<'a> Search<'a> {
    fn new(levels: &'a [DecayLevel], most_captured: usize, unit: f64) -> Self {
        let gains: Vec<[Option<f64>; 2]> = levels.iter().map(|level| level.gains(unit)).collect();
        let (mut starts, mut best) = (Vec::new(), vec![0.0]);
        for (level, gains) in levels.iter().zip(&gains) {
            starts.push(best.len() - 1);
            for _ in 0..level.multiplicity {
                best.push(best[best.len() - 1] + gains[0].unwrap_or(0.0).min(0.0));
            }
        }
        starts.push(best.len() - 1);
        Self { levels, gains, most_captured, starts, best }
    }

    /// The smallest sum of gains of a completion.
    fn bound(&self, state: State, closed: bool) -> f64 {
        let level = state.slot / 2;
        let from = if state.slot.is_multiple_of(2) && !closed {
            self.starts[level] + state.count
        } else {
            self.starts[level + 1]
        };
        let to = (from + self.most_captured - state.used).min(self.best.len() - 1);
        state.gain + (self.best[to] - self.best[from])
    }

    /// The gain of one direction more in this slot, where there is room.
    fn more(&self, state: State) -> Option<f64> {
        let room =
            state.used < self.most_captured && state.in_level + state.count < self.levels[state.slot / 2].multiplicity;
        self.gains[state.slot / 2][state.slot % 2].filter(|_| room)
    }

    fn taken(state: State, gain: f64) -> State {
        State { count: state.count + 1, used: state.used + 1, gain: state.gain + gain, ..state }
    }

    fn next(state: State) -> State {
        let in_level = if state.slot.is_multiple_of(2) { state.count } else { 0 };
        State { slot: state.slot + 1, count: 0, in_level, ..state }
    }

    /// The state after the slots of a known pattern before `slot`, with `count` in that slot.
    fn resume(&self, pattern: &[usize], slot: usize, count: usize) -> State {
        let mut state = State { slot: 0, count: 0, in_level: 0, used: 0, gain: 0.0 };
        loop {
            let wanted = if state.slot == slot { count } else { pattern[state.slot] };
            while state.count < wanted {
                state = Self::taken(state, self.gains[state.slot / 2][state.slot % 2].unwrap_or(0.0));
            }
            if state.slot == slot {
                return state;
            }
            state = Self::next(state);
        }
    }

    fn run(&self, most: usize) -> Vec<Vec<Taken>> {
        let slots = 2 * self.levels.len();
        let mut heap = BinaryHeap::from([Deviation { key: 0.0, order: 0, parent: 0, slot: 0, count: 0, open: true }]);
        let (mut patterns, mut order, mut limit): (Vec<Vec<usize>>, usize, f64) = (Vec::new(), 0, f64::INFINITY);
        while patterns.len() < most
            && let Some(from) = heap.pop()
        {
            let parent = patterns.get(from.parent).cloned().unwrap_or_default();
            let mut pattern = parent[..from.slot.min(parent.len())].to_vec();
            let Deviation { slot, count, mut open, .. } = from;
            if slots > 0 {
                let mut state = self.resume(&parent, slot, count);
                while state.slot < slots {
                    let more = self.more(state).filter(|_| open).map(|gain| Self::taken(state, gain));
                    open = true;
                    let (stop, go) = (self.bound(state, true), more.map(|more| self.bound(more, false)));
                    let follow = more.filter(|_| go.is_some_and(|go| go < stop));
                    if let (Some(go), Some(more)) = (go, more) {
                        order += 1;
                        let (key, count, open) =
                            if follow.is_some() { (stop, state.count, false) } else { (go, more.count, true) };
                        if key <= limit {
                            heap.push(Deviation { key, order, parent: patterns.len(), slot: state.slot, count, open });
                        }
                    }
                    state = match follow {
                        Some(more) => more,
                        None => {
                            pattern.push(state.count);
                            Self::next(state)
                        }
                    };
                }
            }
            patterns.push(pattern);
            if heap.len() > 4 * most {
                let mut kept = std::mem::take(&mut heap).into_sorted_vec();
                // The smallest keys first.
                kept.reverse();
                kept.truncate(most);
                limit = kept.last().map_or(limit, |last| last.key);
                heap = kept.into();
            }
        }
        let taken =
            |pattern: &Vec<usize>| pattern.chunks(2).map(|pair| Taken { large: pair[0], small: pair[1] }).collect();
        patterns.iter().map(taken).collect()
    }
}
