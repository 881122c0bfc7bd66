//! Critical points of the square loss: what a point captures, its class, its inertia, the critical point next to it,
//! and the ladder of all critical values.

mod captured;
mod class;
mod exact;
mod ladder;
mod near;
mod numerical;

pub use captured::{Captured, captured_directions, distinct_blocks};
pub use class::{CriticalClass, CriticalPoint, Origin};
pub use exact::{ExactData, ExactSquareNetwork};
pub use ladder::{BadLocalMinima, Descent, DescentKind, GlobalMinima, Ladder, Level, Levels, Rung, RungClasses, Rungs};
pub use near::{NearCriticalPoint, near_critical_point};
pub use numerical::classify;
