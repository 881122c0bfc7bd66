//! What kohya-ss and LyCORIS store beyond pairs: Tucker cores, LoHa, LoKr, full differences. PEFT's LoHa and LoKr are the same tensors
//! with the scaling in the configuration.

use super::super::array::{Array, shape_text};
use super::config::PeftConfig;
use super::draft::{Draft, alone};
use super::group::{Group, flat};
use super::item::Form;
use super::methods::Method;
use super::names::{Factor, Half, Role};
use super::settings::Scaling;
use super::source::Source;
use rankscape::error::{InputError, Result};
use rankscape::linalg::Matrix;
use rankscape::multiplication::Update;

/// `sum_ij up_i core_ij down_j`: a convolution whose kernels are mixed by a core.
pub(super) fn tucker(group: &Group, source: &Source) -> Result<Draft> {
    let (Some(a), Some(b), Some(core)) =
        (group.load(source, Role::A)?, group.load(source, Role::B)?, group.load(source, Role::Middle)?)
    else {
        return Err(alone(group));
    };
    let right = through_core(&core, &flat(&a)?)?;
    let left = flat(&b)?;
    if left.ncols() != right.nrows() {
        return Err(misfit(&b, &core));
    }
    let rank = a.shape[0];
    let update = Update::low_rank(left, right)?;
    let mut draft = Draft::new(Method::Tucker, "up core down", Form::Other(update), vec![a, b, core]);
    draft.rank = Some(rank);
    Ok(draft)
}

/// `(W1A W1B) o (W2A W2B)`.
pub(super) fn hadamard(group: &Group, source: &Source, config: Option<(&PeftConfig, &str)>) -> Result<Draft> {
    let mut arrays = Vec::new();
    let mut halves = Vec::new();
    let mut rank = 0;
    for half in [Half::First, Half::Second] {
        let load = |factor| group.load(source, Role::Hadamard(half, factor));
        let (Some(left), Some(right)) = (load(Factor::Left)?, load(Factor::Right)?) else {
            return Err(incomplete(group, "LoHa", "hada_w1_a, hada_w1_b, hada_w2_a and hada_w2_b"));
        };
        rank = right.shape.first().copied().unwrap_or(0);
        halves.push(match load(Factor::Core)? {
            Some(core) => {
                let pair = (flat(&left)?.transpose(), through_core(&core, &flat(&right)?)?);
                arrays.push(core);
                pair
            }
            None => (flat(&left)?, flat(&right)?),
        });
        arrays.extend([left, right]);
    }
    let fits = |pair: &(Matrix, Matrix)| pair.0.ncols() == pair.1.nrows();
    let [first, second] = halves.as_slice() else { return Err(incomplete(group, "LoHa", "two halves")) };
    if !fits(first) || !fits(second) || (first.0.nrows(), first.1.ncols()) != (second.0.nrows(), second.1.ncols()) {
        return Err(misfit(&arrays[0], &arrays[1]));
    }
    let update = Update::hadamard((&first.0, &first.1), (&second.0, &second.1))?;
    let mut draft = Draft::new(Method::Loha, "(W1A W1B) o (W2A W2B)", Form::Other(update), arrays);
    draft.rank = Some(stated(group, config, rank)?);
    Ok(draft)
}

/// `W1 (x) W2`, each whole or a product of two.
pub(super) fn kronecker(group: &Group, source: &Source, config: Option<(&PeftConfig, &str)>) -> Result<Draft> {
    let mut arrays = Vec::new();
    let mut halves = Vec::new();
    let mut rank = None;
    for half in [Half::First, Half::Second] {
        let load = |factor| group.load(source, Role::Kronecker(half, factor));
        if let Some(whole) = load(Factor::Whole)? {
            halves.push(flat(&whole)?);
            arrays.push(whole);
            continue;
        }
        let (Some(left), Some(right)) = (load(Factor::Left)?, load(Factor::Right)?) else {
            return Err(incomplete(group, "LoKr", "lokr_w1 and lokr_w2, each whole or as _a and _b"));
        };
        let inner = right.shape.first().copied().unwrap_or(0);
        rank = rank.or(Some(inner));
        let (l, r) = match load(Factor::Core)? {
            Some(core) => {
                let pair = (flat(&left)?.transpose(), through_core(&core, &flat(&right)?)?);
                arrays.push(core);
                pair
            }
            None => (flat(&left)?, flat(&right)?),
        };
        if l.ncols() != r.nrows() {
            return Err(misfit(&left, &right));
        }
        halves.push(&l * &r);
        arrays.extend([left, right]);
    }
    let second = halves.pop().zip(halves.pop());
    let Some((second, first)) = second else { return Err(incomplete(group, "LoKr", "two halves")) };
    let mut draft = Draft::new(Method::Lokr, "W1 (x) W2", Form::Other(Update::Kronecker(first, second)), arrays);
    draft.rank = Some(match config {
        Some(_) => stated(group, config, rank.unwrap_or(0))?,
        None => rank.unwrap_or(0),
    });
    Ok(draft)
}

/// A difference of the whole weight.
pub(super) fn difference(group: &Group, source: &Source) -> Result<Draft> {
    let Some(array) = group.load(source, Role::Difference)? else { return Err(alone(group)) };
    if let Some(other) = group.places().find(|place| !place.name.ends_with(".diff") && !place.name.ends_with(".diff_b"))
    {
        return Err(InputError::new("beside a full difference of the module stands another part")
            .array(&other.name)
            .hint("which of the two is meant is not told"));
    }
    let matrix = flat(&array)?;
    let size = matrix.frobenius_norm();
    Ok(Draft::new(Method::Full, "the full difference (.diff)", Form::Other(Update::Dense(matrix, size)), vec![array]))
}

/// Rows `sum_j core_ijk right_jc`, at column `(c, k)`.
fn through_core(core: &Array, right: &Matrix) -> Result<Matrix> {
    let [rows, inner, kernel @ ..] = core.shape.as_slice() else { return Err(core_shape(core)) };
    if *inner != right.nrows() || kernel.is_empty() || core.shape.contains(&0) {
        return Err(core_shape(core));
    }
    let places: usize = kernel.iter().product();
    let entry = |i: usize, at: usize| {
        let (c, k) = (at / places, at % places);
        (0..*inner).map(|j| core.values[(i * inner + j) * places + k] * right[(j, c)]).sum()
    };
    Ok(Matrix::from_fn(*rows, right.ncols() * places, entry))
}

fn core_shape(core: &Array) -> InputError {
    InputError::new("the Tucker core does not fit its sides").array(&core.name).value(shape_text(&core.shape))
}

fn misfit(a: &Array, b: &Array) -> InputError {
    InputError::new("the parts of the update do not fit").array(&b.name).value(format!(
        "{} is {}, this is {}",
        a.name,
        shape_text(&a.shape),
        shape_text(&b.shape)
    ))
}

fn incomplete(group: &Group, method: &str, needed: &str) -> InputError {
    let name = group.places().next().map_or_else(|| group.module.clone(), |place| place.name.clone());
    InputError::new(format!("the module of {method} is incomplete: it has {needed}")).array(name)
}

/// The rank that PEFT divides `alpha` by is that of the configuration, whatever the tensors have.
fn stated(group: &Group, config: Option<(&PeftConfig, &str)>, found: usize) -> Result<usize> {
    let Some((stated, by)) = config.and_then(|(config, name)| config.stated_rank(name)) else { return Ok(found) };
    let kronecker = group.has(Role::Kronecker(Half::First, Factor::Whole))
        && group.has(Role::Kronecker(Half::Second, Factor::Whole));
    if stated != found as f64 && !kronecker {
        return Err(InputError::new("the configuration states another rank than the tensors have")
            .array(&group.module)
            .value(format!("{stated} by {by}, {found} in the tensors")));
    }
    Ok(stated as usize)
}

/// The scaling by the tensor `alpha`.
///
/// LyCORIS (3.2 and 4.1) applies `alpha / r` of LoHa and LoKr once in its forward pass and twice when it merges.
pub(super) fn alpha_scaling(group: &Group, alpha: f64, rank: usize) -> Scaling {
    let whole = [Half::First, Half::Second].iter().all(|&half| group.has(Role::Kronecker(half, Factor::Whole)));
    if whole {
        return Scaling::known(1.0, "1, as both factors of LoKr are whole");
    }
    if alpha == 0.0 || rank == 0 || !alpha.is_finite() {
        return Scaling::unknown(format!("not known: alpha is {alpha}, which loaders read in several ways"));
    }
    let value = alpha / rank as f64;
    let twice = group.has(Role::Hadamard(Half::First, Factor::Left))
        || [Half::First, Half::Second].iter().any(|&half| group.has(Role::Kronecker(half, Factor::Left)));
    if twice && value != 1.0 {
        let reason = format!(
            "(alpha {alpha} / {rank}) squared: LyCORIS multiplies twice when it merges; in its forward pass, and in loaders \
             that multiply once, the factor is {value}"
        );
        return Scaling { disputed: true, ..Scaling::known(value * value, reason) };
    }
    Scaling::known(value, format!("alpha {alpha} / {rank}"))
}
