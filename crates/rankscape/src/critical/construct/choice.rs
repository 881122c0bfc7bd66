//! Which stratum is meant: by kind, by number, by the barcode of the factors or by their ranks.

use std::ops::ControlFlow;

use crate::critical::strata::{CapturedFamily, CyclicBar, Stratum};
use crate::error::{InputError, Result};
use crate::multiplication::Bar;

/// How a stratum is named. Barcodes and ranks are those of the whitened factors.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StratumChoice {
    /// No surplus: every factor has the rank of the product.
    Minimal,
    /// The first one of largest dimension.
    Generic,
    /// By its number in the list, counted from 1.
    Number(usize),
    /// By the barcode, and the strings that wrap where that leaves a choice. Without them the shortest bars `[0 .. t]` are
    /// joined with the shortest bars `[s .. h]`.
    Barcode(Vec<Bar>, Option<Vec<CyclicBar>>),
    /// By the ranks of all partial products, `(i, j, rank of W_j ... W_{i+1})` for `i < j`.
    Ranks(Vec<(usize, usize, usize)>, Option<Vec<CyclicBar>>),
}

impl StratumChoice {
    /// The stratum; at most `max` strata are looked at.
    ///
    /// # Errors
    /// If there is no such stratum: which equation or inequality fails.
    pub(super) fn resolve(&self, family: &CapturedFamily, max: usize) -> Result<Stratum> {
        match self {
            Self::Minimal => Ok(family.minimal()),
            Self::Generic => generic(family, max),
            Self::Number(number) => numbered(family, *number, max),
            Self::Barcode(bars, wrapped) => from_barcode(family, bars, wrapped.as_deref()),
            Self::Ranks(ranks, wrapped) => from_barcode(family, &bars_of_ranks(family, ranks)?, wrapped.as_deref()),
        }
    }
}

fn generic(family: &CapturedFamily, max: usize) -> Result<Stratum> {
    let (mut best, mut seen) = (None, 0);
    let flow = family.visit(|stratum| {
        seen += 1;
        if seen > max {
            return ControlFlow::Break(());
        }
        let dimension = stratum.dimension_over_product();
        if best.as_ref().is_none_or(|(most, _)| dimension > *most) {
            best = Some((dimension, stratum));
        }
        ControlFlow::Continue(())
    });
    match (flow, best) {
        (ControlFlow::Continue(()), Some((_, stratum))) => Ok(stratum),
        _ => Err(InputError::new("there are too many strata to find the one of largest dimension")
            .value(format!("more than {max}"))
            .hint("raise --max, or name the stratum by its barcode or number")),
    }
}

fn numbered(family: &CapturedFamily, number: usize, max: usize) -> Result<Stratum> {
    let wrong = |problem: String| InputError::new(problem).array("stratum").value(number);
    if number == 0 || number > max {
        return Err(wrong(format!("strata are numbered from 1, and looked at up to {max}")).hint("raise --max"));
    }
    let mut found = family.list(number);
    let total = found.len();
    found.pop().filter(|_| total == number).ok_or_else(|| {
        wrong(format!("there are only {total} strata over this captured set")).hint("list them with --strata")
    })
}

/// `m_ij = r_ij - r_{i-1,j} - r_{i,j+1} + r_{i-1,j+1}`.
fn bars_of_ranks(family: &CapturedFamily, ranks: &[(usize, usize, usize)]) -> Result<Vec<Bar>> {
    let h = family.depth();
    let bad = |problem: String| InputError::new(problem).array("rank profile");
    let mut table = vec![vec![None; h + 1]; h + 1];
    for &(i, j, rank) in ranks {
        if i >= j || j > h {
            return Err(bad("ranks are given for nodes i < j".into())
                .value(format!("{i}:{j}"))
                .hint(format!("nodes run from 0 to {h}")));
        }
        table[i][j] = Some(rank);
    }
    for (i, &width) in family.widths().iter().enumerate() {
        table[i][i] = Some(width);
    }
    if let Some((i, j)) = (0..=h).flat_map(|i| (i..=h).map(move |j| (i, j))).find(|&(i, j)| table[i][j].is_none()) {
        return Err(bad(format!("the rank of W{j}...W{} is missing", i + 1)).hint(format!("give {i}:{j}=RANK")));
    }
    let rank = |i: Option<usize>, j: usize| match i {
        Some(i) if j <= h => table[i][j].unwrap_or(0) as i64,
        _ => 0,
    };
    let mut bars = Vec::new();
    for from in 0..=h {
        for to in from..=h {
            let before = from.checked_sub(1);
            let terms = [rank(Some(from), to), rank(before, to), rank(Some(from), to + 1), rank(before, to + 1)];
            let count = terms[0] - terms[1] - terms[2] + terms[3];
            let multiplicity = usize::try_from(count).map_err(|_| {
                let [own, left, right, both] = terms;
                bad(format!(
                    "no factors have these ranks: r({from},{to}) - r({},{to}) - r({from},{}) + r({},{}) >= 0 fails",
                    from as i64 - 1,
                    to + 1,
                    from as i64 - 1,
                    to + 1
                ))
                .value(format!("{own} - {left} - {right} + {both} = {count}"))
            })?;
            bars.push(Bar { from, to, multiplicity });
        }
    }
    Ok(bars)
}

fn from_barcode(family: &CapturedFamily, bars: &[Bar], wrapped: Option<&[CyclicBar]>) -> Result<Stratum> {
    let (h, e, g) = (family.depth(), family.rank(), family.omitted());
    let bad = |problem: String| InputError::new(problem).array("barcode");
    let mut counts = vec![vec![0_usize; h + 1]; h + 1];
    for bar in bars {
        if bar.from > bar.to || bar.to > h {
            return Err(bad("a bar runs from a node to the same or a later one".into())
                .value(format!("{}-{}", bar.from, bar.to))
                .hint(format!("nodes run from 0 to {h}")));
        }
        counts[bar.from][bar.to] += bar.multiplicity;
    }
    for (node, &width) in family.widths().iter().enumerate() {
        let through: usize = (0..=node).map(|from| counts[from][node..].iter().sum::<usize>()).sum();
        if through != width {
            let whose = if node == 0 { "rank X" } else { "its width" };
            return Err(bad(format!("the bars through node {node} must be as many as {whose}, {width}")).value(through));
        }
    }
    if counts[0][h] != e {
        return Err(bad(format!("the bars 0-{h} must be as many as the captured directions, {e}")).value(counts[0][h]));
    }
    counts[0][h] = 0;
    let chosen = match wrapped {
        Some(wrapped) => wrapped.to_vec(),
        None => shortest_joins(&counts, h, g).map_err(|found| {
            bad(format!(
                "each of the {g} omitted positive singular values needs its own pair of bars 0-t, s-{h} with t <= s - 2"
            ))
            .value(format!("at most {found} pairs"))
        })?,
    };
    let total: usize = chosen.iter().map(|bar| bar.multiplicity).sum();
    if total != g {
        return Err(bad(format!("as many strings must wrap as positive singular values are omitted, {g}")).value(total));
    }
    for bar in &chosen {
        let name = format!("{}-{}", bar.from, bar.to);
        if bar.from > h || bar.from < bar.to + 2 {
            return Err(bad("a string that wraps runs from a node s to a node t <= s - 2".into()).value(name));
        }
        for (from, to) in [(bar.from, h), (0, bar.to)] {
            counts[from][to] = counts[from][to].checked_sub(bar.multiplicity).ok_or_else(|| {
                bad(format!("the barcode has too few bars {from}-{to} for the strings that wrap")).value(name.clone())
            })?;
        }
    }
    let segments = (0..=h).flat_map(|from| (from..=h).map(move |to| (from, to)));
    let segments = segments.map(|(from, to)| CyclicBar { from, to, multiplicity: counts[from][to] });
    Ok(Stratum::new(h, e, chosen.into_iter().chain(segments).collect()))
}

/// Joins the `g` shortest bars `[0 .. t]` with the `g` shortest bars `[s .. h]`, smaller `t` with smaller `s`. If any joins
/// exist, these do. Otherwise the largest number that can be joined.
fn shortest_joins(counts: &[Vec<usize>], h: usize, g: usize) -> std::result::Result<Vec<CyclicBar>, usize> {
    let ends: Vec<usize> = (0..h).flat_map(|t| std::iter::repeat_n(t, counts[0][t])).collect();
    let starts: Vec<usize> = (1..=h).rev().flat_map(|s| std::iter::repeat_n(s, counts[s][h])).collect();
    let joined = |g: usize| {
        let (ends, mut starts) = (ends.get(..g)?.to_vec(), starts.get(..g)?.to_vec());
        starts.reverse();
        let fits = ends.iter().zip(&starts).all(|(t, s)| t + 2 <= *s);
        fits.then(|| starts.into_iter().zip(ends).collect::<Vec<_>>())
    };
    let Some(pairs) = joined(g) else { return Err((0..g).rev().find(|&fewer| joined(fewer).is_some()).unwrap_or(0)) };
    let mut bars: Vec<CyclicBar> = Vec::new();
    for (from, to) in pairs {
        match bars.iter_mut().find(|bar| (bar.from, bar.to) == (from, to)) {
            Some(bar) => bar.multiplicity += 1,
            None => bars.push(CyclicBar { from, to, multiplicity: 1 }),
        }
    }
    Ok(bars)
}
