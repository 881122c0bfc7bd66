//! Time of one certified instance, by size, from the start sets that ship.

#![allow(missing_docs, reason = "the macros make items without documentation")]

use std::sync::atomic::{AtomicU64, Ordering};

use divan::{Bencher, black_box};
use rankscape::Tolerances;
use rankscape::homotopy::Workers;
use rankscape::quadratic::{Instance, Metric, Shape, Solver, StartSet, TargetSpace};
use rankscape::random::Stream;

fn main() {
    divan::main();
}

fn instance(m: usize, n: usize, rank: usize, item: u64) -> Instance {
    let mut stream = Stream::new(5, item);
    let mut draw = |len: usize| (0..len).map(|_| stream.integer(-10, 10) as f64).collect::<Vec<f64>>();
    let metric = Metric::Map(draw(m * n * m * n));
    let target = draw(m * n);
    Instance { id: item.to_string(), rows: m, cols: n, rank, metric, target, convention: TargetSpace::Metric }
}

#[divan::bench(args = [(2, 2, 1), (2, 3, 1), (3, 3, 1), (3, 3, 2), (3, 4, 1), (3, 5, 1), (4, 4, 1), (4, 4, 2)])]
fn solve_certified(bencher: Bencher<'_, '_>, (m, n, r): (usize, usize, usize)) {
    let solver =
        StartSet::shipped(Shape { m, n, r }).and_then(|start| Solver::new(start, Tolerances::default(), 1).ok());
    let Some(solver) = solver else { return };
    let item = AtomicU64::new(0);
    bencher
        .with_inputs(|| instance(m, n, r, item.fetch_add(1, Ordering::Relaxed)))
        .bench_values(|instance| black_box(solver.solve(&instance, &Workers::none())));
}

#[divan::bench(args = [6, 12, 20])]
fn polar_degrees_of_half_rank(size: usize) {
    let _ = black_box(rankscape::determinantal::degrees(size, size, size / 2));
}
