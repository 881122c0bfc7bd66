//! Data as they are given, and whitened for a kind of biases and an output metric.

use super::biases::{BiasData, BiasKind, first_biased};
use super::output_metric::{OutputMetric, with_outputs_times};
use crate::data::{ExactMoments, SampleAccumulator, SampleFactor, StoredArray, TriangularFactor, Whitening};
use crate::error::{InputError, Result};
use crate::linalg::Matrix;
use crate::linalg::exact::RationalMatrix;
use crate::network::WeightDecay;
use crate::tolerance::{Storage, Tolerances};

/// Data: samples, or the target of `1/2 ||W - Y||^2`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Data {
    /// Samples in a floating-point type.
    Samples(Box<SampleFactor>),
    /// Samples over the rationals.
    ExactSamples(Box<ExactSamples>),
    /// `X` is the identity and `Y` this matrix, stored like this.
    Target(Matrix, StoredArray),
    /// The same over the rationals.
    ExactTarget(RationalMatrix),
}

impl Data {
    /// Samples in double precision, a row each: `x` is `n x d_0`, `y` is `n x d_h`.
    ///
    /// # Errors
    /// If the numbers of rows differ or are zero, or an entry is not finite.
    pub fn samples(x: &Matrix, y: &Matrix) -> Result<Self> {
        let rows = |a: &Matrix| a.transpose().entries().collect::<Vec<f64>>();
        let mut samples = SampleAccumulator::new(x.ncols(), y.ncols());
        samples.push(&rows(x), &rows(y), None)?;
        Ok(Self::from(samples.finish()?))
    }

    /// The target of `1/2 ||W - Y||^2`, `d_h x d_0`, in double precision.
    pub fn target(y: Matrix) -> Self {
        Self::Target(y, StoredArray::DOUBLE)
    }

    /// Number of samples: of columns of the identity, for a target.
    pub fn count(&self) -> u64 {
        match self {
            Self::Samples(factor) => factor.samples(),
            Self::ExactSamples(samples) => samples.factor.samples(),
            Self::Target(target, _) => target.ncols() as u64,
            Self::ExactTarget(target) => target.ncols() as u64,
        }
    }

    /// Rows and columns of the target; `None` for samples.
    pub(super) fn target_shape(&self) -> Option<(usize, usize)> {
        match self {
            Self::Target(target, _) => Some(target.shape()),
            Self::ExactTarget(target) => Some(target.shape()),
            Self::Samples(_) | Self::ExactSamples(_) => None,
        }
    }

    /// The data are a target and not samples.
    pub fn is_target(&self) -> bool {
        matches!(self, Self::Target(..) | Self::ExactTarget(_))
    }

    /// The exact matrices, by their names: X and Y, or Y alone.
    pub fn exact_matrices(&self) -> Option<Vec<(&'static str, &RationalMatrix)>> {
        match self {
            Self::ExactSamples(samples) => Some(vec![("X", &samples.x), ("Y", &samples.y)]),
            Self::ExactTarget(target) => Some(vec![("Y", target)]),
            Self::Samples(_) | Self::Target(..) => None,
        }
    }

    /// Whitens data without weights; `output_metric` as in [`Parameters`](super::Parameters).
    ///
    /// # Errors
    /// If the output metric is not symmetric positive definite or does not fit the outputs.
    pub fn whiten(&self, output_metric: Option<&Matrix>, tolerances: &Tolerances) -> Result<WhitenedData> {
        self.whiten_for(BiasKind::None, output_metric, tolerances)
    }

    /// The same for weights with biases of this kind.
    ///
    /// # Errors
    /// As [`Self::whiten`], or if a target is asked to be centred.
    pub fn whiten_for(
        &self,
        biases: BiasKind,
        output_metric: Option<&Matrix>,
        tolerances: &Tolerances,
    ) -> Result<WhitenedData> {
        let metric = || output_metric.map(OutputMetric::new).transpose();
        let factor = self.view(biases, &[])?;
        let metric = metric()?;
        if let Some(metric) = &metric {
            metric.check(factor.outputs)?;
        }
        Ok(self.whitened(factor, biases, metric, tolerances))
    }

    /// Whitened data and what the parameters are reduced with; `factor` is the view of these data for this kind of biases.
    pub(super) fn whitened(
        &self,
        factor: TriangularFactor,
        kind: BiasKind,
        metric: Option<OutputMetric>,
        tolerances: &Tolerances,
    ) -> WhitenedData {
        let root = metric.as_ref().map(OutputMetric::root);
        let biases = match (self, kind) {
            (Self::Samples(factor), BiasKind::Output) => Some(BiasData::new(factor, root)),
            (Self::ExactSamples(samples), BiasKind::Output) => Some(BiasData::new(&samples.factor, root)),
            _ => None,
        };
        let exact = if kind == BiasKind::None && metric.is_none() { self.moments() } else { None };
        let whitening = Whitening::new(&with_outputs_times(factor, root), tolerances);
        let whitening = match &exact {
            Some(moments) => whitening.with_exact_moments(moments, tolerances),
            None => whitening,
        };
        WhitenedData { whitening, samples: self.count(), exact, kind, biases, metric }
    }

    fn moments(&self) -> Option<ExactMoments> {
        match self {
            Self::ExactSamples(samples) => Some(ExactMoments::new(&samples.x, &samples.y)),
            Self::ExactTarget(target) => Some(ExactMoments::of_target(target)),
            Self::Samples(_) | Self::Target(..) => None,
        }
    }

    /// The triangular factor that this kind of biases asks for.
    pub(super) fn view(&self, kind: BiasKind, biases: &[Option<Vec<f64>>]) -> Result<TriangularFactor> {
        let of_samples = |factor: &SampleFactor| match kind {
            BiasKind::None => factor.plain(),
            BiasKind::First => factor.with_constant_feature(),
            BiasKind::Output => factor.centred(),
        };
        match self {
            Self::Samples(factor) => Ok(of_samples(factor)),
            Self::ExactSamples(samples) => Ok(of_samples(&samples.factor)),
            Self::Target(..) | Self::ExactTarget(_) if kind != BiasKind::None => {
                Err(InputError::new("biases need samples, but the data are a target matrix")
                    .array(first_biased(biases))
                    .hint("give --data, or weights without biases"))
            }
            Self::Target(target, stored) => Ok(TriangularFactor::from_target(target).with_stored_target(*stored)),
            Self::ExactTarget(target) => {
                let stored = exactly_stored(target);
                Ok(TriangularFactor::from_target(&target.to_matrix()).with_stored_target(stored))
            }
        }
    }
}

impl From<SampleFactor> for Data {
    fn from(factor: SampleFactor) -> Self {
        Self::Samples(Box::new(factor))
    }
}

/// Samples over the rationals, with the factor of the nearest doubles.
#[derive(Debug, Clone)]
pub struct ExactSamples {
    factor: SampleFactor,
    x: RationalMatrix,
    y: RationalMatrix,
}

impl ExactSamples {
    /// Samples as rows: `x` is `n x d_0`, `y` is `n x d_h`.
    ///
    /// # Errors
    /// As [`Data::samples`].
    pub fn new(x: RationalMatrix, y: RationalMatrix) -> Result<Self> {
        let factor = factor_of(&x, Some(&y))?;
        Ok(Self { factor, x, y })
    }

    /// The samples of an autoencoder, whose outputs are the inputs.
    ///
    /// # Errors
    /// As [`Data::samples`].
    pub fn autoencoder(x: RationalMatrix) -> Result<Self> {
        Ok(Self { factor: factor_of(&x, None)?, y: x.clone(), x })
    }
}

fn factor_of(x: &RationalMatrix, y: Option<&RationalMatrix>) -> Result<SampleFactor> {
    let rows = |a: &RationalMatrix| a.to_matrix().transpose().entries().collect::<Vec<f64>>();
    let mut samples = SampleAccumulator::new(x.ncols(), y.map_or(0, RationalMatrix::ncols));
    samples.push(&rows(x), &y.map(rows).unwrap_or_default(), None)?;
    let factor = samples.finish()?;
    let factor = if y.is_some() { factor } else { factor.with_outputs_equal_to_inputs() };
    Ok(factor.stored_with(exactly_stored(x), exactly_stored(y.unwrap_or(x))))
}

fn exactly_stored(matrix: &RationalMatrix) -> StoredArray {
    StoredArray { storage: Storage::DOUBLE, whole: matrix.entries().iter().all(|entry| entry.is_integer()) }
}

/// Data ready for questions about every set of weights with biases of one kind.
#[derive(Debug, Clone)]
pub struct WhitenedData {
    /// The whitened data.
    pub whitening: Whitening,
    /// Number of samples.
    pub samples: u64,
    /// Exact second moments, where known.
    pub exact: Option<ExactMoments>,
    pub(super) kind: BiasKind,
    /// What an output bias needs.
    pub(super) biases: Option<BiasData>,
    pub(super) metric: Option<OutputMetric>,
}

impl WhitenedData {
    /// # Errors
    /// If there are biases or an output metric, beside which weight decay is another problem.
    pub(crate) fn check_decay(&self, decay: &WeightDecay) -> Result<()> {
        if self.kind == BiasKind::None && self.metric.is_none() {
            return Ok(());
        }
        Err(InputError::new("weight decay is supported without biases and without an output metric")
            .array("--weight-decay")
            .value(decay.strength())
            .hint("leave the metric out; for an output bias without decay, centre X and Y and leave the bias out"))
    }
}
