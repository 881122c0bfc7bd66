//! `rankscape adapter`: a checkpoint of adapters, without data.

use std::sync::{Mutex, PoisonError};

use rankscape::InputError;
use rankscape_io::adapter::{open_adapter, open_base};
use rankscape_io::documents::{AdapterDocument, AdapterQuestion};
use rankscape_io::report::adapter_text;

use crate::arguments::AdapterOptions;
use crate::input::tolerances;
use crate::progress::Progress;
use crate::run::{Outcome, Run, code_of};

pub(crate) fn run(options: &AdapterOptions, run: &Run<'_>) -> Result<Outcome, InputError> {
    let tolerances = tolerances(&options.tolerances)?;
    let base = options.base.as_ref().map(open_base).transpose()?;
    let file = open_adapter(&options.checkpoint, base.as_ref())?;
    let progress = Mutex::new((Progress::new(run.common, file.len() as u64), 0_u64));
    let advance = || {
        let mut state = progress.lock().unwrap_or_else(PoisonError::into_inner);
        state.1 += 1;
        let done = state.1;
        state.0.set(done);
    };
    let question = AdapterQuestion {
        base: base.as_ref(),
        balance: options.balance,
        save: options.save.as_deref(),
        force: run.common.force,
        tolerances: &tolerances,
        seed: run.seed(),
        threads: run.threads(),
        progress: &advance,
    };
    let document = AdapterDocument::new(&file, &question)?;
    let undecided = document.is_undecided();
    run.finish(document, adapter_text, code_of(undecided))
}
