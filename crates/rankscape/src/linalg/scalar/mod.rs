//! Numbers that generic code runs over: rationals, lanes of doubles, double-doubles, complex numbers over either, and
//! complex balls.
//!
//! One evaluator of a polynomial system, written over [`Ring`], serves three purposes: eight paths at a time in double
//! precision, one path in double-double, and rigorous enclosures for a certificate.

mod ball;
mod complex;
mod double_double;
mod evaluation;
mod lanes;
mod ring;

pub use ball::Ball;
pub use complex::{C64, Complex};
pub use double_double::DoubleDouble;
pub(crate) use double_double::{two_product, two_sum};
pub use evaluation::Scalar;
pub use lanes::{Lanes, Vectorized, WIDTH, vectorized};
pub use ring::{Field, Real, Ring};
