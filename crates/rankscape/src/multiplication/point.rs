//! A point of the product map with the arithmetic in which its ranks and signs are decided.

use std::borrow::Cow;

use super::factors::{ExactFactors, Factors};
use super::fiber::ComponentLabel;
use super::rank_profile::RankProfile;
use crate::error::Result;
use crate::evidence::Grade;
use crate::linalg::Matrix;
use crate::linalg::exact::RationalMatrix;
use crate::tolerance::{Tolerances, UNIT_ROUNDOFF};

/// Factors with the ranks of their partial products, decided over the rationals where every entry is known exactly and in
/// double precision otherwise. What is constructed from a point is in double precision either way.
#[derive(Debug, Clone, PartialEq)]
pub struct MapPoint {
    factors: Factors,
    exact: Option<ExactFactors>,
    unit_roundoff: f64,
    profile: RankProfile,
}

impl MapPoint {
    /// Factors whose entries are stored with this unit roundoff; ranks as [`RankProfile::stored`] decides them.
    pub fn stored(factors: Factors, unit_roundoff: f64, tolerances: &Tolerances) -> Self {
        let profile = RankProfile::stored(&factors, unit_roundoff, tolerances);
        Self { factors, exact: None, unit_roundoff, profile }
    }

    /// Factors with rational entries; ranks as [`RankProfile::exact`] decides them.
    ///
    /// ```
    /// use rankscape::evidence::Grade;
    /// use rankscape::linalg::exact::RationalMatrix;
    /// use rankscape::multiplication::{ExactFactors, MapPoint};
    /// let large = RationalMatrix::from_integers(&[vec![1 << 53, (1 << 53) + 1], vec![(1 << 53) + 1, (1 << 53) + 2]]);
    /// let point = MapPoint::exact(ExactFactors::new(vec![large]).unwrap()).unwrap();
    /// assert_eq!((point.profile().product_rank(), point.grade()), (2, Grade::Exact));
    /// ```
    ///
    /// # Errors
    /// If an entry is beyond the range of double precision.
    pub fn exact(exact: ExactFactors) -> Result<Self> {
        let factors = Factors::new(exact.matrices().iter().map(RationalMatrix::to_matrix).collect())?;
        let profile = RankProfile::exact(&exact);
        Ok(Self { factors, exact: Some(exact), unit_roundoff: UNIT_ROUNDOFF, profile })
    }

    /// The factors in double precision.
    pub fn factors(&self) -> &Factors {
        &self.factors
    }

    /// The factors over the rationals, where they are known.
    pub fn rational(&self) -> Option<&ExactFactors> {
        self.exact.as_ref()
    }

    /// The ranks.
    pub fn profile(&self) -> &RankProfile {
        &self.profile
    }

    /// Unit roundoff of the entries in double precision.
    pub fn unit_roundoff(&self) -> f64 {
        self.unit_roundoff
    }

    /// How strong decisions on ranks and signs are.
    pub fn grade(&self) -> Grade {
        if self.exact.is_some() { Grade::Exact } else { Grade::Numerical }
    }

    /// The product in double precision, rounded once where the factors are known over the rationals.
    pub fn product(&self) -> Matrix {
        match &self.exact {
            Some(exact) => exact.partial(exact.depth(), 0).to_matrix(),
            None => self.factors.product(),
        }
    }

    /// The component of the fiber; `None` where the rank of the product is not clear.
    pub fn label(&self) -> Option<ComponentLabel> {
        match &self.exact {
            Some(exact) => Some(ComponentLabel::exact(exact)),
            None if self.profile.decision(0, self.profile.depth()).clear => {
                Some(ComponentLabel::new(&self.factors, self.profile.product_rank()))
            }
            None => None,
        }
    }

    /// This point in the arithmetic in which it can be compared with `other`: over the rationals where both are known there,
    /// otherwise in double precision with the coarser unit roundoff of the two.
    pub fn alike<'a>(&'a self, other: &Self, tolerances: &Tolerances) -> Cow<'a, Self> {
        let unit_roundoff = self.unit_roundoff.max(other.unit_roundoff);
        let comparable = other.exact.is_some() || self.exact.is_none();
        if comparable && self.unit_roundoff >= unit_roundoff {
            return Cow::Borrowed(self);
        }
        Cow::Owned(Self::stored(self.factors.clone(), unit_roundoff, tolerances))
    }
}
