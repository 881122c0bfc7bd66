//! The nearest critical points of disturbed saddles, with everything else that `diagnose` answers.
#![allow(missing_docs, reason = "the macros make items without documentation")]

use divan::{Bencher, black_box};
use rankscape::diagnosis::{Settings, diagnose};
use rankscape::linalg::Matrix;
use rankscape::problem::{Data, Problem};
use rankscape::random::Stream;

const SIZES: [&[usize]; 3] = [&[8, 4, 4, 8], &[64, 24, 8, 24, 64], &[128, 64, 32, 10]];

fn main() {
    divan::main();
}

/// A point beside the saddle that captures three directions of a diagonal target.
fn point(widths: &[usize]) -> Option<Problem> {
    let mut stream = Stream::new(7, 0);
    let (inputs, outputs) = (widths[0], widths[widths.len() - 1]);
    let target = Matrix::from_fn(outputs, inputs, |i, j| if i == j { 3.0 / (1.0 + i as f64) } else { 0.0 });
    let layers = widths.windows(2).enumerate().map(|(k, pair)| {
        let kept = |i: usize| if k == 0 { 3.0 / (1.0 + i as f64) } else { 1.0 };
        let exact = Matrix::from_fn(pair[1], pair[0], |i, j| if i == j && i < 3 { kept(i) } else { 0.0 });
        &exact + &stream.normal_matrix(pair[1], pair[0]).scaled(2e-3)
    });
    let matrices: Vec<Matrix> = layers.collect();
    Problem::new(matrices, Data::target(target)).ok()
}

#[divan::bench(args = SIZES, sample_count = 10)]
fn diagnosis_beside_a_saddle(bencher: Bencher<'_, '_>, widths: &[usize]) {
    let Some(point) = point(widths) else { return };
    // A clone has nothing computed yet where the point has not.
    bencher.with_inputs(|| point.clone()).bench_local_values(|point| diagnose(black_box(&point), Settings::default()));
}
