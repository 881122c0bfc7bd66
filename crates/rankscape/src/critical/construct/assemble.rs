//! Factors from strings and end frames.

use num_traits::{One, Zero};

use super::frame::Frame;
use super::random::RandomMatrix;
use crate::critical::strata::{CyclicBar, Stratum};
use crate::linalg::Algebra;
use crate::random::Stream;

/// `W_k = B_k A_k B_{k-1}^{-1}`: `A_k` moves every string along, `B_k` is the basis of node `k`.
///
/// Without a stream the inner bases are unit vectors and the end frames are used as they are. With one, all freedom of
/// the stratum over the frame is used: the inner bases are random, and so are the end vectors of the strings of the
/// complement, as far as `G'` allows.
pub(super) fn assemble<M: RandomMatrix>(stratum: &Stratum, frame: &Frame<M>, stream: Option<&mut Stream>) -> Vec<M> {
    let h = stratum.depth();
    let strings = expanded(stratum);
    let mut bases: Vec<(M, M)> = (1..h).map(|k| same(&M::identity_of(stratum.width(k)))).collect();
    let (mut start, mut end) = (M::identity_of(stratum.width(0)), M::identity_of(stratum.width(h)));
    if let Some(stream) = stream {
        bases = (1..h).map(|k| M::invertible(stream, stratum.width(k))).collect();
        (start, end) = end_mixtures(frame, stratum, stream);
    }
    let mut factors: Vec<M> = (1..=h).map(|k| arrow::<M>(&strings, k)).collect();
    for (node, (basis, inverse)) in bases.iter().enumerate() {
        factors[node] = basis.times(&factors[node]);
        factors[node + 1] = factors[node + 1].times(inverse);
    }
    factors[0] = factors[0].times(&start.times(&frame.inputs));
    factors[h - 1] = frame.outputs.times(&end).times(&factors[h - 1]);
    factors
}

/// Adds to `W_1` random combinations of rows that the data do not see.
pub(super) fn add_unseen<M: RandomMatrix>(factors: &mut [M], frame: &Frame<M>, stream: &mut Stream) {
    let (rows, unseen) = (factors[0].shape().0, &frame.unseen);
    let noise = M::from_fn(rows, unseen.shape().0, |_, _| M::noise(stream));
    factors[0] = factors[0].plus(&noise.times(unseen));
}

/// Gives the strings `[1..h]` inputs of their own that the data do not see, as many as there are: their surplus can be balanced.
pub(super) fn continue_unseen<M: Algebra>(factors: &mut [M], stratum: &Stratum, frame: &Frame<M>) {
    let strings = expanded(stratum);
    let at_first = strings.iter().filter(|string| string.contains(1)).enumerate();
    let rows = at_first.filter(|(_, string)| (string.from, string.to) == (1, stratum.depth())).map(|(row, _)| row);
    for (row, input) in rows.zip(0..frame.unseen.shape().0) {
        let unit = |i, j| if (i, j) == (row, input) { M::Number::one() } else { M::Number::zero() };
        let place = M::from_fn(factors[0].shape().0, frame.unseen.shape().0, unit);
        factors[0] = factors[0].plus(&place.times(&frame.unseen));
    }
}

fn same<M: Clone>(m: &M) -> (M, M) {
    (m.clone(), m.clone())
}

/// Every string by itself: full ones, those that wrap, the others.
fn expanded(stratum: &Stratum) -> Vec<CyclicBar> {
    let full = CyclicBar { from: 0, to: stratum.depth(), multiplicity: stratum.rank() };
    let others = stratum.strings().iter().copied().filter(|bar| !bar.wraps());
    let groups = std::iter::once(full).chain(stratum.wrapped()).chain(others);
    groups.flat_map(|bar| std::iter::repeat_n(bar, bar.multiplicity)).collect()
}

/// The map from node `k - 1` to node `k` in the bases of the strings.
fn arrow<M: Algebra>(strings: &[CyclicBar], k: usize) -> M {
    let at = |node: usize| (0..strings.len()).filter(move |&id| strings[id].contains(node)).collect::<Vec<usize>>();
    let (before, after) = (at(k - 1), at(k));
    M::from_fn(after.len(), before.len(), |i, j| {
        let goes_on = after[i] == before[j] && strings[after[i]].spans(k - 1, k);
        if goes_on { M::Number::one() } else { M::Number::zero() }
    })
}

/// Mixtures of the rows at node 0 and of the columns at node `h` that keep `G'` in its place: with `M`, `N`, `N'`
/// invertible and `F`, `F'` free, rows `[[1,0,0],[0,M^-1,F'],[0,0,N']]` and columns `[[1,0,0],[0,M,0],[0,F,N]]`.
fn end_mixtures<M: RandomMatrix>(frame: &Frame<M>, stratum: &Stratum, stream: &mut Stream) -> (M, M) {
    let (e, g) = (frame.captured, frame.omitted);
    let (inputs, outputs) = (stratum.width(0), stratum.width(stratum.depth()));
    let (mix, unmix) = M::invertible(stream, g);
    let (zero_rows, _) = M::invertible(stream, inputs - e - g);
    let (zero_columns, _) = M::invertible(stream, outputs - e - g);
    let free_rows = M::from_fn(g, inputs - e - g, |_, _| M::noise(stream));
    let free_columns = M::from_fn(outputs - e - g, g, |_, _| M::noise(stream));
    let group = |at: usize| usize::from(at >= e) + usize::from(at >= e + g);
    let offset = [0, e, e + g];
    let start = M::from_fn(inputs, inputs, |i, j| match (group(i), group(j)) {
        (0, 0) if i == j => M::Number::one(),
        (1, 1) => unmix.entry(i - e, j - e),
        (1, 2) => free_rows.entry(i - e, j - offset[2]),
        (2, 2) => zero_rows.entry(i - offset[2], j - offset[2]),
        _ => M::Number::zero(),
    });
    let end = M::from_fn(outputs, outputs, |i, j| match (group(i), group(j)) {
        (0, 0) if i == j => M::Number::one(),
        (1, 1) => mix.entry(i - e, j - e),
        (2, 1) => free_columns.entry(i - offset[2], j - e),
        (2, 2) => zero_columns.entry(i - offset[2], j - offset[2]),
        _ => M::Number::zero(),
    });
    (start, end)
}
