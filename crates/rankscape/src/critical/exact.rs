//! Class and inertia of a critical point over the rationals.
//!
//! Everything is decided by ranks and one signature. With `S = X X'` and `g = (W X - Y) X'`, the whitened residual has
//! `G G' = g S^- g'` for any generalized inverse, `P(t,0) G' P(h,s)` has the rank of `P(t,0) g' P(h,s)`, and
//! `(kept, omitted)` pairs are compared by the signature of `A (x) I - I (x) G G'` on `Col A (x) R^{d_h}`, `A = W S W'`.

use super::class::{CriticalClass, CriticalPoint, Findings};
use crate::evidence::{Evidence, Grade, Quantity, RankDecision};
use crate::hessian::{PairCounts, inertia_at_critical_point};
use crate::linalg::Inertia;
use crate::linalg::exact::RationalMatrix;
use crate::network::ExactSquareNetwork;

/// Largest size of the form that compares singular values exactly.
const LARGEST_FORM: usize = 100;

impl ExactSquareNetwork {
    /// Class and inertia of a critical point; `None` when the form that compares singular values would be too large.
    pub fn classify(&self) -> Option<CriticalPoint> {
        let architecture = self.factors().architecture();
        let depth = architecture.depth();
        let rho = self.data().xx.rank();
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
            residual_is_zero: self.gradient().is_zero(),
            pairs,
            spectrum_clear: true,
            all_clear: true,
            inertia: Some(Inertia { zero: inertia.zero + flat, ..inertia }),
        };
        let mut evidence = Evidence::new(Grade::Exact);
        evidence.rest_on(Quantity::Inputs, RankDecision::exact(rho));
        evidence.rest_on(Quantity::Output, RankDecision::exact(rank));
        Some(CriticalPoint {
            class: if depth == 1 { CriticalClass::GlobalMinimum } else { findings.class() },
            rank,
            inertia: findings.inertia,
            residual_is_zero: findings.residual_is_zero,
            tie: 0.0,
            evidence,
        })
    }

    fn compare(&self, rank: usize) -> Option<PairCounts> {
        if rank == 0 || self.gradient().is_zero() {
            return Some(PairCounts::default());
        }
        let outputs = self.product().nrows();
        if rank * outputs > LARGEST_FORM {
            return None;
        }
        let a = &(self.product() * &self.data().xx) * &self.product().transpose();
        let b = self.data().whitened_gram(self.gradient());
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
