//! Documents as text a person reads: pure functions.

mod about;
mod adapter;
mod barcode;
mod construct;
mod critical;
mod decay;
mod diagnose;
mod escape;
mod flow;
mod hessian;
mod itinerary;
mod losses;
mod map;
mod minima;
mod moves;
mod normalized;
mod numbers;
mod predictor;
mod pyramid;
mod quadratic;
mod solve;
mod table;
mod verify;

pub use about::{doctor_text, tolerances_text};
pub use adapter::adapter_text;
pub use barcode::draw_barcode;
pub use construct::{construct_text, parse_text, strata_text};
pub use critical::critical_text;
pub use decay::{decay_diagnosis_text, decay_text};
pub use diagnose::{DiagnoseText, diagnose_text};
pub use escape::escape_text;
pub use flow::flow_text;
pub use hessian::hessian_text;
pub use itinerary::itinerary_text;
pub use losses::{loss_landscape_text, loss_point_text};
pub use map::map_text;
pub use minima::{minima_cost_text, minima_text};
pub use moves::{balance_text, connect_text, reach_text};
pub use normalized::normalized_text;
pub use predictor::predictor_text;
pub use pyramid::pyramid_text;
pub use quadratic::{cost_text, ed_text, sweep_text};
pub use solve::solve_text;
pub use verify::verify_text;

use crate::words::Word;
use rankscape::critical::CriticalClass;

/// A number with what it counts: `1 sample`, `2 samples`. The plural of `noun` ends in s.
///
/// ```
/// use rankscape_io::report::counted;
/// assert_eq!(counted(1, "sample"), "1 sample");
/// assert_eq!(counted(0, "critical point"), "0 critical points");
/// ```
pub fn counted(count: impl std::fmt::Display, noun: &str) -> String {
    let count = count.to_string();
    let ending = if count == "1" { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

/// A class as in sentences: `non-strict saddle` for `non_strict_saddle`.
fn in_words(class: Word<CriticalClass>) -> String {
    class.to_string().replace("non_strict", "non-strict").replace('_', " ")
}
