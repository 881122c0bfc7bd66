//! Start sets: all critical points of one generic complex loss, found once.

use super::family::ComplexLoss;
use super::generic::{RandomLoops, Varies, critical_by_construction, random_form};
use super::kernel::Shape;
use crate::determinantal::generic_degree;
use crate::error::{InputError, Result};
use crate::homotopy::{Monodromy, MonodromyEnd, MonodromyOptions, Point, TrackOptions, Workers, monodromy};
use crate::random::Stream;
use num_traits::ToPrimitive;

/// Most paths that a start set may have.
pub const MOST_PATHS: usize = 200_000;

/// All critical points of one generic complex loss.
#[derive(Debug, Clone, PartialEq)]
pub struct StartSet {
    /// The loss.
    pub loss: ComplexLoss,
    /// Its critical points.
    pub points: Vec<Point>,
    /// Seed it was made from.
    pub seed: u64,
}

/// Number of critical points of a generic loss of this shape, if it is affordable.
///
/// # Errors
/// If the shape is out of range or the count above [`MOST_PATHS`].
pub fn expected_count(shape: Shape) -> Result<usize> {
    let generic = generic_degree(shape.m, shape.n, shape.r)?;
    generic.to_usize().filter(|&count| count <= MOST_PATHS).ok_or_else(|| {
        InputError::new(format!("a generic loss has {generic} critical points, more than {MOST_PATHS} can be followed"))
            .value(format!("{} x {} of rank {}", shape.m, shape.n, shape.r))
            .hint("choose a smaller size; `ed` gives the degree")
    })
}

impl StartSet {
    /// Finds a start set by monodromy, until the generic ED degree is reached. Made once and used often, so its paths are
    /// followed with care.
    ///
    /// # Errors
    /// If the shape is out of range or has too many critical points.
    pub fn generate(shape: Shape, seed: u64, tracking: &TrackOptions, workers: &Workers) -> Result<(Self, Monodromy)> {
        let expected = expected_count(shape)?;
        let mut stream = Stream::new(seed, 0);
        let form = random_form(shape, &mut stream);
        let (loss, start) = critical_by_construction(shape, form, &mut stream);
        let loops = RandomLoops { base: loss.clone(), varies: Varies::All, seed };
        let options = MonodromyOptions {
            expected: Some(expected),
            quiet_loops: 40,
            most_solutions: expected,
            same: tracking.same,
        };
        let found = monodromy(&loops, vec![start], options, &tracking.careful(), workers);
        Ok((Self { loss, points: found.points.clone(), seed }, found))
    }

    /// The set has as many points as the generic ED degree.
    pub fn is_complete(found: &Monodromy) -> bool {
        found.end == MonodromyEnd::Reached
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tolerances;

    #[test]
    fn monodromy_reaches_the_generic_ed_degree() {
        let tracking = TrackOptions::new(&Tolerances::default());
        for (m, n, r, count) in [(2, 2, 1, 6), (2, 3, 1, 10), (3, 3, 1, 39), (3, 3, 2, 39), (3, 4, 1, 83)] {
            let (set, found) = StartSet::generate(Shape { m, n, r }, 1, &tracking, &Workers::none()).unwrap();
            assert_eq!((set.points.len(), found.lost), (count, 0));
        }
    }
}
