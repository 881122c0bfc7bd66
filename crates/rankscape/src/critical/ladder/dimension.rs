//! Dimension of the set of critical points with one given whitened product.
//!
//! Over a product of rank `e` a critical point is a splitting of every inner space into the captured part and a
//! complement, and on the complements, of dimensions `c_k = d_k - e`, a direct sum of strings, `g` of them through the
//! residual (`docs/inertia.md`, 3.2 and 3.4). There are finitely many types of sums, each is an orbit, and the
//! dimension of an orbit is an Euler form. The largest one is a minimum-cost flow with convex costs: `docs/ladder.md`
//! proves it.

/// Dimension of the critical points in whitened parameters over one product of rank `rank`, when the residual has rank
/// `omitted`; `widths` are the whitened ones, the first is the rank of `X`.
pub(super) fn over_one_product(widths: &[usize], rank: usize, omitted: usize) -> usize {
    let spare: Vec<usize> = widths.iter().map(|d| d - rank).collect();
    let inner = &widths[1..widths.len() - 1];
    let splittings: usize = inner.iter().map(|d| rank * (2 * d - rank)).sum();
    let blocks: usize = spare.windows(2).map(|pair| pair[0] * pair[1]).sum();
    splittings + blocks - codimension(&spare, omitted)
}

/// Codimension of the blocks `(Z_1, ..., Z_h)`, `Z_k` of shape `c_k x c_{k-1}`, that satisfy `Z_h ... Z_1 = 0` and
/// `Z_{k-1} ... Z_1 G' Z_h ... Z_{k+1} = 0` for every `k`, with `G'` fixed of rank `omitted`:
///
/// `min 1/2 [ sum_{v=1}^h (T_v^2 + 2 c_v T_v) + sum_{v=1}^{h-1} (R_v^2 + 2 c_v R_v) - c_0^2 - omitted^2 ]`
///
/// over `sum T = c_0`, `sum R = omitted` with `T_1 + ... + T_v - R_1 - ... - R_{v-1} >= max(R_v, c_0 - c_v)` for every
/// inner `v`. (`T_v`: strings through node 0 that end at node `v - 1`; `R_v`: those through the residual that start at
/// `v + 1`.)
fn codimension(spare: &[usize], omitted: usize) -> usize {
    if let &[inputs, outputs] = spare {
        // One layer: Z_1 = 0.
        return inputs * outputs;
    }
    if spare.contains(&0) {
        // Every composite passes through a space of dimension 0.
        return 0;
    }
    let least = Flow::new(spare, omitted).least_cost();
    let constant = (spare[0] * spare[0] + omitted * omitted) as i128;
    usize::try_from((least - constant) / 2).unwrap_or(0)
}

/// Units that run from the source through nodes `1..=h` in order and leave at an inner node or at `h`.
struct Flow {
    edges: Vec<Edge>,
    nodes: usize,
    units: usize,
}

struct Edge {
    from: usize,
    to: usize,
    capacity: usize,
    flow: usize,
    cost: Cost,
}

/// Marginal cost of the next unit, twice that of the formula.
enum Cost {
    /// Of `x^2 + 2 c x`.
    Convex(i128),
    /// This much for each of the first units, nothing after.
    First(usize, i128),
}

impl Edge {
    fn marginal(&self, unit: usize) -> i128 {
        match self.cost {
            Cost::Convex(width) => 2 * width + 2 * unit as i128 + 1,
            Cost::First(count, reward) => {
                if unit < count {
                    reward
                } else {
                    0
                }
            }
        }
    }
}

const SOURCE: usize = 0;
const SINK: usize = 1;
const HUB: usize = 2;

impl Flow {
    fn new(spare: &[usize], omitted: usize) -> Self {
        let h = spare.len() - 1;
        let (enter, leave) = (|v: usize| 2 * v + 1, |v: usize| 2 * v + 2);
        let units = spare[0];
        let mut edges = Vec::new();
        let mut edge = |from, to, capacity, cost| edges.push(Edge { from, to, capacity, flow: 0, cost });
        for v in 1..=h {
            edge(SOURCE, enter(v), units, Cost::Convex(spare[v] as i128));
        }
        let widest = spare.iter().copied().max().unwrap_or(0);
        // More than everything else can cost, so that the lower bounds on the nodes hold.
        let reward = -8 * (units as i128 + 1) * (widest as i128 + units as i128 + 1);
        for v in 1..h {
            edge(enter(v), leave(v), units, Cost::First(units.saturating_sub(spare[v]), reward));
            edge(leave(v), enter(v + 1), units, Cost::First(0, 0));
            edge(leave(v), HUB, omitted, Cost::Convex(spare[v] as i128));
        }
        edge(enter(h), SINK, units - omitted, Cost::First(0, 0));
        edge(HUB, SINK, omitted, Cost::First(0, 0));
        Self { edges, nodes: 2 * h + 3, units }
    }

    /// Twice the least cost without the rewards: shortest augmenting paths, one unit each.
    fn least_cost(mut self) -> i128 {
        for _ in 0..self.units {
            for (edge, forward) in self.shortest_path() {
                let flow = &mut self.edges[edge].flow;
                *flow = if forward { *flow + 1 } else { *flow - 1 };
            }
        }
        let convex = self.edges.iter().filter(|edge| matches!(edge.cost, Cost::Convex(_)));
        convex.flat_map(|edge| (0..edge.flow).map(|unit| edge.marginal(unit))).sum()
    }

    /// Bellman and Ford on the residual graph: the edges of a cheapest path, and whether each is used forward.
    fn shortest_path(&self) -> Vec<(usize, bool)> {
        let mut distance: Vec<Option<i128>> = vec![None; self.nodes];
        let mut reached: Vec<Option<(usize, bool)>> = vec![None; self.nodes];
        distance[SOURCE] = Some(0);
        let mut changed = true;
        while changed {
            changed = false;
            for (k, edge) in self.edges.iter().enumerate() {
                let forward = (edge.flow < edge.capacity).then(|| (edge.from, edge.to, edge.marginal(edge.flow), true));
                let back = (edge.flow > 0).then(|| (edge.to, edge.from, -edge.marginal(edge.flow - 1), false));
                for (from, to, cost, is_forward) in forward.into_iter().chain(back) {
                    let Some(through) = distance[from].map(|d| d + cost) else { continue };
                    if distance[to].is_none_or(|d| through < d) {
                        distance[to] = Some(through);
                        reached[to] = Some((k, is_forward));
                        changed = true;
                    }
                }
            }
        }
        let mut path = Vec::new();
        let mut node = SINK;
        while let Some((k, forward)) = reached[node] {
            path.push((k, forward));
            node = if forward { self.edges[k].from } else { self.edges[k].to };
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `hom(I, J)` of two strings on the cycle `0 -> 1 -> ... -> h -> 0`, each a list of consecutive nodes.
    fn hom(i: &[usize], j: &[usize]) -> usize {
        usize::from(j.contains(&i[0]) && i.contains(&j[j.len() - 1]))
    }

    struct Search {
        strings: Vec<Vec<usize>>,
        counts: Vec<usize>,
        smallest: usize,
    }

    impl Search {
        /// The smallest dimension of the endomorphisms over all sums of strings with these dimensions.
        fn run(&mut self, at: usize, left: &mut [usize], wrapping: usize) {
            if at == self.strings.len() {
                if left.iter().all(|&c| c == 0) && wrapping == 0 {
                    let used: Vec<usize> = (0..at).filter(|&k| self.counts[k] > 0).collect();
                    let pairs = used.iter().flat_map(|&a| used.iter().map(move |&b| (a, b)));
                    let size = pairs
                        .map(|(a, b)| self.counts[a] * self.counts[b] * hom(&self.strings[a], &self.strings[b]))
                        .sum();
                    self.smallest = self.smallest.min(size);
                }
                return;
            }
            let string = self.strings[at].clone();
            let wraps = string.windows(2).any(|pair| pair[1] < pair[0]);
            let room = string.iter().map(|&v| left[v]).min().unwrap();
            for count in 0..=if wraps { room.min(wrapping) } else { room } {
                self.counts[at] = count;
                string.iter().for_each(|&v| left[v] -= count);
                self.run(at + 1, left, if wraps { wrapping - count } else { wrapping });
                string.iter().for_each(|&v| left[v] += count);
            }
            self.counts[at] = 0;
        }
    }

    /// The largest orbit among all sums of strings, one by one.
    fn largest_orbit(spare: &[usize], omitted: usize) -> usize {
        let h = spare.len() - 1;
        let arc = |start: usize, length: usize| (0..length).map(|k| (start + k) % (h + 1)).collect();
        let strings: Vec<Vec<usize>> =
            (0..=h).flat_map(|start| (1..=h).map(move |length| arc(start, length))).collect();
        let counts = vec![0; strings.len()];
        let mut search = Search { strings, counts, smallest: usize::MAX };
        search.run(0, &mut spare.to_vec(), omitted);
        let squares: usize = spare.iter().map(|c| c * c).sum();
        squares - search.smallest - omitted * (spare[0] + spare[h] - omitted)
    }

    #[test]
    fn flow_finds_the_largest_orbit_among_all_sums_of_strings() {
        let mut cases = 0;
        for (h, widest) in [(2, 4), (3, 3), (4, 2)] {
            for code in 0..(widest + 1usize).pow(h as u32 + 1) {
                let spare: Vec<usize> =
                    (0..=h).map(|k| code / (widest + 1usize).pow(k as u32) % (widest + 1)).collect();
                // The largest number of nodes at full dimension takes long and adds nothing.
                if spare.iter().sum::<usize>() > 9 {
                    continue;
                }
                for omitted in 0..=spare[0].min(spare[h]) {
                    let blocks: usize = spare.windows(2).map(|pair| pair[0] * pair[1]).sum();
                    let expected = blocks - largest_orbit(&spare, omitted);
                    assert_eq!(codimension(&spare, omitted), expected, "{spare:?} {omitted}");
                    let back: Vec<usize> = spare.iter().rev().copied().collect();
                    assert_eq!(codimension(&back, omitted), expected, "transposed {spare:?} {omitted}");
                    cases += 1;
                }
            }
        }
        assert!(cases > 900, "{cases}");
    }

    #[test]
    fn one_layer_has_one_critical_point_over_a_product() {
        for (widths, rank) in [([1, 3], 0), ([2, 2], 1), ([4, 3], 2), ([3, 3], 3)] {
            assert_eq!(over_one_product(&widths, rank, 0), 0, "{widths:?} {rank}");
        }
    }

    #[test]
    fn large_widths_are_quick() {
        assert_eq!(codimension(&[774, 246, 54, 10], 0), codimension(&[10, 54, 246, 774], 0));
        assert!(codimension(&[774, 246, 54, 10], 10) > 0);
    }
}
