//! A point of the parameter space with a loss: value, gradient, second derivatives.

use std::sync::{Arc, OnceLock};

use crate::linalg::{Matrix, spectral_norm, triangular_factor, vector_norm};
use crate::loss::{Loss, SquareLoss};
use crate::work::{Step, count};

/// `L = l(W_h ... W_1 A)` at one point, with the partial products that all derivatives use.
///
/// `A` is `d_0 x m` (the identity when absent). The product `W_h ... W_1` is never formed. Layers may
/// have biases: layer `k` then maps `F` to `W_k F + b_k o`, where the row `o` stands for the constant 1 of the samples.
/// The parameters are the blocks `W_1, ..., W_h` followed by the biases that exist.
#[derive(Debug, Clone)]
pub struct Network<L = SquareLoss> {
    layers: Vec<Matrix>,
    biases: Option<Biases>,
    inputs: Option<Arc<Matrix>>,
    loss: L,
    /// `F_k = W_k ... W_1 A` (with the biases), for `k = 1..h` at index `k - 1`.
    forward: Vec<Matrix>,
    /// `B_k = (W_h ... W_{k+1})' grad l(F_h)`, for `k = 1..h` at index `k - 1`.
    backward: Vec<Matrix>,
    /// The columns of `A` are orthogonal.
    orthogonal_inputs: bool,
    /// `||A||_2`, and `||W_k||_2`, once somebody asked.
    input_norm: OnceLock<f64>,
    layer_norms: OnceLock<Vec<f64>>,
    /// The gradient, once somebody asked.
    gradient: OnceLock<Vec<Matrix>>,
    /// The curvature of the loss, once somebody asked.
    curvature: OnceLock<Matrix>,
}

/// A point of the square loss, `L = 1/2 ||W_h ... W_1 A - Z||^2` with `Z` of shape `d_h x m`.
pub type SquareNetwork = Network<SquareLoss>;

/// Biases of some layers.
#[derive(Debug, Clone)]
pub struct Biases {
    /// `b_k` as a `d_k x 1` matrix, or `None`; one entry a layer.
    pub columns: Vec<Option<Matrix>>,
    /// `o`, of shape `1 x m`.
    pub ones: Matrix,
}

impl SquareNetwork {
    /// The network at the point `layers` (shapes must chain with `inputs` and `target`), without biases.
    pub fn new(layers: Vec<Matrix>, inputs: Option<Matrix>, target: Matrix) -> Self {
        Self::with_biases(layers, None, inputs, target)
    }

    /// The network with biases in some layers.
    pub fn with_biases(layers: Vec<Matrix>, biases: Option<Biases>, inputs: Option<Matrix>, target: Matrix) -> Self {
        Self::with_loss(layers, biases, inputs, SquareLoss::new(target))
    }

    /// `Z`.
    pub fn target(&self) -> &Matrix {
        self.loss.target()
    }

    /// `W_h ... W_1 A - Z`.
    pub fn residual(&self) -> &Matrix {
        &self.backward[self.layers.len() - 1]
    }

    /// `max_k ||grad_k||_F / (||P(h,k)||_2 ||P(k-1,0) A||_2 (||W A||_F + target_norm))`, with `0/0 = 0`; for a bias the
    /// norm of `o` takes the place of `||P(k-1,0) A||_2`.
    ///
    /// A product whose norm is less than `vanishing` times the size of the terms that are added up in it is nothing but rounding
    /// errors, and says nothing of the terms that cancel: their size takes its place. (Outputs of layers with biases are
    /// measured as they are.)
    pub fn relative_gradient(&self, target_norm: f64, vanishing: f64) -> f64 {
        let output = self.measured_output(self.output().frobenius_norm(), self.layers.len(), vanishing);
        self.gradient_beside(output + target_norm, vanishing)
    }
}

impl<L: Loss> Network<L> {
    /// The network with this loss at the point `layers`, with biases in some layers.
    pub fn with_loss(layers: Vec<Matrix>, biases: Option<Biases>, inputs: Option<Matrix>, loss: L) -> Self {
        Self::beside(layers, biases, inputs.map(Arc::new), loss)
    }

    /// The same with inputs that are shared.
    pub(crate) fn beside(layers: Vec<Matrix>, biases: Option<Biases>, inputs: Option<Arc<Matrix>>, loss: L) -> Self {
        let mut forward: Vec<Matrix> = Vec::with_capacity(layers.len());
        for (k, layer) in layers.iter().enumerate() {
            let mut next = match (forward.last(), &inputs) {
                (Some(previous), _) => layer * previous,
                (None, Some(inputs)) => layer * inputs.as_ref(),
                (None, None) => layer.clone(),
            };
            if let Some(Biases { columns, ones }) = &biases
                && let Some(bias) = &columns[k]
            {
                next = &next + &(bias * ones);
            }
            forward.push(next);
        }
        let mut backward = vec![loss.gradient(&forward[layers.len() - 1])];
        for layer in layers[1..].iter().rev() {
            backward.push(layer.transpose_times(&backward[backward.len() - 1]));
        }
        backward.reverse();
        Self {
            orthogonal_inputs: inputs.is_none(),
            input_norm: OnceLock::new(),
            layer_norms: OnceLock::new(),
            gradient: OnceLock::new(),
            curvature: OnceLock::new(),
            layers,
            biases,
            inputs,
            loss,
            forward,
            backward,
        }
    }

    /// Says that the columns of `A` are orthogonal: its singular values and vectors are then at hand.
    #[must_use]
    pub fn with_orthogonal_inputs(mut self) -> Self {
        self.orthogonal_inputs = true;
        self
    }

    /// Says what `||A||_2` is.
    #[must_use]
    pub(crate) fn with_input_norm(self, norm: f64) -> Self {
        Self { input_norm: OnceLock::from(norm), ..self }
    }

    /// Singular values of `A` and left singular vectors as columns, where its columns are known to be orthogonal and none
    /// is zero; `None` for the identity as well.
    pub(crate) fn input_svd(&self) -> Option<(Matrix, Vec<f64>)> {
        let inputs = self.inputs().filter(|_| self.orthogonal_inputs)?;
        let norms = column_norms(inputs);
        let inverse: Vec<f64> = norms.iter().map(|norm| 1.0 / norm).collect();
        norms.iter().all(|&norm| norm > 0.0).then(|| (inputs.scale_columns(&inverse), norms))
    }

    /// `||A||_2`.
    pub fn input_norm(&self) -> f64 {
        *self.input_norm.get_or_init(|| match &self.inputs {
            None => 1.0,
            Some(inputs) if self.orthogonal_inputs => column_norms(inputs).into_iter().fold(0.0, f64::max),
            Some(inputs) => spectral_norm(inputs),
        })
    }

    /// `||W_k||_2` for `k = 1..h`, at index `k - 1`.
    pub fn layer_norms(&self) -> &[f64] {
        self.layer_norms.get_or_init(|| self.layers.iter().map(spectral_norm).collect())
    }

    /// Shapes of the blocks of parameters: the factors, then the biases that exist.
    pub fn blocks(&self) -> Vec<(usize, usize)> {
        let biases = self.biases.iter().flat_map(|biases| biases.columns.iter().flatten());
        self.layers.iter().chain(biases).map(Matrix::shape).collect()
    }

    /// The layers, counted from 0, that have a bias.
    pub fn biased_layers(&self) -> Vec<usize> {
        let columns = self.biases.iter().flat_map(|biases| biases.columns.iter().enumerate());
        columns.filter(|(_, bias)| bias.is_some()).map(|(k, _)| k).collect()
    }

    /// The biases, one entry a layer; empty where no layer has one.
    pub fn bias_columns(&self) -> Vec<Option<Matrix>> {
        self.biases.as_ref().map(|biases| biases.columns.clone()).unwrap_or_default()
    }

    /// The factors, `W_1` first.
    pub fn layers(&self) -> &[Matrix] {
        &self.layers
    }

    /// `L`.
    pub fn value(&self) -> f64 {
        self.loss.value_beside(self.output(), &self.backward[self.layers.len() - 1])
    }

    /// `grad l(F)` at the output.
    pub fn loss_gradient(&self) -> &Matrix {
        &self.backward[self.layers.len() - 1]
    }

    /// The loss.
    pub fn loss(&self) -> &L {
        &self.loss
    }

    /// `W_h ... W_1 A`.
    pub fn output(&self) -> &Matrix {
        &self.forward[self.layers.len() - 1]
    }

    /// Gradient with respect to every block: `B_k F_{k-1}'` for a factor, `B_k o'` for a bias.
    pub fn gradient(&self) -> &[Matrix] {
        self.gradient.get_or_init(|| {
            count(Step::Gradient);
            let factors = (0..self.layers.len()).map(|k| self.times_forward_transposed(&self.backward[k], k));
            factors.chain(self.bias_blocks(&self.backward)).collect()
        })
    }

    /// `M_k o'` for the layers with a bias.
    fn bias_blocks(&self, backward: &[Matrix]) -> Vec<Matrix> {
        let Some(Biases { ones, .. }) = &self.biases else { return Vec::new() };
        self.biased_layers().into_iter().map(|k| backward[k].times_transpose(ones)).collect()
    }

    /// `max_k ||grad_k||_F / (||P(h,k)||_2 ||P(k-1,0) A||_2 s)`, `s` the size of the terms that cancel in `grad l`
    /// ([`Loss::gradient_size`]), with `0/0 = 0`; for a bias the norm of `o` takes the place of `||P(k-1,0) A||_2`.
    pub fn measured_gradient(&self) -> f64 {
        self.gradient_beside(self.loss.gradient_size(self.output()), 0.0)
    }

    /// What `grad l(F)` is made of at this point: slopes, and what rounding errors of the outputs change in them, `||grad l(F)||_F +
    /// ||C o F||_F` with `C` the diagonal of the Hessian of `l`; `None` where that is not at hand. Slopes that are bounded are
    /// small beside [`Loss::gradient_size`] wherever outputs are large; beside themselves they are not.
    pub fn slope_size(&self) -> Option<f64> {
        let mut changes = self.loss.diagonal(self.output())?;
        for j in 0..changes.ncols() {
            let outputs = self.output().column(j);
            changes.column_mut(j).iter_mut().zip(outputs).for_each(|(entry, output)| *entry *= output);
        }
        Some(self.loss_gradient().frobenius_norm() + changes.frobenius_norm())
    }

    /// The gradient is zero up to rounding errors: `gradient.relative` is at most this tolerance, and beside [`Network::slope_size`]
    /// the gradient is at most its square root.
    pub fn is_critical(&self, tolerance: f64) -> bool {
        let beside_slopes = || self.slope_size().is_none_or(|size| self.gradient_beside(size, 0.0) <= tolerance.sqrt());
        self.gradient().iter().all(|block| block.max_abs() == 0.0)
            || (self.measured_gradient() <= tolerance && beside_slopes())
    }

    /// The same beside terms of this size. A product whose norm is less than `vanishing` times the size of the terms that are
    /// added up in it is nothing but rounding errors, and says nothing of the terms that cancel: their size takes its place.
    /// (Outputs of layers with biases are measured as they are.)
    fn gradient_beside(&self, size: f64, vanishing: f64) -> f64 {
        let blocks = self.gradient().iter().zip(self.block_sizes(size, vanishing));
        let shares = blocks.map(|(part, size)| (part.frobenius_norm(), size)).filter(|(norm, _)| *norm > 0.0);
        shares.map(|(norm, size)| norm / size).fold(0.0, f64::max)
    }

    /// `||P(h,k)||_2 ||P(k-1,0) A||_2 size` for every block: what its part of the gradient is measured by.
    pub(super) fn block_sizes(&self, size: f64, vanishing: f64) -> Vec<f64> {
        let after = self.norms_after().into_iter().enumerate();
        let after: Vec<f64> = after
            .map(|(k, norm)| if vanishing > 0.0 { measured(norm, vanishing, || self.terms_after(k + 1)) } else { norm })
            .collect();
        let biased = self.biased_layers();
        let layer_of = |block: usize| block.checked_sub(self.layers.len()).map_or(block, |bias| biased[bias]);
        let size_of = |block: usize| {
            let before = match &self.biases {
                Some(biases) if block >= self.layers.len() => biases.ones.frobenius_norm(),
                _ if block == 0 => self.input_norm(),
                _ => self.measured_output(spectral_norm(&self.forward[block - 1]), block, vanishing),
            };
            after[layer_of(block)] * before * size
        };
        (0..self.layers.len() + biased.len()).map(size_of).collect()
    }

    /// A norm of `P(k,0) A`, or the size of its terms where the norm is less than `vanishing` times that.
    fn measured_output(&self, norm: f64, k: usize, vanishing: f64) -> f64 {
        match self.biases {
            None if vanishing > 0.0 => measured(norm, vanishing, || self.terms_before(k)),
            _ => norm,
        }
    }

    /// Size of the terms that are added up in `P(k,0) A`: the norm of `|W_k| ... |W_1| r`, `r` the norms of the rows of `A`, or
    /// the product of the norms, where that is smaller. The first is, where large entries meet zeros.
    fn terms_before(&self, k: usize) -> f64 {
        let norms = self.layer_norms()[..k].iter().product::<f64>() * self.input_norm();
        norms.min(self.terms_of_inputs(k, self.inputs()))
    }

    /// The norm of `|W_k| ... |W_1| r`, `r` the norms of the rows of these inputs, or ones.
    pub(crate) fn terms_of_inputs(&self, k: usize, inputs: Option<&Matrix>) -> f64 {
        let rows = match inputs {
            Some(inputs) => column_norms(&inputs.transpose()),
            None => vec![1.0; self.layers[0].ncols()],
        };
        let rows = Matrix::from_column_major(rows.len(), 1, &rows);
        self.layers[..k].iter().fold(rows, |rows, layer| &layer.map(f64::abs) * &rows).frobenius_norm()
    }

    /// The same for `P(h,k)`: the norm of `|W_h| ... |W_{k+1}|`.
    fn terms_after(&self, k: usize) -> f64 {
        let layers = &self.layers[k..];
        let norms: f64 = self.layer_norms()[k..].iter().product();
        let terms = layers.iter().map(|layer| layer.map(f64::abs)).reduce(|product, layer| &layer * &product);
        terms.map_or(1.0, |terms| norms.min(terms.frobenius_norm()))
    }

    /// `||W_h ... W_{k+1}||_2` for `k = 1..h`, at index `k - 1`.
    fn norms_after(&self) -> Vec<f64> {
        let depth = self.layers.len();
        let mut norms = vec![1.0; depth];
        let mut core: Option<Matrix> = None;
        for k in (1..depth).rev() {
            let product = core.map_or_else(|| self.layers[k].clone(), |p| &p * &self.layers[k]);
            let thin = if product.nrows() > product.ncols() { triangular_factor(product) } else { product };
            norms[k - 1] = spectral_norm(&thin);
            core = Some(thin);
        }
        norms
    }

    /// The Hessian of `l` at the outputs, times a change of them.
    pub(crate) fn curved(&self, change: &Matrix) -> Matrix {
        if self.loss.hessian_is_identity() {
            return change.clone();
        }
        self.loss.curved(self.curvature.get_or_init(|| self.loss.curvature(self.output())), change)
    }

    /// The Hessian times a direction, one matrix a block.
    pub fn hessian_times(&self, direction: &[Matrix]) -> Vec<Matrix> {
        let depth = self.layers.len();
        let d_forward = self.d_forward(direction);
        let change = self.curved(&d_forward[depth - 1]);
        let mut d_backward = vec![change];
        let mut out = Vec::with_capacity(direction.len());
        for k in (0..depth).rev() {
            let last = &d_backward[d_backward.len() - 1];
            let mut block = self.times_forward_transposed(last, k);
            if k > 0 {
                block = &block + &self.backward[k].times_transpose(&d_forward[k - 1]);
                let next = &direction[k].transpose_times(&self.backward[k]) + &self.layers[k].transpose_times(last);
                d_backward.push(next);
            }
            out.push(block);
        }
        out.reverse();
        d_backward.reverse();
        out.extend(self.bias_blocks(&d_backward));
        out
    }

    /// Multiplications of [`Network::hessian_times`], biases aside.
    pub(crate) fn multiplications(&self) -> usize {
        let columns = self.output().ncols();
        let sizes: Vec<usize> = self.layers.iter().map(|w| w.nrows() * w.ncols() * columns).collect();
        let ends = if self.inputs.is_some() { 2 } else { 0 };
        sizes.iter().enumerate().map(|(k, size)| if k == 0 { ends * size } else { 6 * size }).sum()
    }

    /// Derivatives of `F_1, ..., F_h` along a direction.
    fn d_forward(&self, direction: &[Matrix]) -> Vec<Matrix> {
        let biased = self.biased_layers();
        let mut out: Vec<Matrix> = Vec::with_capacity(self.layers.len());
        for k in 0..self.layers.len() {
            let mut next = match (k, &self.inputs) {
                (0, None) => direction[0].clone(),
                (0, Some(inputs)) => &direction[0] * inputs.as_ref(),
                _ => &(&direction[k] * &self.forward[k - 1]) + &(&self.layers[k] * &out[k - 1]),
            };
            if let (Some(biases), Some(at)) = (&self.biases, biased.iter().position(|&layer| layer == k)) {
                next = &next + &(&direction[self.layers.len() + at] * &biases.ones);
            }
            out.push(next);
        }
        out
    }

    /// `M F_{k-1}'`, `k` counted from 0 here.
    fn times_forward_transposed(&self, matrix: &Matrix, k: usize) -> Matrix {
        match (k, &self.inputs) {
            (0, None) => matrix.clone(),
            (0, Some(inputs)) => matrix.times_transpose(inputs),
            _ => matrix.times_transpose(&self.forward[k - 1]),
        }
    }

    /// `F_k = W_k ... W_1 A` for `k >= 1`.
    pub fn forward(&self, k: usize) -> &Matrix {
        &self.forward[k - 1]
    }

    /// `B_k = (W_h ... W_{k+1})' grad l(F_h)`, `k` counted from 0.
    pub(crate) fn backward(&self, k: usize) -> &Matrix {
        &self.backward[k]
    }

    /// The layer, counted from 0, of every block of parameters.
    pub(crate) fn layer_of_blocks(&self) -> Vec<usize> {
        (0..self.layers.len()).chain(self.biased_layers()).collect()
    }

    /// What the parameters of a block multiply: `F_{k-1}` for a factor, `o` for a bias; `None` stands for the identity.
    pub(crate) fn feature(&self, block: usize) -> Option<&Matrix> {
        match (block, &self.biases) {
            (block, Some(biases)) if block >= self.layers.len() => Some(&biases.ones),
            (0, _) => self.inputs(),
            (block, _) => Some(&self.forward[block - 1]),
        }
    }

    /// The factors, then the biases that exist.
    pub fn parameter_blocks(&self) -> Vec<Matrix> {
        let biases = self.biases.iter().flat_map(|biases| biases.columns.iter().flatten());
        self.layers.iter().chain(biases).cloned().collect()
    }

    /// The same data and loss at other parameters: as many blocks as [`Network::parameter_blocks`], of the same shapes.
    #[must_use]
    pub fn with_blocks(&self, mut blocks: Vec<Matrix>) -> Self
    where
        L: Clone,
    {
        let mut rest = blocks.split_off(self.layers.len()).into_iter();
        let biases = self.biases.as_ref().map(|biases| Biases {
            columns: biases.columns.iter().map(|bias| bias.as_ref().and_then(|_| rest.next())).collect(),
            ones: biases.ones.clone(),
        });
        let moved = Self::beside(blocks, biases, self.inputs.clone(), self.loss.clone());
        Self { orthogonal_inputs: self.orthogonal_inputs, input_norm: self.input_norm.clone(), ..moved }
    }

    /// The same parameters beside some of the samples, with the loss of those.
    #[must_use]
    pub(crate) fn on_samples(&self, samples: &[usize], loss: L) -> Self {
        let inputs = match self.inputs() {
            Some(inputs) => inputs.selected_columns(samples),
            None => Matrix::identity(self.layers[0].ncols()).selected_columns(samples),
        };
        let ones = |biases: &Biases| biases.ones.selected_columns(samples);
        let biases = self.biases.as_ref().map(|biases| Biases { ones: ones(biases), ..biases.clone() });
        Self::with_loss(self.layers.clone(), biases, Some(inputs), loss)
    }

    /// The point `theta + t * direction`, one matrix a block.
    #[must_use]
    pub fn moved(&self, t: f64, direction: &[Matrix]) -> Self
    where
        L: Clone,
    {
        let mut blocks = self.parameter_blocks();
        blocks.iter_mut().zip(direction).for_each(|(block, step)| block.add_scaled(t, step));
        self.with_blocks(blocks)
    }

    /// `A`; the identity when absent.
    pub fn inputs(&self) -> Option<&Matrix> {
        self.inputs.as_deref()
    }
}

/// The norm of a product, or the size of its terms where the norm is less than `vanishing` times that.
fn measured(norm: f64, vanishing: f64, terms: impl Fn() -> f64) -> f64 {
    let terms = terms();
    if norm < vanishing * terms { terms } else { norm }
}

fn column_norms(a: &Matrix) -> Vec<f64> {
    (0..a.ncols()).map(|j| vector_norm(a.column(j))).collect()
}
