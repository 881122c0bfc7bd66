//! What solving would cost, before it is done.

use super::kernel::Shape;
use super::start::{StartSet, expected_count};
use crate::error::Result;

/// Expected cost of one instance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Paths to follow: the generic ED degree.
    pub paths: usize,
    /// Real additions and multiplications of one step of one path, by count of the evaluator's loops.
    pub flops_per_step: f64,
    /// Seconds of one thread for an instance of a generic metric, certificates included.
    pub seconds: f64,
    /// Seconds of one thread for the start set; zero if it ships with the library.
    pub start_seconds: f64,
}

/// Steps of a path of a random instance: 22 at 3 x 3, 36 at 4 x 4 of rank two and at 5 x 5.
const STEPS: f64 = 35.0;
/// Rate at which an ordinary core of 2024 runs the loops, measured from 3 x 3 to 5 x 5.
const FLOPS_PER_SECOND: f64 = 1e10;
/// Loops of three legs with shorter steps that a start set takes, in units of one pass over the whole set.
const START_PASSES: f64 = 40.0;

/// Estimates the cost of instances of a shape; right to a factor of about three.
///
/// ```
/// use rankscape::quadratic::{Shape, cost};
/// assert_eq!(cost(Shape { m: 4, n: 4, r: 2 }).unwrap().paths, 1350);
/// ```
///
/// # Errors
/// If the shape is out of range or has too many critical points.
pub fn cost(shape: Shape) -> Result<Cost> {
    let paths = expected_count(shape)?;
    let (r, order) = (shape.r as f64, 4.0);
    let (form, size) = ((shape.entries() * shape.entries()) as f64, shape.dimension() as f64);
    // Two contractions for the Jacobian, two products with the form per order, two for the values, one factorization.
    let products = form * (2.0 * r + 2.0 * order + 2.0) + 2.0 * form * r / 3.0 + size.powi(3) / 3.0 + 6.0 * size * size;
    let flops_per_step = 8.0 * products;
    let seconds = paths as f64 * STEPS * flops_per_step / FLOPS_PER_SECOND;
    let start_seconds = if StartSet::ships(shape) { 0.0 } else { START_PASSES * seconds };
    Ok(Cost { paths, flops_per_step, seconds, start_seconds })
}
