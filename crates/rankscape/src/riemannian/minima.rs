//! Local minima on matrices of bounded rank, by descents from many starts.

use std::sync::Arc;

use rayon::prelude::*;

use super::certified::AllCriticalPoints;
use super::convex::{ConvexBound, convex_bound, separates};
use super::curvature::{spectrum_on_manifold, zero_of};
use super::known::{KnownInfimum, known_infimum};
use super::newton::{End, descend, in_blocks, natural_size};
use super::space::FunctionSpace;
use crate::error::{InputError, Result};
use crate::evidence::Grade;
use crate::hessian::{HessianOperator, extremes};
use crate::linalg::{Matrix, singular_values, svd};
use crate::loss::{Infimum, Loss, SharedLoss};
use crate::network::Network;
use crate::parallel::pool;
use crate::problem::{LossData, eckart_young};
use crate::random::Stream;
use crate::tolerance::Tolerances;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinimaRequest {
    /// `r`.
    pub rank: usize,
    /// Number of starts.
    pub starts: usize,
    /// Outputs are `W X + c 1'` with any `c`.
    pub offset: bool,
}

impl MinimaRequest {
    /// Refuses a rank that the matrices cannot have, and an offset without samples.
    ///
    /// # Errors
    /// If they are asked for.
    pub(crate) fn check(&self, data: &LossData) -> Result<()> {
        let (outputs, inputs) = (data.outputs(), data.input_count());
        if self.rank == 0 || self.rank > outputs.min(inputs) {
            return Err(InputError::new("the rank is not one of matrices of this shape")
                .array("rank")
                .value(format!("{}, the matrices are {outputs} x {inputs}", self.rank))
                .hint(format!("give a rank from 1 to {}", outputs.min(inputs))));
        }
        if self.offset && data.is_target() {
            return Err(InputError::new("an offset needs samples, but the data are a target matrix"));
        }
        Ok(())
    }
}

/// A local minimum on matrices of bounded rank.
#[derive(Debug, Clone)]
pub struct LocalMinimum {
    /// The loss.
    pub value: f64,
    /// Norm of the gradient on the manifold beside the size of its terms.
    pub gradient: f64,
    /// Smallest eigenvalue of the Hessian on matrices of this rank, in the metric of `W`; `None` where the manifold is too large.
    pub lambda_min: Option<f64>,
    /// It is one of the points of a list that is certified and proved complete.
    pub certified: bool,
    /// It is an isolated local minimum: the smallest eigenvalue is clear of zero.
    pub isolated: bool,
    /// `W`; what the loss cannot see is zero.
    pub product: Matrix,
    /// The offset, where there is one.
    pub offset: Option<Vec<f64>>,
    /// Its rank.
    pub rank: usize,
    /// Starts that ended here.
    pub hits: usize,
}

/// Descents that left for infinity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AtInfinity {
    /// The value that they approach, about.
    pub value: f64,
    /// How many.
    pub hits: usize,
}

/// Local minima that are not global.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadMinima {
    /// There are none.
    Impossible,
    /// Nothing excludes them, and none was found.
    Possible,
    /// One was found.
    Exists,
}

impl BadMinima {
    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Impossible => "impossible",
            Self::Possible => "possible",
            Self::Exists => "exists",
        }
    }
}

/// The verdict on local minima that are not global.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLocalMinima {
    /// The verdict.
    pub verdict: BadMinima,
    /// Why.
    pub reason: &'static str,
    /// The place of a bad one among the minima.
    pub witness: Option<usize>,
}

/// What was found on matrices of bounded rank.
#[derive(Debug, Clone)]
pub struct Minima {
    /// What was asked for.
    pub request: MinimaRequest,
    /// The rank is no bound on what the loss can see.
    pub effective_filling: bool,
    /// Distinct local minima, lowest first.
    pub minima: Vec<LocalMinimum>,
    /// The infimum over all matrices.
    pub bound: ConvexBound,
    /// The smallest value on matrices of bounded rank, where it is known.
    pub global_minimum: Option<(f64, Grade)>,
    /// The infimum on matrices of bounded rank and whether it is attained, where known.
    pub infimum: Option<f64>,
    /// See `infimum`.
    pub infimum_attained: Option<bool>,
    /// Descents that left for infinity, by the value that they approach.
    pub at_infinity: Vec<AtInfinity>,
    /// Descents that did not end within their steps.
    pub unfinished: usize,
    /// The verdict on local minima that are not global.
    pub bad_local_minima: BadLocalMinima,
    /// The loss of the zero matrix.
    pub value_at_zero: f64,
}

/// Local minima by descents from `request.starts` starts: the best approximation of the minimiser over all matrices, then normal
/// factors of several sizes.
///
/// # Errors
/// If the rank is zero or more than the smaller side, or the loss does not depend on the matrix.
pub fn minima(
    data: &Arc<LossData>,
    request: &MinimaRequest,
    tolerances: &Tolerances,
    seed: u64,
    threads: usize,
) -> Result<Minima> {
    request.check(data)?;
    let shape = (data.outputs(), data.samples());
    let space = FunctionSpace::new(data.loss(), data.inputs(), shape, request.offset, tolerances);
    if space.shape().0 == 0 || space.shape().1 == 0 {
        return Err(InputError::new("the loss does not depend on the matrix: all inputs or all weights are zero")
            .array(if data.is_target() { "weights" } else { "X" }));
    }
    let value_at_zero = value_at_zero(&space);
    if !value_at_zero.is_finite() {
        return Err(InputError::new("the loss is too large for double precision")
            .value(value_at_zero)
            .hint("scale X and Y"));
    }
    let bound = convex_bound(&space);
    let search = Search { space: &space, rank: request.rank, bound: &bound, tolerances, seed };
    let ends = search.ends(request.starts, threads);
    let mut found = search.distinct(ends);
    let all = AllCriticalPoints::new(data, request.rank, tolerances, seed);
    if let Some(all) = &all {
        search.certify(&mut found.minima, all);
    }
    let known = infimum(data, &space, request.rank, &bound, &found, all.as_ref());
    let bad_local_minima = verdict(data, &space, request, &found, all.as_ref(), tolerances);
    Ok(Minima {
        request: *request,
        effective_filling: space.is_filling(request.rank),
        value_at_zero,
        minima: found.minima,
        global_minimum: known.minimum(),
        infimum: known.value.map(|(value, _)| value),
        infimum_attained: known.attained,
        bound,
        at_infinity: found.at_infinity,
        unfinished: found.unfinished,
        bad_local_minima,
    })
}

/// What the starts have found.
struct Found {
    minima: Vec<LocalMinimum>,
    at_infinity: Vec<AtInfinity>,
    /// Of those, how many separate all samples.
    separated: usize,
    unfinished: usize,
}

/// What is known of the infimum: the least of a complete list, what theorems say, a lower bound that a minimum reaches, or samples that
/// a matrix of this rank separates.
fn infimum(
    data: &LossData,
    space: &FunctionSpace,
    rank: usize,
    bound: &ConvexBound,
    found: &Found,
    all: Option<&AllCriticalPoints>,
) -> KnownInfimum {
    if let Some((all, lowest)) = all.and_then(|all| Some((all, all.lowest()?))) {
        return KnownInfimum::attained(lowest, if all.exact { Grade::Certified } else { Grade::Numerical });
    }
    let known = known_infimum(space, (data.loss(), data.inputs()), rank, bound);
    if known.attained.is_some() {
        return known;
    }
    if let (true, Infimum::AtLeast(value)) = (found.separated > 0, space.loss().infimum()) {
        return KnownInfimum { value: Some((value, Grade::Numerical)), attained: Some(false) };
    }
    let reached = |value: f64| {
        let rounding = REACHED * value.abs() + ROUNDING * value_at_zero(space);
        bound.lower_bound.is_some_and(|(lower, _)| value - lower <= rounding)
    };
    match found.minima.first().filter(|minimum| reached(minimum.value)) {
        Some(lowest) => KnownInfimum::attained(lowest.value, Grade::Numerical),
        None => KnownInfimum::default(),
    }
}

/// A value is that of a lower bound when it exceeds it by no more than this part of itself,
const REACHED: f64 = 1e-9;
/// plus this part of the loss of the zero matrix.
const ROUNDING: f64 = 1e-14;

fn value_at_zero(space: &FunctionSpace) -> f64 {
    let (rows, columns) = space.shape();
    space.loss().value(&space.outputs_of(&Matrix::zeros(rows, columns), None))
}

/// A convex loss has none where the rank is no bound, nor has a product metric on bounded rank, nor a loss whose list of critical
/// points is complete with minima of one value.
fn verdict(
    data: &LossData,
    space: &FunctionSpace,
    request: &MinimaRequest,
    found: &Found,
    all: Option<&AllCriticalPoints>,
    tolerances: &Tolerances,
) -> BadLocalMinima {
    let convex = data.loss().convexity().is_convex();
    let none = |reason| BadLocalMinima { verdict: BadMinima::Impossible, reason, witness: None };
    if convex && space.is_filling(request.rank) {
        let plain = request.rank == data.outputs().min(data.input_count());
        return none(if plain {
            "the loss is convex and every matrix is a product"
        } else {
            "the loss is convex and every matrix that it can tell apart is a product"
        });
    }
    if eckart_young(data.loss(), data.inputs(), request.rank, request.offset).is_some() {
        return none("the loss is a metric on rows times one on columns: Eckart and Young");
    }
    let lowest = found.minima.first().map_or(f64::INFINITY, |minimum| minimum.value);
    let lowest = found.at_infinity.first().map_or(lowest, |away| lowest.min(away.value));
    let differ = |a: f64, b: f64| a - b > tolerances.same_value * a.abs().max(b.abs());
    let witness = found.minima.iter().position(|minimum| minimum.isolated && differ(minimum.value, lowest));
    let one_value = all.is_some_and(|all| {
        let values: Vec<f64> = all.minima().map(|(value, _)| value).collect();
        values.first().zip(values.last()).is_some_and(|(first, last)| !differ(*last, *first))
    });
    match witness {
        Some(_) => BadLocalMinima {
            verdict: BadMinima::Exists,
            reason: "a local minimum was found above another point",
            witness,
        },
        None if one_value => none("all critical points are known, and the local minima have one value"),
        None => BadLocalMinima {
            verdict: BadMinima::Possible,
            reason: "the rank is a bound, and no start ended in one",
            witness: None,
        },
    }
}

/// A direction of negative curvature that is clear of rounding errors.
fn saddle_direction(network: &Network<SharedLoss>, tolerances: &Tolerances, seed: u64) -> Option<Vec<Matrix>> {
    let ones = vec![1.0; network.blocks().len()];
    let ends = extremes(&HessianOperator::new(network, ones), None, tolerances, seed);
    let largest = ends.largest.value.abs().max(ends.smallest.value.abs());
    let is_saddle = ends.smallest.value < -tolerances.flat_curvature * largest && !ends.smallest.vector.is_empty();
    is_saddle.then(|| in_blocks(&network.blocks(), &ends.smallest.vector))
}

/// Where a start ended.
enum Ended {
    At {
        matrix: Matrix,
        offset: Option<Matrix>,
        value: f64,
        gradient: f64,
    },
    AtInfinity(f64),
    /// All samples are answered right: the loss goes to this value along the ray.
    Separated(f64),
    Unfinished,
}

struct Search<'a> {
    space: &'a FunctionSpace,
    rank: usize,
    bound: &'a ConvexBound,
    tolerances: &'a Tolerances,
    seed: u64,
}

/// `gradient.relative` at which a descent ends.
const CRITICAL: f64 = 1e-13;
/// Saddles that a descent leaves before it is given up.
const SADDLES: usize = 8;

impl Search<'_> {
    fn ends(&self, starts: usize, threads: usize) -> Vec<Ended> {
        let one = |k: usize| self.end(k);
        match pool(threads.min(starts)) {
            Some(pool) => pool.install(|| (0..starts).into_par_iter().with_min_len(4).map(one).collect()),
            None => (0..starts).map(one).collect(),
        }
    }

    fn start(&self, k: usize) -> Network<SharedLoss> {
        let (outputs, inputs) = self.space.shape();
        let minimiser = self.bound.minimiser.as_ref();
        if let (0, Some((matrix, offset))) = (k, minimiser) {
            let found = svd(matrix);
            let roots: Vec<f64> = found.s.iter().take(self.rank).map(|value| value.sqrt()).collect();
            let left = found.u.columns(0, roots.len()).scale_columns(&roots);
            let right = found.v.columns(0, roots.len()).scale_columns(&roots).transpose();
            return self.space.network(vec![right, left], offset.clone());
        }
        let typical = minimiser.map_or(0.0, |(matrix, _)| matrix.frobenius_norm());
        let size = if typical > 0.0 { typical / ((outputs * inputs) as f64).sqrt() } else { 1.0 };
        // Entries of a product of normal factors have variance r s^4.
        let scale = [1.0, 0.2, 3.0][k % 3] * (size / (self.rank as f64).sqrt()).sqrt();
        let mut stream = Stream::new(self.seed, k as u64);
        let factors = vec![
            stream.normal_matrix(self.rank, inputs).scaled(scale),
            stream.normal_matrix(outputs, self.rank).scaled(scale),
        ];
        self.space.network(factors, minimiser.and_then(|(_, offset)| offset.clone()))
    }

    /// Descends, and leaves the saddles on its way.
    fn end(&self, k: usize) -> Ended {
        let mut network = self.start(k);
        let separated = |network: &Network<SharedLoss>| separates(network.loss(), network.output());
        for _ in 0..SADDLES {
            let found = descend(network, CRITICAL, separated);
            match found.end {
                End::AtInfinity => {
                    return match self.space.loss().infimum() {
                        Infimum::AtLeast(value) if separated(&found.network) => Ended::Separated(value),
                        _ => Ended::AtInfinity(found.network.value()),
                    };
                }
                End::Unfinished => return Ended::Unfinished,
                End::Critical => {}
            }
            match saddle_direction(&found.network, self.tolerances, self.seed) {
                Some(direction) => {
                    let size: f64 = found.network.layers().iter().map(Matrix::frobenius_norm).fold(0.0, f64::hypot);
                    let step = 0.1 * size.max(1e-3 * natural_size(&found.network));
                    let ends = [step, -step].map(|t| found.network.moved(t, &direction));
                    let [a, b] = ends;
                    network = if a.value() <= b.value() { a } else { b };
                }
                None => {
                    let network = found.network;
                    let [right, left] = network.layers() else { return Ended::Unfinished };
                    return Ended::At {
                        matrix: left * right,
                        offset: network.bias_columns().into_iter().flatten().next(),
                        value: network.value(),
                        gradient: network.measured_gradient(),
                    };
                }
            }
        }
        Ended::Unfinished
    }

    /// Ends that are the same are one; lowest first.
    fn distinct(&self, ends: Vec<Ended>) -> Found {
        let mut seen: Vec<(Matrix, Option<Matrix>, f64, f64, usize)> = Vec::new();
        let mut infinite: Vec<AtInfinity> = Vec::new();
        let (mut unfinished, mut separated) = (0, 0);
        for end in ends {
            separated += usize::from(matches!(end, Ended::Separated(_)));
            match end {
                Ended::Unfinished => unfinished += 1,
                Ended::AtInfinity(value) | Ended::Separated(value) => {
                    let close = |other: &&mut AtInfinity| (other.value - value).abs() <= 1e-3 * value.abs().max(1e-3);
                    match infinite.iter_mut().find(close) {
                        Some(other) => {
                            other.hits += 1;
                            other.value = other.value.min(value);
                        }
                        None => infinite.push(AtInfinity { value, hits: 1 }),
                    }
                }
                Ended::At { matrix, offset, value, gradient } => {
                    let same = |other: &(Matrix, Option<Matrix>, f64, f64, usize)| {
                        let far = (&other.0 - &matrix).frobenius_norm();
                        far <= self.tolerances.same_minimum * matrix.frobenius_norm().max(other.0.frobenius_norm())
                    };
                    match seen.iter_mut().find(|other| same(other)) {
                        Some(other) => {
                            other.4 += 1;
                            if value < other.2 {
                                (other.0, other.1, other.2, other.3) = (matrix, offset, value, gradient);
                            }
                        }
                        None => seen.push((matrix, offset, value, gradient, 1)),
                    }
                }
            }
        }
        let mut minima: Vec<LocalMinimum> = seen
            .into_iter()
            .map(|(matrix, offset, value, gradient, hits)| {
                self.minimum(&matrix, offset.as_ref(), value, gradient, hits)
            })
            .collect();
        minima.sort_by(|a, b| a.value.total_cmp(&b.value));
        infinite.sort_by(|a, b| a.value.total_cmp(&b.value));
        Found { minima, at_infinity: infinite, separated, unfinished }
    }

    /// Marks the minima of a complete list, and adds those that no start found.
    fn certify(&self, minima: &mut Vec<LocalMinimum>, all: &AllCriticalPoints) {
        for (value, product) in all.minima() {
            let size = product.frobenius_norm();
            let is_near = |minimum: &&mut LocalMinimum| {
                (&minimum.product - &product).frobenius_norm() <= self.tolerances.same_minimum * size
            };
            match minima.iter_mut().find(is_near) {
                Some(minimum) => minimum.certified = all.exact,
                None => {
                    let missed = self.minimum(&self.space.reduced(&product), None, value, 0.0, 0);
                    minima.push(LocalMinimum { certified: all.exact, ..missed });
                }
            }
        }
        minima.sort_by(|a, b| a.value.total_cmp(&b.value));
    }

    fn minimum(
        &self,
        matrix: &Matrix,
        offset: Option<&Matrix>,
        value: f64,
        gradient: f64,
        hits: usize,
    ) -> LocalMinimum {
        let values = singular_values(matrix);
        let largest = values.first().copied().unwrap_or(0.0);
        let rank = values.iter().take_while(|&&value| value > 1e-8 * largest).count().min(self.rank);
        let spectrum = if rank == self.rank { spectrum_on_manifold(self.space, matrix, offset, rank) } else { None };
        let smallest = spectrum.as_ref().and_then(|values| values.first().copied());
        let isolated =
            spectrum.as_deref().zip(smallest).is_some_and(|(values, least)| least > zero_of(values, self.tolerances));
        let (product, offset) = self.space.as_given(matrix, offset);
        let offset = offset.map(|offset| offset.column(0).to_vec());
        LocalMinimum { value, gradient, lambda_min: smallest, certified: false, isolated, product, offset, rank, hits }
    }
}
