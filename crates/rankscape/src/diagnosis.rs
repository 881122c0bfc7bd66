//! The answer to "where am I?": everything about one point of the square loss.

use crate::architecture::Architecture;
use crate::critical::{
    Captured, CriticalClass, CriticalPoint, ExactData, ExactSquareNetwork, NearCriticalPoint, Origin,
    captured_directions, classify, near_critical_point,
};
use crate::data::Whitening;
use crate::error::{InputError, Result};
use crate::escape::{Escape, leave};
use crate::evidence::{Evidence, Grade};
use crate::hessian::{Extremes, NormalizedNetwork, extremes};
use crate::linalg::exact::rational_to_f64;
use crate::linalg::{Inertia, Matrix, orthonormal_range};
use crate::multiplication::{Barcode, Differential, ExactFactors, Factors, RankProfile};
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

/// A point of the parameter space with its data.
#[derive(Debug, Clone)]
pub struct Problem<'a> {
    /// The factors.
    pub factors: &'a Factors,
    /// The whitened data.
    pub whitening: &'a Whitening,
    /// The same point and data over the rationals, where they are known exactly.
    pub exact: Option<(&'a ExactFactors, &'a ExactData)>,
    /// Unit roundoff of the type in which the weights were stored.
    pub unit_roundoff: f64,
    /// Tolerances.
    pub tolerances: &'a Tolerances,
    /// Seed of the Krylov methods.
    pub seed: u64,
}

/// Everything about one point.
#[derive(Debug, Clone)]
pub struct Diagnosis {
    /// The widths.
    pub architecture: Architecture,
    /// `L`.
    pub loss: f64,
    /// Smallest value of the loss over the architecture.
    pub global_minimum: f64,
    /// `||grad L||` in the parameters as given.
    pub gradient_norm: f64,
    /// See [`NormalizedNetwork::relative_gradient`].
    pub gradient_relative: f64,
    /// The threshold that `gradient_relative` was compared with.
    pub gradient_threshold: f64,
    /// The gradient counts as zero.
    pub critical: bool,
    /// Ranks of the partial products of the factors as given.
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
    pub near: Option<NearCriticalPoint>,
    /// Ends of the spectrum of the Hessian.
    pub extremes: Extremes,
    /// Inertia of the Hessian at critical points, where settled.
    pub inertia: Option<Inertia>,
    /// A path that leaves; `None` at minima, and at non-strict saddles.
    pub escape: Option<Escape>,
    /// What the verdict rests on.
    pub evidence: Evidence,
}

/// Diagnoses a point.
///
/// # Errors
/// If the data do not fit the widths, or the loss is not representable.
pub fn diagnose(problem: &Problem<'_>) -> Result<Diagnosis> {
    let Problem { factors, whitening, tolerances, .. } = *problem;
    check(factors, whitening)?;
    let network = NormalizedNetwork::new(factors, whitening);
    let exact = match problem.exact {
        Some((factors, data)) => Some(ExactSquareNetwork::new(factors, data)?),
        None => None,
    };
    let rank_profile = match problem.exact {
        Some((factors, _)) => RankProfile::exact(factors),
        None => RankProfile::new(factors, problem.unit_roundoff, tolerances),
    };
    let critical = exact
        .as_ref()
        .map_or_else(|| network.is_critical(problem.unit_roundoff, tolerances), ExactSquareNetwork::is_critical);
    let point = critical.then(|| classified(problem, &network, exact.as_ref()));
    let near = (!critical).then(|| near_critical_point(factors, &network, whitening, tolerances)).flatten();
    let captured = captured(problem, &network, point.as_ref());
    let inertia = point.as_ref().and_then(|p| p.inertia);
    let class = point.as_ref().map_or(CriticalClass::NotCritical, |p| p.class);
    let extremes = extremes(&network.hessian(), inertia, tolerances, problem.seed);
    let stationary = stationary(problem, &network, &rank_profile, exact.as_ref(), point.as_ref());
    let escape = escape(problem, &network, class, &extremes, near.as_ref());
    let (loss, global_minimum) = values(problem, &network, exact.as_ref(), class);
    if !(loss.is_finite() && network.gradient_norm().is_finite()) {
        return Err(InputError::new("the loss or its gradient is too large for double precision")
            .value(loss)
            .hint("scale X, Y or the weights"));
    }
    Ok(Diagnosis {
        architecture: factors.architecture().clone(),
        loss,
        global_minimum,
        gradient_norm: if exact.is_some() && critical { 0.0 } else { network.gradient_norm() },
        gradient_relative: if exact.is_some() && critical { 0.0 } else { network.relative_gradient() },
        gradient_threshold: tolerances.critical_threshold(problem.unit_roundoff),
        critical,
        barcode: Barcode::new(&rank_profile),
        differential: Differential::new(&rank_profile),
        origin: point.as_ref().and_then(|p| origin(&rank_profile, p)),
        stationary_in_function_space: stationary,
        class,
        spectrum: whitening.spectrum.s.clone(),
        captured: captured.map(|found| found.indices),
        near,
        extremes,
        inertia,
        escape,
        evidence: point.map_or_else(|| evidence_off_critical(problem, &rank_profile), |p| p.evidence),
        rank_profile,
    })
}

fn check(factors: &Factors, whitening: &Whitening) -> Result<()> {
    let architecture = factors.architecture();
    let (inputs, outputs) = (whitening.basis.nrows(), whitening.target.nrows());
    if (architecture.inputs(), architecture.outputs()) == (inputs, outputs) {
        return Ok(());
    }
    Err(InputError::new("the data do not fit the widths of the network")
        .value(format!(
            "data with {inputs} inputs and {outputs} outputs, network with {} and {}",
            architecture.inputs(),
            architecture.outputs()
        ))
        .hint("X must have d0 columns and Y must have dh columns, one sample a row"))
}

fn classified(
    problem: &Problem<'_>,
    network: &NormalizedNetwork,
    exact: Option<&ExactSquareNetwork<'_>>,
) -> CriticalPoint {
    exact
        .and_then(ExactSquareNetwork::classify)
        .unwrap_or_else(|| classify(network, problem.whitening, problem.unit_roundoff, problem.tolerances))
}

fn captured(problem: &Problem<'_>, network: &NormalizedNetwork, point: Option<&CriticalPoint>) -> Option<Captured> {
    let whitening = problem.whitening;
    if whitening.rank.rank == 0 {
        return Some(Captured { indices: Vec::new(), distance: 0.0, projection: whitening.target.clone() });
    }
    let product = network.whitened().output();
    let unit = problem.unit_roundoff.max(UNIT_ROUNDOFF);
    let tolerances = problem.tolerances;
    let size = (product.nrows().max(product.ncols()) as f64).sqrt();
    let scale = network.target_scale();
    let largest = whitening.spectrum.s[0] / scale;
    let rank = point.map_or_else(
        || {
            crate::linalg::singular_values(product)
                .iter()
                .filter(|&&s| s > tolerances.critical_threshold(unit) * largest)
                .count()
        },
        |p| p.rank,
    );
    let tie = tolerances.tie * UNIT_ROUNDOFF * size * largest;
    let found = captured_directions(product, rank, whitening, scale, tie, tolerances.projection)?;
    (found.distance <= 1000.0 * tolerances.critical_threshold(unit)).then_some(found)
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

/// First-order stationarity of `W` on matrices of rank at most `r`: at rank `r` the gradient `G` of the loss satisfies
/// `G' U = 0` and `G V = 0`; at smaller rank the tangent cone spans everything and `G = 0`.
fn stationary(
    problem: &Problem<'_>,
    network: &NormalizedNetwork,
    profile: &RankProfile,
    exact: Option<&ExactSquareNetwork<'_>>,
    point: Option<&CriticalPoint>,
) -> Option<bool> {
    let architecture = problem.factors.architecture();
    let rank = profile.product_rank();
    if !profile.decision(0, profile.depth()).clear {
        return None;
    }
    if rank < architecture.bottleneck_rank() {
        return match (exact, point) {
            (Some(exact), _) => Some(exact.gradient().is_zero()),
            (None, Some(point)) => Some(point.residual_is_zero),
            (None, None) => Some(is_small(network.given().residual(), network, problem)),
        };
    }
    if let Some(exact) = exact {
        let (gradient, product) = (exact.gradient(), exact.product());
        return Some((&gradient.transpose() * product).is_zero() && (gradient * &product.transpose()).is_zero());
    }
    if point.is_some() {
        return Some(true);
    }
    let layers = network.given().layers();
    let narrowest = (0..=layers.len()).min_by_key(|&i| architecture.widths()[i]).unwrap_or(0);
    let scaled = Factors::new(layers.to_vec()).ok()?;
    let columns = orthonormal_range(&scaled.partial(layers.len(), narrowest), rank);
    let rows = orthonormal_range(&scaled.partial(narrowest, 0).transpose(), rank);
    let inputs = network.given().inputs()?;
    let residual = network.given().residual();
    let right = residual * &inputs.transpose_times(&rows);
    Some(is_small(&columns.transpose_times(residual), network, problem) && is_small(&right, network, problem))
}

fn is_small(part: &Matrix, network: &NormalizedNetwork, problem: &Problem<'_>) -> bool {
    let size = network.given().output().frobenius_norm() + network.target_norm();
    part.frobenius_norm() <= problem.tolerances.critical_threshold(problem.unit_roundoff) * size
}

fn escape(
    problem: &Problem<'_>,
    network: &NormalizedNetwork,
    class: CriticalClass,
    found: &Extremes,
    near: Option<&NearCriticalPoint>,
) -> Option<Escape> {
    let Problem { factors, whitening, tolerances, seed, .. } = *problem;
    match class {
        CriticalClass::StrictSaddle => leave(factors, network, whitening, true, Some(&found.smallest.vector)),
        CriticalClass::NotCritical => {
            let saddle = near.filter(|n| n.class == CriticalClass::StrictSaddle).and_then(|n| n.factors.as_ref());
            let curvature = saddle.map(|theta| {
                let there = NormalizedNetwork::new(theta, whitening);
                extremes(&there.hessian(), None, tolerances, seed).smallest.vector
            });
            leave(factors, network, whitening, false, curvature.as_deref())
        }
        _ => None,
    }
}

fn values(
    problem: &Problem<'_>,
    network: &NormalizedNetwork,
    exact: Option<&ExactSquareNetwork<'_>>,
    class: CriticalClass,
) -> (f64, f64) {
    let whitening = problem.whitening;
    let z = network.target_scale();
    let loss = exact.map_or_else(
        || network.whitened().value() * z * z + whitening.floor,
        |point| 0.5 * rational_to_f64(&point.squared_residual()),
    );
    if class == CriticalClass::GlobalMinimum {
        return (loss, loss);
    }
    (loss, whitening.minimum_at_rank(problem.factors.architecture().bottleneck_rank()).min(loss))
}

fn evidence_off_critical(problem: &Problem<'_>, profile: &RankProfile) -> Evidence {
    let grade = if problem.exact.is_some() { Grade::Exact } else { Grade::Numerical };
    let mut evidence = Evidence::new(grade);
    evidence.rest_on("rank X", problem.whitening.rank);
    for ((i, j), decision) in profile.decisions() {
        evidence.rest_on(format!("rank of W{j}...W{}", i + 1), *decision);
    }
    evidence
}
