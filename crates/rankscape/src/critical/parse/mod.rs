//! From a critical point back to what it is made of: the forms of `[@ZL]` Theorems 1 and 3, the deep form, the category.

mod deep;
mod level;
mod order;
mod pattern;

pub use deep::DeepForm;
pub use level::LevelForm;
pub use order::Order;

use super::analysis::Analysis;
use super::class::{CriticalClass, CriticalPoint};
use super::numerical::{sizes_and_noise, string_ranks};
use super::strata::Stratum;
use crate::error::{InputError, Result};
use crate::hessian::StringRanks;
use crate::problem::Problem;

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

/// Takes the point of a problem apart.
///
/// # Errors
/// If the network has biases.
pub fn parse(problem: &Problem) -> Result<Parsed> {
    if problem.has_biases() {
        return Err(InputError::new("the forms of critical points are those of networks without biases")
            .hint("centre X and Y and leave the biases out: at critical points that is the same problem"));
    }
    let analysis = Analysis::new(problem);
    let gradient = problem.network().measured_gradient();
    let Some(class) = analysis.point() else { return Ok(Parsed { gradient, critical: None }) };
    let gradient = if problem.exact().is_some() { 0.0 } else { gradient };
    Ok(Parsed { gradient, critical: Some(parts(class.clone(), problem)) })
}

fn parts(class: CriticalPoint, problem: &Problem) -> ParsedPoint {
    let (factors, whitening, network) = (problem.factors(), problem.whitening(), problem.network());
    let (unit_roundoff, tolerances) = (problem.unit_roundoff(), problem.tolerances());
    let (depth, rho) = (factors.depth(), whitening.rank.rank);
    let no_data = rho == 0;
    let ranks = match problem.exact() {
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
