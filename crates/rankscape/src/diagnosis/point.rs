//! A point of the parameter space with its data, biases resolved.
//!
//! - A bias in the last layer absorbs all constants: with `b*` the best one for the other parameters,
//!   `L = L_centred + n/2 ||b_h - b*||^2`, where `L_centred` has no biases and centred data. The other biases are then
//!   flat directions. Replacing `b_h` by `b_h - b*` is a change of variables, so at a critical point the index is that
//!   of the centred problem, the nullity grows by the widths of the other biased layers and `d_h` positive eigenvalues
//!   come with `b_h`.
//! - A bias in the first layer alone, of two or more, is the weight of a constant feature: `[W_1 b_1]` acts on `[x; 1]`.
//! - Any other set is refused: its constants are neither free nor a feature.

use crate::critical::ExactData;
use crate::data::{SampleFactor, TriangularFactor, Whitening};
use crate::error::{InputError, Result};
use crate::linalg::exact::RationalMatrix;
use crate::linalg::{Matrix, spectral_norm, symmetric_eigen, triangular_factor, vector_norm};
use crate::multiplication::{ExactFactors, Factors};
use crate::tolerance::Tolerances;

/// Weights of a network: its matrices, and a bias or none for each.
#[derive(Debug, Clone)]
pub struct Parameters {
    /// The matrices, `W_1` first, each `(out, in)`.
    pub matrices: Vec<Matrix>,
    /// The biases.
    pub biases: Vec<Option<Vec<f64>>>,
    /// The exact matrices, where known; used only without biases and without an output metric.
    pub exact: Option<Vec<RationalMatrix>>,
    /// A symmetric positive definite `M`, `d_h x d_h`: the loss is `1/2 tr (W X - Y)' M (W X - Y)`. It stays of
    /// Eckart-Young type: with `M = C' C`, `C W_h` and `C Y` take the places of `W_h` and `Y`.
    pub output_metric: Option<Matrix>,
}

/// Data: samples, or the target of `1/2 ||W - Y||^2`.
#[derive(Debug, Clone)]
pub enum Data {
    /// Samples, with their exact values (`X` and `Y`, a sample a row) where known.
    Samples(Box<SampleFactor>, Option<(RationalMatrix, RationalMatrix)>),
    /// `X` is the identity and `Y` this matrix.
    Target(Matrix, Option<RationalMatrix>),
}

impl Data {
    /// Whitens data without weights; `output_metric` as in [`Parameters`].
    ///
    /// # Errors
    /// If the output metric is not symmetric positive definite or does not fit the outputs.
    pub fn whiten(&self, output_metric: Option<&Matrix>, tolerances: &Tolerances) -> Result<WhitenedData> {
        let (factor, samples, exact) = self.prepare(BiasKind::None, &[])?;
        let metric = output_metric.map(square_root).transpose()?.map(|(root, _)| root);
        if let Some(c) = &metric {
            check_output_factor(c, factor.outputs)?;
        }
        let whitening = Whitening::new(&with_outputs_times(factor, metric.as_ref()), tolerances);
        Ok(WhitenedData { whitening, samples, exact: exact.filter(|_| metric.is_none()) })
    }

    /// The triangular factor that this kind of biases asks for, the number of samples, and the exact data.
    fn prepare(
        &self,
        kind: BiasKind,
        biases: &[Option<Vec<f64>>],
    ) -> Result<(TriangularFactor, u64, Option<ExactData>)> {
        Ok(match (self, kind) {
            (Data::Target(..), BiasKind::First | BiasKind::Output) => {
                return Err(InputError::new("biases need samples, but the data are a target matrix")
                    .array(first_biased(biases))
                    .hint("give --data, or weights without biases"));
            }
            (Data::Target(target, exact), BiasKind::None) => {
                let exact =
                    exact.as_ref().map(|y| ExactData::new(&RationalMatrix::identity(y.ncols()), &y.transpose()));
                (TriangularFactor::from_target(target), target.ncols() as u64, exact)
            }
            (Data::Samples(factor, exact), kind) => {
                let exact = exact.as_ref().filter(|_| kind == BiasKind::None).map(|(x, y)| ExactData::new(x, y));
                let view = match kind {
                    BiasKind::None => factor.plain(),
                    BiasKind::First => factor.with_constant_feature(),
                    BiasKind::Output => factor.centred(),
                };
                (view, factor.samples(), exact)
            }
        })
    }
}

/// Data ready for questions about every set of weights.
#[derive(Debug, Clone)]
pub struct WhitenedData {
    /// The whitened data.
    pub whitening: Whitening,
    /// Number of samples.
    pub samples: u64,
    /// Exact second moments, where known.
    pub exact: Option<ExactData>,
}

impl From<Point> for WhitenedData {
    fn from(point: Point) -> Self {
        Self { whitening: point.whitening, samples: point.samples, exact: point.exact.map(|(_, data)| data) }
    }
}

/// Output bias and what it needs.
#[derive(Debug, Clone)]
pub(super) struct OutputBias {
    pub(super) columns: Vec<Option<Vec<f64>>>,
    pub(super) samples: TriangularFactor,
    pub(super) input_means: Vec<f64>,
    pub(super) target_means: Vec<f64>,
    /// `n`, or the sum of the sample weights.
    pub(super) count: f64,
}

/// A point that is ready to be diagnosed.
#[derive(Debug, Clone)]
pub struct Point {
    /// The factors of the problem that is analysed: a first-layer bias is a column of `W_1`.
    pub factors: Factors,
    /// Its data: centred with an output bias, with a constant feature for a first-layer bias.
    pub whitening: Whitening,
    /// Number of samples.
    pub samples: u64,
    pub(super) exact: Option<(ExactFactors, ExactData)>,
    pub(super) output_bias: Option<OutputBias>,
    /// `C`, and its inverse.
    pub(super) output_factor: Option<Matrix>,
    inverse_output_factor: Option<Matrix>,
    first_bias: bool,
}

impl Point {
    /// Number of biases that leave the loss unchanged once the output bias is at its best value.
    pub fn free_biases(&self) -> usize {
        self.output_bias.as_ref().map_or(0, OutputBias::flat)
    }

    /// Resolves biases and whitens the data.
    ///
    /// # Errors
    /// If the shapes do not chain or the set of biases is none of the three above.
    pub fn new(parameters: Parameters, data: Data, tolerances: &Tolerances) -> Result<Self> {
        let Parameters { mut matrices, mut biases, exact, output_metric } = parameters;
        let metric = output_metric.map(|metric| square_root(&metric)).transpose()?;
        let exact = exact.filter(|_| metric.is_none());
        let (output_factor, inverse_output_factor) = metric.unzip();
        if let Some(c) = &output_factor {
            apply_output_factor(c, &mut matrices, &mut biases)?;
        }
        let kind = bias_kind(&biases)?;
        let (factor, samples, exact_data) = data.prepare(kind, &biases)?;
        let output_bias = match (&data, kind) {
            (Data::Samples(factor, _), BiasKind::Output) => Some(output_bias(&biases, factor, output_factor.as_ref())),
            _ => None,
        };
        let exact = match (exact, exact_data) {
            (Some(matrices), Some(data)) => Some((ExactFactors::new(matrices)?, data)),
            _ => None,
        };
        let matrices = if kind == BiasKind::First { with_first_bias(matrices, &biases) } else { matrices };
        Ok(Self {
            factors: Factors::new(matrices)?,
            whitening: Whitening::new(&with_outputs_times(factor, output_factor.as_ref()), tolerances),
            samples,
            exact,
            output_bias,
            output_factor,
            inverse_output_factor,
            first_bias: kind == BiasKind::First,
        })
    }

    /// Some layer has a bias.
    pub fn has_biases(&self) -> bool {
        self.first_bias || self.output_bias.is_some()
    }

    /// The factors and the moments of the data over the rationals, for exact input.
    pub fn exact(&self) -> Option<(&ExactFactors, &ExactData)> {
        self.exact.as_ref().map(|(factors, data)| (factors, data))
    }

    /// Matrices and biases, shaped as they were given, of other factors of the analysed problem. An output bias follows
    /// so that `b_h - b*` becomes zero.
    pub fn parameters_at(&self, factors: &Factors) -> (Vec<Matrix>, Vec<Option<Vec<f64>>>) {
        let mut matrices = factors.matrices().to_vec();
        let mut biases = vec![None; matrices.len()];
        if self.first_bias {
            let first = &matrices[0];
            let last = first.ncols() - 1;
            biases[0] = Some(first.column(last).to_vec());
            matrices[0] = first.columns(0, last);
        }
        if let Some(output) = &self.output_bias {
            biases = output.columns.clone();
            let best = output.best(factors);
            if let Some(last) = biases.last_mut() {
                *last = Some(best);
            }
        }
        if let Some(inverse) = &self.inverse_output_factor {
            let last = matrices.len() - 1;
            matrices[last] = inverse * &matrices[last];
            biases[last] = biases[last].as_ref().map(|bias| times_vector(inverse, bias));
        }
        (matrices, biases)
    }
}

impl OutputBias {
    /// `b* = mean y - W mean x - sum_{k<h} P(h,k) b_k`.
    pub(super) fn best(&self, factors: &Factors) -> Vec<f64> {
        let mut mean = Matrix::from_fn(self.input_means.len(), 1, |i, _| self.input_means[i]);
        let last = factors.depth() - 1;
        for (k, layer) in factors.matrices().iter().enumerate() {
            mean = layer * &mean;
            if let Some(bias) = self.columns[k].as_ref().filter(|_| k < last) {
                mean = Matrix::from_fn(bias.len(), 1, |i, _| mean[(i, 0)] + bias[i]);
            }
        }
        self.target_means.iter().enumerate().map(|(i, y)| y - mean[(i, 0)]).collect()
    }

    /// `b_h - b*`.
    pub(super) fn defect(&self, factors: &Factors) -> Vec<f64> {
        let best = self.best(factors);
        let last = self.columns.last().and_then(Option::as_ref);
        last.map_or_else(Vec::new, |bias| bias.iter().zip(&best).map(|(b, best)| b - best).collect())
    }

    /// Size of the terms that cancel in `b_h - b*`.
    pub(super) fn size(&self, factors: &Factors) -> f64 {
        let through =
            factors.matrices().iter().zip(&self.columns).fold(vector_norm(&self.input_means), |mean, (w, b)| {
                spectral_norm(w) * mean + b.as_ref().map_or(0.0, |bias| vector_norm(bias))
            });
        through + vector_norm(&self.target_means)
    }

    /// Number of parameters in the biases of all layers but the last: flat directions.
    pub(super) fn flat(&self) -> usize {
        let inner = &self.columns[..self.columns.len() - 1];
        inner.iter().flatten().map(Vec::len).sum()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BiasKind {
    None,
    First,
    Output,
}

fn bias_kind(biases: &[Option<Vec<f64>>]) -> Result<BiasKind> {
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

fn first_biased(biases: &[Option<Vec<f64>>]) -> String {
    let layer = biases.iter().position(Option::is_some).unwrap_or(0);
    format!("b{}", layer + 1)
}

fn output_bias(biases: &[Option<Vec<f64>>], factor: &SampleFactor, output_factor: Option<&Matrix>) -> OutputBias {
    let (input_means, target_means) = factor.means();
    OutputBias {
        columns: biases.to_vec(),
        samples: with_outputs_times(factor.with_constant_feature(), output_factor),
        input_means,
        target_means: output_factor.map_or(target_means.clone(), |c| times_vector(c, &target_means)),
        count: factor.total_weight(),
    }
}

fn with_first_bias(mut matrices: Vec<Matrix>, biases: &[Option<Vec<f64>>]) -> Vec<Matrix> {
    if let (Some(first), Some(Some(bias))) = (matrices.first().cloned(), biases.first()) {
        let mut wider = Matrix::zeros(first.nrows(), first.ncols() + 1);
        wider.set_block(0, 0, &first);
        wider.column_mut(first.ncols()).copy_from_slice(bias);
        matrices[0] = wider;
    }
    matrices
}

fn times_vector(matrix: &Matrix, vector: &[f64]) -> Vec<f64> {
    (matrix * &Matrix::from_fn(vector.len(), 1, |i, _| vector[i])).column(0).to_vec()
}

/// The data with `C Y` in place of `Y`.
fn with_outputs_times(mut factor: TriangularFactor, c: Option<&Matrix>) -> TriangularFactor {
    if let Some(c) = c {
        let inputs = factor.inputs;
        let (xy, yy) = (factor.xy().times_transpose(c), factor.yy().times_transpose(c));
        factor.r.set_block(0, inputs, &xy);
        factor.r.set_block(inputs, inputs, &triangular_factor(yy));
    }
    factor
}

fn apply_output_factor(c: &Matrix, matrices: &mut [Matrix], biases: &mut [Option<Vec<f64>>]) -> Result<()> {
    let Some(last) = matrices.last_mut() else { return Ok(()) };
    check_output_factor(c, last.nrows())?;
    *last = c * last;
    if let Some(Some(bias)) = biases.last_mut() {
        *bias = times_vector(c, bias);
    }
    Ok(())
}

fn check_output_factor(c: &Matrix, outputs: usize) -> Result<()> {
    if outputs == c.nrows() {
        return Ok(());
    }
    Err(InputError::new("the output metric does not fit the outputs")
        .array("output metric")
        .value(format!("{} x {}, the network has {outputs} outputs", c.nrows(), c.ncols()))
        .hint("give a symmetric d_h x d_h matrix"))
}

/// `C = sqrt(M)` and its inverse, for a symmetric positive definite `M`.
fn square_root(metric: &Matrix) -> Result<(Matrix, Matrix)> {
    let wrong = |problem: &str| InputError::new(problem.to_owned()).array("output metric");
    let (rows, cols) = metric.shape();
    if rows != cols {
        return Err(wrong("the output metric is not square").value(format!("{rows} x {cols}")));
    }
    let skew = (metric - &metric.transpose()).max_abs();
    if skew > 1e3 * f64::EPSILON * metric.max_abs() {
        return Err(wrong("the output metric is not symmetric").value(format!("entries differ by {skew:e}")));
    }
    let eigen = symmetric_eigen(metric).ok_or_else(|| wrong("the eigenvalues of the output metric were not found"))?;
    let largest = eigen.values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    let singular = eigen.values.iter().filter(|&&v| v <= rows as f64 * f64::EPSILON * largest).count();
    if singular > 0 {
        return Err(wrong("the output metric is not positive definite")
            .value(format!("{singular} of {rows} eigenvalues are not positive, the smallest is {:e}", eigen.values[0]))
            .hint("drop the outputs without weight"));
    }
    let power = |p: f64| {
        let scaled: Vec<f64> = eigen.values.iter().map(|v| v.powf(p)).collect();
        eigen.vectors.scale_columns(&scaled).times_transpose(&eigen.vectors)
    };
    Ok((power(0.5), power(-0.5)))
}
