//! Critical points of the square loss: what a point captures, its class, its inertia, and the critical point next to it.

mod blocks;
mod captured;
mod class;
mod construct;
mod exact;
mod near;
mod numerical;
mod parse;
mod strata;

pub use blocks::TargetBlocks;
pub use captured::{Captured, captured_directions, distinct_blocks};
pub use class::{CriticalClass, CriticalPoint, Origin};
pub use construct::{
    CapturedChoice, Check, Constructed, Gauge, Request, StratumChoice, construct, construct_with_surplus, family_of,
};
pub use exact::{ExactData, ExactSquareNetwork};
pub use near::{NearCriticalPoint, near_critical_point};
pub use numerical::classify;
pub use parse::{DeepForm, Level, Order, Parsed, ParsedPoint, parse};
pub use strata::{CapturedFamily, CyclicBar, Stratum, StratumFacts};
