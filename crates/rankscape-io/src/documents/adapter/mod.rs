//! A checkpoint of adapters as a document.
#![allow(missing_docs, reason = "the fields are those of the JSON schema, which documents them")]

mod answer;

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;
use serde::Serialize;
use serde_json::{Map, Value};

use self::answer::{Answer, answer};
use super::RunDocument;
use super::point::{
    BarDocument, DifferentialDocument, LiftDocument, OpennessDocument, SupportDocument, tolerance_entries,
};
use crate::adapter::{AdapterFile, AdapterItem, BaseFile, SaveOptions};
use crate::digest::combined_digest;
use rankscape::error::{InputError, Result};
use rankscape::parallel::pool;
use rankscape::tolerance::Tolerances;

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

/// One update.
#[derive(Debug, Clone, Serialize)]
pub struct PairDocument {
    pub name: String,
    pub adapter: Option<String>,
    pub expert: Option<ExpertDocument>,
    pub kind: &'static str,
    pub method: &'static str,
    pub layout: &'static str,
    pub formula: &'static str,
    pub shapes: ShapesDocument,
    pub scaling: Option<f64>,
    pub scaling_reason: String,
    pub unit_roundoff: f64,
    pub ranks: RanksDocument,
    pub barcode: Option<Vec<BarDocument>>,
    pub singular_values: Option<Vec<f64>>,
    pub product: Option<ProductDocument>,
    pub stable_rank: Option<f64>,
    pub entropy_rank: Option<f64>,
    pub balance_defect: Option<f64>,
    pub differential: Option<DifferentialDocument>,
    pub locally_open: Option<OpennessDocument>,
    pub lift: Option<LiftDocument>,
    pub magnitude: Option<MagnitudeDocument>,
    pub bias: Option<String>,
    pub undetermined: Option<String>,
    pub notes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlap: Option<OverlapDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balanced: Option<BalancedDocument>,
    pub says: String,
}

/// Which of the experts that share tensors.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct ExpertDocument {
    pub index: usize,
    pub count: usize,
}

/// Shapes of `A` and `B` as stored, of the update, and of all tensors.
#[derive(Debug, Clone, Serialize)]
pub struct ShapesDocument {
    pub a: Option<Vec<usize>>,
    pub b: Option<Vec<usize>>,
    pub product: [usize; 2],
    pub tensors: BTreeMap<String, Vec<usize>>,
}

/// Ranks with their gaps.
#[derive(Debug, Clone, Serialize)]
pub struct RanksDocument {
    pub a: Option<SupportDocument>,
    pub b: Option<SupportDocument>,
    pub product: SupportDocument,
    pub update: Option<SupportDocument>,
}

/// What the tensors give, where that is not the change of the original weight.
#[derive(Debug, Clone, Serialize)]
pub struct ProductDocument {
    pub values: Vec<f64>,
}

/// DoRA's lengths.
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
    pub left_spread: f64,
    pub right_spread: f64,
    pub amplification: Option<f64>,
    pub base_tensor: String,
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

/// A tensor that is no part of an update.
#[derive(Debug, Clone, Serialize)]
pub struct UnknownDocument {
    pub name: String,
    pub shape: Vec<usize>,
    pub method: Option<&'static str>,
}

/// What is asked of a checkpoint of adapters.
#[derive(Clone, Copy)]
pub struct AdapterQuestion<'a> {
    /// Weights that the updates are compared with.
    pub base: Option<&'a BaseFile>,
    /// Move each pair to a balanced one, where its orbit has one.
    pub balance: bool,
    /// Write the adapters with the balanced pairs.
    pub save: Option<&'a Path>,
    /// Replace existing files.
    pub force: bool,
    /// Tolerances.
    pub tolerances: &'a Tolerances,
    /// Seed of the search for leading singular directions.
    pub seed: u64,
    /// Threads to use.
    pub threads: usize,
    /// Called after each update.
    pub progress: &'a (dyn Fn() + Sync),
}

impl AdapterDocument {
    /// Reads every update of a checkpoint and says what the product map says of it; writes balanced pairs where asked.
    ///
    /// With a base two updates are taken at a time, each with its share of the threads: at most two base weights are in memory.
    ///
    /// # Errors
    /// If a tensor is damaged, shapes do not fit, the base has no weight of any module, or a file cannot be written.
    pub fn new(file: &AdapterFile, question: &AdapterQuestion<'_>) -> Result<Self> {
        let each = |k: usize| {
            let found = answer(file, k, question);
            (question.progress)();
            found
        };
        let all: Vec<usize> = (0..file.len()).collect();
        let two_at_a_time =
            || all.chunks(2).flat_map(|two| two.par_iter().map(|&k| each(k)).collect::<Vec<_>>()).collect();
        // All results first: the error that is told does not depend on which thread was faster.
        let answers: Vec<Result<Answer>> = match (pool(question.threads), question.base) {
            (Some(pool), None) => pool.install(|| all.par_iter().map(|&k| each(k)).collect()),
            (Some(pool), Some(_)) => pool.install(two_at_a_time),
            (None, _) => all.iter().map(|&k| each(k)).collect(),
        };
        let mut answers: Vec<Answer> = answers.into_iter().collect::<Result<_>>()?;
        if question.base.is_some() && answers.iter().all(|answer| !answer.has_base) {
            return Err(InputError::new("the base has no weight of any module of the adapter")
                .array(format!("{}.weight", file.module(0)))
                .hint("give the model that the adapter was trained on"));
        }
        let notes = notes(file, &answers, question);
        if let Some(path) = question.save {
            let balanced: Vec<(usize, AdapterItem)> =
                answers.iter_mut().enumerate().filter_map(|(k, answer)| Some((k, answer.balanced.take()?))).collect();
            let options = SaveOptions { force: question.force, base: question.base };
            for (k, error) in file.write_with(path, &balanced, options)? {
                if let Some(balanced) = &mut answers[k].document.balanced {
                    balanced.product_error = Some(error);
                }
            }
        }
        let digests: Vec<[u8; 32]> = answers.iter().flat_map(|answer| answer.digests.iter().copied()).collect();
        let unknown = file.unknown().map(|tensor| UnknownDocument {
            name: tensor.name.to_owned(),
            shape: tensor.shape.to_vec(),
            method: tensor.method,
        });
        Ok(Self {
            schema: "rankscape.adapter/1",
            seed: question.seed,
            digest: [("adapter", combined_digest("adapter", &digests))].into(),
            unknown: unknown.collect(),
            pairs: answers.into_iter().map(|answer| answer.document).collect(),
            tolerances: tolerance_entries(question.tolerances),
            notes,
            run: RunDocument::default(),
        })
    }

    /// Some rank is not clear.
    pub fn is_undecided(&self) -> bool {
        self.pairs.iter().any(|pair| {
            let RanksDocument { a, b, product, update } = &pair.ranks;
            let free = a.is_some();
            let mut ranks = [a.as_ref(), b.as_ref(), Some(product), update.as_ref()].into_iter().flatten();
            (free && pair.barcode.is_none()) || ranks.any(|rank| !rank.clear)
        })
    }
}

/// What a reader should know, one sentence for all modules that it is about.
fn notes(file: &AdapterFile, answers: &[Answer], question: &AdapterQuestion<'_>) -> Vec<String> {
    let mut notes = file.notes().to_vec();
    let mut about: Vec<(String, Vec<String>)> = Vec::new();
    let mut add = |text: String, name: String| match about.iter_mut().find(|(other, _)| *other == text) {
        Some((_, names)) if names.contains(&name) => {}
        Some((_, names)) => names.push(name),
        None => about.push((text, vec![name])),
    };
    for answer in answers {
        let (pair, name) = (&answer.document, answer.title());
        if let Some(reason) = &pair.undetermined {
            add(
                format!("the change of the original weight is not determined ({}): {reason}", pair.method),
                name.clone(),
            );
        } else if pair.scaling.is_none() {
            let text = "the singular values are those of the product without its scaling";
            add(format!("{text}: {}", pair.scaling_reason), name.clone());
        }
        if pair.scaling_reason.contains("squared") {
            add(pair.scaling_reason.clone(), name.clone());
        }
        pair.notes.iter().for_each(|note| add(note.clone(), name.clone()));
    }
    if question.base.is_some() {
        for answer in answers {
            let name = answer.title();
            if !answer.has_base {
                add("the base has no weight of these modules".to_owned(), name);
            } else if answer.square && answer.document.overlap.is_some() {
                let taken = if answer.turned {
                    "(in, out), as fan_in_fan_out says"
                } else {
                    "(out, in), as Linear stores them"
                };
                add(
                    format!(
                        "square base weights are taken as {taken}; stored the other way (as Conv1D of GPT-2 against Linear), left \
                             and right of the overlap and the update differ"
                    ),
                    name,
                );
            }
        }
    }
    notes.extend(about.into_iter().map(|(text, names)| format!("{}: {text}", crate::container::list(&names))));
    notes
}

impl Answer {
    /// Name in a note: with that in the model, where the file writes another.
    fn title(&self) -> String {
        let title = self.document.title();
        self.plain_name.as_ref().map_or_else(|| title.clone(), |plain| format!("{title} ({plain})"))
    }
}

impl PairDocument {
    /// Name with that of the adapter and the number of the expert.
    pub fn title(&self) -> String {
        let expert = self.expert.map_or_else(String::new, |expert| format!("[{}]", expert.index));
        let adapter = self.adapter.as_ref().map_or_else(String::new, |adapter| format!(" [{adapter}]"));
        format!("{}{expert}{adapter}", self.name)
    }
}
