//! What PEFT stores: pairs, a diagonal between them (KaSA, AdaLoRA), block-diagonal factors (BD-LoRA), stacked experts, shared
//! projections (VeRA). loralib's pairs look the same.

use super::super::array::{Array, shape_text};
use super::config::{BlockSide, PeftConfig, PeftMethod};
use super::draft::{Around, Draft, Expert, alone, stored_pair};
use super::group::{Group, flat};
use super::item::Form;
use super::methods::Method;
use super::names::{Layout, Role};
use super::source::Source;
use rankscape::error::{InputError, Result};
use rankscape::linalg::Matrix;
use rankscape::multiplication::{Factors, Removed, Update};

/// `B A`, with a diagonal between or with blocks where the file or the configuration says so.
pub(super) fn pair(group: &Group, source: &Source, config: Option<(&PeftConfig, &str)>) -> Result<Draft> {
    let (Some(a), Some(b)) = (group.load(source, Role::A)?, group.load(source, Role::B)?) else {
        return Err(alone(group));
    };
    let diagonal = group.load(source, Role::Diagonal)?;
    let blocks = config.map(|(config, name)| config.block_side(name)).transpose()?.flatten();
    let kasa = config.is_some_and(|(config, _)| config.kasa);
    if let Some((config, name)) = config {
        check_rank(config, name, &a)?;
    }
    match (diagonal, blocks) {
        (Some(_), Some(_)) => {
            Err(InputError::new("block-diagonal factors with a diagonal between them are not read").array(&a.name))
        }
        (Some(diagonal), None) => with_diagonal(group, a, b, diagonal, config.map(|(config, _)| config)),
        (None, _) if kasa => {
            Err(InputError::new("the configuration says KaSA (kasa_config), but the file has no lora_diag")
                .array(&a.name)
                .hint("the checkpoint is damaged, or the configuration is that of another adapter"))
        }
        (None, Some((side, count))) => block_diagonal(a, b, side, count),
        (None, None) => free(group, a, b),
    }
}

/// PEFT would not load tensors of another rank than the configuration states.
fn check_rank(config: &PeftConfig, name: &str, a: &Array) -> Result<()> {
    let rank = a.shape.first().copied().unwrap_or(0);
    match config.stated_rank(name) {
        Some((stated, by)) if stated != rank as f64 && config.method == PeftMethod::Lora => {
            Err(InputError::new("the configuration (adapter_config.json) states another rank than the tensors have")
                .array(&a.name)
                .value(format!("{stated} by {by}, {rank} rows of A"))
                .hint("it is the configuration of another adapter, or a pair of stacked experts that target_parameters does not name"))
        }
        _ => Ok(()),
    }
}

fn free(group: &Group, a: Array, b: Array) -> Result<Draft> {
    check_shapes(&a, &b)?;
    if group.layout == Layout::Bare && b.shape[1] != a.shape[0] {
        return Err(does_not_fit(&a, &b));
    }
    let factors = Factors::new(vec![flat(&a)?, flat(&b)?])?;
    let stored = stored_pair(&a, &b, false);
    let rank = a.shape[0];
    let mut draft = Draft::new(Method::Lora, "B A", Form::Pair(factors), vec![a, b]);
    (draft.rank, draft.stored, draft.fixed) = (Some(rank), Some(stored), None);
    Ok(draft)
}

/// `A` is `r x in`, `B` is `out x r`; kernels of a convolution stand row by row.
pub(super) fn check_shapes(a: &Array, b: &Array) -> Result<()> {
    for array in [a, b] {
        if array.shape.len() < 2 || array.shape.contains(&0) {
            return Err(InputError::new("a tensor of a low-rank pair has two dimensions, or those of a convolution")
                .array(&array.name)
                .value(format!("shape {}", shape_text(&array.shape)))
                .hint("it may be a part of a tensor that was split over processes: gather it before saving"));
        }
    }
    let fits = b.shape[1] == a.shape[0] && b.shape[2..].iter().all(|&size| size == 1);
    if !fits || (a.shape.len() == 2) != (b.shape.len() == 2) {
        return Err(does_not_fit(a, b));
    }
    Ok(())
}

fn does_not_fit(a: &Array, b: &Array) -> InputError {
    let hint = match a.shape.len() {
        2 => "loralib's MergedLinear, whose B is a grouped convolution, is not read",
        _ => "convolutions with groups are not read: their update is no product of two matrices",
    };
    InputError::new("B does not fit A: B has as many columns as A has rows")
        .array(&b.name)
        .value(format!("A is {}, B is {}", shape_text(&a.shape), shape_text(&b.shape)))
        .hint(hint)
}

/// `B diag(d) A`: KaSA, which also drops the smallest parts of the base, and AdaLoRA.
fn with_diagonal(group: &Group, a: Array, b: Array, d: Array, config: Option<&PeftConfig>) -> Result<Draft> {
    check_shapes(&a, &b)?;
    if d.values.len() != a.shape[0] {
        return Err(InputError::new("the diagonal between A and B does not fit").array(&d.name).value(format!(
            "{}, A is {}",
            shape_text(&d.shape),
            shape_text(&a.shape)
        )));
    }
    let adalora = d.name.contains("lora_E");
    if let Some(config) = config {
        let (other, word) = match (adalora, config.method, config.kasa) {
            (true, PeftMethod::Adalora, _) | (false, PeftMethod::Lora, true) => ("", ""),
            (true, ..) => ("AdaLoRA (lora_E)", "another method"),
            (false, ..) => ("KaSA (lora_diag)", "nothing of it"),
        };
        if !other.is_empty() {
            return Err(InputError::new(format!("the file is {other}, the configuration says {word}")).array(&d.name));
        }
    }
    let rank = a.shape[0];
    let right = flat(&a)?;
    let right = Matrix::from_fn(right.nrows(), right.ncols(), |i, j| d.values[i] * right[(i, j)]);
    let update = Update::low_rank(flat(&b)?, right)?;
    let method = if adalora { Method::Adalora } else { Method::Kasa };
    let mut draft = Draft::new(method, "B diag(d) A", Form::Other(update), vec![a, b, d]);
    draft.rank = Some(rank);
    draft.convolution &= group.layout != Layout::Bare;
    draft.removed = (!adalora).then_some(Removed::Smallest(rank));
    Ok(draft)
}

/// The stored half is a stack of blocks; the factor has them on its diagonal.
fn block_diagonal(a: Array, b: Array, side: BlockSide, count: usize) -> Result<Draft> {
    let rank = a.shape.first().copied().unwrap_or(0);
    let expand = |array: &Array| {
        let stacked = flat(array)?;
        let (rows, cols) = stacked.shape();
        if rows % count != 0 {
            return Err(InputError::new("the blocks do not fit the tensor")
                .array(&array.name)
                .value(format!("{}, {count} blocks (use_bdlora)", shape_text(&array.shape))));
        }
        let height = rows / count;
        Ok(Matrix::from_fn(
            rows,
            cols * count,
            |i, j| if j / cols == i / height { stacked[(i, j % cols)] } else { 0.0 },
        ))
    };
    let (right, left) = match side {
        BlockSide::A => (expand(&a)?, flat(&b)?),
        BlockSide::B => (flat(&a)?, expand(&b)?),
    };
    if left.ncols() != right.nrows() {
        return Err(does_not_fit(&a, &b));
    }
    let update = Update::low_rank(left, right)?;
    let formula = if side == BlockSide::A { "B blockdiag(A)" } else { "blockdiag(B) A" };
    let mut draft = Draft::new(Method::Bdlora, formula, Form::Other(update), vec![a, b]);
    draft.rank = Some(rank);
    Ok(draft)
}

/// Expert `e` of a stack: `A_e` is a run of rows of `A`, `B_e` every `E`-th column of `B`.
pub(super) fn expert(group: &Group, expert: &Expert, source: &Source) -> Result<Draft> {
    let (Some(a), Some(b)) = (group.load(source, Role::A)?, group.load(source, Role::B)?) else {
        return Err(alone(group));
    };
    check_shapes(&a, &b)?;
    let (rows, cols) = (a.shape[0], a.shape[1]);
    let rank = rows / expert.count;
    let values = a.values[expert.index * rank * cols..(expert.index + 1) * rank * cols].to_vec();
    let a_e = Array { shape: vec![rank, cols], values, ..a };
    let out = b.shape[0];
    let values =
        (0..out * rank).map(|at| b.values[at / rank * rows + at % rank * expert.count + expert.index]).collect();
    let b_e = Array { shape: vec![out, rank], values, ..b };
    let factors = Factors::new(vec![flat(&a_e)?, flat(&b_e)?])?;
    let mut draft = Draft::new(Method::Lora, "B A", Form::Pair(factors), vec![a_e, b_e]);
    draft.rank = Some(rank);
    draft.fixed = Some("experts share their tensors: such pairs are not balanced");
    Ok(draft)
}

/// `diag(lambda_b) B diag(lambda_d) A`, with the leading rows and columns of shared projections.
pub(super) fn vera(group: &Group, around: &Around<'_>) -> Result<Draft> {
    let source = around.source;
    let (Some(lambda_b), Some(lambda_d)) = (group.load(source, Role::LambdaB)?, group.load(source, Role::LambdaD)?)
    else {
        return Err(InputError::new("the module of VeRA is incomplete: it has vera_lambda_b and vera_lambda_d")
            .array(group.places().next().map_or(group.module.as_str(), |place| place.name.as_str())));
    };
    let Some((a, b)) = &around.shared else {
        return Err(InputError::new(
            "the projections of VeRA are not in the file (save_projection), so the update is not known",
        )
        .array(&lambda_b.name)
        .hint("save the adapter with save_projection=True"));
    };
    let (right, left) = (flat(a)?, flat(b)?);
    let (out, rank) = (lambda_b.values.len(), lambda_d.values.len());
    let inputs = around.inputs.unwrap_or(right.ncols()).min(right.ncols());
    if left.nrows() < out || left.ncols() != rank || right.nrows() != rank {
        return Err(InputError::new("the projections of VeRA do not fit the module")
            .array(&lambda_b.name)
            .value(format!("vera_A is {}, vera_B is {}", shape_text(&a.shape), shape_text(&b.shape))));
    }
    let left = Matrix::from_fn(out, rank, |i, k| lambda_b.values[i] * left[(i, k)]);
    let right = Matrix::from_fn(rank, inputs, |k, j| lambda_d.values[k] * right[(k, j)]);
    let update = Update::low_rank(left, right)?;
    let formula = "diag(lambda_b) B diag(lambda_d) A";
    let mut draft = Draft::new(Method::Vera, formula, Form::Other(update), vec![lambda_b, lambda_d]);
    draft.rank = Some(rank);
    if around.inputs.is_none() && around.sharing > 1 {
        draft.undetermined = Some(
            "VeRA's modules share projections and the file does not tell how many inputs each has: give --base"
                .to_owned(),
        );
    }
    Ok(draft)
}
