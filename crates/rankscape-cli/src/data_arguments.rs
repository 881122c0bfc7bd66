//! The arguments that say where data come from and how files are read.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// How kernels are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ConventionName {
    /// (out, in), as PyTorch has it.
    Torch,
    /// (in, out), as Flax and Keras have it.
    Flax,
}

/// What the network is trained for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Task {
    /// Predict Y from X.
    Regression,
    /// Reproduce X: Y = X.
    Autoencoder,
}

/// What the loss is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum NormalizationName {
    /// 1/2 ||W X - Y||^2.
    Sum,
    /// The sum divided by the number of samples.
    Mean,
    /// The mean over samples and outputs of the squared error, as torch.nn.MSELoss.
    Mse,
}

/// How a file of weights is read.
#[derive(Debug, Args)]
pub(crate) struct ReadingOptions {
    /// Names of the layers from input to output, separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub(crate) layers: Option<Vec<String>>,
    /// Names of the biases, one for each layer, none for a layer without [default: by the names of the layers].
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub(crate) biases: Option<Vec<String>>,
    /// How the matrices are stored [default: torch, and flax for arrays named kernel].
    #[arg(long, value_enum)]
    pub(crate) convention: Option<ConventionName>,
}

/// Samples, or a target instead of samples.
#[derive(Debug, Args)]
pub(crate) struct DataOptions {
    /// Samples, one a row: .npz, .safetensors or .json with X and Y, .csv or .tsv with columns x*, y* (and .parquet, if built
    /// with it), or X.npy,Y.npy; - is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "target")]
    pub(crate) data: Option<String>,
    /// A matrix Y (outputs x inputs) instead of data: the loss is 1/2 ||W - Y||^2.
    #[arg(long, value_name = "FILE")]
    pub(crate) target: Option<PathBuf>,
    /// What the network is trained for.
    #[arg(long, value_enum, default_value_t = Task::Regression)]
    pub(crate) task: Task,
    /// The first N columns of a table are inputs, the others outputs.
    #[arg(long, value_name = "N")]
    pub(crate) inputs: Option<usize>,
    /// The array with the inputs, or the columns, separated by commas [default: X, x, x_train, inputs, ...; columns x*].
    #[arg(long, value_name = "NAME", conflicts_with = "target")]
    pub(crate) x: Option<String>,
    /// The array with the outputs, or the columns, separated by commas [default: Y, y, y_train, targets, ...; columns y*].
    #[arg(long, value_name = "NAME", conflicts_with = "target")]
    pub(crate) y: Option<String>,
    /// Y has labels 0, 1, ...: take one column for each class, 1 in that of the label.
    #[arg(long, conflicts_with = "target")]
    pub(crate) one_hot: bool,
    /// One weight for each sample: a file with one vector, or one called weights or sample_weight.
    #[arg(long, value_name = "FILE", conflicts_with = "target")]
    pub(crate) sample_weights: Option<PathBuf>,
    /// A symmetric positive definite matrix M (outputs x outputs): the loss is 1/2 tr (W X - Y)' M (W X - Y).
    #[arg(long, value_name = "FILE")]
    pub(crate) output_metric: Option<PathBuf>,
}
