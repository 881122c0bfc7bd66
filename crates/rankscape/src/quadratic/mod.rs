//! All critical points of a quadratic loss on the matrices of rank `r`.
mod certified;
mod chart;
mod family;
mod generic;
mod instance;
mod kernel;
mod outcome;
mod solve;
mod special;
mod start;
mod target;
pub use family::ComplexLoss;
pub use instance::{Convention, Instance, Loss, Metric, MetricKind};
pub use kernel::Shape;
pub use outcome::{Completeness, ComplexPoint, PathCounts, RealPoint, Solution, TraceTest};
pub use solve::Solver;
pub use start::{MOST_PATHS, StartSet, expected_count};
