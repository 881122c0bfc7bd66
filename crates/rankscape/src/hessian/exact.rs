//! The Hessian over the rationals, and the ranks that its inertia rests on.

use num_traits::Zero;

use super::{Part, StringRanks};
use crate::evidence::RankDecision;
use crate::linalg::exact::{Rational, RationalMatrix};
use crate::multiplication::{Differential, RankProfile};
use crate::network::ExactSquareNetwork;

impl ExactSquareNetwork {
    /// The Hessian of the loss, or a part of it, in the parameters `W_1, ..., W_h`, each row by row. With `W_k <- W_k + A`,
    /// `W_l <- W_l + B` and `k < l` the second derivative is `<P(h,k) A P(k-1,0) S, P(h,l) B P(l-1,0)>`, the Gauss-Newton
    /// part, plus `<g, P(h,l) B P(l-1,k) A P(k-1,0)>`.
    pub fn hessian(&self, part: Part) -> RationalMatrix {
        let depth = self.factors().architecture().depth();
        let after: Vec<RationalMatrix> = (1..=depth).map(|k| self.factors().partial(depth, k)).collect();
        let before: Vec<RationalMatrix> = (0..depth).map(|k| self.factors().partial(k, 0)).collect();
        let shapes: Vec<(usize, usize)> = self.factors().matrices().iter().map(RationalMatrix::shape).collect();
        let mut starts = vec![0];
        starts.extend(shapes.iter().scan(0, |sum, (rows, cols)| {
            *sum += rows * cols;
            Some(*sum)
        }));
        let mut out = RationalMatrix::zeros(starts[depth], starts[depth]);
        for k in 0..depth {
            for l in k..depth {
                let left = &after[k].transpose() * &after[l];
                let right = &(&before[k] * &self.data().xx) * &before[l].transpose();
                let wrapped = &(&after[l].transpose() * self.gradient()) * &before[k].transpose();
                let between = (k < l).then(|| self.factors().partial(l, k + 1));
                let entry = |(a, b): (usize, usize), (c, d): (usize, usize)| {
                    let predictions = || &left[(a, c)] * &right[(b, d)];
                    let bent = || between.as_ref().map_or_else(Rational::zero, |m| &wrapped[(c, b)] * &m[(d, a)]);
                    match part {
                        Part::Full => predictions() + bent(),
                        Part::GaussNewton => predictions(),
                        Part::Residual => bent(),
                    }
                };
                let place = |layer: usize, at: usize| (at / shapes[layer].1, at % shapes[layer].1);
                for p in 0..starts[k + 1] - starts[k] {
                    for q in 0..starts[l + 1] - starts[l] {
                        let value = entry(place(k, p), place(l, q));
                        out[(starts[l] + q, starts[k] + p)] = value.clone();
                        out[(starts[k] + p, starts[l] + q)] = value;
                    }
                }
            }
        }
        out
    }

    /// Rank of the derivative of the predictions `W X` with respect to the parameters.
    pub fn rank_of_predictions(&self) -> usize {
        let rho = self.data().xx.rank();
        if rho == 0 { 0 } else { Differential::new(self.string_ranks(rho).profile()).rank }
    }

    /// Ranks of `P(h,k)` and of `P(k-1,0) X`.
    pub fn ranks_around(&self, k: usize) -> (usize, usize) {
        let depth = self.factors().architecture().depth();
        let before = &self.factors().partial(k - 1, 0) * &self.data().xx;
        (self.factors().partial(depth, k).rank(), before.rank())
    }

    /// All ranks of a critical point; `rho` is the rank of `X`.
    pub(crate) fn string_ranks(&self, rho: usize) -> StringRanks {
        let depth = self.factors().architecture().depth();
        let mut widths = self.factors().architecture().widths().to_vec();
        widths[0] = rho;
        let profile = RankProfile::from_decisions(&widths, |i, j| {
            let product = self.factors().partial(j, i);
            let product = if i == 0 { &product * &self.data().xx } else { product };
            RankDecision::exact(product.rank())
        });
        StringRanks::new(profile, |s, t| {
            let left = &self.factors().partial(t, 0) * &self.gradient().transpose();
            RankDecision::exact((&left * &self.factors().partial(depth, s)).rank())
        })
    }
}
