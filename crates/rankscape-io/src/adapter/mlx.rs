//! MLX: `lora_a` is (in, r), `lora_b` (r, out), and `scale` is used as it is. Stacked experts are (experts, r, in), (experts, out, r).

use super::super::array::{Array, shape_text};
use super::draft::{Draft, Expert, alone, stored_pair};
use super::group::{Group, flat};
use super::item::Form;
use super::methods::Method;
use super::names::Role;
use super::settings::{Scaling, Settings};
use super::source::Source;
use rankscape::error::{InputError, Result};
use rankscape::multiplication::Factors;

pub(super) fn pair(group: &Group, expert: Option<&Expert>, source: &Source, settings: &Settings) -> Result<Draft> {
    let (Some(a), Some(b)) = (group.load(source, Role::A)?, group.load(source, Role::B)?) else {
        return Err(alone(group));
    };
    let inner = match expert {
        Some(_) => (a.shape[1], b.shape.get(2).copied()),
        None => (a.shape.get(1).copied().unwrap_or(0), b.shape.first().copied()),
    };
    let dimensions = if expert.is_some() { 3 } else { 2 };
    let sizes = [&a, &b].iter().any(|array| array.shape.len() != dimensions || array.shape.contains(&0));
    let counts = expert.is_some() && a.shape.first() != b.shape.first();
    if sizes || counts || inner.1 != Some(inner.0) {
        return Err(InputError::new("lora_b does not fit lora_a: MLX stores (in, r) and (r, out)")
            .array(&b.name)
            .value(format!("lora_a is {}, lora_b is {}", shape_text(&a.shape), shape_text(&b.shape))));
    }
    if let Some((_, Some(stated))) =
        settings.mlx.filter(|(_, stated)| stated.is_some_and(|rank| rank != inner.0 as u64))
    {
        return Err(InputError::new("the configuration of MLX states another rank than the tensors have")
            .array(&a.name)
            .value(format!("rank {stated}, {} in the tensors", inner.0)));
    }
    let rank = inner.0;
    let mut draft = match expert {
        Some(expert) => {
            let (a, b) = (slice(&a, expert.index), slice(&b, expert.index));
            let factors = Factors::new(vec![flat(&a)?, flat(&b)?])?;
            let mut draft = Draft::new(Method::Lora, "B A", Form::Pair(factors), vec![a, b]);
            draft.fixed = Some("experts share their tensors: such pairs are not balanced");
            draft
        }
        None => {
            let factors = Factors::new(vec![flat(&a)?.transpose(), flat(&b)?.transpose()])?;
            let stored = stored_pair(&a, &b, true);
            let mut draft = Draft::new(Method::Lora, "B A", Form::Pair(factors), vec![a, b]);
            (draft.stored, draft.fixed) = (Some(stored), None);
            draft
        }
    };
    draft.rank = Some(rank);
    Ok(draft)
}

/// One of the stacked matrices.
fn slice(array: &Array, index: usize) -> Array {
    let shape = array.shape[1..].to_vec();
    let size: usize = shape.iter().product();
    let values = array.values[index * size..(index + 1) * size].to_vec();
    Array { name: array.name.clone(), shape, values, element: array.element, exact: None }
}

/// `scale` of `lora_parameters`.
pub(super) fn scaling(settings: &Settings) -> Scaling {
    match settings.mlx {
        Some((Some(scale), _)) => {
            Scaling::known(scale, format!("scale {scale} of lora_parameters, used as it is by MLX"))
        }
        Some((None, _)) => Scaling::unknown("not known: lora_parameters of adapter_config.json has no scale"),
        None => Scaling::unknown("not known: there is no adapter_config.json of MLX beside the file"),
    }
}
