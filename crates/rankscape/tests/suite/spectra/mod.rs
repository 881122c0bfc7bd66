//! Complete spectra at aligned points against dense eigenvalues.

mod canonical;
mod deep;
mod orbit;

use rankscape::hessian::HessianOperator;
use rankscape::hessian::aligned::{AlignedSpectrum, SpectrumKind};
use rankscape::linalg::{Matrix, SymmetricOperator};
use rankscape::network::SquareNetwork;
use rankscape::random::Stream;
use rankscape::{Tolerances, linalg};
use testkit::grid::Dense;
use testkit::reference::Network;

pub(crate) fn orthogonal(stream: &mut Stream, size: usize) -> Matrix {
    linalg::svd(&stream.normal_matrix(size, size)).u
}

/// `X` with samples as columns.
pub(crate) fn network(layers: &[Matrix], x: &Matrix, y: &Matrix) -> SquareNetwork {
    SquareNetwork::new(layers.to_vec(), Some(x.clone()), y.clone())
}

/// Eigenvalues of the dense Hessian that the reference writes entry by entry.
pub(crate) fn reference(layers: &[Matrix], x: &Matrix, y: &Matrix) -> Vec<f64> {
    let grid = |m: &Matrix| Dense::from_rows(&m.to_rows());
    let reference = Network::new(layers.iter().map(grid).collect(), grid(x), grid(y));
    let hessian = reference.hessian();
    let matrix = Matrix::from_fn(hessian.rows(), hessian.cols(), |i, j| hessian[(i, j)]);
    linalg::symmetric_eigenvalues(&matrix).unwrap()
}

/// The spectrum agrees with the reference to `1e-10`, and its eigenvectors are orthonormal eigenvectors.
#[track_caller]
pub(crate) fn check(layers: &[Matrix], x: &Matrix, y: &Matrix, what: &str) -> AlignedSpectrum {
    let network = network(layers, x, y);
    let scales = vec![1.0; layers.len()];
    let operator = HessianOperator::new(&network, scales);
    let found =
        AlignedSpectrum::new(&operator, &Tolerances::default()).unwrap_or_else(|| panic!("{what}: not aligned"));
    let expected = reference(layers, x, y);
    let values = found.values();
    assert_eq!(values.len(), expected.len(), "{what}");
    let scale = expected.iter().fold(1.0_f64, |m, v| m.max(v.abs()));
    for (a, b) in values.iter().zip(&expected) {
        assert!((a - b).abs() <= 1e-10 * scale, "{what}: {a} {b}\n{values:?}\n{expected:?}");
    }
    check_vectors(&operator, &found, scale, what);
    found
}

#[track_caller]
fn check_vectors(operator: &HessianOperator<'_>, found: &AlignedSpectrum, scale: f64, what: &str) {
    let vectors = found.vectors(usize::MAX).unwrap();
    let layers = &operator_shapes(operator);
    let n = operator.dimension();
    let mut all = Matrix::zeros(n, n);
    for (k, vector) in vectors.iter().enumerate() {
        assert!(found.kind == SpectrumKind::Blocks || vector.parts.len() <= 2 * layers.len(), "{what}");
        let mut blocks: Vec<Matrix> = layers.iter().map(|&(m, n)| Matrix::zeros(m, n)).collect();
        for part in &vector.parts {
            let left = Matrix::from_fn(part.left.len(), 1, |i, _| part.left[i]);
            let right = Matrix::from_fn(part.right.len(), 1, |i, _| part.right[i]);
            blocks[part.layer - 1].add_scaled(part.coefficient, &left.times_transpose(&right));
        }
        let entries: Vec<f64> = blocks.iter().flat_map(|b| b.transpose().entries().collect::<Vec<f64>>()).collect();
        all.column_mut(k).copy_from_slice(&entries);
    }
    assert_eq!(vectors.len(), n, "{what}");
    let values: Vec<f64> = vectors.iter().map(|vector| vector.value).collect();
    assert!((&all.transpose_times(&all) - &Matrix::identity(n)).max_abs() < 1e-10, "{what}: not orthonormal");
    let error = (&operator.apply_matrix(&all) - &all.scale_columns(&values)).max_abs();
    assert!(error < 1e-10 * scale, "{what}: {error:e}");
}

fn operator_shapes(operator: &HessianOperator<'_>) -> Vec<(usize, usize)> {
    operator.shapes().to_vec()
}
