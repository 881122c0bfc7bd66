//! Matrices to about 30 digits, with a bound of the error: what is decided from them is decided for the numbers in the file.

use crate::linalg::interval::Interval;
use crate::linalg::scalar::{two_product, two_sum};
use crate::linalg::{Linear, Matrix, power_of_two_near};

/// More than what underflow can add to one product of numbers of moderate size, and less than anything decided.
const UNDERFLOW: f64 = 1e-290;

/// All matrices whose distance from `high + low` is at most `radius` in the Frobenius norm.
#[derive(Debug, Clone)]
pub(super) struct Precise {
    high: Matrix,
    low: Matrix,
    radius: f64,
}

impl Precise {
    /// The matrix itself.
    pub(super) fn new(m: &Matrix) -> Self {
        Self { high: m.clone(), low: Matrix::zeros(m.nrows(), m.ncols()), radius: 0.0 }
    }

    /// `m` divided by a power of two near its largest entry, and the exponent of that.
    pub(super) fn power_scaled(m: &Matrix) -> (Self, i32) {
        let scale = power_of_two_near(m.max_abs());
        let high = m.map(|x| x / scale);
        let exact = m.entries().zip(high.entries()).all(|(x, y)| y * scale == x);
        let radius = if exact { 0.0 } else { UNDERFLOW };
        (Self { radius, ..Self::new(&high) }, scale.log2() as i32)
    }

    /// Times a power of two that is at most 1.
    pub(super) fn shrunk(&self, exponent: i32) -> Self {
        let (factor, lost) = if exponent < -900 { (0.0, 1.0) } else { (2.0_f64.powi(exponent), 0.0) };
        let lost =
            if self.high.max_abs() > 0.0 { lost * UNDERFLOW + f64::from(exponent < -40) * UNDERFLOW } else { 0.0 };
        let part = |m: &Matrix| m.map(|x| x * factor);
        Self { high: part(&self.high), low: part(&self.low), radius: self.radius * factor + lost }
    }

    /// A matrix inside.
    pub(super) fn middle(&self) -> &Matrix {
        &self.high
    }

    /// `U diag(s)`, exactly.
    pub(super) fn scaled_columns(u: &Matrix, s: &[f64]) -> Self {
        let (mut high, mut low) = (u.clone(), u.clone());
        for (j, factor) in s.iter().enumerate() {
            for i in 0..u.nrows() {
                let (product, error) = two_product(u[(i, j)], *factor);
                high[(i, j)] = product;
                low[(i, j)] = error;
            }
        }
        Self { high, low, radius: UNDERFLOW }
    }

    /// The Frobenius norm.
    pub(super) fn norm(&self) -> Interval {
        if self.high.max_abs() == 0.0 {
            return Interval { low: 0.0, high: self.radius };
        }
        let (mut sum, mut rest) = (0.0, 0.0);
        for (h, l) in self.high.entries().zip(self.low.entries()) {
            let (square, error) = two_product(h, h);
            let (next, lost) = two_sum(sum, square);
            sum = next;
            rest += lost + error + 2.0 * h * l;
        }
        let root = (sum + rest).sqrt();
        // Sum and root to within a few units in the last place.
        let slack = 8.0 * f64::EPSILON * root + UNDERFLOW.sqrt() + self.radius;
        let low = (root - slack).next_down();
        Interval { low: if low > 0.0 { low } else { 0.0 }, high: (root + slack).next_up() }
    }

    /// Bounds the distance of `D^-1 (m' m) D^-1` from the identity in the Frobenius norm, with `D` the lengths of the columns.
    pub(super) fn defect_of_columns(&self) -> Option<(Vec<f64>, f64)> {
        let gram = self.transposed().times(self);
        let lengths: Vec<f64> = (0..gram.high.ncols()).map(|j| gram.high[(j, j)].sqrt()).collect();
        let shortest = lengths.iter().copied().fold(f64::INFINITY, f64::min);
        let defect = |i: usize, j: usize| gram.high[(i, j)] / lengths[i] / lengths[j] - f64::from(u8::from(i == j));
        let square: f64 = (0..lengths.len()).flat_map(|j| (0..lengths.len()).map(move |i| defect(i, j).powi(2))).sum();
        let size = lengths.len() as f64;
        let off = square.sqrt() * (1.0 + 1e-6) + 8.0 * f64::EPSILON * size + gram.radius / shortest / shortest * 2.0;
        (off < 1e-3).then_some((lengths, off.next_up()))
    }

    /// The difference of two.
    pub(super) fn minus(&self, other: &Self) -> Self {
        let (mut high, mut low) = (self.high.clone(), self.low.clone());
        for j in 0..high.ncols() {
            for i in 0..high.nrows() {
                let (sum, error) = two_sum(self.high[(i, j)], -other.high[(i, j)]);
                (high[(i, j)], low[(i, j)]) = two_sum(sum, error + (self.low[(i, j)] - other.low[(i, j)]));
            }
        }
        let rounding = 4.0 * f64::EPSILON * f64::EPSILON * (self.bound() + other.bound());
        Self { high, low, radius: (self.radius + other.radius + rounding) * (1.0 + 1e-6) }
    }

    fn bound(&self) -> f64 {
        // Exactly zero only for a matrix of zeros, whose products are zero.
        (self.high.frobenius_norm() + self.low.max_abs()) * (1.0 + 1e-6) + self.radius
    }
}

impl Linear for Precise {
    fn shape(&self) -> (usize, usize) {
        self.high.shape()
    }

    fn transposed(&self) -> Self {
        Self { high: self.high.transpose(), low: self.low.transpose(), radius: self.radius }
    }

    /// Every entry is a sum of `n` products with the error of each kept: off by at most `8 (n + 4)^2 2^-106` times the sum of
    /// the absolute values, and so the matrix by that times the product of the norms.
    fn times(&self, other: &Self) -> Self {
        let (rows, inner, cols) = (self.high.nrows(), self.high.ncols(), other.high.ncols());
        let (mut high, mut low) = (Matrix::zeros(rows, cols), Matrix::zeros(rows, cols));
        for j in 0..cols {
            let (sum, rest) = (high.column_mut(j), low.column_mut(j));
            for k in 0..inner {
                let (b, b_low) = (other.high[(k, j)], other.low[(k, j)]);
                if b == 0.0 && b_low == 0.0 {
                    continue;
                }
                let (a, a_low) = (self.high.column(k), self.low.column(k));
                for i in 0..rows {
                    let (product, error) = two_product(a[i], b);
                    let (next, lost) = two_sum(sum[i], product);
                    sum[i] = next;
                    rest[i] += (error + lost) + (a[i] * b_low + a_low[i] * b);
                }
            }
            for (sum, rest) in sum.iter_mut().zip(rest) {
                (*sum, *rest) = two_sum(*sum, *rest);
            }
        }
        let (a, b) = (self.bound(), other.bound());
        let terms = (inner + 4) as f64;
        let rounding = 8.0 * terms * terms * (f64::EPSILON * f64::EPSILON / 4.0) * a * b;
        let underflow = if a > 0.0 && b > 0.0 { UNDERFLOW } else { 0.0 };
        let radius = (self.radius * b + other.radius * a + rounding) * (1.0 + 1e-6) + underflow;
        Self { high, low, radius }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::exact::{Rational, RationalMatrix, rational_from_f64};
    use crate::random::Stream;

    fn rational(m: &Matrix) -> RationalMatrix {
        RationalMatrix::from_matrix(m).unwrap()
    }

    #[test]
    fn products_and_differences_are_within_the_radius() {
        for trial in 0..60 {
            let mut stream = Stream::new(141, trial);
            let size = 10f64.powf(6.0 * stream.normal());
            let (a, b) = (stream.normal_matrix(3, 5).scaled(size), stream.normal_matrix(5, 4));
            let (c, d) = (stream.normal_matrix(4, 2), stream.normal_matrix(3, 2).scaled(size));
            let found = Precise::new(&a).times(&Precise::new(&b)).times(&Precise::new(&c)).minus(&Precise::new(&d));
            let exact = &(&(&rational(&a) * &rational(&b)) * &rational(&c)) - &rational(&d);
            let inside = &rational(&found.high) + &rational(&found.low);
            let radius = rational_from_f64(found.radius).unwrap();
            assert!((&exact - &inside).squared_norm() <= &radius * &radius, "{trial}");
            assert!(found.radius <= 1e-27 * a.frobenius_norm() * b.frobenius_norm() * c.frobenius_norm());
            let norm = found.norm();
            let square = |x: f64| rational_from_f64(x).unwrap() * rational_from_f64(x).unwrap();
            let exact: Rational = exact.squared_norm();
            assert!(square(norm.low) <= exact && exact <= square(norm.high), "{trial}");
        }
    }

    #[test]
    fn a_cancelled_product_is_known_to_its_last_digit() {
        let a = Matrix::from_rows(&[vec![1.0, 1.0, -1.0]]);
        let b = Matrix::from_rows(&[vec![1.0], vec![1e-25], vec![1.0]]);
        let norm = Precise::new(&a).times(&Precise::new(&b)).norm();
        assert!(norm.low > 0.99e-25 && norm.high < 1.01e-25, "{norm:?}");
    }

    #[test]
    fn zeros_stay_zero_and_powers_of_two_lose_nothing() {
        let zero = Precise::new(&Matrix::zeros(3, 3));
        let m = Precise::new(&Matrix::identity(3).scaled(1e150));
        assert_eq!(m.times(&zero).norm().high, 0.0);
        let (half, exponent) = Precise::power_scaled(&Matrix::identity(2).scaled(2.0_f64.powi(-1000)));
        assert_eq!((half.middle()[(0, 0)], exponent, half.radius), (1.0, -1000, 0.0));
    }
}
