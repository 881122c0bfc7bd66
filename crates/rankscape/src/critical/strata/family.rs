//! All critical points that capture given numbers of singular values: their strata, listed and counted.

use std::ops::ControlFlow;

use num_bigint::BigUint;

use super::stratum::{CyclicBar, Stratum};
use super::walk::Walk;
use crate::architecture::Architecture;
use crate::critical::class::{CriticalClass, Findings};
use crate::error::{InputError, Result};
use crate::hessian::{PairCounts, inertia_at_critical_point};
use crate::linalg::Inertia;

/// The critical points of one rung: `p_i` of the `m_i` singular values of size number `i` are captured.
///
/// All strata over it are decided by integers: the whitened widths, the `m_i` and the `p_i`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapturedFamily {
    /// `rank X, d_1, ..., d_h`.
    widths: Vec<usize>,
    /// `d_1 (d_0 - rank X)`, the directions that the data do not see.
    flat: usize,
    multiplicities: Vec<usize>,
    pattern: Vec<usize>,
}

/// A stratum with what is the same at all its points, in the parameters as given.
#[derive(Debug, Clone, PartialEq)]
pub struct StratumFacts {
    /// The class.
    pub class: CriticalClass,
    /// Inertia of the Hessian, flat directions of the data included.
    pub inertia: Inertia,
    /// Dimension of the set of all points of the stratum, over all products of the family.
    pub dimension: usize,
}

impl CapturedFamily {
    /// The family of a network over data of rank `data_rank` whose target has positive singular values of multiplicities
    /// `multiplicities`, largest value first.
    ///
    /// # Errors
    /// If the pattern does not fit the multiplicities, asks for more than the bottleneck carries, or the network has one
    /// layer and something positive is left out.
    pub fn new(
        architecture: &Architecture,
        data_rank: usize,
        multiplicities: &[usize],
        pattern: &[usize],
    ) -> Result<Self> {
        let mut widths = architecture.widths().to_vec();
        let flat = (widths[0] - data_rank.min(widths[0])) * widths[1];
        widths[0] = data_rank.min(widths[0]);
        let family = Self { widths, flat, multiplicities: multiplicities.to_vec(), pattern: pattern.to_vec() };
        family.check()?;
        Ok(family)
    }

    fn check(&self) -> Result<()> {
        let (pattern, multiplicities) = (&self.pattern, &self.multiplicities);
        let at = |problem: String| InputError::new(problem).array("captured").value(format!("pattern {pattern:?}"));
        if pattern.len() != multiplicities.len() {
            return Err(at(format!("the target has {} distinct positive singular values", multiplicities.len()))
                .hint("give one number for each, largest value first"));
        }
        if let Some(i) = (0..pattern.len()).find(|&i| pattern[i] > multiplicities[i]) {
            return Err(at(format!(
                "distinct singular value number {} has multiplicity {}, so p_{} <= {} must hold",
                i + 1,
                multiplicities[i],
                i + 1,
                multiplicities[i]
            )));
        }
        let bottleneck = self.widths.iter().copied().min().unwrap_or(0);
        if self.rank() > bottleneck {
            return Err(at(format!(
                "{} captured directions need rank {}, but the smallest of rank X and the widths is {bottleneck}",
                self.rank(),
                self.rank()
            ))
            .hint("capture fewer directions"));
        }
        if self.depth() == 1 && self.omitted() > 0 {
            return Err(at("a network of one layer has no critical point that omits a positive singular value".into())
                .hint("capture all of them, or use two or more layers"));
        }
        Ok(())
    }

    /// Number of factors.
    pub fn depth(&self) -> usize {
        self.widths.len() - 1
    }

    /// `rank X, d_1, ..., d_h`.
    pub fn widths(&self) -> &[usize] {
        &self.widths
    }

    /// `p_1, p_2, ...`: how many of each distinct positive singular value are captured.
    pub fn pattern(&self) -> &[usize] {
        &self.pattern
    }

    /// `e = sum p_i`.
    pub fn rank(&self) -> usize {
        self.pattern.iter().sum()
    }

    /// Number of omitted positive singular values, the rank of the whitened residual.
    pub fn omitted(&self) -> usize {
        self.multiplicities.iter().sum::<usize>() - self.rank()
    }

    /// Dimension `sum p_i (m_i - p_i)` of the set of critical products, a product of Grassmannians.
    pub fn product_dimension(&self) -> usize {
        self.pattern.iter().zip(&self.multiplicities).map(|(p, m)| p * (m - p)).sum()
    }

    /// Pairs of a captured and an omitted value of which the omitted one is larger, and of equal ones.
    fn pairs(&self) -> PairCounts {
        let mut pairs = PairCounts { omitted_larger: 0, equal: self.product_dimension() };
        let mut larger_omitted = 0;
        for (p, m) in self.pattern.iter().zip(&self.multiplicities) {
            pairs.omitted_larger += larger_omitted * p;
            larger_omitted += m - p;
        }
        pairs
    }

    /// Class, inertia and dimension of a stratum of this family; `None` when it is not one.
    pub fn facts(&self, stratum: &Stratum) -> Option<StratumFacts> {
        let fits = stratum.depth() == self.depth()
            && stratum.rank() == self.rank()
            && stratum.wrapped().map(|bar| bar.multiplicity).sum::<usize>() == self.omitted()
            && self.widths.iter().enumerate().all(|(node, &width)| stratum.width(node) == width);
        if !fits {
            return None;
        }
        let pairs = self.pairs();
        let inertia = inertia_at_critical_point(&stratum.ranks(), pairs)?;
        let inertia = Inertia { zero: inertia.zero + self.flat, ..inertia };
        let findings = Findings {
            rank: self.rank(),
            effective_bottleneck: self.widths.iter().copied().min().unwrap_or(0),
            residual_is_zero: self.omitted() == 0,
            pairs,
            spectrum_clear: true,
            inertia: Some(inertia),
            all_clear: true,
        };
        let dimension = self.product_dimension() + stratum.dimension_over_product() + self.flat;
        Some(StratumFacts { class: findings.class(), inertia, dimension })
    }

    /// The stratum without surplus: all factors have the rank of the product. It is the first of the list, and the only
    /// one that has balanced points.
    pub fn minimal(&self) -> Stratum {
        let mut first = None;
        let _ = self.visit(|stratum| {
            first = Some(stratum);
            ControlFlow::Break(())
        });
        first.unwrap_or_else(|| Stratum::new(self.depth(), self.rank(), Vec::new()))
    }

    /// The first `max` strata, in the order of [`Self::visit`].
    pub fn list(&self, max: usize) -> Vec<Stratum> {
        let mut found = Vec::new();
        let _ = self.visit(|stratum| {
            if found.len() == max {
                return ControlFlow::Break(());
            }
            found.push(stratum);
            ControlFlow::Continue(())
        });
        found
    }

    /// Shows all strata, each once, without storing them; the order is fixed, the one without surplus comes first.
    pub fn visit(&self, mut show: impl FnMut(Stratum) -> ControlFlow<()>) -> ControlFlow<()> {
        let stratum = |chosen: &[CyclicBar]| Stratum::new(self.depth(), self.rank(), chosen.to_vec());
        Walk::new(self.depth()).visit(self.omitted(), self.complement(), |chosen| show(stratum(chosen)))
    }

    /// Number of all strata; `None` when more than `states` partial sums would have to be remembered.
    pub fn count(&self, states: usize) -> Option<BigUint> {
        Walk::new(self.depth()).count(self.omitted(), self.complement(), states)
    }

    /// `d_k - e`.
    fn complement(&self) -> Vec<usize> {
        self.widths.iter().map(|width| width - self.rank()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_strata_are_as_many_as_counted_and_all_different() {
        for (widths, multiplicities, pattern) in [
            (vec![2, 2, 2, 2], vec![1, 1], vec![0, 1]),
            (vec![2, 2, 2, 2], vec![2], vec![0]),
            (vec![3, 2, 4], vec![1], vec![0]),
            (vec![1, 2, 3, 1, 2], vec![1], vec![0]),
            (vec![2, 3], vec![1], vec![1]),
        ] {
            let architecture = Architecture::new(widths).unwrap();
            let family = CapturedFamily::new(&architecture, architecture.inputs(), &multiplicities, &pattern).unwrap();
            let mut strata = family.list(usize::MAX);
            assert_eq!(family.count(10_000), Some(BigUint::from(strata.len())));
            assert_eq!(strata[0], family.minimal());
            strata.sort();
            strata.dedup();
            assert_eq!(family.count(10_000), Some(BigUint::from(strata.len())));
            assert!(strata.iter().all(|stratum| family.facts(stratum).is_some()));
        }
    }

    #[test]
    fn patterns_that_do_not_fit_say_which_inequality_fails() {
        let architecture = Architecture::new(vec![3, 1, 3]).unwrap();
        let says = |multiplicities: &[usize], pattern: &[usize]| {
            CapturedFamily::new(&architecture, 3, multiplicities, pattern).unwrap_err().to_string()
        };
        assert!(says(&[1, 1], &[1, 1]).contains("smallest of rank X and the widths is 1"));
        assert!(says(&[1, 1], &[2, 0]).contains("p_1 <= 1 must hold"));
        assert!(says(&[1, 1], &[1]).contains("2 distinct positive singular values"));
    }
}
