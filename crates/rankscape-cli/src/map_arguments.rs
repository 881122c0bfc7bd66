//! The arguments of maps beyond the plain product.

use clap::{Args, ValueEnum};

use crate::data_arguments::{DataOptions, ReadingOptions};
use crate::loss_arguments::LossArguments;

/// Which map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum MapName {
    /// W_h ... W_1 X.
    Linear,
    /// All factors but the last divided by their norms.
    Normalized,
    /// An activation after every layer.
    Pyramidal,
    /// Filters 1 x k with strides.
    Convolutional,
    /// Filters 1 x k modulo x^n - 1.
    Circulant,
    /// (I + W_h) ... (I + W_1) X.
    SkipResidual,
    /// (I + W_h ... W_1) X.
    SkipIdentityPlusProduct,
    /// (W_{h-1} ... W_1 + W_h) X.
    SkipProductPlusMatrix,
}

/// What the loss of `diagnose` is a function of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ParametrizationOption {
    /// The factors.
    Plain,
    /// The factors, those before the last divided by their norms.
    Normalized,
}

/// Arguments of `predictor`.
#[derive(Debug, Args)]
pub(crate) struct PredictorOptions {
    /// Parameters: .safetensors, .npz or .json with arrays W1..Wh, or ordered by the number in their names; filters have one row.
    #[arg(long, value_name = "FILE")]
    pub(crate) weights: String,
    /// The map.
    #[arg(long, value_enum, value_name = "MAP", default_value_t = MapName::Linear)]
    pub(crate) map: MapName,
    /// The data; outputs Y may be missing, and without data X is the identity (one impulse for circulant filters).
    #[command(flatten)]
    pub(crate) data: DataOptions,
    /// How the weights are read.
    #[command(flatten)]
    pub(crate) reading: ReadingOptions,
    /// Size of the signals that filters act on [default: that of the data, or the smallest that fits].
    #[arg(long, value_name = "N")]
    pub(crate) size: Option<usize>,
    /// Strides of convolutional filters, one a layer [default: 1].
    #[arg(long, value_name = "s,...", value_delimiter = ',')]
    pub(crate) strides: Option<Vec<usize>>,
    /// Activations of a pyramidal map, one a layer, the last included: identity, tanh, sigmoid, softplus, elu, cubic, relu,
    /// leaky_relu_SLOPE.
    #[arg(long, value_name = "a,...", value_delimiter = ',', allow_hyphen_values = true)]
    pub(crate) activations: Option<Vec<String>>,
    /// Set a tolerance; rankscape tolerances lists them.
    #[arg(long = "tolerance", value_name = "NAME=VALUE")]
    pub(crate) tolerances: Vec<String>,
}

/// Arguments of `pyramid`.
#[derive(Debug, Args)]
pub(crate) struct PyramidOptions {
    /// Weights: .safetensors, .npz or .json with arrays W1..Wh, or ordered by the number in their names, each (out, in).
    #[arg(long, value_name = "FILE")]
    pub(crate) weights: String,
    /// One a layer, the last included: identity, tanh, sigmoid, softplus, elu, cubic, relu, leaky_relu_SLOPE.
    #[arg(long, value_name = "a,...", value_delimiter = ',', required = true, allow_hyphen_values = true)]
    pub(crate) activations: Vec<String>,
    /// The data; outputs Y of the square loss may be missing.
    #[command(flatten)]
    pub(crate) data: DataOptions,
    /// How the weights are read.
    #[command(flatten)]
    pub(crate) reading: ReadingOptions,
    /// The loss.
    #[command(flatten)]
    pub(crate) loss: LossArguments,
    /// Set a tolerance; rankscape tolerances lists them.
    #[arg(long = "tolerance", value_name = "NAME=VALUE")]
    pub(crate) tolerances: Vec<String>,
}
