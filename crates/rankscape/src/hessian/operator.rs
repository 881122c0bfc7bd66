//! The Hessian as an operator on vectors of parameters, at a cost that does not depend on the number of samples.

use super::batch::{Batch, Side, sandwich_cost};
use super::pieces::Pieces;
use crate::linalg::{Matrix, SymmetricOperator};
use crate::loss::{Loss, SquareLoss};
use crate::network::{Network, NormalizedNetwork};

/// Which part of the Hessian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Part {
    /// The Hessian.
    #[default]
    Full,
    /// `J' J` with `J` the derivative of the predictions.
    GaussNewton,
    /// The rest: the second derivatives of the predictions, weighted by the residual.
    Residual,
}

impl Part {
    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::GaussNewton => "gauss_newton",
            Self::Residual => "residual",
        }
    }
}

/// `D H D`, where `H` is the Hessian of a [`Network`] or a part of it, and `D` multiplies every block of parameters
/// by a number. Vectors list `W_1` first, each matrix row by row, and the biases last.
#[derive(Debug, Clone)]
pub struct HessianOperator<'a, L = SquareLoss> {
    pub(super) network: &'a Network<L>,
    pub(super) scales: Vec<f64>,
    pub(super) output_factor: Option<&'a Matrix>,
    pub(super) part: Part,
    pub(super) pieces: Pieces,
}

impl<'a, L: Loss> HessianOperator<'a, L> {
    /// The operator with one number a block.
    pub fn new(network: &'a Network<L>, scales: Vec<f64>) -> Self {
        Self { network, scales, output_factor: None, part: Part::Full, pieces: Pieces::new(network, None) }
    }

    /// The Hessian where the parameters of the last layer (factor and bias) are `V` with `W_h = C V`.
    #[must_use]
    pub fn with_output_factor(mut self, output_factor: Option<&'a Matrix>) -> Self {
        if output_factor.is_some() {
            self.output_factor = output_factor;
            self.pieces = Pieces::new(self.network, output_factor);
        }
        self
    }

    /// One part of the Hessian.
    #[must_use]
    pub fn part(mut self, part: Part) -> Self {
        self.part = part;
        self
    }

    /// What the parameters of a block are multiplied by.
    pub fn scale(&self, block: usize) -> f64 {
        self.scales[block]
    }

    /// Shapes of the blocks of parameters: the factors, then the biases that exist.
    pub fn shapes(&self) -> &[(usize, usize)] {
        &self.pieces.shapes
    }

    /// The operator times every column of `x`, in one pass of matrix products.
    #[must_use]
    pub fn apply_matrix(&self, x: &Matrix) -> Matrix {
        if self.recursion_is_cheaper() {
            return self.apply_by_recursion(x);
        }
        let steps = self.split(x);
        let mut images: Vec<Batch> =
            self.pieces.shapes.iter().map(|&(rows, cols)| Batch::zeros(cols, rows, x.ncols())).collect();
        if self.part != Part::Residual {
            self.add_gauss_newton(&steps, &mut images);
        }
        if self.part != Part::GaussNewton {
            self.add_residual(&steps, &mut images);
        }
        let mut out = Matrix::zeros(x.nrows(), x.ncols());
        for c in 0..x.ncols() {
            let entries = images.iter().zip(&self.scales).flat_map(|(image, &s)| image.entries(c).map(move |v| s * v));
            out.column_mut(c).iter_mut().zip(entries).for_each(|(entry, value)| *entry = value);
        }
        out
    }

    /// Deep networks of equal widths: two passes through the layers beat a term for every pair of layers.
    fn recursion_is_cheaper(&self) -> bool {
        self.part == Part::Full
            && self.output_factor.is_none()
            && self.network.multiplications() < self.multiplications_by_pairs()
    }

    fn apply_by_recursion(&self, x: &Matrix) -> Matrix {
        let mut out = Matrix::zeros(x.nrows(), x.ncols());
        for c in 0..x.ncols() {
            let column = Matrix::from_column_major(x.nrows(), 1, x.column(c));
            let steps: Vec<Matrix> = self.split(&column).iter().map(|step| step.transpose().into_matrix()).collect();
            let images = self.network.hessian_times(&steps).into_iter().zip(&self.scales);
            let entries = images.flat_map(|(image, &s)| image.transpose().scaled(s).entries().collect::<Vec<f64>>());
            out.column_mut(c).iter_mut().zip(entries).for_each(|(entry, value)| *entry = value);
        }
        out
    }

    /// Every block of every column, transposed (so that rows listed one by one are columns) and scaled.
    fn split(&self, x: &Matrix) -> Vec<Batch> {
        let mut offset = 0;
        let shapes = self.pieces.shapes.iter().zip(&self.scales);
        shapes
            .map(|(&(rows, cols), &scale)| {
                let size = rows * cols;
                let mut entries = Vec::with_capacity(size * x.ncols());
                for c in 0..x.ncols() {
                    entries.extend(x.column(c)[offset..offset + size].iter().map(|v| scale * v));
                }
                offset += size;
                Batch::new(Matrix::from_column_major(cols, rows * x.ncols(), &entries), x.ncols())
            })
            .collect()
    }

    /// `D = sum_b M_b V_b Phi_b`, then `M_b' H[D] Phi_b'` with `H` the Hessian of the loss; everything transposed.
    fn add_gauss_newton(&self, steps: &[Batch], images: &mut [Batch]) {
        let Pieces { layers, features, after, residual: (outputs, columns), .. } = &self.pieces;
        let count = steps.first().map_or(1, Batch::count);
        let mut change = Batch::zeros(*columns, *outputs, count);
        for (b, step) in steps.iter().enumerate() {
            let (left, right) = (features[b].as_ref(), after[layers[b]].as_ref());
            change.add(&step.sandwich(Side::transposed(left), Side::transposed(right)));
        }
        if !self.network.loss().hessian_is_identity() {
            change = change.map(|d| self.network.curved(&d.transpose()).transpose());
        }
        for (b, image) in images.iter_mut().enumerate() {
            let (left, right) = (features[b].as_ref(), after[layers[b]].as_ref());
            image.add(&change.sandwich(Side::plain(left), Side::plain(right)));
        }
    }

    /// For a block `b` of layer `k` and a factor `c` of a later layer `l`: `P(l-1,k)' V_c' (B_l Phi_b')` for `b` and
    /// `(B_l Phi_b') V_b' P(l-1,k)'` for `c`.
    fn add_residual(&self, steps: &[Batch], images: &mut [Batch]) {
        let pieces = &self.pieces;
        for b in 0..images.len() {
            let k = pieces.layers[b];
            for l in k + 1..pieces.depth() {
                let (cross, between) = (pieces.cross(l, b), pieces.between(k, l));
                let to_b = steps[l].sandwich(Side::transposed(between), Side::plain(cross));
                images[b].add(&to_b.transpose());
                let to_c = steps[b].sandwich(Side::plain(cross), Side::transposed(between));
                images[l].add(&to_c.transpose());
            }
        }
    }

    /// Multiplications of one application to one vector, scaling aside. Does not depend on the number of samples.
    pub fn multiplications(&self) -> usize {
        let pairs = self.multiplications_by_pairs();
        if self.recursion_is_cheaper() { self.network.multiplications() } else { pairs }
    }

    fn multiplications_by_pairs(&self) -> usize {
        let Pieces { shapes, layers, features, after, residual: (outputs, columns), .. } = &self.pieces;
        let mut total = 0;
        for (b, &(rows, cols)) in shapes.iter().enumerate() {
            let (left, right) = (features[b].as_ref(), after[layers[b]].as_ref());
            if self.part != Part::Residual {
                total += sandwich_cost(Side::transposed(left), (cols, rows), Side::transposed(right)).0;
                total += sandwich_cost(Side::plain(left), (*columns, *outputs), Side::plain(right)).0;
            }
            if self.part == Part::GaussNewton {
                continue;
            }
            for l in layers[b] + 1..self.pieces.depth() {
                let (cross, between) = (self.pieces.cross(l, b), self.pieces.between(layers[b], l));
                let (rows_l, cols_l) = shapes[l];
                total += sandwich_cost(Side::transposed(between), (cols_l, rows_l), Side::plain(cross)).0;
                total += sandwich_cost(Side::plain(cross), (cols, rows), Side::transposed(between)).0;
            }
        }
        total
    }
}

impl NormalizedNetwork {
    /// The Hessian of `L` in the coordinates as given.
    pub fn hessian(&self) -> HessianOperator<'_> {
        let scales = self.block_scales().iter().map(|c| self.target_scale() / c).collect();
        HessianOperator::new(self.given(), scales).with_output_factor(self.output_factor())
    }
}

impl<L: Loss> SymmetricOperator for HessianOperator<'_, L> {
    fn dimension(&self) -> usize {
        self.pieces.shapes.iter().map(|(rows, cols)| rows * cols).sum()
    }

    fn apply(&self, x: &[f64]) -> Vec<f64> {
        self.apply_matrix(&Matrix::from_column_major(x.len(), 1, x)).column(0).to_vec()
    }
}
