//! The point of a problem: whether it is critical, what it is then, and what its product is in the function space.

use super::captured::{Captured, captured_directions};
use super::class::{CriticalClass, CriticalPoint, Origin};
use super::ladder::Ladder;
use super::numerical::classify;
use crate::architecture::Architecture;
use crate::evidence::{Evidence, Grade, Quantity, Truth};
use crate::linalg::{Inertia, Matrix, orthonormal_range, singular_values, vector_norm};
use crate::multiplication::{Factors, RankProfile};
use crate::network::ExactSquareNetwork;
use crate::problem::{OutputBias, Problem};

/// What a point is for the loss.
///
/// ```
/// use rankscape::Matrix;
/// use rankscape::critical::{Analysis, CriticalClass};
/// use rankscape::problem::{Data, Problem};
///
/// let target = Data::target(Matrix::from_diagonal(2, 2, &[2.0, 1.0]));
/// let problem = Problem::new([Matrix::zeros(2, 2), Matrix::zeros(2, 2)], target)?;
/// let analysis = Analysis::new(&problem);
/// assert_eq!(analysis.class(), CriticalClass::StrictSaddle);
/// assert_eq!(analysis.inertia().map(|inertia| inertia.negative), Some(4));
/// # Ok::<(), rankscape::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Analysis<'a> {
    problem: &'a Problem,
    critical: bool,
    /// `None` where the gradient is surely not zero. Where it may be zero the class is undecided and the ranks say why.
    point: Option<CriticalPoint>,
}

impl<'a> Analysis<'a> {
    /// Decides whether the gradient counts as zero, and if so the class, over the rationals for exact input.
    pub fn new(problem: &'a Problem) -> Self {
        let counts_as_zero = criticality(problem);
        let point = (counts_as_zero != Truth::No).then(|| classified(problem));
        Self { problem, critical: counts_as_zero == Truth::Yes, point }
    }

    /// The gradient counts as zero.
    pub fn is_critical(&self) -> bool {
        self.critical
    }

    /// The critical point; `None` where the gradient is surely not zero.
    pub fn point(&self) -> Option<&CriticalPoint> {
        self.point.as_ref()
    }

    /// The class.
    pub fn class(&self) -> CriticalClass {
        self.point.as_ref().map_or(CriticalClass::NotCritical, |found| found.class)
    }

    /// Inertia of the Hessian in the parameters as given, at critical points, where settled.
    pub fn inertia(&self) -> Option<Inertia> {
        self.point.as_ref().and_then(|found| found.inertia)
    }

    /// Ranks of the partial products of the factors as given: at a critical point up to the rounding errors that its gradient
    /// may have, elsewhere as they are stored.
    pub fn rank_profile(&self) -> RankProfile {
        self.problem.rank_profile(self.critical)
    }

    /// Pure: `W` is a smooth point of the function space and critical for the loss restricted to it. At a critical point
    /// with `rank W = r` both hold; in the filling case every point is smooth and only zero gradient counts. `None` off
    /// critical points and where undecided.
    pub fn origin(&self, profile: &RankProfile) -> Option<Origin> {
        let point = self.point.as_ref()?;
        if !profile.decision(0, profile.depth()).clear {
            return None;
        }
        let widths = profile.widths();
        let bottleneck = widths.iter().copied().min().unwrap_or(0);
        let filling = bottleneck == widths[0].min(widths[profile.depth()]);
        let pure = profile.product_rank() == bottleneck || (filling && point.residual_is_zero);
        Some(if pure { Origin::Pure } else { Origin::Spurious })
    }

    /// Which directions the product captures; what counts as equal is what did for the class.
    pub fn captured(&self) -> Option<Captured> {
        let problem = self.problem;
        let (whitening, tolerances, network) = (problem.whitening(), problem.tolerances(), problem.network());
        let product = network.whitened().output();
        let threshold = tolerances.critical_threshold(problem.unit_roundoff());
        let scale = network.target_scale();
        let largest = whitening.spectrum.s.first().copied().unwrap_or(0.0) / scale;
        let decided = self.point.as_ref().filter(|found| found.class != CriticalClass::Undecided);
        let rank = decided.map(|found| found.rank).or_else(|| problem.exact().map(ExactSquareNetwork::rank_of_output));
        if whitening.rank.rank == 0 || rank == Some(0) {
            let projection = Matrix::zeros(product.nrows(), product.ncols());
            return Some(Captured { indices: Vec::new(), distance: 0.0, projection });
        }
        let seen = || singular_values(product).iter().filter(|&&s| s > threshold * largest).count();
        let zero = tolerances.tie_threshold(product.larger_dimension(), largest);
        let tie = self.point.as_ref().map_or(zero, |found| found.tie.max(zero));
        let rank = rank.unwrap_or_else(seen);
        let found = captured_directions(product, rank, whitening, scale, (zero, tie), tolerances.projection)?;
        (found.distance <= tolerances.projection_distance * threshold).then_some(found)
    }

    /// First-order stationarity of `W` on matrices of rank at most `r`: at rank `r` the gradient `G` of the loss satisfies
    /// `G' U = 0` and `G V = 0`; at smaller rank the tangent cone spans everything and `G = 0`.
    pub fn is_stationary_in_function_space(&self, profile: &RankProfile) -> Truth {
        self.stationarity(profile).into()
    }

    fn stationarity(&self, profile: &RankProfile) -> Option<bool> {
        let problem = self.problem;
        let architecture = problem.factors().architecture();
        let given = problem.network().given();
        let rank = profile.product_rank();
        if !profile.decision(0, profile.depth()).clear {
            return None;
        }
        if rank < architecture.bottleneck_rank() {
            return Some(match (problem.exact(), &self.point) {
                (Some(exact), _) => exact.gradient().is_zero(),
                (None, Some(found)) => found.residual_is_zero,
                (None, None) => self.is_small(given.residual()),
            });
        }
        if let Some(exact) = problem.exact() {
            let (gradient, product) = (exact.gradient(), exact.product());
            return Some((&gradient.transpose() * product).is_zero() && (gradient * &product.transpose()).is_zero());
        }
        if self.point.is_some() {
            return Some(true);
        }
        let layers = given.layers();
        let narrowest = (0..=layers.len()).min_by_key(|&i| architecture.widths()[i])?;
        let scaled = Factors::new(layers.to_vec()).ok()?;
        let columns = orthonormal_range(&scaled.partial(layers.len(), narrowest), rank);
        let rows = orthonormal_range(&scaled.partial(narrowest, 0).transpose(), rank);
        let residual = given.residual();
        let right = residual * &given.inputs()?.transpose_times(&rows);
        Some(self.is_small(&columns.transpose_times(residual)) && self.is_small(&right))
    }

    fn is_small(&self, part: &Matrix) -> bool {
        let network = self.problem.network();
        let size = network.given().output().frobenius_norm() + network.target_norm();
        part.frobenius_norm() <= self.problem.tolerances().critical_threshold(self.problem.unit_roundoff()) * size
    }

    /// What the class rests on.
    pub fn evidence(&self) -> Evidence {
        match &self.point {
            Some(found) => found.evidence.clone(),
            None if self.problem.exact().is_some() => Evidence::new(Grade::Exact),
            None => {
                let mut evidence = Evidence::new(Grade::Numerical);
                evidence.rest_on(Quantity::Inputs, self.problem.whitening().rank);
                evidence
            }
        }
    }
}

/// Whether the gradient counts as zero; undecided where rounding errors leave it open. With an output bias that is also so where
/// the weights are critical for the centred data and `b_h = b*`: there the terms that cancel in the gradient as given may be
/// much larger than the gradient is allowed to be, since they contain the other biases.
fn criticality(problem: &Problem) -> Truth {
    if let Some(exact) = problem.exact() {
        return exact.is_critical().into();
    }
    let (unit_roundoff, tolerances) = (problem.unit_roundoff(), problem.tolerances());
    let bias_is_best = |bias: OutputBias<'_>| {
        vector_norm(&bias.defect(problem.factors()))
            <= tolerances.critical_threshold(unit_roundoff) * bias.size(problem.factors())
    };
    let centred = || match problem.output_bias() {
        Some(bias) if bias_is_best(bias) => problem.network().criticality(unit_roundoff, tolerances),
        _ => Truth::No,
    };
    match problem.given().criticality(unit_roundoff, tolerances) {
        Truth::Yes => Truth::Yes,
        as_given => match centred() {
            Truth::No => as_given,
            found => found,
        },
    }
}

fn classified(problem: &Problem) -> CriticalPoint {
    let exact = problem.exact().and_then(ExactSquareNetwork::classify);
    let numerical = || classify(problem.network(), problem.whitening(), problem.unit_roundoff(), problem.tolerances());
    let mut found = exact.unwrap_or_else(numerical);
    if let (Some(bias), Some(inertia)) = (problem.output_bias(), &mut found.inertia) {
        inertia.zero += bias.flat();
        inertia.positive += bias.outputs();
    }
    found
}

/// Smallest value of the loss for the data of a problem and other widths.
pub fn minimum_of(problem: &Problem, architecture: &Architecture) -> f64 {
    Ladder::minimum_of(architecture, problem.whitening(), problem.data().exact.as_ref(), problem.tolerances())
}

/// Smallest value of the loss over the architecture of a problem.
pub fn global_minimum(problem: &Problem) -> f64 {
    minimum_of(problem, problem.factors().architecture())
}

/// The same with one more unit in every hidden layer that is as narrow as the narrowest.
pub fn minimum_of_wider(problem: &Problem) -> Option<f64> {
    let architecture = problem.factors().architecture();
    let wider = architecture.bottleneck_rank() + 1;
    let mut widths = architecture.widths().to_vec();
    let last = widths.len() - 1;
    widths[1..last].iter_mut().for_each(|width| *width = wider.max(*width));
    Some(minimum_of(problem, &Architecture::new(widths).ok()?))
}
