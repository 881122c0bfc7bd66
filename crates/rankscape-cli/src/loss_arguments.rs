//! The arguments of losses, of their minima and of flow.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::data_arguments::{DataOptions, NormalizationName, ReadingOptions};

/// Which loss.
#[derive(Debug, Args)]
pub(crate) struct LossArguments {
    /// The loss: square, huber, pseudo_huber, logcosh, pnorm, logistic, softmax, or a file.json with {"kind": ...}, which also may be
    /// quadratic with weights or full_quadratic with metric_rowmajor_vec [default: square]. It is summed over samples and outputs.
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) loss: Option<String>,
    /// Where huber and pseudo_huber stop to be quadratic.
    #[arg(long, value_name = "D", requires = "loss", allow_hyphen_values = true)]
    pub(crate) delta: Option<f64>,
    /// The power of pnorm, at least 2.
    #[arg(long, value_name = "P", requires = "loss", allow_hyphen_values = true)]
    pub(crate) p: Option<f64>,
    /// Label smoothing of softmax, from 0 to 1.
    #[arg(long, value_name = "S", requires = "loss", allow_hyphen_values = true)]
    pub(crate) smoothing: Option<f64>,
    /// Class weights of softmax, separated by commas.
    #[arg(long, value_name = "a,b,...", value_delimiter = ',', requires = "loss", allow_hyphen_values = true)]
    pub(crate) class_weights: Option<Vec<f64>>,
}

/// Arguments of `minima`.
#[derive(Debug, Args)]
pub(crate) struct MinimaOptions {
    /// The data.
    #[command(flatten)]
    pub(crate) data: DataOptions,
    /// The loss.
    #[command(flatten)]
    pub(crate) loss: LossArguments,
    /// Largest rank of the matrices.
    #[arg(long, value_name = "R")]
    pub(crate) rank: usize,
    /// Number of starts.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(crate) starts: u32,
    /// Outputs have a constant part of their own, as with a bias in the last layer.
    #[arg(long, conflicts_with = "target")]
    pub(crate) offset: bool,
    /// What the values are divided by.
    #[arg(long, value_enum, default_value_t = NormalizationName::Sum)]
    pub(crate) normalization: NormalizationName,
    /// Write the matrices, W1 the lowest minimum, W2 the next, ... (.npz, .safetensors or .json).
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
    /// Say what it would cost, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Set a tolerance; rankscape tolerances lists them.
    #[arg(long = "tolerance", value_name = "NAME=VALUE")]
    pub(crate) tolerances: Vec<String>,
}

/// What moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Method {
    /// Gradient flow.
    Flow,
    /// Gradient descent.
    Gd,
    /// Gradient descent with momentum.
    Momentum,
    /// Gradient descent on batches of samples, in an order that --seed gives.
    Sgd,
}

/// Where the run starts without weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Start {
    /// Balanced layers in random directions.
    Balanced,
    /// Balanced layers in the directions of the target.
    Spectral,
    /// Normal entries.
    Normal,
}

/// Arguments of `flow`.
#[derive(Debug, Args)]
pub(crate) struct FlowOptions {
    /// Weights to start from: .safetensors, .npz or .json.
    #[arg(long, value_name = "FILE", required_unless_present = "start")]
    pub(crate) weights: Option<String>,
    /// A start that is made, with --widths and --scale, instead of weights.
    #[arg(long, value_enum, value_name = "KIND", conflicts_with = "weights", requires = "widths")]
    pub(crate) start: Option<Start>,
    /// Widths d0,d1,...,dh of a start that is made.
    #[arg(long, value_delimiter = ',', value_name = "d0,...,dh", conflicts_with = "weights")]
    pub(crate) widths: Option<Vec<usize>>,
    /// Scale of a start that is made.
    #[arg(long, value_name = "S", default_value_t = 0.01, conflicts_with = "weights", allow_hyphen_values = true)]
    pub(crate) scale: f64,
    /// The data.
    #[command(flatten)]
    pub(crate) data: DataOptions,
    /// How the weights are read.
    #[command(flatten)]
    pub(crate) reading: ReadingOptions,
    /// The loss.
    #[command(flatten)]
    pub(crate) loss: LossArguments,
    /// What moves.
    #[arg(long, value_enum, default_value_t = Method::Flow)]
    pub(crate) method: Method,
    /// Learning rate of gradient descent on the sum loss.
    #[arg(long, value_name = "RATE", allow_hyphen_values = true)]
    pub(crate) step: Option<f64>,
    /// Momentum, from 0 to below 1 [default: 0.9 of momentum, 0 of sgd].
    #[arg(long, value_name = "M", allow_hyphen_values = true)]
    pub(crate) momentum: Option<f64>,
    /// Samples in a batch of sgd [default: 32]; the gradient is multiplied by all samples over those of the batch.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) batch: Option<u32>,
    /// Number of steps of gradient descent [default: 1000].
    #[arg(long, value_name = "N")]
    pub(crate) steps: Option<usize>,
    /// The flow ends at this time [default: 100].
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    pub(crate) until_time: Option<f64>,
    /// The run ends where the loss is this far above the global minimum (square loss).
    #[arg(long, value_name = "GAP", allow_hyphen_values = true)]
    pub(crate) until_gap: Option<f64>,
    /// Parts of the gap at the start whose times are wanted, separated by commas (square loss).
    #[arg(long, value_name = "f,...", value_delimiter = ',', allow_hyphen_values = true)]
    pub(crate) levels: Vec<f64>,
    /// Number of equidistant times that are reported.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) samples: u32,
    /// Add (l/2) sum ||W_k||^2 to the sum loss: a number or a fraction, 0 for none. AdamW decays apart from the gradient and follows no
    /// such loss.
    #[arg(long, value_name = "l", allow_hyphen_values = true)]
    pub(crate) weight_decay: Option<String>,
    /// Write the weights at the end in double precision (.npz, .safetensors or .json): flow and plain descent go on from them with
    /// --weights as if they had not stopped. Momentum has a velocity, which is not kept.
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
    /// Set a tolerance; rankscape tolerances lists them.
    #[arg(long = "tolerance", value_name = "NAME=VALUE")]
    pub(crate) tolerances: Vec<String>,
}
