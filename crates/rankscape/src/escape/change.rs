//! The change of the loss along a path of parameters: an exact polynomial in `t`.

use num_traits::{One, Zero};

use super::polynomial::{Polynomial, inner_products, polynomial_plus, polynomial_times};
use crate::linalg::Algebra;

/// A point of the square loss on which only products, the gradient `g` in matrix space and the Gram matrix of the inputs
/// matter: `L(W + D) - L(W) = <g, D> + 1/2 <D S, D>`.
pub(super) struct Landscape<'a, M> {
    /// `W_1, ..., W_h`.
    pub layers: &'a [M],
    /// `S = X X'`; the identity when absent.
    pub gram: Option<&'a M>,
    /// `g`, of the shape of the product.
    pub gradient: &'a M,
}

/// The steps of a path: for each power of `t`, ascending and at least 1, a step for each layer (`None` for zero).
pub(super) type Steps<M> = Vec<(usize, Vec<Option<M>>)>;

impl<M: Algebra> Landscape<'_, M> {
    pub(super) fn depth(&self) -> usize {
        self.layers.len()
    }

    /// Coefficients of `t^0, t^1, ...` (the first is zero) of the change of the loss along a path.
    pub(super) fn change(&self, steps: &Steps<M>) -> Vec<M::Number> {
        let product = self.product_change(steps);
        let half = M::Number::one() / (M::Number::one() + M::Number::one());
        let images = self.times_gram(&product);
        let squares = inner_products(&images, &product);
        (0..(2 * product.len()).max(2) - 1)
            .map(|power| {
                let slope = product.get(power).and_then(Option::as_ref).map(|a| self.gradient.inner(a));
                let square = squares.get(power).filter(|square| !square.is_zero());
                match (slope, square) {
                    (Some(slope), Some(square)) => slope + half.clone() * square.clone(),
                    (Some(slope), None) => slope,
                    (None, Some(square)) => half.clone() * square.clone(),
                    (None, None) => M::Number::zero(),
                }
            })
            .collect()
    }

    /// `a S` for every coefficient.
    pub(super) fn times_gram(&self, a: &Polynomial<M>) -> Polynomial<M> {
        let image = |a: &M| self.gram.map_or_else(|| a.clone(), |gram| a.times(gram));
        a.iter().map(|a| a.as_ref().map(image)).collect()
    }

    /// `mu(theta(t)) - mu(theta)`.
    fn product_change(&self, steps: &Steps<M>) -> Polynomial<M> {
        let mut forward: Option<M> = None;
        let mut change: Polynomial<M> = Vec::new();
        for (k, layer) in self.layers.iter().enumerate() {
            let step = self.step_of(steps, k);
            let mut moved = step.clone();
            if moved.is_empty() {
                moved.push(None);
            }
            moved[0] = Some(layer.clone());
            let fresh = match &forward {
                Some(before) => polynomial_times(&step, &vec![Some(before.clone())]),
                None => step,
            };
            change = polynomial_plus(polynomial_times(&moved, &change), fresh);
            forward = Some(forward.map_or_else(|| layer.clone(), |before| layer.times(&before)));
        }
        change
    }

    fn step_of(&self, steps: &Steps<M>, k: usize) -> Polynomial<M> {
        let mut out: Polynomial<M> = Vec::new();
        for (power, step) in steps {
            if let Some(step) = &step[k] {
                out.resize(out.len().max(power + 1), None);
                out[*power] = Some(step.clone());
            }
        }
        out
    }

    /// The partial product `P(j, i)` along a path, constant term first.
    pub(super) fn partial(&self, j: usize, i: usize, steps: &[Option<M>]) -> Polynomial<M> {
        let size = if i == self.depth() { self.layers[i - 1].shape().0 } else { self.layers[i].shape().1 };
        (i..j).fold(vec![Some(M::identity_of(size))], |product, k| {
            polynomial_times(&vec![Some(self.layers[k].clone()), steps[k].clone()], &product)
        })
    }
}
