//! Matrices with rational entries.

use std::ops::{Add, Mul, Sub};

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{FromPrimitive, One, ToPrimitive, Zero};

use crate::linalg::matrix::Matrix;
use crate::linalg::scalar::{Field, Ring};

/// An exact rational number.
pub type Rational = BigRational;

impl Ring for Rational {}

impl Field for Rational {}

/// A dense matrix with rational entries, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RationalMatrix {
    rows: usize,
    cols: usize,
    entries: Vec<Rational>,
}

impl RationalMatrix {
    /// The `rows x cols` matrix of zeros.
    pub fn zeros(rows: usize, cols: usize) -> Self {
        Self { rows, cols, entries: vec![Rational::zero(); rows * cols] }
    }

    /// The identity of size `size`.
    pub fn identity(size: usize) -> Self {
        Self::from_fn(size, size, |i, j| if i == j { Rational::one() } else { Rational::zero() })
    }

    /// The matrix whose entry (i, j) is `entry(i, j)`.
    pub fn from_fn(rows: usize, cols: usize, mut entry: impl FnMut(usize, usize) -> Rational) -> Self {
        let entries = (0..rows * cols).map(|at| entry(at / cols, at % cols)).collect();
        Self { rows, cols, entries }
    }

    /// The matrix with the given integer rows; a missing entry of a short row is zero.
    pub fn from_integers(rows: &[Vec<i64>]) -> Self {
        let cols = rows.iter().map(Vec::len).max().unwrap_or(0);
        Self::from_fn(rows.len(), cols, |i, j| Rational::from_integer(rows[i].get(j).copied().unwrap_or(0).into()))
    }

    /// The exact value of a matrix in double precision; `None` if an entry is not finite.
    pub fn from_matrix(matrix: &Matrix) -> Option<Self> {
        let mut entries = Vec::with_capacity(matrix.nrows() * matrix.ncols());
        for i in 0..matrix.nrows() {
            for j in 0..matrix.ncols() {
                entries.push(rational_from_f64(matrix[(i, j)])?);
            }
        }
        Some(Self { rows: matrix.nrows(), cols: matrix.ncols(), entries })
    }

    /// Number of rows.
    pub fn nrows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn ncols(&self) -> usize {
        self.cols
    }

    /// Rows and columns.
    pub fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    /// All entries, row by row.
    pub fn entries(&self) -> &[Rational] {
        &self.entries
    }

    /// The transpose.
    #[must_use]
    pub fn transpose(&self) -> Self {
        Self::from_fn(self.cols, self.rows, |i, j| self[(j, i)].clone())
    }

    /// The columns with the given indices.
    #[must_use]
    pub fn select_columns(&self, columns: &[usize]) -> Self {
        Self::from_fn(self.rows, columns.len(), |i, j| self[(i, columns[j])].clone())
    }

    /// Every entry is zero.
    pub fn is_zero(&self) -> bool {
        self.entries.iter().all(Zero::is_zero)
    }

    /// `tr(self' other)`.
    pub fn dot(&self, other: &Self) -> Rational {
        sum_of_products(self.entries.iter().zip(&other.entries))
    }

    /// Sum of the squares of the entries.
    pub fn squared_norm(&self) -> Rational {
        self.dot(self)
    }

    /// The nearest matrix in double precision.
    pub fn to_matrix(&self) -> Matrix {
        Matrix::from_fn(self.rows, self.cols, |i, j| rational_to_f64(&self[(i, j)]))
    }

    /// `self (x) other`, the Kronecker product.
    #[must_use]
    pub fn kronecker(&self, other: &Self) -> Self {
        Self::from_fn(self.rows * other.rows, self.cols * other.cols, |i, j| {
            &self[(i / other.rows, j / other.cols)] * &other[(i % other.rows, j % other.cols)]
        })
    }

    /// The least positive integer that makes every entry an integer.
    pub(crate) fn common_denominator(&self) -> BigInt {
        self.entries
            .iter()
            .filter(|x| !x.is_integer())
            .fold(BigInt::one(), |d, x| num_integer::lcm(d, x.denom().clone()))
    }

    /// The matrix times an integer.
    #[must_use]
    pub(crate) fn times_integer(&self, factor: &BigInt) -> Self {
        // Dividing first keeps whole numbers whole without a common factor to look for.
        let entry = |x: &Rational| match x.is_integer() {
            true => Rational::from_integer(x.numer() * factor),
            false if (factor % x.denom()).is_zero() => Rational::from_integer(x.numer() * (factor / x.denom())),
            false => x * factor,
        };
        Self::from_fn(self.rows, self.cols, |i, j| entry(&self[(i, j)]))
    }

    /// Integer matrix with the same row space: every row times its common denominator.
    pub(super) fn integer_rows(&self) -> Vec<Vec<BigInt>> {
        self.entries
            .chunks(self.cols.max(1))
            .map(|row| {
                let common = row.iter().fold(BigInt::one(), |d, x| num_integer::lcm(d, x.denom().clone()));
                row.iter().map(|x| x.numer() * (&common / x.denom())).collect()
            })
            .collect()
    }
}

/// `sum x y`. Products of integers are added as integers: a fraction is reduced after every step, which for large numbers
/// costs more than the step.
pub(crate) fn sum_of_products<'a>(pairs: impl Iterator<Item = (&'a Rational, &'a Rational)>) -> Rational {
    let (mut whole, mut rest) = (BigInt::zero(), Rational::zero());
    for (x, y) in pairs.filter(|(x, y)| !x.is_zero() && !y.is_zero()) {
        if x.is_integer() && y.is_integer() {
            whole += x.numer() * y.numer();
        } else {
            rest += x * y;
        }
    }
    if rest.is_zero() { Rational::from_integer(whole) } else { rest + whole }
}

/// The exact value of a finite number in double precision.
pub fn rational_from_f64(value: f64) -> Option<Rational> {
    Rational::from_f64(value)
}

/// The number in double precision nearest to a rational (infinite beyond the range of the type).
pub fn rational_to_f64(value: &Rational) -> f64 {
    value.to_f64().unwrap_or(f64::NAN)
}

/// An approximation of the square root of a rational that is not negative, to nearly the last digit but without a proved bound, also where the rational itself is beyond the
/// range of double precision.
pub fn root_to_f64(value: &Rational) -> f64 {
    let bits = |part: &BigInt| part.bits() as i64;
    let half = ((bits(value.numer()) - bits(value.denom())) / 2).clamp(-1000, 1000);
    let square = BigInt::one() << (2 * half.unsigned_abs());
    let scaled = if half < 0 { value * square } else { value / square };
    rational_to_f64(&scaled).sqrt() * 2.0_f64.powi(half as i32)
}

impl std::ops::Index<(usize, usize)> for RationalMatrix {
    type Output = Rational;

    fn index(&self, (i, j): (usize, usize)) -> &Rational {
        &self.entries[i * self.cols + j]
    }
}

impl std::ops::IndexMut<(usize, usize)> for RationalMatrix {
    fn index_mut(&mut self, (i, j): (usize, usize)) -> &mut Rational {
        &mut self.entries[i * self.cols + j]
    }
}

impl Mul for &RationalMatrix {
    type Output = RationalMatrix;

    fn mul(self, other: &RationalMatrix) -> RationalMatrix {
        RationalMatrix::from_fn(self.rows, other.cols, |i, j| {
            sum_of_products((0..self.cols).map(|k| (&self[(i, k)], &other[(k, j)])))
        })
    }
}

impl Add for &RationalMatrix {
    type Output = RationalMatrix;

    fn add(self, other: &RationalMatrix) -> RationalMatrix {
        RationalMatrix::from_fn(self.rows, self.cols, |i, j| match (&self[(i, j)], &other[(i, j)]) {
            (x, y) if x.is_integer() && y.is_integer() => Rational::from_integer(x.numer() + y.numer()),
            (x, y) => x + y,
        })
    }
}

impl Sub for &RationalMatrix {
    type Output = RationalMatrix;

    fn sub(self, other: &RationalMatrix) -> RationalMatrix {
        RationalMatrix::from_fn(self.rows, self.cols, |i, j| &self[(i, j)] - &other[(i, j)])
    }
}
