//! Triangular factor of few columns and many rows: a block of rows that fits the nearest cache joins the factor.
//!
//! Row `j` of the factor and column `j` of the block are reflected by `I - beta v v'` with `v = (head, x)`. A later
//! column is changed by it and multiplied with the next `x` in one pass, and up to four columns share the reads.

use faer::MatMut;

use super::scalar::{Vectorized, vectorized};

/// Columns that share one pass.
const GROUP: usize = 4;

/// Rows of a column that are handled together: two registers of 256 bits.
const LANES: usize = 8;

/// Replaces the upper triangle `factor` by that of `[factor; block]`. The block is overwritten.
pub(super) fn absorb(factor: MatMut<'_, f64>, mut block: MatMut<'_, f64>) {
    let columns = block
        .as_mut()
        .col_iter_mut()
        .filter_map(|column| column.try_as_col_major_mut().map(|contiguous| contiguous.as_slice_mut()))
        .collect();
    vectorized(Absorption { factor, columns });
}

struct Absorption<'a> {
    factor: MatMut<'a, f64>,
    columns: Vec<&'a mut [f64]>,
}

impl Vectorized for Absorption<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { mut factor, mut columns } = self;
        let Some((first, rest)) = columns.split_first_mut() else { return };
        let mut products = vec![0.0; rest.len()];
        for (product, column) in products.iter_mut().zip(rest) {
            [*product] = add_and_multiply::<FUSED, 1>(first, first, [0.0], [column]);
        }
        for j in 0..columns.len() {
            let (done, rest) = columns.split_at_mut(j + 1);
            let old: &[f64] = done[j];
            let (head, beta) = reflect(&mut factor[(j, j)], square::<FUSED>(old));
            for (k, product) in products.iter_mut().enumerate() {
                let entry = &mut factor[(j, j + 1 + k)];
                *product = -beta * (*product + head * *entry);
                *entry += *product * head;
            }
            let Some((next, rest)) = rest.split_first_mut() else { return };
            add_and_multiply::<FUSED, 1>(old, old, [products[0]], [next]);
            products.drain(..1);
            for (columns, products) in rest.chunks_mut(GROUP).zip(products.chunks_mut(GROUP)) {
                match (columns, products) {
                    ([a, b, c, d], [p, q, r, s]) => {
                        [*p, *q, *r, *s] = add_and_multiply::<FUSED, 4>(old, next, [*p, *q, *r, *s], [a, b, c, d]);
                    }
                    ([a, b, c], [p, q, r]) => {
                        [*p, *q, *r] = add_and_multiply::<FUSED, 3>(old, next, [*p, *q, *r], [a, b, c]);
                    }
                    ([a, b], [p, q]) => [*p, *q] = add_and_multiply::<FUSED, 2>(old, next, [*p, *q], [a, b]),
                    ([a], [p]) => [*p] = add_and_multiply::<FUSED, 1>(old, next, [*p], [a]),
                    _ => {}
                }
            }
        }
    }
}

/// Replaces `entry` by the pivot of the reflection of `(entry, x)`, where `square = x'x`; gives head and beta.
#[inline(always)]
fn reflect(entry: &mut f64, square: f64) -> (f64, f64) {
    if square == 0.0 {
        return (0.0, 0.0);
    }
    let pivot = -(*entry * *entry + square).sqrt().copysign(*entry);
    let head = *entry - pivot;
    *entry = pivot;
    (head, -1.0 / (pivot * head))
}

#[inline(always)]
fn fused<const FUSED: bool>(a: f64, b: f64, c: f64) -> f64 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

#[inline(always)]
fn square<const FUSED: bool>(x: &[f64]) -> f64 {
    let (body, tail) = x.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for chunk in body {
        for lane in 0..LANES {
            sums[lane] = fused::<FUSED>(chunk[lane], chunk[lane], sums[lane]);
        }
    }
    sums.iter().sum::<f64>() + tail.iter().map(|x| x * x).sum::<f64>()
}

/// Adds `factors[k] old` to column `k` and returns its inner product with `next`.
#[inline(always)]
fn add_and_multiply<const FUSED: bool, const COLUMNS: usize>(
    old: &[f64],
    next: &[f64],
    factors: [f64; COLUMNS],
    columns: [&mut [f64]; COLUMNS],
) -> [f64; COLUMNS] {
    let (old, old_end) = old.as_chunks::<LANES>();
    let (next, next_end) = next.as_chunks::<LANES>();
    let columns = columns.map(|column| column.as_chunks_mut::<LANES>());
    let mut sums = [[0.0; LANES]; COLUMNS];
    for (row, (u, v)) in old.iter().zip(next).enumerate() {
        for k in 0..COLUMNS {
            let mut y = columns[k].0[row];
            for lane in 0..LANES {
                y[lane] = fused::<FUSED>(u[lane], factors[k], y[lane]);
            }
            for lane in 0..LANES {
                sums[k][lane] = fused::<FUSED>(y[lane], v[lane], sums[k][lane]);
            }
            columns[k].0[row] = y;
        }
    }
    let mut totals = sums.map(|lanes| lanes.iter().sum::<f64>());
    for k in 0..COLUMNS {
        for (y, (u, v)) in columns[k].1.iter_mut().zip(old_end.iter().zip(next_end)) {
            *y = fused::<FUSED>(*u, factors[k], *y);
            totals[k] = fused::<FUSED>(*y, *v, totals[k]);
        }
    }
    totals
}
