//! Checkpoints of adapters, in the layouts of the tools that write them. `docs/adapters.md` lists what is read and what is refused.
//!
//! A checkpoint is decided upon before anything is computed: `names` takes the names of its tensors apart, `group` brings those of
//! one module together and refuses what is not known beside them, `settings` and `config` read what stands beside the tensors;
//! then `peft`, `lycoris` and `mlx` form the update of a module from its tensors.

mod answer;
mod assemble;
mod base;
mod config;
mod draft;
mod experts;
mod group;
mod item;
mod lycoris;
mod members;
mod methods;
mod mlx;
mod names;
mod part;
mod peft;
mod save;
mod settings;
mod source;

use std::path::{Path, PathBuf};

pub use answer::{AdapterQuestion, ItemAnswer, answer_all};
use assemble::assemble;
pub use base::{BaseFile, BaseTensor, open_base};
use draft::Expert;
pub use item::{AdapterItem, Form};
pub use methods::{Method, ModuleKind};
pub use names::Layout;
use part::Part;
pub use save::SaveOptions;
pub use settings::Scaling;
use source::checkpoints;

use rankscape::error::{InputError, Result};

/// An open checkpoint of adapters; tensors are read when asked for.
pub struct AdapterFile {
    parts: Vec<Part>,
    entries: Vec<Entry>,
    notes: Vec<String>,
    /// The folder that was opened.
    folder: Option<PathBuf>,
}

/// An update: a group of tensors, or one of the experts that share it.
struct Entry {
    part: usize,
    group: usize,
    expert: Option<Expert>,
}

/// A tensor that is no part of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownTensor<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its shape.
    pub shape: &'a [usize],
    /// The method that it belongs to, where that is known.
    pub method: Option<&'static str>,
}

/// Opens a `.safetensors` file, an index of shards (`.safetensors.index.json`), or a folder with either or with several adapters in
/// subfolders. The base tells which modules are stacks of experts where no configuration does.
///
/// # Errors
/// If a file cannot be read or is damaged, holds no update, a tensor is missing or not known, the adapter is of a method that is not
/// read, or the configuration cannot be used.
pub fn open_adapter(path: impl AsRef<Path>, base: Option<&BaseFile>) -> Result<AdapterFile> {
    let path = path.as_ref();
    let folder = path.canonicalize().ok().filter(|path| path.is_dir());
    let mut file = AdapterFile { parts: Vec::new(), entries: Vec::new(), notes: Vec::new(), folder };
    for (name, place) in checkpoints(path)? {
        let part = Part::open(name, &place).map_err(|error| error.file(place.display()))?;
        let number = file.parts.len();
        for group in 0..part.sorted.groups.len() {
            let experts = experts::of(&part, group, base).map_err(|error| error.file(place.display()))?;
            file.entries.extend(experts.into_iter().map(|expert| Entry { part: number, group, expert }));
        }
        part.notes(&mut file.notes);
        file.parts.push(part);
    }
    Ok(file)
}

impl AdapterFile {
    /// Number of updates.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// There are none; never so for a file that was opened.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Tensors that are no part of an update.
    pub fn unknown(&self) -> impl Iterator<Item = UnknownTensor<'_>> {
        self.parts.iter().flat_map(|part| &part.sorted.unknown).map(|(place, method)| UnknownTensor {
            name: &place.name,
            shape: &place.shape,
            method: *method,
        })
    }

    /// What a reader should know of the files.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Files that were opened.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.parts.iter().flat_map(|part| part.source.files().chain(part.settings.path.as_deref()))
    }

    /// Name of the module of update `k`.
    pub fn module(&self, k: usize) -> &str {
        let entry = &self.entries[k];
        &self.parts[entry.part].sorted.groups[entry.group].module
    }

    /// Reads update `k`, counted from 0 in the order of names.
    ///
    /// # Errors
    /// If a tensor is damaged or not finite, the shapes do not fit, or the configuration states another rank.
    pub fn load(&self, k: usize, base: Option<&BaseFile>) -> Result<AdapterItem> {
        let entry = &self.entries[k];
        let part = &self.parts[entry.part];
        let group = &part.sorted.groups[entry.group];
        let named = |error: InputError| {
            let place = group.places().next();
            error.file(place.map_or_else(PathBuf::new, |place| part.source.file_of(place).to_owned()).display())
        };
        let around = part.around(group, base).map_err(named)?;
        let mut item = assemble(group, entry.expert.as_ref(), &around).map_err(named)?;
        item.adapter = item.adapter.or_else(|| part.name.clone());
        Ok(item)
    }
}
