//! The problem that is left once what the loss cannot see is taken away.

use std::sync::Arc;

use crate::linalg::{Matrix, orthonormal_complement, svd, vector_norm};
use crate::loss::{Convexity, Infimum, Loss, Margins, SharedLoss};
use crate::network::{Biases, Network};
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

/// A loss of matrices `V` (`m x rho`): `l(E V A + c o)` with `A` of orthonormal rows, `o` a unit row orthogonal to them (absent
/// without an offset), and `E` of orthonormal columns.
///
/// `W = E V S^-1 U'` for `X = U S A` where the samples are not centred. Rows that no observed entry depends on, samples without
/// observed entries, directions in which all observed inputs are zero, and, for a loss that ignores shifts, the mean over the rows
/// are left out: `l` is constant along them. A matrix of rank at most `r` can be made of every `V` of rank at most `r`, and the other
/// way round, so nothing that is said of minima changes.
#[derive(Debug, Clone)]
pub struct FunctionSpace {
    loss: SharedLoss,
    /// `A`, `rho x n`.
    features: Arc<Matrix>,
    /// `o` as a row.
    offset: Option<Matrix>,
    /// `E`, `d_h x m`.
    outputs: Matrix,
    /// `U S^-1` and `U S`, `d_0 x rho`.
    back: Matrix,
    forth: Matrix,
    /// Means of the inputs and `sqrt n`, with an offset.
    centre: Option<(Matrix, f64)>,
    /// The samples that are seen, where some are not.
    samples: Option<Vec<usize>>,
}

impl FunctionSpace {
    /// The loss of matrices beside inputs `X` (`d_0 x n`; `None` for the identity), with a free offset or none.
    pub fn new(
        loss: &SharedLoss,
        inputs: Option<&Matrix>,
        shape: (usize, usize),
        offset: bool,
        tolerances: &Tolerances,
    ) -> Self {
        let (rows, observed) = observed(loss, shape);
        let samples = (observed.len() < shape.1).then(|| observed.clone());
        let inputs = seen(inputs, shape.1, samples.as_deref());
        let centre = offset.then(|| {
            let count = inputs.ncols() as f64;
            let ones = Matrix::from_fn(inputs.ncols(), 1, |_, _| 1.0 / count);
            (&inputs * &ones, count.sqrt())
        });
        let centred = centred(inputs, centre.as_ref());
        let found = svd(&centred);
        let largest = found.s.first().copied().unwrap_or(0.0);
        let zero = tolerances.relative_rounding(UNIT_ROUNDOFF, centred.larger_dimension()) * largest;
        let rank = found.s.iter().take_while(|&&value| value > zero).count();
        let (kept, u) = (&found.s[..rank], found.u.columns(0, rank));
        let inverse: Vec<f64> = kept.iter().map(|value| 1.0 / value).collect();
        let selected = Matrix::from_fn(shape.0, rows.len(), |i, k| f64::from(u8::from(rows[k] == i)));
        let whole = rows.len() == shape.0 && samples.is_none();
        let restricted = if whole { None } else { loss.restricted(&rows, &observed) };
        let loss = restricted.unwrap_or_else(|| loss.clone());
        let (loss, outputs) = if loss.ignores_shifts() && rows.len() > 1 {
            let ones = Matrix::from_fn(rows.len(), 1, |_, _| (rows.len() as f64).sqrt().recip());
            let basis = orthonormal_complement(&ones);
            (Arc::new(InBasis { loss, basis: basis.clone() }) as SharedLoss, &selected * &basis)
        } else {
            (loss, selected)
        };
        Self {
            loss,
            features: Arc::new(found.v.columns(0, rank).transpose()),
            offset: offset.then(|| {
                let entry = (centred.ncols() as f64).sqrt().recip();
                Matrix::from_fn(1, centred.ncols(), |_, _| entry)
            }),
            outputs,
            back: u.scale_columns(&inverse),
            forth: u.scale_columns(kept),
            centre,
            samples,
        }
    }

    /// The loss of `E`-coordinates of the outputs.
    pub fn loss(&self) -> &SharedLoss {
        &self.loss
    }

    /// The same problem with another loss of the same outputs.
    pub(super) fn with_loss(&self, loss: SharedLoss) -> Self {
        Self { loss, ..self.clone() }
    }

    /// `V` and the offset whose outputs are nearest to those at which the loss is least, where these are known; else zero.
    pub(super) fn nearest_to_best(&self) -> (Matrix, Option<Matrix>) {
        let best = self.loss.best_outputs();
        let best = best.unwrap_or_else(|| Matrix::zeros(self.shape().0, self.features.ncols()));
        (best.times_transpose(&self.features), self.offset.as_ref().map(|ones| best.times_transpose(ones)))
    }

    /// The loss of the zero matrix.
    pub(super) fn value_at_zero(&self) -> f64 {
        let (rows, columns) = self.shape();
        self.loss.value(&self.outputs_of(&Matrix::zeros(rows, columns), None))
    }

    /// `(m, rho)`.
    pub fn shape(&self) -> (usize, usize) {
        (self.outputs.ncols(), self.features.nrows())
    }

    /// Every `V` has rank at most `rank`: the bound is none.
    pub fn is_filling(&self, rank: usize) -> bool {
        let (outputs, inputs) = self.shape();
        rank >= outputs.min(inputs)
    }

    /// There is a free offset.
    pub fn has_offset(&self) -> bool {
        self.offset.is_some()
    }

    /// The network of these factors of `V`, and the offset in the units of `o`, 0 where none is given.
    pub fn network(&self, factors: Vec<Matrix>, offset: Option<Matrix>) -> Network<SharedLoss> {
        let biases = self.offset.as_ref().map(|ones| {
            let mut columns = vec![None; factors.len()];
            if let Some(last) = columns.last_mut() {
                *last = Some(offset.unwrap_or_else(|| Matrix::zeros(self.shape().0, 1)));
            }
            Biases { columns, ones: ones.clone() }
        });
        // The rows of A are orthonormal.
        Network::beside(factors, biases, Some(Arc::clone(&self.features)), self.loss.clone()).with_input_norm(1.0)
    }

    /// `W` and the offset `c` as given, of `V` and its offset; what the loss cannot see is zero.
    pub fn as_given(&self, matrix: &Matrix, offset: Option<&Matrix>) -> (Matrix, Option<Matrix>) {
        let product = (&self.outputs * matrix).times_transpose(&self.back);
        let offset = self
            .centre
            .as_ref()
            .zip(offset)
            .map(|((means, root), offset)| &(&self.outputs * offset).scaled(1.0 / root) - &(&product * means));
        (product, offset)
    }

    /// `V S^-1` with the features that belong to it: the matrix `W` in orthonormal coordinates of its rows and columns.
    pub(super) fn in_given_metric(&self, matrix: &Matrix) -> (Matrix, Matrix) {
        let sizes: Vec<f64> = (0..self.forth.ncols()).map(|k| vector_norm(self.forth.column(k))).collect();
        let inverse: Vec<f64> = sizes.iter().map(|size| 1.0 / size).collect();
        let features = Matrix::from_fn(sizes.len(), self.features.ncols(), |i, j| sizes[i] * self.features[(i, j)]);
        (matrix.scale_columns(&inverse), features)
    }

    /// `o`.
    pub(super) fn offset_row(&self) -> Option<&Matrix> {
        self.offset.as_ref()
    }

    /// `V` of a `W` as given.
    pub fn reduced(&self, product: &Matrix) -> Matrix {
        self.outputs.transpose_times(&(product * &self.forth))
    }

    /// The outputs of `V` and its offset.
    pub(super) fn outputs_of(&self, matrix: &Matrix, offset: Option<&Matrix>) -> Matrix {
        let mut outputs = matrix * self.features.as_ref();
        if let (Some(ones), Some(offset)) = (&self.offset, offset) {
            outputs = &outputs + &(offset * ones);
        }
        outputs
    }

    /// `A`.
    pub(super) fn features(&self) -> &Matrix {
        &self.features
    }

    /// A bound of `||A - S^-1 U' X||_F` in exact arithmetic, for the numbers that are stored.
    pub(super) fn features_error(&self, inputs: Option<&Matrix>) -> f64 {
        let inputs = centred(seen(inputs, self.back.nrows(), self.samples.as_deref()), self.centre.as_ref());
        let difference = (&self.features as &Matrix - &self.back.transpose_times(&inputs)).frobenius_norm();
        let terms = (inputs.nrows() + inputs.ncols()) as f64;
        let means = self.centre.as_ref().map_or(0.0, |(means, root)| root * means.frobenius_norm());
        let sizes = self.back.frobenius_norm() * (inputs.frobenius_norm() + means);
        difference + 2.0 * terms * UNIT_ROUNDOFF * (sizes + self.features.frobenius_norm())
    }

    /// The largest singular value of the inputs that are seen, centred with an offset.
    pub fn largest_input(&self) -> f64 {
        if self.forth.ncols() == 0 { 0.0 } else { vector_norm(self.forth.column(0)) }
    }

    /// `V` and its offset, in the units of `o`, of `W` and `c` as given.
    pub(super) fn reduced_offset(&self, product: &Matrix, offset: &Matrix) -> Option<Matrix> {
        let (means, root) = self.centre.as_ref()?;
        Some(self.outputs.transpose_times(&(offset + &(product * means))).scaled(*root))
    }

    /// The same of slopes of the outputs as given, one column for every sample.
    pub fn acting_on_given(&self, slopes: &Matrix) -> f64 {
        let seen = self.outputs.transpose_times(slopes);
        self.acting(&self.samples.as_ref().map_or(seen.clone(), |samples| seen.selected_columns(samples)))
    }

    /// Norm of the part of slopes `G` of the outputs that acts on `V` and the offset.
    pub(super) fn acting(&self, slopes: &Matrix) -> f64 {
        let on_matrix = slopes.times_transpose(&self.features).frobenius_norm();
        let on_offset = self.offset.as_ref().map_or(0.0, |ones| slopes.times_transpose(ones).frobenius_norm());
        on_matrix.hypot(on_offset)
    }
}

/// Rows with an observed entry, and samples with one.
fn observed(loss: &SharedLoss, shape: (usize, usize)) -> (Vec<usize>, Vec<usize>) {
    let Some(observed) = loss.observed() else { return ((0..shape.0).collect(), (0..shape.1).collect()) };
    let rows = (0..shape.0).filter(|&i| observed[i].contains(&true)).collect();
    let samples = (0..shape.1).filter(|&j| observed.iter().any(|row| row[j])).collect();
    (rows, samples)
}

/// The inputs of the samples that are seen, of the identity of this size where none are given.
fn seen(inputs: Option<&Matrix>, count: usize, samples: Option<&[usize]>) -> Matrix {
    match (inputs, samples) {
        (Some(inputs), None) => inputs.clone(),
        (Some(inputs), Some(samples)) => inputs.selected_columns(samples),
        (None, None) => Matrix::identity(count),
        (None, Some(samples)) => Matrix::identity(count).selected_columns(samples),
    }
}

/// The inputs without their means, where those are given.
fn centred(inputs: Matrix, centre: Option<&(Matrix, f64)>) -> Matrix {
    match centre {
        Some((means, _)) => Matrix::from_fn(inputs.nrows(), inputs.ncols(), |i, j| inputs[(i, j)] - means[(i, 0)]),
        None => inputs,
    }
}

/// `l(E F)` as a loss of `F`.
#[derive(Debug)]
struct InBasis {
    loss: SharedLoss,
    basis: Matrix,
}

impl Loss for InBasis {
    fn value(&self, outputs: &Matrix) -> f64 {
        self.loss.value(&(&self.basis * outputs))
    }

    fn gradient(&self, outputs: &Matrix) -> Matrix {
        self.basis.transpose_times(&self.loss.gradient(&(&self.basis * outputs)))
    }

    fn hessian_times(&self, outputs: &Matrix, direction: &Matrix) -> Matrix {
        self.curved(&self.curvature(outputs), direction)
    }

    fn curvature(&self, outputs: &Matrix) -> Matrix {
        self.loss.curvature(&(&self.basis * outputs))
    }

    fn curved(&self, curvature: &Matrix, direction: &Matrix) -> Matrix {
        self.basis.transpose_times(&self.loss.curved(curvature, &(&self.basis * direction)))
    }

    fn diagonal(&self, outputs: &Matrix) -> Option<Matrix> {
        let squares = self.basis.map(|entry| entry * entry);
        self.loss.diagonal(&(&self.basis * outputs)).map(|diagonal| squares.transpose_times(&diagonal))
    }

    fn smoothness(&self, outputs: &Matrix) -> f64 {
        self.loss.smoothness(&(&self.basis * outputs))
    }

    fn output_size(&self) -> f64 {
        self.loss.output_size()
    }

    fn hessian_lipschitz(&self, outputs: &Matrix, radius: f64) -> Option<f64> {
        self.loss.hessian_lipschitz(&(&self.basis * outputs), radius)
    }

    fn gradient_size(&self, outputs: &Matrix) -> f64 {
        self.loss.gradient_size(&(&self.basis * outputs))
    }

    fn is_twice_differentiable(&self, outputs: &Matrix, margin: f64) -> bool {
        self.loss.is_twice_differentiable(&(&self.basis * outputs), margin)
    }

    fn convexity(&self) -> Convexity {
        if self.loss.convexity().is_convex() { Convexity::Convex } else { Convexity::Unknown }
    }

    fn infimum(&self) -> Infimum {
        self.loss.infimum()
    }

    fn infimum_beside(&self, slopes: &Matrix) -> Option<f64> {
        self.loss.infimum_beside(&(&self.basis * slopes))
    }

    fn margins(&self, outputs: &Matrix) -> Option<Margins> {
        self.loss.margins(&(&self.basis * outputs))
    }

    fn without(&self, settled: &[bool]) -> Option<SharedLoss> {
        let loss = self.loss.without(settled)?;
        Some(Arc::new(Self { loss, basis: self.basis.clone() }))
    }
}
