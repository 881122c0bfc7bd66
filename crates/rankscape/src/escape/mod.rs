//! Paths that leave a point: `theta(t) = theta + sum_k t^k A_k`, with the exact polynomial of the loss along them.
//!
//! The order of a path is the lowest power of `t` at which the loss changes: 1 off critical points, 2 at strict saddles,
//! higher at non-strict saddles, which are left through the kernels of the layers.
//!
//! `path` has paths and the loss along them, `descent` those along which it falls, `change` the polynomial for steps in either
//! arithmetic. `directions` chooses
//! among straight paths; `least_order` is the path of the lowest order, written once for `numerical` and `exact`; `kernels` goes
//! through the kernels of all layers. `constructions`
//! and `ascent` are the paths of the literature, `criticality` asks which derivatives vanish, `general` leaves points of any loss. `docs/escape.md` has proofs.

mod ascent;
mod change;
mod construction;
mod constructions;
mod criticality;
mod departure;
mod descent;
mod directions;
mod exact;
mod general;
mod judgement;
mod kernels;
mod least_order;
mod leave;
mod numerical;
mod path;
mod polynomial;
mod spaces;
mod straight;
mod way_out;

pub use construction::{Construction, Prediction};
pub use constructions::{ConstructedPath, construct, same_function};
pub use criticality::{CriticalityOrder, WitnessCurve, criticality_order};
pub use departure::{Departure, Destination, Outlook, SingularDirections};
pub use descent::{Escape, EscapeKind, ExactEscape};
pub use directions::{leave, leave_non_strict_saddle, leave_through_kernels};
pub use exact::ExactPoint;
pub use general::LossEscape;
pub use judgement::Judgement;
pub use leave::{Leave, leave_to, outlook};
pub use path::{EscapePath, LossOnPath};
pub use straight::StraightEscape;
pub use way_out::{bias_decrease, way_out};
