//! Problems with a loss that does not live in a triangular factor: all samples are kept.

use std::sync::{Arc, OnceLock};

use super::biases::{BiasKind, bias_kind, with_first_bias};
use super::parameters::{Layers, Parameters};
use super::{GivenParameters, check_ends};
use crate::architecture::Architecture;
use crate::error::{InputError, Result};
use crate::linalg::Matrix;
use crate::loss::{LossKind, Observations, SharedLoss, check_loss};
use crate::multiplication::Factors;
use crate::network::{Biases, Network};
use crate::tolerance::Tolerances;

/// Samples with a loss: `l(F)` of the outputs `F = W X`, a sample a column.
#[derive(Debug, Clone)]
pub struct LossData {
    kind: LossKind,
    /// `X`, `d_0 x n`; `None` for the identity.
    inputs: Option<Matrix>,
    loss: SharedLoss,
    /// Rows and columns of the outputs.
    shape: (usize, usize),
}

impl LossData {
    /// The loss of this kind beside these observations; `inputs` is `X` (`d_0 x n`), or `None` where `X` is the identity and the
    /// loss is one of the matrix `W` itself.
    ///
    /// # Errors
    /// If inputs are not finite or too few, the loss has no meaning for these targets, or the loss is defined for a target alone.
    pub fn new(kind: LossKind, inputs: Option<Matrix>, observations: Observations) -> Result<Self> {
        let shape = observations.targets.shape();
        if let Some(inputs) = &inputs {
            if inputs.ncols() != shape.1 {
                return Err(InputError::new("X and Y do not have the same number of samples")
                    .array("Y")
                    .value(format!("{} samples in X, {} in Y", inputs.ncols(), shape.1)));
            }
            if let Some((at, value)) = inputs.entries().enumerate().find(|(_, value)| !value.is_finite()) {
                return Err(InputError::new("an input is not finite").array("X").value(format!(
                    "{value} at input {} of sample {}, counted from 0",
                    at % inputs.nrows(),
                    at / inputs.nrows()
                )));
            }
            if matches!(kind, LossKind::FullQuadratic { .. }) {
                return Err(InputError::new(
                    "a full metric is one of the entries of W: it needs a target, not samples",
                )
                .array("metric_rowmajor_vec")
                .hint("give --target FILE with Y in place of --data"));
            }
        }
        let loss = kind.on(observations)?;
        Ok(Self { kind, inputs, loss, shape })
    }

    /// The same samples with a loss of one's own.
    ///
    /// # Errors
    /// If the loss does not keep what it says of itself ([`check_loss`]).
    pub fn with_loss(self, loss: SharedLoss) -> Result<Self> {
        check_loss(&loss, self.shape)?;
        Ok(Self { loss, kind: LossKind::Own, ..self })
    }

    /// Its kind.
    pub fn kind(&self) -> &LossKind {
        &self.kind
    }

    /// `X`; `None` for the identity.
    pub fn inputs(&self) -> Option<&Matrix> {
        self.inputs.as_ref()
    }

    /// `l`.
    pub fn loss(&self) -> &SharedLoss {
        &self.loss
    }

    /// `X` is the identity.
    pub fn is_target(&self) -> bool {
        self.inputs.is_none()
    }

    /// Number of outputs `d_h`.
    pub fn outputs(&self) -> usize {
        self.shape.0
    }

    /// Number of inputs `d_0`.
    pub fn input_count(&self) -> usize {
        self.inputs.as_ref().map_or(self.shape.1, Matrix::nrows)
    }

    /// Number of samples: of columns of the identity, for a target.
    pub fn samples(&self) -> usize {
        self.shape.1
    }

    /// Refuses widths that do not fit.
    ///
    /// # Errors
    /// If they do not.
    pub fn check_widths(&self, architecture: &Architecture) -> Result<()> {
        check_ends((architecture.inputs(), architecture.outputs()), (self.input_count(), self.outputs()))
    }
}

/// A point of the parameter space of a network with a loss of any kind.
///
/// ```
/// use std::sync::Arc;
/// use rankscape::Matrix;
/// use rankscape::loss::{LossKind, Observations};
/// use rankscape::problem::{LossData, LossProblem};
/// use rankscape::Tolerances;
///
/// let targets = Matrix::from_rows(&[vec![1.0, -1.0]]);
/// let data = LossData::new(LossKind::Logistic, None, Observations { targets, weights: None })?;
/// let zero = [Matrix::zeros(1, 2), Matrix::zeros(1, 1)];
/// let problem = LossProblem::new(zero, Arc::new(data), &Tolerances::default())?;
/// assert_eq!(problem.network().value(), 2.0 * std::f64::consts::LN_2);
/// # Ok::<(), rankscape::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct LossProblem {
    factors: Factors,
    biases: Vec<Option<Vec<f64>>>,
    kind: BiasKind,
    data: Arc<LossData>,
    unit_roundoff: f64,
    tolerances: Tolerances,
    network: OnceLock<Network<SharedLoss>>,
}

impl LossProblem {
    /// The point of these parameters.
    ///
    /// # Errors
    /// If the shapes do not chain or do not fit the data, there are biases but neither in the last layer nor in the first alone, or
    /// an output metric is given.
    pub fn new(parameters: impl Into<Parameters>, data: Arc<LossData>, tolerances: &Tolerances) -> Result<Self> {
        let Parameters { layers, biases, output_metric } = parameters.into();
        if output_metric.is_some() {
            return Err(InputError::new("an output metric belongs to the square loss")
                .array("output metric")
                .hint("leave out --output-metric, or --loss"));
        }
        let kind = bias_kind(&biases)?;
        if kind != BiasKind::None && data.is_target() {
            return Err(InputError::new("biases need samples, but the data are a target matrix")
                .hint("give --data, or weights without biases"));
        }
        let unit_roundoff = layers.unit_roundoff();
        tolerances.check_criticality(unit_roundoff)?;
        let matrices = Layers::matrices(&layers);
        let factors =
            Factors::new(if kind == BiasKind::First { with_first_bias(matrices, &biases) } else { matrices })?;
        let architecture = factors.architecture();
        let extra = usize::from(kind == BiasKind::First);
        check_ends((architecture.inputs(), architecture.outputs()), (data.input_count() + extra, data.outputs()))?;
        Ok(Self { factors, biases, kind, data, unit_roundoff, tolerances: *tolerances, network: OnceLock::new() })
    }

    /// The factors; a first-layer bias is a column of `W_1`.
    pub fn factors(&self) -> &Factors {
        &self.factors
    }

    /// The data.
    pub fn data(&self) -> &Arc<LossData> {
        &self.data
    }

    /// The last layer has a bias: outputs are `W X + c 1'` with any `c`.
    pub fn has_offset(&self) -> bool {
        self.kind == BiasKind::Output
    }

    /// The constant outputs, `W_h ... W_2 b_1 + ... + b_h`, where the last layer has a bias.
    pub(crate) fn offset(&self) -> Option<Matrix> {
        self.has_offset().then(|| {
            let mut constant: Option<Matrix> = None;
            for (layer, bias) in self.factors.matrices().iter().zip(&self.biases) {
                let before = constant.map(|before| layer * &before);
                let bias = bias.as_deref().map(column);
                constant = match (before, bias) {
                    (Some(before), Some(bias)) => Some(&before + &bias),
                    (before, bias) => before.or(bias),
                };
            }
            constant.unwrap_or_else(|| Matrix::zeros(self.data.outputs(), 1))
        })
    }

    /// The inputs of the factors: with a constant feature for a first-layer bias; `None` for the identity.
    pub fn inputs(&self) -> Option<Matrix> {
        let inputs = self.data.inputs.as_ref()?;
        Some(if self.kind == BiasKind::First { with_constant_feature(inputs) } else { inputs.clone() })
    }

    /// Unit roundoff of the type in which the weights were stored.
    pub fn unit_roundoff(&self) -> f64 {
        self.unit_roundoff
    }

    /// The tolerances.
    pub fn tolerances(&self) -> &Tolerances {
        &self.tolerances
    }

    /// The point with its loss, in the parameters as given.
    pub fn network(&self) -> &Network<SharedLoss> {
        self.network.get_or_init(|| {
            let layers = self.factors.matrices().to_vec();
            let biases = self.has_offset().then(|| Biases {
                columns: self.biases.iter().map(|bias| bias.as_deref().map(column)).collect(),
                ones: Matrix::from_fn(1, self.data.samples(), |_, _| 1.0),
            });
            Network::with_loss(layers, biases, self.inputs(), self.data.loss.clone())
        })
    }

    /// Matrices and biases, shaped as they were given, of other blocks of parameters.
    pub fn parameters_of(&self, blocks: &[Matrix]) -> GivenParameters {
        let depth = self.factors.depth();
        let mut matrices = blocks[..depth].to_vec();
        let mut biases = vec![None; depth];
        match self.kind {
            BiasKind::None => {}
            BiasKind::First => {
                let last = matrices[0].ncols() - 1;
                biases[0] = Some(matrices[0].column(last).to_vec());
                matrices[0] = matrices[0].columns(0, last);
            }
            BiasKind::Output => {
                let mut rest = blocks[depth..].iter();
                for (slot, bias) in biases.iter_mut().zip(&self.biases) {
                    *slot = bias.as_ref().and_then(|_| rest.next()).map(|block| block.column(0).to_vec());
                }
            }
        }
        (matrices, biases)
    }
}

fn column(entries: &[f64]) -> Matrix {
    Matrix::from_column_major(entries.len(), 1, entries)
}

/// `X` with a last row of ones.
pub(crate) fn with_constant_feature(inputs: &Matrix) -> Matrix {
    let last = inputs.nrows();
    Matrix::from_fn(last + 1, inputs.ncols(), |i, j| if i == last { 1.0 } else { inputs[(i, j)] })
}
