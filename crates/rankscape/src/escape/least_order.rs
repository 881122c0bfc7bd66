//! The path of the lowest order out of a non-strict saddle (`docs/escape.md`, *The lowest order*).
//!
//! A wrapping string with gap `a..b` is felt once the bars that cover the gap are strung together. With bars `I_1, ..., I_n`
//! that cover it and the layers `k_0 = a`, `k_i = end(I_i) + 1`, `k_n = b + 1`, take `W_{k_i} += t y_i x_i'` with
//!
//! - `x_0`, `y_n` such that `x_0' P(k_0 - 1, 0) G' P(h, k_n) y_n` is large;
//! - `x_i`, `y_{i-1}` such that the links `x_i' P(k_i - 1, k_{i-1}) y_{i-1}` are, `x_i` a left null vector of `P(k_i - 1, 0) X` and
//!   `y_{i-1}` a null vector of `P(h, k_{i-1})`; but any vector where the bar `I_i` starts at 0, or ends at `h`.
//!
//! The loss changes first by the product of these numbers times `t^{n+1}`, with the sign of choice, plus, where `x_1` and
//! `y_{n-1}` are both free and `n <= 3`, half the square of what the steps between them do to the product. Two
//! bars that both reach an end ([`Covering::bound`]) take their middle step at second order, which gives order 4.

use num_traits::{One, Signed};

use super::change::{Landscape, Steps};
use crate::hessian::StringRanks;
use crate::linalg::{Algebra, power_of_two_near};
use crate::multiplication::{Barcode, Covering, Gap};

/// Null spaces at a point, and the largest pair of a matrix.
pub(super) trait NullSpaces<M> {
    /// Columns `N` with `N' P(k, 0) X = 0`; `None` if there are none.
    fn not_reached(&mut self, k: usize) -> Option<M>;
    /// Columns `K` with `P(h, k) K = 0`; `None` if there are none.
    fn not_seen(&mut self, k: usize) -> Option<M>;
    /// `P(j, i)`.
    fn partial(&self, j: usize, i: usize) -> M;
    /// Columns `x`, `y` with `x' m y` the largest there is, or nearly.
    fn largest_pair(&self, m: &M) -> (M, M);
}

/// A gap of a wrapping string, and the bars that cover it.
#[derive(Debug, Clone)]
pub(super) struct Crossing {
    gap: Gap,
    covering: Covering,
}

impl Crossing {
    /// The one of the lowest order, and of several the widest. `None` where no string wraps, or ranks contradict one another.
    pub(super) fn least(ranks: &StringRanks) -> Option<Self> {
        let barcode = Barcode::new(ranks.profile())?;
        let gaps = ranks.wrapped_decisions().filter(|(_, decision)| decision.rank > 0);
        let gaps = gaps.map(|((s, t), _)| Gap { first: t + 1, last: s - 1 });
        let found = gaps.filter_map(|gap| Some(Self { gap, covering: barcode.covering(gap)? }));
        found.min_by_key(|found| (found.order(), found.gap.first + ranks.profile().depth() - found.gap.last))
    }

    /// The lowest order of any path out of a non-strict saddle.
    pub(super) fn order(&self) -> usize {
        self.covering.order()
    }

    /// `k_0, ..., k_n`.
    fn layers(&self) -> Vec<usize> {
        let Covering { bars, .. } = &self.covering;
        let inner = bars[..bars.len() - 1].iter().map(|bar| bar.to + 1);
        std::iter::once(self.gap.first).chain(inner).chain([self.gap.last + 1]).collect()
    }

    /// Size of step `i`, where the square competes with what is felt at size 1 in this `ratio`: a power of two that leaves at
    /// least half of what is felt.
    fn size_of_step(&self, i: usize, ratio: Option<f64>) -> f64 {
        let last = self.covering.bars.len();
        match ratio.filter(|&ratio| ratio > 0.0) {
            Some(ratio) if self.covering.bound && i == 1 => (-1.0 - ratio.log2()).floor().exp2(),
            Some(ratio) if last == 3 && (i == 0 || i == last) => (0.5 * (1.0 + ratio.log2())).ceil().max(0.0).exp2(),
            _ => 1.0,
        }
    }

    /// The first bar starts at node 0, so `x_1` is free; the last one ends at `h`, so `y_{n-1}` is.
    fn free_ends(&self, depth: usize) -> (bool, bool) {
        let bars = &self.covering.bars;
        (bars[0].from == 0, bars[bars.len() - 1].to == depth)
    }
}

/// The vectors of a path, each a column.
struct Vectors<M: Algebra> {
    x: Vec<M>,
    y: Vec<M>,
    /// `x_0' P(k_0 - 1, 0) G' P(h, k_n) y_n` times all links.
    felt: M::Number,
    /// The links between `x_1` and `y_{n-1}`.
    between: M::Number,
}

/// The path; `None` where a null space that the ranks promise is not there.
pub(super) fn least_path<M>(
    landscape: &Landscape<'_, M>,
    spaces: &mut impl NullSpaces<M>,
    crossing: &Crossing,
) -> Option<Steps<M>>
where
    M: Algebra,
    M::Number: Signed,
{
    let layers = crossing.layers();
    let vectors = vectors(landscape, spaces, crossing, &layers)?;
    let (start, end) = crossing.free_ends(landscape.depth());
    let square = if start && end { square_between(landscape, spaces, &layers, &vectors) } else { None };
    let ratio = square.map(|square| M::to_f64(&square) / M::to_f64(&vectors.felt.abs()));
    let size = |i: usize| M::number(crossing.size_of_step(i, ratio.filter(|ratio| ratio.is_finite())));
    let sign = if vectors.felt.is_negative() { M::Number::one() } else { -M::Number::one() };
    let last = layers.len() - 1;
    let mut first: Vec<Option<M>> = vec![None; landscape.depth()];
    let mut second = first.clone();
    for (i, &k) in layers.iter().enumerate() {
        let size = if i == last { size(i) * sign.clone() } else { size(i) };
        let step = vectors.y[i].times(&vectors.x[i].transposed()).scaled_by(&size);
        let place = if crossing.covering.bound && i == 1 { &mut second } else { &mut first };
        place[k - 1] = Some(step);
    }
    let steps = [(1, first), (2, second)].into_iter();
    Some(steps.filter(|(_, steps)| steps.iter().any(Option::is_some)).collect())
}

fn vectors<M: Algebra>(
    landscape: &Landscape<'_, M>,
    spaces: &mut impl NullSpaces<M>,
    crossing: &Crossing,
    layers: &[usize],
) -> Option<Vectors<M>> {
    let (depth, n) = (landscape.depth(), layers.len() - 1);
    let wrapped = spaces.partial(layers[0] - 1, 0).times(&landscape.gradient.transposed());
    let wrapped = wrapped.times(&spaces.partial(depth, layers[n]));
    let (first, last) = spaces.largest_pair(&wrapped);
    let (first, last) = (unit_size(&first), unit_size(&last));
    let mut felt = first.inner(&wrapped.times(&last));
    let (free_start, free_end) = crossing.free_ends(depth);
    let (mut x, mut y, mut between) = (vec![first], Vec::new(), M::Number::one());
    for i in 1..=n {
        let link = spaces.partial(layers[i] - 1, layers[i - 1]);
        let (rows, cols) = link.shape();
        let left = if i == 1 && free_start { M::identity_of(rows) } else { spaces.not_reached(layers[i] - 1)? };
        let right = if i == n && free_end { M::identity_of(cols) } else { spaces.not_seen(layers[i - 1])? };
        let (a, b) = spaces.largest_pair(&left.transposed().times(&link).times(&right));
        let (a, b) = (unit_size(&left.times(&a)), unit_size(&right.times(&b)));
        let size = a.inner(&link.times(&b));
        felt = felt * size.clone();
        if 1 < i && i < n {
            between = between * size;
        }
        x.push(a);
        y.push(b);
    }
    y.push(last);
    Some(Vectors { x, y, felt, between })
}

/// Half the square of what the steps `1..n-1` do to the product.
fn square_between<M: Algebra>(
    landscape: &Landscape<'_, M>,
    spaces: &impl NullSpaces<M>,
    layers: &[usize],
    vectors: &Vectors<M>,
) -> Option<M::Number> {
    let n = layers.len() - 1;
    let (first, last) = (vectors.x.get(1)?, vectors.y.get(n.checked_sub(1)?)?);
    let output = spaces.partial(landscape.depth(), layers[n - 1]).times(last);
    let input = first.transposed().times(&spaces.partial(layers[1] - 1, 0));
    let image = landscape.gram.map_or_else(|| input.clone(), |gram| input.times(gram));
    let links = vectors.between.clone() * vectors.between.clone();
    Some(M::number(0.5) * output.inner(&output) * image.inner(&input) * links)
}

/// A column divided by a power of two near its norm.
fn unit_size<M: Algebra>(column: &M) -> M {
    let size = M::to_f64(&column.inner(column)).sqrt();
    column.scaled_by(&M::number(1.0 / power_of_two_near(size)))
}
