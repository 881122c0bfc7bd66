//! One update of a weight: what the product map says of its factors, and what it does to the weight that it is added to.

use crate::error::Result;
use crate::linalg::LargeMatrix;
use crate::multiplication::{Adapter, Factors, Lengths, Overlap, Removed, Update, UpdateSpectrum, change_of_original};
use crate::tolerance::Tolerances;

/// Unit roundoff of the decompositions by which libraries change a base weight.
const SINGLE: f64 = 1.0 / 16_777_216.0;

/// An update, and what loading it does beside adding it.
#[derive(Debug, Clone, Copy)]
pub struct UpdateRequest<'a> {
    /// The update without the scaling.
    pub update: &'a Update,
    /// Both factors of the pair are free, so that the product map speaks of them.
    pub pair: Option<&'a Factors>,
    /// Factor of the update; `None` where nothing states it.
    pub scaling: Option<f64>,
    /// How often the library that loads it adds it.
    pub times: usize,
    /// Unit roundoff of the shortest of the stored types.
    pub unit_roundoff: f64,
    /// What loading takes off the base.
    pub removed: Option<Removed>,
    /// Lengths that the updated weight is brought to.
    pub lengths: Option<&'a Lengths>,
    /// The change of the original weight follows from the tensors, its scaling and the original weight.
    pub determined: bool,
}

impl UpdateRequest<'_> {
    /// Loading does more than add the update, so that the change of the original weight needs that weight.
    pub fn needs_original(&self) -> bool {
        self.removed.is_some() || self.lengths.is_some()
    }
}

/// The weight that an update is added to, as `out x in`.
#[derive(Debug, Clone)]
pub struct OriginalWeight {
    /// The weight.
    pub matrix: LargeMatrix,
    /// Unit roundoff of its type.
    pub unit_roundoff: f64,
    /// It is stored as `in x out`.
    pub turned: bool,
}

/// Why the change of the original weight is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Undetermined {
    /// The request says so.
    NotStated,
    /// Nothing states the scaling.
    NoScaling,
    /// It needs the original weight, which is not given.
    NoOriginal,
    /// The original weight does not define the part that loading takes off, or it is too large; in one sentence.
    Original(String),
}

/// What is known of one update.
#[derive(Debug, Clone)]
pub struct UpdateAnswer {
    /// The product map at the pair; `None` where the factors are not free.
    pub pair: Option<Adapter>,
    /// Singular values and rank of the update, scaled where the scaling is known.
    pub product: UpdateSpectrum,
    /// Those of the change of the original weight. Of a pair whose scaling is not known: without it.
    pub change: std::result::Result<UpdateSpectrum, Undetermined>,
    /// The change against the leading singular directions of the original weight.
    pub overlap: Option<Overlap>,
}

/// What is known of one update. The original weight is asked for only where it says more; `None` where there is none.
///
/// # Errors
/// If a scaling is not finite, the shapes do not fit, or the original weight cannot be read.
pub fn adapter(
    request: &UpdateRequest<'_>,
    original: impl FnOnce() -> Result<Option<OriginalWeight>>,
    tolerances: &Tolerances,
    seed: u64,
) -> Result<UpdateAnswer> {
    let scaling = request.scaling.unwrap_or(1.0);
    let factor = scaling * request.times as f64;
    let pair = request.pair.map(|pair| Adapter::new(pair, scaling, request.unit_roundoff, tolerances)).transpose()?;
    let given = request.update.scaled(factor);
    let product = match &pair {
        Some(found) => UpdateSpectrum {
            values: found.singular_values.iter().map(|value| value * request.times as f64).collect(),
            rank: found.profile.decision(0, 2).scaled(factor.abs()),
        },
        None => given.spectrum(request.unit_roundoff, tolerances),
    };
    let original = if request.needs_original() || product.rank.rank > 0 { original()? } else { None };
    let changed = change(request, &given, original.as_ref());
    let change = changed.as_ref().map_err(Clone::clone).map(|change| {
        if !request.needs_original() {
            return product.clone();
        }
        let roundoff = original.as_ref().map_or(0.0, |weight| weight.unit_roundoff);
        change.spectrum(request.unit_roundoff.max(roundoff).max(SINGLE), tolerances)
    });
    let overlap = match (&changed, &change, &original) {
        (Ok(update), Ok(spectrum), Some(weight)) if spectrum.rank.rank > 0 => {
            Overlap::new(update, spectrum.rank.rank, &weight.matrix, tolerances, seed)?
        }
        _ => None,
    };
    Ok(UpdateAnswer { pair, product, change, overlap })
}

/// The change of the original weight.
fn change(
    request: &UpdateRequest<'_>,
    given: &Update,
    original: Option<&OriginalWeight>,
) -> std::result::Result<Update, Undetermined> {
    if !request.determined {
        return Err(Undetermined::NotStated);
    }
    // Without its scaling only a pair still says something: its directions.
    let unscaled = (request.pair.is_some() && !request.needs_original()).then_some(1.0);
    let scaling = request.scaling.or(unscaled).ok_or(Undetermined::NoScaling)?;
    if !request.needs_original() {
        return Ok(given.clone());
    }
    let original = original.ok_or(Undetermined::NoOriginal)?;
    let removed = match request.removed {
        // The columns are those of the weight as it is stored.
        Some(Removed::LeadingColumns(rank)) if original.turned => Some(Removed::LeadingRows(rank)),
        other => other,
    };
    change_of_original(given, scaling, removed, request.lengths, &original.matrix).map_err(Undetermined::Original)
}
