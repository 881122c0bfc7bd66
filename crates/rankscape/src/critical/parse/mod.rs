//! From a critical point back to what it is made of: the forms of `[@ZL]` Theorems 1 and 3, the deep form, the category.

mod deep;
mod level;
mod order;
mod pattern;

pub use deep::DeepForm;
pub use level::LevelForm;
pub use order::Order;

use super::class::{CriticalClass, CriticalPoint};
use super::exact::ExactSquareNetwork;
use super::numerical::{classify, sizes_and_noise, string_ranks};
use super::strata::Stratum;
use crate::data::Whitening;
use crate::hessian::{NormalizedNetwork, StringRanks};
use crate::multiplication::Factors;
use crate::tolerance::Tolerances;

/// What a point is made of.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The relative gradient; 0 when it is exactly zero.
    pub gradient: f64,
    /// The parts of a critical point; `None` where the gradient is not zero.
    pub critical: Option<ParsedPoint>,
}

/// The parts of a critical point. What a decision leaves open is `None`.
#[derive(Debug, Clone)]
pub struct ParsedPoint {
    /// Class and inertia.
    pub class: CriticalPoint,
    /// Its strings.
    pub stratum: Option<Stratum>,
    /// The form of `[@ZL]` at `k = 0, ..., h - 2`; empty for one layer.
    pub levels: Option<Vec<LevelForm>>,
    /// The deep form; for `h >= 2` and data that are not zero.
    pub deep: Option<DeepForm>,
    /// The category; `None` also at global minima, which have none.
    pub order: Option<Order>,
    /// `X = 0`: there is nothing to capture, and no form.
    pub no_data: bool,
    /// Something that exists was not settled.
    pub undecided: bool,
}

/// Parses a point of the square loss; `exact` is the same point over the rationals, where known.
pub fn parse(
    factors: &Factors,
    whitening: &Whitening,
    exact: Option<&ExactSquareNetwork<'_>>,
    unit_roundoff: f64,
    tolerances: &Tolerances,
) -> Parsed {
    let network = NormalizedNetwork::new(factors, whitening);
    // Where rounding errors leave it open, the class is undecided.
    let not_critical = exact
        .map_or_else(|| network.criticality(unit_roundoff, tolerances) == Some(false), |exact| !exact.is_critical());
    if not_critical {
        return Parsed { gradient: network.measured_gradient(), critical: None };
    }
    let class = exact
        .and_then(ExactSquareNetwork::classify)
        .unwrap_or_else(|| classify(&network, whitening, unit_roundoff, tolerances));
    let gradient = if exact.is_some() { 0.0 } else { network.measured_gradient() };
    Parsed { gradient, critical: Some(parts(class, factors, (&network, whitening), exact, unit_roundoff, tolerances)) }
}

fn parts(
    class: CriticalPoint,
    factors: &Factors,
    (network, whitening): (&NormalizedNetwork, &Whitening),
    exact: Option<&ExactSquareNetwork<'_>>,
    unit_roundoff: f64,
    tolerances: &Tolerances,
) -> ParsedPoint {
    let (depth, rho) = (factors.depth(), whitening.rank.rank);
    let no_data = rho == 0;
    let ranks = match exact {
        _ if no_data => None,
        Some(exact) => Some(exact.string_ranks(rho)),
        None => string_ranks(network, whitening, unit_roundoff, tolerances).filter(StringRanks::is_clear),
    };
    let noise = sizes_and_noise(network, unit_roundoff, tolerances).1;
    let levels = ranks.as_ref().and_then(|ranks| {
        (0..depth - 1).map(|k| LevelForm::new(k, network, ranks, noise, tolerances)).collect::<Option<Vec<_>>>()
    });
    let stratum = ranks.as_ref().and_then(Stratum::from_ranks);
    let deep =
        ranks.as_ref().and_then(|ranks| DeepForm::new(network, whitening, ranks.profile().product_rank(), tolerances));
    let is_minimum = class.class == CriticalClass::GlobalMinimum;
    let order = levels
        .as_ref()
        .filter(|_| !is_minimum && class.class != CriticalClass::Undecided)
        .and_then(|levels| Order::new(levels, factors.architecture().widths()));
    let missing = stratum.is_none() || levels.is_none() || (depth > 1 && deep.is_none());
    let undecided = class.class == CriticalClass::Undecided || (!no_data && missing);
    ParsedPoint { class, stratum, levels, deep, order, no_data, undecided }
}
