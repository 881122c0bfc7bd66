//! The weights that an adapter is added to.

use super::methods::ModuleKind;
use std::path::{Path, PathBuf};

use super::super::array::shape_text;
use super::item::AdapterItem;
use super::names::{Layout, module_in_model, without_part};
use super::source::{Place, Source};
use rankscape::answers::OriginalWeight;
use rankscape::error::{InputError, Result};

/// An open checkpoint of a base model.
pub struct BaseFile {
    source: Source,
    name: String,
    path: PathBuf,
    /// Names of the tensors without what wrappers put before them, in the order of the places.
    plain: Vec<String>,
}

/// Which tensor an update is added to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseTensor {
    /// Its name.
    pub name: String,
    /// It is square: whether it is stored as (out, in) or (in, out) its shape does not tell.
    pub square: bool,
}

/// Opens the base weights: a `.safetensors` file, an index of shards, or a folder with either.
///
/// # Errors
/// If a file cannot be read or is damaged.
pub fn open_base(path: impl AsRef<Path>) -> Result<BaseFile> {
    let path = path.as_ref();
    let source = Source::open(path)?;
    let plain = source.places.iter().map(|place| module_in_model(&place.name)).collect();
    Ok(BaseFile { source, name: path.display().to_string(), path: path.to_owned(), plain })
}

impl BaseFile {
    /// The file or folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Files of the checkpoint.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.source.files()
    }

    /// The weight that an item is added to, turned to `out x in` by its shape; where it is square, as the configuration says for
    /// layers that store (in, out), and transposed for the table of an embedding. `None` where the file has none.
    ///
    /// It is `<module>.weight`, of stacked experts one matrix of `<module>.<parameter>`, of a MultiheadAttention
    /// `<module>.in_proj_weight`; where there is none of this name, the only one whose name ends so, or that it ends with.
    ///
    /// # Errors
    /// If the tensor is damaged, not finite, or of another shape than the update.
    pub fn weight_of(&self, item: &AdapterItem) -> Result<Option<(OriginalWeight, BaseTensor)>> {
        let Some(place) = self.find(item) else { return Ok(None) };
        let stacked = place.shape.len() == 3 && item.expert.is_some();
        let slice = item.expert.filter(|_| stacked).map(|(index, _)| index);
        let shape = if stacked { &place.shape[1..] } else { &place.shape[..] };
        let found = (shape.first().copied().unwrap_or(1), shape.iter().skip(1).product::<usize>());
        let expected = item.shape();
        let by_flag = item.kind == ModuleKind::Embedding || item.transposed_base;
        let turned = match (found == expected, (found.1, found.0) == expected) {
            (true, true) => by_flag,
            (true, false) => false,
            (false, true) if shape.len() <= 2 => true,
            _ => return Err(self.misfit(place, expected, item)),
        };
        if slice.is_some_and(|index| index >= place.shape[0]) {
            return Err(self.misfit(place, expected, item));
        }
        let matrix = self.source.load_large(place, slice)?;
        let unit_roundoff = self.source.unit_roundoff(place)?;
        let matrix = if turned { matrix.transposed() } else { matrix };
        let square = found.0 == found.1 && item.kind != ModuleKind::Embedding && shape.len() == 2;
        let tensor = BaseTensor { name: place.name.clone(), square };
        Ok(Some((OriginalWeight { matrix, unit_roundoff, turned }, tensor)))
    }

    /// There is a weight that the item is added to.
    pub fn holds(&self, item: &AdapterItem) -> bool {
        let named = |parameter: &String| self.by_name(&format!("{}.{parameter}", item.base_module)).is_some();
        self.find(item).is_some() || item.possible.iter().any(named)
    }

    fn misfit(&self, place: &Place, expected: (usize, usize), item: &AdapterItem) -> InputError {
        InputError::new("the base weight has another shape than the update")
            .file(&self.name)
            .array(&place.name)
            .value(format!(
                "{}, the update of {} is {} x {}",
                shape_text(&place.shape),
                item.name(),
                expected.0,
                expected.1
            ))
            .hint(
                "give the model that the adapter was trained on; block-diagonal pairs (BD-LoRA) and experts need adapter_config.json",
            )
    }

    /// Columns of the weight of a module with so many rows.
    pub(super) fn inputs_of(&self, module: &str, rows: usize) -> Option<usize> {
        let wanted = format!("{}.weight", module_in_model(module));
        match self.by_name(&wanted)?.shape[..] {
            [a, b] if a == rows => Some(b),
            [a, b] if b == rows => Some(a),
            _ => None,
        }
    }

    /// Stacked parameters of a module that has no weight of its own: names and shapes.
    pub(super) fn stacks_of(&self, module: &str) -> Vec<(String, [usize; 3])> {
        let plain = module_in_model(module);
        if self.by_name(&format!("{plain}.weight")).is_some() {
            return Vec::new();
        }
        let stack = |(name, place): (&String, &Place)| {
            let parameter =
                name.rsplit_once('.').filter(|(owner, _)| *owner == plain || owner.ends_with(&format!(".{plain}")))?.1;
            match place.shape[..] {
                [e, a, b] => Some((parameter.to_owned(), [e, a, b])),
                _ => None,
            }
        };
        self.plain.iter().zip(&self.source.places).filter_map(stack).collect()
    }

    fn find(&self, item: &AdapterItem) -> Option<&Place> {
        let module = &item.base_module;
        let weight = match &item.parameter {
            Some(parameter) => format!("{module}.{parameter}"),
            None => format!("{module}.weight"),
        };
        let others = [format!("{module}.base_layer.weight"), format!("{module}.in_proj_weight")];
        let found = self.by_name(&weight).or_else(|| others.iter().find_map(|name| self.by_name(name)));
        found.or_else(|| if item.layout == Layout::Kohya { self.by_flat_name(module) } else { None })
    }

    /// The tensor of this name; else the only one of which the one name ends with the other after a dot.
    fn by_name(&self, wanted: &str) -> Option<&Place> {
        let exact = self.plain.iter().position(|name| name == wanted);
        if let Some(at) = exact {
            return Some(&self.source.places[at]);
        }
        let ends = |long: &str, short: &str| long.strip_suffix(short).is_some_and(|rest| rest.ends_with('.'));
        let last = wanted.rsplit('.').next().unwrap_or(wanted);
        self.only(|name| name.ends_with(last) && (ends(name, wanted) || (ends(wanted, name) && name.contains('.'))))
    }

    /// kohya-ss writes `_` for the dots of a name, after a prefix for the part of the pipeline.
    fn by_flat_name(&self, module: &str) -> Option<&Place> {
        let bare = without_part(module);
        let flat = |name: &str| name.strip_suffix(".weight").map(|name| name.replace('.', "_"));
        let exact = self.only(|name| flat(name).is_some_and(|name| name == bare));
        exact.or_else(|| {
            self.only(|name| {
                flat(name).is_some_and(|name| {
                    name.strip_suffix(bare).is_some_and(|rest| rest.ends_with('_'))
                        || bare.strip_suffix(name.as_str()).is_some_and(|rest| rest.ends_with('_'))
                })
            })
        })
    }

    fn only(&self, fits: impl Fn(&str) -> bool) -> Option<&Place> {
        let mut found = self.plain.iter().zip(&self.source.places).filter(|(name, _)| fits(name));
        found.next().filter(|_| found.next().is_none()).map(|(_, place)| place)
    }
}
