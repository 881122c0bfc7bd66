//! Where the tensors of a checkpoint are: one file, the shards that an index lists, or what a folder holds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use safetensors::Dtype;
use serde_json::Value;

use super::super::array::{Array, index_of, not_finite};
use super::super::container::list;
use super::super::file::format_of;
use super::super::format::Format;
use super::super::json::{read_text, syntax_error};
use super::super::safetensors::Safetensors;
use rankscape::error::{InputError, Result};
use rankscape::linalg::LargeMatrix;

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

    /// The files of tensors.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        self.shards.iter().map(|(path, _)| path.as_path())
    }

    /// Unit roundoff of the type of a tensor.
    pub(super) fn unit_roundoff(&self, place: &Place) -> Result<f64> {
        let (path, shard) = &self.shards[place.shard];
        let element = shard.lock().unwrap_or_else(PoisonError::into_inner).element(place.index);
        element.map(|element| element.unit_roundoff()).map_err(|error| error.array(&place.name).file(path.display()))
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

    /// Reads a tensor, or one of the matrices that it stacks, as a matrix in its own type: the first dimension against all others.
    pub(super) fn load_large(&self, place: &Place, slice: Option<usize>) -> Result<LargeMatrix> {
        let (path, shard) = &self.shards[place.shard];
        let named = |error: InputError| error.array(&place.name).file(path.display());
        let shape = if slice.is_some() { &place.shape[1..] } else { &place.shape[..] };
        let (rows, cols) = (shape.first().copied().unwrap_or(1), shape.iter().skip(1).product());
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let matrix = shard.load_large(place.index, slice.unwrap_or(0) * rows * cols, (rows, cols)).map_err(named)?;
        match matrix.first_not_finite() {
            Some((at, value)) => Err(named(not_finite(value, &index_of(at, shape)))),
            None => Ok(matrix),
        }
    }

    /// Reads a single number of any type.
    pub(super) fn scalar(&self, place: &Place) -> Result<f64> {
        let (dtype, bytes) = self.raw(place)?;
        let wrong = || {
            InputError::new("a single number is needed")
                .array(&place.name)
                .value(format!("{dtype:?} of shape {:?}", place.shape))
                .file(self.file_of(place).display())
        };
        let value = match (dtype, bytes.as_slice()) {
            (Dtype::I64, _) => i64::from_le_bytes(bytes.try_into().map_err(|_| wrong())?) as f64,
            (Dtype::I32, _) => f64::from(i32::from_le_bytes(bytes.try_into().map_err(|_| wrong())?)),
            (Dtype::I16, _) => f64::from(i16::from_le_bytes(bytes.try_into().map_err(|_| wrong())?)),
            (Dtype::U8, [byte]) => f64::from(*byte),
            (Dtype::I8, [byte]) => f64::from(*byte as i8),
            _ => match self.load(place)?.values.as_slice() {
                [value] => *value,
                _ => return Err(wrong()),
            },
        };
        Ok(value)
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

/// The checkpoints of an argument: a file; those of a folder and of the adapters in its subfolders, each with its name. PEFT calls
/// the one in the folder itself `default`.
pub(super) fn checkpoints(path: &Path) -> Result<Vec<(Option<String>, PathBuf)>> {
    if !path.is_dir() {
        return Ok(vec![(None, path.to_owned())]);
    }
    let mut named = Vec::new();
    for folder in entries(path)?.into_iter().filter(|entry| entry.is_dir()) {
        let is_adapter = CHECKPOINTS[..2].iter().any(|name| folder.join(name).is_file());
        if let Some(name) = folder.file_name().filter(|_| is_adapter) {
            named.push((Some(name.to_string_lossy().into_owned()), folder));
        }
    }
    match checkpoint_of_folder(path) {
        Ok(_) if named.is_empty() => Ok(vec![(None, path.to_owned())]),
        Ok(_) => {
            named.insert(0, (Some("default".to_owned()), path.to_owned()));
            Ok(named)
        }
        Err(error) if named.is_empty() => Err(error),
        Err(_) => Ok(named),
    }
}

/// Names that a checkpoint of adapters has in its folder, in the order of preference.
const CHECKPOINTS: [&str; 5] = [
    "adapter_model.safetensors",
    "adapter_model.safetensors.index.json",
    "adapters.safetensors",
    "pytorch_lora_weights.safetensors",
    "model.safetensors.index.json",
];

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = |error| InputError::new(format!("the folder cannot be read: {error}")).file(folder.display());
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .map_err(unreadable)?;
    files.sort();
    Ok(files)
}

/// The checkpoint with one of the usual names, else the only index, else the only file of tensors.
fn checkpoint_of_folder(folder: &Path) -> Result<PathBuf> {
    if let Some(found) = CHECKPOINTS.iter().map(|name| folder.join(name)).find(|path| path.is_file()) {
        return Ok(found);
    }
    let files = entries(folder)?;
    let of = |choose: &dyn Fn(&Path) -> bool| files.iter().filter(|path| choose(path)).cloned().collect::<Vec<_>>();
    let ends_in = |path: &Path, endings: &[&str]| {
        path.extension().is_some_and(|extension| endings.iter().any(|ending| extension == *ending))
    };
    let indices = of(&is_index);
    let tensors = of(&|path| ends_in(path, &["safetensors"]));
    let pickle = of(&|path| ends_in(path, &["bin", "pt", "pth", "ckpt", "pkl"]));
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
    let bytes = read_text(path)?;
    let parse = || {
        let value: Value = serde_json::from_slice(&bytes).map_err(|error| syntax_error(&bytes, &error.into()))?;
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
