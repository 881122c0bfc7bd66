//! Critical points of the square loss: what a point captures, its class, its inertia, the critical point next to it,
//! and the ladder of all critical values.

mod blocks;
mod captured;
mod class;
mod construct;
mod exact;
mod ladder;
mod near;
mod numerical;
mod parse;
mod strata;

pub use blocks::{TargetBlocks, distinct_blocks};
pub use captured::{Captured, captured_directions};
pub use class::{CriticalClass, CriticalPoint, Origin};
pub use construct::{
    CapturedChoice, Check, Constructed, Gauge, Request, StratumChoice, construct, construct_with_surplus, family_of,
};
pub use exact::{ExactData, ExactSquareNetwork};
pub use ladder::{BadLocalMinima, Descent, DescentKind, GlobalMinima, Ladder, Level, Levels, Rung, RungClasses, Rungs};
pub use near::{NearCriticalPoint, near_critical_point};
pub use numerical::classify;
pub use parse::{DeepForm, LevelForm, Order, Parsed, ParsedPoint, parse};
pub use strata::{CapturedFamily, CyclicBar, Stratum, StratumFacts};
