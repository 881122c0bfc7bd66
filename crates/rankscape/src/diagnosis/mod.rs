//! The answer to "where am I?": everything about one point of the square loss.
//!
//! Here the parts are put together. `point` takes what was given and whitens it, once `biases` and `output_metric` are
//! resolved; `escape` chooses the way out; `spectrum` and `layer_block` answer what is asked of the Hessian alone.

mod biases;
mod escape;
mod layer_block;
mod leave;
mod near;
mod output_metric;
mod point;
mod spectrum;

pub use biases::BiasKind;
pub use leave::{GivenParameters, Leave, leave};
pub use near::{Near, Stall};
pub use point::{Data, Parameters, Point, Reduction, WhitenedData};
pub use spectrum::{
    Eigenvector, EigenvectorShape, HessianFindings, InertiaMethod, LARGEST_DENSE, LARGEST_LISTED, LARGEST_RATIONAL,
    OrbitFindings, SpectrumMethod, SpectrumRequest, hessian_at,
};

use biases::OutputBias;
use leave::View;

use crate::architecture::Architecture;
use crate::critical::{
    Captured, CriticalClass, CriticalPoint, ExactSquareNetwork, Ladder, Origin, Parsed, captured_directions, classify,
    parse,
};
use crate::data::Whitening;
use crate::error::{InputError, Result};
use crate::escape::{Escape, Outlook};
use crate::evidence::{Evidence, Grade};
use crate::hessian::{Extremes, NormalizedNetwork, extremes};
use crate::linalg::exact::rational_to_f64;
use crate::linalg::{Inertia, Matrix, orthonormal_range, singular_values, vector_norm};
use crate::multiplication::{Barcode, Differential, Factors, RankProfile};
use crate::parallel::pool;
use crate::tolerance::Tolerances;

/// How to diagnose.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a> {
    /// Unit roundoff of the type in which the weights were stored.
    pub unit_roundoff: f64,
    /// Tolerances.
    pub tolerances: &'a Tolerances,
    /// Seed of the Krylov methods.
    pub seed: u64,
    /// Threads; the answer does not depend on them.
    pub threads: usize,
}

/// What the parts of a diagnosis share.
struct Context<'a> {
    point: &'a Point,
    settings: Settings<'a>,
    /// The analysed problem: no biases, data centred where the output has one.
    network: &'a NormalizedNetwork,
    exact: Option<&'a ExactSquareNetwork<'a>>,
}

/// The networks of a point.
struct Prepared<'a> {
    network: NormalizedNetwork,
    /// In the parameters as given: with biases and output metric.
    given: NormalizedNetwork,
    exact: Option<ExactSquareNetwork<'a>>,
}

impl<'a> Prepared<'a> {
    fn new(point: &'a Point) -> Result<Self> {
        check(&point.factors, &point.whitening)?;
        let network = NormalizedNetwork::new(&point.factors, &point.whitening);
        let mut given = network.clone().with_output_factor(point.output_factor.clone());
        if let Some(bias) = &point.output_bias {
            given = given.with_biases(&bias.columns, &bias.samples);
        }
        let exact = point.exact().map(|(factors, data)| ExactSquareNetwork::new(factors, data)).transpose()?;
        Ok(Self { network, given, exact })
    }
}

/// Everything about one point.
#[derive(Debug, Clone)]
pub struct Diagnosis {
    /// The widths.
    pub architecture: Architecture,
    /// The last layer has a bias, so X and Y are centred.
    pub centred: bool,
    /// `L`.
    pub loss: f64,
    /// Smallest value of the loss over the architecture.
    pub global_minimum: f64,
    /// `||grad L||` in the parameters as given.
    pub gradient_norm: f64,
    /// See [`NormalizedNetwork::measured_gradient`]; 0 at a critical point whose gradient is nothing but the rounding
    /// errors of its evaluation.
    pub gradient_relative: f64,
    /// The threshold that `gradient_relative` was compared with.
    pub gradient_threshold: f64,
    /// Unit roundoff of the type in which the weights were stored.
    pub unit_roundoff: f64,
    /// The gradient counts as zero.
    pub critical: bool,
    /// Ranks of the partial products of the factors as given: at a critical point up to the rounding errors that its gradient
    /// may have, elsewhere as they are stored.
    pub rank_profile: RankProfile,
    /// `None` when the rank decisions contradict one another.
    pub barcode: Option<Barcode>,
    /// Rank of the differential of the product map.
    pub differential: Differential,
    /// Pure or spurious; `None` off critical points or where undecided.
    pub origin: Option<Origin>,
    /// First-order stationarity of `W` on the function space; `None` where undecided.
    pub stationary_in_function_space: Option<bool>,
    /// The class.
    pub class: CriticalClass,
    /// Singular values of the whitened target, non-increasing.
    pub spectrum: Vec<f64>,
    /// 1-based captured directions; `None` when `W X` is not a spectral projection.
    pub captured: Option<Vec<usize>>,
    /// The critical point nearby, at a point that is not critical.
    pub near: Option<Near>,
    /// Whether training stalls, at a point that is not critical.
    pub stall: Option<Stall>,
    /// Ends of the spectrum of the Hessian.
    pub extremes: Extremes,
    /// Inertia of the Hessian at critical points, where settled.
    pub inertia: Option<Inertia>,
    /// A path that leaves; `None` at minima and where the class is undecided.
    pub escape: Option<Escape>,
    /// What is learned, what is missing, and the plateaus ahead.
    pub outlook: Outlook,
    /// What the loss falls by in addition when a path of weights is followed, as the output bias goes to its best value:
    /// `n/2 ||b_h - b*||^2`; 0 where the path is that of the bias itself.
    pub bias_decrease: f64,
    /// What the verdict rests on.
    pub evidence: Evidence,
}

impl Diagnosis {
    /// The directions that the point, or the critical point beside it, captures.
    fn learned(&self) -> Option<&[usize]> {
        learned(self.captured.as_ref(), self.near.as_ref())
    }
}

fn learned<'a>(captured: Option<&'a Vec<usize>>, near: Option<&'a Near>) -> Option<&'a [usize]> {
    captured.or(near.map(|near| &near.found.nearest.captured)).map(Vec::as_slice)
}

/// Diagnoses a point.
///
/// # Errors
/// If the data do not fit the widths, or the loss is not representable.
pub fn diagnose(point: &Point, settings: Settings<'_>) -> Result<Diagnosis> {
    let Settings { unit_roundoff, tolerances, seed, threads } = settings;
    tolerances.check_criticality(unit_roundoff)?;
    let Point { factors, whitening, .. } = point;
    let prepared = Prepared::new(point)?;
    let Prepared { network, given, exact } = &prepared;
    let context = Context { point, settings, network, exact: exact.as_ref() };
    let counts_as_zero = context.criticality(given);
    let critical = counts_as_zero == Some(true);
    let analysis = (counts_as_zero != Some(false)).then(|| context.classified());
    let rank_profile = match point.exact() {
        Some((factors, _)) => RankProfile::exact(factors),
        None => profile_as_given(factors, critical, unit_roundoff, tolerances),
    };
    let class = analysis.as_ref().map_or(CriticalClass::NotCritical, |found| found.class);
    let inertia = analysis.as_ref().and_then(|found| found.inertia);
    let search = || analysis.is_none().then(|| context.near()).flatten();
    let ends = || extremes(&given.hessian(), inertia, tolerances, seed);
    let (near, extremes) = match pool(threads.min(2)) {
        Some(pool) => pool.join(search, ends),
        None => (search(), ends()),
    };
    let (loss, global_minimum) = context.values(given);
    let exactly_zero = exact.is_some() && critical;
    let threshold = tolerances.critical_threshold(unit_roundoff);
    let relative = given.measured_gradient();
    let relative = Some(relative).filter(|&r| !critical || (r <= threshold && !exactly_zero));
    let gradient_norm = if exactly_zero { 0.0 } else { given.gradient_norm() };
    if !(loss.is_finite() && gradient_norm.is_finite()) {
        return Err(InputError::new("the loss or its gradient is too large for double precision")
            .value(loss)
            .hint("scale X, Y or the weights"));
    }
    let stall = (!critical).then(|| context.stall(&extremes, near.as_ref())).flatten();
    let escape = context.escape(class, inertia, &extremes, near.as_ref());
    let captured = context.captured(analysis.as_ref()).map(|found| found.indices);
    let mut outlook = View::new(point, learned(captured.as_ref(), near.as_ref()), settings).outlook;
    outlook.wider = outlook.wider.and_then(|_| context.minimum_of_wider());
    Ok(Diagnosis {
        architecture: factors.architecture().clone(),
        centred: point.output_bias.is_some(),
        loss,
        global_minimum,
        gradient_norm,
        gradient_relative: relative.unwrap_or(0.0),
        gradient_threshold: threshold,
        unit_roundoff,
        critical,
        barcode: Barcode::new(&rank_profile),
        differential: Differential::new(&rank_profile),
        origin: analysis.as_ref().and_then(|found| origin(&rank_profile, found)),
        stationary_in_function_space: context.stationary(&rank_profile, analysis.as_ref()),
        class,
        spectrum: whitening.spectrum.s.clone(),
        captured,
        outlook,
        bias_decrease: escape.as_ref().map_or(0.0, |escape| context.bias_decrease(escape)),
        escape,
        near,
        stall,
        extremes,
        inertia,
        evidence: context.evidence(&rank_profile, analysis),
        rank_profile,
    })
}

/// The ranks of the factors as given, in double precision. A point whose gradient is nothing but rounding errors stands for
/// the critical point beside it; others are as they are stored.
pub(crate) fn profile_as_given(
    factors: &Factors,
    critical: bool,
    unit_roundoff: f64,
    tolerances: &Tolerances,
) -> RankProfile {
    let decide = if critical { RankProfile::new } else { RankProfile::stored };
    decide(factors, unit_roundoff, tolerances)
}

/// Takes a critical point apart: see [`crate::critical::parse`].
///
/// # Errors
/// If the data do not fit the widths, or the network has biases.
pub fn parse_point(point: &Point, unit_roundoff: f64, tolerances: &Tolerances) -> Result<Parsed> {
    tolerances.check_criticality(unit_roundoff)?;
    check(&point.factors, &point.whitening)?;
    if point.has_biases() {
        return Err(InputError::new("the forms of critical points are those of networks without biases")
            .hint("centre X and Y and leave the biases out: at critical points that is the same problem"));
    }
    let exact = point.exact().map(|(factors, data)| ExactSquareNetwork::new(factors, data)).transpose()?;
    Ok(parse(&point.factors, &point.whitening, exact.as_ref(), unit_roundoff, tolerances))
}

/// Adds the ranks of the partial products of the factors as given.
pub(crate) fn rest_as_given(profile: &RankProfile, evidence: &mut Evidence) {
    for ((i, j), decision) in profile.decisions() {
        let product = if j == i + 1 { format!("W{j}") } else { format!("W{j}...W{}", i + 1) };
        evidence.rest_on(format!("rank of {product} as given"), *decision);
    }
}

fn check(factors: &Factors, whitening: &Whitening) -> Result<()> {
    let architecture = factors.architecture();
    let (inputs, outputs) = (whitening.basis.nrows(), whitening.target.nrows());
    if (architecture.inputs(), architecture.outputs()) == (inputs, outputs) {
        return Ok(());
    }
    Err(InputError::new("the data do not fit the widths of the network")
        .array("data")
        .value(format!(
            "data with {inputs} inputs and {outputs} outputs, network with {} and {}",
            architecture.inputs(),
            architecture.outputs()
        ))
        .hint("X must have d0 columns and Y must have dh columns, one sample a row"))
}

/// Pure: `W` is a smooth point of the function space and critical for the loss restricted to it. At a critical point
/// with `rank W = r` both hold; in the filling case every point is smooth and only zero gradient counts.
fn origin(profile: &RankProfile, point: &CriticalPoint) -> Option<Origin> {
    if !profile.decision(0, profile.depth()).clear {
        return None;
    }
    let widths = profile.widths();
    let bottleneck = widths.iter().copied().min().unwrap_or(0);
    let filling = bottleneck == widths[0].min(widths[profile.depth()]);
    let pure = profile.product_rank() == bottleneck || (filling && point.residual_is_zero);
    Some(if pure { Origin::Pure } else { Origin::Spurious })
}

impl Context<'_> {
    /// Whether the gradient counts as zero; `None` where rounding errors leave it open. With an output bias that is also so
    /// where the weights are critical for the centred
    /// data and `b_h = b*`: there the terms that cancel in the gradient as given may be much larger than the gradient
    /// is allowed to be, since they contain the other biases.
    fn criticality(&self, given: &NormalizedNetwork) -> Option<bool> {
        if let Some(exact) = self.exact {
            return Some(exact.is_critical());
        }
        let Settings { unit_roundoff, tolerances, .. } = self.settings;
        let bias_is_best = |bias: &OutputBias| {
            vector_norm(&bias.defect(&self.point.factors))
                <= tolerances.critical_threshold(unit_roundoff) * bias.size(&self.point.factors)
        };
        let centred = || match self.point.output_bias.as_ref() {
            Some(bias) if bias_is_best(bias) => self.network.criticality(unit_roundoff, tolerances),
            _ => Some(false),
        };
        match given.criticality(unit_roundoff, tolerances) {
            Some(true) => Some(true),
            as_given => match centred() {
                Some(false) => as_given,
                found => found,
            },
        }
    }

    /// What the point is if its gradient counts as zero, or may be zero: the class is then undecided and the ranks say why.
    fn critical_point(&self, given: &NormalizedNetwork) -> Option<CriticalPoint> {
        (self.criticality(given) != Some(false)).then(|| self.classified())
    }

    fn classified(&self) -> CriticalPoint {
        let Settings { unit_roundoff, tolerances, .. } = self.settings;
        let exact = self.exact.and_then(ExactSquareNetwork::classify);
        let mut found =
            exact.unwrap_or_else(|| classify(self.network, &self.point.whitening, unit_roundoff, tolerances));
        if let (Some(bias), Some(inertia)) = (&self.point.output_bias, &mut found.inertia) {
            inertia.zero += bias.flat();
            inertia.positive += bias.target_means.len();
        }
        found
    }

    /// Which directions the product captures; what counts as equal is what did for the class.
    fn captured(&self, analysis: Option<&CriticalPoint>) -> Option<Captured> {
        let Settings { unit_roundoff, tolerances, .. } = self.settings;
        let whitening = &self.point.whitening;
        let product = self.network.whitened().output();
        let threshold = tolerances.critical_threshold(unit_roundoff);
        let scale = self.network.target_scale();
        let largest = whitening.spectrum.s.first().copied().unwrap_or(0.0) / scale;
        let decided = analysis.filter(|found| found.class != CriticalClass::Undecided).map(|found| found.rank);
        let rank = decided.or_else(|| self.exact.map(ExactSquareNetwork::rank_of_output));
        if whitening.rank.rank == 0 || rank == Some(0) {
            let projection = Matrix::zeros(product.nrows(), product.ncols());
            return Some(Captured { indices: Vec::new(), distance: 0.0, projection });
        }
        let seen = || singular_values(product).iter().filter(|&&s| s > threshold * largest).count();
        let zero = tolerances.tie_threshold(product.larger_dimension(), largest);
        let tie = analysis.map_or(zero, |found| found.tie.max(zero));
        let rank = rank.unwrap_or_else(seen);
        let found = captured_directions(product, rank, whitening, scale, (zero, tie), tolerances.projection)?;
        (found.distance <= tolerances.projection_distance * threshold).then_some(found)
    }

    /// First-order stationarity of `W` on matrices of rank at most `r`: at rank `r` the gradient `G` of the loss satisfies
    /// `G' U = 0` and `G V = 0`; at smaller rank the tangent cone spans everything and `G = 0`.
    fn stationary(&self, profile: &RankProfile, analysis: Option<&CriticalPoint>) -> Option<bool> {
        let architecture = self.point.factors.architecture();
        let rank = profile.product_rank();
        if !profile.decision(0, profile.depth()).clear {
            return None;
        }
        if rank < architecture.bottleneck_rank() {
            return Some(match (self.exact, analysis) {
                (Some(exact), _) => exact.gradient().is_zero(),
                (None, Some(found)) => found.residual_is_zero,
                (None, None) => self.is_small(self.network.given().residual()),
            });
        }
        if let Some(exact) = self.exact {
            let (gradient, product) = (exact.gradient(), exact.product());
            return Some((&gradient.transpose() * product).is_zero() && (gradient * &product.transpose()).is_zero());
        }
        if analysis.is_some() {
            return Some(true);
        }
        let layers = self.network.given().layers();
        let narrowest = (0..=layers.len()).min_by_key(|&i| architecture.widths()[i])?;
        let scaled = Factors::new(layers.to_vec()).ok()?;
        let columns = orthonormal_range(&scaled.partial(layers.len(), narrowest), rank);
        let rows = orthonormal_range(&scaled.partial(narrowest, 0).transpose(), rank);
        let residual = self.network.given().residual();
        let right = residual * &self.network.given().inputs()?.transpose_times(&rows);
        Some(self.is_small(&columns.transpose_times(residual)) && self.is_small(&right))
    }

    fn is_small(&self, part: &Matrix) -> bool {
        let size = self.network.given().output().frobenius_norm() + self.network.target_norm();
        let Settings { unit_roundoff, tolerances, .. } = self.settings;
        part.frobenius_norm() <= tolerances.critical_threshold(unit_roundoff) * size
    }

    /// `L` and the smallest value over the architecture, which no rounding error of the first may undercut.
    fn values(&self, given: &NormalizedNetwork) -> (f64, f64) {
        let exactly = |exact: &ExactSquareNetwork<'_>| 0.5 * rational_to_f64(&exact.squared_residual());
        let loss = self.exact.map_or_else(|| self.point.loss(given), exactly);
        let minimum = self.minimum_of(self.point.factors.architecture());
        (if loss.is_nan() { loss } else { loss.max(minimum) }, minimum)
    }

    /// Smallest value of the loss for these data and other widths.
    fn minimum_of(&self, architecture: &Architecture) -> f64 {
        let Point { whitening, exact_data, .. } = self.point;
        Ladder::minimum_of(architecture, whitening, exact_data.as_ref(), self.settings.tolerances)
    }

    /// The same with one more unit in every hidden layer that is as narrow as the narrowest.
    fn minimum_of_wider(&self) -> Option<f64> {
        let architecture = self.point.factors.architecture();
        let wider = architecture.bottleneck_rank() + 1;
        let mut widths = architecture.widths().to_vec();
        let last = widths.len() - 1;
        widths[1..last].iter_mut().for_each(|width| *width = wider.max(*width));
        Some(self.minimum_of(&Architecture::new(widths).ok()?))
    }

    /// The decisions behind the class, and those behind the rank profile and all that follows from it.
    fn evidence(&self, profile: &RankProfile, analysis: Option<CriticalPoint>) -> Evidence {
        let mut evidence = analysis.map_or_else(|| self.evidence_off_critical(), |found| found.evidence);
        rest_as_given(profile, &mut evidence);
        evidence
    }

    fn evidence_off_critical(&self) -> Evidence {
        if self.exact.is_some() {
            return Evidence::new(Grade::Exact);
        }
        let mut evidence = Evidence::new(Grade::Numerical);
        evidence.rest_on("rank X", self.point.whitening.rank);
        evidence
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::StoredArray;
    use crate::random::Stream;
    use crate::tolerance::UNIT_ROUNDOFF;
    use crate::work::{Step, counted};

    /// Layers 3 x 3 beside a diagonal target: all zero; spare parts that are rotations, zero in every third layer; zero in two layers, which is strict; a global minimum; a point that still moves.
    fn chains(depth: usize) -> [Vec<Matrix>; 5] {
        let mut stream = Stream::new(41, depth as u64);
        let layers = |one: &mut dyn FnMut(usize) -> Matrix| (0..depth).map(one).collect::<Vec<_>>();
        let captured = |k: usize| Matrix::from_diagonal(3, 3, &[if k == 0 { 3.0 } else { 1.0 }, 0.0, 0.0]);
        let spare = |k: usize| {
            let mut layer = captured(k);
            let (sin, cos) = (k as f64).sin_cos();
            layer.set_block(1, 1, &Matrix::from_fn(2, 2, |i, j| [[cos, -sin], [sin, cos]][i][j]));
            layer
        };
        let cut = |k: usize| k == 1 || k == depth / 2;
        let strict = layers(&mut |k| if cut(k) { captured(k) } else { spare(k) });
        let thirds = layers(&mut |k| if k.is_multiple_of(3) { captured(k) } else { spare(k) });
        let moving = layers(&mut |_| &Matrix::identity(3) + &stream.normal_matrix(3, 3).scaled(0.1));
        let minimum = layers(&mut |k| if k == 0 { target() } else { Matrix::identity(3) });
        [layers(&mut |_| Matrix::zeros(3, 3)), thirds, strict, minimum, moving]
    }

    fn target() -> Matrix {
        Matrix::from_diagonal(3, 3, &[3.0, 2.0, 1.0])
    }

    #[test]
    fn work_grows_at_most_with_the_square_of_the_depth() {
        let tolerances = Tolerances::default();
        let settings = Settings { unit_roundoff: UNIT_ROUNDOFF, tolerances: &tolerances, seed: 0, threads: 1 };
        let work = |depth: usize| {
            chains(depth).map(|matrices| {
                let biases = vec![None; depth];
                let parameters = Parameters { matrices, biases, exact: None, output_metric: None };
                let data = Data::Target(target(), None, StoredArray::DOUBLE);
                let point = Point::new(parameters, data, &tolerances).unwrap();
                let (found, work) = counted(|| diagnose(&point, settings).unwrap());
                (found.class.to_string(), work.of(Step::Product) + work.of(Step::Decomposition))
            })
        };
        let (short, long) = (work(12), work(36));
        for ((class, before), (same, after)) in short.iter().zip(&long) {
            assert_eq!(class, same);
            assert!(*after <= 9 * before, "{class}: {before} for 12 layers, {after} for 36");
        }
    }
}
