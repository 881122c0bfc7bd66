//! Documents as text a person reads: pure functions.

mod adapter;
mod barcode;
mod construct;
mod critical;
mod diagnose;
mod escape;
mod hessian;
mod map;
mod quadratic;
mod verify;

pub use adapter::adapter_text;
pub use barcode::draw_barcode;
pub use construct::{construct_text, parse_text, strata_text};
pub use critical::critical_text;
pub use diagnose::diagnose_text;
pub use escape::escape_text;
pub use hessian::hessian_text;
pub use map::map_text;
pub use quadratic::{cost_text, ed_text, solve_text, sweep_text};
pub use verify::verify_text;

/// A class as in sentences: `non-strict saddle` for `non_strict_saddle`.
fn in_words(class: &str) -> String {
    class.replace("non_strict", "non-strict").replace('_', " ")
}
