//! The fiber of the product map: its components, the component of a point, its dimension.
//!
//! `mu^{-1}(W)` has `2^b` path components, `b` the number of inner nodes whose width is `rank W` (`[@TKB]` Theorem 5). Let
//! `J` be `rank W` independent columns of `W`. At each such node `P(i,0)[:, J]` is invertible, and the signs of these
//! determinants tell the components apart.

use num_bigint::BigUint;
use num_traits::{One as _, Zero as _};

use super::factors::{ExactFactors, FactorChain, Factors};
use super::frames::product_svd;
use super::learning::LearningCoefficient;
use super::rank_profile::RankProfile;
use crate::linalg::{Algebra, Linear as _, pivoted_rows};

/// What widths and rank say of the fiber.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fiber {
    /// Inner nodes as wide as the product's rank; each doubles the number of components.
    pub nodes: Vec<usize>,
    /// Dimension of the fiber (of its largest stratum).
    pub dimension: usize,
}

impl Fiber {
    /// From the widths and the rank of the product.
    pub fn new(profile: &RankProfile) -> Self {
        let (widths, e) = (profile.widths(), profile.product_rank());
        let parameters: usize = widths.windows(2).map(|pair| pair[0] * pair[1]).sum();
        let codimension = LearningCoefficient::new(widths, e).map_or(0, |found| found.codimension);
        Self { nodes: splitting_nodes(widths, e), dimension: parameters - codimension }
    }

    /// Number of path components, `2^b`.
    pub fn components(&self) -> BigUint {
        BigUint::from(1_u8) << self.nodes.len()
    }
}

/// Inner nodes of width `rank`; a node of width 0 does not exist.
pub(super) fn splitting_nodes(widths: &[usize], rank: usize) -> Vec<usize> {
    (1..widths.len() - 1).filter(|&i| widths[i] == rank).collect()
}

/// Label of a component. Two labels of one matrix compare only when they have the same columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentLabel {
    /// Independent columns of the product, counted from 0, ascending.
    pub columns: Vec<usize>,
    /// Inner nodes as wide as the product's rank.
    pub nodes: Vec<usize>,
    /// Sign of `det P(i,0)[:, columns]` at each node.
    pub signs: Vec<i8>,
}

impl ComponentLabel {
    /// Label over the rationals, with the leftmost independent columns of the product.
    pub fn exact(factors: &ExactFactors) -> Self {
        let h = factors.architecture().depth();
        Self::with_columns(factors, factors.partial(h, 0).independent_columns())
    }

    /// Label in double precision, with columns of the product chosen by pivoting; `rank` is the decided rank of the
    /// product.
    pub fn new(factors: &Factors, rank: usize) -> Self {
        let right = product_svd(factors, rank).v;
        let columns = pivoted_rows(right);
        Self::with_columns(factors, columns)
    }

    /// The same for columns chosen by the caller, so that two factorizations can be compared: as many as the rank of the product
    /// and independent there, or the signs are 0.
    pub fn with_columns<F: FactorChain>(factors: &F, columns: Vec<usize>) -> Self {
        let widths = factors.architecture().widths();
        let nodes = splitting_nodes(widths, columns.len());
        let (zero, one) = (<F::Matrix as Algebra>::Number::zero, <F::Matrix as Algebra>::Number::one);
        let mut image =
            F::Matrix::from_fn(widths[0], columns.len(), |i, j| if columns[j] == i { one() } else { zero() });
        let mut signs = Vec::with_capacity(nodes.len());
        for (k, layer) in (1..widths.len() - 1).zip(factors.matrices()) {
            image = layer.times(&image).power_scaled();
            if nodes.contains(&k) {
                signs.push(image.sign_of_determinant());
            }
        }
        Self { columns, nodes, signs }
    }
}
