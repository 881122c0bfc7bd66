//! The rank of the Jacobian of predictions at weights on data, beside the generic rank.

use super::Answer;
use crate::critical::Origin;
use crate::data::{ExactMoments, Whitening};
use crate::error::{InputError, Result};
use crate::evidence::{Evidence, Grade, Quantity, RankDecision, Truth};
use crate::linalg::exact::{Rational, RationalMatrix};
use crate::linalg::{Matrix, power_of_two_near};
use crate::multiplication::{ExactFactors, Factors};
use crate::parametrization::{
    Activation, ChainPoint, ChainRank, ExactFilters, FilterLayer, FilterMap, Filters, Parametrization, PyramidalMap,
    criticality, dense_rank, generic_rank, is_critical_without_bound, norms_before_last, to_linear,
};
use crate::problem::{Data, Layers, WhitenedData};
use crate::random::Stream;
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

/// Which map.
#[derive(Debug, Clone, PartialEq)]
pub enum MapKind {
    /// `W_h ... W_1 X`.
    Linear,
    /// `W_h W_{h-1}/||W_{h-1}|| ... W_1/||W_1|| X`.
    Normalized,
    /// `F_k = sigma_k(W_k F_{k-1})`.
    Pyramidal(Vec<Activation>),
    /// Products of filters on signals of a size.
    Filters(Filters, Option<usize>),
    /// `(I + W_h) ... (I + W_1) X`.
    Residual,
    /// `(I + W_h ... W_1) X`.
    IdentityPlusProduct,
    /// `(W_{h-1} ... W_1 + W_h) X`.
    ProductPlusMatrix,
}

/// What the map is evaluated on.
#[derive(Debug, Clone)]
pub enum PredictorData {
    /// Unit vectors: `X = I`, and one impulse for circulant filters.
    Units,
    /// Samples or a target; `true` where `Y` is that of the square loss, and not left out.
    Factor(Data, bool),
    /// Samples as columns, for maps that are not linear in them.
    Samples(Matrix, Option<Matrix>),
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct PredictorRequest {
    /// The map.
    pub map: MapKind,
    /// The blocks of parameters.
    pub layers: Layers,
    /// The data.
    pub data: PredictorData,
    /// Seed of the points at which a generic rank is looked for.
    pub seed: u64,
    /// Tolerances.
    pub tolerances: Tolerances,
}

/// Whether generic parameters reach all predictions nearby.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Regime {
    /// The generic rank is the number of predictions.
    Overparametrised,
    /// It is smaller.
    Underparametrised,
}

impl Regime {
    /// Lower-case name, as in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Overparametrised => "overparametrised",
            Self::Underparametrised => "underparametrised",
        }
    }
}

/// The rank of the Jacobian of predictions.
#[derive(Debug, Clone)]
pub struct PredictorAnswer {
    /// Number of predictions: outputs times samples.
    pub predictions: u64,
    /// Number of parameters.
    pub parameters: usize,
    /// The map is defined here; a normalized one is not where a factor before the last is zero.
    pub defined: bool,
    /// Rank at the weights; `None` where it is not clear, or the map is not differentiable.
    pub rank: Option<usize>,
    /// Rank at generic parameters.
    pub generic_rank: Option<usize>,
    /// By the generic rank.
    pub regime: Option<Regime>,
    /// The gradient of the square loss counts as zero; `None` without targets.
    pub critical: Option<Truth>,
    /// Pure or spurious in the space of predictions; `None` off critical points and where undecided.
    pub origin: Option<Origin>,
    /// The decisions.
    pub evidence: Evidence,
    /// How the generic rank was found.
    pub generic_grade: Grade,
}

impl Answer for PredictorAnswer {
    fn is_undecided(&self) -> bool {
        let origin = match self.critical {
            Some(Truth::Yes) => self.origin.is_none(),
            Some(Truth::Undecided) => true,
            _ => false,
        };
        self.rank.is_none() || self.generic_rank.is_none() || origin
    }
}

/// The rank of the Jacobian of predictions here and at generic parameters, the regime, and the origin of a critical point of the square
/// loss.
///
/// # Errors
/// If the parameters do not have the shapes of the map, the data do not fit, or a Jacobian that must be formed is too large.
pub fn predictor(request: &PredictorRequest) -> Result<PredictorAnswer> {
    match &request.map {
        MapKind::Pyramidal(activations) => pyramidal(request, activations),
        MapKind::Filters(filters, size) => Filtered::new(request, filters, *size)?.answer(),
        _ => Chained::new(request)?.answer(),
    }
}

/// The origin of a critical point: pure where the rank is the generic one, or where all predictions that the data allow can be reached
/// (`filling`) and the gradient in that space is zero; spurious at other points. `None` where a rank, or what it takes, is not known.
fn origin(rank: Option<usize>, generic: Option<usize>, filling: bool, least: impl FnOnce() -> Result<Truth>) -> Result<Option<Origin>> {
    let (Some(rank), Some(generic)) = (rank, generic) else { return Ok(None) };
    if rank == generic {
        return Ok(Some(Origin::Pure));
    }
    let pure = least()?;
    Ok(match (filling, pure) {
        (true, Truth::Yes) => Some(Origin::Pure),
        // The reachable predictions may have a boundary or cross themselves here.
        (false, Truth::Yes) | (true, Truth::Undecided) | (false, Truth::Undecided) => None,
        (_, Truth::No) => Some(Origin::Spurious),
    })
}

fn regime(generic: Option<usize>, predictions: u64) -> Option<Regime> {
    let reached = |generic: usize| generic as u64 == predictions;
    generic.map(|generic| if reached(generic) { Regime::Overparametrised } else { Regime::Underparametrised })
}

fn parameters(layers: &[Matrix]) -> usize {
    layers.iter().map(|layer| layer.nrows() * layer.ncols()).sum()
}

fn misfit(layer: usize, problem: &str, shape: (usize, usize)) -> InputError {
    InputError::new(problem).array(format!("W{}", layer + 1)).value(format!("shape ({}, {})", shape.0, shape.1))
}

/// Data of a map that is linear in them.
struct Reduced {
    data: WhitenedData,
    has_target: bool,
}

impl Reduced {
    /// The data of a map with so many inputs and outputs; `units` are those that stand for none.
    fn new(request: &PredictorRequest, (inputs, outputs): (usize, usize), units: impl FnOnce() -> Result<Data>) -> Result<Self> {
        let (data, has_target) = match &request.data {
            PredictorData::Factor(data, has_target) => (data.clone(), *has_target),
            PredictorData::Samples(inputs, targets) => {
                let rows = targets.as_ref().unwrap_or(inputs).transpose();
                (Data::samples(&inputs.transpose(), &rows)?, targets.is_some())
            }
            PredictorData::Units => (units()?, false),
        };
        let data = data.whiten(None, &request.tolerances)?;
        let found = (data.whitening.basis.nrows(), data.whitening.target.nrows());
        let fits = found.0 == inputs && (!has_target || found.1 == outputs);
        if !fits {
            return Err(InputError::new("the data do not fit the map")
                .array("data")
                .value(format!("{} inputs and {} outputs; the map has {inputs} and {outputs}", found.0, found.1)));
        }
        Ok(Self { data, has_target })
    }

    fn moments(&self) -> Option<&ExactMoments> {
        self.data.exact.as_ref()
    }
}

/// A map whose Jacobian is that of a plain product of `chain`.
struct Chained<'a> {
    request: &'a PredictorRequest,
    given: Vec<Matrix>,
    chain: Vec<Matrix>,
    exact: Option<Vec<RationalMatrix>>,
    reduced: Reduced,
}

impl<'a> Chained<'a> {
    fn new(request: &'a PredictorRequest) -> Result<Self> {
        let given = request.layers.matrices();
        let mut chain = given.clone();
        let mut exact = match &request.layers {
            Layers::Exact(matrices) => Some(matrices.clone()),
            Layers::Stored { .. } => None,
        };
        match request.map {
            MapKind::Residual => {
                let size = given.first().map_or(0, Matrix::nrows);
                if let Some(k) = given.iter().position(|layer| layer.shape() != (size, size)) {
                    return Err(misfit(k, "residual layers are square, all of one size", given[k].shape()));
                }
                chain = crate::parametrization::Residual::layers(&given);
                exact = exact.map(|exact| exact.iter().map(|v| v + &RationalMatrix::identity(size)).collect());
            }
            MapKind::ProductPlusMatrix => {
                let last = chain.pop().filter(|_| !chain.is_empty());
                let last = last.ok_or_else(|| InputError::new("a product plus a matrix has two matrices at least"))?;
                let ends = (chain[chain.len() - 1].nrows(), chain[0].ncols());
                if last.shape() != ends {
                    return Err(misfit(chain.len(), "the matrix does not have the shape of the product beside it", last.shape())
                        .hint(format!("the product is {} x {}", ends.0, ends.1)));
                }
                exact.as_mut().map(Vec::pop);
            }
            _ => {}
        }
        let architecture = Factors::new(chain.clone())?.architecture().clone();
        let ends = (architecture.inputs(), architecture.outputs());
        if request.map == MapKind::IdentityPlusProduct && ends.0 != ends.1 {
            return Err(InputError::new("the identity plus a product has as many outputs as inputs")
                .value(format!("{} inputs, {} outputs", ends.0, ends.1)));
        }
        let units = || Ok(Data::ExactTarget(RationalMatrix::zeros(ends.1, ends.0)));
        let reduced = Reduced::new(request, ends, units)?;
        Ok(Self { request, given, chain, exact, reduced })
    }

    fn unit_roundoff(&self) -> f64 {
        self.request.layers.unit_roundoff()
    }

    fn point<'b>(&'b self, layers: Vec<Matrix>, exact: Option<&[RationalMatrix]>, whitening: &'b Whitening, moments: Option<ExactMoments>) -> Result<ChainPoint<'b>> {
        let exact = exact.zip(moments).map(|(exact, moments)| Ok((ExactFactors::new(exact.to_vec())?, moments)));
        Ok(ChainPoint {
            factors: Factors::new(layers)?,
            exact: exact.transpose()?,
            whitening,
            unit_roundoff: self.unit_roundoff(),
            tolerances: &self.request.tolerances,
        })
    }

    fn answer(&self) -> Result<PredictorAnswer> {
        let (whitening, moments) = (&self.reduced.data.whitening, self.reduced.moments());
        let defined = self.request.map != MapKind::Normalized || norms_before_last(&self.given).is_some();
        let (target, target_moments) = self.targets();
        let critical = (self.reduced.has_target && defined)
            .then(|| self.criticality(target.as_ref().unwrap_or(whitening), target_moments.clone()))
            .transpose()?;
        let outputs = self.chain[self.chain.len() - 1].nrows();
        let point = self.point(self.chain.clone(), self.exact.as_deref(), whitening, moments.cloned())?;
        let ChainRank { differential, clear, filling, mut evidence } = point.rank(critical == Some(Truth::Yes))?;
        let everything = outputs * whitening.rank.rank;
        let beside = self.request.map == MapKind::ProductPlusMatrix;
        // The matrix beside the product reaches everything alone.
        let (rank, generic, clear) = match beside {
            true => (everything, everything, whitening.rank.clear),
            false => (differential.rank, differential.max_rank, clear),
        };
        if beside {
            evidence.rests_on.retain(|support| support.quantity == Quantity::Inputs);
        }
        let rank = (clear && defined).then_some(rank);
        let generic_rank = whitening.rank.clear.then_some(generic);
        let predictions = outputs as u64 * self.reduced.data.samples;
        let origin = match critical {
            Some(Truth::Yes) => origin(rank, generic_rank, filling || beside, || {
                self.is_least(target.as_ref().unwrap_or(whitening), target_moments)
            })?
            // Where not everything is reached, a product of smaller rank is no smooth point of what is.
            .or((rank.is_some() && rank != generic_rank && !filling).then_some(Origin::Spurious)),
            _ => None,
        };
        Ok(PredictorAnswer {
            predictions,
            parameters: parameters(&self.given),
            defined,
            rank,
            generic_rank,
            regime: regime(generic_rank, predictions),
            critical,
            origin,
            generic_grade: evidence.grade,
            evidence,
        })
    }

    /// The targets of the product: `Y - X` beside an identity. `None` for the whitening as it is.
    fn targets(&self) -> (Option<Whitening>, Option<ExactMoments>) {
        let (whitening, moments) = (&self.reduced.data.whitening, self.reduced.moments());
        if self.request.map != MapKind::IdentityPlusProduct || !self.reduced.has_target {
            return (None, moments.cloned());
        }
        let inputs = whitening.inputs();
        let rest = Matrix::from_diagonal(1, 1, &[(2.0 * whitening.floor).sqrt()]);
        let shifted = (&whitening.target - &inputs).transpose();
        let shifted = (whitening.rank.rank > 0)
            .then(|| Whitening::from_blocks(&inputs.transpose(), &shifted, &rest, &self.request.tolerances));
        let trace = |a: &RationalMatrix| (0..a.nrows()).map(|i| a[(i, i)].clone()).sum::<Rational>();
        let moments = moments.map(|ExactMoments { xx, yx, yy }| ExactMoments {
            xx: xx.clone(),
            yx: yx - xx,
            yy: yy - trace(yx) - trace(yx) + trace(xx),
        });
        (shifted, moments)
    }

    /// The whole matrix `M` of `M X`, without an identity beside it.
    fn matrix(&self) -> Result<(Matrix, Option<RationalMatrix>)> {
        let chain = if self.request.map == MapKind::Normalized { to_linear(&self.chain) } else { None };
        let product = Factors::new(chain.unwrap_or_else(|| self.chain.clone()))?.product();
        let exact = self.exact.as_ref().map(|exact| Ok::<_, InputError>(ExactFactors::new(exact.clone())?.partial(exact.len(), 0)));
        let exact = exact.transpose()?.filter(|_| self.request.map != MapKind::Normalized);
        if self.request.map != MapKind::ProductPlusMatrix {
            return Ok((product, exact));
        }
        let beside = match &self.request.layers {
            Layers::Exact(matrices) => matrices.last(),
            Layers::Stored { .. } => None,
        };
        Ok((&product + &self.given[self.given.len() - 1], exact.zip(beside).map(|(product, beside)| &product + beside)))
    }

    fn is_least(&self, target: &Whitening, moments: Option<ExactMoments>) -> Result<Truth> {
        let (matrix, exact) = self.matrix()?;
        is_critical_without_bound(matrix, exact.zip(moments), target, self.unit_roundoff(), &self.request.tolerances)
    }

    fn criticality(&self, target: &Whitening, moments: Option<ExactMoments>) -> Result<Truth> {
        match self.request.map {
            MapKind::ProductPlusMatrix => self.is_least(target, moments),
            MapKind::Normalized => {
                let layers = to_linear(&self.chain).unwrap_or_else(|| self.chain.clone());
                self.point(layers, None, target, None)?.criticality()
            }
            _ => self.point(self.chain.clone(), self.exact.as_deref(), target, moments)?.criticality(),
        }
    }
}

/// Largest size of an exact Jacobian of filters.
const EXACT_ENTRIES: usize = 20_000;
/// Points at which an exact generic rank is looked for, and the largest integer there.
const EXACT_DRAWS: (u64, i64) = (3, 99);

/// Products of filters.
struct Filtered<'a> {
    request: &'a PredictorRequest,
    layers: Vec<FilterLayer>,
    filters: Vec<Matrix>,
    exact: Option<Vec<RationalMatrix>>,
    reduced: Reduced,
}

impl<'a> Filtered<'a> {
    fn new(request: &'a PredictorRequest, kind: &Filters, size: Option<usize>) -> Result<Self> {
        let filters = request.layers.matrices();
        if let Some(k) = filters.iter().position(|filter| filter.nrows() != 1 || filter.ncols() == 0) {
            return Err(misfit(k, "a filter is a matrix with one row", filters[k].shape()));
        }
        let lengths: Vec<usize> = filters.iter().map(Matrix::ncols).collect();
        // Without a size, that of the data.
        let size = size.or(match &request.data {
            PredictorData::Factor(data, _) => Some(data.whiten(None, &request.tolerances)?.whitening.basis.nrows()),
            PredictorData::Samples(inputs, _) => Some(inputs.nrows()),
            PredictorData::Units => None,
        });
        let layers = kind.layers(&lengths, size)?;
        let ends = (layers.first().map_or(0, |layer| layer.shape().1), layers.last().map_or(0, |layer| layer.shape().0));
        let units = || match kind {
            Filters::Circulant => {
                let impulse = RationalMatrix::from_fn(1, ends.0, |_, j| Rational::from_integer(i64::from(j == 0).into()));
                let zeros = RationalMatrix::zeros(1, ends.1);
                Ok(Data::ExactSamples(Box::new(crate::problem::ExactSamples::new(impulse, zeros)?)))
            }
            Filters::Convolutional(_) => Ok(Data::ExactTarget(RationalMatrix::zeros(ends.1, ends.0))),
        };
        let reduced = Reduced::new(request, ends, units)?;
        let exact = match &request.layers {
            Layers::Exact(matrices) if ExactFilters::entries(&layers) <= EXACT_ENTRIES => Some(matrices.clone()),
            _ => None,
        };
        Ok(Self { request, layers, filters, exact: exact.filter(|_| reduced.moments().is_some()), reduced })
    }

    fn answer(&self) -> Result<PredictorAnswer> {
        let outputs = self.layers.last().map_or(0, |layer| layer.shape().0);
        let predictions = outputs as u64 * self.reduced.data.samples;
        let found = match (&self.exact, self.reduced.moments()) {
            (Some(exact), Some(moments)) => self.exactly(exact, moments),
            _ => self.numerically()?,
        };
        let Found { rank, generic, critical, least, evidence } = found;
        let origin = if critical == Some(Truth::Yes) { origin(rank, generic, false, || Ok(least))? } else { None };
        Ok(PredictorAnswer {
            predictions,
            parameters: parameters(&self.filters),
            defined: true,
            rank,
            generic_rank: generic,
            regime: regime(generic, predictions),
            critical,
            origin,
            evidence,
            generic_grade: Grade::Sampled,
        })
    }

    fn exactly(&self, exact: &[RationalMatrix], moments: &ExactMoments) -> Found {
        let here = ExactFilters::new(&self.layers, exact);
        let rank = here.rank(&moments.xx);
        let draw = |at: u64| {
            let mut stream = Stream::new(self.request.seed, at);
            let number = |stream: &mut Stream| Rational::from_integer(stream.integer(-EXACT_DRAWS.1, EXACT_DRAWS.1).into());
            let filters: Vec<RationalMatrix> =
                exact.iter().map(|filter| RationalMatrix::from_fn(1, filter.ncols(), |_, _| number(&mut stream))).collect();
            ExactFilters::new(&self.layers, &filters).rank(&moments.xx)
        };
        let mut evidence = Evidence::new(Grade::Exact);
        evidence.rest_on(Quantity::Predictions, RankDecision::exact(rank));
        Found {
            rank: Some(rank),
            generic: (0..EXACT_DRAWS.0).map(draw).max().map(|generic| generic.max(rank)),
            critical: self.reduced.has_target.then(|| here.is_critical(&moments.xx, &moments.yx).into()),
            least: here.is_least(&moments.xx, &moments.yx).into(),
            evidence,
        }
    }

    /// Filters, data and targets divided by powers of two, which changes no rank; rank on an orthonormal basis of the data.
    fn numerically(&self) -> Result<Found> {
        let (whitening, tolerances) = (&self.reduced.data.whitening, &self.request.tolerances);
        let roundoff = self.request.layers.unit_roundoff();
        let scales: Vec<f64> = self.filters.iter().map(|filter| power_of_two_near(filter.max_abs())).collect();
        let point: Vec<Matrix> = self.filters.iter().zip(&scales).map(|(filter, scale)| filter.scaled(1.0 / scale)).collect();
        let on_basis = FilterMap::new(self.layers.clone(), whitening.basis.clone());
        let rank = dense_rank(&on_basis, &point, roundoff, tolerances)?;
        let generic = generic_rank(&on_basis, self.request.seed, tolerances)?;
        let input_scale = power_of_two_near(whitening.scales.first().copied().unwrap_or(0.0));
        let map = FilterMap::new(self.layers.clone(), whitening.inputs().scaled(1.0 / input_scale));
        // The larger of predictions and targets is brought to about one.
        let predicted = scales.iter().map(|scale| scale.log2()).sum::<f64>() + input_scale.log2();
        let wanted = power_of_two_near(whitening.target_norm).log2();
        let largest = if whitening.target_norm > 0.0 { predicted.max(wanted) } else { predicted };
        let scaled = Scaled { map: &map, factor: (predicted - largest).exp2() };
        let factor = 0.5_f64.powf(0.5 * largest);
        let target = whitening.target.scaled(factor).scaled(factor);
        let norm = whitening.target_norm * factor * factor;
        let at = |matrix: &Matrix| -> Result<Option<Truth>> {
            let Some(found) = dense_rank(&scaled, &point, roundoff, tolerances)? else { return Ok(None) };
            Ok(criticality(&scaled, &point, &found, (matrix, norm), roundoff, tolerances))
        };
        let critical = if self.reduced.has_target { at(&target)? } else { None };
        let off = scaled.value(&point).map(|value| ((&value - &target).frobenius_norm(), value.frobenius_norm() + norm));
        let threshold = tolerances.critical_threshold(roundoff);
        let least = off.map_or(Truth::Undecided, |(off, size)| (off <= threshold * size).into());
        let rank = rank.map(|found| found.decision);
        Ok(Found::numerical(rank, generic, critical, least))
    }
}

/// A map times a positive number.
struct Scaled<'a> {
    map: &'a dyn Parametrization,
    factor: f64,
}

impl Parametrization for Scaled<'_> {
    fn blocks(&self) -> Vec<(usize, usize)> {
        self.map.blocks()
    }

    fn shape(&self) -> (usize, usize) {
        self.map.shape()
    }

    fn value(&self, point: &[Matrix]) -> Option<Matrix> {
        Some(self.map.value(point)?.scaled(self.factor))
    }

    fn times(&self, point: &[Matrix], direction: &[Matrix]) -> Option<Matrix> {
        Some(self.map.times(point, direction)?.scaled(self.factor))
    }

    fn transposed_times(&self, point: &[Matrix], cotangent: &Matrix) -> Option<Vec<Matrix>> {
        self.map.transposed_times(point, &cotangent.scaled(self.factor))
    }

    fn sizes(&self, point: &[Matrix]) -> Option<Vec<f64>> {
        Some(self.map.sizes(point)?.into_iter().map(|size| size * self.factor).collect())
    }
}

/// What is known of a map with a Jacobian that is formed.
struct Found {
    rank: Option<usize>,
    generic: Option<usize>,
    critical: Option<Truth>,
    least: Truth,
    evidence: Evidence,
}

impl Found {
    fn numerical(rank: Option<RankDecision>, generic: Option<RankDecision>, critical: Option<Truth>, least: Truth) -> Self {
        let mut evidence = Evidence::new(Grade::Numerical);
        if let Some(decision) = rank {
            evidence.rest_on(Quantity::Predictions, decision);
        }
        let clear = |decision: Option<RankDecision>| decision.filter(|decision| decision.clear).map(|decision| decision.rank);
        let rank = clear(rank);
        // A rank that is reached is no larger than the generic one.
        let generic = clear(generic).map(|generic| generic.max(rank.unwrap_or(0)));
        Self { rank, generic, critical, least, evidence }
    }
}

fn pyramidal(request: &PredictorRequest, activations: &[Activation]) -> Result<PredictorAnswer> {
    let layers = request.layers.matrices();
    let widths = Factors::new(layers.clone())?.architecture().widths().to_vec();
    if activations.len() != layers.len() {
        return Err(InputError::new("there must be one activation for each layer, the last included")
            .array("--activations")
            .value(format!("{} for {} layers", activations.len(), layers.len())));
    }
    let (inputs, targets) = match &request.data {
        PredictorData::Samples(inputs, targets) => (inputs.clone(), targets.clone()),
        _ => (Matrix::identity(widths[0]), None),
    };
    let (last, tolerances) = (widths[widths.len() - 1], &request.tolerances);
    if inputs.nrows() != widths[0] || targets.as_ref().is_some_and(|targets| targets.nrows() != last) {
        return Err(InputError::new("the data do not fit the map")
            .array("data")
            .value(format!("{} inputs; the map has {} and {last} outputs", inputs.nrows(), widths[0])));
    }
    let roundoff = request.layers.unit_roundoff();
    let map = PyramidalMap::new(widths, activations.to_vec(), inputs);
    let here = dense_rank(&map, &layers, roundoff.max(UNIT_ROUNDOFF), tolerances)?;
    let generic = generic_rank(&map, request.seed, tolerances)?;
    let critical = here.as_ref().zip(targets.as_ref()).and_then(|(found, targets)| {
        criticality(&map, &layers, found, (targets, targets.frobenius_norm()), roundoff, tolerances)
    });
    let critical = critical.or(targets.as_ref().map(|_| Truth::Undecided));
    let threshold = tolerances.critical_threshold(roundoff);
    let off = map.value(&layers).zip(targets.as_ref());
    let least = off.map_or(Truth::Undecided, |(value, targets)| {
        ((&value - targets).frobenius_norm() <= threshold * (value.frobenius_norm() + targets.frobenius_norm())).into()
    });
    let Found { rank, generic, critical, least, evidence } =
        Found::numerical(here.map(|found| found.decision), generic, critical, least);
    let (rows, columns) = map.shape();
    let predictions = rows as u64 * columns as u64;
    let origin = if critical == Some(Truth::Yes) { origin(rank, generic, false, || Ok(least))? } else { None };
    Ok(PredictorAnswer {
        predictions,
        parameters: parameters(&layers),
        defined: true,
        rank,
        generic_rank: generic,
        regime: regime(generic, predictions),
        critical,
        origin,
        evidence,
        generic_grade: Grade::Sampled,
    })
}
