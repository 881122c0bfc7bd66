//! From the tensors of a module to its update.

use super::super::array::shape_text;
use super::super::digest::array_digest;
use super::config::{Initialization, PeftConfig, PeftMethod};
use super::draft::{Around, Draft, Expert, Owner};
use super::group::Group;
use super::item::{AdapterItem, Form};
use super::methods::{Method, ModuleKind};
use super::names::{Factor, Half, Layout, Role, module_in_model};
use super::settings::Scaling;
use super::{lycoris, mlx, peft};
use rankscape::error::{InputError, Result};
use rankscape::multiplication::{Lengths, Removed};

/// Reads the update of a group, or of one of its experts.
pub(super) fn assemble(group: &Group, expert: Option<&Expert>, around: &Around<'_>) -> Result<AdapterItem> {
    let config = config_of(group, around);
    let config = config.as_ref().map(|(config, name)| (*config, name.as_str()));
    let draft = draft(group, expert, around, config)?;
    let lengths = lengths(group, around, draft.form_shape())?;
    if let Some((config, _)) = config {
        check_method(config, &draft, lengths.is_some())?;
    }
    let module = base_layer_free(&group.module);
    let (times, mut notes) = applied(group, config, around);
    let possible = expert.map(|expert| expert.possible.clone()).unwrap_or_default();
    if !possible.is_empty() {
        notes.push(format!(
            "each is of one of the parameters {} of its module, and the files do not tell which: PEFT nests the pairs in the order in \
             which the module registers its parameters, the first innermost",
            possible.join(", ")
        ));
    }
    let scaling = scaling(group, expert, &draft, around, config)?;
    if lengths.is_some() && config.is_none() && group.layout == Layout::Peft {
        notes.push("the file holds lora_magnitude_vector: DoRA".to_owned());
    }
    let (removed, undetermined) = initial(&draft, config);
    let mut arrays = draft.arrays;
    arrays.extend(group.load(around.source, Role::Lengths)?);
    let roundoff = arrays.iter().map(|array| array.element.unit_roundoff()).fold(0.0, f64::max);
    Ok(AdapterItem {
        base_module: config
            .map_or_else(|| module_in_model(&module), |(config, _)| replicated(config, &module_in_model(&module))),
        transposed_base: config.is_some_and(|(config, _)| config.transposed_base),
        // Pairs of one module that are told apart by nothing else keep their names of the file.
        module: if possible.is_empty() && !around.stored_twice { module } else { group.module.clone() },
        adapter: group.adapter.clone(),
        parameter: expert.and_then(|expert| expert.parameter.clone()),
        expert: expert
            .filter(|expert| expert.count > 1 || expert.parameter.is_some() || !possible.is_empty())
            .map(|e| (e.index, e.count)),
        possible,
        kind: match (group.embedding, draft.convolution && expert.is_none()) {
            (true, _) => ModuleKind::Embedding,
            (false, true) => ModuleKind::Convolution,
            (false, false) => ModuleKind::Linear,
        },
        method: if lengths.is_some() && draft.method == Method::Lora { Method::Dora } else { draft.method },
        layout: group.layout,
        formula: draft.formula,
        form: draft.form,
        tensors: arrays.iter().map(|array| (array.name.clone(), array.shape.clone())).collect(),
        unit_roundoff: roundoff,
        scaling,
        removed,
        lengths,
        undetermined,
        times,
        bias: group.place(Role::Bias).map(|place| place.name.clone()),
        fixed: draft.fixed,
        notes,
        digests: arrays.iter().map(|array| array_digest(array, false)).collect(),
        stored: draft.stored,
    })
}

fn draft(
    group: &Group,
    expert: Option<&Expert>,
    around: &Around<'_>,
    config: Option<(&PeftConfig, &str)>,
) -> Result<Draft> {
    let hadamard = |factor| Role::Hadamard(Half::First, factor);
    let kronecker = [Factor::Whole, Factor::Left].map(|factor| Role::Kronecker(Half::First, factor));
    match group.layout {
        Layout::Mlx => mlx::pair(group, expert, around.source, around.settings),
        _ if group.has(Role::LambdaB) || group.has(Role::LambdaD) => peft::vera(group, around),
        _ if group.has(hadamard(Factor::Left)) => lycoris::hadamard(group, around.source, config),
        _ if kronecker.iter().any(|&role| group.has(role)) => lycoris::kronecker(group, around.source, config),
        _ if group.has(Role::Difference) => lycoris::difference(group, around.source),
        _ if group.has(Role::Middle) => lycoris::tucker(group, around.source),
        _ => match expert {
            Some(expert) if expert.count > 1 => peft::expert(group, expert, around.source),
            // The rank was compared when the parameter was found.
            Some(_) => peft::pair(group, around.source, None),
            _ => peft::pair(group, around.source, config),
        },
    }
}

/// The tensors are those of the method that the configuration names.
fn check_method(config: &PeftConfig, draft: &Draft, has_lengths: bool) -> Result<()> {
    let name = draft.arrays.first().map_or("", |array| array.name.as_str());
    let expected = match draft.method {
        Method::Loha => PeftMethod::Loha,
        Method::Lokr => PeftMethod::Lokr,
        Method::Adalora => PeftMethod::Adalora,
        Method::Vera => PeftMethod::Vera,
        _ => PeftMethod::Lora,
    };
    let against = |what: String| {
        InputError::new(format!("adapter_config.json says {what}"))
            .array(name)
            .hint("the configuration is that of another adapter, or the checkpoint is damaged")
    };
    if config.method != expected {
        return Err(against(format!("{}, the tensors are those of {}", config.method.name(), expected.name())));
    }
    match (config.dora, has_lengths) {
        (Some(true), false) if draft.method == Method::Lora => {
            Err(against("DoRA (use_dora), but the file has no lora_magnitude_vector".to_owned()))
        }
        (Some(false), true) => Err(against("no DoRA (use_dora), but the file has a lora_magnitude_vector".to_owned())),
        _ => Ok(()),
    }
}

/// The configuration that holds for the adapter of this group.
fn config_of<'a>(group: &Group, around: &Around<'a>) -> Option<(&'a PeftConfig, String)> {
    let holds = match around.owner {
        Owner::All => true,
        Owner::Named(name) => group.adapter.as_ref() == Some(name),
        Owner::Nobody => false,
    };
    if holds { around.settings.config_of(&base_layer_free(&group.module)) } else { None }
}

/// PEFT nests wrappers of one module in `base_layer`.
pub(super) fn base_layer_free(module: &str) -> String {
    module.split('.').filter(|word| *word != "base_layer").collect::<Vec<_>>().join(".")
}

/// How often PEFT adds the update, with a note: that of a MultiheadAttention's `out_proj` stands inside the wrapper of the
/// attention, which adds it once, and so does its own.
///
/// A second pair, of `out_proj` targeted by its name, is in a wrapper whose forward pass the attention does not call.
fn applied(group: &Group, config: Option<(&PeftConfig, &str)>, around: &Around<'_>) -> (usize, Vec<String>) {
    let mut notes = Vec::new();
    if !group.training_only.is_empty() {
        notes.push(format!("not used, as it acts in training only: {}", group.training_only.join(", ")));
    }
    let inside = group.module.ends_with(".base_layer.out_proj") && group.layout == Layout::Peft;
    if inside && config.is_none_or(|(config, _)| config.parameters.is_empty()) {
        notes.push(
            "PEFT (seen in 0.17 and 0.21) adds the update of out_proj inside a MultiheadAttention twice: the singular values are \
             those of twice the scaling times B A, as it is loaded; once added they are half as large"
                .to_owned(),
        );
        return (2, notes);
    }
    if around.stored_twice && !inside {
        notes.push(
            "inert: PEFT (seen in 0.17) neither merges nor calls this pair, as out_proj is wrapped twice and a MultiheadAttention uses the \
             one stored under base_layer only; the values are those of B A, the weight does not change by it"
                .to_owned(),
        );
    }
    (1, notes)
}

/// `layers.3` of a model with replicated layers stands on another layer of the base.
fn replicated(config: &PeftConfig, module: &str) -> String {
    if config.replication.is_empty() {
        return module.to_owned();
    }
    let mut words: Vec<String> = module.split('.').map(str::to_owned).collect();
    let at = words.windows(2).position(|pair| {
        ["layers", "layer", "h", "blocks"].contains(&pair[0].as_str()) && pair[1].parse::<usize>().is_ok()
    });
    if let Some(at) = at {
        let layer = words[at + 1].parse().ok().and_then(|layer| config.base_layer(layer));
        words[at + 1] = layer.map_or_else(|| "beyond the replicated layers".to_owned(), |layer| layer.to_string());
    }
    words.join(".")
}

/// What loading takes off the base, and why the change may not be determined.
fn initial(draft: &Draft, config: Option<(&PeftConfig, &str)>) -> (Option<Removed>, Option<String>) {
    let start = config.map(|(config, _)| &config.initialization);
    let rank = draft.rank.unwrap_or(0);
    let pair = matches!(draft.form, Form::Pair(_));
    let undetermined = draft.undetermined.clone();
    match start {
        Some(Initialization::Principal) if pair => (Some(Removed::Principal(rank)), undetermined),
        Some(Initialization::LeadingColumns) if pair => (Some(Removed::LeadingColumns(rank)), undetermined),
        Some(Initialization::Unknown(reason)) if pair => (draft.removed, undetermined.or_else(|| Some(reason.clone()))),
        _ => (draft.removed, undetermined),
    }
}

/// DoRA's lengths, along the rows or the columns by their number.
fn lengths(group: &Group, around: &Around<'_>, (rows, cols): (usize, usize)) -> Result<Option<Lengths>> {
    let Some(array) = group.load(around.source, Role::Lengths)? else { return Ok(None) };
    let count = array.values.len();
    // LyCORIS stores (1, in, ...) for columns; all others store one a row.
    let kohya = group.layout == Layout::Kohya;
    let column_shape = array.shape.len() > 1 && array.shape[0] == 1 && array.shape[1] == count && count.max(rows) != 1;
    let of_columns = if kohya { column_shape } else { count != rows };
    // The columns of a convolution are channels times places of the kernel; each channel has one length.
    let channels = kohya && of_columns && array.shape.len() > 2 && count > 0 && cols.is_multiple_of(count);
    let fits = channels || count == if of_columns { cols } else { rows };
    if !fits {
        return Err(InputError::new("the lengths of DoRA do not fit the update")
            .array(&array.name)
            .value(format!("{}, the update is {rows} x {cols}", shape_text(&array.shape))));
    }
    Ok(Some(Lengths { values: array.values, of_columns }))
}

/// The scaling, by what states it: a tensor, a configuration, the header.
fn scaling(
    group: &Group,
    expert: Option<&Expert>,
    draft: &Draft,
    around: &Around<'_>,
    config: Option<(&PeftConfig, &str)>,
) -> Result<Scaling> {
    let Some(rank) = draft.rank else {
        return Ok(Scaling::known(1.0, "1: a difference is added as it is"));
    };
    if group.layout == Layout::Mlx {
        return Ok(mlx::scaling(around.settings));
    }
    if let Some(reason) = config.zip(expert).and_then(|((config, name), expert)| differs(config, name, expert, rank)) {
        return Ok(Scaling::unknown(reason));
    }
    let by_config = config.map(|(config, name)| {
        let parameter = expert.and_then(|expert| expert.parameter.as_ref().or(expert.possible.first()));
        let name = parameter.map_or_else(|| name.to_owned(), |parameter| format!("{name}.{parameter}"));
        config.scaling(&name, rank)
    });
    if let Some(place) = group.place(Role::Alpha) {
        let alpha = around.source.scalar(place)?;
        let scaling = lycoris::alpha_scaling(group, alpha, rank);
        return Ok(match (by_config, scaling.value) {
            (Some((other, reason)), Some(value)) if other != value => {
                Scaling::unknown(format!("not known: the file says {}, the configuration {reason}", scaling.reason))
            }
            _ => scaling,
        });
    }
    if let Some((value, reason)) = by_config {
        return Ok(Scaling::known(value, reason));
    }
    if let Some(found) = around.settings.network_scaling(rank).filter(|_| group.layout == Layout::Kohya) {
        return Ok(found);
    }
    let part_of_pipeline = ["unet", "transformer", "text_encoder", "text_encoder_2", "diffusion_model"];
    let first = group.module.split('.').next().unwrap_or("");
    Ok(Scaling::unknown(match (around.owner, group.layout) {
        (Owner::Named(name), _) => format!("not known: the configuration is that of the adapter {name:?}"),
        (Owner::Nobody, _) => {
            "not known: the file holds several adapters, and which one the configuration is of is not told".to_owned()
        }
        (_, Layout::Kohya) => {
            "not known: the file has no .alpha for it and no fitting ss_network_alpha in its header".to_owned()
        }
        (_, Layout::Bare) => "not known: loralib keeps lora_alpha in the code".to_owned(),
        (_, Layout::Diffusers) => {
            "not known: neither .alpha nor lora_adapter_metadata is in the file; diffusers then takes 1".to_owned()
        }
        (_, Layout::Peft) if part_of_pipeline.contains(&first) => {
            "not known: lora_adapter_metadata is not in the header; diffusers then takes 1".to_owned()
        }
        _ => "not known: there is no adapter_config.json beside the file".to_owned(),
    }))
}

/// Why the configuration gives no scaling to a pair that is of one of several parameters.
fn differs(config: &PeftConfig, name: &str, expert: &Expert, rank: usize) -> Option<String> {
    let scaling = |parameter: &String| config.scaling(&format!("{name}.{parameter}"), rank);
    let (first, _) = expert.possible.first().map(scaling)?;
    let (other, pattern) = expert.possible.iter().map(scaling).find(|(other, _)| *other != first)?;
    Some(format!(
        "not known: which of {} the pair is of is not told, and the configuration gives {first} or {other} ({pattern}); the shapes of \
         --base tell it where they differ",
        expert.possible.join(", ")
    ))
}
