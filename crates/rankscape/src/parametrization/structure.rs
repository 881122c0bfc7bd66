//! Ranks of Jacobians of plain products from the ranks of partial products, on data of which only `X = U S V'` is used.
//!
//! `rank d(W_h ... W_1 X) = sum_{k=1}^{h} rank P(h,k) rank(P(k-1,0) X) - sum_{k=1}^{h-1} rank P(h,k) rank(P(k,0) X)`: Lemma 3 of `[@TKB]` for the
//! factors `W_h, ..., W_2, W_1 U`, because `D X = 0` exactly where `D U = 0`. At generic factors it is `r (rank X + d_h - r)`, `r` the
//! smallest of `rank X, d_1, ..., d_h`.

use crate::data::{ExactMoments, Whitening};
use crate::error::Result;
use crate::evidence::{Evidence, Grade, Quantity, RankDecision, Truth};
use crate::linalg::Matrix;
use crate::linalg::exact::RationalMatrix;
use crate::multiplication::{Differential, ExactFactors, Factors, RankProfile};
use crate::network::{ExactSquareNetwork, NormalizedNetwork};
use crate::tolerance::Tolerances;

/// A point of a plain product with data.
#[derive(Debug)]
pub struct ChainPoint<'a> {
    /// The factors.
    pub factors: Factors,
    /// The factors over the rationals, and the moments of the data.
    pub exact: Option<(ExactFactors, ExactMoments)>,
    /// The data.
    pub whitening: &'a Whitening,
    /// Unit roundoff of the type in which the factors were stored.
    pub unit_roundoff: f64,
    /// Tolerances.
    pub tolerances: &'a Tolerances,
}

/// The rank of the Jacobian.
#[derive(Debug, Clone)]
pub struct ChainRank {
    /// Rank here and largest rank.
    pub differential: Differential,
    /// Every decision that it rests on is clear.
    pub clear: bool,
    /// All matrices are reached: the largest rank is `d_h rank X`.
    pub filling: bool,
    /// The decisions.
    pub evidence: Evidence,
}

impl ChainPoint<'_> {
    /// The rank of the Jacobian; `critical` where the point stands for a critical point beside it, so that ranks are those up to the
    /// rounding errors that its gradient may have.
    ///
    /// # Errors
    /// If the data do not fit.
    pub fn rank(&self, critical: bool) -> Result<ChainRank> {
        let rho = self.whitening.rank;
        let outputs = self.factors.architecture().outputs();
        let grade = if self.exact.is_some() { Grade::Exact } else { Grade::Numerical };
        let mut evidence = Evidence::new(grade);
        evidence.rest_on(Quantity::Inputs, rho);
        if rho.rank == 0 {
            let differential = Differential { rank: 0, max_rank: 0, submersion: true };
            return Ok(ChainRank { differential, clear: rho.clear, filling: true, evidence });
        }
        let profile = match &self.exact {
            Some((factors, moments)) => self.exact_profile(factors, moments),
            None => self.profile(critical)?,
        };
        let depth = profile.depth();
        for k in 1..depth {
            evidence.rest_on(Quantity::After { depth, layer: k }, *profile.decision(k, depth));
            evidence.rest_on(Quantity::Before { layer: k + 1 }, *profile.decision(0, k));
        }
        let differential = Differential::new(&profile);
        let filling = differential.max_rank == rho.rank * outputs;
        Ok(ChainRank { differential, clear: evidence.is_clear(), filling, evidence })
    }

    fn profile(&self, critical: bool) -> Result<RankProfile> {
        let mut layers = self.factors.matrices().to_vec();
        layers[0] = &layers[0] * &self.whitening.basis;
        let factors = Factors::new(layers)?;
        let decide = if critical { RankProfile::new } else { RankProfile::stored };
        Ok(decide(&factors, self.unit_roundoff, self.tolerances))
    }

    fn exact_profile(&self, factors: &ExactFactors, moments: &ExactMoments) -> RankProfile {
        let depth = factors.depth();
        let mut widths = factors.architecture().widths().to_vec();
        widths[0] = self.whitening.rank.rank;
        RankProfile::from_decisions(&widths, |i, j| {
            RankDecision::exact(match (i, j) {
                (0, j) => (&factors.partial(j, 0) * &moments.xx).rank(),
                (i, j) if j == depth => factors.partial(depth, i).rank(),
                _ => 0,
            })
        })
    }

    /// Whether the gradient of the square loss counts as zero.
    ///
    /// # Errors
    /// If the data do not fit.
    pub fn criticality(&self) -> Result<Truth> {
        if self.whitening.rank.rank == 0 {
            return Ok(Truth::Yes);
        }
        if let Some((factors, moments)) = &self.exact {
            return Ok(ExactSquareNetwork::new(factors.clone(), moments.clone())?.is_critical().into());
        }
        let network = NormalizedNetwork::new(&self.factors, self.whitening);
        Ok(network.criticality(self.unit_roundoff, self.tolerances))
    }
}

/// Whether the product is stationary among all matrices, `(M X - Y) X' = 0`.
///
/// # Errors
/// If the data do not fit.
pub fn is_critical_without_bound(
    matrix: Matrix,
    exact: Option<(RationalMatrix, ExactMoments)>,
    whitening: &Whitening,
    unit_roundoff: f64,
    tolerances: &Tolerances,
) -> Result<Truth> {
    let exact = exact.map(|(matrix, moments)| Ok((ExactFactors::new(vec![matrix])?, moments))).transpose()?;
    ChainPoint { factors: Factors::new(vec![matrix])?, exact, whitening, unit_roundoff, tolerances }.criticality()
}
