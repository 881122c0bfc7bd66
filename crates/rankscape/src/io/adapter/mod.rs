//! Checkpoints of low-rank adapters in PEFT's layout.

mod base;
mod config;
mod names;
mod save;
mod source;

use std::path::{Path, PathBuf};

pub use base::{BaseFile, open_base};
pub use config::{AdapterConfig, Scaling};
use names::{TensorName, refuse_middle_factor, refuse_other_method};
use source::{Place, Source};

use super::array::{Array, ElementType, shape_text};
use super::container::list;
use super::digest::array_digest;
use crate::error::{InputError, Result};
use crate::linalg::Matrix;
use crate::multiplication::Factors;

/// An open checkpoint of low-rank adapters; tensors are read when asked for.
pub struct AdapterFile {
    source: Source,
    pairs: Vec<Places>,
    unknown: Vec<Place>,
    config: Option<AdapterConfig>,
    config_path: PathBuf,
}

/// Where the tensors of a pair are.
#[derive(Debug, Clone)]
struct Places {
    module: String,
    adapter: Option<String>,
    embedding: bool,
    a: Place,
    b: Place,
    magnitude: Option<Place>,
    bias: Option<Place>,
}

/// Tensors of one module and adapter, as they are found.
#[derive(Debug, Default)]
struct Found {
    parts: [Option<Place>; 4],
}

/// A pair as read.
#[derive(Debug, Clone, PartialEq)]
pub struct AdapterPair {
    /// Name of the module, as in the file.
    pub module: String,
    /// Name of the adapter, where the file keeps it.
    pub adapter: Option<String>,
    /// `W_1 = A`, `r x in` (of a convolution the kernels row by row), and `W_2 = B`, `out x r`.
    pub factors: Factors,
    /// Shapes of `A` and `B` as stored.
    pub stored_shapes: [Vec<usize>; 2],
    /// Types of `A` and `B` as stored.
    pub types: [ElementType; 2],
    /// Factor of the product.
    pub scaling: Scaling,
    /// Of an embedding: the update of the stored table is the transposed product.
    pub embedding: bool,
    /// DoRA: the lengths that the rows of the updated weight are given.
    pub magnitude: Option<Vec<f64>>,
    /// A bias beside `B`, with no part in the product.
    pub bias: Option<String>,
    /// SHA-256 over shape and values of each tensor of the pair.
    pub(super) digests: Vec<[u8; 32]>,
}

impl AdapterPair {
    /// Unit roundoff of the shorter of the two types.
    pub fn unit_roundoff(&self) -> f64 {
        self.types.iter().map(|element| element.unit_roundoff()).fold(0.0, f64::max)
    }

    /// Other factors as the file can hold them: rounded to the types of these.
    ///
    /// # Errors
    /// If a number is beyond the range of its type.
    pub fn with_rounded(&self, factors: &Factors) -> Result<Self> {
        let parts = factors.matrices().iter().zip(self.types);
        let factors = Factors::new(parts.map(|(matrix, element)| matrix.map(|x| element.rounded(x))).collect())?;
        Ok(Self { factors, ..self.clone() })
    }
}

/// Opens a `.safetensors` file, an index of shards (`.safetensors.index.json`) or a folder with either. The
/// configuration is `adapter_config.json` beside it.
///
/// # Errors
/// If a file cannot be read or is damaged, holds no low-rank pair, a tensor of a pair is missing, the adapter is of
/// another kind, or the configuration cannot be used.
pub fn open_adapter(path: impl AsRef<Path>) -> Result<AdapterFile> {
    let path = path.as_ref();
    let source = Source::open(path)?;
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
    let config_path = folder.join("adapter_config.json");
    let config = if config_path.is_file() { Some(AdapterConfig::read(&config_path)?) } else { None };
    let (pairs, unknown) = sort_out(&source).map_err(|error| error.file(path.display()))?;
    Ok(AdapterFile { source, pairs, unknown, config, config_path })
}

impl AdapterFile {
    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// There are no pairs; never so for a file that was opened.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Module of pair `k`, counted from 0 in the order of names.
    pub fn module(&self, k: usize) -> &str {
        &self.pairs[k].module
    }

    /// Tensors that are no part of a pair, with their shapes.
    pub fn unknown(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.unknown.iter().map(|place| (place.name.as_str(), place.shape.as_slice()))
    }

    /// The configuration beside the file.
    pub fn config(&self) -> Option<&AdapterConfig> {
        self.config.as_ref()
    }

    /// Reads pair `k`, counted from 0 in the order of names.
    ///
    /// # Errors
    /// If a tensor is damaged or not finite, the shapes do not fit, or the configuration states another rank.
    pub fn load(&self, k: usize) -> Result<AdapterPair> {
        let places = &self.pairs[k];
        let arrays = [self.source.load(&places.a)?, self.source.load(&places.b)?];
        let factors = pair_of(&arrays).map_err(|error| error.file(self.source.file_of(&places.b).display()))?;
        let magnitude = places.magnitude.as_ref().map(|place| self.source.load(place)).transpose()?;
        let scaling = match &self.config {
            Some(config) => config
                .scaling(&places.module, factors.layer(1).nrows())
                .map_err(|error| error.array(&places.a.name).file(self.config_path.display()))?,
            None => Scaling { value: 1.0, reason: "1, as there is no adapter_config.json beside the file".to_owned() },
        };
        let digests = arrays.iter().chain(&magnitude).map(|array| array_digest(array, false)).collect();
        Ok(AdapterPair {
            module: places.module.clone(),
            adapter: places.adapter.clone(),
            factors,
            stored_shapes: arrays.each_ref().map(|array| array.shape.clone()),
            types: arrays.each_ref().map(|array| array.element),
            scaling,
            embedding: places.embedding,
            magnitude: magnitude.map(|array| array.values),
            bias: places.bias.as_ref().map(|place| place.name.clone()),
            digests,
        })
    }
}

/// Pairs and everything else, both in the order of names.
fn sort_out(source: &Source) -> Result<(Vec<Places>, Vec<Place>)> {
    let mut found: std::collections::BTreeMap<(String, Option<String>, bool), Found> = Default::default();
    let mut unknown = Vec::new();
    for place in &source.places {
        refuse_middle_factor(&place.name)?;
        let Some(name) = TensorName::parse(&place.name) else {
            unknown.push(place.clone());
            continue;
        };
        // The magnitude of an embedding does not say that it is one: it goes to the pair of the module below.
        let key = (name.module, name.adapter, name.embedding);
        let slot = &mut found.entry(key).or_default().parts[name.part as usize];
        if let Some(other) = slot {
            return Err(InputError::new("two tensors are the same part of one pair")
                .array(&place.name)
                .value(format!("also {}", other.name)));
        }
        *slot = Some(place.clone());
    }
    let mut magnitudes = std::collections::BTreeMap::new();
    let mut pairs = Vec::new();
    for ((module, adapter, embedding), Found { parts: [a, b, magnitude, bias] }) in found {
        match (a, b) {
            (Some(a), Some(b)) => pairs.push(Places { module, adapter, embedding, a, b, magnitude, bias }),
            (Some(only), None) | (None, Some(only)) => return Err(alone(&only, embedding)),
            (None, None) => {
                magnitudes.extend(magnitude.map(|place| ((module, adapter), place)));
                unknown.extend(bias);
            }
        }
    }
    for pair in pairs.iter_mut().filter(|pair| pair.embedding) {
        let key = (pair.module.clone(), pair.adapter.clone());
        pair.magnitude = pair.magnitude.take().or_else(|| magnitudes.remove(&key));
    }
    unknown.extend(magnitudes.into_values());
    unknown.sort_by(|a, b| a.name.cmp(&b.name));
    if pairs.is_empty() {
        unknown.iter().try_for_each(|place| refuse_other_method(&place.name))?;
        let names: Vec<String> = unknown.iter().map(|place| place.name.clone()).collect();
        return Err(InputError::new("the file holds no low-rank pair")
            .value(list(&names))
            .hint("pairs are tensors <module>.lora_A.weight and <module>.lora_B.weight; for the layers of a network use rankscape map"));
    }
    Ok((pairs, unknown))
}

/// The error for one half of a pair.
fn alone(only: &Place, embedding: bool) -> InputError {
    let missing = if only.name.contains("_A") { "B" } else { "A" };
    let kind = if embedding { "lora_embedding_" } else { "lora_" };
    InputError::new(format!("the pair is incomplete: its {kind}{missing} is missing"))
        .array(&only.name)
        .hint("the checkpoint is damaged, or a shard is missing: give the index of all shards or the folder")
}

/// `A` as `r x in` and `B` as `out x r`.
fn pair_of(arrays: &[Array; 2]) -> Result<Factors> {
    let [a, b] = arrays;
    for array in arrays {
        if array.shape.len() < 2 || array.shape.contains(&0) {
            return Err(InputError::new("a tensor of a low-rank pair has two dimensions, or those of a convolution")
                .array(&array.name)
                .value(format!("shape {}", shape_text(&array.shape)))
                .hint("it may be a part of a tensor that was split over processes: gather it before saving"));
        }
    }
    let fits = b.shape[1] == a.shape[0] && b.shape[2..].iter().all(|&size| size == 1);
    if !fits || (a.shape.len() == 2) != (b.shape.len() == 2) {
        return Err(InputError::new("B does not fit A: B has as many columns as A has rows")
            .array(&b.name)
            .value(format!("A is {}, B is {}", shape_text(&a.shape), shape_text(&b.shape)))
            .hint("convolutions with groups and experts stacked in one tensor are not a product of two matrices"));
    }
    let matrix = |array: &Array| {
        let (rows, cols) = (array.shape[0], array.shape[1..].iter().product());
        Matrix::from_fn(rows, cols, |i, j| array.values[i * cols + j])
    };
    Factors::new(vec![matrix(a), matrix(b)])
}
