//! Products of filters: circulant layers and convolutions with strides.
//!
//! A filter `w` of length `k` is the first row of a circulant matrix of size `n`, its entries at `0, ..., k - 1` and `(T x)_i = sum_m w_m x_{i-m}`
//! modulo `n`; or a convolution with stride `s`, `(T x)_i = sum_m w_m x_{s i + m}` (`[@KMMT]`). `T` is linear in `w`, so the map is the
//! plain product composed with a linear map of the parameters.

use super::layered::LinearMap;
use super::map::Parametrization;
use crate::error::{InputError, Result};
use crate::linalg::exact::RationalMatrix;
use crate::linalg::{Algebra, Linear, Matrix};

/// Which filters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filters {
    /// Polynomials modulo `x^n - 1`.
    Circulant,
    /// With these strides, one a layer.
    Convolutional(Vec<usize>),
}

/// How a filter is a matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilterLayer {
    rows: usize,
    cols: usize,
    taps: usize,
    /// `None` for a circulant matrix.
    stride: Option<usize>,
}

impl Filters {
    /// The layers of filters of these lengths on signals of this size; by default the smallest that fits all.
    ///
    /// # Errors
    /// If a filter does not fit, naming it by its number.
    pub fn layers(&self, lengths: &[usize], size: Option<usize>) -> Result<Vec<FilterLayer>> {
        match self {
            Self::Circulant => circulant(lengths, size),
            Self::Convolutional(strides) => convolutional(lengths, strides, size),
        }
    }
}

fn circulant(lengths: &[usize], size: Option<usize>) -> Result<Vec<FilterLayer>> {
    let size = size.unwrap_or_else(|| lengths.iter().copied().max().unwrap_or(1));
    let layer = |(k, &taps): (usize, &usize)| {
        if taps > size {
            return Err(InputError::new("the filter does not fit: it is longer than the signal")
                .array(format!("W{}", k + 1))
                .value(format!("{taps} entries, the size is {size}"))
                .hint("give a larger --size"));
        }
        Ok(FilterLayer { rows: size, cols: size, taps, stride: None })
    };
    lengths.iter().enumerate().map(layer).collect()
}

fn convolutional(lengths: &[usize], strides: &[usize], size: Option<usize>) -> Result<Vec<FilterLayer>> {
    if strides.len() != lengths.len() || strides.contains(&0) {
        return Err(InputError::new("there must be one stride for each filter, at least 1")
            .array("--strides")
            .value(format!("{strides:?} for {} filters", lengths.len())));
    }
    let fold = |size: usize, (&taps, &stride): (&usize, &usize)| (size - 1).saturating_mul(stride).saturating_add(taps);
    let field = lengths.iter().zip(strides).rev().fold(1, fold);
    let mut width = size.unwrap_or(field);
    let mut layers = Vec::new();
    for (k, (&taps, &stride)) in lengths.iter().zip(strides).enumerate() {
        let steps = width.checked_sub(taps).filter(|rest| rest.is_multiple_of(stride));
        let Some(steps) = steps else {
            return Err(InputError::new("the filter does not fit: its places do not cover the signal")
                .array(format!("W{}", k + 1))
                .value(format!("{taps} entries with stride {stride} on {width}"))
                .hint(format!("the smallest size that fits all filters is {field}; others add multiples of the product of the strides")));
        };
        layers.push(FilterLayer { rows: steps / stride + 1, cols: width, taps, stride: Some(stride) });
        width = steps / stride + 1;
    }
    Ok(layers)
}

impl FilterLayer {
    /// Rows and columns of the matrix.
    pub fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    /// The column of row `i` in which entry `m` of the filter stands.
    fn place(&self, i: usize, m: usize) -> usize {
        self.stride.map_or_else(|| (i + self.cols - m) % self.cols, |stride| stride * i + m)
    }

    /// The entry of the filter that stands at `(i, j)`.
    fn tap(&self, i: usize, j: usize) -> Option<usize> {
        let m = match self.stride {
            None => (i + self.cols - j) % self.cols,
            Some(stride) => j.checked_sub(stride * i)?,
        };
        (m < self.taps).then_some(m)
    }

    /// `T(w)` of a filter, a matrix with one row.
    fn matrix<M: Algebra>(&self, filter: &M) -> M {
        let zero = || M::number(0.0);
        M::from_fn(self.rows, self.cols, |i, j| self.tap(i, j).map_or_else(zero, |m| filter.entry(0, m)))
    }

    /// `T'(g)`.
    fn pull<M: Algebra>(&self, gradient: &M) -> M {
        let sum = |m: usize| (0..self.rows).fold(M::number(0.0), |sum, i| sum + gradient.entry(i, self.place(i, m)));
        M::from_fn(1, self.taps, |_, m| sum(m))
    }

    /// `T(e_m)`.
    fn unit<M: Algebra>(&self, m: usize) -> M {
        self.matrix(&M::from_fn(1, self.taps, |_, at| M::number(if at == m { 1.0 } else { 0.0 })))
    }
}

/// `T_h(w_h) ... T_1(w_1) X`.
///
/// ```
/// use rankscape::Matrix;
/// use rankscape::parametrization::{FilterMap, Filters, Parametrization};
/// let layers = Filters::Convolutional(vec![1, 1]).layers(&[2, 2], None)?;
/// let map = FilterMap::new(layers, Matrix::identity(3));
/// let filters = [Matrix::from_rows(&[vec![1.0, 2.0]]), Matrix::from_rows(&[vec![3.0, 1.0]])];
/// // (1 + 2 x) (3 + x)
/// assert_eq!(map.value(&filters).unwrap(), Matrix::from_rows(&[vec![3.0, 7.0, 2.0]]));
/// # Ok::<(), rankscape::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct FilterMap {
    layers: Vec<FilterLayer>,
    linear: LinearMap,
}

impl FilterMap {
    /// Of these layers on `X`.
    pub fn new(layers: Vec<FilterLayer>, inputs: Matrix) -> Self {
        let widths = layers.first().map(|layer| layer.cols).into_iter().chain(layers.iter().map(|layer| layer.rows));
        Self { linear: LinearMap::new(widths.collect(), inputs), layers }
    }

    fn matrices(&self, filters: &[Matrix]) -> Vec<Matrix> {
        self.layers.iter().zip(filters).map(|(layer, filter)| layer.matrix(filter)).collect()
    }
}

impl Parametrization for FilterMap {
    fn blocks(&self) -> Vec<(usize, usize)> {
        self.layers.iter().map(|layer| (1, layer.taps)).collect()
    }

    fn shape(&self) -> (usize, usize) {
        self.linear.shape()
    }

    fn value(&self, point: &[Matrix]) -> Option<Matrix> {
        self.linear.value(&self.matrices(point))
    }

    fn times(&self, point: &[Matrix], direction: &[Matrix]) -> Option<Matrix> {
        self.linear.times(&self.matrices(point), &self.matrices(direction))
    }

    fn transposed_times(&self, point: &[Matrix], cotangent: &Matrix) -> Option<Vec<Matrix>> {
        let blocks = self.linear.transposed_times(&self.matrices(point), cotangent)?;
        Some(self.layers.iter().zip(&blocks).map(|(layer, block)| layer.pull(block)).collect())
    }

    /// `||X||_F prod_{l != k} ||w_l||_1`, times the root of the number of rows: the entries of a filter stand in every row.
    fn sizes(&self, point: &[Matrix]) -> Option<Vec<f64>> {
        let norms: Vec<f64> = point.iter().map(|filter| filter.entries().map(f64::abs).sum()).collect();
        let others =
            |k: usize| norms.iter().enumerate().filter(|(l, _)| *l != k).map(|(_, norm)| norm).product::<f64>();
        let inputs = self.linear.inputs().frobenius_norm();
        Some(self.layers.iter().enumerate().map(|(k, layer)| others(k) * inputs * (layer.rows as f64).sqrt()).collect())
    }
}

/// The same over the rationals, on data of which `X X'` and `Y X'` are known.
#[derive(Debug, Clone)]
pub struct ExactFilters<'a> {
    layers: &'a [FilterLayer],
    matrices: Vec<RationalMatrix>,
}

impl<'a> ExactFilters<'a> {
    /// At these filters.
    pub fn new(layers: &'a [FilterLayer], filters: &[RationalMatrix]) -> Self {
        Self { layers, matrices: layers.iter().zip(filters).map(|(layer, filter)| layer.matrix(filter)).collect() }
    }

    /// Parameters times predictions of as many samples as inputs: the size of the Jacobian.
    pub fn entries(layers: &[FilterLayer]) -> usize {
        let taps: usize = layers.iter().map(|layer| layer.taps).sum();
        let ends = layers.first().zip(layers.last()).map_or(0, |(first, last)| first.cols * last.rows);
        taps.saturating_mul(ends)
    }

    fn partial(&self, range: std::ops::Range<usize>, inputs: RationalMatrix) -> RationalMatrix {
        self.matrices[range].iter().fold(inputs, |product, matrix| matrix.times(&product))
    }

    /// Rank of the Jacobian on data with this `X X'`: `d(T_h ... T_1) X = 0` exactly where `d(T_h ... T_1) X X' = 0`.
    pub fn rank(&self, xx: &RationalMatrix) -> usize {
        let depth = self.layers.len();
        let mut columns: Vec<RationalMatrix> = Vec::new();
        for (k, layer) in self.layers.iter().enumerate() {
            let before = self.partial(0..k, xx.clone());
            for m in 0..layer.taps {
                columns.push(self.partial(k + 1..depth, layer.unit::<RationalMatrix>(m).times(&before)));
            }
        }
        let rows = columns.first().map_or(0, |column| column.entries().len());
        RationalMatrix::from_fn(rows, columns.len(), |i, j| columns[j].entries()[i].clone()).rank()
    }

    /// The gradient of the square loss vanishes.
    pub fn is_critical(&self, xx: &RationalMatrix, yx: &RationalMatrix) -> bool {
        let depth = self.layers.len();
        let gradient = &self.partial(0..depth, xx.clone()) - yx;
        let block = |(k, layer): (usize, &FilterLayer)| {
            let back = self.matrices[k + 1..].iter().rev().fold(gradient.clone(), |g, matrix| &matrix.transpose() * &g);
            let before = self.partial(0..k, RationalMatrix::identity(self.layers[0].cols));
            layer.pull(&(&back * &before.transpose())).is_zero()
        };
        self.layers.iter().enumerate().all(block)
    }

    /// `M X X' = Y X'`: nothing in the space of all predictions is lower.
    pub fn is_least(&self, xx: &RationalMatrix, yx: &RationalMatrix) -> bool {
        (&self.partial(0..self.layers.len(), xx.clone()) - yx).is_zero()
    }
}
