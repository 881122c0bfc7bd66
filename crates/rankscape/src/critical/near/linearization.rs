//! The equations of a pattern at a point, linearized.
//!
//! The product on the captured spaces: `U' (P(h,0) - T) = 0` and `(I - U U') P(h,0) V = 0`, with singular bases `U`, `V` of
//! the target `T`. Each word on the spare parts: with `V_k = Im P(k,0) V` and `U_k = Im P(h,k)' U`, a straight word is
//! `(I - V_b V_b') P(b,a) (I - U_a U_a')` and a wrapped one `(I - U_t U_t') P(t,0) G' P(h,s) (I - V_s V_s')` (projectors of
//! orthonormal bases). The projectors count as constant: where a word is zero the derivative is right all the same.

use super::chain::{LeftChain, RightChain};
use super::precondition::{Preconditioner, Sum};
use super::rung::{Coordinates, Rung};
use super::word::Word;
use crate::linalg::{Matrix, thin_qr};
use crate::multiplication::partial_product;

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
    /// One layer, counted from 0.
    Layer(usize),
    /// `P(to, from)` as a chain from its narrower end.
    FromRight(RightChain, usize),
    FromLeft(LeftChain, usize),
    /// `(P(to, 0) wrap_left) (wrap_right P(h, from))`, or the one of the two that has layers.
    Wrapped {
        before: Option<(RightChain, usize)>,
        after: Option<(LeftChain, usize)>,
    },
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
                form: if to == from + 1 {
                    Form::Layer(from)
                } else if width(from) <= width(to) {
                    Form::FromRight(RightChain::new(layers, from, to, Matrix::identity(width(from))), to)
                } else {
                    Form::FromLeft(LeftChain::new(layers, from, to, Matrix::identity(width(to))), from)
                },
            },
            // With nothing on one side of G' its singular values there only scale the equations.
            Word::Wrapped { to, from } => LinearWord {
                weight: match (to, from) {
                    (0, _) => self.coordinates.sensitivity(0..0, from..depth).recip(),
                    (_, from) if from == depth => self.coordinates.sensitivity(0..to, 0..0).recip(),
                    _ => (self.coordinates.sensitivity(0..to, from..depth) * self.rung.wrap_norm).recip(),
                },
                left: if to == 0 { Matrix::zeros(self.rung.wrap_right.nrows(), 0) } else { self.coimage(to) },
                right: if from == depth { Matrix::zeros(self.rung.wrap_left.ncols(), 0) } else { self.image(from) },
                form: Form::Wrapped {
                    before: (to > 0).then(|| {
                        let seed = if from == depth { &self.rung.wrap_basis } else { &self.rung.wrap_left };
                        (RightChain::new(layers, 0, to, seed.clone()), to)
                    }),
                    after: (from < depth)
                        .then(|| (LeftChain::new(layers, from, depth, self.rung.wrap_right.clone()), from)),
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
                Form::Layer(k) => self.layers[*k].clone(),
                Form::FromRight(chain, to) => chain.at(*to).clone(),
                Form::FromLeft(chain, from) => chain.at(*from).clone(),
                Form::Wrapped { before: Some((before, to)), after: Some((after, from)) } => {
                    before.at(*to) * after.at(*from)
                }
                Form::Wrapped { before: Some((before, to)), after: None } => before.at(*to).clone(),
                Form::Wrapped { before: None, after: Some((after, from)) } => after.at(*from).clone(),
                Form::Wrapped { before: None, after: None } => nothing(),
            };
            word.project(&value)
        });
        let product = [rows.scaled(self.product_weight), columns.scaled(self.product_weight)];
        product.into_iter().chain(words).collect()
    }

    /// The derivative along a direction.
    pub(super) fn apply(&self, direction: &[Matrix]) -> Blocks {
        let (layers, depth) = (self.layers, self.layers.len());
        let rows = self.captured_backward.derivative(layers, direction, 0).unwrap_or_else(nothing);
        let columns = self.captured_forward.derivative(layers, direction, depth).unwrap_or_else(nothing);
        let words = self.words.iter().map(|word| {
            let change = match &word.form {
                Form::Layer(k) => Some(direction[*k].clone()),
                Form::FromRight(chain, to) => chain.derivative(layers, direction, *to),
                Form::FromLeft(chain, from) => chain.derivative(layers, direction, *from),
                Form::Wrapped { before, after } => {
                    let first = before.as_ref().and_then(|(chain, to)| chain.derivative(layers, direction, *to));
                    let second = after.as_ref().and_then(|(chain, from)| chain.derivative(layers, direction, *from));
                    match (before.as_ref().zip(first), after.as_ref().zip(second)) {
                        (Some(((before, to), first)), Some(((after, from), second))) => {
                            Some(&(&first * after.at(*from)) + &(before.at(*to) * &second))
                        }
                        (first, second) => first.map(|(_, d)| d).or(second.map(|(_, d)| d)),
                    }
                }
            };
            word.project(&change.unwrap_or_else(nothing))
        });
        let product = [rows.scaled(self.product_weight), off(&self.rung.left, &columns).scaled(self.product_weight)];
        product.into_iter().chain(words).collect()
    }

    /// Approximate inverses of `J J'`, one a block.
    pub(super) fn preconditioners(&self) -> Vec<Preconditioner> {
        let depth = self.layers.len();
        let (first, last) = (self.captured_backward.at(1), self.captured_forward.at(depth - 1));
        let weight = |k: usize| (self.product_weight / self.coordinates.weights[k]).powi(2);
        let rows = first.times_transpose(first).scaled(weight(0));
        let columns = last.transpose_times(last).scaled(weight(depth - 1));
        let product = [
            Preconditioner::new(Sum(Some(rows), 0.0), Sum::default()),
            Preconditioner::new(Sum::default(), Sum(Some(columns), 0.0)),
        ];
        product.into_iter().chain(self.words.iter().map(|word| self.preconditioner(word))).collect()
    }

    fn preconditioner(&self, word: &LinearWord) -> Preconditioner {
        let factor = |k: usize| (word.weight / self.coordinates.weights[k]).powi(2);
        let mut left = Sum::default();
        let mut right = Sum::default();
        match &word.form {
            Form::Layer(k) => right.add_identity(factor(*k)),
            Form::FromRight(chain, to) => self.straight(chain.from(), *to, factor, &mut left, &mut right),
            Form::FromLeft(chain, from) => self.straight(*from, chain.to(), factor, &mut left, &mut right),
            Form::Wrapped { before, after } => {
                if let Some((chain, to)) = before {
                    for k in 0..*to {
                        let share = factor(k) * self.mean_square(*to, k + 1);
                        let inner = chain.at(k);
                        let inner =
                            after.as_ref().map_or_else(|| inner.clone(), |(other, from)| inner * other.at(*from));
                        right.add(share, &inner.transpose_times(&inner));
                    }
                }
                if let Some((chain, from)) = after {
                    for k in *from..self.layers.len() {
                        let share = factor(k) * self.mean_square(k, *from);
                        let inner = chain.at(k + 1);
                        let inner = before.as_ref().map_or_else(|| inner.clone(), |(other, to)| other.at(*to) * inner);
                        left.add(share, &inner.times_transpose(&inner));
                    }
                }
            }
        }
        Preconditioner::new(left, right)
    }

    fn straight(&self, from: usize, to: usize, factor: impl Fn(usize) -> f64, left: &mut Sum, right: &mut Sum) {
        let after = partial_product(self.layers, to, from + 1);
        left.add(factor(from), &after.times_transpose(&after));
        for k in from + 1..to {
            let before = partial_product(self.layers, k, from);
            right.add(factor(k) * self.mean_square(to, k + 1), &before.transpose_times(&before));
        }
    }

    /// Mean of the squared singular values of `P(j, i)`; 1 for no factors.
    fn mean_square(&self, j: usize, i: usize) -> f64 {
        if j == i {
            return 1.0;
        }
        let product = partial_product(self.layers, j, i);
        product.frobenius_norm().powi(2) / product.nrows().min(product.ncols()).max(1) as f64
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
                Form::Layer(k) => out[*k].add_scaled(1.0, &multiplier),
                Form::FromRight(chain, to) => chain.adjoint(layers, &mut out, *to, multiplier),
                Form::FromLeft(chain, from) => chain.adjoint(layers, &mut out, *from, multiplier),
                Form::Wrapped { before, after } => {
                    if let Some((chain, to)) = before {
                        let other = after.as_ref().map(|(other, from)| multiplier.times_transpose(other.at(*from)));
                        chain.adjoint(layers, &mut out, *to, other.unwrap_or_else(|| multiplier.clone()));
                    }
                    if let Some((chain, from)) = after {
                        let other = before.as_ref().map(|(other, to)| other.at(*to).transpose_times(&multiplier));
                        chain.adjoint(layers, &mut out, *from, other.unwrap_or_else(|| multiplier.clone()));
                    }
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

fn nothing() -> Matrix {
    Matrix::zeros(0, 0)
}

/// `(I - Q Q') M`.
fn off(basis: &Matrix, matrix: &Matrix) -> Matrix {
    matrix - &(basis * &basis.transpose_times(matrix))
}
