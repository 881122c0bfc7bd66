//! `rankscape adapter`: a checkpoint of low-rank adapters, without data.

use std::time::Instant;

use rankscape::InputError;
use rankscape::io::adapter::{open_adapter, open_base};
use rankscape::io::documents::{AdapterDocument, AdapterQuestion};
use rankscape::report::adapter_text;

use crate::arguments::AdapterOptions;
use crate::output::{ANSWERED, Outcome, UNDECIDED, finish, run_document};
use crate::problem::tolerances;

pub(crate) fn run(options: &AdapterOptions, started: Instant) -> Result<Outcome, InputError> {
    let common = &options.common;
    let tolerances = tolerances(&options.tolerances)?;
    let file = open_adapter(&options.checkpoint)?;
    let base = options.base.as_ref().map(open_base).transpose()?;
    let question = AdapterQuestion {
        base: base.as_ref(),
        balance: options.balance,
        save: options.save.as_deref(),
        tolerances: &tolerances,
        seed: common.seed,
        threads: common.thread_count(),
    };
    let mut document = AdapterDocument::new(&file, &question)?;
    document.run = run_document(common, started);
    let code = if document.is_undecided() { UNDECIDED } else { ANSWERED };
    finish(common, "adapter.json", &document, adapter_text(&document), code)
}
