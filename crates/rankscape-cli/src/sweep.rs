//! `rankscape sweep`: random experiments in shards.

use rankscape::InputError;
use rankscape::quadratic::cost;
use rankscape::sweep::{Entries, Plan};
use rankscape_io::documents::{CostsDocument, SweepDocument};
use rankscape_io::report::{cost_text, sweep_text};
use rankscape_io::sweep::{SHARDS_LIMIT, SweepDirectory};

use crate::quadratic_arguments::{DirOptions, EntriesName, PlanOptions, RunOptions, SweepCommand};
use crate::run::{ANSWERED, FAILED_CHECK, Outcome, Run, UNDECIDED};

/// Instances of a shard, where the number of shards is not given.
const SHARD: u64 = 500;

pub(crate) fn run(command: &SweepCommand, run: &Run<'_>) -> Result<Outcome, InputError> {
    match command {
        SweepCommand::Plan(options) => plan(options, run),
        SweepCommand::Run(options) => run_shards(options, run),
        SweepCommand::Merge(options) => merge(options, run),
        SweepCommand::Status(options) => {
            let sweep = SweepDirectory::open(&options.dir)?;
            answer(run, SweepDocument::new(&sweep)?, false)
        }
    }
}

fn plan(options: &PlanOptions, run: &Run<'_>) -> Result<Outcome, InputError> {
    let plan = Plan {
        rows: options.rows,
        cols: options.cols,
        rank: options.rank,
        metric: options.metric,
        entries: match options.entries {
            EntriesName::Integers => Entries::Integers { low: options.low, high: options.high },
            EntriesName::Normal => Entries::Normal,
        },
        instances: options.instances,
        seed: run.seed(),
    };
    plan.check()?;
    if options.dry_run {
        return dry_run(run, &plan, plan.instances);
    }
    let shards = options.shards.unwrap_or_else(|| plan.instances.div_ceil(SHARD).min(SHARDS_LIMIT));
    let sweep = SweepDirectory::create(&options.dir, &plan, shards)?;
    answer(run, SweepDocument::new(&sweep)?, false)
}

fn run_shards(options: &RunOptions, run: &Run<'_>) -> Result<Outcome, InputError> {
    let mut sweep = SweepDirectory::open(&options.dir)?;
    sweep.check_start(options.start.as_deref())?;
    if !options.dry_run {
        sweep.begin(options.shard.map_or(sweep.shards, |(_, shards)| shards))?;
    }
    let todo = sweep.todo(options.shard)?;
    if options.dry_run {
        return dry_run(run, &sweep.plan, todo.instances);
    }
    let mut progress = run.progress(todo.instances);
    let mut notes = Vec::new();
    let mut note = |text: &str| {
        eprintln!("rankscape: {text}");
        notes.push(text.to_owned());
    };
    sweep.run(&todo, options.start.as_deref(), run.threads(), &mut |done| progress.set(done), &mut note)?;
    let mut document = SweepDocument::new(&sweep)?;
    document.notes.splice(0..0, notes);
    answer(run, document, false)
}

fn merge(options: &DirOptions, run: &Run<'_>) -> Result<Outcome, InputError> {
    let sweep = SweepDirectory::open(&options.dir)?;
    answer(run, SweepDocument::new(&sweep)?.merged(), true)
}

fn answer(run: &Run<'_>, document: SweepDocument, whole: bool) -> Result<Outcome, InputError> {
    let counts = &document.counts;
    let code = if !counts.contradictions.is_empty() {
        FAILED_CHECK
    } else if !counts.unproved.is_empty() || (whole && !document.missing.is_empty()) {
        UNDECIDED
    } else {
        ANSWERED
    };
    run.finish(document, sweep_text, code)
}

fn dry_run(run: &Run<'_>, plan: &Plan, instances: u64) -> Result<Outcome, InputError> {
    run.finish(CostsDocument::new(&[(plan.shape(), instances)], cost)?, cost_text, ANSWERED)
}
