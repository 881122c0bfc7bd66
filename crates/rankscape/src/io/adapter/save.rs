//! Writing a checkpoint with other numbers in some of its pairs.

use std::path::Path;

use safetensors::tensor::{TensorView, serialize};

use super::super::array::Array;
use super::super::atomic::write_atomically;
use super::super::file::{Format, format_of};
use super::super::write::encode;
use super::{AdapterFile, AdapterPair};
use crate::error::{InputError, Result};
use crate::linalg::Matrix;

impl AdapterFile {
    /// Writes all tensors of the checkpoint into one `.safetensors` file, those of the given pairs with their new
    /// numbers: same names, shapes and types. Every other tensor keeps its bytes. The file appears whole or not at all.
    ///
    /// # Errors
    /// If the extension is another one, a number is beyond the range of its type, a tensor cannot be read, or the file
    /// cannot be written.
    pub fn write_with(&self, path: impl AsRef<Path>, pairs: &[(usize, AdapterPair)]) -> Result<()> {
        let path = path.as_ref();
        self.bytes_with(pairs, path)
            .map_err(|error| error.file(path.display()))
            .and_then(|bytes| write_atomically(path, &bytes))
    }

    fn bytes_with(&self, pairs: &[(usize, AdapterPair)], path: &Path) -> Result<Vec<u8>> {
        if format_of(path)? != Format::Safetensors {
            return Err(InputError::new("adapters are written as .safetensors"));
        }
        let mut replaced = std::collections::BTreeMap::new();
        for (k, pair) in pairs {
            let places = &self.pairs[*k];
            for (at, (place, matrix)) in [&places.a, &places.b].into_iter().zip(pair.factors.matrices()).enumerate() {
                let array = array_of(&place.name, &pair.stored_shapes[at], matrix, pair, at);
                replaced.insert(place.name.as_str(), encode(&array, array.element)?);
            }
        }
        let mut tensors = Vec::with_capacity(self.source.places.len());
        for place in &self.source.places {
            let (dtype, bytes) = self.source.raw(place)?;
            let bytes = replaced.remove(place.name.as_str()).unwrap_or(bytes);
            tensors.push((place, dtype, bytes));
        }
        let failed = |error| InputError::new(format!("the tensors cannot be written: {error}"));
        let views = tensors
            .iter()
            .map(|(place, dtype, bytes)| {
                Ok((&place.name, TensorView::new(*dtype, place.shape.clone(), bytes).map_err(failed)?))
            })
            .collect::<Result<Vec<_>>>()?;
        let metadata = self.source.metadata();
        serialize(views, (!metadata.is_empty()).then(|| metadata.into_iter().collect())).map_err(failed)
    }
}

/// Row by row, in the shape of the file: kernels of a convolution are the rows of its matrix.
fn array_of(name: &str, shape: &[usize], matrix: &Matrix, pair: &AdapterPair, at: usize) -> Array {
    let values = matrix.to_rows().concat();
    Array { name: name.to_owned(), shape: shape.to_vec(), values, element: pair.types[at], exact: None }
}
