//! What is said of one update.

use super::super::point::{DifferentialDocument, LiftDocument, OpennessDocument, SupportDocument, bars};
use super::parts::{
    BalancedDocument, ExpertDocument, MagnitudeDocument, OverlapDocument, PairDocument, ProductDocument, RanksDocument,
    ShapesDocument,
};
use crate::adapter::{AdapterItem, BaseTensor, ItemAnswer};
use crate::words::Word;
use rankscape::answers::{Undetermined, UpdateAnswer};
use rankscape::multiplication::{Adapter, Overlap, UpdateSpectrum, entropy_rank, overlap_by_chance, stable_rank};

/// An update's part of the document, and what the notes and the digest of the whole need.
pub struct UpdateView {
    pub(super) document: PairDocument,
    pub(super) digests: Vec<[u8; 32]>,
    pub(super) balanced: Option<AdapterItem>,
    /// The base has the weight of the module.
    pub(super) has_base: bool,
    /// Its shape does not tell rows from columns, and how it was taken.
    pub(super) square: bool,
    pub(super) turned: bool,
    /// Libraries apply the scaling differently.
    pub(super) disputed: bool,
    /// Name of the module in the model, where the file writes another.
    pub(super) plain_name: Option<String>,
}

impl From<ItemAnswer> for UpdateView {
    fn from(found: ItemAnswer) -> Self {
        let balanced = found.balanced_item();
        Self {
            document: document(&found),
            balanced,
            has_base: found.has_base,
            square: found.base.is_some_and(|base| base.square),
            turned: found.item.is_turned(),
            disputed: found.item.scaling.disputed,
            plain_name: found.item.plain_name().map(str::to_owned),
            digests: found.item.digests,
        }
    }
}

/// Why the change of the original weight is not known.
fn reason(item: &AdapterItem, undetermined: &Undetermined) -> String {
    let loading = item.loading();
    match undetermined {
        Undetermined::NoScaling if loading.is_empty() => format!("the scaling is {}", item.scaling.reason),
        Undetermined::NoScaling => format!("{loading}; the scaling is {}", item.scaling.reason),
        Undetermined::NoOriginal => format!("{loading}; that needs the original weight: give --base"),
        Undetermined::Original(reason) => format!("{loading}; {reason}"),
        _ => item.undetermined.clone().unwrap_or_default(),
    }
}

fn document(found: &ItemAnswer) -> PairDocument {
    let ItemAnswer { item, answer: UpdateAnswer { pair, product, change, overlap }, base, .. } = found;
    let pair = pair.as_ref();
    let spectrum = &change.as_ref().map_err(|undetermined| reason(item, undetermined));
    let other = item.needs_original() || spectrum.is_err();
    let values = spectrum.as_ref().ok().map(|spectrum| spectrum.values.clone());
    let shape = |at: usize| pair.and_then(|_| item.tensors.get(at)).map(|(_, shape)| shape.clone());
    let rank = |at: usize, quantity| pair.map(|pair| SupportDocument::new(quantity, pair.ranks()[at]));
    let (rows, cols) = item.shape();
    PairDocument {
        name: item.name(),
        adapter: item.adapter.clone(),
        expert: item.expert.map(|(index, count)| ExpertDocument { index, count }),
        kind: Word(item.kind),
        method: Word(item.method),
        layout: Word(item.layout),
        formula: item.formula,
        shapes: ShapesDocument {
            a: shape(0),
            b: shape(1),
            product: [rows, cols],
            tensors: item.tensors.iter().cloned().collect(),
        },
        scaling: item.scaling.value,
        scaling_reason: item.scaling.reason.clone(),
        unit_roundoff: item.unit_roundoff,
        ranks: RanksDocument {
            a: rank(0, "rank A"),
            b: rank(1, "rank B"),
            product: match pair {
                Some(pair) => SupportDocument::new("rank B A", pair.ranks()[2]),
                None => SupportDocument::new(&format!("rank {}", item.formula), &product.rank),
            },
            update: spectrum
                .as_ref()
                .ok()
                .filter(|_| other)
                .map(|spectrum| SupportDocument::new("rank of the change", &spectrum.rank)),
        },
        barcode: pair.and_then(|pair| pair.barcode.as_ref()).map(bars),
        stable_rank: values.as_deref().and_then(stable_rank),
        entropy_rank: values.as_deref().and_then(entropy_rank),
        singular_values: values,
        product: other.then(|| ProductDocument { values: product.values.clone() }),
        balance_defect: pair.map(|pair| pair.balance_defect),
        differential: pair.map(|pair| DifferentialDocument::new(&pair.profile)),
        locally_open: pair.map(|pair| OpennessDocument::from(&pair.openness)),
        lift: pair.map(|pair| LiftDocument::from(&pair.lift)),
        magnitude: item.lengths.as_ref().map(|lengths| MagnitudeDocument {
            entries: lengths.values.len(),
            smallest: lengths.values.iter().copied().fold(f64::INFINITY, f64::min),
            largest: lengths.values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }),
        bias: item.bias.clone(),
        undetermined: spectrum.as_ref().err().cloned(),
        notes: item.notes.clone(),
        overlap: overlap.as_ref().zip(base.as_ref()).map(|(overlap, base)| overlap_document(overlap, item, base)),
        balanced: found.is_balance_asked.then(|| balanced_document(found)),
        says: says(item, pair, product, spectrum),
    }
}

/// The sentence of the document.
fn says(
    item: &AdapterItem,
    pair: Option<&Adapter>,
    product: &UpdateSpectrum,
    spectrum: &Result<&UpdateSpectrum, String>,
) -> String {
    let size = item.shape().0.min(item.shape().1);
    let mut text = match pair {
        Some(pair) => pair.says.clone(),
        None if !product.rank.clear => format!("undecided: the rank of {} is not clear", item.formula),
        None => format!(
            "{} has rank {} of at most {size}; its factors are not free, so nothing is said of them",
            item.formula, product.rank.rank
        ),
    };
    match spectrum {
        Err(reason) => {
            text = format!(
                "{} is not the change of the original weight, which is not known: {reason}; {text}",
                item.formula
            );
        }
        Ok(spectrum) if item.needs_original() => {
            text = format!(
                "{}: the change of the original weight has rank {} of {size}; {text}",
                item.loading(),
                spectrum.rank.rank
            );
        }
        Ok(_) => {}
    }
    text
}

fn balanced_document(found: &ItemAnswer) -> BalancedDocument {
    match &found.balanced {
        Some(balance) => {
            let stored = found.item.can_be_written();
            BalancedDocument {
                possible: balance.possible.holds.known(),
                reason: balance.possible.reason.clone(),
                defect_after: balance.defect_after.filter(|_| stored),
                product_error: balance.product_error.filter(|_| stored),
            }
        }
        None => BalancedDocument {
            possible: None,
            reason: found.item.fixed.unwrap_or("the update is no free pair").to_owned(),
            defect_after: None,
            product_error: None,
        },
    }
}

fn overlap_document(found: &Overlap, item: &AdapterItem, base: &BaseTensor) -> OverlapDocument {
    let (rows, cols) = item.shape();
    let (left, right) = (overlap_by_chance(found.directions, rows), overlap_by_chance(found.directions, cols));
    OverlapDocument {
        directions: found.directions,
        left: found.left,
        right: found.right,
        left_of_random: left.0,
        right_of_random: right.0,
        left_spread: left.1,
        right_spread: right.1,
        amplification: found.amplification.filter(|_| item.scaling.value.is_some()),
        base_tensor: base.name.clone(),
        base_singular_values: found.base_values.clone(),
        angle_error: found.angle_error,
    }
}
