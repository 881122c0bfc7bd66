//! Strata over a rung, counted against brute force over the field of two elements: every tuple of small matrices with a
//! given product whose wrapped products vanish is sorted by its ranks, and the sizes of the classes must be those of the
//! orbits that the dimension formula speaks of.

use std::collections::BTreeMap;

use rankscape::architecture::Architecture;
use rankscape::critical::{CapturedFamily, Stratum};
use rankscape::evidence::RankDecision;
use rankscape::hessian::StringRanks;
use rankscape::multiplication::RankProfile;

/// A matrix over the field of two elements: its shape and one bit mask a row.
#[derive(Debug, Clone, PartialEq)]
struct Bits {
    cols: usize,
    rows: Vec<u32>,
}

impl Bits {
    fn from_code(rows: usize, cols: usize, code: u32) -> Self {
        Self { cols, rows: (0..rows).map(|i| code >> (i * cols) & ((1 << cols) - 1)).collect() }
    }

    /// Ones at (i, i) for `i` in the range.
    fn diagonal(rows: usize, cols: usize, ones: std::ops::Range<usize>) -> Self {
        Self { cols, rows: (0..rows).map(|i| u32::from(ones.contains(&i)) << i).collect() }
    }

    fn times(&self, other: &Self) -> Self {
        let row = |mask: &u32| (0..self.cols).filter(|j| mask >> j & 1 == 1).fold(0, |sum, j| sum ^ other.rows[j]);
        Self { cols: other.cols, rows: self.rows.iter().map(row).collect() }
    }

    fn rank(&self) -> usize {
        let mut rows = self.rows.clone();
        let mut rank = 0;
        for col in 0..self.cols {
            let Some(pivot) = (rank..rows.len()).find(|&i| rows[i] >> col & 1 == 1) else { continue };
            rows.swap(rank, pivot);
            let top = rows[rank];
            (rank + 1..rows.len())
                .filter(|&i| rows[i] >> col & 1 == 1)
                .collect::<Vec<_>>()
                .iter()
                .for_each(|&i| rows[i] ^= top);
            rank += 1;
        }
        rank
    }
}

/// `|GL_n| / 2^(n^2)`, the share of invertible matrices.
fn share(n: usize) -> f64 {
    (1..=n).map(|k| 1.0 - 0.5_f64.powi(k as i32)).product()
}

/// Sorts all tuples over the product `diag(I_e, 0)` and the residual with ones at the next `g` places.
fn census(widths: &[usize], e: usize, g: usize) -> BTreeMap<Stratum, usize> {
    let h = widths.len() - 1;
    let (product, wrap) = (Bits::diagonal(widths[h], widths[0], 0..e), Bits::diagonal(widths[0], widths[h], e..e + g));
    let sizes: Vec<usize> = widths.windows(2).map(|d| d[0] * d[1]).collect();
    let mut found = BTreeMap::new();
    for code in 0..1_u32 << sizes.iter().sum::<usize>() {
        let mut rest = code;
        let factors: Vec<Bits> = (0..h)
            .map(|k| {
                let factor = Bits::from_code(widths[k + 1], widths[k], rest);
                rest >>= sizes[k];
                factor
            })
            .collect();
        let partial = |i: usize, j: usize| {
            factors[i..j]
                .iter()
                .fold(Bits::diagonal(widths[i], widths[i], 0..widths[i]), |product, w| w.times(&product))
        };
        if partial(0, h) != product {
            continue;
        }
        let wrapped = |s: usize, t: usize| partial(0, t).times(&wrap).times(&partial(s, h));
        if (1..=h).any(|k| wrapped(k, k - 1).rank() > 0) {
            continue;
        }
        let profile = RankProfile::from_decisions(widths, |i, j| RankDecision::exact(partial(i, j).rank()));
        let ranks = StringRanks::new(profile, |s, t| RankDecision::exact(wrapped(s, t).rank()));
        *found.entry(Stratum::from_ranks(&ranks).unwrap()).or_insert(0) += 1;
    }
    found
}

/// `|K| / |Aut|` over the field of two elements.
fn orbit_size(family: &CapturedFamily, stratum: &Stratum) -> f64 {
    let (e, g, widths) = (family.rank(), family.omitted(), family.widths());
    let h = family.depth();
    let group: f64 = widths[1..h].iter().map(|&d| share(d)).product();
    let ends = share(e) * share(g) * share(widths[0] - e - g) * share(widths[h] - e - g);
    let automorphisms: f64 = share(e) * stratum.strings().iter().map(|bar| share(bar.multiplicity)).product::<f64>();
    2.0_f64.powi(stratum.dimension_over_product() as i32) * group * ends / automorphisms
}

#[test]
fn strata_are_all_orbits_over_the_field_of_two_elements_with_the_sizes_of_the_dimension_formula() {
    let mut strata = 0;
    for widths in [vec![2, 2, 2, 2], vec![2, 2, 2], vec![3, 1, 3], vec![1, 2, 2, 2, 1], vec![2, 1, 1, 2, 2], vec![2, 3]]
    {
        let (h, ends) = (widths.len() - 1, widths[0].min(widths[widths.len() - 1]));
        let architecture = Architecture::new(widths.clone()).unwrap();
        for e in 0..=architecture.bottleneck_rank() {
            for g in 0..=if h == 1 { 0 } else { ends - e } {
                let family = CapturedFamily::new(&architecture, widths[0], &[e + g], &[e]);
                let family =
                    if e + g == 0 { CapturedFamily::new(&architecture, widths[0], &[], &[]) } else { family }.unwrap();
                let mut found = census(&widths, e, g);
                let listed = family.list(usize::MAX);
                for stratum in &listed {
                    let size = found.remove(stratum).unwrap_or(0);
                    assert!(
                        (size as f64 - orbit_size(&family, stratum)).abs() < 1e-6,
                        "{widths:?} {e} {g} {stratum:?} {size}"
                    );
                }
                assert!(found.is_empty(), "{widths:?} {e} {g} {found:?}");
                strata += listed.len();
            }
        }
    }
    assert!(strata > 200, "{strata}");
}
