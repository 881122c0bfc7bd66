//! Minima of losses on matrices of bounded rank: many starts of a small problem, one of a larger one, a lower bound.
#![allow(missing_docs, reason = "the macros make items without documentation")]

use std::sync::Arc;

use divan::{Bencher, black_box};
use rankscape::answers::{Settings, minima};
use rankscape::linalg::Matrix;
use rankscape::loss::{Entry, EntrywiseLoss, LossKind, Observations, SharedLoss};
use rankscape::network::Network;
use rankscape::problem::LossData;
use rankscape::random::Stream;
use rankscape::riemannian::{MinimaRequest, descend};
use rankscape::{InputError, Tolerances};

fn main() {
    divan::main();
}

fn bench(bencher: Bencher<'_, '_>, data: Result<LossData, InputError>, rank: usize, starts: usize) {
    let Ok(data) = data.map(Arc::new) else { return };
    let request = MinimaRequest { rank, starts, offset: false };
    let settings = Settings { seed: 1, threads: 2 };
    bencher.bench_local(|| minima(black_box(&data), &request, &Tolerances::default(), settings));
}

/// 2,000 starts of a 6 x 5 problem of rank two with signs that no matrix separates.
#[divan::bench(sample_count = 3)]
fn logistic_6_by_5_of_rank_2(bencher: Bencher<'_, '_>) {
    let mut stream = Stream::new(5, 0);
    let inputs = stream.normal_matrix(5, 30);
    let signs = stream.normal_matrix(6, 30).map(f64::signum);
    let data = LossData::new(LossKind::Logistic, Some(inputs), Observations { targets: signs, weights: None });
    bench(bencher, data, 2, 2000);
}

/// A weighted approximation of rank five of a 50 x 50 matrix of rank five with noise.
#[divan::bench(sample_count = 5, args = [1, 10])]
fn weighted_50_by_50_of_rank_5(bencher: Bencher<'_, '_>, starts: usize) {
    let mut stream = Stream::new(6, 0);
    let target =
        &(&stream.normal_matrix(50, 5) * &stream.normal_matrix(5, 50)) + &stream.normal_matrix(50, 50).scaled(0.1);
    let weights = Matrix::from_fn(50, 50, |_, _| stream.uniform());
    let data = LossData::new(LossKind::Quadratic { weights }, None, Observations { targets: target, weights: None });
    bench(bencher, data, 5, starts);
}

/// One descent on factors of a weighted approximation of rank five of a 50 x 50 matrix without structure.
#[divan::bench(sample_count = 20)]
fn one_descent_50_by_50_of_rank_5(bencher: Bencher<'_, '_>) {
    let mut stream = Stream::new(8, 0);
    let target = stream.normal_matrix(50, 50);
    let weights = Matrix::from_fn(50, 50, |_, _| stream.uniform().powi(3));
    let loss: SharedLoss = Arc::new(EntrywiseLoss::new(Entry::Square, target, Some(weights)));
    let layers = vec![stream.normal_matrix(5, 50), stream.normal_matrix(50, 5)];
    let start = Network::with_loss(layers, None, None, loss);
    bencher.bench_local(|| descend(black_box(start.clone()), 1e-13, |_| false));
}

/// Cross-entropy of ten classes in 64 dimensions, as many samples as the digits.
#[divan::bench(sample_count = 3)]
fn softmax_10_classes_of_rank_5(bencher: Bencher<'_, '_>) {
    let mut stream = Stream::new(7, 0);
    let means = stream.normal_matrix(64, 10);
    let classes: Vec<usize> = (0..1797).map(|_| stream.integer(0, 9) as usize).collect();
    let noise = stream.normal_matrix(64, 1797);
    let inputs = Matrix::from_fn(64, 1797, |i, j| 0.35 * means[(i, classes[j])] + noise[(i, j)]);
    let targets = Matrix::from_fn(10, 1797, |k, j| f64::from(u8::from(classes[j] == k)));
    let kind = LossKind::Softmax { smoothing: 0.0, class_weights: None };
    bench(bencher, LossData::new(kind, Some(inputs), Observations { targets, weights: None }), 5, 1);
}
