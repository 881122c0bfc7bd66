//! Where a point is, for a loss that is not the square one.

use super::Settings;
use crate::architecture::Architecture;
use crate::critical::{CriticalClass, Origin};
use crate::error::{InputError, Result};
use crate::escape::LossEscape;
use crate::evidence::{Evidence, Grade, Quantity, Truth};
use crate::hessian::{Extremes, HessianOperator, extremes};
use crate::linalg::{Inertia, Matrix, SymmetricOperator, singular_values, symmetric_eigenvalues};
use crate::loss::{Loss, LossKind};
use crate::multiplication::{Barcode, Differential, RankProfile};
use crate::problem::LossProblem;
use crate::riemannian::{ConvexBound, FunctionSpace, convex_bound, in_blocks, is_isolated_minimum, known_infimum};

/// Up to this many parameters index and nullity are counted from all eigenvalues.
const LISTED: usize = 1000;
/// An eigenvalue is clear of those that count as zero when it is this many times larger.
const CLEAR: f64 = 100.0;

/// Everything about one point of a loss of any kind.
#[derive(Debug, Clone)]
pub struct LossDiagnosis {
    /// The widths.
    pub architecture: Architecture,
    /// The loss.
    pub kind: LossKind,
    /// `L`.
    pub loss: f64,
    /// Smallest value over the architecture, where it is known.
    pub global_minimum: Option<f64>,
    /// What is known of the infimum over all matrices.
    pub bound: ConvexBound,
    /// The infimum over the architecture is attained; `None` where undecided.
    pub infimum_attained: Option<bool>,
    /// `r` is no bound on what the loss can see of a product.
    pub effective_filling: bool,
    /// `||grad L||`.
    pub gradient_norm: f64,
    /// See [`crate::network::Network::measured_gradient`].
    pub gradient_relative: f64,
    /// The threshold that `gradient_relative` was compared with.
    pub gradient_threshold: f64,
    /// The gradient counts as zero.
    pub critical: bool,
    /// Ranks of the partial products.
    pub rank_profile: RankProfile,
    /// `None` when the rank decisions contradict one another.
    pub barcode: Option<Barcode>,
    /// Rank of the differential of the product map.
    pub differential: Differential,
    /// Pure or spurious; `None` off critical points or where undecided.
    pub origin: Option<Origin>,
    /// First-order stationarity of `W` on the function space.
    pub stationary_in_function_space: Truth,
    /// The class.
    pub class: CriticalClass,
    /// Why the class is what it is, or why it is undecided.
    pub reason: &'static str,
    /// Ends of the spectrum of the Hessian.
    pub extremes: Extremes,
    /// Inertia of the Hessian at critical points, where settled.
    pub inertia: Option<Inertia>,
    /// A path that leaves; `None` at minima and where the class is undecided.
    pub escape: Option<LossEscape>,
    /// What the verdict rests on.
    pub evidence: Evidence,
}

/// Diagnoses the point of a problem with any loss.
///
/// # Errors
/// If the loss or its gradient is not representable.
pub fn diagnose_loss(problem: &LossProblem, settings: Settings) -> Result<LossDiagnosis> {
    let (tolerances, network) = (problem.tolerances(), problem.network());
    let loss = network.value();
    let norms: Vec<f64> = network.gradient().iter().map(Matrix::frobenius_norm).collect();
    let gradient_norm = crate::linalg::vector_norm(&norms);
    if !(loss.is_finite() && gradient_norm.is_finite()) {
        return Err(InputError::new("the loss or its gradient is too large for double precision")
            .value(loss)
            .hint("scale X, Y or the weights"));
    }
    let threshold = tolerances.critical_losses * tolerances.critical_threshold(problem.unit_roundoff());
    let relative = if gradient_norm == 0.0 { 0.0 } else { network.measured_gradient() };
    let critical = network.is_critical(threshold);
    let decide = if critical { RankProfile::new } else { RankProfile::stored };
    let rank_profile = decide(problem.factors(), problem.unit_roundoff(), tolerances);
    let architecture = problem.factors().architecture().clone();
    let shape = (problem.data().outputs(), problem.data().samples());
    let inputs = problem.inputs();
    let space = FunctionSpace::new(problem.data().loss(), inputs.as_ref(), shape, problem.has_offset(), tolerances);
    let rank = architecture.bottleneck_rank();
    let bound = convex_bound(&space);
    let known = known_infimum(&space, (problem.data().loss(), inputs.as_ref()), rank, &bound);
    let operator = HessianOperator::new(network, vec![1.0; network.blocks().len()]);
    let smooth = network.loss().is_twice_differentiable(network.output(), problem.unit_roundoff().max(1e-12));
    let inertia = if critical && smooth { inertia(&operator, problem) } else { None };
    let ends = extremes(&operator, inertia, tolerances, settings.seed);
    let mut found = LossDiagnosis {
        kind: problem.data().kind().clone(),
        loss,
        global_minimum: known.minimum().map(|(value, _)| value),
        infimum_attained: known.attained,
        effective_filling: space.is_filling(rank),
        bound,
        gradient_norm,
        gradient_relative: relative,
        gradient_threshold: threshold,
        critical,
        barcode: Barcode::new(&rank_profile),
        differential: Differential::new(&rank_profile),
        origin: None,
        stationary_in_function_space: Truth::Undecided,
        class: CriticalClass::NotCritical,
        reason: "the gradient is not zero",
        extremes: ends,
        inertia,
        escape: None,
        evidence: Evidence::new(Grade::Numerical),
        rank_profile,
        architecture,
    };
    rest_on_ranks(&mut found);
    let place = Place::new(problem, &space, &found);
    if found.critical && place.is_open_slope(&found) {
        found.critical = false;
        found.reason = "the gradient is small, but not zero in matrix space, and the product moves freely here";
    }
    found.stationary_in_function_space = place.is_stationary(&found).into();
    if found.critical {
        found.origin = origin(&found, &place);
        (found.class, found.reason) = place.class(&found, smooth);
    }
    found.escape = escape(problem, &found, settings.seed);
    Ok(found)
}

fn rest_on_ranks(found: &mut LossDiagnosis) {
    let depth = found.rank_profile.depth();
    let decision = *found.rank_profile.decision(0, depth);
    found.evidence.rest_on(Quantity::Product { i: 0, j: depth }, decision);
}

/// Index and nullity where no eigenvalue is between those that count as zero and those that do not.
fn inertia<L: Loss>(operator: &HessianOperator<'_, L>, problem: &LossProblem) -> Option<Inertia> {
    let size = operator.dimension();
    if size > LISTED {
        return None;
    }
    let values = symmetric_eigenvalues(&operator.to_dense())?;
    let largest = values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    let tolerances = problem.tolerances();
    let relative =
        tolerances.flat_curvature.max(tolerances.zero_curvature * problem.unit_roundoff() * (size as f64).sqrt());
    let zero = relative * largest;
    let unclear = values.iter().any(|value| value.abs() > zero && value.abs() <= CLEAR * zero);
    (!unclear).then(|| Inertia::from_eigenvalues(&values, zero))
}

/// The product in the coordinates of what the loss can see.
struct Place {
    /// Rank of `V`; `None` where unclear.
    rank: Option<usize>,
    /// The largest rank that the architecture reaches there.
    most: usize,
    /// The gradient in `V` is zero; `None` where unclear.
    flat: Option<bool>,
    /// `V` is an isolated local minimum on matrices of its rank; `None` where that is not known.
    isolated: Option<bool>,
    convex: bool,
}

impl Place {
    fn new(problem: &LossProblem, space: &FunctionSpace, found: &LossDiagnosis) -> Self {
        let (tolerances, network) = (problem.tolerances(), problem.network());
        let product = problem.factors().product();
        let matrix = space.reduced(&product);
        let offset = problem.offset().map(|offset| (product, offset));
        let widths = found.architecture.widths();
        let inner = widths[1..widths.len() - 1].iter().copied().min().unwrap_or(usize::MAX);
        let (outputs, inputs) = space.shape();
        let most = inner.min(outputs).min(inputs);
        let values = singular_values(&matrix);
        // What the weights could have been rounded by, beside the largest value that the factors could have made.
        let norms: f64 = network.layer_norms().iter().product::<f64>() * space.largest_input();
        let zero =
            tolerances.relative_rounding(problem.unit_roundoff(), widths.iter().copied().max().unwrap_or(1)) * norms;
        let rank = values.iter().filter(|&&value| value > zero).count();
        let unclear = values.iter().any(|&value| value > zero && value <= tolerances.rank_gap * zero);
        let rank = (!unclear).then_some(rank);
        let size = network.loss().gradient_size(network.output());
        let acting = space.acting_on_given(network.loss_gradient());
        let beside = |size: f64, zero: f64| match acting / size {
            _ if acting == 0.0 => Some(true),
            ratio if ratio <= zero => Some(true),
            ratio if ratio > CLEAR * zero => Some(false),
            _ => None,
        };
        let zero = found.gradient_threshold;
        let beside_slopes = network.slope_size().map_or(Some(true), |size| beside(size, zero.sqrt()));
        let flat = match (beside(size, zero), beside_slopes) {
            // A convex loss that does not attain its infimum has no point without a gradient.
            _ if found.bound.attained == Some(false) => Some(false),
            (Some(true), Some(true)) => Some(true),
            (Some(false), _) | (_, Some(false)) => Some(false),
            _ => None,
        };
        let isolated = || is_isolated_minimum(space, &matrix, offset.as_ref(), most, tolerances);
        let isolated = if found.critical && rank == Some(most) && most > 0 { isolated() } else { None };
        Self { rank, most, flat, isolated, convex: network.loss().convexity().is_convex() }
    }

    /// The product has the full rank of matrices without a bound and slopes: the parameters are not critical.
    fn is_open_slope(&self, found: &LossDiagnosis) -> bool {
        found.effective_filling && self.rank == Some(self.most) && self.flat == Some(false)
    }

    fn is_stationary(&self, found: &LossDiagnosis) -> Option<bool> {
        match self.rank {
            Some(rank) if rank < self.most => self.flat,
            Some(_) if found.critical => Some(true),
            _ if found.effective_filling => self.flat,
            _ => None,
        }
    }

    fn class(&self, found: &LossDiagnosis, smooth: bool) -> (CriticalClass, &'static str) {
        use CriticalClass::{GlobalMinimum, LocalMinimum, NonStrictSaddle, StrictSaddle, Undecided};
        if self.convex && self.flat == Some(true) {
            return (GlobalMinimum, "the loss is convex and its gradient in matrix space is zero");
        }
        let largest = found.extremes.largest.value.abs().max(found.extremes.smallest.value.abs());
        let negative = match found.inertia {
            Some(inertia) => Some(inertia.negative > 0),
            None if smooth && found.extremes.smallest.converged => {
                let smallest = found.extremes.smallest.value;
                if smallest < -1e-7 * largest { Some(true) } else { None }
            }
            None => None,
        };
        if negative == Some(true) {
            return (StrictSaddle, "the Hessian has a negative eigenvalue");
        }
        let at_minimum = found
            .global_minimum
            .is_some_and(|minimum| found.loss - minimum <= 1e-10 * found.loss.abs().max(minimum.abs()));
        match (self.rank, self.flat) {
            (None, _) => (Undecided, "the rank of the product is not clear"),
            (Some(rank), Some(false)) if rank < self.most => match (negative, smooth) {
                (Some(false), _) => {
                    (NonStrictSaddle, "the rank is below the bottleneck and the gradient in matrix space is not zero")
                }
                (_, false) => (
                    Undecided,
                    "a saddle: the rank is below the bottleneck; second derivatives jump here, so it is open whether it is strict",
                ),
                _ => (Undecided, "a saddle: the rank is below the bottleneck; whether it is strict is not clear"),
            },
            (Some(rank), None) if rank < self.most => {
                (Undecided, "whether the gradient in matrix space is zero is not clear")
            }
            (Some(_), _) if at_minimum => (GlobalMinimum, "the loss is the smallest that the architecture reaches"),
            (Some(_), _) if !smooth => (Undecided, "second derivatives jump here, so they say nothing"),
            (Some(_), _) if self.isolated == Some(true) => {
                (LocalMinimum, "the Hessian on matrices of this rank is positive definite")
            }
            _ => (Undecided, "the Hessian on matrices of this rank is degenerate"),
        }
    }
}

/// As the papers define it: the product is a smooth point of the matrices of rank at most `r` and critical there.
fn origin(found: &LossDiagnosis, place: &Place) -> Option<Origin> {
    let profile = &found.rank_profile;
    if !profile.decision(0, profile.depth()).clear {
        return None;
    }
    let pure = match profile.product_rank() == found.architecture.bottleneck_rank() {
        true => true,
        false if found.architecture.is_filling() => place.flat?,
        false => false,
    };
    Some(if pure { Origin::Pure } else { Origin::Spurious })
}

fn escape(problem: &LossProblem, found: &LossDiagnosis, seed: u64) -> Option<LossEscape> {
    match found.class {
        CriticalClass::NotCritical => LossEscape::downhill(problem),
        CriticalClass::StrictSaddle => {
            let vector = &found.extremes.smallest.vector;
            let direction = (!vector.is_empty()).then(|| in_blocks(&problem.network().blocks(), vector))?;
            LossEscape::along(problem, &direction)
        }
        CriticalClass::NonStrictSaddle => LossEscape::through_kernels(problem, seed),
        _ => None,
    }
}
