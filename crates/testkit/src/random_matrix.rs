//! Random matrices with a prescribed property over the two kinds of numbers.

use crate::grid::Grid;
use crate::random::Draw;
use crate::scalar::{Rational, Scalar};

/// A number with random matrices over it.
pub trait RandomMatrix: Scalar {
    /// A random invertible matrix whose condition number is small (`f64`: below 5) or whose entries are small integers.
    fn invertible(draw: &mut Draw, n: usize) -> Grid<Self>;

    /// A random orthogonal matrix: Cayley transform of a random skew matrix, with random signs.
    fn orthogonal(draw: &mut Draw, n: usize) -> Grid<Self> {
        let mut skew = Grid::<Self>::zeros(n, n);
        for i in 0..n {
            for j in 0..i {
                let entry = Self::draw(draw);
                skew[(j, i)] = -entry.clone();
                skew[(i, j)] = entry;
            }
        }
        let one = Grid::<Self>::identity(n);
        let cayley = one.sub(&skew).matmul(&one.add(&skew).inverse().expect("I + skew is invertible"));
        let signs: Vec<Self> = (0..n).map(|_| Self::integer(if draw.chance(0.5) { 1 } else { -1 })).collect();
        cayley.matmul(&Grid::diagonal(n, n, &signs))
    }
}

impl RandomMatrix for f64 {
    fn invertible(draw: &mut Draw, n: usize) -> Grid<Self> {
        let stretch: Vec<f64> = (0..n).map(|_| 0.5 + 1.5 * draw.uniform()).collect();
        let left = Self::orthogonal(draw, n);
        left.matmul(&Grid::diagonal(n, n, &stretch)).matmul(&Self::orthogonal(draw, n))
    }
}

impl RandomMatrix for Rational {
    /// Product of a unit lower and a unit upper triangular matrix with entries -1, 0, 1: its inverse is an integer
    /// matrix too.
    fn invertible(draw: &mut Draw, n: usize) -> Grid<Self> {
        let mut lower = Grid::<Self>::identity(n);
        let mut upper = Grid::<Self>::identity(n);
        for i in 0..n {
            for j in 0..i {
                lower[(i, j)] = Self::integer(draw.integer(-1, 1));
                upper[(j, i)] = Self::integer(draw.integer(-1, 1));
            }
        }
        lower.matmul(&upper)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orthogonal_matrices_are_orthogonal() {
        let exact = Rational::orthogonal(&mut Draw::new(2, 0), 4);
        assert_eq!(exact.matmul(&exact.transpose()), Grid::identity(4));
    }
}
