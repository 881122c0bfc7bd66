//! A point of the parameter space with its data: `biases` are resolved, an output metric is folded in, data are whitened.

use super::biases::{BiasKind, OutputBias, bias_kind, first_biased, output_bias, with_first_bias};
use super::output_metric::{apply_output_factor, check_output_factor, square_root, times_vector, with_outputs_times};
use crate::critical::ExactData;
use crate::data::{SampleFactor, StoredArray, TriangularFactor, Whitening};
use crate::error::{InputError, Result};
use crate::linalg::Matrix;
use crate::linalg::exact::RationalMatrix;
use crate::multiplication::{ExactFactors, Factors};
use crate::tolerance::Tolerances;

/// Weights of a network: its matrices, and a bias or none for each.
#[derive(Debug, Clone)]
pub struct Parameters {
    /// The matrices, `W_1` first, each `(out, in)`.
    pub matrices: Vec<Matrix>,
    /// The biases.
    pub biases: Vec<Option<Vec<f64>>>,
    /// The exact matrices, where known; used only without biases and without an output metric.
    pub exact: Option<Vec<RationalMatrix>>,
    /// A symmetric positive definite `M`, `d_h x d_h`: the loss is `1/2 tr (W X - Y)' M (W X - Y)`. It stays of
    /// Eckart-Young type: with `M = C' C`, `C W_h` and `C Y` take the places of `W_h` and `Y`.
    pub output_metric: Option<Matrix>,
}

/// How the problem that is analysed came from weights and data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reduction {
    /// What became of the biases.
    pub biases: BiasKind,
    /// An output metric was folded into the last layer and the targets.
    pub output_metric: bool,
}

impl Parameters {
    /// The factors of the problem without biases and metric, and how they came about.
    ///
    /// # Errors
    /// As [`Point::new`].
    pub fn reduced(&self) -> Result<(Factors, Reduction)> {
        let (mut matrices, mut biases) = (self.matrices.clone(), self.biases.clone());
        if let Some(metric) = &self.output_metric {
            apply_output_factor(&square_root(metric)?.0, &mut matrices, &mut biases)?;
        }
        let kind = bias_kind(&biases)?;
        let matrices = if kind == BiasKind::First { with_first_bias(matrices, &biases) } else { matrices };
        Ok((Factors::new(matrices)?, Reduction { biases: kind, output_metric: self.output_metric.is_some() }))
    }
}

/// Data: samples, or the target of `1/2 ||W - Y||^2`.
#[derive(Debug, Clone)]
pub enum Data {
    /// Samples, with their exact values (`X` and `Y`, a sample a row) where known.
    Samples(Box<SampleFactor>, Option<(RationalMatrix, RationalMatrix)>),
    /// `X` is the identity and `Y` this matrix, with its exact value where known, and how it was stored.
    Target(Matrix, Option<RationalMatrix>, StoredArray),
}

impl Data {
    /// Whitens data without weights; `output_metric` as in [`Parameters`].
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
        let (factor, samples, exact) = self.prepare(biases, &[])?;
        let metric = output_metric.map(square_root).transpose()?.map(|(root, _)| root);
        if let Some(c) = &metric {
            check_output_factor(c, factor.outputs)?;
        }
        let exact = exact.filter(|_| metric.is_none());
        let whitening = whitened(&with_outputs_times(factor, metric.as_ref()), exact.as_ref(), tolerances);
        Ok(WhitenedData { whitening, samples, exact })
    }

    /// The triangular factor that this kind of biases asks for, the number of samples, and the exact data.
    fn prepare(
        &self,
        kind: BiasKind,
        biases: &[Option<Vec<f64>>],
    ) -> Result<(TriangularFactor, u64, Option<ExactData>)> {
        Ok(match (self, kind) {
            (Data::Target(..), BiasKind::First | BiasKind::Output) => {
                return Err(InputError::new("biases need samples, but the data are a target matrix")
                    .array(first_biased(biases))
                    .hint("give --data, or weights without biases"));
            }
            (Data::Target(target, exact, stored), BiasKind::None) => {
                let exact =
                    exact.as_ref().map(|y| ExactData::new(&RationalMatrix::identity(y.ncols()), &y.transpose()));
                (TriangularFactor::from_target(target).with_stored_target(*stored), target.ncols() as u64, exact)
            }
            (Data::Samples(factor, exact), kind) => {
                let exact = exact.as_ref().filter(|_| kind == BiasKind::None).map(|(x, y)| ExactData::new(x, y));
                let view = match kind {
                    BiasKind::None => factor.plain(),
                    BiasKind::First => factor.with_constant_feature(),
                    BiasKind::Output => factor.centred(),
                };
                (view, factor.samples(), exact)
            }
        })
    }
}

/// The whitened data, with the ranks of exact data where they are known.
fn whitened(factor: &TriangularFactor, exact: Option<&ExactData>, tolerances: &Tolerances) -> Whitening {
    let whitening = Whitening::new(factor, tolerances);
    match exact {
        Some(data) => whitening.with_exact_moments(&data.moments(), tolerances),
        None => whitening,
    }
}

/// Data ready for questions about every set of weights.
#[derive(Debug, Clone)]
pub struct WhitenedData {
    /// The whitened data.
    pub whitening: Whitening,
    /// Number of samples.
    pub samples: u64,
    /// Exact second moments, where known.
    pub exact: Option<ExactData>,
}

impl From<Point> for WhitenedData {
    fn from(point: Point) -> Self {
        Self { whitening: point.whitening, samples: point.samples, exact: point.exact_data }
    }
}

/// A point that is ready to be diagnosed.
#[derive(Debug, Clone)]
pub struct Point {
    /// The factors of the problem that is analysed: a first-layer bias is a column of `W_1`.
    pub factors: Factors,
    /// Its data: centred with an output bias, with a constant feature for a first-layer bias.
    pub whitening: Whitening,
    /// Number of samples.
    pub samples: u64,
    exact_factors: Option<ExactFactors>,
    /// Exact moments of the data, also where the weights are not exact.
    pub(super) exact_data: Option<ExactData>,
    pub(super) output_bias: Option<OutputBias>,
    /// `C`, and its inverse.
    pub(super) output_factor: Option<Matrix>,
    pub(super) inverse_output_factor: Option<Matrix>,
    first_bias: bool,
}

impl Point {
    /// Number of biases that leave the loss unchanged once the output bias is at its best value.
    pub fn free_biases(&self) -> usize {
        self.output_bias.as_ref().map_or(0, OutputBias::flat)
    }

    /// Resolves biases and whitens the data.
    ///
    /// # Errors
    /// If the shapes do not chain, or there are biases but neither in the last layer nor in the first alone.
    pub fn new(parameters: Parameters, data: Data, tolerances: &Tolerances) -> Result<Self> {
        let Parameters { mut matrices, mut biases, exact, output_metric } = parameters;
        let metric = output_metric.map(|metric| square_root(&metric)).transpose()?;
        let exact = exact.filter(|_| metric.is_none());
        let (output_factor, inverse_output_factor) = metric.unzip();
        if let Some(c) = &output_factor {
            apply_output_factor(c, &mut matrices, &mut biases)?;
        }
        let kind = bias_kind(&biases)?;
        let (factor, samples, exact_data) = data.prepare(kind, &biases)?;
        let output_bias = match (&data, kind) {
            (Data::Samples(factor, _), BiasKind::Output) => Some(output_bias(&biases, factor, output_factor.as_ref())),
            _ => None,
        };
        let exact_data = exact_data.filter(|_| output_factor.is_none());
        let factor = with_outputs_times(factor, output_factor.as_ref());
        let whitening = whitened(&factor, exact_data.as_ref(), tolerances);
        let exact_factors = exact.map(ExactFactors::new).transpose()?;
        let matrices = if kind == BiasKind::First { with_first_bias(matrices, &biases) } else { matrices };
        Ok(Self {
            factors: Factors::new(matrices)?,
            whitening,
            samples,
            exact_factors,
            exact_data,
            output_bias,
            output_factor,
            inverse_output_factor,
            first_bias: kind == BiasKind::First,
        })
    }

    /// How the problem came from weights and data.
    pub fn reduction(&self) -> Reduction {
        let biases = match (&self.output_bias, self.first_bias) {
            (Some(_), _) => BiasKind::Output,
            (None, true) => BiasKind::First,
            (None, false) => BiasKind::None,
        };
        Reduction { biases, output_metric: self.output_factor.is_some() }
    }

    /// Some layer has a bias.
    pub fn has_biases(&self) -> bool {
        self.first_bias || self.output_bias.is_some()
    }

    /// The factors and the moments of the data over the rationals, for exact input.
    pub fn exact(&self) -> Option<(&ExactFactors, &ExactData)> {
        self.exact_factors.as_ref().zip(self.exact_data.as_ref())
    }

    /// The same data at other parameters, shaped as they were given.
    ///
    /// # Errors
    /// If a shape differs.
    pub fn with_parameters(&self, mut matrices: Vec<Matrix>, mut biases: Vec<Option<Vec<f64>>>) -> Result<Self> {
        if let Some(c) = &self.output_factor {
            apply_output_factor(c, &mut matrices, &mut biases)?;
        }
        let matrices = if self.first_bias { with_first_bias(matrices, &biases) } else { matrices };
        let mut output_bias = self.output_bias.clone();
        if let Some(bias) = &mut output_bias {
            bias.columns = biases;
        }
        Ok(Self { output_bias, ..self.with_factors(Factors::new(matrices)?) })
    }

    /// The same data at other factors of the analysed problem.
    pub(super) fn with_factors(&self, factors: Factors) -> Self {
        Self { factors, exact_factors: None, ..self.clone() }
    }

    /// `C` and its inverse, where the last factor as given is `C^-1 W_h`.
    pub(super) fn output_factors(&self) -> Option<(&Matrix, &Matrix)> {
        self.output_factor.as_ref().zip(self.inverse_output_factor.as_ref())
    }

    /// Matrices and biases, shaped as they were given, of other factors of the analysed problem. An output bias follows
    /// so that `b_h - b*` becomes zero.
    pub fn parameters_at(&self, factors: &Factors) -> (Vec<Matrix>, Vec<Option<Vec<f64>>>) {
        self.parameters_with(factors, |output| {
            let mut biases = output.columns.clone();
            if let Some(last) = biases.last_mut() {
                *last = Some(output.best(factors));
            }
            biases
        })
    }

    /// The same with the biases, all of them, that are nearest to those given where the output bias is best.
    pub fn parameters_near(&self, factors: &Factors) -> (Vec<Matrix>, Vec<Option<Vec<f64>>>) {
        self.parameters_with(factors, |output| output.nearest(factors, self.output_factor.as_ref()))
    }

    fn parameters_with(
        &self,
        factors: &Factors,
        columns: impl Fn(&OutputBias) -> Vec<Option<Vec<f64>>>,
    ) -> (Vec<Matrix>, Vec<Option<Vec<f64>>>) {
        let mut matrices = factors.matrices().to_vec();
        let mut biases = vec![None; matrices.len()];
        if self.first_bias {
            let first = &matrices[0];
            let last = first.ncols() - 1;
            biases[0] = Some(first.column(last).to_vec());
            matrices[0] = first.columns(0, last);
        }
        if let Some(output) = &self.output_bias {
            biases = columns(output);
        }
        if let Some(inverse) = &self.inverse_output_factor {
            let last = matrices.len() - 1;
            matrices[last] = inverse * &matrices[last];
            biases[last] = biases[last].as_ref().map(|bias| times_vector(inverse, bias));
        }
        (matrices, biases)
    }
}
