//! Class and inertia of a critical point over the rationals.
//!
//! Everything is decided by ranks and one signature. With `S = X X'` and `g = (W X - Y) X'`, the whitened residual has
//! `G G' = g S^- g'` for any generalized inverse, `P(t,0) G' P(h,s)` has the rank of `P(t,0) g' P(h,s)`, and
//! `(kept, omitted)` pairs are compared by the signature of `A (x) I - I (x) G G'` on `Col A (x) R^{d_h}`, `A = W S W'`.

use num_traits::Zero;

use super::class::{CriticalClass, CriticalPoint, Findings};
use crate::data::ExactMoments;
use crate::error::{InputError, Result};
use crate::evidence::{Evidence, Grade, RankDecision};
use crate::hessian::{PairCounts, Part, StringRanks, inertia_at_critical_point};
use crate::linalg::Inertia;
use crate::linalg::exact::{Rational, RationalMatrix};
use crate::multiplication::{Differential, ExactFactors, RankProfile};

/// Largest size of the form that compares singular values exactly.
const LARGEST_FORM: usize = 100;

/// Exact second moments of the data.
#[derive(Debug, Clone)]
pub struct ExactData {
    /// `X X'`, `d_0 x d_0`.
    pub xx: RationalMatrix,
    /// `Y X'`, `d_h x d_0`.
    pub yx: RationalMatrix,
    /// `||Y||_F^2`.
    pub yy: Rational,
}

impl ExactData {
    /// From samples as rows: `X` is `n x d_0`, `Y` is `n x d_h`.
    pub fn new(x: &RationalMatrix, y: &RationalMatrix) -> Self {
        Self { xx: &x.transpose() * x, yx: &y.transpose() * x, yy: y.squared_norm() }
    }

    /// The moments, as data are whitened with them.
    pub fn moments(&self) -> ExactMoments<'_> {
        ExactMoments { xx: &self.xx, yx: &self.yx, yy: &self.yy }
    }

    /// `g S^- g'` for `g = M X'`, with `S = X X'`: the Gram matrix of the whitened `M`.
    pub(super) fn whitened_gram(&self, g: &RationalMatrix) -> RationalMatrix {
        let size = self.xx.nrows();
        let inverse = self.xx.generalized_inverse().unwrap_or_else(|| RationalMatrix::zeros(size, size));
        &(g * &inverse) * &g.transpose()
    }
}

/// A point of the parameter space with the square loss, over the rationals.
#[derive(Debug, Clone)]
pub struct ExactSquareNetwork<'a> {
    factors: &'a ExactFactors,
    data: &'a ExactData,
    product: RationalMatrix,
    /// `g = W X X' - Y X'`.
    gradient: RationalMatrix,
}

impl<'a> ExactSquareNetwork<'a> {
    /// Forms the product and the gradient in matrix space.
    ///
    /// # Errors
    /// If the data do not fit the widths.
    pub fn new(factors: &'a ExactFactors, data: &'a ExactData) -> Result<Self> {
        let depth = factors.architecture().depth();
        let product = factors.partial(depth, 0);
        if product.shape() != data.yx.shape() {
            return Err(InputError::new("the data do not fit the widths").value(format!(
                "product {:?}, data {:?}",
                product.shape(),
                data.yx.shape()
            )));
        }
        let gradient = &(&product * &data.xx) - &data.yx;
        Ok(Self { factors, data, product, gradient })
    }

    /// Twice the loss, `||W X - Y||_F^2`.
    pub fn squared_residual(&self) -> Rational {
        self.gradient.dot(&self.product) - self.product.dot(&self.data.yx) + &self.data.yy
    }

    /// The gradient, one block a layer: `P(h,k)' g P(k-1,0)'`.
    pub fn gradient_blocks(&self) -> Vec<RationalMatrix> {
        let depth = self.factors.architecture().depth();
        (1..=depth)
            .map(|k| {
                let left = &self.factors.partial(depth, k).transpose() * &self.gradient;
                &left * &self.factors.partial(k - 1, 0).transpose()
            })
            .collect()
    }

    /// Every gradient block is zero.
    pub fn is_critical(&self) -> bool {
        self.gradient_blocks().iter().all(RationalMatrix::is_zero)
    }

    /// `g`, the gradient of the loss in matrix space.
    pub fn gradient(&self) -> &RationalMatrix {
        &self.gradient
    }

    /// `W`.
    pub fn product(&self) -> &RationalMatrix {
        &self.product
    }

    /// Rank of `W X`.
    pub fn rank_of_output(&self) -> usize {
        (&self.product * &self.data.xx).rank()
    }

    /// The Hessian of the loss, or a part of it, in the parameters `W_1, ..., W_h`, each row by row. With `W_k <- W_k + A`,
    /// `W_l <- W_l + B` and `k < l` the second derivative is `<P(h,k) A P(k-1,0) S, P(h,l) B P(l-1,0)>`, the Gauss-Newton
    /// part, plus `<g, P(h,l) B P(l-1,k) A P(k-1,0)>`.
    pub fn hessian(&self, part: Part) -> RationalMatrix {
        let depth = self.factors.architecture().depth();
        let after: Vec<RationalMatrix> = (1..=depth).map(|k| self.factors.partial(depth, k)).collect();
        let before: Vec<RationalMatrix> = (0..depth).map(|k| self.factors.partial(k, 0)).collect();
        let shapes: Vec<(usize, usize)> = self.factors.matrices().iter().map(RationalMatrix::shape).collect();
        let mut starts = vec![0];
        starts.extend(shapes.iter().scan(0, |sum, (rows, cols)| {
            *sum += rows * cols;
            Some(*sum)
        }));
        let mut out = RationalMatrix::zeros(starts[depth], starts[depth]);
        for k in 0..depth {
            for l in k..depth {
                let left = &after[k].transpose() * &after[l];
                let right = &(&before[k] * &self.data.xx) * &before[l].transpose();
                let wrapped = &(&after[l].transpose() * &self.gradient) * &before[k].transpose();
                let between = (k < l).then(|| self.factors.partial(l, k + 1));
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

    /// Class and inertia of a critical point; `None` when the form that compares singular values would be too large.
    pub fn classify(&self) -> Option<CriticalPoint> {
        let architecture = self.factors.architecture();
        let depth = architecture.depth();
        let rho = self.data.xx.rank();
        let ranks = self.string_ranks(rho);
        let rank = ranks.profile().product_rank();
        let pairs = self.compare(rank)?;
        let widths = architecture.widths();
        let flat = widths[1] * (widths[0] - rho);
        let inertia = if rho == 0 {
            Inertia { zero: architecture.parameters() - flat, ..Inertia::default() }
        } else if depth == 1 {
            Inertia { positive: widths[1] * rho, ..Inertia::default() }
        } else {
            inertia_at_critical_point(&ranks, pairs)?
        };
        let findings = Findings {
            rank,
            effective_bottleneck: widths[1..].iter().copied().min().unwrap_or(0).min(rho),
            residual_is_zero: self.gradient.is_zero(),
            pairs,
            spectrum_clear: true,
            all_clear: true,
            inertia: Some(Inertia { zero: inertia.zero + flat, ..inertia }),
        };
        let mut evidence = Evidence::new(Grade::Exact);
        evidence.rest_on("rank X", RankDecision::exact(rho));
        evidence.rest_on("rank W X", RankDecision::exact(rank));
        Some(CriticalPoint {
            class: if depth == 1 { CriticalClass::GlobalMinimum } else { findings.class() },
            rank,
            inertia: findings.inertia,
            residual_is_zero: findings.residual_is_zero,
            tie: 0.0,
            evidence,
        })
    }

    /// Rank of the derivative of the predictions `W X` with respect to the parameters.
    pub fn rank_of_predictions(&self) -> usize {
        let rho = self.data.xx.rank();
        if rho == 0 { 0 } else { Differential::new(self.string_ranks(rho).profile()).rank }
    }

    /// Ranks of `P(h,k)` and of `P(k-1,0) X`.
    pub fn ranks_around(&self, k: usize) -> (usize, usize) {
        let depth = self.factors.architecture().depth();
        let before = &self.factors.partial(k - 1, 0) * &self.data.xx;
        (self.factors.partial(depth, k).rank(), before.rank())
    }

    /// All ranks of a critical point; `rho` is the rank of `X`.
    pub(crate) fn string_ranks(&self, rho: usize) -> StringRanks {
        let depth = self.factors.architecture().depth();
        let mut widths = self.factors.architecture().widths().to_vec();
        widths[0] = rho;
        let profile = RankProfile::from_decisions(&widths, |i, j| {
            let product = self.factors.partial(j, i);
            let product = if i == 0 { &product * &self.data.xx } else { product };
            RankDecision::exact(product.rank())
        });
        StringRanks::new(profile, |s, t| {
            let left = &self.factors.partial(t, 0) * &self.gradient.transpose();
            RankDecision::exact((&left * &self.factors.partial(depth, s)).rank())
        })
    }

    fn compare(&self, rank: usize) -> Option<PairCounts> {
        if rank == 0 || self.gradient.is_zero() {
            return Some(PairCounts::default());
        }
        let outputs = self.product.nrows();
        if rank * outputs > LARGEST_FORM {
            return None;
        }
        let a = &(&self.product * &self.data.xx) * &self.product.transpose();
        let b = self.data.whitened_gram(&self.gradient);
        let columns = a.independent_columns();
        let squared = &a * &a;
        let cubed = &squared * &a;
        let on_range =
            |m: &RationalMatrix| RationalMatrix::from_fn(rank, rank, |i, j| m[(columns[i], columns[j])].clone());
        let identity = RationalMatrix::identity(outputs);
        let form = &on_range(&cubed).kronecker(&identity) - &on_range(&squared).kronecker(&b);
        let found = form.inertia();
        Some(PairCounts { omitted_larger: found.negative, equal: found.zero })
    }
}
