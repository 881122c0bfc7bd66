//! `rankscape adapter`: a checkpoint of adapters, without data.

use std::sync::{Mutex, PoisonError};

use rankscape::InputError;
use rankscape_io::adapter::{AdapterQuestion, SaveOptions, answer_all, open_adapter, open_base};
use rankscape_io::documents::{AdapterDocument, UpdateView};
use rankscape_io::report::adapter_text;

use crate::arguments::AdapterOptions;
use crate::input::tolerances;
use crate::run::{Outcome, Run, code_of};

pub(crate) fn run(options: &AdapterOptions, run: &Run<'_>) -> Result<Outcome, InputError> {
    let tolerances = tolerances(&options.tolerances)?;
    let base = options.base.as_ref().map(open_base).transpose()?;
    let file = open_adapter(&options.checkpoint, base.as_ref())?;
    let progress = Mutex::new((run.progress(file.len() as u64), 0_u64));
    let advance = || {
        let mut state = progress.lock().unwrap_or_else(PoisonError::into_inner);
        state.1 += 1;
        let done = state.1;
        state.0.set(done);
    };
    let question = AdapterQuestion {
        base: base.as_ref(),
        balance: options.balance,
        tolerances: &tolerances,
        seed: run.seed(),
        threads: run.threads(),
        progress: &advance,
    };
    let mut answers = answer_all(&file, &question, UpdateView::from)?;
    let mut written = Vec::new();
    if let Some(path) = &options.save {
        let balanced: Vec<_> =
            answers.iter_mut().enumerate().filter_map(|(k, answer)| Some((k, answer.take_balanced()?))).collect();
        written = file.write_with(path, &balanced, SaveOptions { force: run.common.force, base: base.as_ref() })?;
    }
    let document = AdapterDocument::new(&file, answers, &question).with_written(written);
    let undecided = document.is_undecided();
    run.finish(document, adapter_text, code_of(undecided))
}
