//! Documents as text a person reads: pure functions.

mod adapter;
mod barcode;
mod diagnose;
mod map;
mod quadratic;

pub use adapter::adapter_text;
pub use barcode::draw_barcode;
pub use diagnose::diagnose_text;
pub use map::map_text;
pub use quadratic::{cost_text, ed_text, solve_text, sweep_text};
