//! `rankscape adapter`: a checkpoint of adapters, without data.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use rankscape::InputError;
use rankscape_io::adapter::{open_adapter, open_base};
use rankscape_io::documents::{AdapterDocument, AdapterQuestion};
use rankscape_io::report::adapter_text;

use crate::arguments::AdapterOptions;
use crate::output::{ANSWERED, Outcome, UNDECIDED, finish, run_document};
use crate::problem::tolerances;
use crate::progress::Progress;

pub(crate) fn run(options: &AdapterOptions, started: Instant) -> Result<Outcome, InputError> {
    let common = &options.common;
    let tolerances = tolerances(&options.tolerances)?;
    let base = options.base.as_ref().map(open_base).transpose()?;
    let file = open_adapter(&options.checkpoint, base.as_ref())?;
    let progress = Mutex::new((Progress::new(common, file.len() as u64), 0_u64));
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
        force: options.common.force,
        tolerances: &tolerances,
        seed: common.seed,
        threads: common.thread_count(),
        progress: &advance,
    };
    let mut document = AdapterDocument::new(&file, &question)?;
    document.run = run_document(common, started);
    let code = if document.is_undecided() { UNDECIDED } else { ANSWERED };
    finish(common, "adapter.json", &document, adapter_text(&document), code)
}
