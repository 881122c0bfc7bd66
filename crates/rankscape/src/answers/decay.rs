//! What is there with weight decay.

use std::sync::Arc;

use super::Answer;
use super::hessian::SpectrumAnswer;
use crate::critical::{BadDecayedMinima, CriticalClass, DecayLadder, DecayRung, DecayedMinima};
use crate::diagnosis::Settings;
pub use crate::diagnosis::{DecayDiagnosis, diagnose_with_decay};
use crate::error::{InputError, Result};
use crate::hessian::{Part, SpectrumRequest, spectrum_at};
use crate::linalg::Matrix;
use crate::network::WeightDecay;
use crate::problem::{Landscape, Problem};

/// A witness is written out up to so many parameters.
const WITNESS_PARAMETERS: usize = 10_000;

/// All critical points with weight decay, where they are known.
#[derive(Debug, Clone)]
pub struct DecayAnswer {
    /// The ladder.
    pub ladder: DecayLadder,
    /// The lowest rungs; none where they are not known.
    pub rungs: Arc<[DecayRung]>,
    /// The set of global minimizers, where it is known.
    pub minima: Option<DecayedMinima>,
    /// Whether there are local minima that are not global.
    pub bad_minima: BadDecayedMinima,
    /// The weights of the one that is known, unless they are many.
    pub witness: Option<Vec<Matrix>>,
    /// The least height that a path from the origin to the best minimum climbs, where it is known.
    pub barrier: Option<f64>,
}

/// All critical points with weight decay, at most `most` rungs listed.
///
/// # Errors
/// If the data do not fit the widths, a value is not representable, or the landscape has biases or an output metric.
pub fn critical_with_decay(landscape: &Landscape, decay: &WeightDecay, most: usize) -> Result<DecayAnswer> {
    let data = landscape.data();
    data.check_decay(decay)?;
    let widths = landscape.architecture().clone();
    let (whitening, tolerances) = (&data.whitening, landscape.tolerances());
    let ladder = DecayLadder::new(widths, whitening, data.exact.as_ref(), decay, tolerances)?;
    let bad_minima = ladder.bad_minima();
    let few =
        landscape.architecture().widths().windows(2).map(|pair| pair[0] * pair[1]).sum::<usize>() <= WITNESS_PARAMETERS;
    let witness = bad_minima.witness().filter(|_| few).and_then(|found| ladder.point(&found.rung, whitening));
    Ok(DecayAnswer {
        rungs: ladder.lowest(most).into(),
        minima: ladder.minima(),
        barrier: ladder.barrier(),
        bad_minima,
        witness,
        ladder,
    })
}

impl Answer for DecayAnswer {
    fn is_undecided(&self) -> bool {
        !self.ladder.is_clear()
            || self.barrier.is_none()
            || self.bad_minima == BadDecayedMinima::Possible
            || self.rungs.iter().any(|rung| rung.class == CriticalClass::Undecided)
    }
}

/// The spectrum of the Hessian with weight decay.
///
/// # Errors
/// As [`super::hessian()`], for a part of the Hessian, or if the problem has biases or an output metric.
pub fn hessian_with_decay(
    problem: &Problem,
    decay: &WeightDecay,
    request: SpectrumRequest,
    settings: Settings,
) -> Result<SpectrumAnswer> {
    if request.part != Part::Full {
        return Err(InputError::new("the parts of the Hessian are those of the loss without weight decay")
            .array("--weight-decay")
            .value(decay.strength())
            .hint("leave --part out, or ask without --weight-decay"));
    }
    let point = diagnose_with_decay(problem, decay, settings)?;
    let known = point.rung.as_ref().filter(|_| request.layer.is_none());
    let known = known.map(|rung| (rung.inertia, point.evidence.clone()));
    let findings = spectrum_at(problem, request, None, settings.seed)?;
    let findings = findings.with_decay(decay.strength(), known, problem.tolerances());
    Ok(SpectrumAnswer { class: point.class, request, findings })
}

impl Answer for DecayDiagnosis {
    fn is_undecided(&self) -> bool {
        self.class == CriticalClass::Undecided
            || (self.class == CriticalClass::LocalMinimum && self.global_minimum.is_none())
            || (self.critical && (self.inertia.is_none() || self.barcode.is_none()))
    }
}
