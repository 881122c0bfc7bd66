//! The Hessian entry by entry, assembled from Kronecker products: blocks, diagonal, trace, the dense matrix.

use super::operator::{HessianOperator, Part};
use crate::linalg::{Matrix, SymmetricOperator, singular_values};
use crate::loss::Loss;

impl<L: Loss> HessianOperator<'_, L> {
    /// A block for the square loss.
    fn square_block(&self, a: usize, b: usize) -> Matrix {
        let layers = &self.pieces.layers;
        let mut out = match self.part {
            Part::Residual => Matrix::zeros(self.size(a), self.size(b)),
            _ => self.after_gram(a, b).kronecker(&self.feature_gram(a, b)),
        };
        if self.part != Part::GaussNewton {
            // The residual couples a block with the factor of a later layer, never with a bias of one.
            if layers[b] > layers[a] && b == layers[b] {
                out = &out + &self.residual_block(a, b);
            } else if layers[a] > layers[b] && a == layers[a] {
                out = &out + &self.residual_block(b, a).transpose();
            }
        }
        out.scaled(self.scales[a]).scaled(self.scales[b])
    }

    /// The dense matrix, of size `parameters x parameters`.
    pub fn to_dense(&self) -> Matrix {
        let n = self.dimension();
        if !self.network.loss().hessian_is_identity() {
            let dense = self.apply_matrix(&Matrix::identity(n));
            return (&dense + &dense.transpose()).scaled(0.5);
        }
        let mut dense = Matrix::zeros(n, n);
        let mut row = 0;
        for a in 0..self.pieces.shapes.len() {
            let mut col = row;
            for b in a..self.pieces.shapes.len() {
                let block = self.square_block(a, b);
                dense.set_block(row, col, &block);
                if a != b {
                    dense.set_block(col, row, &block.transpose());
                }
                col += self.size(b);
            }
            row += self.size(a);
        }
        dense
    }

    fn size(&self, b: usize) -> usize {
        let (rows, cols) = self.pieces.shapes[b];
        rows * cols
    }

    /// `M_a' M_b`.
    fn after_gram(&self, a: usize, b: usize) -> Matrix {
        let after = |b: usize| self.pieces.after[self.pieces.layers[b]].as_ref();
        match (after(a), after(b)) {
            (None, None) => Matrix::identity(self.pieces.shapes[a].0),
            (Some(m), None) => m.transpose(),
            (None, Some(m)) => m.clone(),
            (Some(m), Some(n)) => m.transpose_times(n),
        }
    }

    /// `Phi_a Phi_b'`.
    fn feature_gram(&self, a: usize, b: usize) -> Matrix {
        match (&self.pieces.features[a], &self.pieces.features[b]) {
            (None, None) => Matrix::identity(self.pieces.shapes[a].1),
            (Some(f), None) => f.clone(),
            (None, Some(f)) => f.transpose(),
            (Some(f), Some(g)) => f.times_transpose(g),
        }
    }

    /// Entry `((i, j), (p, q))` is `(B_l Phi_b')[p, j] * P(l-1,k)[q, i]`, for the factor `l` of a later layer.
    fn residual_block(&self, b: usize, l: usize) -> Matrix {
        let k = self.pieces.layers[b];
        let ((rows, cols), (later_rows, later_cols)) = (self.pieces.shapes[b], self.pieces.shapes[l]);
        let between = self.pieces.between(k, l);
        let mut out = Matrix::zeros(rows * cols, later_rows * later_cols);
        let Some(cross) = self.pieces.cross(l, b) else { return out };
        for p in 0..later_rows {
            for q in 0..later_cols {
                let column = out.column_mut(p * later_cols + q);
                for i in 0..rows {
                    let link = between.map_or(f64::from(u8::from(q == i)), |m| m[(q, i)]);
                    if link != 0.0 {
                        (0..cols).for_each(|j| column[i * cols + j] = link * cross[(p, j)]);
                    }
                }
            }
        }
        out
    }

    /// Squared norms of the columns of `M_b`.
    fn column_squares(&self, b: usize) -> Vec<f64> {
        let square = |column: &[f64]| column.iter().map(|x| x * x).sum();
        match &self.pieces.after[self.pieces.layers[b]] {
            None => vec![1.0; self.pieces.shapes[b].0],
            Some(m) => (0..m.ncols()).map(|j| square(m.column(j))).collect(),
        }
    }

    /// Squared norms of the rows of `Phi_b`.
    fn feature_squares(&self, b: usize) -> Vec<f64> {
        match &self.pieces.features[b] {
            None => vec![1.0; self.pieces.shapes[b].1],
            Some(f) => {
                let mut squares = vec![0.0; f.nrows()];
                for j in 0..f.ncols() {
                    squares.iter_mut().zip(f.column(j)).for_each(|(sum, x)| *sum += x * x);
                }
                squares
            }
        }
    }
}

impl HessianOperator<'_> {
    /// The block of the rows of parameter block `a` and the columns of parameter block `b`, both counted from 0: the
    /// factors `W_1, ..., W_h` and then the biases that exist. Entries of a factor are listed row by row.
    pub fn block(&self, a: usize, b: usize) -> Matrix {
        self.square_block(a, b)
    }

    /// The diagonal. It is that of the Gauss-Newton part: the residual part couples different layers only.
    pub fn diagonal(&self) -> Vec<f64> {
        let mut out = Vec::with_capacity(self.dimension());
        for b in 0..self.pieces.shapes.len() {
            let (left, right) = (self.column_squares(b), self.feature_squares(b));
            let square = if self.part == Part::Residual { 0.0 } else { self.scales[b] };
            out.extend(left.iter().flat_map(|x| right.iter().map(move |y| (square * x) * (square * y))));
        }
        out
    }

    /// The trace, `sum_b ||M_b||^2 ||Phi_b||^2`: never negative, and zero for the residual part.
    pub fn trace(&self) -> f64 {
        let blocks = 0..self.pieces.shapes.len();
        let sum = |values: Vec<f64>| values.into_iter().sum::<f64>();
        let term =
            |b: usize| (self.scales[b] * sum(self.column_squares(b))) * (self.scales[b] * sum(self.feature_squares(b)));
        if self.part == Part::Residual { 0.0 } else { blocks.map(term).sum() }
    }

    /// Singular values of `M_b` (times the number of the block) and of `Phi_b`, non-increasing and as many as block `b` has
    /// rows and columns: the eigenvalues of the diagonal block are the squares of their products.
    pub fn block_spectrum(&self, b: usize) -> (Vec<f64>, Vec<f64>) {
        let (rows, cols) = self.pieces.shapes[b];
        let padded = |matrix: Option<&Matrix>, size: usize, scale: f64| {
            let mut values = matrix.map_or_else(|| vec![1.0; size], singular_values);
            values.resize(size, 0.0);
            values.into_iter().map(|s| s * scale).collect()
        };
        let after = self.pieces.after[self.pieces.layers[b]].as_ref();
        (padded(after, rows, self.scales[b].abs()), padded(self.pieces.features[b].as_ref(), cols, 1.0))
    }
}
