//! Answers about losses other than the square.

use std::sync::Arc;

use super::{Answer, SpectrumAnswer};
use crate::architecture::Architecture;
use crate::critical::CriticalClass;
use crate::diagnosis::Settings;
use crate::error::{InputError, Result};
use crate::hessian::{HessianOperator, Part, SpectrumRequest, spectrum_of};
use crate::loss::Loss;
use crate::problem::{LossData, LossProblem};
use crate::riemannian::{self, Minima, MinimaRequest};
use crate::tolerance::Tolerances;

pub use crate::diagnosis::{LossDiagnosis, diagnose_loss};
pub use crate::escape::LossEscape;

/// What is known of the landscape of a loss over an architecture without a point.
#[derive(Debug, Clone)]
pub struct LossLandscape {
    /// The widths.
    pub architecture: Architecture,
    /// What was found on matrices of rank at most the bottleneck rank.
    pub minima: Minima,
    /// For one output or one input: every critical point with a loss below this is a global minimum; `None` for other widths, and
    /// where the infimum is not attained.
    pub level: Option<f64>,
}

/// Local minima of a loss on matrices of rank at most `request.rank`, by many starts.
///
/// # Errors
/// If the rank is not one that the matrices can have.
pub fn minima(
    data: &Arc<LossData>,
    request: &MinimaRequest,
    tolerances: &Tolerances,
    settings: Settings,
) -> Result<Minima> {
    riemannian::minima(data, request, tolerances, settings.seed, settings.threads)
}

/// Evaluations of loss and Hessian of one start, and more for each parameter of the factors: measured from 3 x 3 to 50 x 50.
const EVALUATIONS: (f64, f64) = (100.0, 20.0);
/// Seconds of one evaluation beside its arithmetic.
const OVERHEAD: f64 = 3e-6;
/// Rate of the arithmetic of an ordinary core.
const FLOPS_PER_SECOND: f64 = 1e9;

/// Seconds of one thread that [`minima`] takes, right to a factor of about three.
///
/// # Errors
/// If the rank is not one that the matrices can have.
pub fn minima_cost(data: &LossData, request: &MinimaRequest) -> Result<f64> {
    let (outputs, inputs, samples) = (data.outputs(), data.input_count(), data.samples());
    request.check(data)?;
    // A target has as many inputs as samples, and X need not be applied.
    let applied = if data.is_target() { 0 } else { inputs * samples };
    let flops = 6.0 * (request.rank * (applied + outputs * samples) + outputs * samples) as f64;
    let parameters = (request.rank * (outputs + inputs)) as f64;
    let evaluations = EVALUATIONS.0 + EVALUATIONS.1 * parameters;
    Ok(request.starts as f64 * evaluations * (OVERHEAD + flops / FLOPS_PER_SECOND))
}

/// The landscape over these widths: can there be bad local minima, and are there.
///
/// # Errors
/// If the widths do not fit the data.
pub fn critical_loss(
    data: &Arc<LossData>,
    architecture: Architecture,
    starts: usize,
    tolerances: &Tolerances,
    settings: Settings,
) -> Result<LossLandscape> {
    data.check_widths(&architecture)?;
    let request = MinimaRequest { rank: architecture.bottleneck_rank(), starts, offset: false };
    let minima = minima(data, &request, tolerances, settings)?;
    let vector = architecture.inputs() == 1 || architecture.outputs() == 1;
    let attained = minima.bound.attained == Some(true) && data.loss().convexity().is_convex();
    let level = (vector && attained).then_some(minima.value_at_zero);
    Ok(LossLandscape { architecture, minima, level })
}

/// Eigenvalues of the Hessian of a loss of any kind in the parameters as given, and its index and nullity. At critical points
/// these are those of [`diagnose_loss`]; elsewhere all eigenvalues are counted.
///
/// # Errors
/// As [`diagnose_loss`]; if a part or a block is asked for, or more than can be computed.
pub fn hessian_loss(problem: &LossProblem, request: SpectrumRequest, settings: Settings) -> Result<SpectrumAnswer> {
    if request.part != Part::Full || request.layer.is_some() {
        return Err(InputError::new("parts and blocks of the Hessian are those of the square loss")
            .hint("leave out --part and --layer, or --loss"));
    }
    let network = problem.network();
    let operator = HessianOperator::new(network, vec![1.0; network.blocks().len()]);
    let point = diagnose_loss(problem, settings)?;
    let inertia = point.inertia.map(|inertia| (inertia, point.evidence.clone()));
    let mut findings = spectrum_of(&operator, request, inertia, problem.tolerances(), settings.seed)?;
    if point.critical && point.inertia.is_none() {
        // Undecided there is undecided here.
        findings.inertia = None;
    }
    Ok(SpectrumAnswer { class: point.class, request, findings })
}

impl Answer for LossDiagnosis {
    fn is_undecided(&self) -> bool {
        self.class == CriticalClass::Undecided || (self.critical && (self.inertia.is_none() || self.barcode.is_none()))
    }
}

impl Answer for Minima {
    fn is_undecided(&self) -> bool {
        false
    }
}

impl Answer for LossLandscape {
    fn is_undecided(&self) -> bool {
        false
    }
}
