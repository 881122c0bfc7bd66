//! Gradient flow `dtheta/dt = -grad L(theta) - l theta` and gradient descent, of any loss, with what flow conserves.
//!
//! `dormand_prince` is one step of order 8, `run` follows the flow and finds when it passes a level, `discrete` is gradient descent with
//! and without momentum, on all samples or on batches, `conserved` what the layers keep, `start` small and balanced starts. `docs/flow.md` has definitions and limits.

mod conserved;
mod discrete;
mod dormand_prince;
mod run;
mod start;

pub use conserved::{Imbalance, max_drift};
pub use discrete::{Batches, DescentOptions, descend, descend_on_batches};
pub use run::{Crossing, FlowOptions, Passed, Sample, Stop, Trajectory, flow};
pub use start::{StartKind, sign_obstruction, start};
