//! `rankscape sweep`: random experiments in shards.

use rankscape::homotopy::{TrackOptions, Workers};
use rankscape::quadratic::{Solver, cost};
use rankscape::sweep::{Entries, MetricLaw, Plan, run_shard};
use rankscape::{InputError, Tolerances};
use rankscape_io::documents::{CostsDocument, SweepDocument};
use rankscape_io::report::{cost_text, sweep_text};
use rankscape_io::start_set::start_set_at;
use rankscape_io::sweep::{SHARDS_LIMIT, SweepDirectory};

use crate::progress::Progress;
use crate::quadratic_arguments::{DirOptions, EntriesName, MetricName, PlanOptions, RunOptions, SweepCommand};
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
        metric: match options.metric {
            MetricName::Full => MetricLaw::Full,
            MetricName::Diagonal => MetricLaw::Diagonal,
        },
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
    if let Some(path) = options.start.as_ref().filter(|path| sweep.has_name_of(path)) {
        return Err(InputError::new("the start set would have the name of a file of the sweep")
            .file(path.display())
            .hint("give --start another name"));
    }
    if !options.dry_run {
        sweep.begin(options.shard.map_or(sweep.shards, |(_, shards)| shards))?;
    }
    let missing = sweep.status().missing;
    let chosen: Vec<u64> = match options.shard {
        Some((shard, _)) => missing.into_iter().filter(|&other| other == shard).collect(),
        None => missing,
    };
    let (mut total, shards) = (0, options.shard.map_or(sweep.shards, |(_, shards)| shards));
    for &shard in &chosen {
        let items = sweep.plan.items(shard, shards)?;
        total += items.end - items.start;
    }
    if options.dry_run {
        return dry_run(run, &sweep.plan, total);
    }
    let mut notes = Vec::new();
    if !chosen.is_empty() {
        let workers = Workers::new(run.threads())?;
        let tolerances = Tolerances::default();
        let (shape, seed) = (sweep.plan.shape(), sweep.plan.seed);
        let tracking = TrackOptions::new(&tolerances);
        let start = start_set_at(options.start.as_deref(), shape, seed, &tracking, &workers)?;
        let named = |error: InputError| match &options.start {
            Some(path) => error.file(path.display()),
            None => error,
        };
        let solver = Solver::new(start, tolerances, seed).map_err(named)?;
        let mut progress = Progress::new(run.common, total);
        let mut before = 0;
        for shard in chosen {
            let cut = (shard, sweep.shards);
            let found = run_shard(&sweep.plan, &solver, cut, &workers, |done| {
                progress.set(before + done);
                true
            })?;
            if let Some(tally) = found {
                before += tally.items();
                if let Some(note) = sweep.store(shard, &tally)? {
                    eprintln!("rankscape: {note}");
                    notes.push(note);
                }
            }
        }
    }
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
