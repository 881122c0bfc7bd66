//! The equations of a pattern at a point, linearized.
//!
//! The product on the captured spaces: `U' (P(h,0) - T) = 0` and `(I - U U') P(h,0) V = 0`, with singular bases `U`, `V` of
//! the target `T`. Each word on the spare parts: with `V_k = Im P(k,0) V` and `U_k = Im P(h,k)' U`, a straight word is
//! `(I - V_b V_b') P(b,a) (I - U_a U_a')` and a wrapped one `(I - U_t U_t') P(t,0) G' P(h,s) (I - V_s V_s')` (projectors of
//! orthonormal bases). The projectors count as constant: where a word is zero the derivative is right all the same.

use super::chain::{LeftChain, RightChain};
use super::rung::{Coordinates, Rung};
use super::word::Word;
use crate::linalg::{Matrix, thin_qr};

/// Multipliers or values of the equations: two blocks for the product, then one a word.
pub(super) type Blocks = Vec<Matrix>;

pub(super) struct Linearization<'a> {
    coordinates: &'a Coordinates,
    rung: &'a Rung,
    layers: &'a [Matrix],
    /// `P(k,0) V` and `U' P(h,k)`.
    captured_forward: RightChain,
    captured_backward: LeftChain,
    product_weight: f64,
    words: Vec<LinearWord>,
}

struct LinearWord {
    weight: f64,
    /// Bases that are projected out on the left and on the right.
    left: Matrix,
    right: Matrix,
    form: Form,
}

enum Form {
    /// `P(to, from)` as a chain from its narrower end.
    FromRight(RightChain, usize),
    FromLeft(LeftChain, usize),
    /// `(P(to, 0) wrap_left) (wrap_right P(h, from))`.
    Wrapped { before: RightChain, to: usize, after: LeftChain, from: usize },
}

impl<'a> Linearization<'a> {
    pub(super) fn new(coordinates: &'a Coordinates, rung: &'a Rung, words: &[Word], layers: &'a [Matrix]) -> Self {
        let depth = layers.len();
        let captured_forward = RightChain::new(layers, 0, depth, rung.right.clone());
        let captured_backward = LeftChain::new(layers, 0, depth, rung.left.transpose());
        let mut found = Self {
            coordinates,
            rung,
            layers,
            captured_forward,
            captured_backward,
            product_weight: coordinates.sensitivity(0..depth, depth..depth).recip(),
            words: Vec::new(),
        };
        found.words = words.iter().map(|&word| found.word(word)).collect();
        found
    }

    fn word(&self, word: Word) -> LinearWord {
        let (layers, depth) = (self.layers, self.layers.len());
        let width = |k: usize| if k == 0 { layers[0].ncols() } else { layers[k - 1].nrows() };
        match word {
            Word::Straight { to, from } => LinearWord {
                weight: self.coordinates.sensitivity(from..to, depth..depth).recip(),
                left: self.image(to),
                right: self.coimage(from),
                form: if width(from) <= width(to) {
                    Form::FromRight(RightChain::new(layers, from, to, Matrix::identity(width(from))), to)
                } else {
                    Form::FromLeft(LeftChain::new(layers, from, to, Matrix::identity(width(to))), from)
                },
            },
            Word::Wrapped { to, from } => LinearWord {
                weight: (self.coordinates.sensitivity(0..to, from..depth) * self.rung.wrap_norm).recip(),
                left: self.coimage(to),
                right: self.image(from),
                form: Form::Wrapped {
                    before: RightChain::new(layers, 0, to, self.rung.wrap_left.clone()),
                    to,
                    after: LeftChain::new(layers, from, depth, self.rung.wrap_right.clone()),
                    from,
                },
            },
        }
    }

    /// Orthonormal basis of `V_k`.
    fn image(&self, k: usize) -> Matrix {
        if k == self.layers.len() { self.rung.left.clone() } else { thin_qr(self.captured_forward.at(k)).0 }
    }

    /// Orthonormal basis of `U_k`.
    fn coimage(&self, k: usize) -> Matrix {
        if k == 0 { self.rung.right.clone() } else { thin_qr(&self.captured_backward.at(k).transpose()).0 }
    }

    /// Values of the equations; in units of the distance that they ask for.
    pub(super) fn value(&self) -> Blocks {
        let depth = self.layers.len();
        let target = self.rung.left.transpose_times(&self.rung.target);
        let rows = self.captured_backward.at(0) - &target;
        let columns = off(&self.rung.left, self.captured_forward.at(depth));
        let words = self.words.iter().map(|word| {
            let value = match &word.form {
                Form::FromRight(chain, to) => chain.at(*to).clone(),
                Form::FromLeft(chain, from) => chain.at(*from).clone(),
                Form::Wrapped { before, to, after, from } => before.at(*to) * after.at(*from),
            };
            word.project(&value)
        });
        let product = [rows.scaled(self.product_weight), columns.scaled(self.product_weight)];
        product.into_iter().chain(words).collect()
    }

    /// The derivative along a direction.
    pub(super) fn apply(&self, direction: &[Matrix]) -> Blocks {
        let (layers, depth) = (self.layers, self.layers.len());
        let nothing = || Matrix::zeros(0, 0);
        let rows = self.captured_backward.derivative(layers, direction, 0).unwrap_or_else(nothing);
        let columns = self.captured_forward.derivative(layers, direction, depth).unwrap_or_else(nothing);
        let words = self.words.iter().map(|word| {
            let change = match &word.form {
                Form::FromRight(chain, to) => chain.derivative(layers, direction, *to),
                Form::FromLeft(chain, from) => chain.derivative(layers, direction, *from),
                Form::Wrapped { before, to, after, from } => {
                    let first = before.derivative(layers, direction, *to).map(|d| &d * after.at(*from));
                    let second = after.derivative(layers, direction, *from).map(|d| before.at(*to) * &d);
                    match (first, second) {
                        (Some(a), Some(b)) => Some(&a + &b),
                        (a, b) => a.or(b),
                    }
                }
            };
            word.project(&change.unwrap_or_else(nothing))
        });
        let product = [rows.scaled(self.product_weight), off(&self.rung.left, &columns).scaled(self.product_weight)];
        product.into_iter().chain(words).collect()
    }

    /// The transposed derivative with respect to the metric of the parameters as given: of all directions `d` with a given
    /// derivative, the shortest ones are of this form.
    pub(super) fn adjoint(&self, multipliers: &[Matrix]) -> Vec<Matrix> {
        let (layers, depth) = (self.layers, self.layers.len());
        let mut out: Vec<Matrix> = layers.iter().map(|layer| Matrix::zeros(layer.nrows(), layer.ncols())).collect();
        self.captured_backward.adjoint(layers, &mut out, 0, multipliers[0].scaled(self.product_weight));
        let columns = off(&self.rung.left, &multipliers[1]).scaled(self.product_weight);
        self.captured_forward.adjoint(layers, &mut out, depth, columns);
        for (word, multiplier) in self.words.iter().zip(&multipliers[2..]) {
            let multiplier = word.project(multiplier);
            match &word.form {
                Form::FromRight(chain, to) => chain.adjoint(layers, &mut out, *to, multiplier),
                Form::FromLeft(chain, from) => chain.adjoint(layers, &mut out, *from, multiplier),
                Form::Wrapped { before, to, after, from } => {
                    before.adjoint(layers, &mut out, *to, multiplier.times_transpose(after.at(*from)));
                    after.adjoint(layers, &mut out, *from, before.at(*to).transpose_times(&multiplier));
                }
            }
        }
        for (block, weight) in out.iter_mut().zip(&self.coordinates.weights) {
            *block = block.scaled(1.0 / (weight * weight));
        }
        out
    }
}

impl LinearWord {
    /// The part off both captured spaces, weighted.
    fn project(&self, matrix: &Matrix) -> Matrix {
        let inside = off(&self.left, matrix);
        (&inside - &(&inside * &self.right).times_transpose(&self.right)).scaled(self.weight)
    }
}

/// `(I - Q Q') M`.
fn off(basis: &Matrix, matrix: &Matrix) -> Matrix {
    matrix - &(basis * &basis.transpose_times(matrix))
}
