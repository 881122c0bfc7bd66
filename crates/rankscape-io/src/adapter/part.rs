//! One file of adapters, or the files of one index, with what stands beside.

use std::path::Path;

use super::super::container::list;
use super::assemble::base_layer_free;
use super::base::BaseFile;
use super::draft::{Around, Owner};
use super::group::{Group, Sorted, sort_out};
use super::methods::{other_method, refuse_other_method};
use super::names::{Layout, Role, module_in_model};
use super::settings::Settings;
use super::source::Source;
use rankscape::error::{InputError, Result};

/// One file, or the files of one index, with what stands beside.
pub(super) struct Part {
    /// Name of the adapter, where each has a folder of its own.
    pub(super) name: Option<String>,
    pub(super) source: Source,
    pub(super) settings: Settings,
    pub(super) sorted: Sorted,
    pub(super) owner: Owner,
}

impl Part {
    pub(super) fn open(name: Option<String>, path: &Path) -> Result<Self> {
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

    pub(super) fn notes(&self, notes: &mut Vec<String>) {
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
        for (place, method) in self.sorted.unknown.iter().filter(|(place, _)| other_method(&place.name).is_some()) {
            let what =
                method.map_or_else(|| "is stored whole".to_owned(), |method| format!("is {method}, which is not read"));
            notes.push(format!("{} {what}: it changes the model beside the updates here", place.name));
        }
    }

    /// PEFT wrapped the `out_proj` of a MultiheadAttention twice: within the wrapper of the attention and by its name.
    pub(super) fn out_proj_twice(&self, group: &Group) -> bool {
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

    pub(super) fn around(&self, group: &Group, base: Option<&BaseFile>) -> Result<Around<'_>> {
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
