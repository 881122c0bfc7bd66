//! Ladders of targets and data.

use rankscape::architecture::Architecture;
use rankscape::critical::{Ladder, Rung};
use rankscape::data::{TriangularFactor, Whitening};
use rankscape::linalg::Matrix;
use rankscape::{InputError, Tolerances};
use testkit::grid::Dense;
use testkit::jacobi;
use testkit::random::Draw;

pub fn whitened(target: &Matrix) -> Whitening {
    Whitening::new(&TriangularFactor::from_target(target), &Tolerances::default())
}

pub fn try_ladder(widths: &[usize], whitening: &Whitening) -> Result<Ladder, InputError> {
    let architecture = Architecture::new(widths.to_vec()).unwrap();
    Ladder::new(architecture, whitening, None, &Tolerances::default())
}

pub fn ladder(widths: &[usize], target: &Matrix) -> Ladder {
    try_ladder(widths, &whitened(target)).unwrap()
}

pub fn diagonal(widths: &[usize], values: &[f64]) -> Matrix {
    Matrix::from_diagonal(widths[widths.len() - 1], widths[0], values)
}

pub fn all(ladder: &Ladder) -> Vec<Rung> {
    ladder.lowest(usize::MAX)
}

pub fn close(a: f64, b: f64, scale: f64) -> bool {
    (a - b).abs() <= 1e-9 * scale
}

pub fn orthogonal(draw: &mut Draw, n: usize) -> Dense {
    let raw = Dense::from_fn(n, n, |_, _| draw.normal());
    jacobi::eigen(&raw.add(&raw.transpose())).1
}
