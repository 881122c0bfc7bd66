//! The ladder of a spectrum with 64 values: all rungs counted, the lowest 1,000 listed; and all 100,000 of a default
//! run. A test bounds the work, in pushes to the heap.
#![allow(missing_docs)]

use rankscape::architecture::Architecture;
use rankscape::critical::Ladder;
use rankscape::data::{TriangularFactor, Whitening};
use rankscape::linalg::Matrix;
use rankscape::{InputError, Tolerances};

fn main() {
    divan::main();
}

fn ladder(widths: &[usize]) -> Result<Ladder, InputError> {
    let values: Vec<f64> = (0..64).map(|k| 100.0 - 1.4 * f64::from(k)).collect();
    let tolerances = Tolerances::default();
    let target = TriangularFactor::from_target(&Matrix::from_diagonal(64, 64, &values));
    Ladder::new(Architecture::new(widths.to_vec())?, &Whitening::new(&target, &tolerances), None, &tolerances)
}

#[divan::bench(args = [&[64, 5, 64][..], &[64, 32, 64], &[64, 64, 64], &[64, 32, 48, 32, 64]])]
fn count_and_list_1000(bencher: divan::Bencher<'_, '_>, widths: &[usize]) {
    let Ok(ladder) = ladder(widths) else { return };
    bencher.bench(|| (ladder.rungs_total(), ladder.lowest(1000)));
}

#[divan::bench(sample_count = 5)]
fn list_100_000(bencher: divan::Bencher<'_, '_>) {
    let Ok(ladder) = ladder(&[64, 32, 64]) else { return };
    bencher.bench(|| ladder.lowest(100_000));
}
