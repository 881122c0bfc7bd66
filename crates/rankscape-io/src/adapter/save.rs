//! Writing adapters with other numbers in some of their pairs: the folder as it was, complete with its configuration.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use safetensors::tensor::TensorView;

use super::super::array::Array;
use super::super::atomic::{are_linked, write_atomically};
use super::super::write::{encode, tensors_with_metadata};
use super::part::Part;
use super::{AdapterFile, AdapterItem, BaseFile, open_adapter};
use rankscape::error::{InputError, Result};
use rankscape::multiplication::product_difference;

/// What may be written over.
#[derive(Clone, Copy, Default)]
pub struct SaveOptions<'a> {
    /// Existing files are replaced; inputs never are.
    pub force: bool,
    /// The base, whose files are inputs too.
    pub base: Option<&'a BaseFile>,
}

impl AdapterFile {
    /// Writes all adapters with the given pairs in place of their own: into a `.safetensors` file with its configuration beside it, or
    /// into a folder as PEFT does, one subfolder an adapter where there were several. Names, shapes and types are kept, and so are the
    /// bytes of all other tensors. Then the files are read again; the result is the largest difference of an update, relative to it.
    ///
    /// # Errors
    /// If a file exists or is an input, a number is beyond the range of its type, or what was written gives other updates.
    pub fn write_with(
        &self,
        path: impl AsRef<Path>,
        pairs: &[(usize, AdapterItem)],
        options: SaveOptions<'_>,
    ) -> Result<Vec<(usize, f64)>> {
        let path = path.as_ref();
        let mut outputs: Vec<(PathBuf, Vec<u8>)> = Vec::new();
        for (number, part) in self.parts.iter().enumerate() {
            let own = pairs.iter().filter(|(k, _)| self.entries[*k].part == number).map(|(_, item)| item);
            let file = self.place_of(part, path)?;
            let bytes = part.bytes_with(own).map_err(|error| error.file(file.display()))?;
            if let Some(config) = &part.settings.path {
                let bytes = std::fs::read(config).map_err(|error| {
                    InputError::new(format!("the configuration cannot be read: {error}")).file(config.display())
                })?;
                outputs.push((file.with_file_name("adapter_config.json"), bytes));
            }
            outputs.push((file, bytes));
        }
        check_standing(path, &outputs)?;
        // All are checked before the first is written.
        self.check_folder(path)?;
        let inputs: Vec<PathBuf> = self
            .files()
            .chain(options.base.into_iter().flat_map(BaseFile::files))
            .filter_map(|file| file.canonicalize().ok())
            .collect();
        outputs.retain(|(file, bytes)| std::fs::read(file).map_or(true, |old| old != *bytes || !is_config(file)));
        for (file, _) in &outputs {
            check_output(file, &inputs, options.force)?;
        }
        for (file, bytes) in &outputs {
            put(file, bytes)?;
        }
        self.read_again(path, pairs, options.base)
    }

    /// A folder within the one that was read would be read as another adapter of it.
    fn check_folder(&self, path: &Path) -> Result<()> {
        let Some(input) = &self.folder else { return Ok(()) };
        let is_file = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("safetensors"));
        let folders = path.ancestors().skip(usize::from(is_file));
        let here = |folder: &Path| if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() };
        // Of the folders that are still to be made the nearest that exists counts.
        let existing = folders.enumerate().find_map(|(at, folder)| Some((at, here(folder).canonicalize().ok()?)));
        if existing.is_some_and(|(at, real)| real.starts_with(input) && (at > 0 || real != *input)) {
            return Err(InputError::new(
                "the output is a folder inside the one that is read, which would then hold another adapter",
            )
            .file(path.display())
            .hint("choose a folder outside of it"));
        }
        Ok(())
    }

    /// The file of tensors of a part.
    fn place_of(&self, part: &Part, path: &Path) -> Result<PathBuf> {
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("safetensors") if self.parts.len() == 1 => Ok(path.to_owned()),
            Some("safetensors") => {
                Err(InputError::new("several adapters are written into a folder, not into one file")
                    .file(path.display())
                    .hint("give the name of a folder"))
            }
            Some("pt" | "pth" | "bin" | "ckpt" | "npz" | "json") => {
                Err(InputError::new("adapters are written as .safetensors, or as a folder").file(path.display()))
            }
            _ => {
                let folder = match &part.name {
                    Some(name) if name != "default" => path.join(name),
                    _ => path.to_owned(),
                };
                Ok(folder.join(part.file_name()))
            }
        }
    }

    /// The updates of what was written, formed as from any file, against those that were meant.
    fn read_again(
        &self,
        path: &Path,
        pairs: &[(usize, AdapterItem)],
        base: Option<&BaseFile>,
    ) -> Result<Vec<(usize, f64)>> {
        let written = open_adapter(path, base)?;
        let changed = || {
            InputError::new("what was written gives other updates than what was read")
                .file(path.display())
                .hint("this is a defect of rankscape: keep the original and report it")
        };
        if written.len() != self.len() {
            return Err(changed().value(format!("{} updates, {} were read", written.len(), self.len())));
        }
        let mut errors = Vec::new();
        for (k, _) in pairs {
            let (before, after) = (self.load(*k, base)?, written.load(*k, base)?);
            let (Some(old), Some(new)) = (before.pair(), after.pair()) else {
                return Err(changed().array(before.name()));
            };
            if before.name() != after.name() || before.scaling != after.scaling || before.lengths != after.lengths {
                return Err(changed().array(before.name()));
            }
            errors.push((*k, product_difference(new, old)));
        }
        Ok(errors)
    }
}

fn is_config(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name == "adapter_config.json")
}

/// What stands in the folder and is not replaced would be read as another adapter of it.
fn check_standing(path: &Path, outputs: &[(PathBuf, Vec<u8>)]) -> Result<()> {
    let Some(standing) = path.is_dir().then(|| open_adapter(path, None).ok()).flatten() else { return Ok(()) };
    let replaced = |file: &Path| outputs.iter().any(|(output, _)| output == file);
    match standing.files().find(|file| !replaced(file)) {
        Some(file) => {
            Err(InputError::new("the folder holds another adapter, which would be read together with this one")
                .file(file.display())
                .hint("choose another folder, or take that adapter out of it first"))
        }
        None => Ok(()),
    }
}

/// An output never replaces an input, nor an existing file unless asked to.
fn check_output(file: &Path, inputs: &[PathBuf], force: bool) -> Result<()> {
    let Ok(real) = file.canonicalize() else { return Ok(()) };
    if inputs.iter().any(|input| *input == real || are_linked(input, &real)) {
        return Err(InputError::new("the output is one of the inputs").file(file.display()).hint("give another name"));
    }
    if !force {
        return Err(InputError::new("the output exists already")
            .file(file.display())
            .hint("give another name, or --force to replace it"));
    }
    Ok(())
}

/// The one place where adapters are written.
fn put(file: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .map_err(|error| InputError::new(format!("the folder cannot be made: {error}")).file(folder.display()))?;
    }
    write_atomically(file, bytes)
}

impl Part {
    /// The name of a single file; `adapter_model.safetensors` for what came in shards.
    fn file_name(&self) -> PathBuf {
        let mut files = self.source.files();
        let single = files.next().filter(|_| files.next().is_none());
        single.and_then(Path::file_name).map_or_else(|| PathBuf::from("adapter_model.safetensors"), PathBuf::from)
    }

    fn bytes_with<'a>(&self, pairs: impl Iterator<Item = &'a AdapterItem>) -> Result<Vec<u8>> {
        let mut replaced = BTreeMap::new();
        for item in pairs {
            let (Some(factors), Some(stored)) = (item.pair(), &item.stored) else { continue };
            for (side, matrix) in stored.sides.iter().zip(factors.matrices()) {
                let matrix = if side.transposed { matrix.transpose() } else { matrix.clone() };
                let array = Array {
                    name: side.name.clone(),
                    shape: side.shape.clone(),
                    values: matrix.to_rows().concat(),
                    element: side.element,
                    exact: None,
                };
                replaced.insert(side.name.clone(), encode(&array, side.element)?);
            }
        }
        let mut tensors = Vec::with_capacity(self.source.places.len());
        for place in &self.source.places {
            let (dtype, bytes) = self.source.raw(place)?;
            tensors.push((place, dtype, replaced.remove(&place.name).unwrap_or(bytes)));
        }
        let failed = |error| InputError::new(format!("the tensors cannot be written: {error}"));
        let views = tensors
            .iter()
            .map(|(place, dtype, bytes)| {
                Ok((&place.name, TensorView::new(*dtype, place.shape.clone(), bytes).map_err(failed)?))
            })
            .collect::<Result<Vec<_>>>()?;
        tensors_with_metadata(views, &self.source.metadata())
    }
}
