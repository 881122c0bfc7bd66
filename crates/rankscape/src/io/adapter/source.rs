//! Where the tensors of a checkpoint are: one file, the shards that an index lists, or what a folder holds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use safetensors::Dtype;
use serde_json::Value;

use super::super::array::Array;
use super::super::container::list;
use super::super::file::{Format, format_of, read_limited};
use super::super::json::{JSON_LIMIT, syntax_error};
use super::super::safetensors::Safetensors;
use crate::error::{InputError, Result};

/// The ending of the name of an index of shards.
const INDEX: &str = ".safetensors.index.json";

/// A tensor that is not read yet.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    shard: usize,
    index: usize,
}

/// An open checkpoint.
pub(super) struct Source {
    shards: Vec<(PathBuf, Mutex<Safetensors>)>,
    /// All tensors by name.
    pub(super) places: Vec<Place>,
}

impl Source {
    /// Opens a `.safetensors` file, an index of shards, or the checkpoint of a folder.
    pub(super) fn open(path: &Path) -> Result<Self> {
        if !path.exists() {
            return Err(InputError::new("the file or folder does not exist")
                .file(path.display())
                .hint("give a .safetensors file, its index of shards (.safetensors.index.json), or the folder"));
        }
        let file = if path.is_dir() { checkpoint_of_folder(path)? } else { path.to_owned() };
        let paths = if is_index(&file) { shards_of_index(&file)? } else { vec![file] };
        let mut source = Self { shards: Vec::new(), places: Vec::new() };
        for path in paths {
            if format_of(&path)? != Format::Safetensors {
                return Err(InputError::new("checkpoints of adapters are read from .safetensors files")
                    .file(path.display())
                    .hint("give the file, its index of shards (.safetensors.index.json), or the folder"));
            }
            let shard = Safetensors::open(&path)?;
            let number = source.shards.len();
            for (index, (name, info)) in shard.entries.iter().enumerate() {
                source.places.push(Place { name: name.clone(), shape: info.shape.clone(), shard: number, index });
            }
            source.shards.push((path, Mutex::new(shard)));
        }
        source.places.sort_by(|a, b| a.name.cmp(&b.name));
        match source.places.windows(2).find(|pair| pair[0].name == pair[1].name) {
            Some(pair) => {
                let file = source.shards[pair[1].shard].0.display();
                Err(InputError::new("two shards hold a tensor of this name").array(&pair[0].name).file(file))
            }
            None => Ok(source),
        }
    }

    /// The file that holds a tensor.
    pub(super) fn file_of(&self, place: &Place) -> &Path {
        &self.shards[place.shard].0
    }

    /// Reads a tensor and checks that it is finite.
    pub(super) fn load(&self, place: &Place) -> Result<Array> {
        let (path, shard) = &self.shards[place.shard];
        let array = shard.lock().unwrap_or_else(PoisonError::into_inner).load(place.index)?;
        array.check_finite().map_err(|error| error.file(path.display()))?;
        Ok(array)
    }

    /// Type and bytes of a tensor, as they are in the file.
    pub(super) fn raw(&self, place: &Place) -> Result<(Dtype, Vec<u8>)> {
        let (path, shard) = &self.shards[place.shard];
        let raw = shard.lock().unwrap_or_else(PoisonError::into_inner).raw(place.index);
        raw.map_err(|error| error.array(&place.name).file(path.display()))
    }

    /// Free text in the headers of the files.
    pub(super) fn metadata(&self) -> BTreeMap<String, String> {
        let shards = self.shards.iter();
        shards.flat_map(|(_, shard)| shard.lock().unwrap_or_else(PoisonError::into_inner).metadata.clone()).collect()
    }
}

fn is_index(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(INDEX))
}

/// `adapter_model.safetensors` or its index, else the only index, else the only file of tensors.
fn checkpoint_of_folder(folder: &Path) -> Result<PathBuf> {
    let preferred = ["adapter_model.safetensors".to_owned(), format!("adapter_model{INDEX}")];
    if let Some(found) = preferred.iter().map(|name| folder.join(name)).find(|path| path.is_file()) {
        return Ok(found);
    }
    let unreadable = |error| InputError::new(format!("the folder cannot be read: {error}")).file(folder.display());
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .map_err(unreadable)?;
    files.sort();
    let of = |choose: &dyn Fn(&Path) -> bool| files.iter().filter(|path| choose(path)).cloned().collect::<Vec<_>>();
    let indices = of(&is_index);
    let tensors = of(&|path| path.extension().is_some_and(|extension| extension == "safetensors"));
    let pickle = of(&|path| path.file_name().is_some_and(|name| name == "adapter_model.bin"));
    match (indices.as_slice(), tensors.as_slice(), pickle.first()) {
        ([only], ..) | ([], [only], _) => Ok(only.clone()),
        ([], [], Some(pickle)) => Err(super::super::file::pickle(pickle)),
        ([], [], None) => Err(InputError::new("the folder holds no .safetensors file").file(folder.display())),
        (several, tensors, _) => {
            let candidates = if several.is_empty() { tensors } else { several };
            let names: Vec<String> =
                candidates.iter().filter_map(|path| path.file_name()?.to_str().map(str::to_owned)).collect();
            Err(InputError::new("the folder holds several checkpoints")
                .file(folder.display())
                .value(list(&names))
                .hint("name the one that is meant"))
        }
    }
}

/// The files that the `weight_map` of an index names, each once; they are beside the index.
fn shards_of_index(path: &Path) -> Result<Vec<PathBuf>> {
    let bytes = read_limited(path, JSON_LIMIT)?;
    let parse = || {
        let value: Value = serde_json::from_slice(&bytes).map_err(|error| syntax_error(&bytes, &error))?;
        let map = value.get("weight_map").and_then(Value::as_object).ok_or_else(|| {
            InputError::new("the index has no weight_map").hint("it maps names of tensors to names of files")
        })?;
        let mut names = map.values().map(file_name).collect::<Result<Vec<_>>>()?;
        names.sort_unstable();
        names.dedup();
        if names.is_empty() {
            return Err(InputError::new("the index names no file"));
        }
        Ok(names.into_iter().map(|name| path.with_file_name(name)).collect())
    };
    parse().map_err(|error: InputError| error.file(path.display()))
}

fn file_name(value: &Value) -> Result<&str> {
    let plain = |name: &&str| Path::new(name).components().count() == 1 && !name.contains("..");
    value.as_str().filter(plain).ok_or_else(|| {
        InputError::new("the index must name files beside it").array("weight_map").value(value.to_string())
    })
}
