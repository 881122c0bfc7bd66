//! Answers about losses other than the square.

use std::sync::Arc;

use super::Answer;
use crate::architecture::Architecture;
use crate::critical::CriticalClass;
use crate::diagnosis::Settings;
use crate::error::Result;
use crate::problem::LossData;
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
    let attained = minima.bound.attained == Some(true);
    let level = (vector && attained).then(|| minima.value_at_zero);
    Ok(LossLandscape { architecture, minima, level })
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
