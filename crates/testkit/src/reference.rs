//! Dense reference for `L = 1/2 ||F(X) - Y||^2` where `F` is a linear network, with optional biases: value, gradient
//! and Hessian from exact derivatives, written one entry at a time.

use crate::grid::{Dense, Grid};
use crate::scalar::Scalar;

/// A linear network and its data; samples are columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Network<T> {
    /// `W_1, ..., W_h`; `W_k` is `d_k x d_{k-1}`.
    pub weights: Vec<Grid<T>>,
    /// One entry a layer: a bias of length `d_k`, or none.
    pub biases: Vec<Option<Vec<T>>>,
    /// `d_0 x n`.
    pub x: Grid<T>,
    /// `d_h x n`.
    pub y: Grid<T>,
}

/// Place of one parameter: layer `k` counted from 0, row and column in `[W_k, b_k]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    layer: usize,
    row: usize,
    col: usize,
}

impl<T: Scalar> Network<T> {
    /// A network without biases.
    pub fn new(weights: Vec<Grid<T>>, x: Grid<T>, y: Grid<T>) -> Self {
        let biases = vec![None; weights.len()];
        Self { weights, biases, x, y }
    }

    /// Parameters in order: for each layer the weight row by row, then the bias if there is one.
    fn places(&self) -> Vec<Place> {
        let mut places = Vec::new();
        for (layer, weight) in self.weights.iter().enumerate() {
            for row in 0..weight.rows() {
                places.extend((0..weight.cols()).map(|col| Place { layer, row, col }));
            }
            if self.biases[layer].is_some() {
                places.extend((0..weight.rows()).map(|row| Place { layer, row, col: weight.cols() }));
            }
        }
        places
    }

    /// Number of parameters.
    pub fn parameters(&self) -> usize {
        self.places().len()
    }

    /// The layers as linear maps on vectors with a last entry 1: `[[W_k, b_k], [0, 1]]`.
    fn layers(&self) -> Vec<Grid<T>> {
        let layer = |weight: &Grid<T>, bias: &Option<Vec<T>>| {
            Grid::from_fn(weight.rows() + 1, weight.cols() + 1, |i, j| match (i < weight.rows(), j < weight.cols()) {
                (true, true) => weight[(i, j)].clone(),
                (true, false) => bias.as_ref().map_or(T::zero(), |bias| bias[i].clone()),
                (false, true) => T::zero(),
                (false, false) => T::one(),
            })
        };
        self.weights.iter().zip(&self.biases).map(|(weight, bias)| layer(weight, bias)).collect()
    }

    /// `inner[k]`: the samples after `k` layers; `outer[k]`: the layers after the first `k`, without the last row.
    fn ends(&self, layers: &[Grid<T>]) -> (Vec<Grid<T>>, Vec<Grid<T>>) {
        let (d, n) = (self.x.rows(), self.x.cols());
        let input = Grid::from_fn(d + 1, n, |i, j| if i < d { self.x[(i, j)].clone() } else { T::one() });
        let mut inner = vec![input];
        for layer in layers {
            inner.push(layer.matmul(&inner[inner.len() - 1]));
        }
        let out = self.y.rows();
        let mut outer = vec![Grid::from_fn(out, out + 1, |i, j| if i == j { T::one() } else { T::zero() })];
        for layer in layers.iter().rev() {
            outer.push(outer[outer.len() - 1].matmul(layer));
        }
        outer.reverse();
        (inner, outer)
    }

    /// `F(X) - Y`.
    pub fn residual(&self) -> Grid<T> {
        let (inner, outer) = self.ends(&self.layers());
        outer[0].matmul(&inner[0]).sub(&self.y)
    }

    /// `L`.
    pub fn value(&self) -> T {
        let residual = self.residual();
        residual.dot(&residual) * T::ratio(1, 2)
    }

    /// Gradient, in the order of the parameters.
    pub fn gradient(&self) -> Vec<T> {
        let (inner, outer) = self.ends(&self.layers());
        let residual = self.residual();
        let blocks: Vec<Grid<T>> = (0..self.weights.len())
            .map(|k| outer[k + 1].transpose().matmul(&residual).matmul(&inner[k].transpose()))
            .collect();
        self.places().iter().map(|place| blocks[place.layer][(place.row, place.col)].clone()).collect()
    }

    /// The whole Hessian. For parameters in layers `k <= l` with unit matrices `E`, `E'` the entry is
    /// `<dF, dF'> + <F - Y, (outer_l E' middle E inner_{k-1})>`, the second term only for `k < l`.
    pub fn hessian(&self) -> Grid<T> {
        let layers = self.layers();
        let (inner, outer) = self.ends(&layers);
        let residual = self.residual();
        let h = layers.len();
        let gram = |a: &Grid<T>, b: &Grid<T>| a.matmul(&b.transpose());
        let table = |entry: &dyn Fn(usize, usize) -> Grid<T>| -> Vec<Vec<Grid<T>>> {
            (0..h).map(|k| (0..h).map(|l| if k <= l { entry(k, l) } else { Grid::zeros(0, 0) }).collect()).collect()
        };
        let left = table(&|k, l| outer[k + 1].transpose().matmul(&outer[l + 1]));
        let right = table(&|k, l| gram(&inner[k], &inner[l]));
        let wrapped = table(&|k, l| outer[l + 1].transpose().matmul(&residual).matmul(&inner[k].transpose()));
        let middle = table(&|k, l| {
            let start = Grid::identity(layers[k].rows());
            if k < l { layers[k + 1..l].iter().fold(start, |product, layer| layer.matmul(&product)) } else { start }
        });
        let places = self.places();
        let mut hessian = Grid::zeros(places.len(), places.len());
        for (a, p) in places.iter().enumerate() {
            for (b, q) in places.iter().enumerate().skip(a) {
                let (k, l) = (p.layer, q.layer);
                let mut entry = left[k][l][(p.row, q.row)].clone() * right[k][l][(p.col, q.col)].clone();
                if k < l {
                    entry = entry + wrapped[k][l][(q.row, p.col)].clone() * middle[k][l][(q.col, p.row)].clone();
                }
                hessian[(a, b)] = entry.clone();
                hessian[(b, a)] = entry;
            }
        }
        hessian
    }

    /// The same network with the parameters replaced by `values`, in their order.
    #[must_use]
    pub fn with_parameters(&self, values: &[T]) -> Self {
        let places = self.places();
        assert_eq!(values.len(), places.len(), "wrong number of parameters");
        let mut moved = self.clone();
        for (place, value) in places.iter().zip(values) {
            let weight = &mut moved.weights[place.layer];
            if place.col < weight.cols() {
                weight[(place.row, place.col)] = value.clone();
            } else if let Some(bias) = &mut moved.biases[place.layer] {
                bias[place.row] = value.clone();
            }
        }
        moved
    }

    /// All parameters, in their order.
    pub fn parameter_values(&self) -> Vec<T> {
        let entry = |place: &Place| {
            let weight = &self.weights[place.layer];
            match &self.biases[place.layer] {
                Some(bias) if place.col == weight.cols() => bias[place.row].clone(),
                _ => weight[(place.row, place.col)].clone(),
            }
        };
        self.places().iter().map(entry).collect()
    }
}

impl Network<f64> {
    /// Eigenvalues of the Hessian in ascending order.
    pub fn spectrum(&self) -> Vec<f64> {
        crate::jacobi::eigenvalues(&self.hessian())
    }

    /// Product of the weights.
    pub fn product(&self) -> Dense {
        product(&self.weights)
    }
}

/// `W_h ... W_1` of a list that starts with `W_1`.
pub fn product<T: Scalar>(factors: &[Grid<T>]) -> Grid<T> {
    factors[1..].iter().fold(factors[0].clone(), |product, factor| factor.matmul(&product))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Draw;
    use crate::scalar::Rational;
    use num_traits::Zero;

    fn with_biases<T: Scalar>(draw: &mut Draw, pattern: &[bool]) -> Network<T> {
        let widths = [3, 2, 3, 2];
        let weights: Vec<Grid<T>> = (0..3).map(|k| Grid::draw(draw, widths[k + 1], widths[k])).collect();
        let mut network = Network::new(weights, Grid::draw(draw, 3, 4), Grid::draw(draw, 2, 4));
        for (k, &present) in pattern.iter().enumerate() {
            network.biases[k] = present.then(|| (0..widths[k + 1]).map(|_| T::draw(draw)).collect());
        }
        network
    }

    /// Along a line the loss is a polynomial of degree 2h, so its derivatives at 0 follow exactly from its values at
    /// 2h + 1 points; here by Newton's divided differences over the rationals.
    fn line_derivatives(network: &Network<Rational>, direction: &[Rational]) -> (Rational, Rational) {
        let nodes: Vec<i64> = vec![0, 1, -1, 2, -2, 3, -3];
        let base = network.parameter_values();
        let at = |t: i64| {
            let t = Rational::integer(t);
            let moved: Vec<Rational> = base.iter().zip(direction).map(|(b, d)| b + d * &t).collect();
            network.with_parameters(&moved).value()
        };
        let mut differences: Vec<Rational> = nodes.iter().map(|&t| at(t)).collect();
        for order in 1..nodes.len() {
            for i in (order..nodes.len()).rev() {
                let step = Rational::integer(nodes[i] - nodes[i - order]);
                differences[i] = (differences[i].clone() - differences[i - 1].clone()) / step;
            }
        }
        // Horner on polynomials truncated after the square.
        let zero = Rational::zero();
        let mut polynomial = [zero.clone(), zero.clone(), zero];
        for (difference, &node) in differences.iter().zip(&nodes).rev() {
            let node = Rational::integer(node);
            let shifted = [&polynomial[0] * &node, &polynomial[1] * &node, &polynomial[2] * &node];
            polynomial = [difference - &shifted[0], &polynomial[0] - &shifted[1], &polynomial[1] - &shifted[2]];
        }
        (polynomial[1].clone(), &polynomial[2] * Rational::integer(2))
    }

    #[test]
    fn gradient_and_hessian_are_the_exact_derivatives_for_every_set_of_biases() {
        for mask in 0..8_u64 {
            let mut draw = Draw::new(4, mask);
            let pattern: Vec<bool> = (0..3).map(|k| mask >> k & 1 == 1).collect();
            let network: Network<Rational> = with_biases(&mut draw, &pattern);
            let direction: Vec<Rational> = (0..network.parameters()).map(|_| Rational::draw(&mut draw)).collect();
            let (first, second) = line_derivatives(&network, &direction);
            let column = Grid::from_fn(direction.len(), 1, |i, _| direction[i].clone());
            let gradient = network.gradient();
            let slope = Grid::from_fn(gradient.len(), 1, |i, _| gradient[i].clone()).dot(&column);
            assert_eq!(slope, first);
            assert_eq!(column.dot(&network.hessian().matmul(&column)), second);
        }
    }

    #[test]
    fn spectrum_of_one_layer_is_that_of_the_samples_repeated() {
        let x = Dense::from_rows(&[vec![1.0, 2.0], vec![0.0, 1.0]]);
        let network = Network::new(vec![Dense::zeros(2, 2)], x.clone(), Dense::identity(2));
        let gram = crate::jacobi::eigenvalues(&x.matmul(&x.transpose()));
        let expected = [gram[0], gram[0], gram[1], gram[1]];
        assert!(network.spectrum().iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12));
    }
}
