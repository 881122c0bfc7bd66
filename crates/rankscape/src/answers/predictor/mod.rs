//! The rank of the Jacobian of predictions at weights on data, beside the generic rank.

mod chained;
mod formed;
mod request;

pub use request::{MapKind, PredictorAnswer, PredictorData, PredictorRequest, Regime};

use crate::error::Result;
use chained::Chained;
use formed::{Filtered, pyramidal};

/// The rank of the Jacobian of predictions here and at generic parameters, the regime, and the origin of a critical point of the square
/// loss.
///
/// # Errors
/// If the parameters do not have the shapes of the map, the data do not fit, or a Jacobian that must be formed is too large.
pub fn predictor(request: &PredictorRequest) -> Result<PredictorAnswer> {
    match &request.map {
        MapKind::Pyramidal(activations) => pyramidal(request, activations),
        MapKind::Filters(filters, size) => Filtered::new(request, filters, *size)?.answer(),
        _ => Chained::new(request)?.answer(),
    }
}
