//! The answer to every update of a checkpoint.

use rayon::prelude::*;

use super::{AdapterFile, AdapterItem, BaseFile, BaseTensor};
use rankscape::answers::{self, UpdateAnswer, UpdateRequest, balance_factors};
use rankscape::error::{InputError, Result};
use rankscape::multiplication::{Balance, Factors};
use rankscape::parallel::pool;
use rankscape::tolerance::Tolerances;

/// What is asked of a checkpoint of adapters.
#[derive(Clone, Copy)]
pub struct AdapterQuestion<'a> {
    /// Weights that the updates are compared with.
    pub base: Option<&'a BaseFile>,
    /// Move each pair to a balanced one, where its orbit has one.
    pub balance: bool,
    /// Tolerances.
    pub tolerances: &'a Tolerances,
    /// Seed of the search for leading singular directions.
    pub seed: u64,
    /// Threads to use.
    pub threads: usize,
    /// Called after each update.
    pub progress: &'a (dyn Fn() + Sync),
}

/// One update as read, and what is known of it.
pub struct ItemAnswer {
    /// The update.
    pub item: AdapterItem,
    /// What is known of it.
    pub answer: UpdateAnswer,
    /// The base has the weight of the module.
    pub has_base: bool,
    /// The tensor that was compared with.
    pub base: Option<BaseTensor>,
    /// A balanced pair was asked for.
    pub is_balance_asked: bool,
    /// The balanced pair, rounded to the stored types where it can be written; `None` where none is asked for or the factors are
    /// not free.
    pub balanced: Option<Balance>,
}

impl ItemAnswer {
    fn new(file: &AdapterFile, k: usize, question: &AdapterQuestion<'_>) -> Result<Self> {
        let item = file.load(k, question.base)?;
        let has_base = question.base.is_some_and(|base| base.holds(&item));
        let mut base = None;
        let original = || {
            let found = question.base.filter(|_| has_base).map(|file| file.weight_of(&item)).transpose()?.flatten();
            Ok(found.map(|(weight, tensor)| {
                base = Some(tensor);
                weight
            }))
        };
        let update = item.update();
        let request = UpdateRequest {
            update: &update,
            pair: item.pair(),
            scaling: item.scaling.value,
            times: item.times,
            unit_roundoff: item.unit_roundoff,
            removed: item.removed,
            lengths: item.lengths.as_ref(),
            determined: item.undetermined.is_none(),
        };
        let answer = answers::adapter(&request, original, question.tolerances, question.seed)
            .map_err(|error| error.array(item.name()))?;
        let balanced = match (&answer.pair, item.pair(), item.fixed) {
            (Some(found), Some(factors), None) if question.balance => {
                let round = |factors: &Factors| item.rounded(factors);
                let rounding = item.can_be_written().then_some(&round as _);
                Some(balance_factors(factors, &found.profile, rounding)?)
            }
            _ => None,
        };
        Ok(Self { item, answer, has_base, base, is_balance_asked: question.balance, balanced })
    }

    /// The update with the balanced pair in place of its own, where it can be written.
    pub fn balanced_item(&self) -> Option<AdapterItem> {
        let factors = self.balanced.as_ref().and_then(|balance| balance.factors.clone())?;
        self.item.can_be_written().then(|| self.item.with_pair(factors))
    }
}

/// Answers for every update of a checkpoint, in the order of names; each is turned by `view` before its tensors are dropped.
///
/// With a base two updates are taken at a time, each with its share of the threads: at most two base weights are in memory.
///
/// # Errors
/// If a tensor is damaged, shapes do not fit, or the base has no weight of any module.
pub fn answer_all<T: Send>(
    file: &AdapterFile,
    question: &AdapterQuestion<'_>,
    view: impl Fn(ItemAnswer) -> T + Sync,
) -> Result<Vec<T>> {
    let each = |k: usize| {
        let found = ItemAnswer::new(file, k, question);
        (question.progress)();
        found.map(|answer| (answer.has_base, view(answer)))
    };
    let all: Vec<usize> = (0..file.len()).collect();
    let two_at_a_time = || all.chunks(2).flat_map(|two| two.par_iter().map(|&k| each(k)).collect::<Vec<_>>()).collect();
    // All results first: the error that is told does not depend on which thread was faster.
    let answers: Vec<Result<(bool, T)>> = match (pool(question.threads), question.base) {
        (Some(pool), None) => pool.install(|| all.par_iter().map(|&k| each(k)).collect()),
        (Some(pool), Some(_)) => pool.install(two_at_a_time),
        (None, _) => all.iter().map(|&k| each(k)).collect(),
    };
    let (has_base, answers): (Vec<bool>, Vec<T>) = answers.into_iter().collect::<Result<Vec<_>>>()?.into_iter().unzip();
    if question.base.is_some() && !has_base.contains(&true) {
        return Err(InputError::new("the base has no weight of any module of the adapter")
            .array(format!("{}.weight", file.module(0)))
            .hint("give the model that the adapter was trained on"));
    }
    Ok(answers)
}
