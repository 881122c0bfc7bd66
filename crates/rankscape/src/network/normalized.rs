//! Scaling by powers of two, so that no intermediate result overflows, and whitening.

use super::point::{Biases, SquareNetwork};
use crate::data::{TriangularFactor, Whitening};
use crate::evidence::Truth;
use crate::linalg::{Matrix, power_of_two_near};
use crate::multiplication::Factors;
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};
use crate::work::{Step, count};

/// A point of the square loss in two scaled copies: in the coordinates as given, and whitened.
///
/// Every factor is divided by a power of two `c_k`, the data by `x`, the target by `z`, with `prod c_k * x = z`, such
/// that the target has norm about 1 and the factors have about equal norms. This is an exact change of variables:
/// `L = z^2 * L_scaled`, a gradient block scales by `z^2 / c_k` and a Hessian block by `z^2 / (c_k c_l)`. Class, ranks,
/// index and nullity do not change.
#[derive(Debug, Clone)]
pub struct NormalizedNetwork {
    given: SquareNetwork,
    whitened: SquareNetwork,
    layer_scales: Vec<f64>,
    /// One a block of parameters: the factors, then the biases that exist.
    block_scales: Vec<f64>,
    output_factor: Option<Matrix>,
    target_scale: f64,
    target_norm: f64,
    input_scale: f64,
    /// `U S`, scaled; without the samples of biases.
    whitened_inputs: Matrix,
}

impl NormalizedNetwork {
    /// Scales and whitens. The data must have the widths of the factors, and `X` must not be zero.
    pub fn new(factors: &Factors, whitening: &Whitening) -> Self {
        count(Step::Network);
        let target_scale = power_of_two_near(whitening.target_norm);
        let input_scale = power_of_two_near(whitening.scales.first().copied().unwrap_or(0.0));
        let layer_scales = layer_scales(factors, (target_scale.log2() - input_scale.log2()) as i32);
        let layers: Vec<Matrix> =
            factors.matrices().iter().zip(&layer_scales).map(|(matrix, scale)| matrix.scaled(1.0 / scale)).collect();
        let inputs = whitening.inputs().scaled(1.0 / input_scale);
        let target = whitening.target.scaled(1.0 / target_scale);
        let mut whitened_layers = layers.clone();
        whitened_layers[0] = &layers[0] * &inputs;
        Self {
            input_scale,
            whitened_inputs: inputs.clone(),
            given: SquareNetwork::new(layers, Some(inputs), target.clone()).with_orthogonal_inputs(),
            whitened: SquareNetwork::new(whitened_layers, None, target),
            block_scales: layer_scales.clone(),
            layer_scales,
            output_factor: None,
            target_scale,
            target_norm: whitening.target_norm / target_scale,
        }
    }

    /// The same point with biases, the last layer's among them, so that `whitening` is that of the centred data. `samples`
    /// is the factor of the data with a constant feature appended to `X`.
    ///
    /// With `b*` the best output bias, `L = L_centred + n/2 ||b_h - b*||^2`; the network in the coordinates as given has
    /// the biases among its parameters.
    #[must_use]
    pub fn with_biases(mut self, biases: &[Option<Vec<f64>>], samples: &TriangularFactor) -> Self {
        let (xx, xy, yy) = (samples.xx(), samples.xy(), samples.yy());
        let (rows, inputs, outputs) = (xx.nrows() + yy.nrows(), xx.ncols() - 1, xy.ncols());
        let mut x = Matrix::zeros(inputs + 1, rows);
        x.set_block(0, 0, &xx.transpose());
        let mut y = Matrix::zeros(outputs, rows);
        y.set_block(0, 0, &xy.transpose());
        y.set_block(0, xx.nrows(), &yy.transpose());
        let mut scale = self.input_scale;
        let mut columns = Vec::new();
        for (bias, layer_scale) in biases.iter().zip(&self.layer_scales) {
            scale *= layer_scale;
            self.block_scales.extend(bias.as_ref().map(|_| scale));
            columns.push(bias.as_ref().map(|bias| Matrix::from_fn(bias.len(), 1, |i, _| bias[i] / scale)));
        }
        let ones = x.block(inputs, 0, 1, rows);
        let x = x.block(0, 0, inputs, rows).scaled(1.0 / self.input_scale);
        let y = y.scaled(1.0 / self.target_scale);
        self.target_norm = y.frobenius_norm();
        self.given =
            SquareNetwork::with_biases(self.given.layers().to_vec(), Some(Biases { columns, ones }), Some(x), y);
        self
    }

    /// The same point whose last layer is `C V` with `V` the parameters as given: gradient and Hessian are then with
    /// respect to `V`.
    #[must_use]
    pub fn with_output_factor(mut self, output_factor: Option<Matrix>) -> Self {
        self.output_factor = output_factor;
        self
    }

    /// The scaled network in whitened coordinates: `A = I`, first factor `W_1 U S`.
    pub fn whitened(&self) -> &SquareNetwork {
        &self.whitened
    }

    /// The scaled network in the coordinates as given.
    pub fn given(&self) -> &SquareNetwork {
        &self.given
    }

    /// What the factors were divided by.
    pub fn layer_scales(&self) -> &[f64] {
        &self.layer_scales
    }

    /// What the target was divided by; the loss was divided by its square.
    pub fn target_scale(&self) -> f64 {
        self.target_scale
    }

    /// Norm of the gradient of `L` in the coordinates as given.
    pub fn gradient_norm(&self) -> f64 {
        self.gradient().iter().map(Matrix::frobenius_norm).fold(0.0, f64::hypot)
    }

    /// Gradient of `L` in the coordinates as given.
    pub fn gradient(&self) -> Vec<Matrix> {
        let scaled = self.given.gradient();
        let z = self.target_scale;
        let biased = self.given.biased_layers();
        let depth = self.layer_scales.len();
        let last = |at: usize| at.checked_sub(depth).map_or(at, |bias| biased[bias]) + 1 == depth;
        let blocks = scaled.iter().zip(&self.block_scales).enumerate();
        blocks
            .map(|(at, (block, c))| {
                let block = block.scaled(z / c).scaled(z);
                self.output_factor.as_ref().filter(|_| last(at)).map_or(block.clone(), |c| c.transpose_times(&block))
            })
            .collect()
    }

    /// `max_k ||grad_k||_F / (||P(h,k)||_2 ||P(k-1,0) X||_2 (||W X||_F + ||Y||_F))`, with `0/0 = 0`; invariant under
    /// scaling of the factors and of the data.
    pub fn measured_gradient(&self) -> f64 {
        self.given.relative_gradient(self.target_norm, 0.0)
    }

    /// The same where a product that is nothing but rounding errors of entries with this unit roundoff counts with the size of
    /// its terms ([`Tolerances::vanishing_product`]), unless such errors of `W X` are large beside `Y`.
    pub fn relative_gradient(&self, unit_roundoff: f64, tolerances: &Tolerances) -> f64 {
        let share = tolerances.vanishing_product(unit_roundoff, self.largest_width());
        let share = if self.drowns(share, tolerances) { 0.0 } else { share };
        self.given.relative_gradient(self.target_norm, share)
    }

    fn largest_width(&self) -> usize {
        self.given.layers().iter().map(Matrix::larger_dimension).max().unwrap_or(1)
    }

    /// Whether errors of this share of the terms of `W X` leave nothing of `Y`.
    fn drowns(&self, share: f64, tolerances: &Tolerances) -> bool {
        self.target_norm > 0.0 && tolerances.rank_gap * share * self.size_of_terms() > self.target_norm
    }

    /// Size of the terms that are added up in `W X`: the product of the norms, or the norm of `|W_h| ... |W_1| r`, `r` the norms of
    /// the rows of `X`, where that is smaller. It is where large entries meet zeros.
    pub fn size_of_terms(&self) -> f64 {
        let norms = self.given.layer_norms().iter().product::<f64>() * self.given.input_norm();
        norms.min(self.given.terms_of_inputs(self.layer_scales.len(), Some(&self.whitened_inputs)))
    }

    /// Whether the gradient counts as zero. Undecided: it is as small as the rounding errors of its evaluation, and they are as
    /// large as what `Y` contributes, because the terms of `W X` cancel.
    ///
    /// It is zero when `gradient.relative` is at most the threshold of the type in which the entries were stored, or every block
    /// is at most the rounding errors of its evaluation in double precision.
    pub fn criticality(&self, unit_roundoff: f64, tolerances: &Tolerances) -> Truth {
        let threshold = tolerances.critical_threshold(unit_roundoff);
        if self.measured_gradient() <= threshold || self.relative_gradient(unit_roundoff, tolerances) <= threshold {
            return Truth::Yes;
        }
        if !self.gradient_is_rounding(tolerances) {
            return Truth::No;
        }
        let relative = tolerances.relative_rounding(UNIT_ROUNDOFF, self.largest_width());
        if self.drowns(relative, tolerances) { Truth::Undecided } else { Truth::Yes }
    }

    /// Whether the gradient surely counts as zero: see [`NormalizedNetwork::criticality`].
    pub fn is_critical(&self, unit_roundoff: f64, tolerances: &Tolerances) -> bool {
        self.criticality(unit_roundoff, tolerances) == Truth::Yes
    }

    fn gradient_is_rounding(&self, tolerances: &Tolerances) -> bool {
        let blocks = self.given.gradient();
        blocks.iter().zip(self.scaled_rounding(tolerances)).all(|(block, error)| block.frobenius_norm() <= error)
    }

    /// What the norm of each block of [`NormalizedNetwork::gradient`] can be made of by rounding errors of its evaluation in
    /// double precision; the output factor is left out.
    pub fn gradient_rounding(&self, tolerances: &Tolerances) -> Vec<f64> {
        let z = self.target_scale;
        let errors = self.scaled_rounding(tolerances).into_iter().zip(&self.block_scales);
        errors.map(|(error, c)| error * (z / c) * z).collect()
    }

    fn scaled_rounding(&self, tolerances: &Tolerances) -> Vec<f64> {
        let (norms, input) = (self.given.layer_norms(), self.given.input_norm());
        let relative = tolerances.relative_rounding(UNIT_ROUNDOFF, self.largest_width());
        let residual = self.size_of_terms() + self.target_norm;
        let layers = (0..norms.len()).chain(self.given.biased_layers());
        layers
            .map(|k| {
                let others: f64 = norms.iter().enumerate().filter(|&(l, _)| l != k).map(|(_, norm)| norm).product();
                relative * others * input * residual
            })
            .collect()
    }

    /// What every block of parameters was divided by: the factors, then the biases that exist.
    pub(crate) fn block_scales(&self) -> &[f64] {
        &self.block_scales
    }

    /// See [`NormalizedNetwork::with_output_factor`].
    pub(crate) fn output_factor(&self) -> Option<&Matrix> {
        self.output_factor.as_ref()
    }

    /// What the data `X` was divided by.
    pub fn input_scale(&self) -> f64 {
        self.input_scale
    }

    /// `||Y||_F` after scaling, with the part that no product reaches.
    pub fn target_norm(&self) -> f64 {
        self.target_norm
    }
}

/// A layer that is zero is divided by at most two to this power.
const LARGEST_EXPONENT: i32 = 500;

/// Powers of two `c_k` with `sum log2 c_k = total` that make the norms of the non-zero factors about equal.
fn layer_scales(factors: &Factors, total: i32) -> Vec<f64> {
    let exponents: Vec<Option<i32>> = factors
        .matrices()
        .iter()
        .map(|matrix| {
            Some(matrix.max_abs()).filter(|&size| size > 0.0).map(|size| power_of_two_near(size).log2() as i32)
        })
        .collect();
    let known: Vec<i32> = exponents.iter().flatten().copied().collect();
    let zeros = (exponents.len() - known.len()) as i32;
    let sum = known.iter().sum::<i32>();
    // A layer that is zero has any size, so that it makes up for the others; a scale must stay representable.
    let size_of_zero =
        if zeros > 0 { (total - sum).div_euclid(zeros).clamp(-LARGEST_EXPONENT, LARGEST_EXPONENT) } else { 0 };
    let excess = sum + zeros * size_of_zero - total;
    let share = if known.is_empty() { 0 } else { excess.div_euclid(known.len() as i32) };
    let mut scales: Vec<i32> = exponents.iter().map(|e| e.map_or(size_of_zero, |e| e - share)).collect();
    let rest = total - scales.iter().sum::<i32>();
    let count = scales.len() as i32;
    for (k, scale) in scales.iter_mut().enumerate() {
        *scale += rest.div_euclid(count) + i32::from((k as i32) < rest.rem_euclid(count));
    }
    scales.into_iter().map(|e| 2.0_f64.powi(e)).collect()
}
