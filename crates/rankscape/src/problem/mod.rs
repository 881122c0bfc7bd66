//! One prepared problem: parameters and data, checked once, whitened once; the networks at the point are made at most once
//! and shared by all that ask.
//!
//! `parameters` and `data` are what is given. `biases` are resolved and an `output_metric` is folded in, so that the problem
//! that is analysed has factors and a target alone.

mod biases;
mod data;
mod eckart_young;
mod landscape;
mod losses;
mod output_metric;
mod parameters;

pub use biases::{BiasData, BiasKind, OutputBias};
pub use data::{Data, ExactSamples, WhitenedData};
pub(crate) use eckart_young::eckart_young;
pub use landscape::Landscape;
pub use losses::{LossData, LossProblem};
pub use output_metric::OutputMetric;
pub(crate) use output_metric::times_vector;
pub use parameters::{Layers, Parameters, Reduction};

use std::sync::{Arc, OnceLock};

use biases::{bias_kind, with_first_bias};
use output_metric::apply_output_factor;

use crate::data::Whitening;
use crate::error::{InputError, Result};
use crate::linalg::exact::{RationalMatrix, rational_to_f64};
use crate::linalg::{Matrix, spectral_norm};
use crate::multiplication::{ExactFactors, Factors, RankProfile};
use crate::network::{ExactSquareNetwork, NormalizedNetwork};
use crate::tolerance::Tolerances;

/// A point of the parameter space of a network with its data, ready for every question.
///
/// ```
/// use rankscape::Matrix;
/// use rankscape::problem::{Data, Problem};
///
/// let half = Matrix::from_diagonal(2, 2, &[1.0, 0.0]);
/// let problem = Problem::new([half.clone(), half], Data::target(Matrix::from_diagonal(2, 2, &[4.0, 4.0])))?;
/// // 1/2 ((1 - 4)^2 + (0 - 4)^2)
/// assert_eq!(problem.loss(), 12.5);
/// # Ok::<(), rankscape::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Problem {
    factors: Factors,
    data: Arc<WhitenedData>,
    /// The same point over the rationals, for exact weights and exact data.
    exact: Option<Arc<ExactSquareNetwork>>,
    /// As given, but with an output metric `C' C` the last is `C b_h`.
    biases: Vec<Option<Vec<f64>>>,
    unit_roundoff: f64,
    tolerances: Tolerances,
    networks: OnceLock<Networks>,
}

/// The point in double precision, scaled.
#[derive(Debug, Clone)]
struct Networks {
    analysed: NormalizedNetwork,
    /// With biases and output metric, where there are some.
    given: Option<NormalizedNetwork>,
}

/// Matrices and biases as given.
pub type GivenParameters = (Vec<Matrix>, Vec<Option<Vec<f64>>>);

impl Problem {
    /// With default tolerances.
    ///
    /// # Errors
    /// If the shapes do not chain or do not fit the data, or there are biases but neither in the last layer nor in the first
    /// alone.
    pub fn new(parameters: impl Into<Parameters>, data: Data) -> Result<Self> {
        Self::with_tolerances(parameters, data, &Tolerances::default())
    }

    /// With these tolerances.
    ///
    /// # Errors
    /// As [`Self::new`], or if every point would count as critical.
    pub fn with_tolerances(parameters: impl Into<Parameters>, data: Data, tolerances: &Tolerances) -> Result<Self> {
        let Parameters { layers, mut biases, output_metric } = parameters.into();
        let metric = output_metric.as_ref().map(OutputMetric::new).transpose()?;
        let mut matrices = layers.matrices();
        if let Some(metric) = &metric {
            apply_output_factor(metric.root(), &mut matrices, &mut biases)?;
        }
        let kind = bias_kind(&biases)?;
        // The factor of a target has the square of its sizes, so one that does not fit is refused before.
        if let (Some((outputs, inputs)), Some(first), Some(last)) =
            (data.target_shape(), matrices.first(), matrices.last())
            && kind == BiasKind::None
        {
            check_ends((first.ncols(), last.nrows()), (inputs, outputs))?;
        }
        let view = data.view(kind, &biases)?;
        let data = data.whitened(view, kind, metric, tolerances);
        Self::prepared(layers, matrices, biases, Arc::new(data), tolerances)
    }

    /// The same data, which are not whitened again, at other parameters as they are given: the output metric is that of the
    /// data.
    ///
    /// # Errors
    /// If the shapes do not chain or do not fit the data, or other layers have biases.
    pub fn at(&self, parameters: impl Into<Parameters>) -> Result<Self> {
        let Parameters { layers, mut biases, output_metric: _ } = parameters.into();
        let mut matrices = layers.matrices();
        if let Some(metric) = self.output_metric() {
            apply_output_factor(metric.root(), &mut matrices, &mut biases)?;
        }
        if bias_kind(&biases)? != self.data.kind {
            return Err(InputError::new("other layers have biases than those that the data were prepared for"));
        }
        Self::prepared(layers, matrices, biases, Arc::clone(&self.data), &self.tolerances)
    }

    /// `matrices` and `biases` are those of `layers` with the output metric folded in.
    fn prepared(
        layers: Layers,
        matrices: Vec<Matrix>,
        biases: Vec<Option<Vec<f64>>>,
        data: Arc<WhitenedData>,
        tolerances: &Tolerances,
    ) -> Result<Self> {
        let unit_roundoff = layers.unit_roundoff();
        let exact = exact_network(layers, &data)?;
        let matrices = if data.kind == BiasKind::First { with_first_bias(matrices, &biases) } else { matrices };
        let factors = Factors::new(matrices)?;
        tolerances.check_criticality(unit_roundoff)?;
        check_widths(&factors, &data.whitening)?;
        let exact = exact.map(|(factors, moments)| ExactSquareNetwork::new(factors, moments)).transpose()?;
        Ok(Self {
            factors,
            data,
            exact: exact.map(Arc::new),
            biases,
            unit_roundoff,
            tolerances: *tolerances,
            networks: OnceLock::new(),
        })
    }

    /// The factors of the problem that is analysed: a first-layer bias is a column of `W_1`.
    pub fn factors(&self) -> &Factors {
        &self.factors
    }

    /// Its data: centred with an output bias, with a constant feature for a first-layer bias.
    pub fn whitening(&self) -> &Whitening {
        &self.data.whitening
    }

    /// The data, for questions about other weights.
    pub fn data(&self) -> &WhitenedData {
        &self.data
    }

    /// Number of samples.
    pub fn samples(&self) -> u64 {
        self.data.samples
    }

    /// Unit roundoff of the type in which the weights were stored.
    pub fn unit_roundoff(&self) -> f64 {
        self.unit_roundoff
    }

    /// The tolerances.
    pub fn tolerances(&self) -> &Tolerances {
        &self.tolerances
    }

    /// The point over the rationals, for exact weights and exact data.
    pub fn exact(&self) -> Option<&ExactSquareNetwork> {
        self.exact.as_deref()
    }

    /// The problem that is analysed, in double precision: no biases, data centred where the output has one.
    pub fn network(&self) -> &NormalizedNetwork {
        &self.networks().analysed
    }

    /// The point in the parameters as given: with biases and output metric.
    pub fn given(&self) -> &NormalizedNetwork {
        let Networks { analysed, given } = self.networks();
        given.as_ref().unwrap_or(analysed)
    }

    fn networks(&self) -> &Networks {
        self.networks.get_or_init(|| {
            let analysed = NormalizedNetwork::new(&self.factors, self.whitening());
            let as_given = self.output_bias().is_none() && self.output_metric().is_none();
            let given = (!as_given).then(|| self.as_given(analysed.clone(), &self.biases));
            Networks { analysed, given }
        })
    }

    /// A network of the analysed problem in the parameters as given, with these biases.
    pub(crate) fn as_given(&self, network: NormalizedNetwork, biases: &[Option<Vec<f64>>]) -> NormalizedNetwork {
        let network = network.with_output_factor(self.output_metric().map(|metric| metric.root().clone()));
        match &self.data.biases {
            Some(data) => network.with_biases(biases, data.samples()),
            None => network,
        }
    }

    /// Ranks of the partial products of the factors as given. Over the rationals, or of the entries as they are stored; a point
    /// whose gradient is nothing but rounding errors (`critical`) stands for the critical point beside it.
    pub(crate) fn rank_profile(&self, critical: bool) -> RankProfile {
        match self.exact() {
            Some(exact) => RankProfile::exact(exact.factors()),
            None => self.stored_rank_profile(critical),
        }
    }

    /// The same as double precision decides it.
    pub(crate) fn stored_rank_profile(&self, critical: bool) -> RankProfile {
        let decide = if critical { RankProfile::new } else { RankProfile::stored };
        decide(&self.factors, self.unit_roundoff, &self.tolerances)
    }

    /// How the problem came from weights and data.
    pub fn reduction(&self) -> Reduction {
        Reduction { biases: self.data.kind, output_metric: self.data.metric.is_some() }
    }

    /// Some layer has a bias.
    pub fn has_biases(&self) -> bool {
        self.data.kind != BiasKind::None
    }

    /// The biases, where the last layer has one.
    pub fn output_bias(&self) -> Option<OutputBias<'_>> {
        self.data.biases.as_ref().map(|data| OutputBias { columns: &self.biases, data })
    }

    /// The output metric `C' C`: the last factor as given is `C^-1 W_h`.
    pub fn output_metric(&self) -> Option<&OutputMetric> {
        self.data.metric.as_ref()
    }

    /// The factors are all the parameters: no output bias, no output metric.
    pub(crate) fn is_plain(&self) -> bool {
        self.output_bias().is_none() && self.output_metric().is_none()
    }

    /// Number of biases that leave the loss unchanged once the output bias is at its best value.
    pub fn free_biases(&self) -> usize {
        self.output_bias().map_or(0, |bias| bias.flat())
    }

    /// `L`; over the rationals rounded once.
    pub fn loss(&self) -> f64 {
        let exactly = |exact: &ExactSquareNetwork| 0.5 * rational_to_f64(&exact.squared_residual());
        self.exact().map_or_else(|| self.stored_loss(), exactly)
    }

    /// `L` in double precision.
    pub(crate) fn stored_loss(&self) -> f64 {
        let given = self.given();
        let floor = if self.output_bias().is_some() { 0.0 } else { self.whitening().floor };
        given.given().value() * given.target_scale() * given.target_scale() + floor
    }

    /// `h s^(2h-2) ||X||_2^2`: the largest curvature of a balanced minimum, about. With an output factor `C` it is `C^-1 Z`
    /// that balanced layers make, and `||C||_2 ||X||_2` that stretches.
    pub fn natural_curvature(&self) -> f64 {
        let (depth, whitening) = (self.factors.depth(), self.whitening());
        let largest = whitening.scales.first().copied().unwrap_or(0.0);
        let inverse: Vec<f64> = whitening.scales.iter().map(|s| 1.0 / s).collect();
        let target = whitening.target.scale_columns(&inverse);
        let (target, stretch) = match self.output_metric() {
            Some(metric) => (metric.inverse() * &target, spectral_norm(metric.root())),
            None => (target, 1.0),
        };
        let exponent = (2 * depth - 2) as f64 / depth as f64;
        depth as f64 * spectral_norm(&target).powf(exponent) * (largest * stretch).powi(2)
    }

    /// The same data at other parameters, shaped as they were given.
    ///
    /// # Errors
    /// If a shape differs.
    pub fn with_parameters(&self, mut matrices: Vec<Matrix>, mut biases: Vec<Option<Vec<f64>>>) -> Result<Self> {
        if let Some(metric) = self.output_metric() {
            apply_output_factor(metric.root(), &mut matrices, &mut biases)?;
        }
        let first = self.data.kind == BiasKind::First;
        let factors = Factors::new(if first { with_first_bias(matrices, &biases) } else { matrices })?;
        check_widths(&factors, self.whitening())?;
        Ok(self.with_factors(factors, biases))
    }

    /// The same data at other factors of the analysed problem, with these biases.
    pub(crate) fn with_factors(&self, factors: Factors, biases: Vec<Option<Vec<f64>>>) -> Self {
        Self {
            factors,
            biases,
            exact: None,
            networks: OnceLock::new(),
            data: Arc::clone(&self.data),
            unit_roundoff: self.unit_roundoff,
            tolerances: self.tolerances,
        }
    }

    /// Matrices and biases, shaped as they were given, of other factors of the analysed problem. An output bias follows
    /// so that `b_h - b*` becomes zero.
    pub fn parameters_at(&self, factors: &Factors) -> GivenParameters {
        self.parameters_with(factors, |output| {
            let mut biases = output.columns().to_vec();
            if let Some(last) = biases.last_mut() {
                *last = Some(output.best(factors));
            }
            biases
        })
    }

    /// The same with the biases, all of them, that are nearest to those given where the output bias is best.
    pub fn parameters_near(&self, factors: &Factors) -> GivenParameters {
        let root = self.output_metric().map(OutputMetric::root);
        self.parameters_with(factors, |output| output.nearest(factors, root))
    }

    fn parameters_with(
        &self,
        factors: &Factors,
        columns: impl Fn(OutputBias<'_>) -> Vec<Option<Vec<f64>>>,
    ) -> GivenParameters {
        let mut matrices = factors.matrices().to_vec();
        let mut biases = vec![None; matrices.len()];
        if self.data.kind == BiasKind::First {
            let first = &matrices[0];
            let last = first.ncols() - 1;
            biases[0] = Some(first.column(last).to_vec());
            matrices[0] = first.columns(0, last);
        }
        if let Some(output) = self.output_bias() {
            biases = columns(output);
        }
        if let Some(metric) = self.output_metric() {
            let last = matrices.len() - 1;
            matrices[last] = metric.inverse() * &matrices[last];
            biases[last] = biases[last].as_ref().map(|bias| times_vector(metric.inverse(), bias));
        }
        (matrices, biases)
    }
}

/// Factors and moments over the rationals, where both are exact.
fn exact_network(layers: Layers, data: &WhitenedData) -> Result<Option<(ExactFactors, crate::data::ExactMoments)>> {
    let matrices: Vec<RationalMatrix> = match layers {
        Layers::Exact(matrices) if data.metric.is_none() => matrices,
        _ => return Ok(None),
    };
    let factors = ExactFactors::new(matrices)?;
    Ok(data.exact.clone().map(|moments| (factors, moments)))
}

fn check_widths(factors: &Factors, whitening: &Whitening) -> Result<()> {
    let architecture = factors.architecture();
    let network = (architecture.inputs(), architecture.outputs());
    check_ends(network, (whitening.basis.nrows(), whitening.target.nrows()))
}

/// The network has the inputs and outputs of the data.
fn check_ends(network: (usize, usize), (inputs, outputs): (usize, usize)) -> Result<()> {
    if network == (inputs, outputs) {
        return Ok(());
    }
    Err(InputError::new("the data do not fit the widths of the network")
        .array("data")
        .value(format!("data with {inputs} inputs and {outputs} outputs, network with {} and {}", network.0, network.1))
        .hint("X must have d0 columns and Y must have dh columns, one sample a row"))
}
