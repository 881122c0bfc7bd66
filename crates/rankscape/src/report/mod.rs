//! Documents as text a person reads: pure functions.

mod barcode;
mod diagnose;

pub use barcode::draw_barcode;
pub use diagnose::diagnose_text;
