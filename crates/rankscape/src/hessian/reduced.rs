//! The Hessian on the subspace where it is not zero, in orthonormal coordinates.
//!
//! For a block `b` of layer `k` let `Q` span the range of `M_k'`, `F` that of `Phi_b`, `K` that of `Phi_b R'` (`R` the
//! residual) and `J` that of `M_k' R Phi_c'` over all blocks `c` of earlier layers. The image of the Hessian lies in
//! `Q (x) F + R^{d_k} (x) K + J (x) R^{d_{k-1}}`, so the rest is in the kernel: `docs/spectra.md`, section 5. Of the complements
//! of `Q` and `F` only what the layers between two blocks pass on matters. At a critical point this is a small part of the
//! parameters.

use super::operator::{HessianOperator, Part};
use super::subspace::{Split, range};
use crate::linalg::{Matrix, SymmetricOperator};
use crate::loss::Loss;
use crate::tolerance::Tolerances;

/// A Hessian restricted to the span of `Q A F' + Q_perp C K' + J E F_perp'`, one triple `(A, C, E)` a block.
#[derive(Debug, Clone)]
pub(super) struct ReducedHessian {
    blocks: Vec<Block>,
    couplings: Vec<Coupling>,
    /// Number of outputs and of columns of the residual.
    residual: (usize, usize),
}

/// `F' Phi_b`.
#[derive(Debug, Clone)]
enum Feature {
    Diagonal(Vec<f64>),
    Dense(Matrix),
}

#[derive(Debug, Clone)]
struct Block {
    layer: usize,
    /// `Q` and its complement.
    left: Split,
    /// `F` and its complement.
    right: Split,
    /// `K`, and `F' K`.
    k: (Matrix, Matrix),
    /// `J`, and `Q' J`.
    j: (Matrix, Matrix),
    /// `M_k Q`, with the scale of the block; `None` is the identity.
    after: Option<Matrix>,
    /// The scale where `after` is the identity.
    scale: f64,
    feature: Feature,
    shape: (usize, usize),
}

/// The residual part between an earlier block and a factor of a later layer.
#[derive(Debug, Clone)]
struct Coupling {
    earlier: usize,
    later: usize,
    /// `J' B_l Phi_b' K`, with both scales.
    cross: Matrix,
    /// `[F, F_perp]' P(l-1,k) [Q, Q_perp]`.
    between: Matrix,
}

/// The part of a vector that belongs to a block.
struct Coordinates {
    a: Matrix,
    c: Matrix,
    e: Matrix,
}

impl ReducedHessian {
    /// `None` for the residual part alone, and for losses other than the square. Directions count as zero at rounding errors of the products that they come from.
    pub(super) fn new(operator: &HessianOperator<'_, impl Loss>, tolerances: &Tolerances) -> Option<Self> {
        if operator.part == Part::Residual || !operator.network.loss().hessian_is_identity() {
            return None;
        }
        let mut blocks: Vec<Block> =
            (0..operator.shapes().len()).map(|b| Block::new(operator, b, tolerances)).collect();
        let mut couplings = Vec::new();
        if operator.part == Part::Full {
            (0..blocks.len()).for_each(|b| blocks[b].k = blocks[b].row_space(operator, b, tolerances));
            (0..blocks.len()).for_each(|l| blocks[l].j = column_space(operator, &blocks, l, tolerances));
            couplings = all_couplings(operator, &blocks);
            (0..blocks.len()).for_each(|b| drop_what_is_not_passed_on(b, &mut blocks, &mut couplings, tolerances));
        }
        Some(Self { blocks, couplings, residual: operator.pieces.residual })
    }

    /// The direction in the parameters with these coordinates.
    pub(super) fn lift(&self, x: &[f64]) -> Vec<f64> {
        let parts = self.split(x);
        self.blocks.iter().zip(&parts).flat_map(|(block, part)| block.lift(part)).collect()
    }

    fn split(&self, x: &[f64]) -> Vec<Coordinates> {
        let mut rest = x;
        let mut next = |(rows, cols): (usize, usize)| {
            let (head, tail) = rest.split_at(rows * cols);
            rest = tail;
            Matrix::from_column_major(rows, cols, head)
        };
        let take = |block: &Block| {
            let [a, c, e] = block.sizes();
            Coordinates { a: next(a), c: next(c), e: next(e) }
        };
        self.blocks.iter().map(take).collect()
    }

    /// `D = sum_b M_b A_b T_b`, then `M_b' D T_b'`.
    fn gauss_newton(&self, parts: &[Coordinates]) -> Vec<Matrix> {
        let mut change = Matrix::zeros(self.residual.0, self.residual.1);
        for (block, part) in self.blocks.iter().zip(parts) {
            block.add_change(&part.a, &mut change);
        }
        self.blocks.iter().map(|block| block.pull_back(&change)).collect()
    }

    fn add_residual(&self, parts: &[Coordinates], images: &mut [Coordinates]) {
        let read: Vec<Matrix> = self.blocks.iter().zip(parts).map(|(block, part)| block.times_k(part)).collect();
        let written: Vec<Matrix> = self.blocks.iter().zip(parts).map(|(block, part)| block.times_j(part)).collect();
        for Coupling { earlier, later, cross, between } in &self.couplings {
            let to_later = &cross.times_transpose(&read[*earlier]).times_transpose(between);
            self.blocks[*later].add_through_j(to_later, &mut images[*later]);
            let to_earlier = between.transpose_times(&written[*later].transpose_times(cross));
            self.blocks[*earlier].add_through_k(&to_earlier, &mut images[*earlier]);
        }
    }
}

impl SymmetricOperator for ReducedHessian {
    fn dimension(&self) -> usize {
        self.blocks.iter().flat_map(Block::sizes).map(|(rows, cols)| rows * cols).sum()
    }

    fn apply(&self, x: &[f64]) -> Vec<f64> {
        let parts = self.split(x);
        let change = self.gauss_newton(&parts);
        let mut images: Vec<Coordinates> = change
            .into_iter()
            .zip(&parts)
            .map(|(a, part)| {
                let zeros = |m: &Matrix| Matrix::zeros(m.nrows(), m.ncols());
                Coordinates { a, c: zeros(&part.c), e: zeros(&part.e) }
            })
            .collect();
        self.add_residual(&parts, &mut images);
        let mut out = Vec::with_capacity(x.len());
        for matrix in images.iter().flat_map(|Coordinates { a, c, e }| [a, c, e]) {
            (0..matrix.ncols()).for_each(|j| out.extend_from_slice(matrix.column(j)));
        }
        out
    }
}

impl Block {
    fn new(operator: &HessianOperator<'_, impl Loss>, b: usize, tolerances: &Tolerances) -> Self {
        let (pieces, scale) = (&operator.pieces, operator.scales[b]);
        let shape @ (rows, cols) = pieces.shapes[b];
        let layer = pieces.layers[b];
        let (left, after) = match &pieces.after[layer] {
            None => (Split::whole(rows), None),
            Some(m) => {
                let left = Split::range(&m.transpose(), tolerances);
                let after = left.inside.as_ref().map_or_else(|| m.clone(), |q| m * q).scaled(scale);
                (left, Some(after))
            }
        };
        let (right, feature) = match &pieces.features[b] {
            None => (Split::whole(cols), Feature::Diagonal(vec![1.0; cols])),
            Some(f) => match operator.network.input_svd().filter(|_| b == 0) {
                Some((basis, values)) => (Split::new(basis), Feature::Diagonal(values)),
                None => {
                    let right = Split::range(f, tolerances);
                    let feature = right.inside.as_ref().map_or_else(|| f.clone(), |q| q.transpose_times(f));
                    (right, Feature::Dense(feature))
                }
            },
        };
        let none = |split: &Split, size: usize| (Matrix::zeros(size, 0), Matrix::zeros(split.size(size), 0));
        let (k, j) = (none(&right, cols), none(&left, rows));
        Self { layer, left, right, k, j, after, scale, feature, shape }
    }

    /// `K` and `F' K`.
    fn row_space(
        &self,
        operator: &HessianOperator<'_, impl Loss>,
        b: usize,
        tolerances: &Tolerances,
    ) -> (Matrix, Matrix) {
        let last = operator.pieces.depth() - 1;
        let Some(cross) = operator.pieces.cross(last, b) else { return self.k.clone() };
        let size = residual_size(operator) * feature_size(operator, b) * after_size(operator, last);
        let k = range(&cross.transpose(), size, tolerances);
        let inside = self.right.inside.as_ref().map_or_else(|| k.clone(), |f| f.transpose_times(&k));
        (k, inside)
    }

    /// Shapes of the three matrices of coordinates.
    fn sizes(&self) -> [(usize, usize); 3] {
        let (m, f) = (self.j.1.nrows(), self.k.1.nrows());
        let (left, right) = (self.left.outside.ncols(), self.right.outside.ncols());
        [(m, f), (left, self.k.0.ncols()), (self.j.0.ncols(), right)]
    }

    fn add_change(&self, a: &Matrix, change: &mut Matrix) {
        let (outputs, samples) = change.shape();
        let (m, f) = a.shape();
        let add_left = |x: &Matrix, change: &mut Matrix| match &self.after {
            Some(after) => change.add_product(after, x),
            None => change.add_scaled(self.scale, x),
        };
        match &self.feature {
            Feature::Diagonal(values) => add_left(&a.scale_columns(values), change),
            Feature::Dense(t) if samples * m * (f + outputs) < f * outputs * (m + samples) => {
                add_left(&(a * t), change)
            }
            Feature::Dense(t) => match &self.after {
                Some(after) => change.add_product(&(after * a), t),
                None => change.add_product(&a.scaled(self.scale), t),
            },
        }
    }

    fn pull_back(&self, change: &Matrix) -> Matrix {
        let (outputs, samples) = change.shape();
        let [(m, f), ..] = self.sizes();
        let left = |x: &Matrix| match &self.after {
            Some(after) => after.transpose_times(x),
            None => x.scaled(self.scale),
        };
        match &self.feature {
            Feature::Diagonal(values) => left(change).scale_columns(values),
            Feature::Dense(t) if samples * m * (f + outputs) < f * outputs * (m + samples) => {
                left(change).times_transpose(t)
            }
            Feature::Dense(t) => left(&change.times_transpose(t)),
        }
    }

    /// `[Q, Q_perp]' V K`.
    fn times_k(&self, part: &Coordinates) -> Matrix {
        let mut out = Matrix::zeros(part.a.nrows() + part.c.nrows(), self.k.0.ncols());
        out.set_block(0, 0, &(&part.a * &self.k.1));
        out.set_block(part.a.nrows(), 0, &part.c);
        out
    }

    /// `J' V [F, F_perp]`.
    fn times_j(&self, part: &Coordinates) -> Matrix {
        let mut out = Matrix::zeros(self.j.0.ncols(), part.a.ncols() + part.e.ncols());
        out.set_block(0, 0, &self.j.1.transpose_times(&part.a));
        out.set_block(0, part.a.ncols(), &part.e);
        out
    }

    /// Adds `[Q, Q_perp] x K'`.
    fn add_through_k(&self, x: &Matrix, image: &mut Coordinates) {
        let m = image.a.nrows();
        image.a.add_product_transposed(&x.block(0, 0, m, x.ncols()), &self.k.1);
        image.c.add_scaled(1.0, &x.block(m, 0, x.nrows() - m, x.ncols()));
    }

    /// Adds `J x [F, F_perp]'`.
    fn add_through_j(&self, x: &Matrix, image: &mut Coordinates) {
        let f = image.a.ncols();
        image.a.add_product(&self.j.1, &x.columns(0, f));
        image.e.add_scaled(1.0, &x.columns(f, x.ncols()));
    }

    /// The entries of `Q A F' + Q_perp C K' + J E F_perp'`, row by row.
    fn lift(&self, part: &Coordinates) -> Vec<f64> {
        let left = self.left.inside.as_ref().map_or_else(|| part.a.clone(), |q| q * &part.a);
        let mut v = self.right.inside.as_ref().map_or_else(|| left.clone(), |f| left.times_transpose(f));
        v.add_scaled(1.0, &(&self.left.outside * &part.c).times_transpose(&self.k.0));
        v.add_scaled(1.0, &(&self.j.0 * &part.e).times_transpose(&self.right.outside));
        v.transpose().entries().collect()
    }
}

/// `J` and `Q' J` of block `l`, which is a factor or gets nothing.
fn column_space(
    operator: &HessianOperator<'_, impl Loss>,
    blocks: &[Block],
    l: usize,
    tolerances: &Tolerances,
) -> (Matrix, Matrix) {
    let block = &blocks[l];
    if l >= operator.pieces.depth() {
        return block.j.clone();
    }
    let size = residual_size(operator) * after_size(operator, l);
    let images: Vec<Matrix> = blocks
        .iter()
        .enumerate()
        .filter_map(|(b, earlier)| {
            let cross = operator.pieces.cross(l, b).filter(|_| earlier.k.0.ncols() > 0)?;
            Some((cross * &earlier.k.0).scaled(1.0 / (size * feature_size(operator, b))))
        })
        .collect();
    let mut all = Matrix::zeros(block.shape.0, images.iter().map(Matrix::ncols).sum());
    let mut at = 0;
    for image in &images {
        all.set_block(0, at, image);
        at += image.ncols();
    }
    let j = range(&all, 1.0, tolerances);
    let inside = block.left.inside.as_ref().map_or_else(|| j.clone(), |q| q.transpose_times(&j));
    (j, inside)
}

fn all_couplings(operator: &HessianOperator<'_, impl Loss>, blocks: &[Block]) -> Vec<Coupling> {
    let mut found = Vec::new();
    for (earlier, block) in blocks.iter().enumerate() {
        for later in block.layer + 1..operator.pieces.depth() {
            let (k, j) = (&block.k.0, &blocks[later].j.0);
            let Some(cross) = operator.pieces.cross(later, earlier).filter(|_| k.ncols() * j.ncols() > 0) else {
                continue;
            };
            let scale = operator.scales[earlier] * operator.scales[later];
            let basis = block.left.basis();
            let moved = operator.pieces.between(block.layer, later).map_or_else(|| basis.clone(), |p| p * &basis);
            let between = blocks[later].right.coordinates(&moved);
            found.push(Coupling { earlier, later, cross: (&j.transpose_times(cross) * k).scaled(scale), between });
        }
    }
    found
}

/// Of the complement of `Q` what the layers from this block to a later one pass on, of that of `F` what arrives from an earlier
/// one: the rest is in the kernel.
fn drop_what_is_not_passed_on(b: usize, blocks: &mut [Block], couplings: &mut [Coupling], tolerances: &Tolerances) {
    let block = &mut blocks[b];
    let (m, f) = (block.j.1.nrows(), block.k.1.nrows());
    let (left, right) = (block.left.outside.ncols(), block.right.outside.ncols());
    let unit = |between: &Matrix| Some(between.frobenius_norm()).filter(|&size| size > 0.0).map(|size| 1.0 / size);
    let (mut passed, mut arriving) = (Matrix::zeros(left, 0), Matrix::zeros(right, 0));
    for Coupling { earlier, later, between, .. } in couplings.iter() {
        let Some(unit) = unit(between) else { continue };
        if *earlier == b {
            let part = between.block(0, m, between.nrows(), left).transpose().scaled(unit);
            passed = beside(&passed, &part);
        }
        if *later == b {
            arriving = beside(&arriving, &between.block(f, 0, right, between.ncols()).scaled(unit));
        }
    }
    let (passed, arriving) = (range(&passed, 1.0, tolerances), range(&arriving, 1.0, tolerances));
    for Coupling { earlier, later, between, .. } in couplings {
        if *earlier == b {
            *between = beside(&between.columns(0, m), &(&between.columns(m, m + left) * &passed));
        }
        if *later == b {
            let rest = between.block(f, 0, right, between.ncols()).transpose_times(&arriving);
            *between = beside(&between.block(0, 0, f, between.ncols()).transpose(), &rest).transpose();
        }
    }
    block.left.outside = &block.left.outside * &passed;
    block.right.outside = &block.right.outside * &arriving;
}

/// Two matrices of as many rows, side by side.
fn beside(a: &Matrix, b: &Matrix) -> Matrix {
    let mut out = Matrix::zeros(a.nrows(), a.ncols() + b.ncols());
    out.set_block(0, 0, a);
    out.set_block(0, a.ncols(), b);
    out
}

fn residual_size(operator: &HessianOperator<'_, impl Loss>) -> f64 {
    operator.network.loss().gradient_size(operator.network.output())
}

fn feature_size(operator: &HessianOperator<'_, impl Loss>, b: usize) -> f64 {
    operator.pieces.features[b].as_ref().map_or(1.0, Matrix::frobenius_norm)
}

fn after_size(operator: &HessianOperator<'_, impl Loss>, layer: usize) -> f64 {
    operator.pieces.after[layer].as_ref().map_or(1.0, Matrix::frobenius_norm)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Biases, SquareNetwork};
    use crate::random::Stream;

    /// `widths` with factors of rank at most `rank`, zero where `rank` is 0.
    fn layers(widths: &[usize], rank: usize, stream: &mut Stream) -> Vec<Matrix> {
        let factor = |d: &[usize]| &stream.normal_matrix(d[1], rank) * &stream.normal_matrix(rank, d[0]);
        widths.windows(2).map(factor).collect()
    }

    /// The whole operator is the restriction between the two halves of an isometry.
    fn check(operator: &HessianOperator<'_>) -> (usize, usize) {
        let reduced = ReducedHessian::new(operator, &Tolerances::default()).unwrap();
        let (n, full) = (reduced.dimension(), operator.dimension());
        let unit = |i: usize| (0..n).map(|k| f64::from(u8::from(k == i))).collect::<Vec<f64>>();
        let (mut lift, mut image) = (Matrix::zeros(full, n), Matrix::zeros(n, n));
        for i in 0..n {
            lift.column_mut(i).copy_from_slice(&reduced.lift(&unit(i)));
            image.column_mut(i).copy_from_slice(&reduced.apply(&unit(i)));
        }
        assert!((&lift.transpose_times(&lift) - &Matrix::identity(n)).max_abs() < 1e-13);
        let dense = operator.to_dense();
        let rebuilt = (&lift * &image).times_transpose(&lift);
        assert!((&rebuilt - &dense).max_abs() <= 1e-12 * dense.max_abs(), "{:?}", operator.shapes());
        (n, full)
    }

    #[test]
    fn the_hessian_is_its_restriction_at_points_of_every_rank() {
        let mut smaller = 0;
        for (case, widths) in
            [&[5, 4, 3, 2][..], &[2, 3, 4, 5], &[4, 4], &[6, 2, 6], &[3, 1, 3], &[1, 1, 1], &[3, 4, 2, 4, 3]]
                .into_iter()
                .enumerate()
        {
            for rank in 0..4 {
                let mut stream = Stream::new(71, (10 * case + rank) as u64);
                let (inputs, outputs) = (widths[0], widths[widths.len() - 1]);
                let scales: Vec<f64> = (0..widths.len() - 1).map(|k| 0.5 + k as f64).collect();
                let general = Some(&stream.normal_matrix(inputs, 2) * &stream.normal_matrix(2, 6));
                for data in [general, None] {
                    let target = stream.normal_matrix(outputs, data.as_ref().map_or(inputs, Matrix::ncols));
                    let network = SquareNetwork::new(layers(widths, rank, &mut stream), data, target);
                    let metric = stream.normal_matrix(outputs, outputs);
                    let operator = HessianOperator::new(&network, scales.clone());
                    for operator in [
                        operator.clone(),
                        operator.clone().with_output_factor(Some(&metric)),
                        operator.part(Part::GaussNewton),
                    ] {
                        let (n, full) = check(&operator);
                        smaller += usize::from(n < full);
                    }
                }
            }
        }
        assert!(smaller > 100, "{smaller}");
    }

    #[test]
    fn orthogonal_inputs_and_biases_are_allowed() {
        let mut stream = Stream::new(72, 0);
        let basis = range(&stream.normal_matrix(5, 3), 1.0, &Tolerances::default());
        let inputs = basis.scale_columns(&[3.0, 2.0, 1e-3]);
        let target = stream.normal_matrix(2, 3);
        let network = SquareNetwork::new(layers(&[5, 4, 2], 2, &mut stream), Some(inputs), target);
        let network = network.with_orthogonal_inputs();
        assert!((network.input_norm() - 3.0).abs() < 1e-14);
        check(&HessianOperator::new(&network, vec![1.0, 2.0]));
        let ones = Matrix::from_fn(1, 7, |_, _| 1.0);
        let columns = vec![None, Some(stream.normal_matrix(3, 1)), Some(stream.normal_matrix(2, 1))];
        let (inputs, target) = (stream.normal_matrix(4, 7), stream.normal_matrix(2, 7));
        let biases = Some(Biases { columns, ones });
        let network = SquareNetwork::with_biases(layers(&[4, 5, 3, 2], 2, &mut stream), biases, Some(inputs), target);
        check(&HessianOperator::new(&network, vec![1.0, 2.0, 0.5, 1.0, 3.0]));
    }

    #[test]
    fn at_a_critical_point_little_is_left() {
        // Keeps the first and third value of the target and omits the second.
        let target = Matrix::from_diagonal(3, 20, &[3.0, 2.0, 1.0]);
        let layer = |rows, cols, at: [(usize, usize); 2]| {
            let entry = |(i, j): (usize, usize)| at.iter().position(|&(p, q)| (p, q) == (i, j));
            Matrix::from_fn(rows, cols, |i, j| entry((i, j)).map_or(0.0, |k| [3.0_f64, 1.0][k].cbrt()))
        };
        let layers =
            vec![layer(12, 20, [(0, 0), (1, 2)]), layer(8, 12, [(0, 0), (1, 1)]), layer(3, 8, [(0, 0), (2, 1)])];
        let network = SquareNetwork::new(layers, None, target);
        assert!(network.gradient().iter().all(|block| block.max_abs() < 1e-15));
        let (n, full) = check(&HessianOperator::new(&network, vec![1.0; 3]));
        // Q (x) F and nothing else: the layer in the middle passes no more on than what the first and the last one use.
        assert_eq!((n, full), (2 * 20 + 2 * 2 + 3 * 2, 20 * 12 + 12 * 8 + 8 * 3));
    }
}
