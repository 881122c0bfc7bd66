//! The spectrum of the Hessian at a point.

use super::Answer;
use crate::critical::{Analysis, CriticalClass};
use crate::diagnosis::Settings;
use crate::error::Result;
use crate::hessian::{HessianFindings, SpectrumRequest, spectrum_at};
use crate::problem::Problem;

/// The class of a point and what is known of the spectrum there.
#[derive(Debug, Clone)]
pub struct SpectrumAnswer {
    /// The class; `NotCritical` off critical points.
    pub class: CriticalClass,
    /// What was asked for.
    pub request: SpectrumRequest,
    /// Eigenvalues, index and nullity.
    pub findings: HessianFindings,
}

/// Eigenvalues of the Hessian of `L` in the parameters as given, and its index and nullity; see [`spectrum_at`].
///
/// # Errors
/// As [`spectrum_at`].
pub fn hessian(problem: &Problem, request: SpectrumRequest, settings: Settings) -> Result<SpectrumAnswer> {
    let analysis = Analysis::new(problem);
    let known = analysis.point().map(|found| (found.inertia, found.evidence.clone()));
    let findings = spectrum_at(problem, request, known, settings.seed)?;
    Ok(SpectrumAnswer { class: analysis.class(), request, findings })
}

impl Answer for SpectrumAnswer {
    fn is_undecided(&self) -> bool {
        self.findings.inertia.is_none() || self.findings.ends.0.is_none() || self.findings.ends.1.is_none()
    }
}
