//! What is found at a constructed point, without a look at how it was made.

use crate::critical::class::{CriticalClass, CriticalPoint};
use crate::critical::numerical::{classify, string_ranks};
use crate::critical::strata::{Stratum, StratumFacts};
use crate::data::ExactMoments;
use crate::data::Whitening;
use crate::error::Result;
use crate::evidence::Truth;
use crate::hessian::StringRanks;
use crate::multiplication::{ExactFactors, Factors};
use crate::network::ExactSquareNetwork;
use crate::network::NormalizedNetwork;
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

/// Gradient, class, index and ranks at a point, and whether they are those of its stratum.
#[derive(Debug, Clone)]
pub struct PointCheck {
    /// Relative gradient; 0 when it is exactly zero.
    pub gradient: f64,
    /// The gradient counts as zero.
    pub critical: bool,
    /// Class and inertia; `None` off critical points.
    pub found: Option<CriticalPoint>,
    /// Strings read off the ranks; `None` where the ranks are not clear.
    pub strings: Option<Stratum>,
    /// Everything found is as wanted; undecided where the class or a rank is and nothing contradicts.
    pub holds: Truth,
}

impl PointCheck {
    pub(super) fn new(
        factors: &Factors,
        exact: Option<(&ExactFactors, &ExactMoments)>,
        whitening: &Whitening,
        (stratum, facts): (&Stratum, &StratumFacts),
        tolerances: &Tolerances,
    ) -> Result<Self> {
        let network = NormalizedNetwork::new(factors, whitening);
        let exact = exact.map(|(factors, data)| ExactSquareNetwork::new(factors.clone(), data.clone())).transpose()?;
        let (critical, gradient) = match &exact {
            Some(exact) => (
                exact.is_critical(),
                if exact.is_critical() { 0.0 } else { network.relative_gradient(UNIT_ROUNDOFF, tolerances) },
            ),
            None => {
                (network.is_critical(UNIT_ROUNDOFF, tolerances), network.relative_gradient(UNIT_ROUNDOFF, tolerances))
            }
        };
        if !critical {
            return Ok(Self { gradient, critical, found: None, strings: None, holds: Truth::No });
        }
        let rho = stratum.width(0);
        let found = exact
            .as_ref()
            .and_then(ExactSquareNetwork::classify)
            .unwrap_or_else(|| classify(&network, whitening, UNIT_ROUNDOFF, tolerances));
        let ranks = match &exact {
            Some(exact) => Some(exact.string_ranks(rho)),
            None if rho == 0 => Some(stratum.ranks()),
            None => string_ranks(&network, whitening, UNIT_ROUNDOFF, tolerances).filter(StringRanks::is_clear),
        };
        let strings = ranks.as_ref().and_then(Stratum::from_ranks);
        let class = Some(found.class).filter(|class| *class != CriticalClass::Undecided);
        let parts = [
            class.map(|class| class == facts.class),
            found.inertia.map(|inertia| inertia == facts.inertia),
            strings.as_ref().map(|strings| strings == stratum),
        ];
        let holds = parts.into_iter().fold(Truth::Yes, |all, part| all.and(part.into()));
        Ok(Self { gradient, critical, found: Some(found), strings, holds })
    }
}
