//! Points of the test kit, handed to the diagnosis.
#![allow(dead_code, unreachable_pub)]

use rankscape::data::SampleAccumulator;
use rankscape::diagnosis::{Data, Diagnosis, Parameters, Point, Settings, diagnose};
use rankscape::linalg::Matrix;
use rankscape::tolerance::{Tolerances, UNIT_ROUNDOFF};
use testkit::grid::Dense;
use testkit::reference::Network;

pub fn matrix(grid: &Dense) -> Matrix {
    Matrix::from_fn(grid.rows(), grid.cols(), |i, j| grid[(i, j)])
}

/// Samples in the columns of `x` and `y`.
pub fn samples(x: &Dense, y: &Dense, weights: Option<&[f64]>) -> Data {
    let mut accumulator = SampleAccumulator::new(x.rows(), y.rows());
    let rows = |grid: &Dense| grid.transpose().entries().to_vec();
    accumulator.push(&rows(x), &rows(y), weights).unwrap();
    Data::Samples(Box::new(accumulator.finish().unwrap()), None)
}

pub fn parameters(network: &Network<f64>, output_metric: Option<&Dense>) -> Parameters {
    Parameters {
        matrices: network.weights.iter().map(matrix).collect(),
        biases: network.biases.clone(),
        exact: None,
        output_metric: output_metric.map(matrix),
    }
}

pub fn diagnosis_of(parameters: Parameters, data: Data) -> Diagnosis {
    let tolerances = Tolerances::default();
    let point = Point::new(parameters, data, &tolerances).unwrap();
    diagnose(&point, Settings { unit_roundoff: UNIT_ROUNDOFF, tolerances: &tolerances, seed: 0, threads: 1 }).unwrap()
}

/// The diagnosis of a network with the data that it carries.
pub fn diagnosis(network: &Network<f64>) -> Diagnosis {
    diagnosis_of(parameters(network, None), samples(&network.x, &network.y, None))
}
