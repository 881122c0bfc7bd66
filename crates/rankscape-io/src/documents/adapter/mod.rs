//! A checkpoint of adapters as a document.

mod answer;
mod parts;

pub use parts::{
    AdapterQuestion, BalancedDocument, ExpertDocument, MagnitudeDocument, OverlapDocument, PairDocument,
    ProductDocument, RanksDocument, ShapesDocument, UnknownDocument,
};

use rayon::prelude::*;
use serde::Serialize;

use self::answer::{Answer, answer};
use super::RunDocument;
use super::digests::Digest;
use super::point::TolerancesDocument;
use crate::adapter::{AdapterFile, AdapterItem, SaveOptions};
use crate::digest::combined_digest;
use rankscape::error::{InputError, Result};
use rankscape::parallel::pool;

/// What is known of every update of a checkpoint of adapters. Undefined values are null.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdapterDocument {
    /// Name and version of this format.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "rankscape.adapter/1")))]
    pub schema: &'static str,
    /// Seed of everything random.
    pub seed: u64,
    /// SHA-256 over shapes and values.
    pub digest: AdapterDigest,
    /// The updates, in the order of names; one an expert where experts share tensors.
    pub pairs: Vec<PairDocument>,
    /// Tensors that are no part of an update.
    pub unknown: Vec<UnknownDocument>,
    /// All tolerances used.
    pub tolerances: TolerancesDocument,
    /// What the reader should know.
    pub notes: Vec<String>,
    /// Times and facts of the host.
    pub run: RunDocument,
}

/// The digest of a checkpoint.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdapterDigest {
    /// Of the tensors of all pairs, in the order of names.
    pub adapter: Digest,
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
            digest: AdapterDigest { adapter: combined_digest("adapter", &digests).into() },
            unknown: unknown.collect(),
            pairs: answers.into_iter().map(|answer| answer.document).collect(),
            tolerances: question.tolerances.into(),
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
