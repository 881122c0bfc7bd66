//! Critical points of the square loss.
//!
//! What is known of a target: `blocks`, its singular values in blocks of equal ones; `ladder`, all critical values over
//! them; `strata`, the kinds of critical points over one captured set.
//!
//! What is known of a point: `analysis`, all of it at the point of a problem; `captured`, the directions that its product
//! captures; `class`, with `numerical` and `exact`
//! for class and inertia in the two arithmetics; `near`, the critical point next to a point that is not critical; `parse`,
//! the forms that a critical point is made of. `decay` has all critical points with weight decay. `construct` is the way back: a point of a given stratum.

mod analysis;
mod blocks;
mod captured;
mod class;
mod construct;
mod decay;
mod exact;
mod ladder;
mod near;
mod numerical;
mod parse;
mod strata;

pub use analysis::{Analysis, global_minimum, minimum_of, minimum_of_wider};
pub use blocks::{TargetBlocks, distinct_blocks};
pub use captured::{Captured, captured_directions};
pub use class::{CriticalClass, CriticalPoint, Origin};
pub use construct::{
    CapturedChoice, Constructed, Gauge, PointCheck, Request, StratumChoice, construct, construct_with_surplus,
    family_of,
};
pub use decay::{
    BadDecayedMinima, BadMinimum, DecayLadder, DecayLevel, DecayRung, DecayedMinima, RootKind, Taken, Task,
    Unrecognized,
};
pub use ladder::{
    BadLocalMinima, Descent, DescentKind, Descents, GlobalMinima, Ladder, Level, Levels, Rung, RungClasses, Rungs,
};
pub use near::{Near, NearCriticalPoint, NearPoint, NearWork, Stall, near, stall};
pub use numerical::classify;
pub(crate) use numerical::string_ranks;
pub use parse::{DeepForm, LevelForm, Order, Parsed, ParsedPoint, parse};
pub use strata::{CapturedFamily, CyclicBar, Stratum, StratumFacts};
