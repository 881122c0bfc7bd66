//! Documents as text a person reads: pure functions.

mod barcode;
mod diagnose;
mod map;

pub use barcode::draw_barcode;
pub use diagnose::diagnose_text;
pub use map::map_text;
