//! Maps whose Jacobian is formed: filters, and layers with activations.

use super::request::{PredictorAnswer, PredictorData, PredictorRequest, Reduced, misfit, origin, parameters, regime};
use crate::data::ExactMoments;
use crate::error::{InputError, Result};
use crate::evidence::{Evidence, Grade, Quantity, RankDecision, Truth};
use crate::linalg::exact::{Rational, RationalMatrix};
use crate::linalg::{Matrix, power_of_two_near};
use crate::multiplication::Factors;
use crate::parametrization::{
    Activation, ExactFilters, FilterLayer, FilterMap, Filters, Parametrization, PyramidalMap, check_count, criticality,
    dense_rank, generic_rank,
};
use crate::problem::{Data, ExactSamples, Layers};
use crate::random::Stream;
use crate::tolerance::UNIT_ROUNDOFF;

/// Largest size of an exact Jacobian of filters.
const EXACT_ENTRIES: usize = 20_000;
/// Points at which an exact generic rank is looked for, and the largest integer there.
const EXACT_DRAWS: (u64, i64) = (3, 99);

/// Products of filters.
pub(super) struct Filtered<'a> {
    request: &'a PredictorRequest,
    layers: Vec<FilterLayer>,
    filters: Vec<Matrix>,
    exact: Option<Vec<RationalMatrix>>,
    reduced: Reduced,
}

impl<'a> Filtered<'a> {
    pub(super) fn new(request: &'a PredictorRequest, kind: &Filters, size: Option<usize>) -> Result<Self> {
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
        let ends =
            (layers.first().map_or(0, |layer| layer.shape().1), layers.last().map_or(0, |layer| layer.shape().0));
        let units = || match kind {
            Filters::Circulant => {
                let impulse =
                    RationalMatrix::from_fn(1, ends.0, |_, j| Rational::from_integer(i64::from(j == 0).into()));
                let zeros = RationalMatrix::zeros(1, ends.1);
                Ok(Data::ExactSamples(Box::new(ExactSamples::new(impulse, zeros)?)))
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

    pub(super) fn answer(&self) -> Result<PredictorAnswer> {
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
            let number =
                |stream: &mut Stream| Rational::from_integer(stream.integer(-EXACT_DRAWS.1, EXACT_DRAWS.1).into());
            let filters: Vec<RationalMatrix> = exact
                .iter()
                .map(|filter| RationalMatrix::from_fn(1, filter.ncols(), |_, _| number(&mut stream)))
                .collect();
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
        let point: Vec<Matrix> =
            self.filters.iter().zip(&scales).map(|(filter, scale)| filter.scaled(1.0 / scale)).collect();
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
        let off =
            scaled.value(&point).map(|value| ((&value - &target).frobenius_norm(), value.frobenius_norm() + norm));
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
    fn numerical(
        rank: Option<RankDecision>,
        generic: Option<RankDecision>,
        critical: Option<Truth>,
        least: Truth,
    ) -> Self {
        let mut evidence = Evidence::new(Grade::Numerical);
        if let Some(decision) = rank {
            evidence.rest_on(Quantity::Predictions, decision);
        }
        let clear =
            |decision: Option<RankDecision>| decision.filter(|decision| decision.clear).map(|decision| decision.rank);
        let rank = clear(rank);
        // A rank that is reached is no larger than the generic one.
        let generic = clear(generic).map(|generic| generic.max(rank.unwrap_or(0)));
        Self { rank, generic, critical, least, evidence }
    }
}

pub(super) fn pyramidal(request: &PredictorRequest, activations: &[Activation]) -> Result<PredictorAnswer> {
    let layers = request.layers.matrices();
    let widths = Factors::new(layers.clone())?.architecture().widths().to_vec();
    check_count(activations, layers.len())?;
    let (inputs, targets) = match &request.data {
        PredictorData::Samples(inputs, targets) => (inputs.clone(), targets.clone()),
        _ => (Matrix::identity(widths[0]), None),
    };
    let (last, tolerances) = (widths[widths.len() - 1], &request.tolerances);
    if inputs.nrows() != widths[0] || targets.as_ref().is_some_and(|targets| targets.nrows() != last) {
        return Err(InputError::new("the data do not fit the map").array("data").value(format!(
            "{} inputs; the map has {} and {last} outputs",
            inputs.nrows(),
            widths[0]
        )));
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
