//! Index, nullity and ends of the spectrum at critical points, and the Hessian times a vector at a general point.
//!
//! `scripts/bench/hessian.py` runs this beside NumPy, SciPy and JAX and prints the ratios.
#![allow(missing_docs, reason = "the macros make items without documentation")]

use divan::{Bencher, black_box};
use rankscape::answers::{Settings, hessian};
use rankscape::data::SampleAccumulator;
use rankscape::hessian::SpectrumRequest;
use rankscape::linalg::{Matrix, SymmetricOperator, pseudo_inverse};
use rankscape::network::NormalizedNetwork;
use rankscape::problem::{Data, Problem};
use rankscape::random::Stream;
use rankscape::tolerance::UNIT_ROUNDOFF;

const SIZES: [&[usize]; 3] = [&[50, 30, 20, 30, 50], &[200, 64, 200], &[784, 256, 64, 10]];

fn main() {
    divan::main();
}

fn data(widths: &[usize], stream: &mut Stream) -> Option<Data> {
    let (inputs, outputs) = (widths[0], widths[widths.len() - 1]);
    let mut samples = SampleAccumulator::new(inputs, outputs);
    for _ in 0..2 * inputs {
        samples.push_rows(&stream.normal_vector(inputs + outputs), None).ok()?;
    }
    Some(Data::from(samples.finish().ok()?))
}

fn point(matrices: Vec<Matrix>, data: Data) -> Option<Problem> {
    Problem::new(matrices, data).ok()
}

/// The critical point that captures the `rank` largest singular directions after the first `skipped`.
fn critical(widths: &[usize], skipped: usize) -> Option<Problem> {
    let mut stream = Stream::new(8, 0);
    let general =
        point(widths.windows(2).map(|d| stream.normal_matrix(d[1], d[0])).collect(), data(widths, &mut stream)?)?;
    let (white, rank) = (general.whitening(), *widths.iter().min()? - skipped);
    let kept = white.spectrum.u.columns(skipped, skipped + rank);
    let roots: Vec<f64> = white.spectrum.s[skipped..skipped + rank].iter().map(|s| s.sqrt()).collect();
    let back = pseudo_inverse(&white.inputs(), white.rank.rank);
    let depth = widths.len() - 1;
    let embedded = |block: &Matrix, rows: usize, cols: usize| {
        let mut out = Matrix::zeros(rows, cols);
        out.set_block(0, 0, block);
        out
    };
    let first = &white.spectrum.v.columns(skipped, skipped + rank).scale_columns(&roots).transpose() * &back;
    let matrices = (0..depth).map(|k| {
        let (rows, cols) = (widths[k + 1], widths[k]);
        match k {
            0 => embedded(&first, rows, cols),
            k if k + 1 == depth => embedded(&kept.scale_columns(&roots), rows, cols),
            _ => embedded(&Matrix::identity(rank), rows, cols),
        }
    });
    point(matrices.collect(), data_again(widths)?)
}

/// The data of [`critical`]: the stream after the factors of the general point.
fn data_again(widths: &[usize]) -> Option<Data> {
    let mut stream = Stream::new(8, 0);
    widths.windows(2).for_each(|d| drop(stream.normal_matrix(d[1], d[0])));
    data(widths, &mut stream)
}

fn spectrum(bencher: Bencher<'_, '_>, size: usize, skipped: usize) {
    let Some(point) = critical(SIZES[size], skipped) else { return };
    let settings = Settings::default();
    if let Ok(found) = hessian(&point, SpectrumRequest::default(), settings) {
        println!(
            "{:?} skipping {skipped}: {} {:?} {:?}",
            SIZES[size], found.class, found.findings.inertia, found.findings.ends
        );
    }
    bencher
        .with_inputs(|| point.clone())
        .bench_values(|point| black_box(hessian(&point, SpectrumRequest::default(), settings).is_ok()));
}

/// Everything `rankscape hessian` answers at a global minimum, from the factor of the data on.
#[divan::bench(args = [0, 1, 2], sample_count = 5, sample_size = 1)]
fn minimum(bencher: Bencher<'_, '_>, size: usize) {
    spectrum(bencher, size, 0);
}

/// At a strict saddle that misses the largest direction.
#[divan::bench(args = [0, 1, 2], sample_count = 5, sample_size = 1)]
fn saddle(bencher: Bencher<'_, '_>, size: usize) {
    spectrum(bencher, size, 1);
}

/// Class, index and nullity alone.
#[divan::bench(args = [0, 1, 2], sample_count = 5, sample_size = 1)]
fn inertia(bencher: Bencher<'_, '_>, size: usize) {
    let Some(point) = critical(SIZES[size], 0) else { return };
    bencher.bench(|| {
        let network = NormalizedNetwork::new(point.factors(), point.whitening());
        black_box(rankscape::critical::classify(&network, point.whitening(), UNIT_ROUNDOFF, point.tolerances()).inertia)
    });
}

#[divan::bench(args = [0, 1, 2], sample_count = 30, sample_size = 1)]
fn product(bencher: Bencher<'_, '_>, size: usize) {
    let mut stream = Stream::new(9, 0);
    let Some(data) = data(SIZES[size], &mut stream) else { return };
    let Some(point) = point(SIZES[size].windows(2).map(|d| stream.normal_matrix(d[1], d[0])).collect(), data) else {
        return;
    };
    let network = NormalizedNetwork::new(point.factors(), point.whitening());
    let operator = network.hessian();
    let vector = stream.normal_vector(operator.dimension());
    bencher.bench(|| operator.apply(black_box(&vector)));
}
