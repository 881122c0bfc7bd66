//! The triangular factor of the samples and its views: plain, centred, with a constant feature.

use crate::error::{InputError, Result};
use crate::evidence::Movement;
use crate::linalg::{Matrix, merge_triangular, triangular_factor};
use crate::tolerance::Storage;

/// Rows that become one leaf of the tree of factors, counted from the first row of the data.
pub const BLOCK_ROWS: usize = 4096;

/// Columns whose largest entry has an exponent beyond this are scaled by a power of two before the factorization.
const SAFE_EXPONENT: i32 = 200;

/// A column of samples is constant when nothing varies by more than this share of its mean: 2^10 roundings.
const CONSTANT_COLUMN: f64 = 512.0 * f64::EPSILON;

/// Triangular factor of the rows `[s, s x', s y']`, one for each sample, where `s` is the root of the sample's weight
/// (1 without weights).
///
/// Column `j` of the factor is held as `2^{e_j}` times a column of moderate size, so data at scales from 1e-300 to
/// 1e300 loses nothing. Rows of the factor beyond `min(samples, 1 + inputs + outputs)` are zero and not stored.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleFactor {
    inputs: usize,
    outputs: usize,
    samples: u64,
    exponents: Vec<i32>,
    scaled: Matrix,
    /// The outputs are the inputs and not stored.
    mirrored: bool,
    /// How the inputs and the outputs were stored.
    stored: [StoredArray; 2],
}

/// How an array of samples was stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StoredArray {
    /// The type.
    pub storage: Storage,
    /// Every entry is a whole number.
    pub whole: bool,
}

impl StoredArray {
    /// An array in double precision.
    pub const DOUBLE: Self = Self { storage: Storage::DOUBLE, whole: false };

    /// What holds for the rows of both arrays.
    fn join(self, other: Self) -> Self {
        Self { storage: self.storage.coarser(other.storage), whole: self.whole && other.whole }
    }

    fn movement(self, frobenius_norm: f64, entries: f64) -> Movement {
        let possible = self.storage.movement(frobenius_norm, entries);
        Movement { likely: if self.whole { 0.0 } else { possible }, possible }
    }
}

impl SampleFactor {
    pub(super) fn from_parts(inputs: usize, outputs: usize, samples: u64, exponents: Vec<i32>, scaled: Matrix) -> Self {
        Self { inputs, outputs, samples, exponents, scaled, mirrored: false, stored: [StoredArray::DOUBLE; 2] }
    }

    /// The factor of no samples.
    pub fn empty(inputs: usize, outputs: usize) -> Self {
        let cols = 1 + inputs + outputs;
        Self {
            inputs,
            outputs,
            samples: 0,
            exponents: vec![ZERO_COLUMN; cols],
            scaled: Matrix::zeros(0, cols),
            mirrored: false,
            stored: [StoredArray::DOUBLE; 2],
        }
    }

    /// Number of inputs, `d_0`.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Number of outputs, `d_h`.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Number of samples.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// The outputs are the inputs.
    pub fn is_mirrored(&self) -> bool {
        self.mirrored
    }

    /// Sum of the weights of the samples; their number where there are no weights.
    pub fn total_weight(&self) -> f64 {
        self.unscaled(0, 0).powi(2)
    }

    /// The factor of the samples of `a` followed by those of `b`.
    ///
    /// The blocks of one pass are merged in a fixed tree. Blocks that the caller makes give the same answer to
    /// rounding only.
    ///
    /// # Errors
    /// If the numbers of inputs or outputs differ.
    pub fn merge(a: &Self, b: &Self) -> Result<Self> {
        if (a.inputs, a.outputs, a.mirrored) != (b.inputs, b.outputs, b.mirrored) {
            return Err(InputError::new("factors of samples merge only if inputs and outputs are the same")
                .value(format!("{}, then {}", a.widths_text(), b.widths_text())));
        }
        Ok(Self::join(a.clone(), b.clone()))
    }

    fn widths_text(&self) -> String {
        let mirrored = if self.mirrored { " equal to the inputs" } else { "" };
        format!("{} inputs and {} outputs{mirrored}", self.inputs, self.outputs)
    }

    /// As `merge`, for factors that are known to fit.
    pub(super) fn join(a: Self, b: Self) -> Self {
        let exponents: Vec<i32> = a.exponents.iter().zip(&b.exponents).map(|(&x, &y)| x.max(y)).collect();
        let (inputs, outputs, samples, mirrored) = (a.inputs, a.outputs, a.samples + b.samples, a.mirrored);
        let stored = [0, 1].map(|at| a.stored[at].join(b.stored[at]));
        let scaled = merge_triangular(a.at_exponents(&exponents), b.at_exponents(&exponents));
        Self { inputs, outputs, samples, exponents, scaled, mirrored, stored }
    }

    fn at_exponents(mut self, exponents: &[i32]) -> Matrix {
        for (j, (&own, &wanted)) in self.exponents.iter().zip(exponents).enumerate() {
            if own != wanted {
                self.scaled.column_mut(j).iter_mut().for_each(|entry| *entry = times_power(*entry, own - wanted));
            }
        }
        self.scaled
    }

    /// Entry (i, j) of the factor; zero below the stored rows.
    fn unscaled(&self, i: usize, j: usize) -> f64 {
        if i < self.scaled.nrows() { times_power(self.scaled[(i, j)], self.exponents[j]) } else { 0.0 }
    }

    /// The same samples with the outputs replaced by the inputs, as an autoencoder has them.
    ///
    /// The factor of `[X' X']` is that of `X'` with its columns repeated, so nothing is factored again and the views have
    /// `yy = 0` exactly.
    #[must_use]
    pub fn with_outputs_equal_to_inputs(&self) -> Self {
        let kept = 1 + self.inputs;
        let scaled = self.scaled.block(0, 0, self.scaled.nrows().min(kept), kept);
        let exponents = self.exponents[..kept].to_vec();
        Self { outputs: self.inputs, exponents, scaled, mirrored: true, stored: [self.stored[0]; 2], ..*self }
    }

    /// Whether the norm of every column is in the range of the type.
    pub(super) fn is_in_range(&self) -> bool {
        let norm = |j: usize| self.scaled.column(j).iter().map(|entry| entry * entry).sum::<f64>().sqrt();
        self.exponents.iter().enumerate().all(|(j, &exponent)| times_power(norm(j), exponent).is_finite())
    }

    /// Means of the inputs and of the outputs (weighted); zeros without samples.
    pub fn means(&self) -> (Vec<f64>, Vec<f64>) {
        let root = if self.scaled.nrows() > 0 { self.scaled[(0, 0)] } else { 0.0 };
        let mean = |j: usize| {
            let quotient = if root > 0.0 { self.scaled[(0, j)] / root } else { 0.0 };
            times_power(quotient, self.exponents[j].saturating_sub(self.exponents[0]))
        };
        let inputs: Vec<f64> = (1..=self.inputs).map(mean).collect();
        let outputs = (self.inputs + 1..self.exponents.len()).map(mean).collect();
        if self.mirrored { (inputs.clone(), inputs) } else { (inputs, outputs) }
    }

    /// The factor of the samples as given.
    pub fn plain(&self) -> TriangularFactor {
        let columns: Vec<usize> = (1..self.exponents.len()).collect();
        self.view(self.inputs, &self.refactored(&columns))
    }

    /// The factor of the samples minus their means. A column that is its mean up to rounding is zero exactly: the rest
    /// would be noise, and a feature that never varies would count for the rank.
    pub fn centred(&self) -> TriangularFactor {
        let size = self.exponents.len() - 1;
        let entry = |i: usize, j: usize| if self.is_constant(j) { 0.0 } else { self.unscaled(i, j) };
        self.view(self.inputs, &Matrix::from_fn(size, size, |i, j| entry(i + 1, j + 1)))
    }

    fn is_constant(&self, j: usize) -> bool {
        let Some((mean, rest)) = self.scaled.column(j).split_first() else { return true };
        rest.iter().all(|entry| entry.abs() <= CONSTANT_COLUMN * mean.abs())
    }

    /// The factor with one more input that is 1 in every sample, after the other inputs.
    pub fn with_constant_feature(&self) -> TriangularFactor {
        let columns: Vec<usize> = (1..=self.inputs).chain([0]).chain(self.inputs + 1..self.exponents.len()).collect();
        self.view(self.inputs + 1, &self.refactored(&columns))
    }

    /// The square factor of a selection of the columns.
    fn refactored(&self, columns: &[usize]) -> Matrix {
        let selected = Matrix::from_fn(self.scaled.nrows(), columns.len(), |i, j| self.scaled[(i, columns[j])]);
        let factor = triangular_factor(selected);
        Matrix::from_fn(columns.len(), columns.len(), |i, j| {
            if i <= j && i < factor.nrows() { times_power(factor[(i, j)], self.exponents[columns[j]]) } else { 0.0 }
        })
    }

    /// The view with this factor of its stored columns.
    fn view(&self, inputs: usize, stored: &Matrix) -> TriangularFactor {
        let mut r = Matrix::zeros(inputs + self.outputs, inputs + self.outputs);
        r.set_block(0, 0, stored);
        if self.mirrored {
            r.set_block(0, inputs, &stored.columns(0, self.outputs));
        }
        let moved = self.movements();
        TriangularFactor { inputs, outputs: self.outputs, samples: self.samples, r, moved }
    }

    /// How far, in Frobenius norm, the types in which X and Y were stored can have moved them: before they are centred, and with
    /// the weights of the samples.
    fn movements(&self) -> [Movement; 2] {
        let first_output = if self.mirrored { 1 } else { self.inputs + 1 };
        [(1, self.inputs, self.stored[0]), (first_output, self.outputs, self.stored[1])].map(|(from, count, stored)| {
            let columns = (from..from + count).flat_map(|j| (0..=j).map(move |i| (i, j)));
            let norm = columns.fold(0.0_f64, |norm, (i, j)| norm.hypot(self.unscaled(i, j)));
            stored.movement(norm, count as f64 * self.total_weight())
        })
    }

    /// The same samples, whose inputs and outputs were stored like this.
    #[must_use]
    pub fn stored_with(mut self, inputs: StoredArray, outputs: StoredArray) -> Self {
        self.stored = if self.mirrored { [inputs; 2] } else { [inputs, outputs] };
        self
    }
}

/// `X' = Q [xx; 0]` and `Y' = Q [xy; yy]` with orthonormal columns of Q, a sample a row: all that the square loss knows
/// of the data.
///
/// ```
/// use rankscape::Matrix;
/// use rankscape::data::TriangularFactor;
/// let target = Matrix::from_rows(&[vec![1.0, 2.0, 3.0]]);
/// let factor = TriangularFactor::from_target(&target);
/// assert_eq!((factor.inputs, factor.outputs), (3, 1));
/// assert_eq!(factor.xy(), target.transpose());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct TriangularFactor {
    /// Number of inputs, `d_0`.
    pub inputs: usize,
    /// Number of outputs, `d_h`.
    pub outputs: usize,
    /// Number of samples.
    pub samples: u64,
    /// The square factor of `[X' Y']`, upper triangular with a non-negative diagonal; rows beyond the number of
    /// samples are zero.
    pub r: Matrix,
    /// How far, in Frobenius norm, the types in which X and Y were stored can have moved them; 0 where they are known.
    pub moved: [Movement; 2],
}

impl TriangularFactor {
    /// The data for which the loss is `1/2 ||W - target||^2`: X is the identity and Y the target.
    pub fn from_target(target: &Matrix) -> Self {
        let (outputs, inputs) = target.shape();
        let mut r = Matrix::zeros(inputs + outputs, inputs + outputs);
        r.set_block(0, 0, &Matrix::identity(inputs));
        r.set_block(0, inputs, &target.transpose());
        Self { inputs, outputs, samples: inputs as u64, r, moved: [Movement::default(); 2] }
    }

    /// The same data with targets that were stored like this.
    #[must_use]
    pub fn with_stored_target(mut self, stored: StoredArray) -> Self {
        let norm = self.xy().frobenius_norm();
        self.moved[1] = stored.movement(norm, (self.inputs * self.outputs) as f64);
        self
    }

    /// `d_0 x d_0`: `X X' = xx' xx`.
    pub fn xx(&self) -> Matrix {
        self.r.block(0, 0, self.inputs, self.inputs)
    }

    /// `d_0 x d_h`: `X Y' = xx' xy`.
    pub fn xy(&self) -> Matrix {
        self.r.block(0, self.inputs, self.inputs, self.outputs)
    }

    /// `d_h x d_h`: `Y Y' = xy' xy + yy' yy`.
    pub fn yy(&self) -> Matrix {
        self.r.block(self.inputs, self.inputs, self.outputs, self.outputs)
    }
}

/// `value * 2^exponent`, exact unless the result leaves the range of the type.
pub(super) fn times_power(value: f64, exponent: i32) -> f64 {
    if exponent == 0 {
        return value;
    }
    let half = exponent / 2;
    let (first, second) = (half.clamp(-1022, 1023), (exponent - half).clamp(-1022, 1023));
    value * 2.0_f64.powi(first) * 2.0_f64.powi(second)
}

/// The exponent of a column of zeros: any other column has a larger one.
pub(super) const ZERO_COLUMN: i32 = -1_000_000;

/// The exponent by which a column with this largest entry is scaled; 0 for moderate columns.
pub(super) fn exponent_for(largest: f64) -> i32 {
    if largest == 0.0 {
        return ZERO_COLUMN;
    }
    let exponent = largest.log2().floor() as i32;
    if exponent.abs() > SAFE_EXPONENT { exponent.clamp(-1000, 1000) } else { 0 }
}
