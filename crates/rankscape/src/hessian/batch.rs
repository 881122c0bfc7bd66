//! Several matrices of one shape, multiplied from both sides at once.

use crate::linalg::Matrix;

/// `count` matrices of one shape, side by side.
#[derive(Debug, Clone)]
pub(super) struct Batch {
    matrix: Matrix,
    count: usize,
}

/// A constant factor on one side of a product; `None` is the identity.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side<'a> {
    matrix: Option<&'a Matrix>,
    transposed: bool,
}

impl<'a> Side<'a> {
    pub(super) fn plain(matrix: Option<&'a Matrix>) -> Self {
        Self { matrix, transposed: false }
    }

    pub(super) fn transposed(matrix: Option<&'a Matrix>) -> Self {
        Self { matrix, transposed: true }
    }

    fn shape(self, inner: usize) -> (usize, usize) {
        let (rows, cols) = self.matrix.map_or((inner, inner), Matrix::shape);
        if self.transposed { (cols, rows) } else { (rows, cols) }
    }
}

/// Multiplications of `left * M * right` for one `rows x cols` matrix `M` in the cheaper order, and whether that order
/// starts on the left.
pub(super) fn sandwich_cost(left: Side<'_>, (rows, cols): (usize, usize), right: Side<'_>) -> (usize, bool) {
    let (out_rows, out_cols) = (left.shape(rows).0, right.shape(cols).1);
    let one = |side: Side<'_>, cost: usize| if side.matrix.is_some() { cost } else { 0 };
    let left_first = one(left, out_rows * rows * cols) + one(right, out_rows * cols * out_cols);
    let right_first = one(right, rows * cols * out_cols) + one(left, out_rows * rows * out_cols);
    (left_first.min(right_first), left_first <= right_first)
}

impl Batch {
    pub(super) fn new(matrix: Matrix, count: usize) -> Self {
        Self { matrix, count }
    }

    pub(super) fn zeros(rows: usize, cols: usize, count: usize) -> Self {
        Self::new(Matrix::zeros(rows, cols * count), count)
    }

    /// Every matrix replaced by its image, of the same shape.
    pub(super) fn map(&self, image: impl Fn(&Matrix) -> Matrix) -> Self {
        let cols = self.matrix.ncols() / self.count;
        let mut out = Matrix::zeros(self.matrix.nrows(), self.matrix.ncols());
        for k in 0..self.count {
            out.set_block(0, k * cols, &image(&self.matrix.columns(k * cols, (k + 1) * cols)));
        }
        Self::new(out, self.count)
    }

    /// The matrices side by side.
    pub(super) fn into_matrix(self) -> Matrix {
        self.matrix
    }

    /// How many matrices.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Number of columns of each matrix.
    fn cols(&self) -> usize {
        self.matrix.ncols() / self.count.max(1)
    }

    /// The entries of matrix `c`, column by column.
    pub(super) fn entries(&self, c: usize) -> impl Iterator<Item = f64> + '_ {
        let cols = self.cols();
        (c * cols..(c + 1) * cols).flat_map(|j| self.matrix.column(j).iter().copied())
    }

    /// `left * M * right` for every matrix `M`.
    pub(super) fn sandwich(&self, left: Side<'_>, right: Side<'_>) -> Self {
        let shape = (self.matrix.nrows(), self.cols());
        if sandwich_cost(left, shape, right).1 { self.left(left).right(right) } else { self.right(right).left(left) }
    }

    fn left(&self, side: Side<'_>) -> Self {
        let matrix = match (side.matrix, side.transposed) {
            (None, _) => self.matrix.clone(),
            (Some(a), false) => a * &self.matrix,
            (Some(a), true) => a.transpose_times(&self.matrix),
        };
        Self::new(matrix, self.count)
    }

    fn right(&self, side: Side<'_>) -> Self {
        let Some(b) = side.matrix else { return self.clone() };
        let multiply = |m: &Matrix| if side.transposed { m.times_transpose(b) } else { m * b };
        match self.count {
            1 => Self::new(multiply(&self.matrix), 1),
            _ => Self::from_stacked(&multiply(&self.stacked()), self.count),
        }
    }

    /// The matrices below one another.
    fn stacked(&self) -> Matrix {
        let (rows, cols) = (self.matrix.nrows(), self.cols());
        let mut out = Matrix::zeros(rows * self.count, cols);
        for c in 0..self.count {
            out.set_block(c * rows, 0, &self.matrix.columns(c * cols, (c + 1) * cols));
        }
        out
    }

    fn from_stacked(stacked: &Matrix, count: usize) -> Self {
        let (rows, cols) = (stacked.nrows() / count.max(1), stacked.ncols());
        let mut matrix = Matrix::zeros(rows, cols * count);
        for c in 0..count {
            matrix.set_block(0, c * cols, &stacked.block(c * rows, 0, rows, cols));
        }
        Self::new(matrix, count)
    }

    /// Every matrix transposed.
    pub(super) fn transpose(&self) -> Self {
        if self.count == 1 {
            return Self::new(self.matrix.transpose(), 1);
        }
        // Side by side, transposed, is below one another.
        Self::from_stacked(&self.matrix.transpose(), self.count)
    }

    /// `self += other`.
    pub(super) fn add(&mut self, other: &Self) {
        self.matrix.add_scaled(1.0, &other.matrix);
    }
}
