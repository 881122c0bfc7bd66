//! The product map at a pair 4096 x 16 x 4096, and at a chain of 20 layers of width 64.
//!
//! `scripts/bench/product_map.py` runs this beside NumPy and prints the ratio.
#![allow(missing_docs)]

use std::sync::LazyLock;

use rankscape::Tolerances;
use rankscape::linalg::{Matrix, triangular_factor};
use rankscape::multiplication::{Adapter, Barcode, Factors, RankProfile};
use rankscape::random::Stream;
use rankscape::tolerance::UNIT_ROUNDOFF;

const WIDE: usize = 4096;
const NARROW: usize = 16;

fn main() {
    divan::main();
}

static PAIR: LazyLock<(Matrix, Matrix)> = LazyLock::new(|| {
    let mut stream = Stream::new(0, 0);
    (stream.normal_matrix(NARROW, WIDE), stream.normal_matrix(WIDE, NARROW))
});

/// Ranks, barcode and singular values of the product of a pair.
#[divan::bench(sample_count = 50, sample_size = 1)]
fn pair_4096_x_16_x_4096(bencher: divan::Bencher<'_, '_>) {
    let (a, b) = &*PAIR;
    let Ok(factors) = Factors::new(vec![a.clone(), b.clone()]) else { return };
    bencher.bench(|| {
        let profile = RankProfile::new(&factors, UNIT_ROUNDOFF, &Tolerances::default());
        (Barcode::new(&profile), profile.product_singular_values().to_vec())
    });
}

#[divan::bench(sample_count = 50, sample_size = 1)]
fn adapter_4096_x_16_x_4096(bencher: divan::Bencher<'_, '_>) {
    let (a, b) = &*PAIR;
    let Ok(factors) = Factors::new(vec![a.clone(), b.clone()]) else { return };
    bencher.bench(|| Adapter::new(&factors, 2.0, UNIT_ROUNDOFF, &Tolerances::default()));
}

#[divan::bench(sample_count = 50, sample_size = 1)]
fn one_thin_factorization(bencher: divan::Bencher<'_, '_>) {
    let b = &PAIR.1;
    bencher.bench(|| triangular_factor(b.clone()));
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn chain_of_20_layers_of_width_64(bencher: divan::Bencher<'_, '_>) {
    let mut stream = Stream::new(1, 0);
    let Ok(factors) = Factors::new((0..20).map(|_| stream.normal_matrix(64, 64)).collect()) else { return };
    bencher.bench(|| RankProfile::new(&factors, UNIT_ROUNDOFF, &Tolerances::default()));
}
