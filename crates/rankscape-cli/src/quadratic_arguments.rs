//! The arguments of `ed`, `solve` and `sweep`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use rankscape::sweep::MetricLaw;

/// Arguments of `ed`.
#[derive(Debug, Args)]
pub(crate) struct EdOptions {
    /// Rows of the matrices.
    #[arg(long, value_name = "M")]
    pub(crate) rows: usize,
    /// Columns of the matrices.
    #[arg(long, value_name = "N")]
    pub(crate) cols: usize,
    /// Largest rank.
    #[arg(long, value_name = "R")]
    pub(crate) rank: usize,
    /// Weights of the entries, M x N: also the count for the loss sum_ij w_ij (P_ij - Q_ij)^2. Zero: not observed.
    #[arg(long, value_name = "FILE")]
    pub(crate) weights: Option<PathBuf>,
    /// Say what it would cost, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Set a tolerance; rankscape tolerances lists them.
    #[arg(long = "tolerance", value_name = "NAME=VALUE")]
    pub(crate) tolerances: Vec<String>,
}

/// Arguments of `solve`.
#[derive(Debug, Args)]
pub(crate) struct SolveOptions {
    /// One instance a line, as JSON: id, m, n, r, phi (or weights), q, convention. Other fields are refused, except known
    /// answers as in oracles/ and names that begin with _, which are not read.
    #[arg(long, value_name = "FILE", required_unless_present = "target", conflicts_with_all = ["weights", "phi", "target", "rank"])]
    pub(crate) instances: Option<PathBuf>,
    /// One instance from matrices instead: the target Q, M x N.
    #[arg(long, value_name = "FILE", requires = "rank")]
    pub(crate) target: Option<PathBuf>,
    /// The rank of the matrices that approximate the target.
    #[arg(long, value_name = "R", requires = "target")]
    pub(crate) rank: Option<usize>,
    /// Weights of the entries of the target, M x N; zero: not observed [default: all one].
    #[arg(long, value_name = "FILE", requires = "target")]
    pub(crate) weights: Option<PathBuf>,
    /// Measurements of the target, K x MN: the loss ||phi vec(P - Q)||^2, where vec takes one row after the other.
    #[arg(long, value_name = "FILE", requires = "target", conflicts_with = "weights")]
    pub(crate) phi: Option<PathBuf>,
    /// Keep the generic solution here, or take it from here: the second run starts at once.
    #[arg(long, value_name = "FILE")]
    pub(crate) start: Option<PathBuf>,
    /// Follow the real critical points while the target moves from one m x n matrix to another.
    #[arg(long, num_args = 2, value_names = ["Q0", "Q1"])]
    pub(crate) segment: Option<Vec<PathBuf>>,
    /// Write the certified real points to an .npz file: id and complete, one an instance; instance (its place, from 0), value,
    /// index (-1: undecided), radius and the matrices W, one a point.
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
    /// Say what it would cost, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Set a tolerance; rankscape tolerances lists them.
    #[arg(long = "tolerance", value_name = "NAME=VALUE")]
    pub(crate) tolerances: Vec<String>,
}

/// What `sweep` does.
#[derive(Debug, Subcommand)]
pub(crate) enum SweepCommand {
    /// Write the plan of an experiment into a folder.
    Plan(PlanOptions),
    /// Run one shard, or all that are missing.
    Run(RunOptions),
    /// The table of all shards.
    Merge(DirOptions),
    /// What is done and what is missing.
    Status(DirOptions),
}

/// Law of the entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EntriesName {
    /// Integers, uniform from LOW to HIGH.
    Integers,
    /// Standard normal numbers.
    Normal,
}

/// Arguments of `sweep plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanOptions {
    /// Folder of the experiment.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Rows of the matrices.
    #[arg(long, default_value_t = 3, value_name = "M")]
    pub(crate) rows: usize,
    /// Columns of the matrices.
    #[arg(long, default_value_t = 3, value_name = "N")]
    pub(crate) cols: usize,
    /// Rank.
    #[arg(long, default_value_t = 1, value_name = "R")]
    pub(crate) rank: usize,
    /// Law of the metric: full, all entries of phi are independent; diagonal, weights are squares of independent entries, an
    /// entry 0 drawn again; singular:K, phi has K rows fewer than M*N.
    #[arg(long, value_name = "full|diagonal|singular:K", default_value_t = MetricLaw::Full)]
    pub(crate) metric: MetricLaw,
    /// Law of the entries of phi and of the target.
    #[arg(long, value_enum, default_value_t = EntriesName::Integers)]
    pub(crate) entries: EntriesName,
    /// Smallest integer.
    #[arg(long, default_value_t = -10, allow_hyphen_values = true, value_name = "LOW")]
    pub(crate) low: i64,
    /// Largest integer.
    #[arg(long, default_value_t = 10, allow_hyphen_values = true, value_name = "HIGH")]
    pub(crate) high: i64,
    /// Number of instances.
    #[arg(long, default_value_t = 2000, value_name = "COUNT")]
    pub(crate) instances: u64,
    /// Number of shards [default: one for every 500 instances]. A run that is killed loses the shards it was in.
    #[arg(long, value_name = "COUNT")]
    pub(crate) shards: Option<u64>,
    /// Say what it would cost, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Arguments of `sweep run`.
#[derive(Debug, Args)]
pub(crate) struct RunOptions {
    /// Folder of the experiment.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Shard i of n, numbered from 0 [default: all that are missing].
    #[arg(long, value_name = "i/n", value_parser = shard)]
    pub(crate) shard: Option<(u64, u64)>,
    /// Keep the generic solution here, or take it from here.
    #[arg(long, value_name = "FILE")]
    pub(crate) start: Option<PathBuf>,
    /// Say what it would cost, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Arguments of `sweep merge` and `sweep status`.
#[derive(Debug, Args)]
pub(crate) struct DirOptions {
    /// Folder of the experiment.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,
}

fn shard(text: &str) -> Result<(u64, u64), String> {
    let parsed = text.split_once('/').and_then(|(i, n)| Some((i.trim().parse().ok()?, n.trim().parse().ok()?)));
    match parsed {
        Some((i, n)) if i < n => Ok((i, n)),
        _ => Err("a shard is given as i/n with 0 <= i < n, for example 0/4".to_owned()),
    }
}
