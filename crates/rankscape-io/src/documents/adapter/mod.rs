//! A checkpoint of adapters as a document.

mod parts;
mod view;

pub use parts::{
    BalancedDocument, ExpertDocument, MagnitudeDocument, OverlapDocument, PairDocument, ProductDocument, RanksDocument,
    ShapesDocument, UnknownDocument,
};
pub use view::UpdateView;

use serde::Serialize;

use super::RunDocument;
use super::digests::Digest;
use super::point::TolerancesDocument;
use crate::adapter::{AdapterFile, AdapterItem, AdapterQuestion};
use crate::digest::combined_digest;

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
    /// The document on a checkpoint and the views of its updates, in order.
    pub fn new(file: &AdapterFile, answers: Vec<UpdateView>, question: &AdapterQuestion<'_>) -> Self {
        let notes = notes(file, &answers, question.base.is_some());
        let digests: Vec<[u8; 32]> = answers.iter().flat_map(|answer| answer.digests.iter().copied()).collect();
        let unknown = file.unknown().map(|tensor| UnknownDocument {
            name: tensor.name.to_owned(),
            shape: tensor.shape.to_vec(),
            method: tensor.method,
        });
        Self {
            schema: "rankscape.adapter/1",
            seed: question.seed,
            digest: AdapterDigest { adapter: combined_digest("adapter", &digests).into() },
            unknown: unknown.collect(),
            pairs: answers.into_iter().map(|answer| answer.document).collect(),
            tolerances: question.tolerances.into(),
            notes,
            run: RunDocument::default(),
        }
    }

    /// Largest differences of the products of the pairs that were written, by number.
    #[must_use]
    pub fn with_written(mut self, product_errors: Vec<(usize, f64)>) -> Self {
        for (k, error) in product_errors {
            if let Some(balanced) = &mut self.pairs[k].balanced {
                balanced.product_error = Some(error);
            }
        }
        self
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
fn notes(file: &AdapterFile, answers: &[UpdateView], with_base: bool) -> Vec<String> {
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
        if answer.disputed {
            add(pair.scaling_reason.clone(), name.clone());
        }
        pair.notes.iter().for_each(|note| add(note.clone(), name.clone()));
    }
    if with_base {
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

impl UpdateView {
    /// The balanced pair to be written, once.
    pub fn take_balanced(&mut self) -> Option<AdapterItem> {
        self.balanced.take()
    }

    /// Name in a note: with that in the model, where the file writes another.
    fn title(&self) -> String {
        let title = self.document.title();
        self.plain_name.as_ref().map_or_else(|| title.clone(), |plain| format!("{title} ({plain})"))
    }
}
