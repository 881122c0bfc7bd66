//! Deep chains, and the ladder with its descents.
//!
//! `diagnose` at the origin of chains of numbers and of layers 4 x 4, in double precision and over the rationals; at a chain
//! of fractions with a zero in every third layer; both ends of the spectrum are in the benchmark `hessian`.
#![allow(missing_docs, reason = "the macros make items without documentation")]

use divan::{Bencher, black_box};
use rankscape::Tolerances;
use rankscape::architecture::Architecture;
use rankscape::critical::Ladder;
use rankscape::data::{TriangularFactor, Whitening};
use rankscape::diagnosis::{Settings, diagnose};
use rankscape::linalg::Matrix;
use rankscape::linalg::exact::{Rational, RationalMatrix};
use rankscape::problem::{Data, Parameters, Problem};

fn main() {
    divan::main();
}

fn point(layers: Vec<RationalMatrix>, target: &RationalMatrix, exact: bool) -> Option<Problem> {
    if exact {
        return Problem::new(layers, Data::ExactTarget(target.clone())).ok();
    }
    let matrices: Vec<Matrix> = layers.iter().map(RationalMatrix::to_matrix).collect();
    Problem::new(Parameters::from(matrices), Data::target(target.to_matrix())).ok()
}

fn run(bencher: Bencher<'_, '_>, point: Option<Problem>) {
    let Some(point) = point else { return };
    bencher
        .with_inputs(|| point.clone())
        .bench_values(|point| black_box(diagnose(&point, Settings::default()).is_ok()));
}

fn origin(depth: usize, width: usize, exact: bool) -> Option<Problem> {
    point(vec![RationalMatrix::zeros(width, width); depth], &RationalMatrix::identity(width), exact)
}

#[divan::bench(args = [10, 20, 30, 50], sample_count = 10, sample_size = 1)]
fn origin_of_numbers(bencher: Bencher<'_, '_>, depth: usize) {
    run(bencher, origin(depth, 1, false));
}

#[divan::bench(args = [10, 20, 30, 50], sample_count = 10, sample_size = 1)]
fn origin_of_exact_numbers(bencher: Bencher<'_, '_>, depth: usize) {
    run(bencher, origin(depth, 1, true));
}

#[divan::bench(args = [10, 20], sample_count = 10, sample_size = 1)]
fn origin_of_width_4(bencher: Bencher<'_, '_>, depth: usize) {
    run(bencher, origin(depth, 4, false));
}

/// Layers 0, 2/3, 3/4, 0, ...
#[divan::bench(args = [10, 20, 30, 50], sample_count = 5, sample_size = 1)]
fn fractions_with_zeros(bencher: Bencher<'_, '_>, depth: usize) {
    let layer = |k: usize| {
        let entry = Rational::new((k % 3 + 1).into(), (k % 3 + 2).into());
        RationalMatrix::from_fn(1, 1, |_, _| {
            if k.is_multiple_of(3) { Rational::from_integer(0.into()) } else { entry.clone() }
        })
    };
    run(bencher, point((0..depth).map(layer).collect(), &RationalMatrix::identity(1), true));
}

/// The lowest rungs of 2^61, with as many descents for each as a document lists.
#[divan::bench(args = [20, 1000], sample_count = 10, sample_size = 1)]
fn graph_of_the_lowest_rungs(bencher: Bencher<'_, '_>, rungs: usize) {
    let tolerances = Tolerances::default();
    let values: Vec<f64> = (0..61).map(|k| 100.0 + f64::from(k)).collect();
    let target = TriangularFactor::from_target(&Matrix::from_diagonal(61, 61, &values));
    let Ok(widths) = Architecture::new(vec![61, 61, 61]) else { return };
    let Ok(ladder) = Ladder::new(widths, &Whitening::new(&target, &tolerances), None, &tolerances) else { return };
    bencher.bench(|| {
        let lowest = ladder.lowest(rungs);
        (ladder.descents(&lowest).take(16 * rungs).count(), ladder.descents_total(&lowest))
    });
}
