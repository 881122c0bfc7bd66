//! Biases, resolved: which sets are analysed, and how.
//!
//! - A bias in the last layer absorbs all constants: with `b*` the best one for the other parameters,
//!   `L = L_centred + n/2 ||b_h - b*||^2`, where `L_centred` has no biases and centred data. The other biases are then
//!   flat directions. Replacing `b_h` by `b_h - b*` is a change of variables, so at a critical point the index is that
//!   of the centred problem, the nullity grows by the widths of the other biased layers and `d_h` positive eigenvalues
//!   come with `b_h`.
//! - A bias in the first layer alone, of two or more, is the weight of a constant feature: `[W_1 b_1]` acts on `[x; 1]`.
//! - Any other set is refused: its constants are neither free nor a feature.

use super::output_metric::{times_vector, with_outputs_times};
use crate::data::{SampleFactor, TriangularFactor};
use crate::error::{InputError, Result};
use crate::linalg::{Matrix, inverse, spectral_norm, vector_norm};
use crate::multiplication::Factors;

/// What an output bias needs of the data; with an output metric `C' C`, of `C Y`.
#[derive(Debug, Clone)]
pub struct BiasData {
    samples: TriangularFactor,
    input_means: Vec<f64>,
    target_means: Vec<f64>,
    /// `n`, or the sum of the sample weights.
    count: f64,
}

impl BiasData {
    pub(super) fn new(factor: &SampleFactor, output_factor: Option<&Matrix>) -> Self {
        let (input_means, target_means) = factor.means();
        Self {
            samples: with_outputs_times(factor.with_constant_feature(), output_factor),
            input_means,
            target_means: output_factor.map_or(target_means.clone(), |c| times_vector(c, &target_means)),
            count: factor.total_weight(),
        }
    }

    /// The factor of the samples with a constant feature.
    pub(super) fn samples(&self) -> &TriangularFactor {
        &self.samples
    }
}

/// The biases of a problem whose last layer has one.
#[derive(Debug, Clone, Copy)]
pub struct OutputBias<'a> {
    pub(super) columns: &'a [Option<Vec<f64>>],
    pub(super) data: &'a BiasData,
}

impl OutputBias<'_> {
    /// The biases, one entry a layer; with an output metric `C' C` the last is `C b_h`.
    pub fn columns(&self) -> &[Option<Vec<f64>>] {
        self.columns
    }

    /// `n`, or the sum of the sample weights.
    pub fn count(&self) -> f64 {
        self.data.count
    }

    /// Number of outputs.
    pub fn outputs(&self) -> usize {
        self.data.target_means.len()
    }

    /// `b* = mean y - W mean x - sum_{k<h} P(h,k) b_k`.
    pub fn best(&self, factors: &Factors) -> Vec<f64> {
        let mut mean = Matrix::from_fn(self.data.input_means.len(), 1, |i, _| self.data.input_means[i]);
        let last = factors.depth() - 1;
        for (k, layer) in factors.matrices().iter().enumerate() {
            mean = layer * &mean;
            if let Some(bias) = self.columns[k].as_ref().filter(|_| k < last) {
                mean = Matrix::from_fn(bias.len(), 1, |i, _| mean[(i, 0)] + bias[i]);
            }
        }
        self.data.target_means.iter().enumerate().map(|(i, y)| y - mean[(i, 0)]).collect()
    }

    /// `b_h - b*`.
    pub fn defect(&self, factors: &Factors) -> Vec<f64> {
        let best = self.best(factors);
        let last = self.columns.last().and_then(Option::as_ref);
        last.map_or_else(Vec::new, |bias| bias.iter().zip(&best).map(|(b, best)| b - best).collect())
    }

    /// The nearest biases, in the parameters as given, with `b_h = b*` for these factors: all move, along
    /// `P(h,k)' m` with `(C C' + sum_{k<h} P(h,k) P(h,k)') m = b* - b_h`, where `b_h` stands for `C b_h`.
    pub fn nearest(&self, factors: &Factors, output_factor: Option<&Matrix>) -> Vec<Option<Vec<f64>>> {
        let last = factors.depth() - 1;
        let mut out = self.columns.to_vec();
        let defect = self.defect(factors);
        let mut after: Vec<Option<Matrix>> = vec![None; last];
        let mut product = Matrix::identity(defect.len());
        for k in (0..last).rev() {
            product = &product * &factors.matrices()[k + 1];
            after[k] = self.columns[k].as_ref().map(|_| product.clone());
        }
        let mut square = output_factor.map_or_else(|| Matrix::identity(defect.len()), |c| c.times_transpose(c));
        after.iter().flatten().for_each(|p| square.add_scaled(1.0, &p.times_transpose(p)));
        let Some(inverse) = inverse(&square) else { return out };
        let multipliers = times_vector(&inverse, &defect);
        let moved = |bias: &Option<Vec<f64>>, step: &[f64]| {
            bias.as_ref().map(|bias| bias.iter().zip(step).map(|(b, s)| b - s).collect::<Vec<f64>>())
        };
        for (bias, after) in out.iter_mut().zip(&after) {
            if let Some(after) = after {
                *bias = moved(bias, &times_vector(&after.transpose(), &multipliers));
            }
        }
        // What is left is that of the output bias itself, so that it is best to all digits.
        let settled = OutputBias { columns: &out, data: self.data }.best(factors);
        out[last] = Some(settled);
        out
    }

    /// Size of the terms that cancel in `b_h - b*`.
    pub fn size(&self, factors: &Factors) -> f64 {
        let through =
            factors.matrices().iter().zip(self.columns).fold(vector_norm(&self.data.input_means), |mean, (w, b)| {
                spectral_norm(w) * mean + b.as_ref().map_or(0.0, |bias| vector_norm(bias))
            });
        through + vector_norm(&self.data.target_means)
    }

    /// Number of parameters in the biases of all layers but the last: flat directions.
    pub fn flat(&self) -> usize {
        let inner = &self.columns[..self.columns.len() - 1];
        inner.iter().flatten().map(Vec::len).sum()
    }
}

/// Which biases a problem has, and so what becomes of its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BiasKind {
    /// None: the data are as given.
    #[default]
    None,
    /// One in the first layer alone: the data have a constant feature.
    First,
    /// One in the last layer: the data are centred.
    Output,
}

impl BiasKind {
    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::First => "first",
            Self::Output => "output",
        }
    }

    /// The kind with this name in documents.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::None, Self::First, Self::Output].into_iter().find(|kind| kind.name() == name)
    }
}

pub(super) fn bias_kind(biases: &[Option<Vec<f64>>]) -> Result<BiasKind> {
    let biased: Vec<usize> = (0..biases.len()).filter(|&k| biases[k].is_some()).collect();
    match biased.as_slice() {
        [] => Ok(BiasKind::None),
        [.., last] if last + 1 == biases.len() => Ok(BiasKind::Output),
        [0] => Ok(BiasKind::First),
        [.., last] => Err(InputError::new(format!(
            "layer {} has a bias but the last layer has none; this set of biases is neither a shift of the output nor a \
             constant feature",
            last + 1
        ))
        .array(format!("b{}", last + 1))
        .value(format!("biases in layers {:?} of {}", biased.iter().map(|k| k + 1).collect::<Vec<_>>(), biases.len()))
        .hint("biases are analysed in the last layer (with or without others) or in the first layer alone")),
    }
}

pub(super) fn first_biased(biases: &[Option<Vec<f64>>]) -> String {
    let layer = biases.iter().position(Option::is_some).unwrap_or(0);
    format!("b{}", layer + 1)
}

pub(super) fn with_first_bias(mut matrices: Vec<Matrix>, biases: &[Option<Vec<f64>>]) -> Vec<Matrix> {
    if let (Some(first), Some(Some(bias))) = (matrices.first().cloned(), biases.first()) {
        let mut wider = Matrix::zeros(first.nrows(), first.ncols() + 1);
        wider.set_block(0, 0, &first);
        wider.column_mut(first.ncols()).copy_from_slice(bias);
        matrices[0] = wider;
    }
    matrices
}
