//! All critical points of a quadratic loss on the matrices of rank `r`.
mod chart;
mod family;
mod generic;
mod instance;
mod kernel;
mod start;
mod target;
pub use kernel::Shape;
pub use family::ComplexLoss;
pub use instance::{Convention, Instance, Loss, Metric, MetricKind};
pub use start::{MOST_PATHS, StartSet, expected_count};
