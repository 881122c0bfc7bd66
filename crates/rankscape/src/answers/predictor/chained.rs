//! Maps whose Jacobian is that of a plain product: no Jacobian is formed.

use super::request::{MapKind, PredictorAnswer, PredictorRequest, Reduced, misfit, origin, parameters, regime};
use crate::critical::Origin;
use crate::data::{ExactMoments, Whitening};
use crate::error::{InputError, Result};
use crate::evidence::{Quantity, Truth};
use crate::linalg::Matrix;
use crate::linalg::exact::{Rational, RationalMatrix};
use crate::multiplication::{ExactFactors, Factors};
use crate::parametrization::{
    ChainPoint, ChainRank, Residual, is_critical_without_bound, norms_before_last, to_linear,
};
use crate::problem::{Data, Layers};

/// A map whose Jacobian is that of a plain product of `chain`.
pub(super) struct Chained<'a> {
    request: &'a PredictorRequest,
    given: Vec<Matrix>,
    chain: Vec<Matrix>,
    exact: Option<Vec<RationalMatrix>>,
    reduced: Reduced,
}

impl<'a> Chained<'a> {
    pub(super) fn new(request: &'a PredictorRequest) -> Result<Self> {
        let given = request.layers.matrices();
        let mut chain = given.clone();
        let mut exact = match &request.layers {
            Layers::Exact(matrices) => Some(matrices.clone()),
            Layers::Stored { .. } => None,
        };
        match request.map {
            MapKind::Residual => {
                let size = given.first().map_or(0, Matrix::nrows);
                if let Some(k) = given.iter().position(|layer| layer.shape() != (size, size)) {
                    return Err(misfit(k, "residual layers are square, all of one size", given[k].shape()));
                }
                chain = Residual::layers(&given);
                exact = exact.map(|exact| exact.iter().map(|v| v + &RationalMatrix::identity(size)).collect());
            }
            MapKind::ProductPlusMatrix => {
                let last = chain.pop().filter(|_| !chain.is_empty());
                let last = last.ok_or_else(|| InputError::new("a product plus a matrix has two matrices at least"))?;
                let ends = (chain[chain.len() - 1].nrows(), chain[0].ncols());
                if last.shape() != ends {
                    return Err(misfit(
                        chain.len(),
                        "the matrix does not have the shape of the product beside it",
                        last.shape(),
                    )
                    .hint(format!("the product is {} x {}", ends.0, ends.1)));
                }
                exact.as_mut().map(Vec::pop);
            }
            _ => {}
        }
        let architecture = Factors::new(chain.clone())?.architecture().clone();
        let ends = (architecture.inputs(), architecture.outputs());
        if request.map == MapKind::IdentityPlusProduct && ends.0 != ends.1 {
            return Err(InputError::new("the identity plus a product has as many outputs as inputs")
                .value(format!("{} inputs, {} outputs", ends.0, ends.1)));
        }
        let units = || Ok(Data::ExactTarget(RationalMatrix::zeros(ends.1, ends.0)));
        let reduced = Reduced::new(request, ends, units)?;
        Ok(Self { request, given, chain, exact, reduced })
    }

    fn unit_roundoff(&self) -> f64 {
        self.request.layers.unit_roundoff()
    }

    fn point<'b>(
        &'b self,
        layers: Vec<Matrix>,
        exact: Option<&[RationalMatrix]>,
        whitening: &'b Whitening,
        moments: Option<ExactMoments>,
    ) -> Result<ChainPoint<'b>> {
        let exact = exact.zip(moments).map(|(exact, moments)| Ok((ExactFactors::new(exact.to_vec())?, moments)));
        Ok(ChainPoint {
            factors: Factors::new(layers)?,
            exact: exact.transpose()?,
            whitening,
            unit_roundoff: self.unit_roundoff(),
            tolerances: &self.request.tolerances,
        })
    }

    pub(super) fn answer(&self) -> Result<PredictorAnswer> {
        let (whitening, moments) = (&self.reduced.data.whitening, self.reduced.moments());
        let defined = self.request.map != MapKind::Normalized || norms_before_last(&self.given).is_some();
        let (target, target_moments) = self.targets();
        let critical = (self.reduced.has_target && defined)
            .then(|| self.criticality(target.as_ref().unwrap_or(whitening), target_moments.clone()))
            .transpose()?;
        let outputs = self.chain[self.chain.len() - 1].nrows();
        let point = self.point(self.chain.clone(), self.exact.as_deref(), whitening, moments.cloned())?;
        let ChainRank { differential, clear, filling, mut evidence } = point.rank(critical == Some(Truth::Yes))?;
        let everything = outputs * whitening.rank.rank;
        let beside = self.request.map == MapKind::ProductPlusMatrix;
        // The matrix beside the product reaches everything alone.
        let (rank, generic, clear) = match beside {
            true => (everything, everything, whitening.rank.clear),
            false => (differential.rank, differential.max_rank, clear),
        };
        if beside {
            evidence.rests_on.retain(|support| support.quantity == Quantity::Inputs);
        }
        let rank = (clear && defined).then_some(rank);
        let generic_rank = whitening.rank.clear.then_some(generic);
        let predictions = outputs as u64 * self.reduced.data.samples;
        let origin = match critical {
            Some(Truth::Yes) => origin(rank, generic_rank, filling || beside, || {
                self.is_least(target.as_ref().unwrap_or(whitening), target_moments)
            })?
            // Where not everything is reached, a product of smaller rank is no smooth point of what is.
            .or((rank.is_some() && rank != generic_rank && !filling).then_some(Origin::Spurious)),
            _ => None,
        };
        Ok(PredictorAnswer {
            predictions,
            parameters: parameters(&self.given),
            defined,
            rank,
            generic_rank,
            regime: regime(generic_rank, predictions),
            critical,
            origin,
            generic_grade: evidence.grade,
            evidence,
        })
    }

    /// The targets of the product: `Y - X` beside an identity. `None` for the whitening as it is.
    fn targets(&self) -> (Option<Whitening>, Option<ExactMoments>) {
        let (whitening, moments) = (&self.reduced.data.whitening, self.reduced.moments());
        if self.request.map != MapKind::IdentityPlusProduct || !self.reduced.has_target {
            return (None, moments.cloned());
        }
        let inputs = whitening.inputs();
        let rest = Matrix::from_diagonal(1, 1, &[(2.0 * whitening.floor).sqrt()]);
        let shifted = (&whitening.target - &inputs).transpose();
        let shifted = (whitening.rank.rank > 0)
            .then(|| Whitening::from_blocks(&inputs.transpose(), &shifted, &rest, &self.request.tolerances));
        let trace = |a: &RationalMatrix| (0..a.nrows()).map(|i| a[(i, i)].clone()).sum::<Rational>();
        let moments = moments.map(|ExactMoments { xx, yx, yy }| ExactMoments {
            xx: xx.clone(),
            yx: yx - xx,
            yy: yy - trace(yx) - trace(yx) + trace(xx),
        });
        (shifted, moments)
    }

    /// The whole matrix `M` of `M X`, without an identity beside it.
    fn matrix(&self) -> Result<(Matrix, Option<RationalMatrix>)> {
        let chain = if self.request.map == MapKind::Normalized { to_linear(&self.chain) } else { None };
        let product = Factors::new(chain.unwrap_or_else(|| self.chain.clone()))?.product();
        let exact = self
            .exact
            .as_ref()
            .map(|exact| Ok::<_, InputError>(ExactFactors::new(exact.clone())?.partial(exact.len(), 0)));
        let exact = exact.transpose()?.filter(|_| self.request.map != MapKind::Normalized);
        if self.request.map != MapKind::ProductPlusMatrix {
            return Ok((product, exact));
        }
        let beside = match &self.request.layers {
            Layers::Exact(matrices) => matrices.last(),
            Layers::Stored { .. } => None,
        };
        Ok((&product + &self.given[self.given.len() - 1], exact.zip(beside).map(|(product, beside)| &product + beside)))
    }

    fn is_least(&self, target: &Whitening, moments: Option<ExactMoments>) -> Result<Truth> {
        let (matrix, exact) = self.matrix()?;
        is_critical_without_bound(matrix, exact.zip(moments), target, self.unit_roundoff(), &self.request.tolerances)
    }

    fn criticality(&self, target: &Whitening, moments: Option<ExactMoments>) -> Result<Truth> {
        match self.request.map {
            MapKind::ProductPlusMatrix => self.is_least(target, moments),
            MapKind::Normalized => {
                let layers = to_linear(&self.chain).unwrap_or_else(|| self.chain.clone());
                self.point(layers, None, target, None)?.criticality()
            }
            _ => self.point(self.chain.clone(), self.exact.as_deref(), target, moments)?.criticality(),
        }
    }
}
