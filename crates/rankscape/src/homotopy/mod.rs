//! Solutions of polynomial systems followed along paths: tracker, monodromy, certificates. Knows polynomial systems only.

mod batch;
mod certify;
mod monodromy;
mod system;
mod track;
mod workers;

pub use batch::MOST_TERMS;
pub use certify::{Enclosed, Enclosure, Krawczyk, enclose, enclose_in_double_double};
pub use monodromy::{Loops, Monodromy, MonodromyEnd, MonodromyOptions, monodromy};
pub use system::{Place, Point, System};
pub use track::{PathOutcome, PathResult, TrackOptions, TrackWork, track, track_in_double_double};
pub use workers::Workers;
