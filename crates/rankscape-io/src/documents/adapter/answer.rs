//! What is said of one update.

use super::super::point::{DifferentialDocument, LiftDocument, OpennessDocument, SupportDocument, bars};
use super::parts::{
    AdapterQuestion, BalancedDocument, ExpertDocument, MagnitudeDocument, OverlapDocument, PairDocument,
    ProductDocument, RanksDocument, ShapesDocument,
};
use crate::adapter::{AdapterFile, AdapterItem, BaseWeight};
use crate::words::Word;
use rankscape::error::{InputError, Result};
use rankscape::multiplication::{
    Adapter, Balance, Factors, Overlap, RankProfile, Removed, Spectrum, Update, balance, balance_defect,
    change_of_original, entropy_rank, overlap_by_chance, product_difference, stable_rank,
};

/// Unit roundoff of the decompositions by which libraries change a base weight.
const SINGLE: f64 = 1.0 / 16_777_216.0;

/// An update's part of the document, its digests, and the balanced pair where it is to be written.
pub(super) struct Answer {
    pub(super) document: PairDocument,
    pub(super) digests: Vec<[u8; 32]>,
    pub(super) balanced: Option<AdapterItem>,
    /// The base has the weight of the module.
    pub(super) has_base: bool,
    /// Its shape does not tell rows from columns, and how it was taken.
    pub(super) square: bool,
    pub(super) turned: bool,
    /// Name of the module in the model, where the file writes another.
    pub(super) plain_name: Option<String>,
}

pub(super) fn answer(file: &AdapterFile, k: usize, question: &AdapterQuestion<'_>) -> Result<Answer> {
    let item = file.load(k, question.base)?;
    let named = |error: InputError| error.array(item.name());
    let tolerances = question.tolerances;
    let factor = item.scaling.value.unwrap_or(1.0) * item.times as f64;
    let pair = item
        .pair()
        .map(|factors| Adapter::new(factors, item.scaling.value.unwrap_or(1.0), item.unit_roundoff, tolerances));
    let pair = pair.transpose().map_err(named)?;
    let given = item.update().scaled(factor);
    let product = match &pair {
        Some(found) => Spectrum {
            values: found.singular_values.iter().map(|value| value * item.times as f64).collect(),
            rank: found.profile.decision(0, 2).scaled(factor.abs()),
        },
        None => given.spectrum(item.unit_roundoff, tolerances),
    };
    let mut base = BaseState::default();
    if let Some(file) = question.base {
        base.has = file.holds(&item);
        if base.has && (item.needs_original() || product.rank.rank > 0) {
            base.weight = file.weight_of(&item)?;
        }
    }
    let change = change(&item, &given, base.weight.as_ref());
    let spectrum = match &change {
        Ok(change) if item.needs_original() => {
            let roundoff = base.weight.as_ref().map_or(0.0, |weight| weight.unit_roundoff);
            Ok(change.spectrum(item.unit_roundoff.max(roundoff).max(SINGLE), tolerances))
        }
        Ok(_) => Ok(product.clone()),
        Err(reason) => Err(reason.clone()),
    };
    let mut document = document(&item, pair.as_ref(), &product, &spectrum);
    if let (Ok(change), Ok(spectrum), Some(weight)) = (&change, &spectrum, &base.weight)
        && spectrum.rank.rank > 0
    {
        let found = Overlap::new(change, spectrum.rank.rank, &weight.matrix, tolerances, question.seed);
        document.overlap = found.map_err(named)?.map(|overlap| overlap_document(&overlap, &item, weight));
    }
    let mut balanced = None;
    if question.balance {
        let (found, stored) = balanced_pair(&item, pair.as_ref().map(|pair| &pair.profile))?;
        (document.balanced, balanced) = (Some(found), stored);
    }
    let plain_name = item.plain_name().map(str::to_owned);
    let (square, turned) = (base.weight.is_some_and(|weight| weight.square), item.is_turned());
    Ok(Answer { document, digests: item.digests, balanced, has_base: base.has, square, turned, plain_name })
}

#[derive(Default)]
struct BaseState {
    has: bool,
    weight: Option<BaseWeight>,
}

/// The change of the original weight, or why it is not known.
fn change(item: &AdapterItem, given: &Update, base: Option<&BaseWeight>) -> std::result::Result<Update, String> {
    if let Some(reason) = &item.undetermined {
        return Err(reason.clone());
    }
    // Without its scaling only a pair still says something: its directions.
    let Some(scaling) = item.scaling.value.or((item.pair().is_some() && !item.needs_original()).then_some(1.0)) else {
        let loading = item.loading();
        let before = if loading.is_empty() { String::new() } else { format!("{loading}; ") };
        return Err(format!("{before}the scaling is {}", item.scaling.reason));
    };
    if !item.needs_original() {
        return Ok(given.clone());
    }
    let Some(base) = base else {
        return Err(format!("{}; that needs the original weight: give --base", item.loading()));
    };
    let removed = match item.removed {
        // PEFT takes the columns of the weight as it is stored.
        Some(Removed::LeadingColumns(rank)) if base.turned => Some(Removed::LeadingRows(rank)),
        other => other,
    };
    change_of_original(given, scaling, removed, item.lengths.as_ref(), &base.matrix)
        .map_err(|reason| format!("{}; {reason}", item.loading()))
}

fn document(
    item: &AdapterItem,
    pair: Option<&Adapter>,
    product: &Spectrum,
    spectrum: &std::result::Result<Spectrum, String>,
) -> PairDocument {
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
        overlap: None,
        balanced: None,
        says: says(item, pair, product, spectrum),
    }
}

/// The sentence of the document.
fn says(
    item: &AdapterItem,
    pair: Option<&Adapter>,
    product: &Spectrum,
    spectrum: &std::result::Result<Spectrum, String>,
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

fn balanced_pair(item: &AdapterItem, profile: Option<&RankProfile>) -> Result<(BalancedDocument, Option<AdapterItem>)> {
    let kept = |reason: &str| BalancedDocument {
        possible: None,
        reason: reason.to_owned(),
        defect_after: None,
        product_error: None,
    };
    let (Some(factors), Some(profile), None) = (item.pair(), profile, item.fixed) else {
        return Ok((kept(item.fixed.unwrap_or("the update is no free pair")), None));
    };
    let Balance { possible, factors: found, .. } = balance(factors, profile);
    let stored = found.map(|found| item.with_rounded(&found)).transpose()?.flatten();
    let of = |measure: &dyn Fn(&Factors) -> f64| stored.as_ref().and_then(AdapterItem::pair).map(measure);
    let document = BalancedDocument {
        possible: possible.holds.known(),
        reason: possible.reason,
        defect_after: of(&balance_defect),
        product_error: of(&|stored| product_difference(stored, factors)),
    };
    Ok((document, stored))
}

fn overlap_document(found: &Overlap, item: &AdapterItem, weight: &BaseWeight) -> OverlapDocument {
    let (rows, cols) = weight.matrix.shape();
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
        base_tensor: weight.tensor.clone(),
        base_singular_values: found.base_values.clone(),
        angle_error: found.angle_error,
    }
}
