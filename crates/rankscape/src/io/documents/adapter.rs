//! A checkpoint of low-rank adapters as a document.
#![allow(missing_docs, reason = "the fields are those of the JSON schema, which documents them")]

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;
use serde::Serialize;
use serde_json::{Map, Value};

use super::RunDocument;
use super::point::{
    BarDocument, DifferentialDocument, LiftDocument, OpennessDocument, SupportDocument, bars, tolerance_entries,
};
use crate::error::{InputError, Result};
use crate::io::adapter::{AdapterFile, AdapterPair, BaseFile};
use crate::io::digest::combined_digest;
use crate::multiplication::{Adapter, Balance, Overlap, balance, balance_defect, product_difference};
use crate::parallel::pool;
use crate::tolerance::Tolerances;

/// `rankscape.adapter/1`.
#[derive(Debug, Clone, Serialize)]
pub struct AdapterDocument {
    pub schema: &'static str,
    pub seed: u64,
    pub digest: BTreeMap<&'static str, String>,
    pub pairs: Vec<PairDocument>,
    pub unknown: Vec<UnknownDocument>,
    pub tolerances: Map<String, Value>,
    pub notes: Vec<String>,
    pub run: RunDocument,
}

/// One pair.
#[derive(Debug, Clone, Serialize)]
pub struct PairDocument {
    pub name: String,
    pub adapter: Option<String>,
    pub kind: &'static str,
    pub shapes: ShapesDocument,
    pub scaling: f64,
    pub scaling_reason: String,
    pub unit_roundoff: f64,
    pub ranks: RanksDocument,
    pub barcode: Option<Vec<BarDocument>>,
    pub singular_values: Vec<f64>,
    pub stable_rank: Option<f64>,
    pub entropy_rank: Option<f64>,
    pub balance_defect: f64,
    pub differential: DifferentialDocument,
    pub locally_open: OpennessDocument,
    pub lift: LiftDocument,
    pub magnitude: Option<MagnitudeDocument>,
    pub bias: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlap: Option<OverlapDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balanced: Option<BalancedDocument>,
    pub says: String,
}

/// Shapes of `A` and `B` as stored and of their product.
#[derive(Debug, Clone, Serialize)]
pub struct ShapesDocument {
    pub a: Vec<usize>,
    pub b: Vec<usize>,
    pub product: [usize; 2],
}

/// Ranks with their gaps.
#[derive(Debug, Clone, Serialize)]
pub struct RanksDocument {
    pub a: SupportDocument,
    pub b: SupportDocument,
    pub product: SupportDocument,
}

/// DoRA's row lengths.
#[derive(Debug, Clone, Serialize)]
pub struct MagnitudeDocument {
    pub entries: usize,
    pub smallest: f64,
    pub largest: f64,
}

/// The update against the leading singular directions of the base weight.
#[derive(Debug, Clone, Serialize)]
pub struct OverlapDocument {
    pub directions: usize,
    pub left: f64,
    pub right: f64,
    pub left_of_random: f64,
    pub right_of_random: f64,
    pub amplification: Option<f64>,
    pub base_singular_values: Vec<f64>,
    pub angle_error: f64,
}

/// The balanced pair as it is written.
#[derive(Debug, Clone, Serialize)]
pub struct BalancedDocument {
    pub possible: Option<bool>,
    pub reason: String,
    pub defect_after: Option<f64>,
    pub product_error: Option<f64>,
}

/// A tensor that is no part of a pair.
#[derive(Debug, Clone, Serialize)]
pub struct UnknownDocument {
    pub name: String,
    pub shape: Vec<usize>,
}

/// What is asked of a checkpoint of adapters.
#[derive(Clone, Copy)]
pub struct AdapterQuestion<'a> {
    /// Weights that the updates are compared with.
    pub base: Option<&'a BaseFile>,
    /// Move each pair to a balanced one, where its orbit has one.
    pub balance: bool,
    /// Write the checkpoint with the balanced pairs.
    pub save: Option<&'a Path>,
    /// Tolerances.
    pub tolerances: &'a Tolerances,
    /// Seed of the search for leading singular directions.
    pub seed: u64,
    /// Threads to use.
    pub threads: usize,
}

/// A pair's part of the document, its digests, and the balanced pair where it is to be written.
struct Answer {
    document: PairDocument,
    digests: Vec<[u8; 32]>,
    balanced: Option<AdapterPair>,
}

impl AdapterDocument {
    /// Reads every pair of a checkpoint and says what the product map says of it; writes balanced pairs where asked.
    ///
    /// # Errors
    /// If a tensor is damaged, shapes do not fit, the base has no weight of any pair, or the file cannot be written.
    pub fn new(file: &AdapterFile, question: &AdapterQuestion<'_>) -> Result<Self> {
        let each = |k: usize| answer(file, k, question);
        // All results first: the error that is told does not depend on which thread was faster.
        let answers: Vec<Result<Answer>> = match pool(question.threads) {
            Some(pool) => pool.install(|| (0..file.len()).into_par_iter().map(each).collect()),
            None => (0..file.len()).map(each).collect(),
        };
        let answers: Vec<Answer> = answers.into_iter().collect::<Result<_>>()?;
        let mut notes = Vec::new();
        if file.config().is_none() {
            notes.push("there is no adapter_config.json beside the file: every scaling is 1".to_owned());
        }
        if question.base.is_some() {
            let missing: Vec<&str> = answers
                .iter()
                .filter(|answer| answer.document.overlap.is_none() && answer.document.ranks.product.rank > 0)
                .map(|answer| answer.document.name.as_str())
                .collect();
            if missing.len() == answers.len() {
                return Err(InputError::new("the base has no weight of any module of the adapter")
                    .array(format!("{}.weight", missing[0]))
                    .hint("give the model that the adapter was trained on"));
            }
            if !missing.is_empty() {
                notes.push(format!("the base has no weight of {}", missing.join(", ")));
            }
        }
        if let Some(path) = question.save {
            let balanced = answers.iter().enumerate();
            let balanced: Vec<(usize, AdapterPair)> =
                balanced.filter_map(|(k, answer)| Some((k, answer.balanced.clone()?))).collect();
            file.write_with(path, &balanced)?;
        }
        let digests: Vec<[u8; 32]> = answers.iter().flat_map(|answer| answer.digests.iter().copied()).collect();
        Ok(Self {
            schema: "rankscape.adapter/1",
            seed: question.seed,
            digest: [("adapter", combined_digest("adapter", &digests))].into(),
            pairs: answers.into_iter().map(|answer| answer.document).collect(),
            unknown: file
                .unknown()
                .map(|(name, shape)| UnknownDocument { name: name.to_owned(), shape: shape.to_vec() })
                .collect(),
            tolerances: tolerance_entries(question.tolerances),
            notes,
            run: RunDocument::default(),
        })
    }

    /// Some rank is not clear.
    pub fn is_undecided(&self) -> bool {
        self.pairs.iter().any(|pair| {
            let RanksDocument { a, b, product } = &pair.ranks;
            pair.barcode.is_none() || ![a, b, product].iter().all(|rank| rank.clear)
        })
    }
}

fn answer(file: &AdapterFile, k: usize, question: &AdapterQuestion<'_>) -> Result<Answer> {
    let pair = file.load(k)?;
    let named = |error: InputError| error.array(&pair.module);
    let tolerances = question.tolerances;
    let factors = &pair.factors;
    let found = Adapter::new(factors, pair.scaling.value, pair.unit_roundoff(), tolerances).map_err(named)?;
    let mut document = pair_document(&pair, &found);
    if let Some(base) = question.base.map(|base| base.weight_of(&pair, file)).transpose()?.flatten() {
        let (rank, scaling) = (found.profile.product_rank(), pair.scaling.value);
        let overlap = Overlap::new(factors, rank, scaling, &base, tolerances, question.seed);
        document.overlap = overlap.map_err(named)?.map(|overlap| overlap_document(&overlap, base.shape()));
    }
    let mut balanced = None;
    if question.balance {
        let Balance { possible, factors: found, .. } = balance(factors, &found.profile);
        let stored = found.map(|found| pair.with_rounded(&found)).transpose().map_err(named)?;
        document.balanced = Some(BalancedDocument {
            possible: possible.holds,
            reason: possible.reason,
            defect_after: stored.as_ref().map(|stored| balance_defect(&stored.factors)),
            product_error: stored.as_ref().map(|stored| product_difference(&stored.factors, factors)),
        });
        balanced = stored;
    }
    Ok(Answer { document, digests: pair.digests, balanced })
}

fn pair_document(pair: &AdapterPair, found: &Adapter) -> PairDocument {
    let [a, b] = &pair.stored_shapes;
    let [rank_a, rank_b, rank] = found.ranks();
    let dora = pair.magnitude.is_some();
    PairDocument {
        name: pair.module.clone(),
        adapter: pair.adapter.clone(),
        kind: match (pair.embedding, a.len()) {
            (true, _) => "embedding",
            (false, 2) => "linear",
            _ => "convolution",
        },
        shapes: ShapesDocument { a: a.clone(), b: b.clone(), product: [found.widths[2], found.widths[0]] },
        scaling: pair.scaling.value,
        scaling_reason: pair.scaling.reason.clone(),
        unit_roundoff: pair.unit_roundoff(),
        ranks: RanksDocument {
            a: SupportDocument::new("rank A", rank_a),
            b: SupportDocument::new("rank B", rank_b),
            product: SupportDocument::new("rank B A", rank),
        },
        barcode: found.barcode.as_ref().map(bars),
        singular_values: found.singular_values.clone(),
        stable_rank: found.stable_rank,
        entropy_rank: found.entropy_rank,
        balance_defect: found.balance_defect,
        differential: DifferentialDocument::new(&found.profile),
        locally_open: OpennessDocument::from(&found.openness),
        lift: LiftDocument::from(&found.lift),
        magnitude: pair.magnitude.as_ref().map(|values| MagnitudeDocument {
            entries: values.len(),
            smallest: values.iter().copied().fold(f64::INFINITY, f64::min),
            largest: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }),
        bias: pair.bias.clone(),
        overlap: None,
        balanced: None,
        says: match dora {
            true => format!(
                "{}; with DoRA the rows of the updated weight are then brought to the given lengths",
                found.says
            ),
            false => found.says.clone(),
        },
    }
}

fn overlap_document(found: &Overlap, (rows, cols): (usize, usize)) -> OverlapDocument {
    let directions = found.directions as f64;
    OverlapDocument {
        directions: found.directions,
        left: found.left,
        right: found.right,
        left_of_random: directions / rows as f64,
        right_of_random: directions / cols as f64,
        amplification: found.amplification,
        base_singular_values: found.base_values.clone(),
        angle_error: found.angle_error,
    }
}
