//! Triangular factor of 60,000 samples with 794 numbers each (784 inputs, 10 outputs), and its parts.
//!
//! `scripts/bench/triangular_factor.py` runs this beside NumPy and prints the ratios.
#![allow(missing_docs)]

use std::sync::LazyLock;

use divan::counter::ItemsCount;
use rankscape::data::{SampleAccumulator, SampleFactor};
use rankscape::random::Stream;

const SAMPLES: usize = 60_000;
const INPUTS: usize = 784;
const OUTPUTS: usize = 10;

fn main() {
    divan::main();
}

static ROWS: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let mut stream = Stream::new(0, 0);
    (0..SAMPLES * (INPUTS + OUTPUTS)).map(|_| stream.uniform() - 0.5).collect()
});

fn factor(rows: &[f64], threads: usize) -> SampleFactor {
    let mut samples = SampleAccumulator::new(INPUTS, OUTPUTS).with_threads(threads);
    // A benchmark has no bad input.
    let _ = samples.push_rows(rows, None);
    samples.finish().unwrap_or_else(|_| SampleFactor::empty(INPUTS, OUTPUTS))
}

#[divan::bench(args = [1, 2], sample_count = 5, sample_size = 1)]
fn samples_60000_x_794(bencher: divan::Bencher<'_, '_>, threads: usize) {
    let rows = &*ROWS;
    bencher.counter(ItemsCount::new(SAMPLES)).bench(|| factor(rows, threads));
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn one_block_4096_x_794(bencher: divan::Bencher<'_, '_>) {
    let rows = &ROWS[..4096 * (INPUTS + OUTPUTS)];
    bencher.bench(|| factor(rows, 1));
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn merge_of_two_factors(bencher: divan::Bencher<'_, '_>) {
    let (a, b) = ROWS.split_at(4096 * (INPUTS + OUTPUTS));
    let (a, b) = (factor(a, 1), factor(&b[..a.len()], 1));
    bencher.bench(|| SampleFactor::merge(&a, &b));
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn plain_view(bencher: divan::Bencher<'_, '_>) {
    let factor = factor(&ROWS[..4096 * (INPUTS + OUTPUTS)], 1);
    bencher.bench(|| factor.plain());
}
