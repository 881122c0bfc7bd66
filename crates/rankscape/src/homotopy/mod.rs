//! Solutions of polynomial systems followed along paths: tracker, monodromy, certificates. Knows polynomial systems only.
//!
//! A system is stated once, as a [`Program`], and then followed, solved by loops and certified. [`System`] is what all of
//! these ask of it.

mod batch;
mod certify;
mod monodromy;
mod path;
mod program;
mod symbol;
mod system;
mod track;
mod workers;

pub use certify::{Enclosure, Krawczyk, enclose, enclose_in_double_double};
pub use monodromy::{Loops, Monodromy, MonodromyEnd, MonodromyOptions, monodromy};
pub use path::{PathOutcome, PathResult, TrackOptions, TrackWork};
pub use program::{ParameterHomotopy, Program, Registers};
pub use symbol::Symbol;
pub(crate) use system::between;
pub use system::{Point, System};
pub use track::{track, track_in_double_double};
pub use workers::Workers;
