//! Where the steps of a path through the kernels sit, and the lowest order that each such layout can have.
//!
//! A term of the gradient `B(t)` of block `i` that is of order `q` passes through `q` steps. Between two of them stands a
//! product of layers that must not kill the null vector it meets: `w_l' P(l, n)` with `w_l' P(l, a) = 0` is zero exactly
//! where `P(l, n)` has the rank of `P(l, a)`. Around the outermost two stands `P(k-1, 0) g' P(h, l)`. So the least number of
//! steps that carries anything is known from ranks alone, and is at most `q`.

use super::change::Landscape;
use super::kernels::{Spaces, norm};
use crate::linalg::Algebra;

/// Where the perturbations sit: `W_1, ..., W_bottom` below block `i`, `W_{top+1}, ..., W_h` above it; left null vectors are
/// those of `P(k, a)`, right ones those of `P(b, k)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Layout {
    pub block: usize,
    pub bottom: usize,
    pub top: usize,
    pub a: usize,
    pub b: usize,
}

impl Layout {
    /// All of them: a node `p` below block `i` that the lower perturbation ends at, and the same transposed.
    pub(super) fn all(depth: usize) -> impl Iterator<Item = Self> {
        let up = (0..depth)
            .flat_map(move |p| (p + 1..=depth).map(move |block| Self { block, bottom: p, top: block, a: p, b: depth }));
        let down =
            (1..depth).flat_map(|p| (1..=p).map(move |block| Self { block, bottom: block - 1, top: p, a: 0, b: p }));
        up.chain(down)
    }
}

/// A layout, its place among all, and an order that its path is not below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate {
    pub least_order: usize,
    pub place: usize,
    pub layout: Layout,
}

/// The layouts that can have a path, lowest possible order first and then in their order; no order is below `least`.
pub(super) fn candidates<M: Algebra>(
    landscape: &Landscape<'_, M>,
    spaces: &mut impl Spaces<M>,
    least: usize,
) -> Vec<Candidate> {
    let reach = Reach::new(landscape, spaces);
    let mut out: Vec<Candidate> = Layout::all(landscape.depth())
        .enumerate()
        .filter_map(|(place, layout)| {
            let steps = reach.fewest_steps(layout)?;
            Some(Candidate { least_order: (steps + 1).max(least), place, layout })
        })
        .collect();
    out.sort();
    out
}

/// How far one step carries from a node.
struct Reach {
    /// `up[a][n]`: the end of the highest layer whose step, with left null vectors of `P(., a)`, meets what comes from node `n`.
    up: Vec<Vec<Option<usize>>>,
    /// `down[b][n]`: the start of the lowest layer whose step, with right null vectors of `P(b, .)`, reaches node `n`.
    down: Vec<Vec<Option<usize>>>,
    /// For a node `j` the largest `i` with `P(i, 0) g' P(h, j)` not zero.
    wrapped: Vec<Option<usize>>,
}

impl Reach {
    fn new<M: Algebra>(landscape: &Landscape<'_, M>, spaces: &mut impl Spaces<M>) -> Self {
        let depth = landscape.depth();
        let ranks: Vec<Vec<usize>> =
            (0..=depth).map(|i| (0..=depth).map(|j| if i > j { 0 } else { spaces.rank(i, j) }).collect()).collect();
        let above = |a: usize, n: usize| (n..depth).rev().find(|&l| ranks[n][l] > ranks[a][l]).map(|l| l + 1);
        let below = |b: usize, n: usize| (1..=n).find(|&k| ranks[k][n] > ranks[k][b]).map(|k| k - 1);
        let nodes = || 0..=depth;
        Self {
            up: nodes().map(|a| nodes().map(|n| if a <= n { above(a, n) } else { None }).collect()).collect(),
            down: nodes().map(|b| nodes().map(|n| if n <= b { below(b, n) } else { None }).collect()).collect(),
            wrapped: wrapped(landscape, spaces),
        }
    }

    /// The least number of steps through which the gradient of the block can be carried; `None` where there is no way.
    fn fewest_steps(&self, layout: Layout) -> Option<usize> {
        let Layout { block, bottom, top, a, b } = layout;
        let next_up = |&n: &usize| self.up[a][n].filter(|&l| l > top);
        let next_down = |&n: &usize| self.down[b][n].filter(|&k| k < bottom);
        let lows: Vec<usize> = std::iter::successors(Some(block - 1), next_down).collect();
        let highs = std::iter::successors(Some(block), next_up);
        let steps = highs.enumerate().filter_map(|(above, high)| {
            let limit = self.wrapped[high]?;
            let below = lows.partition_point(|&low| low > limit);
            (below < lows.len()).then_some(above + below)
        });
        steps.min()
    }
}

/// For a node `j` the largest `i < j` with `P(i, 0) g' P(h, j)` not zero; where it is zero, so is that of every larger `i`.
fn wrapped<M: Algebra>(landscape: &Landscape<'_, M>, spaces: &impl Spaces<M>) -> Vec<Option<usize>> {
    let depth = landscape.depth();
    let mut out = vec![None; depth + 1];
    let mut after = landscape.gradient.transposed();
    let mut size = norm(landscape.gradient);
    for j in (1..=depth).rev() {
        let (mut word, mut word_size) = (after.clone(), size);
        for i in 0..j {
            if spaces.vanishes(&word, word_size) {
                break;
            }
            out[j] = Some(i);
            if i + 1 < j {
                word = landscape.layers[i].times(&word);
                word_size *= spaces.layer_size(i + 1);
            }
        }
        after = after.times(&landscape.layers[j - 1]);
        size *= spaces.layer_size(j);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::kernels::{kernel_path, kernel_path_in};
    use super::super::numerical::{Judgement, NumericalSpaces, WhiteLandscape};
    use super::*;
    use crate::data::Whitening;
    use crate::hessian::NormalizedNetwork;
    use crate::linalg::{Matrix, work};
    use crate::multiplication::Factors;
    use crate::random::Stream;
    use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

    fn network(layers: Vec<Matrix>, target: &Matrix) -> NormalizedNetwork {
        let (m, n) = target.shape();
        let tolerances = Tolerances::default();
        let white =
            Whitening::from_blocks(&Matrix::identity(n), &target.transpose(), &Matrix::zeros(m, m), &tolerances);
        NormalizedNetwork::new(&Factors::new(layers).unwrap(), &white)
    }

    fn judgement(tolerances: &Tolerances) -> Judgement<'_> {
        Judgement { unit_roundoff: UNIT_ROUNDOFF, tolerances, seed: 0 }
    }

    /// A critical point of `depth` layers made of strings, at random: `kept` of them go all the way, and each omitted direction
    /// of the target goes from a string that begins at node 0 to one that ends at node `depth` with a node between them.
    fn planted(depth: usize, stream: &mut Stream) -> (Vec<Matrix>, Matrix) {
        let last = depth as i64;
        let (kept, omitted) = (stream.integer(0, 1) as usize, stream.integer(1, 2) as usize);
        let mut bars: Vec<(usize, usize)> = vec![(0, depth); kept];
        for _ in 0..omitted {
            let end = stream.integer(0, last - 2);
            bars.extend([(0, end as usize), (stream.integer(end + 2, last) as usize, depth)]);
        }
        for _ in 0..stream.integer(0, 3) {
            let start = stream.integer(1, last - 1);
            bars.push((start as usize, stream.integer(start, last - 1) as usize));
        }
        bars.extend((1..depth).map(|node| (node, node)));
        let slots = |node: usize| -> Vec<usize> {
            (0..bars.len()).filter(|&b| bars[b].0 <= node && node <= bars[b].1).collect()
        };
        let layers = (1..=depth).map(|k| {
            let (before, after) = (slots(k - 1), slots(k));
            Matrix::from_fn(after.len(), before.len(), |i, j| f64::from(u8::from(after[i] == before[j])))
        });
        let (inputs, outputs) = (slots(0), slots(depth));
        let mut target = Matrix::from_fn(outputs.len(), inputs.len(), |i, j| {
            f64::from(u8::from(outputs[i] == inputs[j] && outputs[i] < kept))
        });
        for pair in 0..omitted {
            let (from, to) = (kept + 2 * pair, kept + 2 * pair + 1);
            let place = |slots: &[usize], bar: usize| slots.iter().position(|&b| b == bar).unwrap();
            target[(place(&outputs, to), place(&inputs, from))] = 0.5;
        }
        (layers.collect(), target)
    }

    /// The best path is that of a search which carries out every layout.
    #[test]
    fn no_layout_that_is_left_out_has_a_better_path() {
        let tolerances = Tolerances::default();
        let mut orders = [0; 12];
        for case in 0..120 {
            let mut stream = Stream::new(81, case);
            let (layers, target) = planted(2 + case as usize % 6, &mut stream);
            let network = network(layers, &target);
            assert!(network.is_critical(UNIT_ROUNDOFF, &tolerances), "{case}");
            let ground = WhiteLandscape::new(&network, judgement(&tolerances)).unwrap();
            let (landscape, u, v) = (ground.landscape(), &ground.u, &ground.v);
            let mut spaces = NumericalSpaces::new(&ground.factors, 1.0, judgement(&tolerances));
            let found = kernel_path(&landscape, &mut spaces, u, v, 2).unwrap();
            let all: Vec<_> = Layout::all(landscape.depth())
                .filter_map(|layout| {
                    spaces.draw_again();
                    kernel_path_in(&landscape, &mut spaces, u, v, layout)
                })
                .collect();
            let best = all.iter().map(|path| path.order).min().unwrap();
            let first = all.iter().find(|path| path.order == best).unwrap();
            assert_eq!((found.order, found.coefficient), (best, first.coefficient), "{case}");
            orders[best] += 1;
        }
        assert!(orders.iter().filter(|&&count| count > 5).count() >= 3, "{orders:?}");
    }

    /// Products and decompositions for the path out of the origin, and of a point with zeros and ones, of a chain of numbers.
    #[test]
    fn work_grows_at_most_with_the_square_of_the_depth() {
        let tolerances = Tolerances::default();
        let one = |x: f64| Matrix::from_rows(&[vec![x]]);
        for every in [1, 2, 5] {
            let cost = |depth: usize| {
                let layers = (0..depth).map(|k| one(if k % every == 0 { 0.0 } else { 1.0 })).collect();
                let network = network(layers, &one(2.0));
                let path = || {
                    let ground = WhiteLandscape::new(&network, judgement(&tolerances)).unwrap();
                    ground.kernel_path(judgement(&tolerances), 3).unwrap().order
                };
                let (order, products, decompositions) = work::counted(path);
                assert_eq!(order, depth.div_ceil(every));
                products + decompositions
            };
            let (short, long) = (cost(20), cost(40));
            assert!(long <= 4 * short, "{every}: {short} {long}");
            assert!(long <= 4 * 40 * 40, "{every}: {long}");
        }
    }
}
