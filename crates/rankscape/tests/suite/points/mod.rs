//! What the test kit draws, in the types of the library, and the diagnosis of its points.

use rankscape::critical::CriticalClass;
use rankscape::data::{SampleAccumulator, SampleFactor, Whitening};
use rankscape::diagnosis::{Diagnosis, Settings, diagnose};
use rankscape::linalg::Matrix;
use rankscape::linalg::exact::RationalMatrix;
use rankscape::multiplication::Factors;
use rankscape::problem::{Data, ExactSamples, Parameters, Problem};
use rankscape::tolerance::Tolerances;
use testkit::grid::{Dense, Grid};
use testkit::planted::Class;
use testkit::reference::Network;
use testkit::scalar::Rational;

pub fn matrix(grid: &Dense) -> Matrix {
    Matrix::from_fn(grid.rows(), grid.cols(), |i, j| grid[(i, j)])
}

pub fn grid(matrix: &Matrix) -> Dense {
    Grid::from_fn(matrix.nrows(), matrix.ncols(), |i, j| matrix[(i, j)])
}

pub fn rational(grid: &Grid<Rational>) -> RationalMatrix {
    RationalMatrix::from_fn(grid.rows(), grid.cols(), |i, j| grid[(i, j)].clone())
}

pub fn factors(grids: &[Dense]) -> Factors {
    Factors::new(grids.iter().map(matrix).collect()).unwrap()
}

pub fn class_of(planted: Class) -> CriticalClass {
    match planted {
        Class::GlobalMinimum => CriticalClass::GlobalMinimum,
        Class::StrictSaddle => CriticalClass::StrictSaddle,
        Class::NonStrictSaddle => CriticalClass::NonStrictSaddle,
    }
}

fn sample_factor(x: &Dense, y: &Dense, weights: Option<&[f64]>) -> SampleFactor {
    let mut accumulator = SampleAccumulator::new(x.rows(), y.rows());
    accumulator.push(x.transpose().entries(), y.transpose().entries(), weights).unwrap();
    accumulator.finish().unwrap()
}

/// Samples in the columns of `x` and `y`.
pub fn samples(x: &Dense, y: &Dense, weights: Option<&[f64]>) -> Data {
    Data::from(sample_factor(x, y, weights))
}

/// Samples in the columns of `x` and `y`, whitened.
pub fn whitening(x: &Dense, y: &Dense) -> Whitening {
    Whitening::new(&sample_factor(x, y, None).plain(), &Tolerances::default())
}

pub fn parameters(network: &Network<f64>, output_metric: Option<&Dense>) -> Parameters {
    let matrices: Vec<Matrix> = network.weights.iter().map(matrix).collect();
    Parameters::from(matrices).with_biases(network.biases.clone()).with_output_metric(output_metric.map(matrix))
}

pub fn diagnosis_of(parameters: Parameters, data: Data) -> Diagnosis {
    diagnose(&Problem::new(parameters, data).unwrap(), Settings::default()).unwrap()
}

/// The diagnosis of a network with the data that it carries.
pub fn diagnosis(network: &Network<f64>) -> Diagnosis {
    diagnosis_of(parameters(network, None), samples(&network.x, &network.y, None))
}

/// A network over the rationals with the data that it carries.
pub fn exact_point(network: &Network<Rational>) -> Problem {
    let weights: Vec<RationalMatrix> = network.weights.iter().map(rational).collect();
    let samples = ExactSamples::new(rational(&network.x.transpose()), rational(&network.y.transpose())).unwrap();
    Problem::new(weights, Data::ExactSamples(Box::new(samples))).unwrap()
}
