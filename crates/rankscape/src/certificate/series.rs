//! Polynomials in the step along a path.

use std::ops::{Add, Mul, Neg, Sub};

use num_traits::Zero;

use crate::linalg::scalar::Ring;

/// A polynomial in `t`, constant first; `None` stands for a coefficient that is zero.
#[derive(Debug, Clone)]
pub(super) struct Series<T>(pub(super) Vec<Option<T>>);

impl<T: Ring> Series<T> {
    fn merged(self, other: Self, one: impl Fn(T) -> T, both: impl Fn(T, T) -> T) -> Self {
        let size = self.0.len().max(other.0.len());
        let (mut mine, mut theirs) = (self.0.into_iter(), other.0.into_iter());
        let term = |_| match (mine.next().flatten(), theirs.next().flatten()) {
            (Some(a), Some(b)) => Some(both(a, b)),
            (a, None) => a,
            (None, Some(b)) => Some(one(b)),
        };
        Self((0..size).map(term).collect())
    }
}

impl<T: Ring> Zero for Series<T> {
    fn zero() -> Self {
        Self(Vec::new())
    }

    fn is_zero(&self) -> bool {
        self.0.iter().flatten().all(Zero::is_zero)
    }
}

impl<T: Ring> Add for Series<T> {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.merged(other, |b| b, |a, b| a + b)
    }
}

impl<T: Ring> Sub for Series<T> {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self.merged(other, |b| -b, |a, b| a - b)
    }
}

impl<T: Ring> Mul for Series<T> {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let mut out: Vec<Option<T>> = vec![None; (self.0.len() + other.0.len()).saturating_sub(1)];
        for (i, a) in self.0.iter().enumerate() {
            for (j, b) in other.0.iter().enumerate() {
                if let (Some(a), Some(b)) = (a, b) {
                    let term = a.clone() * b.clone();
                    out[i + j] = Some(match out[i + j].take() {
                        Some(sum) => sum + term,
                        None => term,
                    });
                }
            }
        }
        Self(out)
    }
}

impl<T: Ring> Neg for Series<T> {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.into_iter().map(|term| term.map(|x| -x)).collect())
    }
}

impl<T: Ring> Ring for Series<T> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::exact::Rational;

    #[test]
    fn series_multiply_as_polynomials() {
        let number = |x: i64| Some(Rational::from_integer(x.into()));
        let (a, b) = (Series(vec![number(1), None, number(2)]), Series(vec![None, number(3)]));
        assert_eq!((a.clone() * b.clone()).0, [None, number(3), None, number(6)]);
        assert_eq!((b - a).0, [number(-1), number(3), number(-2)]);
    }
}
