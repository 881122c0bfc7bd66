//! One array as a file holds it, in memory and independent of the container.

use half::{bf16, f16};
use num_bigint::BigInt;

use rankscape::error::{ErrorKind, InputError, Result};
use rankscape::linalg::Matrix;
use rankscape::linalg::exact::{Rational, RationalMatrix, rational_to_f64};
use rankscape::tolerance::Storage;

/// The type in which the numbers of an array are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElementType {
    /// IEEE double precision.
    F64,
    /// IEEE single precision.
    F32,
    /// IEEE half precision.
    F16,
    /// The upper half of single precision.
    Bf16,
    /// Integers of any width, and truth values: read as double precision.
    Integer,
    /// Numbers as text, as in JSON and CSV.
    Text,
}

impl ElementType {
    /// Unit roundoff of the type: 2^-53 for everything that is not a shorter floating-point type.
    pub fn unit_roundoff(self) -> f64 {
        match self {
            Self::F32 => 2.0_f64.powi(-24),
            Self::F16 => 2.0_f64.powi(-11),
            Self::Bf16 => 2.0_f64.powi(-8),
            Self::F64 | Self::Integer | Self::Text => 2.0_f64.powi(-53),
        }
    }

    /// Says of an entry that is infinite what became of it.
    pub(super) fn explain_range(self, error: InputError) -> InputError {
        let infinite = error.value.as_ref().is_some_and(|value| value.trim_start_matches('-').starts_with("inf"));
        let hint = match self {
            Self::F16 if infinite => {
                "numbers beyond 65504 are infinite in half precision: store the array in single precision, or scale it"
            }
            Self::F32 | Self::Bf16 if infinite => {
                "numbers beyond 3.4e38 are infinite in this type: store the array in double precision, or scale it"
            }
            _ => return error,
        };
        InputError { hint: Some(hint.into()), ..error }
    }

    /// How far storing a number in the type can have moved it.
    pub fn storage(self) -> Storage {
        Storage::of_roundoff(self.unit_roundoff())
    }

    /// The nearest number of the type.
    pub(super) fn rounded(self, value: f64) -> f64 {
        match self {
            Self::F32 => f64::from(value as f32),
            Self::F16 => f16::from_f64(value).to_f64(),
            Self::Bf16 => bf16::from_f64(value).to_f64(),
            Self::F64 | Self::Integer | Self::Text => value,
        }
    }
}

/// An array: name, shape, values row by row, and the exact values where the file states them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Array {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f64>,
    pub(super) element: ElementType,
    pub(super) exact: Option<Vec<Rational>>,
}

impl Array {
    /// The array as a matrix; a vector becomes a column.
    pub(super) fn to_matrix(&self) -> Result<Matrix> {
        let (rows, cols) = self.rows_and_columns()?;
        Ok(Matrix::from_fn(rows, cols, |i, j| self.values[i * cols + j]))
    }

    /// The exact values as a matrix, where the file states them.
    pub(super) fn to_rational(&self) -> Result<Option<RationalMatrix>> {
        let (rows, cols) = self.rows_and_columns()?;
        Ok(self.exact.as_ref().map(|exact| RationalMatrix::from_fn(rows, cols, |i, j| exact[i * cols + j].clone())))
    }

    pub(super) fn rows_and_columns(&self) -> Result<(usize, usize)> {
        rows_and_columns(&self.shape).map_err(|error| error.array(&self.name))
    }

    /// An error if a whole number of exact text is not the double that is used in its place: it would be rounded.
    pub(super) fn check_integers(&self) -> Result<()> {
        let Some(exact) = &self.exact else { return Ok(()) };
        let kept = |(value, number): (&f64, &Rational)| {
            !number.is_integer() || Rational::from_float(*value).is_some_and(|double| double == *number)
        };
        let Some(at) = self.values.iter().zip(exact).position(|pair| !kept(pair)) else { return Ok(()) };
        Err(rounded(&exact[at], &index_of(at, &self.shape)).array(&self.name))
    }

    /// An error unless every entry is finite; says where the first bad one is.
    pub(super) fn check_finite(&self) -> Result<()> {
        let Some(at) = self.values.iter().position(|value| !value.is_finite()) else { return Ok(()) };
        let value = self.values[at];
        Err(self.element.explain_range(not_finite(value, &index_of(at, &self.shape)).array(&self.name)))
    }
}

/// An error if a whole number of an exact matrix is beyond what double precision holds: where the rest of a problem is in
/// floating point, it would be rounded.
///
/// # Errors
/// With the array, the number and its place.
pub fn check_integers(name: &str, matrix: &RationalMatrix) -> Result<()> {
    let array = Array {
        name: name.to_owned(),
        shape: vec![matrix.nrows(), matrix.ncols()],
        values: matrix.entries().iter().map(rational_to_f64).collect(),
        element: ElementType::Text,
        exact: Some(matrix.entries().to_vec()),
    };
    array.check_integers()
}

/// Rows and columns of a shape with one dimension (a column) or two.
pub(super) fn rows_and_columns(shape: &[usize]) -> Result<(usize, usize)> {
    match *shape {
        [rows] => Ok((rows, 1)),
        [rows, cols] => Ok((rows, cols)),
        _ => Err(InputError::new("a matrix has two dimensions")
            .value(format!("shape {}", shape_text(shape)))
            .hint("reshape the array or leave it out")),
    }
}

/// The error for an entry that is NaN or infinite.
pub(super) fn not_finite(value: f64, index: &[usize]) -> InputError {
    let place: Vec<String> = index.iter().map(ToString::to_string).collect();
    InputError::new("an entry is not a finite number")
        .kind(ErrorKind::NotFinite)
        .value(format!("{value} at index [{}], counted from 0", place.join(", ")))
        .hint("remove or replace it")
}

/// Digits of a number that double precision always tells apart.
const SURE_DIGITS: usize = 15;

/// Digits of the largest double.
const LONGEST: usize = 309;

/// A number without an exponent, beyond 2^53, that double precision does not have: it would be rounded by one or more. With an
/// exponent it is meant as a floating-point number.
pub(super) fn is_rounded(text: &str, value: f64) -> bool {
    let unsigned = text.trim_start_matches(['-', '+']);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() <= SURE_DIGITS || value.abs() < 2.0_f64.powi(53) || !is_plain(whole) || !is_plain(fraction) {
        return false;
    }
    if fraction.bytes().any(|digit| digit != b'0') {
        // Doubles of this size are whole numbers.
        return true;
    }
    let whole = whole.trim_start_matches('0');
    if whole.len() > LONGEST {
        return true;
    }
    let exact = whole.parse::<BigInt>().map(Rational::from);
    exact.is_ok_and(|exact| Rational::from_float(value.abs()).is_none_or(|double| double != exact))
}

/// The error for a number beyond 2^53 that double precision does not have.
pub(super) fn rounded(number: impl std::fmt::Display, index: &[usize]) -> InputError {
    let place: Vec<String> = index.iter().map(ToString::to_string).collect();
    let text: String = number.to_string().chars().take(40).collect();
    InputError::new("a number beyond 2^53 would be rounded in double precision")
        .value(format!("{text} at index [{}], counted from 0", place.join(", ")))
        .hint("write all weights and data as whole numbers in .json, which is read exactly, or as numbers with an exponent")
}

/// Index of entry number `at`, row by row.
pub(super) fn index_of(mut at: usize, shape: &[usize]) -> Vec<usize> {
    let mut index: Vec<usize> = shape
        .iter()
        .rev()
        .map(|&size| {
            let place = at % size.max(1);
            at /= size.max(1);
            place
        })
        .collect();
    index.reverse();
    index
}

/// A shape as people write it: `3 x 4`.
pub(super) fn shape_text(shape: &[usize]) -> String {
    if shape.is_empty() {
        return "() (a single number)".to_owned();
    }
    let sizes: Vec<String> = shape.iter().map(ToString::to_string).collect();
    if let [size] = sizes.as_slice() { format!("({size},)") } else { sizes.join(" x ") }
}

/// Number of entries of a shape; an error if it is beyond what can be addressed.
pub(super) fn entry_count(shape: &[usize]) -> Result<usize> {
    shape
        .iter()
        .try_fold(1_usize, |count, &size| count.checked_mul(size))
        .ok_or_else(|| InputError::new("the declared shape is too large").value(format!("shape {}", shape_text(shape))))
}
