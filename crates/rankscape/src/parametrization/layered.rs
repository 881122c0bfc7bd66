//! Layers one after the other: `F_k = sigma_k(W_k F_{k-1})`, `F_0 = X`.

use super::activation::Activation;
use super::map::{Parametrization, PlainProduct};
use crate::linalg::{Matrix, spectral_norm};

/// A pass forward: outputs of all layers and slopes of the activations.
pub(super) struct Pass<'a> {
    layers: &'a [Matrix],
    /// `F_0, ..., F_h`.
    outputs: Vec<Matrix>,
    /// `sigma_k'` at every entry; `None` for the identity.
    slopes: Vec<Option<Matrix>>,
}

fn entrywise(a: &Matrix, b: &Matrix) -> Matrix {
    Matrix::from_fn(a.nrows(), a.ncols(), |i, j| a[(i, j)] * b[(i, j)])
}

fn value(layers: &[Matrix], inputs: &Matrix, activations: &[Activation]) -> Matrix {
    let layer = |before: Matrix, (layer, activation): (&Matrix, &Activation)| {
        let sum = layer * &before;
        if *activation == Activation::Identity { sum } else { sum.map(|t| activation.value(t)) }
    };
    layers.iter().zip(activations).fold(inputs.clone(), layer)
}

impl<'a> Pass<'a> {
    /// `None` at a kink.
    pub(super) fn new(layers: &'a [Matrix], inputs: &Matrix, activations: &[Activation]) -> Option<Self> {
        let mut outputs = vec![inputs.clone()];
        let mut slopes = Vec::new();
        for (layer, activation) in layers.iter().zip(activations) {
            let sum = layer * &outputs[outputs.len() - 1];
            if *activation == Activation::Identity {
                slopes.push(None);
                outputs.push(sum);
                continue;
            }
            let mut kink = false;
            slopes.push(Some(sum.map(|t| {
                activation.slope(t).unwrap_or_else(|| {
                    kink = true;
                    0.0
                })
            })));
            if kink {
                return None;
            }
            outputs.push(sum.map(|t| activation.value(t)));
        }
        Some(Self { layers, outputs, slopes })
    }

    /// `dF_k = sigma_k' . (dW_k F_{k-1} + W_k dF_{k-1})`, `dF_h`.
    fn push(&self, direction: &[Matrix]) -> Matrix {
        let mut moved: Option<Matrix> = None;
        for (k, along) in direction.iter().enumerate() {
            let mut sum = along * &self.outputs[k];
            if let Some(moved) = &moved {
                sum.add_product(&self.layers[k], moved);
            }
            moved = Some(match &self.slopes[k] {
                Some(slopes) => entrywise(slopes, &sum),
                None => sum,
            });
        }
        moved.unwrap_or_else(|| Matrix::zeros(0, 0))
    }

    /// `B_k F_{k-1}'` with `B_k = sigma_k' . C_k`, `C_{k-1} = W_k' B_k`.
    fn pull(&self, cotangent: &Matrix) -> Vec<Matrix> {
        let mut back = cotangent.clone();
        let mut blocks = Vec::new();
        for k in (0..self.layers.len()).rev() {
            if let Some(slopes) = &self.slopes[k] {
                back = entrywise(slopes, &back);
            }
            blocks.push(back.times_transpose(&self.outputs[k]));
            back = self.layers[k].transpose_times(&back);
        }
        blocks.reverse();
        blocks
    }

    /// `||F_{k-1}|| prod_{l > k} ||W_l|| prod_{l >= k} max |sigma_l'|`, spectral norms.
    fn sizes(&self) -> Vec<f64> {
        let steepest: Vec<f64> =
            self.slopes.iter().map(|slopes| slopes.as_ref().map_or(1.0, Matrix::max_abs)).collect();
        let norms: Vec<f64> = self.layers.iter().map(spectral_norm).collect();
        let after = |k: usize| norms[k + 1..].iter().product::<f64>() * steepest[k..].iter().product::<f64>();
        (0..norms.len()).map(|k| spectral_norm(&self.outputs[k]) * after(k)).collect()
    }

    /// `prod_{k <= l <= h} min |sigma_l'|` needs the least slope of every layer.
    fn least_slopes(&self) -> Vec<f64> {
        let least = |slopes: &Matrix| slopes.entries().map(f64::abs).fold(f64::INFINITY, f64::min);
        self.slopes.iter().map(|slopes| slopes.as_ref().map_or(1.0, least)).collect()
    }
}

/// The plain product `W_h ... W_1 X` (`[@TKB]`, A.3).
///
/// ```
/// use rankscape::Matrix;
/// use rankscape::parametrization::{LinearMap, Parametrization, check_parametrization};
/// let map = LinearMap::new(vec![2, 1, 3], Matrix::identity(2));
/// assert_eq!((map.blocks(), map.shape()), (vec![(1, 2), (3, 1)], (3, 2)));
/// check_parametrization(&map).unwrap();
/// ```
#[derive(Debug, Clone)]
pub struct LinearMap {
    widths: Vec<usize>,
    inputs: Matrix,
    activations: Vec<Activation>,
}

impl LinearMap {
    /// Of these widths on `X`, a sample a column.
    pub fn new(widths: Vec<usize>, inputs: Matrix) -> Self {
        let activations = vec![Activation::Identity; widths.len().saturating_sub(1)];
        Self { widths, inputs, activations }
    }

    /// `X`.
    pub fn inputs(&self) -> &Matrix {
        &self.inputs
    }

    fn pass<'a>(&self, point: &'a [Matrix]) -> Option<Pass<'a>> {
        Pass::new(point, &self.inputs, &self.activations)
    }
}

fn blocks(widths: &[usize]) -> Vec<(usize, usize)> {
    widths.windows(2).map(|pair| (pair[1], pair[0])).collect()
}

impl Parametrization for LinearMap {
    fn blocks(&self) -> Vec<(usize, usize)> {
        blocks(&self.widths)
    }

    fn shape(&self) -> (usize, usize) {
        (self.widths.last().copied().unwrap_or(0), self.inputs.ncols())
    }

    fn value(&self, point: &[Matrix]) -> Option<Matrix> {
        Some(value(point, &self.inputs, &self.activations))
    }

    fn times(&self, point: &[Matrix], direction: &[Matrix]) -> Option<Matrix> {
        Some(self.pass(point)?.push(direction))
    }

    fn transposed_times(&self, point: &[Matrix], cotangent: &Matrix) -> Option<Vec<Matrix>> {
        Some(self.pass(point)?.pull(cotangent))
    }

    fn sizes(&self, point: &[Matrix]) -> Option<Vec<f64>> {
        Some(self.pass(point)?.sizes())
    }
}

impl PlainProduct for LinearMap {}

/// `F_h` of layers with an activation each (`[@LO]`, section 4).
#[derive(Debug, Clone)]
pub struct PyramidalMap {
    linear: LinearMap,
}

impl PyramidalMap {
    /// Of these widths and one activation a layer on `X`, a sample a column.
    pub fn new(widths: Vec<usize>, activations: Vec<Activation>, inputs: Matrix) -> Self {
        Self { linear: LinearMap { widths, inputs, activations } }
    }

    /// The activations.
    pub fn activations(&self) -> &[Activation] {
        &self.linear.activations
    }

    /// `X`.
    pub fn inputs(&self) -> &Matrix {
        &self.linear.inputs
    }

    /// The least `|sigma_k'|` over the samples and units of every layer; `None` at a kink.
    pub fn least_slopes(&self, point: &[Matrix]) -> Option<Vec<f64>> {
        Some(self.linear.pass(point)?.least_slopes())
    }
}

impl Parametrization for PyramidalMap {
    fn blocks(&self) -> Vec<(usize, usize)> {
        self.linear.blocks()
    }

    fn shape(&self) -> (usize, usize) {
        self.linear.shape()
    }

    fn value(&self, point: &[Matrix]) -> Option<Matrix> {
        self.linear.value(point)
    }

    fn times(&self, point: &[Matrix], direction: &[Matrix]) -> Option<Matrix> {
        self.linear.times(point, direction)
    }

    fn transposed_times(&self, point: &[Matrix], cotangent: &Matrix) -> Option<Vec<Matrix>> {
        self.linear.transposed_times(point, cotangent)
    }

    fn sizes(&self, point: &[Matrix]) -> Option<Vec<f64>> {
        self.linear.sizes(point)
    }
}
