//! The arrays of a file, put together by module: layers, and what is none.

use std::collections::BTreeMap;

use super::super::container::Entry;
use super::names::{Named, Raw, Role, numbers, parse, pattern, stem};

/// Where the matrix of a layer comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// It is an array.
    Plain(String),
    /// `original / (u' original v)`: spectral normalization.
    Spectral { original: String, u: String, v: String },
    /// `gain * direction / |direction|`, rows or columns of unit length: weight normalization.
    WeightNorm { gain: String, direction: String },
}

/// A bias: its array and the shape of that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bias {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
}

/// A layer: its matrix and its bias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layer {
    /// Name of the matrix.
    pub(crate) name: String,
    pub(crate) source: Source,
    /// Shape of the matrix as it is stored.
    pub(crate) shape: Vec<usize>,
    pub(crate) bias: Option<Bias>,
    /// It is stored as (in, out).
    pub(crate) in_first: bool,
}

/// What is no layer, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Normalization with statistics of the training data.
    BatchNorm,
    /// Scales and shifts without statistics.
    LayerNorm,
    /// More than two dimensions.
    Tensor,
    /// Parts of a weight that do not say what it is.
    Parametrization,
    /// A bias whose matrix is not there.
    BiasAlone,
    /// A weight with one dimension.
    Flat,
    /// A vector or number whose name says nothing.
    Unknown,
}

/// Arrays of one module that are no layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rest {
    pub(super) kind: Kind,
    pub(super) arrays: Vec<Entry>,
}

/// All that a file holds.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) layers: Vec<Layer>,
    pub(super) rest: Vec<Rest>,
    /// The arrays are a list without names, as `numpy.savez` makes of one.
    pub(super) listed: bool,
}

/// Puts arrays together by their names, or by their order where they are a numbered list.
pub(super) fn contents(entries: &[Entry]) -> Contents {
    if is_list(entries) {
        return listed(entries);
    }
    let mut order: Vec<String> = Vec::new();
    let mut modules: BTreeMap<String, Vec<(Role, &Entry)>> = BTreeMap::new();
    for (entry, named) in entries.iter().zip(joined(entries)) {
        if !modules.contains_key(&named.module) {
            order.push(named.module.clone());
        }
        modules.entry(named.module).or_default().push((named.role, entry));
    }
    let mut contents = Contents::default();
    for module in order {
        contents.add(modules.remove(&module).unwrap_or_default());
    }
    contents
}

/// Names that are read, with each bias that no module has in the module of the only matrix that it is called after: `enc.bias` and
/// `enc_b` stand beside a matrix `enc`.
fn joined(entries: &[Entry]) -> Vec<Named> {
    let mut names: Vec<Named> = entries.iter().map(|entry| parse(&entry.name)).collect();
    let mut stems: Vec<String> = names.iter().map(stem).collect();
    let weighs = |named: &Named, entry: &Entry| {
        entry.shape.len() == 2 && matches!(named.role, Role::Weight { .. } | Role::Unknown)
    };
    for at in 0..names.len() {
        let bias = &names[at];
        let in_module =
            |named: &Named| named.module == bias.module && matches!(named.role, Role::Weight { .. } | Role::Raw(_));
        if bias.role != Role::Bias || !is_vector(&entries[at].shape) || names.iter().any(in_module) {
            continue;
        }
        let has_bias = |module: &str| names.iter().any(|named| named.role == Role::Bias && named.module == module);
        let of_stem = |&other: &usize| {
            let named = &names[other];
            weighs(named, &entries[other]) && stems[other] == stems[at] && !has_bias(&named.module)
        };
        if let [matrix] = (0..names.len()).filter(of_stem).collect::<Vec<_>>()[..] {
            names[at].module = names[matrix].module.clone();
            stems[at] = stem(&names[at]);
            if names[matrix].role == Role::Unknown {
                names[matrix].role = Role::Weight { in_first: false };
            }
        }
    }
    names
}

/// `arr_0`, `arr_1`, ...: one pattern, without a word that means something.
fn is_list(entries: &[Entry]) -> bool {
    let first = entries.first().map(|entry| pattern(&entry.name)).unwrap_or_default();
    let numbered = |entry: &Entry| entry.name.bytes().any(|byte| byte.is_ascii_digit());
    entries
        .iter()
        .all(|entry| numbered(entry) && parse(&entry.name).role == Role::Unknown && pattern(&entry.name) == first)
}

/// The vector of a bias, also as one row or one column.
fn is_vector(shape: &[usize]) -> bool {
    shape.len() == 1 || is_row_or_column(shape)
}

fn is_row_or_column(shape: &[usize]) -> bool {
    shape.len() == 2 && shape.contains(&1)
}

/// Matrices, each with the vector that follows it. Where all arrays are matrices, as in MATLAB, a row or a column that goes on
/// nowhere is such a vector.
fn listed(entries: &[Entry]) -> Contents {
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    sorted.sort_by_key(|entry| numbers(&entry.name));
    let matrices_only = sorted.iter().all(|entry| entry.shape.len() == 2);
    let mut contents = Contents { listed: true, ..Contents::default() };
    for entry in sorted {
        let fits = |layer: &Layer| layer.shape.contains(&entry.shape.iter().product());
        let bias = entry.shape.len() == 1
            || (matrices_only && is_row_or_column(&entry.shape) && !chains_after(&contents, entry));
        match contents.layers.last_mut() {
            Some(layer) if bias && layer.bias.is_none() && fits(layer) => layer.bias = Some(Bias::of(entry)),
            _ if entry.shape.len() == 2 => contents.layers.push(Layer::plain(entry, false)),
            _ => contents.rest.push(Rest::new(Kind::Unknown, &[entry])),
        }
    }
    contents
}

/// A row or column goes on where the last matrix ends, in one of the two orientations.
fn chains_after(contents: &Contents, entry: &Entry) -> bool {
    let Some(layer) = contents.layers.last() else { return true };
    layer.shape[0] == entry.shape[1] || layer.shape[1] == entry.shape[0]
}

impl Bias {
    pub(super) fn of(entry: &Entry) -> Self {
        Self { name: entry.name.clone(), shape: entry.shape.clone() }
    }
}

impl Layer {
    pub(super) fn plain(entry: &Entry, in_first: bool) -> Self {
        let (name, shape) = (entry.name.clone(), entry.shape.clone());
        Self { source: Source::Plain(name.clone()), name, shape, bias: None, in_first }
    }

    /// Names of the arrays that the layer is made of.
    pub(crate) fn arrays(&self) -> Vec<&str> {
        let mut names: Vec<&str> = match &self.source {
            Source::Plain(name) => vec![name],
            Source::Spectral { original, u, v } => vec![original, u, v],
            Source::WeightNorm { gain, direction } => vec![gain, direction],
        };
        names.extend(self.bias.as_ref().map(|bias| bias.name.as_str()));
        names
    }
}

impl Rest {
    fn new(kind: Kind, arrays: &[&Entry]) -> Self {
        Self { kind, arrays: arrays.iter().map(|&entry| entry.clone()).collect() }
    }
}

impl Contents {
    /// Sorts the arrays of one module.
    fn add(&mut self, arrays: Vec<(Role, &Entry)>) {
        let with = |wanted: fn(Role) -> bool| -> Vec<&Entry> {
            arrays.iter().filter(|(role, _)| wanted(*role)).map(|(_, entry)| *entry).collect()
        };
        let all: Vec<&Entry> = arrays.iter().map(|(_, entry)| *entry).collect();
        if !with(|role| matches!(role, Role::Raw(_))).is_empty() {
            match composed(&arrays) {
                Some(layer) => self.layers.push(layer),
                None => self.rest.push(Rest::new(Kind::Parametrization, &all)),
            }
            return;
        }
        let weights = with(|role| matches!(role, Role::Weight { .. }));
        let statistics = with(|role| role == Role::Normalization);
        if !statistics.is_empty() {
            let moments = statistics.iter().any(|entry| {
                ["mean", "var", "variance", "tracked"]
                    .iter()
                    .any(|end| entry.name.trim_end_matches(":0").ends_with(end))
            });
            let kind = if moments { Kind::BatchNorm } else { Kind::LayerNorm };
            self.rest.push(Rest::new(kind, &all));
        } else if weights.iter().any(|entry| entry.shape.len() == 2) {
            self.add_layers(&arrays);
        } else if weights.iter().any(|entry| entry.shape.len() > 2) {
            self.rest.push(Rest::new(Kind::Tensor, &all));
        } else if weights.len() == 1 && all.len() == 2 && weights[0].name.contains(['.', '/']) {
            self.rest.push(Rest::new(Kind::LayerNorm, &all));
        } else {
            self.add_apart(&arrays);
        }
    }

    /// A module with a matrix; its first vector is the bias.
    fn add_layers(&mut self, arrays: &[(Role, &Entry)]) {
        let mut bias = None;
        let first = self.layers.len();
        for (role, entry) in arrays {
            match role {
                Role::Weight { in_first } if entry.shape.len() == 2 => {
                    self.layers.push(Layer::plain(entry, *in_first));
                }
                Role::Bias if bias.is_none() && is_vector(&entry.shape) => bias = Some(Bias::of(entry)),
                _ => self.add_apart(&[(*role, entry)]),
            }
        }
        self.layers[first].bias = bias;
    }

    /// Arrays that nothing goes with.
    fn add_apart(&mut self, arrays: &[(Role, &Entry)]) {
        for (role, entry) in arrays {
            let kind = match (role, entry.shape.len()) {
                (_, 2) => {
                    self.layers.push(Layer::plain(entry, false));
                    continue;
                }
                (_, 3..) => Kind::Tensor,
                (Role::Bias, 1) => Kind::BiasAlone,
                (Role::Weight { .. }, 1) => Kind::Flat,
                _ => Kind::Unknown,
            };
            self.rest.push(Rest::new(kind, &[entry]));
        }
    }
}

/// The layer whose weight is computed from several arrays.
fn composed(arrays: &[(Role, &Entry)]) -> Option<Layer> {
    let part = |wanted: Raw| {
        let mut found = arrays.iter().filter(|(role, _)| *role == Role::Raw(wanted)).map(|(_, entry)| *entry);
        found.next().filter(|_| found.next().is_none())
    };
    let bias = arrays.iter().find(|(role, entry)| *role == Role::Bias && is_vector(&entry.shape));
    let used = 3 + usize::from(bias.is_some());
    let name = |entry: &Entry| entry.name.clone();
    let (source, matrix) = match (part(Raw::Original), part(Raw::U), part(Raw::V), part(Raw::Gain)) {
        (Some(original), Some(u), Some(v), None) if arrays.len() == used => {
            (Source::Spectral { original: name(original), u: name(u), v: name(v) }, original)
        }
        (None, None, Some(direction), Some(gain)) if arrays.len() + 1 == used => {
            (Source::WeightNorm { gain: name(gain), direction: name(direction) }, direction)
        }
        _ => return None,
    };
    let bias = bias.map(|(_, entry)| Bias::of(entry));
    let name = parse(&matrix.name).weight;
    (matrix.shape.len() == 2).then(|| Layer { name, source, shape: matrix.shape.clone(), bias, in_first: false })
}
