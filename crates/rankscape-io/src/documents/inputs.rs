//! What documents about a point and data say beside their answer.

use crate::words::words;
use rankscape::tolerance::Tolerances;

words! {
    /// What the loss is divided by.
    #[derive(Default)]
    pub enum Normalization {
        /// `L`.
        #[default]
        Sum = "sum",
        /// `L / n`.
        Mean = "mean",
        /// `2 L / (n d_h)`, as `torch.nn.MSELoss` has it.
        Mse = "mse",
    }
}

impl Normalization {
    /// What `L` is multiplied by.
    pub fn factor(self, samples: u64, outputs: usize) -> f64 {
        let samples = samples.max(1) as f64;
        match self {
            Self::Sum => 1.0,
            Self::Mean => 1.0 / samples,
            Self::Mse => 2.0 / (samples * outputs as f64),
        }
    }
}

/// What the document says beside the diagnosis.
#[derive(Debug, Clone, Default)]
pub struct DiagnoseInputs {
    /// Digest of the weights.
    pub weights_digest: String,
    /// Digest of the data or the target.
    pub data_digest: String,
    /// Number of samples; of columns, for a target.
    pub samples: u64,
    /// A target was given in place of samples.
    pub from_target: bool,
    /// Rank of `X`.
    pub data_rank: usize,
    /// What the readers decided.
    pub notes: Vec<String>,
    /// What the loss is divided by.
    pub normalization: Normalization,
    /// Seed.
    pub seed: u64,
    /// Tolerances used.
    pub tolerances: Tolerances,
    /// Learning rate of gradient descent on the loss as it is reported.
    pub learning_rate: Option<f64>,
}
