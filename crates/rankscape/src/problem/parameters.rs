//! Parameters as they are given: matrices, exact or stored in a floating-point type, and biases.

use super::biases::{BiasKind, bias_kind, with_first_bias};
use super::output_metric::{apply_output_factor, square_root};
use crate::error::Result;
use crate::linalg::Matrix;
use crate::linalg::exact::RationalMatrix;
use crate::multiplication::Factors;
use crate::tolerance::UNIT_ROUNDOFF;

/// The matrices of the layers, `W_1` first, each `(out, in)`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Layers {
    /// In a floating-point type.
    Stored {
        /// The matrices.
        matrices: Vec<Matrix>,
        /// Unit roundoff of the type: 2^-53 for f64, 2^-24 for f32, 2^-11 for f16, 2^-8 for bf16.
        unit_roundoff: f64,
    },
    /// Over the rationals; computations in double precision use the nearest doubles.
    Exact(Vec<RationalMatrix>),
}

impl Layers {
    /// The matrices in double precision.
    pub fn matrices(&self) -> Vec<Matrix> {
        match self {
            Self::Stored { matrices, .. } => matrices.clone(),
            Self::Exact(matrices) => matrices.iter().map(RationalMatrix::to_matrix).collect(),
        }
    }

    /// Unit roundoff of the type in which the entries are known.
    pub fn unit_roundoff(&self) -> f64 {
        match self {
            Self::Stored { unit_roundoff, .. } => *unit_roundoff,
            Self::Exact(_) => UNIT_ROUNDOFF,
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Stored { matrices, .. } => matrices.len(),
            Self::Exact(matrices) => matrices.len(),
        }
    }
}

/// Parameters of a network: its matrices, and a bias or none for each.
///
/// ```
/// use rankscape::Matrix;
/// use rankscape::problem::Parameters;
///
/// let parameters = Parameters::from([Matrix::identity(2), Matrix::identity(2)]).with_biases(vec![None, Some(vec![0.5, 1.0])]);
/// assert_eq!(parameters.biases[1], Some(vec![0.5, 1.0]));
/// ```
#[derive(Debug, Clone)]
pub struct Parameters {
    /// The matrices.
    pub layers: Layers,
    /// The biases, one entry a layer.
    pub biases: Vec<Option<Vec<f64>>>,
    /// A symmetric positive definite `M`, `d_h x d_h`: the loss is `1/2 tr (W X - Y)' M (W X - Y)`. It stays of
    /// Eckart-Young type: with `M = C' C`, `C W_h` and `C Y` take the places of `W_h` and `Y`.
    pub output_metric: Option<Matrix>,
}

impl Parameters {
    /// Matrices without biases.
    pub fn new(layers: Layers) -> Self {
        Self { biases: vec![None; layers.len()], layers, output_metric: None }
    }

    /// The same where the entries were stored in a type with this unit roundoff; exact ones stay exact.
    #[must_use]
    pub fn stored_in(mut self, roundoff: f64) -> Self {
        if let Layers::Stored { unit_roundoff, .. } = &mut self.layers {
            *unit_roundoff = roundoff;
        }
        self
    }

    /// The same with biases, one entry a layer.
    #[must_use]
    pub fn with_biases(self, biases: Vec<Option<Vec<f64>>>) -> Self {
        Self { biases, ..self }
    }

    /// The same for the loss with this output metric.
    #[must_use]
    pub fn with_output_metric(self, output_metric: Option<Matrix>) -> Self {
        Self { output_metric, ..self }
    }

    /// The factors of the problem without biases and metric, and how they came about.
    ///
    /// # Errors
    /// As [`Problem::new`](super::Problem::new).
    pub fn reduced(&self) -> Result<(Factors, Reduction)> {
        let (mut matrices, mut biases) = (self.layers.matrices(), self.biases.clone());
        if let Some(metric) = &self.output_metric {
            apply_output_factor(&square_root(metric)?.0, &mut matrices, &mut biases)?;
        }
        let kind = bias_kind(&biases)?;
        let matrices = if kind == BiasKind::First { with_first_bias(matrices, &biases) } else { matrices };
        Ok((Factors::new(matrices)?, Reduction { biases: kind, output_metric: self.output_metric.is_some() }))
    }
}

impl From<Vec<Matrix>> for Parameters {
    /// Matrices in double precision, without biases.
    fn from(matrices: Vec<Matrix>) -> Self {
        Self::new(Layers::Stored { matrices, unit_roundoff: UNIT_ROUNDOFF })
    }
}

impl<const N: usize> From<[Matrix; N]> for Parameters {
    fn from(matrices: [Matrix; N]) -> Self {
        Self::from(Vec::from(matrices))
    }
}

impl From<Vec<RationalMatrix>> for Parameters {
    /// Exact matrices, without biases.
    fn from(matrices: Vec<RationalMatrix>) -> Self {
        Self::new(Layers::Exact(matrices))
    }
}

/// How the problem that is analysed came from weights and data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reduction {
    /// What became of the biases.
    pub biases: BiasKind,
    /// An output metric was folded into the last layer and the targets.
    pub output_metric: bool,
}
