//! Words: compositions of factors that vanish on the spare parts of a stratum, and the patterns made of them.
//!
//! After the captured part is split off, a critical point of a rung is a representation of the cyclic quiver
//! `0 -> 1 -> ... -> h -> 0`, whose last arrow is `G'`: every composition of `h` consecutive arrows is zero (docs/near.md).

/// A composition of consecutive arrows of the cyclic quiver that is zero on the spare parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Word {
    /// `P(to, from)`: it maps what the product does not capture into what the product has captured.
    Straight { to: usize, from: usize },
    /// `P(to, 0) G' P(h, from)`.
    Wrapped { to: usize, from: usize },
}

use Word::{Straight, Wrapped};

/// Words that are zero together; with `W X = P_S Z` every point where they are is critical.
pub(super) type Pattern = Vec<Word>;

/// Two arcs between the nodes `a < b`: `P(b, a)` and `P(a, 0) G' P(h, b)` are zero, and every composition of `h` arrows
/// contains one of them. The last pattern is these compositions themselves: where several units are spare, different ones may
/// be cut at different places.
pub(super) fn strict(depth: usize) -> Vec<Pattern> {
    let pairs = pairs(0, depth).filter(|&pair| pair != (0, depth));
    let arcs = pairs.map(|(a, b)| vec![Straight { to: b, from: a }, Wrapped { to: a, from: b }]);
    let whole = std::iter::once(Straight { to: depth, from: 0 });
    let all = whole.chain((1..=depth).map(|k| Wrapped { to: k - 1, from: k })).collect();
    arcs.chain(std::iter::once(all)).collect()
}

/// Three arcs: whichever two of the arrows `1..h` are removed, one of the arcs stays whole, so that every pivot is
/// tightened. The arrow `G'` is never removed and may belong to two arcs at once. At odd depths from 5 on the same is true of
/// all arcs of `(h - 1) / 2` arrows, without one that vanishes more than these.
pub(super) fn non_strict(depth: usize) -> Vec<Pattern> {
    let inner = || pairs(1, depth - 1);
    let at_the_ends = inner()
        .map(|(b, c)| vec![Straight { to: c, from: b }, Wrapped { to: b, from: depth }, Wrapped { to: 0, from: c }]);
    let inside = inner().flat_map(|(a, b)| {
        (b + 1..depth)
            .map(move |c| vec![Straight { to: b, from: a }, Straight { to: c, from: b }, Wrapped { to: a, from: c }])
    });
    let uniform = (depth >= 5 && depth % 2 == 1).then(|| arcs_of(depth, (depth - 1) / 2));
    at_the_ends.chain(inside).chain(uniform).collect()
}

/// All arcs of `length` of the arrows `1..h`, with `G'` where they pass it.
fn arcs_of(depth: usize, length: usize) -> Pattern {
    let arc = |from: usize| match from + length {
        to if from == 0 => Wrapped { to, from: depth },
        to if to < depth => Straight { to, from },
        to => Wrapped { to: to - depth, from },
    };
    (0..depth).map(arc).collect()
}

/// Where nothing is left to capture only the product matters: the whole of it, or one arrow.
pub(super) fn fiber(depth: usize) -> Vec<Pattern> {
    let whole = std::iter::once(vec![Straight { to: depth, from: 0 }]);
    let arrows = (1..=depth).filter(|_| depth > 1).map(|k| vec![Straight { to: k, from: k - 1 }]);
    whole.chain(arrows).collect()
}

fn pairs(low: usize, high: usize) -> impl Iterator<Item = (usize, usize)> {
    (low..=high).flat_map(move |a| (a + 1..=high).map(move |b| (a, b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The arrows of a word; arrow 0 is `G'`.
    fn arrows(word: Word, depth: usize) -> Vec<usize> {
        match word {
            Straight { to, from } => (from + 1..=to).collect(),
            Wrapped { to, from } => (0..=to).chain(from + 1..=depth).collect(),
        }
    }

    fn some_word_avoids(pattern: &Pattern, depth: usize, removed: &[usize]) -> bool {
        pattern.iter().any(|&word| arrows(word, depth).iter().all(|arrow| !removed.contains(arrow)))
    }

    #[test]
    fn every_composition_of_all_arrows_but_one_contains_a_word_of_a_pattern() {
        for depth in 2..7 {
            for pattern in strict(depth).iter().chain(&non_strict(depth)) {
                assert!((0..=depth).all(|k| some_word_avoids(pattern, depth, &[k])), "{pattern:?}");
            }
        }
    }

    #[test]
    fn every_pivot_of_a_non_strict_pattern_is_tightened_and_some_pivot_of_a_strict_one_is_not() {
        for depth in 2..7 {
            let tightened = |pattern: &Pattern| pairs(1, depth).all(|(j, i)| some_word_avoids(pattern, depth, &[i, j]));
            assert!(non_strict(depth).iter().all(tightened));
            assert!(!strict(depth).iter().any(tightened));
        }
        assert_eq!((strict(4).len(), strict(5).len()), (10, 15));
        assert_eq!([2, 3, 4, 5].map(|depth| non_strict(depth).len()), [0, 1, 4, 11]);
    }
}
