//! Checkpoints of adapters, in the layouts of the tools that write them. `docs/adapters.md` lists what is read and what is refused.
//!
//! A checkpoint is decided upon before anything is computed: `names` takes the names of its tensors apart, `group` brings those of
//! one module together and refuses what is not known beside them, `settings` and `config` read what stands beside the tensors;
//! then `peft`, `lycoris` and `mlx` form the update of a module from its tensors.

mod assemble;
mod base;
mod config;
mod experts;
mod group;
mod item;
mod lycoris;
mod members;
mod methods;
mod mlx;
mod names;
mod peft;
mod save;
mod settings;
mod source;

use std::path::{Path, PathBuf};

use assemble::{Around, Expert, Owner, assemble, base_layer_free};
pub use base::{BaseFile, BaseWeight, open_base};
use group::{Group, Sorted, sort_out};
pub use item::{AdapterItem, Form};
use methods::refuse_other_method;
pub use names::Layout;
use names::{Role, module_in_model};
pub use save::SaveOptions;
pub use settings::Scaling;
use settings::Settings;
use source::{Source, checkpoints};

use super::container::list;
use rankscape::error::{InputError, Result};

/// An open checkpoint of adapters; tensors are read when asked for.
pub struct AdapterFile {
    parts: Vec<Part>,
    entries: Vec<Entry>,
    notes: Vec<String>,
    /// The folder that was opened.
    folder: Option<PathBuf>,
}

/// One file, or the files of one index, with what stands beside.
struct Part {
    /// Name of the adapter, where each has a folder of its own.
    name: Option<String>,
    source: Source,
    settings: Settings,
    sorted: Sorted,
    owner: Owner,
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

impl Part {
    fn open(name: Option<String>, path: &Path) -> Result<Self> {
        let source = Source::open(path)?;
        let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
        let settings = Settings::read(folder, &source.metadata())?;
        let mut sorted = sort_out(&source)?;
        if sorted.groups.is_empty() {
            sorted.unknown.iter().try_for_each(|(place, _)| refuse_other_method(&place.name))?;
            let names: Vec<String> = sorted.unknown.iter().map(|(place, _)| place.name.clone()).collect();
            return Err(InputError::new("the file holds no low-rank pair").value(list(&names)).hint(
                "docs/adapters.md lists the layouts that are read; for the layers of a network use rankscape map",
            ));
        }
        // Differences of biases and normalizations alone are no update of a matrix.
        let (only_vectors, groups): (Vec<Group>, Vec<Group>) = sorted.groups.into_iter().partition(Group::is_vectors);
        sorted.groups = groups;
        let places = only_vectors.iter().flat_map(Group::places);
        sorted.unknown.extend(places.map(|place| (place.clone(), Some("a difference of a vector"))));
        let owner = owner(&sorted.groups, &settings);
        Ok(Self { name, source, settings, sorted, owner })
    }

    fn notes(&self, notes: &mut Vec<String>) {
        let of = self.name.as_ref().map_or_else(String::new, |name| format!(" of {name:?}"));
        let peft = self.sorted.groups.iter().any(|group| matches!(group.layout, Layout::Peft | Layout::Bare));
        if self.settings.is_empty() && peft {
            notes.push(format!(
                "there is no adapter_config.json beside the file{of}: the scaling, an initialization that changed the base, block-diagonal \
                 factors and experts that share a pair (target_parameters) are not known"
            ));
        }
        match &self.owner {
            Owner::All => {}
            Owner::Named(name) => notes.push(format!(
                "the file{of} holds several adapters: the configuration is that of {name:?} by its ranks, those of the others are not known"
            )),
            Owner::Nobody => notes.push(format!(
                "the file{of} holds several adapters, and which one the configuration is of is not told: no scaling is known"
            )),
        }
        for config in self.settings.configs() {
            notes.extend(config.notes.iter().cloned());
        }
        let has_biases = self.sorted.unknown.iter().any(|(place, _)| place.name.ends_with(".bias"));
        if self.settings.configs().any(|config| config.own_biases) && !has_biases {
            notes.push(format!(
                "the configuration{of} says bias \"lora_only\", but the file holds no bias: PEFT (seen in 0.17.1) loses the trained biases when \
                 it saves, so what the model had in training beside the updates is not known"
            ));
        }
        for (place, method) in self.sorted.unknown.iter().filter(|(place, _)| other_words(&place.name)) {
            let what =
                method.map_or_else(|| "is stored whole".to_owned(), |method| format!("is {method}, which is not read"));
            notes.push(format!("{} {what}: it changes the model beside the updates here", place.name));
        }
    }
}

/// Tensors that change the model beside the updates: not copies of the weights under them.
fn other_words(name: &str) -> bool {
    methods::other_method(name).is_some()
}

/// Which adapter of a file the configuration is of: the only one whose ranks are those that it states.
fn owner(groups: &[Group], settings: &Settings) -> Owner {
    let mut names: Vec<&String> = groups.iter().filter_map(|group| group.adapter.as_ref()).collect();
    names.sort();
    names.dedup();
    let Some(config) = settings.file_config() else {
        return Owner::All;
    };
    if names.len() < 2 {
        return Owner::All;
    }
    let fits = |group: &Group| {
        let stated = config.stated_rank(&module_in_model(&group.module));
        group.rank().zip(stated).is_none_or(|(rank, (stated, _))| rank as f64 == stated)
    };
    let consistent: Vec<&&String> = names
        .iter()
        .filter(|name| groups.iter().filter(|group| group.adapter.as_ref() == Some(name)).all(fits))
        .collect();
    match consistent.as_slice() {
        [only] => Owner::Named((**only).clone()),
        _ => Owner::Nobody,
    }
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

impl Part {
    /// PEFT wrapped the `out_proj` of a MultiheadAttention twice: within the wrapper of the attention and by its name.
    fn out_proj_twice(&self, group: &Group) -> bool {
        let is_other = |other: &Group| {
            let both = [&group.module, &other.module];
            let one_inside = both.iter().filter(|module| module.ends_with(".base_layer.out_proj")).count() == 1;
            one_inside
                && other.adapter == group.adapter
                && both.iter().all(|module| module.ends_with(".out_proj"))
                && base_layer_free(&other.module) == base_layer_free(&group.module)
        };
        group.layout == Layout::Peft && self.sorted.groups.iter().any(is_other)
    }

    fn around(&self, group: &Group, base: Option<&BaseFile>) -> Result<Around<'_>> {
        let shared = |role| {
            let places = &self.sorted.shared;
            let place = places.get(&(group.adapter.clone(), role)).or_else(|| places.get(&(None, role)));
            place.map(|place| self.source.load(place)).transpose()
        };
        let vera = group.place(Role::LambdaB);
        let shared = match vera {
            Some(_) => shared(Role::SharedA)?.zip(shared(Role::SharedB)?),
            None => None,
        };
        let inputs = vera.and_then(|place| base?.inputs_of(&group.module, place.shape.iter().product()));
        let sharing = self.sorted.groups.iter().filter(|group| group.has(Role::LambdaB)).count();
        Ok(Around {
            source: &self.source,
            settings: &self.settings,
            owner: &self.owner,
            shared,
            inputs,
            sharing,
            stored_twice: self.out_proj_twice(group),
        })
    }
}
