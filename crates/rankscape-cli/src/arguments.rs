//! The arguments of every verb.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::data_arguments::{DataOptions, NormalizationName, ReadingOptions};
use crate::examples;
use crate::family::FamilyOptions;
use crate::loss_arguments::{FlowOptions, LossArguments, MinimaOptions};
use crate::map_arguments::{ParametrizationOption, PredictorOptions, PyramidOptions};
use crate::quadratic_arguments::{EdOptions, SolveOptions, SweepCommand};

/// Exact answers, with evidence, about the loss landscape of products of matrices.
#[derive(Debug, Parser)]
#[command(name = "rankscape", version, propagate_version = true)]
pub(crate) struct Arguments {
    /// What to answer.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Options of every verb.
    #[command(flatten)]
    pub(crate) common: CommonOptions,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// These weights, this data: where am I?
    #[command(after_help = examples::DIAGNOSE)]
    Diagnose(Box<DiagnoseOptions>),
    /// This data, these widths: what is out there?
    #[command(after_help = examples::CRITICAL)]
    Critical(Box<CriticalOptions>),
    /// The spectrum of the Hessian here: eigenvalues, index, nullity.
    #[command(after_help = examples::HESSIAN)]
    Hessian(Box<HessianOptions>),
    /// The product map here, without data.
    #[command(after_help = examples::MAP)]
    Map(MapOptions),
    /// Two factorizations of one matrix: a path inside the fiber, or the proof that there is none.
    #[command(after_help = examples::CONNECT)]
    Connect(ConnectOptions),
    /// Balanced weights with the same product.
    #[command(after_help = examples::BALANCE)]
    Balance(BalanceOptions),
    /// Factors near these whose product is a given matrix.
    #[command(after_help = examples::REACH)]
    Reach(ReachOptions),
    /// A critical point taken apart: its strings, ZL's forms, the deep form.
    #[command(after_help = examples::PARSE)]
    Parse(ParseOptions),
    /// Paths that leave a point, by name, each with what it predicts.
    #[command(after_help = examples::ESCAPE)]
    Escape(Box<EscapeOptions>),
    /// Checks a certificate without trusting how it was found.
    #[command(after_help = examples::VERIFY)]
    Verify(VerifyOptions),
    /// A checkpoint of low-rank adapters (LoRA), without data.
    #[command(after_help = examples::ADAPTER)]
    Adapter(AdapterOptions),
    /// Version, processor features and a self-test.
    #[command(after_help = examples::DOCTOR)]
    Doctor,
    /// Degrees of the matrices of bounded rank.
    #[command(after_help = examples::ED)]
    Ed(EdOptions),
    /// All critical points of quadratic losses on matrices of bounded rank.
    #[command(after_help = examples::SOLVE)]
    Solve(SolveOptions),
    /// Local minima of a loss on matrices of bounded rank, by many starts.
    #[command(after_help = examples::MINIMA)]
    Minima(Box<MinimaOptions>),
    /// Gradient flow or descent from here: losses, plateaus by name, what is conserved.
    #[command(after_help = examples::FLOW)]
    Flow(Box<FlowOptions>),
    /// The rank of the Jacobian of predictions here and at generic parameters, for products and maps beyond them.
    #[command(after_help = examples::PREDICTOR)]
    Predictor(Box<PredictorOptions>),
    /// Layers with activations: do the hypotheses hold under which every local minimum is global?
    #[command(after_help = examples::PYRAMID)]
    Pyramid(Box<PyramidOptions>),
    /// A stored run: which saddles did it visit, and what comes next?
    #[command(after_help = examples::ITINERARY)]
    Itinerary(Box<ItineraryOptions>),
    /// A random experiment, in shards.
    #[command(subcommand, after_help = examples::SWEEP)]
    Sweep(SweepCommand),
    /// Every tolerance: name, unit, default, meaning.
    #[command(after_help = examples::TOLERANCES)]
    Tolerances,
    /// Completions for a shell, on standard output.
    #[command(after_help = examples::COMPLETIONS)]
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// The manual page, on standard output.
    #[command(after_help = examples::MAN)]
    Man,
}

/// Common to all verbs.
#[derive(Debug, Clone, Args)]
pub(crate) struct CommonOptions {
    /// Print one JSON document on standard output, and nothing else there.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Also write the document into this folder.
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) out: Option<PathBuf>,
    /// Seed of everything random.
    #[arg(long, default_value_t = 0, value_name = "N", global = true)]
    pub(crate) seed: u64,
    /// Threads to use [default: one for each processor].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), global = true)]
    pub(crate) threads: Option<u16>,
    /// Print nothing but errors; the exit code answers.
    #[arg(long, global = true)]
    pub(crate) quiet: bool,
    /// Let a named output replace a file that exists; never an input of the run.
    #[arg(long, global = true)]
    pub(crate) force: bool,
    /// Show no progress on standard error.
    #[arg(long, global = true)]
    pub(crate) no_progress: bool,
}

impl CommonOptions {
    /// A document is printed or written.
    pub(crate) fn makes_document(&self) -> bool {
        self.json || self.out.is_some()
    }

    pub(crate) fn thread_count(&self) -> usize {
        let available = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.map_or_else(available, usize::from)
    }
}

/// Where `diagnose --leave` goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DestinationName {
    /// Past the next plateau: every missing direction that the narrowest layer has room for is started.
    Next,
    /// To a global minimum.
    Minimum,
}

/// A point with its data and how to read them.
#[derive(Debug, Args)]
pub(crate) struct PointOptions {
    /// Weights: .safetensors, .npz or .json with arrays W1..Wh, or ordered by the number in their names, each (out, in).
    #[arg(long, value_name = "FILE", required_unless_present = "example")]
    pub(crate) weights: Option<String>,
    /// The data.
    #[command(flatten)]
    pub(crate) data: DataOptions,
    /// A shipped example instead of files: digits, digits-early, digits-converged, digits-classifier, digits-classifier-passing,
    /// digits-classifier-early, digits-classifier-converged.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["weights", "data", "target"])]
    pub(crate) example: Option<String>,
    /// How the weights are read.
    #[command(flatten)]
    pub(crate) reading: ReadingOptions,
    /// What losses, gradients and eigenvalues are divided by.
    #[arg(long, value_enum, default_value_t = NormalizationName::Sum)]
    pub(crate) normalization: NormalizationName,
    /// Set a tolerance; rankscape tolerances lists them.
    #[arg(long = "tolerance", value_name = "NAME=VALUE")]
    pub(crate) tolerances: Vec<String>,
}

/// Arguments of `critical`.
#[derive(Debug, Args)]
pub(crate) struct CriticalOptions {
    /// The data.
    #[command(flatten)]
    pub(crate) data: DataOptions,
    /// The loss.
    #[command(flatten)]
    pub(crate) loss: LossArguments,
    /// A shipped example instead of files; --widths replaces its widths.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["weights", "data", "target"])]
    pub(crate) example: Option<String>,
    /// Widths d0,d1,...,dh from input to output.
    #[arg(long, value_delimiter = ',', value_name = "d0,...,dh")]
    pub(crate) widths: Option<Vec<usize>>,
    /// Weights whose widths and biases are used instead of --widths.
    #[arg(long, value_name = "FILE", conflicts_with = "widths")]
    pub(crate) weights: Option<String>,
    /// How the weights are read.
    #[command(flatten)]
    pub(crate) reading: ReadingOptions,
    /// What the values are divided by.
    #[arg(long, value_enum, default_value_t = NormalizationName::Sum)]
    pub(crate) normalization: NormalizationName,
    /// List at most so many rungs, lowest first, or strata; the total is counted in any case [default: 8 rungs in words, else
    /// 100000].
    #[arg(long, value_name = "N")]
    pub(crate) max: Option<usize>,
    /// Add (l/2) sum ||W_k||^2 to the sum loss: a number or a fraction, 0 for none. The decay of AdamW is another one.
    #[arg(long, value_name = "l", allow_hyphen_values = true, conflicts_with_all = ["strata", "construct", "graph"])]
    pub(crate) weight_decay: Option<String>,
    /// List the descents between listed rungs.
    #[arg(long, conflicts_with_all = ["strata", "construct"])]
    pub(crate) graph: bool,
    /// One family instead of all rungs.
    #[command(flatten)]
    pub(crate) family: FamilyOptions,
    /// Set a tolerance; rankscape tolerances lists them.
    #[arg(long = "tolerance", value_name = "NAME=VALUE")]
    pub(crate) tolerances: Vec<String>,
}

/// Arguments of `diagnose`.
#[derive(Debug, Args)]
pub(crate) struct DiagnoseOptions {
    /// The point.
    #[command(flatten)]
    pub(crate) point: PointOptions,
    /// The loss.
    #[command(flatten)]
    pub(crate) loss: LossArguments,
    /// Add (l/2) sum ||W_k||^2 to the sum loss: a number or a fraction, 0 for none. AdamW decays apart from the gradient and
    /// does not stop at critical points of such a loss; docs/decay.md has where it does.
    #[arg(long, value_name = "l", allow_hyphen_values = true)]
    pub(crate) weight_decay: Option<String>,
    /// What the loss is a function of: the factors, or those before the last divided by their norms.
    #[arg(long, value_enum, default_value_t = ParametrizationOption::Plain, value_name = "NAME")]
    pub(crate) parametrization: ParametrizationOption,
    /// Write weights that have left the point: same names and types, ready to train on.
    #[arg(long, value_name = "FILE")]
    pub(crate) leave: Option<PathBuf>,
    /// Where --leave goes: past the next plateau, every missing direction started, or straight to a global minimum.
    #[arg(long, value_enum, default_value_t = DestinationName::Next, requires = "leave")]
    pub(crate) to: DestinationName,
    /// Say more: gradient, spectrum, ranks, barcode, the path of steepest descent.
    #[arg(long)]
    pub(crate) details: bool,
    /// Write the nearest critical point: same names and types.
    #[arg(long, value_name = "FILE")]
    pub(crate) near: Option<PathBuf>,
    /// Learning rate of gradient descent on the loss as it is reported (see --normalization): says in how many steps the most
    /// negative curvature multiplies a deviation by e.
    #[arg(long, value_name = "RATE", value_parser = learning_rate)]
    pub(crate) learning_rate: Option<f64>,
    /// Write a certificate of the class and of the path that leaves; `rankscape verify` checks it.
    #[arg(long, visible_alias = "save", value_name = "FILE")]
    pub(crate) certificate: Option<PathBuf>,
}

/// Arguments of `itinerary`.
#[derive(Debug, Args)]
pub(crate) struct ItineraryOptions {
    /// The checkpoints: a folder, or files, ordered by the number in their names; .safetensors, .npz or .json, or folders with a
    /// model.safetensors.
    #[arg(value_name = "FILE|DIR", required_unless_present = "example")]
    pub(crate) paths: Vec<String>,
    /// The steps of the checkpoints instead of the numbers in their names: a number for each file in the order of the files, or
    /// JSON with {"FILE": step, ...}.
    #[arg(long, value_name = "FILE")]
    pub(crate) steps: Option<PathBuf>,
    /// The data.
    #[command(flatten)]
    pub(crate) data: DataOptions,
    /// A shipped run instead of files: digits, digits-classifier.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["paths", "steps", "data", "target"])]
    pub(crate) example: Option<String>,
    /// How the weights are read.
    #[command(flatten)]
    pub(crate) reading: ReadingOptions,
    /// What losses and eigenvalues are divided by.
    #[arg(long, value_enum, default_value_t = NormalizationName::Sum)]
    pub(crate) normalization: NormalizationName,
    /// Learning rate of gradient descent on the loss as it is reported (see --normalization): says in how many steps a deviation
    /// from a saddle grows by a factor e.
    #[arg(long, value_name = "RATE", value_parser = learning_rate)]
    pub(crate) learning_rate: Option<f64>,
    /// Set a tolerance; rankscape tolerances lists them.
    #[arg(long = "tolerance", value_name = "NAME=VALUE")]
    pub(crate) tolerances: Vec<String>,
}

/// Which part of the Hessian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PartName {
    /// The Hessian.
    Full,
    /// J' J, with J the derivative of the predictions.
    GaussNewton,
    /// The rest: second derivatives of the predictions, weighted by the residual.
    Residual,
}

/// Arguments of `hessian`.
#[derive(Debug, Args)]
pub(crate) struct HessianOptions {
    /// The point.
    #[command(flatten)]
    pub(crate) point: PointOptions,
    /// The loss.
    #[command(flatten)]
    pub(crate) loss: LossArguments,
    /// Add (l/2) sum ||W_k||^2 to the sum loss: a number or a fraction, 0 for none.
    #[arg(long, value_name = "l", allow_hyphen_values = true)]
    pub(crate) weight_decay: Option<String>,
    /// Which part.
    #[arg(long, value_enum, default_value_t = PartName::Full, value_name = "PART")]
    pub(crate) part: PartName,
    /// Only the diagonal block of one layer, counted from 1; of the whole Hessian, so not with --part, --vectors or --all.
    #[arg(long, value_name = "K", conflicts_with_all = ["part", "vectors", "all"])]
    pub(crate) layer: Option<usize>,
    /// List all eigenvalues also beyond 2,000 parameters.
    #[arg(long)]
    pub(crate) all: bool,
    /// Eigenvectors of the N smallest eigenvalues [default: 10].
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "10")]
    pub(crate) vectors: Option<usize>,
    /// List the diagonal.
    #[arg(long)]
    pub(crate) diagonal: bool,
}

/// A file of weights and how to read it.
#[derive(Debug, Args)]
pub(crate) struct WeightFileOptions {
    /// Weights: .safetensors, .npz or .json with arrays W1..Wh, or ordered by the number in their names, each (out, in).
    #[arg(long, value_name = "FILE")]
    pub(crate) weights: PathBuf,
    /// How the weights are read.
    #[command(flatten)]
    pub(crate) reading: ReadingOptions,
    /// Set a tolerance; rankscape tolerances lists them.
    #[arg(long = "tolerance", value_name = "NAME=VALUE")]
    pub(crate) tolerances: Vec<String>,
}

/// Arguments of `map`.
#[derive(Debug, Args)]
pub(crate) struct MapOptions {
    /// The point.
    #[command(flatten)]
    pub(crate) point: WeightFileOptions,
}

/// Arguments of `connect`.
#[derive(Debug, Args)]
pub(crate) struct ConnectOptions {
    /// The point.
    #[command(flatten)]
    pub(crate) point: WeightFileOptions,
    /// The other factorization.
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
    /// A path of matrices from the product of the one to that of the other, linear between its knots: all matrices of a
    /// file in the order of their numbers. The path of factors then lies over it.
    #[arg(long, value_name = "FILE")]
    pub(crate) along: Option<PathBuf>,
    /// Write the pieces of the path (.json).
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
}

/// Arguments of `balance`.
#[derive(Debug, Args)]
pub(crate) struct BalanceOptions {
    /// The point.
    #[command(flatten)]
    pub(crate) point: WeightFileOptions,
    /// Write the balanced weights: same names and types.
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
}

/// Arguments of `reach`.
#[derive(Debug, Args)]
pub(crate) struct ReachOptions {
    /// The point.
    #[command(flatten)]
    pub(crate) point: WeightFileOptions,
    /// The product that is wanted: a matrix Z (outputs x inputs).
    #[arg(long, value_name = "FILE")]
    pub(crate) target: PathBuf,
    /// Write the factors: same names and types.
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
}

/// Arguments of `parse`.
#[derive(Debug, Args)]
pub(crate) struct ParseOptions {
    /// The point.
    #[command(flatten)]
    pub(crate) point: WeightFileOptions,
    /// The data.
    #[command(flatten)]
    pub(crate) data: DataOptions,
}

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyOptions {
    /// The certificate (.json).
    #[arg(value_name = "FILE")]
    pub(crate) certificate: PathBuf,
    /// Also check that it is about these weights.
    #[arg(long, value_name = "FILE")]
    pub(crate) weights: Option<String>,
    /// How the weights are read.
    #[command(flatten)]
    pub(crate) reading: ReadingOptions,
    /// Also check that it is about these data.
    #[command(flatten)]
    pub(crate) data: DataOptions,
    /// Set a tolerance; rankscape tolerances lists them.
    #[arg(long = "tolerance", value_name = "NAME=VALUE")]
    pub(crate) tolerances: Vec<String>,
}

/// Arguments of `escape`.
#[derive(Debug, Args)]
pub(crate) struct EscapeOptions {
    /// The construction: zl-3.1, zl-3.2, zl-4.1, zl-4.2, lo-8, lo-19, tkb-9, or best [default: best, and what all others say].
    #[arg(long, value_name = "NAME", default_value = "best")]
    pub(crate) construction: String,
    /// A direction in which the loss rises: no point is a local maximum unless X = 0.
    #[arg(long, conflicts_with_all = ["construction", "same_function"])]
    pub(crate) ascent: bool,
    /// Weights near this point that compute the same function and are not critical.
    #[arg(long, conflicts_with = "construction")]
    pub(crate) same_function: bool,
    /// The point.
    #[command(flatten)]
    pub(crate) point: PointOptions,
    /// The loss.
    #[command(flatten)]
    pub(crate) loss: LossArguments,
    /// Write the weights at the end of the path: same names and types.
    #[arg(long, value_name = "FILE")]
    pub(crate) leave: Option<PathBuf>,
    /// Write a certificate of the path; `rankscape verify` checks it.
    #[arg(long, visible_alias = "save", value_name = "FILE")]
    pub(crate) certificate: Option<PathBuf>,
}

/// Arguments of `adapter`.
#[derive(Debug, Args)]
pub(crate) struct AdapterOptions {
    /// Adapters as PEFT, diffusers, kohya-ss, LyCORIS, loralib or MLX store them: a .safetensors file, an index of shards
    /// (.safetensors.index.json), or the folder; adapter_config.json beside it is read.
    #[arg(value_name = "FILE|DIR")]
    pub(crate) checkpoint: PathBuf,
    /// Weights of the base model: the overlap of every update with their leading singular directions, and the change of the original
    /// weight where loading does more than add a product.
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) base: Option<PathBuf>,
    /// Move every pair to a balanced one with the same product, where its orbit has one.
    #[arg(long)]
    pub(crate) balance: bool,
    /// Write the adapters with the balanced pairs, with their configuration: into a folder, or a .safetensors file; names, types and
    /// all other tensors are kept.
    #[arg(long, value_name = "DIR|FILE", requires = "balance")]
    pub(crate) save: Option<PathBuf>,
    /// Set a tolerance; rankscape tolerances lists them.
    #[arg(long = "tolerance", value_name = "NAME=VALUE")]
    pub(crate) tolerances: Vec<String>,
}

fn learning_rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "a number was expected".to_owned())?;
    if rate.is_finite() && rate > 0.0 { Ok(rate) } else { Err("a learning rate is a positive number".to_owned()) }
}
