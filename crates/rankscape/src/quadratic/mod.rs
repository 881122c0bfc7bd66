//! All critical points of a quadratic loss on the matrices of rank `r`, with the proof that none is missing.
//!
//! For `h(P) = ||phi vec(P - Q)||^2` with `phi` and `Q` generic, the number of complex critical points at rank exactly `r`
//! is the generic ED degree of the variety of matrices of rank at most `r` `[@TKB, section 3.3 and appendix A.2]`. What
//! is proved about an instance, and how:
//!
//! 1. Every critical point reported is enclosed in a polydisc on which Krawczyk's operator contracts
//!    ([`crate::homotopy::Enclosure`]). So there is exactly one there, nondegenerate; rank `r` is proved by an interval
//!    elimination. Coefficients are enclosed too: what is solved is the problem with the numbers given.
//! 2. Any two enclosures are disjoint as sets of matrices, so the points are distinct.
//! 3. A nondegenerate critical point persists for nearby losses, so no metric has more of them than the generic ED degree, or than a
//!    sum of polar degrees if its rank is low. When that many are certified the list is complete: [`Completeness::Proved`].
//! 4. A point whose polydisc has a real centre is real, since the polydisc is its own conjugate; every other one is proved
//!    to be off the real axis. So the number of real critical points is exact.
//! 5. The index of a real point is the inertia of an interval Hessian in a chart, which does not depend on the chart.
//!
//! 6. The lowest certified value is the minimum over all matrices of rank at most `r` where the list is complete and the metric
//!    definite; elsewhere descents from spread starts stand beside the list ([`Minimum`]).
//!
//! Where the count is not reached (masked entries), the answer says `Unknown` with the reason and the evidence of a trace
//! test; what is certified stays certified.
//!
//! Method: one generic complex loss solved once by monodromy ([`StartSet`]; small ones ship with the library), then a
//! straight path of losses to the instance. `W = X Y` with `X` in an orthonormal frame that moves with the path; the loss is
//! quadratic in `Y`, and all second derivatives come from two contractions of the form. Eight paths share every instruction.
//!
//! ```
//! use rankscape::Tolerances;
//! use rankscape::homotopy::Workers;
//! use rankscape::quadratic::{TargetSpace, Instance, Metric, Shape, Solver, StartSet};
//!
//! let start = StartSet::shipped(Shape { m: 2, n: 2, r: 1 }).unwrap();
//! let solver = Solver::new(start, Tolerances::default(), 1)?;
//! let instance = Instance {
//!     id: "weighted".into(),
//!     rows: 2,
//!     cols: 2,
//!     rank: 1,
//!     metric: Metric::Weights(vec![1.0, 2.0, 3.0, 5.0]),
//!     target: vec![2.0, 1.0, 0.0, 1.0],
//!     convention: TargetSpace::Metric,
//! };
//! let found = solver.solve(&instance, &Workers::none())?;
//! assert!(found.certified && found.complete.is_proved());
//! assert_eq!(found.n_complex, 6);
//! assert_eq!(found.real[0].index, Some(0));
//! # Ok::<(), rankscape::InputError>(())
//! ```

mod certified;
mod chart;
mod cost;
mod descent;
mod family;
mod full_rank;
mod generic;
mod instance;
mod kernel;
mod loss;
mod minimum;
mod normal_equations;
mod outcome;
mod segment;
mod solve;
mod special;
mod start;
mod start_file;
mod weighted;
mod whitened;

pub use cost::{Cost, cost};
pub use family::ComplexLoss;
pub use instance::{Instance, Metric, TargetSpace};
pub use kernel::Shape;
pub use loss::{MetricKind, QuadraticLoss};
pub use outcome::{Completeness, ComplexPoint, Minimum, PathCounts, RealPoint, Solution, TraceTest};
pub use segment::{Crossing, Segment, SegmentOptions};
pub use solve::Solver;
pub use start::{MOST_PATHS, StartSet, expected_count};
pub use weighted::{WeightedDegree, weighted_degree};
pub use whitened::WhitenedTarget;
