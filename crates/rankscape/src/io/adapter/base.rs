//! The weights that an adapter is added to.

use std::path::Path;

use super::super::array::shape_text;
use super::source::{Place, Source};
use super::{AdapterFile, AdapterPair};
use crate::error::{InputError, Result};
use crate::linalg::Matrix;

/// An open checkpoint of a base model.
pub struct BaseFile {
    source: Source,
    name: String,
}

/// Opens the base weights: a `.safetensors` file, an index of shards, or a folder with either.
///
/// # Errors
/// If a file cannot be read or is damaged.
pub fn open_base(path: impl AsRef<Path>) -> Result<BaseFile> {
    let path = path.as_ref();
    Ok(BaseFile { source: Source::open(path)?, name: path.display().to_string() })
}

impl BaseFile {
    /// The weight of the module of a pair, as `out x in`: transposed where the table of an embedding or the
    /// configuration (`fan_in_fan_out`) says so. `None` where the file has none.
    ///
    /// It is the tensor `<module>.weight`, without PEFT's `base_model.model.`; where there is none of this name, the only
    /// one whose name ends with it after a dot, or that it ends with.
    ///
    /// # Errors
    /// If the tensor is damaged, not finite, or of another shape than the update.
    pub fn weight_of(&self, pair: &AdapterPair, file: &AdapterFile) -> Result<Option<Matrix>> {
        let Some(place) = self.find(&pair.module) else { return Ok(None) };
        let array = self.source.load(place)?;
        let expected = (pair.factors.architecture().outputs(), pair.factors.architecture().inputs());
        let (rows, cols) = (array.shape.first().copied().unwrap_or(1), array.shape.iter().skip(1).product());
        let transposed = pair.embedding || file.config().is_some_and(|config| config.transposed_base);
        let found = if transposed { (cols, rows) } else { (rows, cols) };
        if found != expected {
            return Err(InputError::new("the base weight has another shape than the update")
                .file(&self.name)
                .array(&place.name)
                .value(format!(
                    "{}{}, the update is {} x {}",
                    shape_text(&array.shape),
                    if transposed { " as (in, out)" } else { "" },
                    expected.0,
                    expected.1
                ))
                .hint("give the model that the adapter was trained on"));
        }
        let entry =
            |i: usize, j: usize| if transposed { array.values[j * cols + i] } else { array.values[i * cols + j] };
        Ok(Some(Matrix::from_fn(expected.0, expected.1, entry)))
    }

    fn find(&self, module: &str) -> Option<&Place> {
        let wanted = format!("{}.weight", module.strip_prefix("base_model.model.").unwrap_or(module));
        let ends = |long: &str, short: &str| long.strip_suffix(short).is_some_and(|rest| rest.ends_with('.'));
        let exact = self.source.places.iter().find(|place| place.name == wanted);
        exact.or_else(|| {
            let close = |place: &&Place| {
                place.name.ends_with(".weight") && (ends(&place.name, &wanted) || ends(&wanted, &place.name))
            };
            let mut found = self.source.places.iter().filter(close);
            found.next().filter(|_| found.next().is_none())
        })
    }
}
