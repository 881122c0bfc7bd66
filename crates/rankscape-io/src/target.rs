//! Single matrices: a target instead of data, an output metric.

use std::path::Path;

use super::array::{Array, shape_text};
use super::container::{Container, list};
use super::digest::{array_digest, combined_digest};
use super::layers::numbers;
use super::pipe::keep;
use rankscape::data::StoredArray;
use rankscape::error::{InputError, Result};
use rankscape::linalg::Matrix;
use rankscape::linalg::exact::RationalMatrix;
use rankscape::problem::Data;

/// A matrix from a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The matrix.
    pub matrix: Matrix,
    /// Its exact value, where every number is an integer or a fraction in JSON.
    pub exact: Option<RationalMatrix>,
    /// How it is stored.
    pub stored: StoredArray,
    /// SHA-256 over shape and values, the same whatever the format of the file.
    pub digest: String,
}

impl Target {
    /// The data of the loss `1/2 ||W - Y||^2`.
    pub fn into_data(self) -> Data {
        match self.exact {
            Some(exact) => Data::ExactTarget(exact),
            None => Data::Target(self.matrix, self.stored),
        }
    }
}

/// Reads the target of the loss `1/2 ||W - Y||^2`: the matrix `Y` (`d_h x d_0`), or the only array of the file.
///
/// # Errors
/// As [`read_matrix`].
pub fn read_target(path: impl AsRef<Path>) -> Result<Target> {
    let path = path.as_ref();
    let _kept = keep(path)?;
    from_array(&read_array(path, "Y")?, "target").map_err(|error| error.file(path.display()))
}

/// Likewise; entries that were not observed (null, NaN, empty cells) are NaN.
///
/// # Errors
/// As [`read_matrix`]; an entry that is infinite.
pub(super) fn read_target_with_gaps(path: &Path) -> Result<Target> {
    let read = || {
        let _kept = keep(path)?;
        let array = find_array(path, "Y", true)?;
        let observed = array.values.iter().map(|value| if value.is_nan() { 0.0 } else { *value }).collect();
        Array { values: observed, exact: None, ..array.clone() }.check_finite()?;
        array.check_integers()?;
        from_array(&Array { exact: None, ..array }, "target")
    };
    read().map_err(|error: InputError| error.file(path.display()))
}

/// Reads one matrix from `.json`, `.npy`, `.npz`, `.safetensors` or `.csv`: the array called `name`, or the only one.
///
/// # Errors
/// If the file cannot be read, does not say which array is meant, or the matrix is empty, has another number of
/// dimensions than two, or an entry that is not finite.
pub fn read_matrix(path: impl AsRef<Path>, name: &str) -> Result<Target> {
    let path = path.as_ref();
    let _kept = keep(path)?;
    from_array(&read_array(path, name)?, "matrix").map_err(|error| error.file(path.display()))
}

/// Reads a path of matrices, linear between its knots: all matrices of a `.json`, `.npz` or `.safetensors` file, in the order of the
/// numbers in their names. Also gives the digest of the file's numbers.
///
/// # Errors
/// As [`read_matrix`].
pub fn read_matrix_path(path: impl AsRef<Path>) -> Result<(Vec<Matrix>, String)> {
    let path = path.as_ref();
    let read = || {
        let _kept = keep(path)?;
        let mut container = Container::open(path, "K0")?;
        let mut names: Vec<String> = container.entries().into_iter().map(|entry| entry.name).collect();
        names.sort_by_key(|name| numbers(name));
        let arrays = names.iter().map(|name| container.load(name, path)).collect::<Result<Vec<_>>>()?;
        let knots = arrays.iter().map(|array| from_array(array, "matrix")).collect::<Result<Vec<_>>>()?;
        let digests: Vec<[u8; 32]> = arrays.iter().map(|array| array_digest(array, false)).collect();
        Ok((knots.into_iter().map(|knot| knot.matrix).collect(), combined_digest("path", &digests)))
    };
    read().map_err(|error: InputError| error.file(path.display()))
}

/// The array called `name`, or the only one.
pub(super) fn read_array(path: &Path, name: &str) -> Result<Array> {
    let array = find_array(path, name, false)?;
    array.check_finite().map_err(|error| error.file(path.display()))?;
    Ok(array)
}

fn find_array(path: &Path, name: &str, gaps: bool) -> Result<Array> {
    let mut container = Container::open_with(path, name, gaps)?;
    let names: Vec<String> = container.entries().into_iter().map(|entry| entry.name).collect();
    let chosen = match names.as_slice() {
        [only] => only,
        _ if names.iter().any(|known| known == name) => name,
        _ => {
            return Err(InputError::new(format!("the file has no array {name}"))
                .array(name)
                .hint(format!("the file holds {}; name one of them {name}", list(&names)))
                .file(path.display()));
        }
    };
    container.load_with_gaps(chosen, path)
}

fn from_array(array: &Array, kind: &str) -> Result<Target> {
    if array.shape.len() != 2 || array.shape.contains(&0) {
        return Err(InputError::new("a matrix with rows and columns is needed")
            .array(&array.name)
            .value(format!("shape {}", shape_text(&array.shape))));
    }
    let exact = array.to_rational()?;
    Ok(Target {
        matrix: array.to_matrix()?,
        digest: combined_digest(kind, &[array_digest(array, exact.is_some())]),
        exact,
        stored: StoredArray {
            storage: array.element.storage(),
            whole: array.values.iter().all(|value| value.fract() == 0.0),
        },
    })
}
